"""Normalisation by numbers that are known beforehand: those of the training set."""

from __future__ import annotations

import numpy as np

from ..layers.arrays import Array
from .channels import Numbers, each, numbers
from .transform import Choice, Transform


class Normalize(Transform):
    """``y = (x - mean) / std``, one mean and one std for each channel.

    Parameters
    ----------
    mean, std : float or sequence of float
        One number for each channel, or one for all.

    Raises
    ------
    ValueError
        For a std of 0; in the call, for images with another number of channels.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.transforms.Normalize((1, 2), (2, 4))(np.array([[[[0.0]], [[4.0]]]]))
    array([[[[-0.5]],
            [[ 0.5]]]])
    """

    def __init__(self, mean: Numbers, std: Numbers):
        self.mean = numbers("Normalize", "mean", mean)
        self.std = numbers("Normalize", "std", std)
        if not np.all(self.std):
            raise ValueError(f"Normalize: expected a std that is not 0, got {std!r}")

    def _apply(self, images: Array, choice: Choice) -> Array:
        mean, std = each(self, "mean", self.mean, images), each(self, "std", self.std, images)
        if not np.all(std):
            raise ValueError(f"{self!r}: expected a std that is not 0 in {images.dtype}, got {self.std!r}")
        normalized: Array = (images - mean) / std
        return normalized
