"""Maximum and average over windows, and back: one walk over the taps each, ``y op= x`` there, ``dx += dy`` back.

Large images are walked over piece by piece, some channels and some rows, which stay in the cache from tap to tap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .layout import as_images, laid_out, pixels
from .parallel import get_num_threads, split
from .walk import ALL, AnyWindow, Piece, Plan, Steps, plan
from .window import Array, Pair

Op = Callable[..., Any]
PIECE = 1 << 19  # numbers
WIDE = 96  # columns


def max_pool(x: Array, window: AnyWindow) -> Array:
    """Return the largest entry of each window, (N, C, H, W) -> (N, C, OH, OW); padding takes no part."""
    in_planes = _in_planes(x, window, x.shape[3])
    images = _laid_out(x, in_planes)
    way = plan(images.shape, window, in_planes, PIECE, get_num_threads())
    y = _empty((*images.shape[:2], *way.size), x.dtype, in_planes)

    def fill(piece: Piece) -> None:
        _combine_both(np.maximum, y[piece.outputs], images[piece.inputs], piece, -np.inf, in_planes)

    _by_pieces(fill, way)
    return y.reshape(*x.shape[:2], *way.size)


def max_pool_adjoint(dy: Array, x: Array, y: Array, window: AnyWindow) -> Array:
    """Send the gradient of each window to the one entry that was its largest: -> (N, C, H, W).

    The walk goes through each window once more, and the first entry that equals the maximum gets
    the gradient; for a maximum that is NaN, the last that is NaN.
    """
    in_planes = _in_planes(x, window, x.shape[3])
    images, maxima, gradient = (_laid_out(array, in_planes) for array in (x, y, dy))
    way = plan(images.shape, window, in_planes, PIECE, get_num_threads())
    dx = _empty(images.shape, x.dtype, in_planes)

    def send(piece: Piece) -> None:
        # what has not found its entry yet; as integers, since of floats inf - inf is NaN
        bits = gradient[piece.outputs].copy(order="K").view(f"i{dy.itemsize}")
        seen, best, result = images[piece.inputs], maxima[piece.outputs], dx[piece.inputs]
        if not way.gapless:
            dx[piece.fresh] = 0
        if piece.phases == 1:
            _send_to_first(bits, seen, best, result, piece.taps, way.once)
        else:
            seen = _deal(seen, piece.phases, in_planes)
            dealt = np.zeros_like(seen)
            dealt[:, :, : piece.again] = _deal(result[:, :, : piece.again], piece.phases, in_planes)
            _send_to_first(bits, seen, best, dealt, piece.taps, way.once)
            _collect(dealt, result, piece.phases)

    _by_pieces(send, way)
    return dx.reshape(x.shape)


def _send_to_first(bits: Array, x: Array, y: Array, dx: Array, taps: Steps, once: bool) -> None:
    """Send bits, which are used up, to dx, and first those of NaN, which equals nothing; ``once`` as in ``Plan``."""
    if np.isnan(y.min(initial=np.inf)) and bits[np.isnan(y)].any():
        if once:
            dx[...], once = 0, False
        for outputs, inputs in reversed(taps):
            found = bits[outputs] * np.isnan(x[inputs])
            bits[outputs] ^= found
            dx[inputs] += found.view(dx.dtype)
    for outputs, inputs in taps[:-1]:
        found = bits[outputs] * (x[inputs] == y[outputs])
        bits[outputs] ^= found
        _send(found.view(dx.dtype), dx, [(ALL, inputs)], once)
    _send(bits.view(dx.dtype), dx, taps[-1:], once)  # what is left, without a look


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
    in_planes = _in_planes(x, window, x.shape[3])
    images = _laid_out(x, in_planes)
    way = plan(images.shape, window, in_planes, PIECE, get_num_threads())
    y = _empty((*images.shape[:2], *way.size), x.dtype, in_planes)
    counts = np.asarray(counts, x.dtype)

    def fill(piece: Piece) -> None:
        part = y[piece.outputs]
        _combine_both(np.add, part, images[piece.inputs], piece, 0, in_planes)
        part += 0  # where all summands are -0.0, the sum is 0.0 nevertheless
        part /= _of_piece(counts, piece)

    _by_pieces(fill, way)
    return y.reshape(*x.shape[:2], *way.size)


def avg_pool_adjoint(dy: Array, window: AnyWindow, counts: Array | int, size: Pair) -> Array:
    """Spread the gradient of each window evenly over what it saw: (N, C, OH, OW) -> (N, C, H, W)."""
    in_planes = _in_planes(dy, window, size[1])
    gradient = _laid_out(dy, in_planes)
    shape = (*gradient.shape[:2], *size)
    way = plan(shape, window, in_planes, PIECE, get_num_threads())
    dx = _empty(shape, dy.dtype, in_planes)
    counts = np.asarray(counts, dy.dtype)

    def send(piece: Piece) -> None:
        share = gradient[piece.outputs] / _of_piece(counts, piece)
        share += 0  # as in the sum
        spread = _empty((*share.shape[:3], size[1]), dy.dtype, in_planes)
        if not way.gapless:
            spread[...], dx[piece.fresh] = 0, 0
        _send(share, spread, piece.cols, way.once)
        if piece.phases > 1:
            dealt, spread = spread, _empty(spread.shape, dy.dtype, in_planes)
            _collect(dealt, spread, piece.phases)
        _send(spread, dx[piece.inputs], piece.rows, way.once)

    _by_pieces(send, way)
    return dx.reshape(*dy.shape[:2], *size)


def _of_piece(counts: Array, piece: Piece) -> Array:
    return counts if counts.size == 1 else counts[piece.outputs[2]]


def _combine_both(op: Op, y: Array, x: Array, piece: Piece, start: float, in_planes: bool) -> None:
    """Combine what each window sees into y: along its rows, whose neighbours in memory are those of its columns too."""
    halfway = _empty((*x.shape[:2], y.shape[2], x.shape[3]), x.dtype, in_planes)
    _combine(op, halfway, x, piece.rows, start)
    if piece.phases > 1:
        halfway = _deal(halfway, piece.phases, in_planes)
    _combine(op, y, halfway, piece.cols, start)


def _combine(op: Op, y: Array, x: Array, steps: Steps, start: float) -> None:
    """Combine what outputs see along one axis into y; where one sees nothing by the first tap, beginning with start."""
    match steps:
        case [(all_first, first), (all_second, second), *rest] if all_first is all_second is ALL:
            op(x[first], x[second], out=y)
        case [(all_first, first), *rest] if all_first is ALL:
            y[...] = x[first]
        case _:
            y[...], rest = start, [*steps]
    for outputs, inputs in rest:
        into = y[outputs]
        y[outputs] = op(into, x[inputs], out=into)


def _send(y: Array, x: Array, steps: Steps, once: bool) -> None:
    """Add to what each output sees what it has, the adjoint of combining by sums; write it where that is seen once."""
    for outputs, inputs in steps:
        if once:
            x[inputs] = y[outputs]
        else:
            x[inputs] += y[outputs]


def _in_planes(x: Array, window: AnyWindow, width: int) -> bool:
    """Tell whether images lie in NumPy's own order, plane after plane, and are to stay so; results then lie so too.

    To lay them out row by row takes longer than to pool them, unless every number is looked at again
    and again, in planes by loops over a row of one image, which are short but for wide images.
    """
    if not x.flags.c_contiguous or x.transpose(2, 1, 3, 0).flags.c_contiguous:
        return False
    return width >= WIDE or not window.overlapping


def _laid_out(x: Array, in_planes: bool) -> Array:
    """Lay images out row by row; or plane after plane, which are channels of one image then."""
    if not in_planes:
        return laid_out(x)
    return np.ascontiguousarray(x).reshape(1, x.shape[0] * x.shape[1], *x.shape[2:])


def _empty(shape: tuple[int, ...], dtype: np.dtype[Any], in_planes: bool) -> Array:
    n, channels, height, width = shape
    return np.empty(shape, dtype) if in_planes else as_images(np.empty((height, channels, width, n), dtype))


def _deal(x: Array, phases: int, in_planes: bool) -> Array:
    """Deal columns out, see ``Piece``."""
    dealt = _empty(x.shape, x.dtype, in_planes)
    for mine, others in _phases(dealt, x, phases):
        mine[...] = others
    return dealt


def _collect(dealt: Array, x: Array, phases: int) -> None:
    """Put columns that were dealt out where they belong, the adjoint of dealing."""
    for mine, others in _phases(dealt, x, phases):
        others[...] = mine


def _phases(dealt: Array, x: Array, phases: int) -> Iterator[tuple[Array, Array]]:
    """Walk over the phases: their columns among those dealt out, and among x."""
    start = 0
    for phase in range(phases):
        some = pixels(x.transpose(2, 1, 3, 0))[..., phase::phases]
        yield pixels(dealt.transpose(2, 1, 3, 0))[..., start : start + some.shape[2]], some
        start += some.shape[2]


def _by_pieces(work: Callable[[Piece], None], way: Plan) -> None:
    def do(some: slice) -> None:
        for group in way.groups[some]:
            for piece in group:
                work(piece)

    split(do, len(way.groups))
