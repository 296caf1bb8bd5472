"""Colour shifts along principal components: the same things in another light, as AlexNet saw them."""

from __future__ import annotations

from typing import Self

import numpy as np

from ..layers.arguments import number
from ..layers.arrays import FLOATS, Array
from ..layers.init import Seed, generator
from .transform import Choice, Transform, image_shape


class PCAColorShift(Transform):
    """``y = x + p_1 alpha_1 lambda_1 + p_2 alpha_2 lambda_2 + p_3 alpha_3 lambda_3`` in every pixel.

    lambda_i and p_i are the eigenvalues and eigenvectors of the covariance of the RGB values over
    all pixels of the training set; alpha_i ~ N(0, std^2), once for each image (Krizhevsky et al., 2012,
    section 4.1). Any number of channels will do.

    The eigenvalues are squares of the unit that the pixels are in, so the shift depends on that unit: for
    pixels from 0 to 255 it would be 255 times as strong as for the same pixels from 0 to 1.

    Parameters
    ----------
    eigenvalues : array of shape (C,)
        lambda.
    eigenvectors : array of shape (C, C)
        p_i in column i, as ``numpy.linalg.eigh`` has them.
    std : float
        The standard deviation of alpha.

    Raises
    ------
    ValueError
        For arrays of other shapes, or a negative std; in the call, for images with another number of channels.

    Notes
    -----
    ``draw`` gives ``alpha``, (N, C).

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> training_set = np.random.default_rng(0).random((10, 3, 8, 8))
    >>> shift = nc.transforms.PCAColorShift.fit(training_set)
    >>> shift.eigenvalues.shape, shift.eigenvectors.shape
    ((3,), (3, 3))
    >>> images = shift(training_set[:2], rng=0)
    >>> (images - training_set[:2]).std((2, 3)).round(6)  # no shift within an image
    array([[0., 0., 0.],
           [0., 0., 0.]])
    """

    def __init__(self, eigenvalues: Array, eigenvectors: Array, std: float = 0.1):
        try:
            self.eigenvalues = np.array(eigenvalues, np.float64)
            self.eigenvectors = np.array(eigenvectors, np.float64)
        except (TypeError, ValueError):
            raise TypeError(
                "PCAColorShift: expected eigenvalues and eigenvectors to be arrays of numbers, "
                f"got {eigenvalues!r} and {eigenvectors!r}"
            ) from None
        self.std = abs(number("PCAColorShift", "std", std, 0))  # of -0.0 too
        channels = self.eigenvalues.size
        if self.eigenvalues.shape != (channels,) or self.eigenvectors.shape != (channels, channels):
            raise ValueError(
                "PCAColorShift: expected eigenvalues of shape (C,) and eigenvectors of shape (C, C), "
                f"got {self.eigenvalues.shape} and {self.eigenvectors.shape}"
            )

    @classmethod
    def fit(cls, images: Array, std: float = 0.1) -> Self:
        """Take the covariance from a training set of images (N, C, H, W).

        It is computed in float64, from a copy of all pixels: for a very large training set, a part of it will do.
        """
        if not isinstance(images, np.ndarray) or images.dtype not in FLOATS:
            kind = getattr(images, "dtype", type(images).__name__)
            raise TypeError(f"PCAColorShift: expected images to be an array of float32 or float64, got {kind}")
        if images.ndim != 4 or not images.size:
            raise ValueError(f"PCAColorShift: expected images of shape (N, C, H, W), none 0, got {images.shape}")
        pixels = np.moveaxis(images, 1, 0).reshape(images.shape[1], -1).astype(np.float64)  # C NHW
        centered = pixels - pixels.mean(1, keepdims=True)
        return cls(*np.linalg.eigh(centered @ centered.T / pixels.shape[1]), std)

    def draw(self, shape: tuple[int, ...], rng: Seed = None) -> Choice:
        return {"alpha": generator(rng).normal(0, self.std, (image_shape(self, shape)[0], len(self.eigenvalues)))}

    def _apply(self, images: Array, choice: Choice) -> Array:
        if images.shape[1] != len(self.eigenvalues):
            raise ValueError(
                f"PCAColorShift: expected images of {len(self.eigenvalues)} channels, as the components have, "
                f"got images of shape {images.shape}"
            )
        shifts = (choice["alpha"] * self.eigenvalues) @ self.eigenvectors.T  # N C
        shifted: Array = images + shifts.astype(images.dtype)[:, :, None, None]
        return shifted
