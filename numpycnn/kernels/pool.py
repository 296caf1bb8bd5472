"""Maximum and average over windows, and back: one walk over the taps each, ``y op= x`` there, ``dx += dy`` back."""

from __future__ import annotations

import numpy as np

from .adaptive import AdaptiveWindow
from .layout import as_images, as_rows, full_images, laid_out
from .window import Array, Pair, Window

AnyWindow = Window | AdaptiveWindow


def max_pool(x: Array, window: AnyWindow) -> Array:
    """Return the largest entry of each window, (N, C, H, W) -> (N, C, OH, OW); padding takes no part."""
    x = laid_out(x)
    y = full_images(x.shape[:2] + window.output_size(x.shape[2:]), -np.inf, x.dtype)
    for _, outputs, inputs in window.taps(x.shape[2:]):
        y[outputs] = np.maximum(y[outputs], x[inputs])
    return y


def max_pool_adjoint(dy: Array, x: Array, y: Array, window: AnyWindow) -> Array:
    """Send the gradient of each window to the one entry that was its largest: -> (N, C, H, W).

    The walk goes through each window once more, and the first entry that equals the maximum gets
    the gradient; for a maximum that is NaN, the last that is NaN.
    """
    x = laid_out(x)
    dx = full_images(x.shape, 0, x.dtype)
    # what has not found its entry yet; as integers, since of floats inf - inf is NaN
    bits = as_images(as_rows(dy).copy()).view(f"i{dy.itemsize}")
    for _, outputs, inputs in window.taps(x.shape[2:]):
        found = bits[outputs] * (x[inputs] == y[outputs])
        bits[outputs] ^= found
        if window.overlapping:
            dx[inputs] += found.view(x.dtype)
        else:
            dx[inputs] = found.view(x.dtype)  # seen by one window alone: written for the first time
    if bits.any():
        for _, outputs, inputs in reversed(window.taps(x.shape[2:])):
            found = bits[outputs] * np.isnan(x[inputs])
            bits[outputs] ^= found
            dx[inputs] += found.view(x.dtype)
    return dx


def max_positions(x: Array, y: Array, window: AnyWindow) -> Array:
    """Return where in its image the largest entry of each window stands, ``h W + w``: (N, C, OH, OW).

    A tie goes to the tap that comes first, the kernel's rows before its columns; NaN to the last.
    """
    height, width = x.shape[2:]
    positions = np.arange(height * width).reshape(height, width)
    where = np.full(y.shape, -1)
    for _, outputs, inputs in window.taps((height, width)):
        hit = (x[inputs] == y[outputs]) & (where[outputs] < 0) | np.isnan(x[inputs])
        where[outputs] = np.where(hit, positions[inputs], where[outputs])
    return where


def avg_pool(x: Array, window: AnyWindow, counts: Array | int) -> Array:
    """Return the sum of each window over its count: (N, C, H, W) -> (N, C, OH, OW).

    Summed along the columns of each window first, then along its rows: KH + KW passes instead of
    KH KW, and shorter sums, which round less.
    """
    x = laid_out(x)
    rows, cols = window.axes(x.shape[2:])
    oh, ow = window.output_size(x.shape[2:])
    sums = full_images((*x.shape[:2], oh, x.shape[3]), 0, x.dtype)
    for _, outputs, inputs in rows:
        sums[:, :, outputs] += x[:, :, inputs]
    y = full_images((*x.shape[:2], oh, ow), 0, x.dtype)
    for _, outputs, inputs in cols:
        y[..., outputs] += sums[..., inputs]
    y /= np.asarray(counts, y.dtype)
    return y


def avg_pool_adjoint(dy: Array, window: AnyWindow, counts: Array | int, size: Pair) -> Array:
    """Spread the gradient of each window evenly over what it saw: (N, C, OH, OW) -> (N, C, H, W)."""
    rows, cols = window.axes(size)
    share = laid_out(dy) / np.asarray(counts, dy.dtype)
    spread = full_images((*dy.shape[:3], size[1]), 0, dy.dtype)
    for _, outputs, inputs in cols:
        spread[..., inputs] += share[..., outputs]
    dx = full_images(dy.shape[:2] + size, 0, dy.dtype)
    for _, outputs, inputs in rows:
        dx[:, :, inputs] += spread[:, :, outputs]
    return dx
