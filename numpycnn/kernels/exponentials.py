"""The exponentials of scores along an axis, and what cross-entropy makes of them, in few passes over memory."""

from __future__ import annotations

import numpy as np

from .window import Array

SHORT = 32  # classes, below which one after the other for all samples is faster than one sample after the other


def exponentials(x: Array, axis: int) -> tuple[Array, Array, Array]:
    """Return ``e = exp(x - max x)``, its sum along the axis, and ``log sum over j of exp(x_j)``; both sums in float64.

    Subtracted first, the maximum keeps exp below 1.
    """
    scores = x.swapaxes(0, axis)  # (C, N, ...)
    if len(scores) < SHORT:
        scores = np.ascontiguousarray(scores)
    largest = np.maximum.reduce(scores)
    e = scores - largest
    np.exp(e, out=e)
    total = np.add.reduce(e, 0, np.float64)
    return e.swapaxes(0, axis), total, largest + np.log(total)


def picked_adjoint(e: Array, total: Array, log_p: Array, at: tuple[Array, ...], slopes: Array, axis: int) -> Array:
    """Return ``slope (p - 1)`` at the entries that were picked, ``slope p`` elsewhere, with ``p = e / total``.

    For the difference, p comes from its logarithm in float64: near 1, where a network is that has
    learned, in float32 it would be all rounding.
    """
    classes_first = e.swapaxes(0, axis) * (slopes / total).astype(e.dtype)  # (C, N, ...)
    dx: Array = classes_first.swapaxes(0, axis)
    dx[at] = slopes * np.exp(log_p) - slopes
    return dx
