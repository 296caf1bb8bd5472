"""The exponentials of scores along an axis, and what cross-entropy makes of them, in few passes over memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from .parallel import split
from .window import Array

LARGE = 1 << 16  # exponentials that are worth a thread
SHORT = 32  # classes, below which one after the other for all samples is faster than one sample after the other


def exponentials(x: Array, axis: int) -> tuple[Array, Array, Array]:
    """Return ``e = exp(x - max x)``, its sum along the axis, and ``log sum over j of exp(x_j)``; both sums in float64.

    Subtracted first, the maximum keeps exp below 1.
    """
    if x.shape[axis] < SHORT:
        x = np.ascontiguousarray(x.swapaxes(0, axis)).swapaxes(0, axis)
    e, largest = np.empty_like(x), x.max(axis, keepdims=True)
    total = np.empty(largest.shape)

    def fill(samples: Any) -> None:
        some = np.subtract(x[samples], largest[samples], out=e[samples])
        np.exp(some, out=some).sum(axis, np.float64, out=total[samples], keepdims=True)

    if axis:
        split(fill, len(x), 1 + LARGE * len(x) // (1 + x.size))
    else:  # a single sample
        fill(...)
    total = total.squeeze(axis)
    return e, total, largest.squeeze(axis) + np.log(total)


def picked_adjoint(e: Array, total: Array, log_p: Array, at: tuple[Array, ...], slopes: Array, axis: int) -> Array:
    """Return ``slope (p - 1)`` at the entries that were picked, ``slope p`` elsewhere, with ``p = e / total``.

    For the difference, p comes from its logarithm in float64: near 1, where a network is that has
    learned, in float32 it would be all rounding.
    """
    dx: Array = e * np.expand_dims((slopes / total).astype(e.dtype), axis)
    dx[at] = slopes * np.exp(log_p) - slopes
    return dx
