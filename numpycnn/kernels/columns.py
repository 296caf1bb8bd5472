"""Columns dealt out like cards, so that those which one tap of a window sees lie side by side.

Windows that overlap and step by several columns see a column again and again, and never two
neighbours by one tap. Dealt out to as many phases as the step has columns, each phase is one piece::

    columns     0 1 2 3 4 5 6        dealt out     0 2 4 6 1 3 5
    tap 0       x   x   x                          x x x
    tap 1         x   x   x                                x x x
    tap 2           x   x   x                        x x x
"""

from __future__ import annotations

from collections.abc import Iterator

from .layout import pixels
from .planes import empty
from .window import Array


def deal(x: Array, phases: int, in_planes: bool) -> Array:
    """Deal the columns of images out."""
    dealt = empty(x.shape, x.dtype, in_planes)
    for mine, others in _by_phase(dealt, x, phases):
        mine[...] = others
    return dealt


def collect(dealt: Array, x: Array, phases: int) -> None:
    """Put columns that were dealt out where they belong in x, the adjoint of dealing."""
    for mine, others in _by_phase(dealt, x, phases):
        others[...] = mine


def dealt_places(columns: slice, phases: int, width: int) -> slice:
    """Return where columns of one phase lie once they are dealt out: behind all those of the phases before."""
    phase, first = columns.start % phases, columns.start // phases
    start = sum(len(range(before, width, phases)) for before in range(phase)) + first
    return slice(start, start + len(range(columns.start, columns.stop, phases)))


def _by_phase(dealt: Array, x: Array, phases: int) -> Iterator[tuple[Array, Array]]:
    """Walk over the phases: their columns among those dealt out, and among x."""
    start = 0
    for phase in range(phases):
        some = pixels(x.transpose(2, 1, 3, 0))[..., phase::phases]
        yield pixels(dealt.transpose(2, 1, 3, 0))[..., start : start + some.shape[2]], some
        start += some.shape[2]
