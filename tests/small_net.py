"""A network with everything in it, numbers to feed it, and a copy of all that it has learned."""

import copy

import numpy as np

import numpycnn as nc


class Net(nc.Block):
    """Names in another order than the wiring, containers in both, and steps that have no name."""

    def __init__(self, rng=None):
        rng = np.random.default_rng(rng)
        self.head = nc.Linear(8, 3, rng=rng)
        self.features = nc.Sequential(nc.Conv2d(2, 4, 3, padding=1, rng=rng), nc.BatchNorm2d(4), nc.ReLU())
        self.short = nc.Conv2d(2, 4, 1, rng=rng)
        self.route(
            nc.Add(self.features, self.short),
            nc.Concat(nc.Sequential(nc.Dropout(0.5, rng=rng), nc.AdaptiveAvgPool2d(1)), nc.AdaptiveMaxPool2d(1)),
            nc.Flatten(),
            self.head,
        )


def draw(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def snapshot(module):
    """Copy the state and the gradients of a module."""
    return copy.deepcopy((module.state_dict(), [parameter.grad for parameter in module.parameters()]))
