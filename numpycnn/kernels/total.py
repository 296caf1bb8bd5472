"""Sums of many numbers, in few passes over memory, that round little."""

from __future__ import annotations

import numpy as np

from .window import Array


def total(x: Array, axes: tuple[int, ...]) -> Array:
    """Sum along axes, which stay with sides of 1, and return it in float64.

    Added one by one in float32, a million numbers lose their last three digits. So where there are
    several axes, only the second of them is, which makes the array small; the others are added in float64.
    """
    partial = x.sum(axes[1], keepdims=True) if len(axes) > 1 else x
    return np.asarray(partial.sum(axes, np.float64, keepdims=True))
