"""The average of each window, and the way back, its gradient spread evenly over what it saw."""

from __future__ import annotations

import numpy as np

from .adaptive import AnyWindow
from .columns import collect
from .layout import channels_are_last
from .planes import empty, laid, stay_in_planes
from .taps import combine_both, send
from .walk import Piece, plan
from .window import Array, Pair


def avg_pool(x: Array, window: AnyWindow, counts: Array | int) -> Array:
    """Return the sum of each window over its count: (N, C, H, W) -> (N, C, OH, OW).

    Summed along the rows of each window first, then along its columns: KH + KW passes instead of
    KH KW, and shorter sums, which round less.
    """
    if channels_are_last(x):
        return avg_pool(x.swapaxes(0, 1), window, counts).swapaxes(0, 1)
    in_planes = stay_in_planes(x, window, x.shape[3])
    images = laid(x, in_planes)
    way = plan(images.shape, window, in_planes)
    y = empty((*images.shape[:2], *way.size), x.dtype, in_planes)
    counts = np.asarray(counts, x.dtype)

    def fill(piece: Piece) -> None:
        part = y[piece.outputs]
        combine_both(np.add, part, images[piece.inputs], piece, 0, in_planes)
        part += 0  # where all summands are -0.0, the sum is 0.0 nevertheless
        part /= _of_piece(counts, piece)

    way.walk(fill)
    return y.reshape(*x.shape[:2], *way.size)


def avg_pool_adjoint(dy: Array, window: AnyWindow, counts: Array | int, size: Pair) -> Array:
    """Spread the gradient of each window evenly over what it saw: (N, C, OH, OW) -> (N, C, H, W)."""
    if channels_are_last(dy):
        return avg_pool_adjoint(dy.swapaxes(0, 1), window, counts, size).swapaxes(0, 1)
    in_planes = stay_in_planes(dy, window, size[1])
    gradient = laid(dy, in_planes)
    shape = (*gradient.shape[:2], *size)
    way = plan(shape, window, in_planes)
    dx = empty(shape, dy.dtype, in_planes)
    counts = np.asarray(counts, dy.dtype)

    def send_back(piece: Piece) -> None:
        share = gradient[piece.outputs] / _of_piece(counts, piece)
        share += 0  # as in the sum
        spread = empty((*share.shape[:3], size[1]), dy.dtype, in_planes)
        if not way.gapless:
            spread[...], dx[piece.fresh] = 0, 0
        send(share, spread, piece.cols, way.once)
        if piece.phases > 1:
            dealt, spread = spread, empty(spread.shape, dy.dtype, in_planes)
            collect(dealt, spread, piece.phases)
        send(spread, dx[piece.inputs], piece.rows, way.once)

    way.walk(send_back)
    return dx.reshape(*dy.shape[:2], *size)


def _of_piece(counts: Array, piece: Piece) -> Array:
    return counts if counts.size == 1 else counts[piece.outputs[2]]
