"""Several transforms, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..layers.arrays import Array
from ..layers.init import Seed, generator


class Compose:
    """Apply transforms one after the other, all of them drawing from the same generator.

    Parameters
    ----------
    transforms : sequence of callables
        Each is called as ``transform(images, rng=rng)``.

    Raises
    ------
    TypeError
        If they are no sequence of callables.
    ValueError
        If there are none.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> augment = nc.transforms.Compose([nc.transforms.RandomHorizontalFlip(), nc.transforms.Normalize([1.0], [2.0])])
    >>> images = np.arange(6.0).reshape(2, 1, 1, 3)
    >>> augment(images, rng=0)
    array([[[[-0.5,  0. ,  0.5]]],
           [[[ 2. ,  1.5,  1. ]]]])
    """

    def __init__(self, transforms: Sequence[Callable[..., Array]]):
        if not isinstance(transforms, Sequence) or not all(map(callable, transforms)):
            raise TypeError(f"Compose: expected transforms to be a sequence of callables, got {transforms!r}")
        if not transforms:
            raise ValueError(f"Compose: expected at least one transform, got {transforms!r}")
        self.transforms = list(transforms)

    def __call__(self, images: Array, rng: Seed = None) -> Array:
        """Return the images after the last transform."""
        drawn = generator(rng)
        for transform in self.transforms:
            images = transform(images, rng=drawn)
        return images

    def __repr__(self) -> str:
        return f"Compose({self.transforms!r})"
