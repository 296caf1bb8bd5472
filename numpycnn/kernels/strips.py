"""Strips: tiles of images, which may overlap, so many at a time as stay in the cache."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from .cuts import evenly, inside, shares
from .window import CACHED, Pair


@dataclass(frozen=True, slots=True)
class Strip:
    """Tiles of some rows and columns of them, of some images."""

    rows: slice
    images: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many rows, images and columns."""
        rows, images, columns = (which.stop - which.start for which in (self.rows, self.images, self.columns))
        return rows, images, columns

    @property
    def length(self) -> int:
        """How many tiles."""
        return math.prod(self.shape)

    def shared_out(self, threads: int) -> list[tuple[Strip, slice]]:
        """Cut it into parts for so many threads, some rows each: the part, and which of all the tiles it has."""
        rows, row = self.shape[0], self.length // self.shape[0]
        return [
            (
                replace(self, rows=slice(self.rows.start + some.start, self.rows.start + some.stop)),
                slice(some.start * row, some.stop * row),
            )
            for some in shares(rows, min(rows, threads))
        ]


def strips_of(size: Pair, n: int, step: Pair, most: int, threads: int = 1) -> list[Strip]:
    """Cut N images of this size, (H, W), into strips of at most so many tiles, a step apart, for so many threads."""
    down, along = (-(-side // far) for side, far in zip(size, step, strict=True))
    columns = evenly(along, most)
    rows = evenly(down, max(1, most // _longest(columns)), threads if n == 1 else 1)
    images = evenly(n, max(1, most // (_longest(columns) * _longest(rows))), threads)
    return [Strip(some, which, across) for which, some, across in itertools.product(images, rows, columns)]


def _longest(parts: list[slice]) -> int:
    return max((part.stop - part.start for part in parts), default=1)


@lru_cache(maxsize=CACHED)
def runs(first: int, count: int, step: int, side: int, size: int) -> Sequence[tuple[slice, slice, int]]:
    """Cut tiles of a line, a step apart and so many numbers each, into runs that are inside the image alike.

    That is: which of the tiles, which of the numbers of each, and where in the image those of the first begin.
    """
    seen = [inside(first + tile * step, side, size) for tile in range(count)]
    result, start = [], 0
    for part, run in itertools.groupby(into for into, _ in seen):
        stop = start + len(list(run))
        result.append((slice(start, stop), part, seen[start][1].start))
        start = stop
    return result


def landings(tiles: slice, step: int, size: int) -> Iterator[tuple[slice, int, slice]]:
    """Walk over where the outputs of tiles of a line belong: first of those that have all of theirs, then of the last.

    That is: which of the tiles, how many outputs each has, and which of so many outputs that makes.
    """
    whole = min(tiles.stop, size // step)
    if whole > tiles.start:
        yield slice(0, whole - tiles.start), step, slice(tiles.start * step, whole * step)
    if whole < tiles.stop:
        yield slice(whole - tiles.start, None), size - whole * step, slice(whole * step, size)
