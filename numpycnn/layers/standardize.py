"""Mean 0 and variance 1 along some axes, and the derivative: what all normalisations share."""

from __future__ import annotations

import math

import numpy as np

from ..kernels.total import total
from .layer import Array


def standardize(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array, Array, Array]:
    """Return ``x_hat = (x - mean) scale``, ``scale = 1 / sqrt(var + eps)``, mean, and var, which is the biased one.

    The last three have sides of 1 along the axes.
    """
    count = math.prod(x.shape[axis] for axis in axes)
    mean = (total(x, axes) / count).astype(x.dtype)
    x_hat = x - mean
    var = total(x_hat * x_hat, axes) / count
    scale = (1 / np.sqrt(var + eps)).astype(x.dtype)
    x_hat *= scale
    return x_hat, scale, mean, var.astype(x.dtype)


def standardize_adjoint(dy: Array, x_hat: Array, scale: Array, axes: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """Return dx, given the gradient towards x_hat; and the sums of dy and of ``dy x_hat`` along the axes.

    Mean and variance depend on x: ``dx = scale (dy - mean of dy - x_hat * mean of (dy x_hat))``.
    """
    count = math.prod(dy.shape[axis] for axis in axes)
    shift, stretch = total(dy, axes), total(dy * x_hat, axes)
    centred = dy - (shift / count).astype(dy.dtype)
    return (centred - x_hat * (stretch / count).astype(dy.dtype)) * scale, shift, stretch
