"""One walk over the taps of windows: what they see combined, ``y op= x``, and sent back, ``dx += dy``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .columns import deal
from .planes import empty
from .walk import ALL, Piece, Steps
from .window import Array

Op = Callable[..., Any]


def combine_both(op: Op, y: Array, x: Array, piece: Piece, start: float, in_planes: bool) -> None:
    """Combine what each window sees into y: along its rows, whose neighbours in memory are those of its columns too."""
    halfway = empty((*x.shape[:2], y.shape[2], x.shape[3]), x.dtype, in_planes)
    _combine(op, halfway, x, piece.rows, start)
    if piece.phases > 1:
        halfway = deal(halfway, piece.phases, in_planes)
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


def send(y: Array, x: Array, steps: Steps, once: bool) -> None:
    """Add to what each output sees what it has, the adjoint of combining by sums; write it where that is seen once."""
    for outputs, inputs in steps:
        if once:
            x[inputs] = y[outputs]
        else:
            x[inputs] += y[outputs]
