"""Maximum and average over windows, and back: one walk over the taps each, ``y op= x`` there, ``dx += dy`` back."""

from __future__ import annotations

import numpy as np

from .adaptive import AdaptiveWindow
from .window import Array, Pair, Window


def max_pool(x: Array, window: Window | AdaptiveWindow) -> tuple[Array, Array]:
    """Return the largest entry of each window and where it stands in its image: (N, C, OH, OW) twice.

    The position is ``h * W + w``. A tie goes to the tap that comes first, the kernel's rows before
    its columns; a NaN beats everything, the last one winning; padding takes no part.
    """
    height, width = x.shape[2:]
    positions = np.arange(height * width).reshape(height, width)
    y = np.full(x.shape[:2] + window.output_size((height, width)), -np.inf, x.dtype)
    where = np.full(y.shape, -1)
    for _, outputs, inputs in window.taps((height, width)):
        seen, best = x[inputs], y[outputs]
        better = (seen > best) | (seen != seen) | (where[outputs] < 0)
        y[outputs] = np.where(better, seen, best)
        where[outputs] = np.where(better, positions[inputs], where[outputs])
    return y, where


def max_pool_adjoint(dy: Array, where: Array, size: Pair) -> Array:
    """Send the gradient of each window to the one entry that was its largest: -> (N, C, H, W)."""
    planes = dy.shape[0] * dy.shape[1]
    pixels = size[0] * size[1]
    dx = np.zeros((planes, pixels), dy.dtype)
    rows = np.arange(planes)[:, None]
    windows = dy.shape[2] * dy.shape[3]
    np.add.at(dx, (rows, where.reshape(planes, windows)), dy.reshape(planes, windows))
    return dx.reshape(*dy.shape[:2], *size)


def avg_pool(x: Array, window: Window | AdaptiveWindow, counts: Array | int) -> Array:
    """Return the sum of each window over its count: (N, C, H, W) -> (N, C, OH, OW)."""
    y = np.zeros(x.shape[:2] + window.output_size(x.shape[2:]), x.dtype)
    for _, outputs, inputs in window.taps(x.shape[2:]):
        y[outputs] += x[inputs]
    y /= np.asarray(counts, y.dtype)
    return y


def avg_pool_adjoint(dy: Array, window: Window | AdaptiveWindow, counts: Array | int, size: Pair) -> Array:
    """Spread the gradient of each window evenly over what it saw: (N, C, OH, OW) -> (N, C, H, W)."""
    dx = np.zeros(dy.shape[:2] + size, dy.dtype)
    share = dy / np.asarray(counts, dy.dtype)
    for _, outputs, inputs in window.taps(size):
        dx[inputs] += share[outputs]
    return dx
