"""How a pooling walks over images: in which pieces, and over each by which taps. Worked out once for each size.

Large images are walked over piece by piece, some channels and some rows, which stay in the cache from tap to tap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

from .adaptive import AnyWindow
from .columns import dealt_places
from .cuts import pieces
from .parallel import get_num_threads, split
from .window import CACHED, Index, Pair, Place, Window

Steps = Sequence[tuple[Index, Index]]  # for each tap: the outputs that see something by it, and what they see

ALL: Index = (...,)
PIECE = 1 << 19  # numbers


@dataclass(frozen=True)
class Piece:
    """Some channels and rows of images, and the window that slides over them."""

    outputs: Place
    inputs: Place
    fresh: Place  # those inputs that are in no piece before, and rows between that nobody sees
    again: int  # how many rows are in the piece before too
    window: AnyWindow
    size: Pair

    @cached_property
    def rows(self) -> Steps:
        """Walk over the rows of the window."""
        steps, (taps, _) = self.window.output_size(self.size)[0], self.window.axes(self.size)
        return [
            (ALL if _count(outputs) == steps else (..., outputs, slice(None)), (..., inputs, slice(None)))
            for _, outputs, inputs in taps
        ]

    @cached_property
    def cols(self) -> Steps:
        """Walk over its columns, where these are dealt out."""
        steps, (_, taps) = self.window.output_size(self.size)[1], self.window.axes(self.size)
        return [
            (ALL if _count(outputs) == steps else (..., outputs), (..., self._dealt(inputs)))
            for _, outputs, inputs in taps
        ]

    @cached_property
    def taps(self) -> Steps:
        """Walk over both together."""
        height, width = self.window.output_size(self.size)
        return [
            (
                ALL if _count(outputs[1]) * _count(outputs[2]) == height * width else outputs,
                (*inputs[:2], self._dealt(inputs[2])),
            )
            for _, outputs, inputs in self.window.taps(self.size)
        ]

    @cached_property
    def phases(self) -> int:
        """By how many columns windows step for which columns are dealt out, see ``columns.py``; otherwise 1."""
        window = self.window
        return window.stride[1] if isinstance(window, Window) and window.extent()[1] > window.stride[1] else 1

    def _dealt(self, columns: Any) -> Any:
        return columns if self.phases == 1 else dealt_places(columns, self.phases, self.size[1])


@dataclass(frozen=True, slots=True)
class Plan:
    """Pieces that together are all images, in groups that threads share out: no two groups share a channel."""

    size: Pair  # (OH, OW)
    groups: Sequence[Sequence[Piece]]
    once: bool  # whether no input is seen by two windows
    gapless: bool  # whether each is seen by one

    def walk(self, work: Callable[[Piece], None]) -> None:
        """Do the work on every piece, in order those of a group."""

        def do(some: slice) -> None:
            for group in self.groups[some]:
                for piece in group:
                    work(piece)

        split(do, len(self.groups))


def plan(shape: tuple[int, ...], window: AnyWindow, in_planes: bool) -> Plan:
    """Cut images, (N, C, H, W), into pieces, see ``_plan``."""
    return _plan(shape, window, in_planes, PIECE, get_num_threads())


@lru_cache(maxsize=CACHED)
def _plan(shape: tuple[int, ...], window: AnyWindow, in_planes: bool, most: int, threads: int) -> Plan:
    """Cut images, (N, C, H, W), into pieces of about so many numbers, which are neighbours in memory.

    Of images that lie row by row a piece is a strip of rows, or some channels of one; of planes it is some
    of them, or a strip of one. Every thread gets channels of images that are more than a piece.
    """
    n, channels, height, width = shape
    size = window.output_size((height, width))
    seen = [sum(_count(outputs) for _, outputs, _ in steps) for steps in window.axes((height, width))]
    once = not window.overlapping
    gapless = once and seen == [height, width]
    if not n * channels:
        return Plan(size, [], once, gapless)
    rows = most // (width if in_planes else channels * width * n)
    strips: Sequence[tuple[slice, slice, AnyWindow]] = window.strips((height, width), max(1, rows * size[0] // height))
    tallest = max((inputs.stop - inputs.start for _, inputs, _ in strips), default=0)
    many = max(1, min(channels, (1 if in_planes else 2) * most // max(1, tallest * width * n)))
    if n * channels * height * width > most:
        many = min(many, -(-channels // threads))
    ends = [0, *(inputs.stop for _, inputs, _ in strips[:-1]), height]

    def place(group: slice, outputs: slice, inputs: slice, part: AnyWindow, fresh: slice) -> Piece:
        every = slice(None)  # image
        again, tall = max(0, fresh.start - inputs.start), inputs.stop - inputs.start
        return Piece((every, group, outputs), (every, group, inputs), (every, group, fresh), again, part, (tall, width))

    groups = [
        [place(group, *strip, slice(*new)) for strip, new in zip(strips, pairwise(ends), strict=True)]
        for group in pieces(channels, many)
    ]
    return Plan(size, groups, once, gapless)


def _count(places: Any) -> int:
    """Count places along an axis: a slice's of step 1, or those in an array."""
    return places.stop - places.start if isinstance(places, slice) else int(places.size)
