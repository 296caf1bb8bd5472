"""From bytes to what a model learns from: numbers, varied by chance, with mean 0 and standard deviation 1."""

from collections.abc import Callable

import numpy as np
from mnist_data import DATASETS
from train_flags import Flags

from numpycnn import transforms

PADDING = {"lenet": 0, "lenet5": 2, "convnet": 0}  # LeNet-5 takes images of 32x32
SIDE = 28
Preparation = Callable[[np.ndarray], np.ndarray]
Augmentation = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def preparation(flags: Flags) -> Preparation:
    """Return what makes a model's input of bytes: (N, 28, 28) -> (N, 1, H, W)."""
    finish = finishing(flags)
    return lambda images: finish(pixels(images, flags))


def augmentation(flags: Flags) -> Augmentation:
    """Return the same for training, where images are varied in between."""
    finish, varied = finishing(flags), variations(flags)

    def augment(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        images = pixels(images, flags)
        for vary in varied:
            images = vary(images, rng)
        return finish(images)

    return augment


def variations(flags: Flags) -> list[transforms.Transform]:
    """List what is done by chance; a shift alone needs no looking between pixels."""
    varied: list[transforms.Transform] = []
    if flags.rotate or flags.scale:
        shift, scale = flags.shift / SIDE, (1 - flags.scale, 1 + flags.scale)
        varied.append(transforms.RandomAffine(flags.rotate, (shift, shift), scale, interpolation="bilinear"))
    elif flags.shift:
        varied.append(transforms.RandomCrop(SIDE, padding=flags.shift))
    return varied + [transforms.RandomHorizontalFlip()] * flags.flip


def pixels(images: np.ndarray, flags: Flags) -> np.ndarray:
    """Make numbers from 0 to 1 of bytes."""
    return images[:, None].astype(flags.dtype) / 255


def finishing(flags: Flags) -> Preparation:
    """Return what comes last: the margin that a model wants, and the mean and deviation of the data set."""
    dataset, margin = DATASETS[flags.dataset], PADDING[flags.model]
    steps = [transforms.Pad(margin)] * (margin > 0) + [transforms.Normalize(dataset.mean, dataset.std)]
    return transforms.Compose(steps)
