"""Maximum and average over windows, and back: one walk over the taps each, ``y op= x`` there, ``dx += dy`` back.

Large images are walked over piece by piece, some channels and some rows, which stay in the cache from tap to tap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .adaptive import AdaptiveWindow
from .cuts import pieces
from .layout import full_images, laid_out
from .parallel import get_num_threads, split
from .window import Array, Pair, Place, Window

AnyWindow = Window | AdaptiveWindow
PIECE = 1 << 19  # numbers


def max_pool(x: Array, window: AnyWindow) -> Array:
    """Return the largest entry of each window, (N, C, H, W) -> (N, C, OH, OW); padding takes no part.

    Along the rows of each window first, whose neighbours in memory are those of its columns too.
    """
    x = laid_out(x)
    y = full_images((*x.shape[:2], *window.output_size(x.shape[2:])), -np.inf, x.dtype)

    def fill(outputs: Place, inputs: Place, part: AnyWindow) -> None:
        _walk(np.maximum, y[outputs], x[inputs], part, -np.inf)

    _by_pieces(fill, x, window)
    return y


def max_pool_adjoint(dy: Array, x: Array, y: Array, window: AnyWindow) -> Array:
    """Send the gradient of each window to the one entry that was its largest: -> (N, C, H, W).

    The walk goes through each window once more, and the first entry that equals the maximum gets
    the gradient; for a maximum that is NaN, the last that is NaN.
    """
    x, dy = laid_out(x), laid_out(dy)
    dx = full_images(x.shape, 0, x.dtype)

    def send(outputs: Place, inputs: Place, part: AnyWindow) -> None:
        # what has not found its entry yet; as integers, since of floats inf - inf is NaN
        bits = dy[outputs].copy(order="K").view(f"i{dy.itemsize}")
        _send_to_first(bits, x[inputs], y[outputs], dx[inputs], part)

    _by_pieces(send, x, window)
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

    Summed along the rows of each window first, then along its columns: KH + KW passes instead of
    KH KW, and shorter sums, which round less.
    """
    x = laid_out(x)
    y = full_images((*x.shape[:2], *window.output_size(x.shape[2:])), 0, x.dtype)
    counts = np.broadcast_to(np.asarray(counts, x.dtype), y.shape[2:])

    def fill(outputs: Place, inputs: Place, part: AnyWindow) -> None:
        _walk(np.add, y[outputs], x[inputs], part, 0)
        y[outputs] /= counts[outputs[2]]

    _by_pieces(fill, x, window)
    return y


def avg_pool_adjoint(dy: Array, window: AnyWindow, counts: Array | int, size: Pair) -> Array:
    """Spread the gradient of each window evenly over what it saw: (N, C, OH, OW) -> (N, C, H, W)."""
    dy = laid_out(dy)
    dx = full_images(dy.shape[:2] + size, 0, dy.dtype)
    counts = np.broadcast_to(np.asarray(counts, dy.dtype), dy.shape[2:])

    def send(outputs: Place, inputs: Place, part: AnyWindow) -> None:
        share, result = dy[outputs] / counts[outputs[2]], dx[inputs]
        rows, cols = part.axes(result.shape[2:])
        spread = full_images((*share.shape[:3], size[1]), 0, dy.dtype)
        for _, into, out_of in cols:
            spread[..., out_of] += share[..., into]
        for _, into, out_of in rows:
            result[:, :, out_of] += spread[:, :, into]

    _by_pieces(send, dx, window)
    return dx


def _walk(op: Callable[..., Any], y: Array, x: Array, window: AnyWindow, start: float) -> None:
    """Combine what each window sees into y, which holds the start: along its rows, then along its columns."""
    rows, cols = window.axes(x.shape[2:])
    halfway = full_images((*x.shape[:2], y.shape[2], x.shape[3]), start, x.dtype)
    for _, outputs, inputs in rows:
        into = halfway[:, :, outputs]
        halfway[:, :, outputs] = op(into, x[:, :, inputs], out=into)
    for _, outputs, inputs in cols:
        into = y[..., outputs]
        y[..., outputs] = op(into, halfway[..., inputs], out=into)


def _by_pieces(work: Callable[[Place, Place, AnyWindow], None], x: Array, window: AnyWindow) -> None:
    """Do work on images piece by piece: where the outputs are, where what they see is, the window between them.

    Channels are shared out over the threads, so that no two of them work on one row.
    """
    n, channels, height, width = x.shape
    rows = PIECE // max(1, channels * width * n)  # of all channels
    strips = window.strips((height, width), max(1, rows * window.output_size((height, width))[0] // height))
    tallest = max(inputs.stop - inputs.start for _, inputs, _ in strips)
    many = max(1, min(channels, 2 * PIECE // max(1, tallest * width * n)))
    if x.size > PIECE:
        many = min(many, -(-channels // get_num_threads()))
    groups = pieces(channels, many)

    def do(some: slice) -> None:
        for group in groups[some]:
            for outputs, inputs, part in strips:
                work((slice(None), group, outputs), (slice(None), group, inputs), part)

    split(do, len(groups))
