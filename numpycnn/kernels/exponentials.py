"""The exponentials of scores along an axis, and what cross-entropy makes of them, in few passes over memory."""

from __future__ import annotations

import numpy as np

from .window import Array

SHORT = 32  # classes, below which one after the other for all samples is faster than one sample after the other


def exponentials(x: Array, axis: int) -> tuple[Array, Array, Array]:
    """Return ``e = exp(x - max x)``, its sum along the axis, and ``log sum over j of exp(x_j)``; both sums in float64.

    Subtracted first, the maximum keeps exp below 1.
    """
    if x.shape[axis] < SHORT:
        x = np.ascontiguousarray(x.swapaxes(0, axis)).swapaxes(0, axis)
    largest = x.max(axis, keepdims=True)
    e = x - largest
    np.exp(e, out=e)
    total = e.sum(axis, np.float64)
    return e, total, largest.squeeze(axis) + np.log(total)


def picked_adjoint(e: Array, total: Array, log_p: Array, at: tuple[Array, ...], slopes: Array, axis: int) -> Array:
    """Return ``slope (p - 1)`` at the entries that were picked, ``slope p`` elsewhere, with ``p = e / total``.

    For the difference, p comes from its logarithm in float64: near 1, where a network is that has
    learned, in float32 it would be all rounding.
    """
    dx: Array = e * np.expand_dims((slopes / total).astype(e.dtype), axis)
    dx[at] = slopes * np.exp(log_p) - slopes
    return dx
