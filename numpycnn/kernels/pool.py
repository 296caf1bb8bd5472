"""Maximum and average over windows, and back: one walk over the taps each, ``y op= x`` there, ``dx += dy`` back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .adaptive import AdaptiveWindow
from .layout import full_images, laid_out
from .parallel import split
from .window import Array, Pair, Window

AnyWindow = Window | AdaptiveWindow
LARGE = 1 << 17  # numbers that are worth a thread


def max_pool(x: Array, window: AnyWindow) -> Array:
    """Return the largest entry of each window, (N, C, H, W) -> (N, C, OH, OW); padding takes no part.

    Along the rows of each window first, whose neighbours in memory are those of its columns too.
    """
    x = laid_out(x)
    rows, cols = window.axes(x.shape[2:])
    oh, ow = window.output_size(x.shape[2:])
    y = full_images((*x.shape[:2], oh, ow), -np.inf, x.dtype)

    def fill(channels: slice) -> None:
        source, result = x[:, channels], y[:, channels]
        largest = full_images((*source.shape[:2], oh, x.shape[3]), -np.inf, x.dtype)
        for _, outputs, inputs in rows:
            largest[:, :, outputs] = np.maximum(largest[:, :, outputs], source[:, :, inputs])
        for _, outputs, inputs in cols:
            result[..., outputs] = np.maximum(result[..., outputs], largest[..., inputs])

    _by_channels(fill, x)
    return y


def max_pool_adjoint(dy: Array, x: Array, y: Array, window: AnyWindow) -> Array:
    """Send the gradient of each window to the one entry that was its largest: -> (N, C, H, W).

    The walk goes through each window once more, and the first entry that equals the maximum gets
    the gradient; for a maximum that is NaN, the last that is NaN.
    """
    x, dy = laid_out(x), laid_out(dy)
    dx = full_images(x.shape, 0, x.dtype)

    def send(channels: slice) -> None:
        # what has not found its entry yet; as integers, since of floats inf - inf is NaN
        bits = dy[:, channels].copy(order="K").view(f"i{dy.itemsize}")
        _send_to_first(bits, x[:, channels], y[:, channels], dx[:, channels], window)

    _by_channels(send, x)
    return dx


def _send_to_first(bits: Array, x: Array, y: Array, dx: Array, window: AnyWindow) -> None:
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
    y = full_images((*x.shape[:2], oh, ow), 0, x.dtype)

    def fill(channels: slice) -> None:
        source, result = x[:, channels], y[:, channels]
        sums = full_images((*source.shape[:2], oh, x.shape[3]), 0, x.dtype)
        for _, outputs, inputs in rows:
            sums[:, :, outputs] += source[:, :, inputs]
        for _, outputs, inputs in cols:
            result[..., outputs] += sums[..., inputs]
        result /= np.asarray(counts, y.dtype)

    _by_channels(fill, x)
    return y


def avg_pool_adjoint(dy: Array, window: AnyWindow, counts: Array | int, size: Pair) -> Array:
    """Spread the gradient of each window evenly over what it saw: (N, C, OH, OW) -> (N, C, H, W)."""
    rows, cols = window.axes(size)
    dy = laid_out(dy)
    dx = full_images(dy.shape[:2] + size, 0, dy.dtype)

    def send(channels: slice) -> None:
        share, result = dy[:, channels] / np.asarray(counts, dy.dtype), dx[:, channels]
        spread = full_images((*share.shape[:3], size[1]), 0, dy.dtype)
        for _, outputs, inputs in cols:
            spread[..., inputs] += share[..., outputs]
        for _, outputs, inputs in rows:
            result[:, :, inputs] += spread[:, :, outputs]

    _by_channels(send, dx)
    return dx


def _by_channels(work: Callable[[slice], None], x: Array) -> None:
    """Do work on the channels of large images, some on each thread."""
    split(work, x.shape[1], 1 + LARGE * x.shape[1] // (x.size + 1))
