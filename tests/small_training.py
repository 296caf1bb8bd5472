"""A small training: images that can be learned, a network for them, and its loop."""

import itertools

import numpy as np

import numpycnn as nc
from numpycnn.optim import SGD
from numpycnn.training import fit

CRITERION = nc.CrossEntropyLoss()


def small_model(rng=0):
    rng = np.random.default_rng(rng)
    return nc.Sequential(
        *(nc.Conv2d(1, 4, 3, rng=rng), nc.BatchNorm2d(4), nc.ReLU(), nc.MaxPool2d(2)),
        *(nc.Flatten(), nc.Dropout(0.3, rng=rng), nc.Linear(36, 3, rng=rng)),
    )


def data(count=60, seed=0):
    """Draw images of 8x8 whose classes are three signs under noise."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 3, count)
    signs = np.random.default_rng(99).standard_normal((3, 1, 8, 8))
    return (signs[target] + rng.standard_normal((count, 1, 8, 8))).astype(np.float32), target


def train(model, batches, epochs=2, steps=None, **options):
    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    return list(itertools.islice(fit(model, CRITERION, optimizer, batches, epochs=epochs, **options), steps))
