"""Mirror images: a cat that looks left and a cat that looks right are both cats."""

from __future__ import annotations

from ..layers.arguments import number
from ..layers.arrays import Array
from ..layers.init import Seed, generator
from .transform import Choice, Transform, image_shape


class RandomHorizontalFlip(Transform):
    """Mirror each image, left to right, with probability p.

    Parameters
    ----------
    p : float
        In [0, 1].

    Notes
    -----
    ``draw`` gives ``flip``: whether, (N,).

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> images = np.arange(6.0).reshape(2, 1, 1, 3)
    >>> nc.transforms.RandomHorizontalFlip()(images, rng=0)
    array([[[[0., 1., 2.]]],
           [[[5., 4., 3.]]]])
    """

    def __init__(self, p: float = 0.5):
        self.p = number("RandomHorizontalFlip", "p", p, 0, 1)

    def draw(self, shape: tuple[int, ...], rng: Seed = None) -> Choice:
        return {"flip": generator(rng).random(image_shape(self, shape)[0]) < self.p}

    def _apply(self, images: Array, choice: Choice) -> Array:
        flipped = images.copy()
        flipped[choice["flip"]] = images[choice["flip"], :, :, ::-1]
        return flipped
