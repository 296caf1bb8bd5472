"""Tiles: how the outputs of a correlation are cut into pieces that stay in the cache, and what threads share out.

A tile is some rows of outputs, and in them some columns of all images or one column of some. Of a line
of OW N numbers either is one piece in memory::

    columns     0       1       2       3           of a line, N = 4 images each
    line        0123    0123    0123    0123
    pieces      [----------]    [----------]        short lines of images: some columns
                [-]-]   [-]-]   [-]-]   [-]-]       long ones: a column in pieces

Small matrices of filters get short pieces, which BLAS multiplies without packing them first, several
rows at once; large ones a row of long pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .cuts import evenly
from .parallel import get_num_threads
from .window import CACHED, Pair

SCRATCH = 1 << 20  # numbers in the unfolded rows that one row of a tile sees
CACHE = 1 << 18  # numbers in the unfolded rows of a tile of several rows
UNPACKED = 10**6  # multiplications up to which OpenBLAS leaves matrices as they are
SHORTEST, LONGEST = 128, 2048  # numbers in a piece for which that pays


@dataclass(frozen=True, slots=True)
class Tile:
    """Some rows of outputs; in each, some columns of all images or one column of some."""

    rows: slice
    columns: slice
    images: slice
    piece: slice  # what it is of the OW N numbers of a line

    @property
    def sides(self) -> Pair:
        """How many columns and images it has."""
        return self.columns.stop - self.columns.start, self.images.stop - self.images.start


def tiles(size: Pair, n: int, lines: int, matrix: int, taps: int, stride: int = 1) -> Sequence[Sequence[Tile]]:
    """Cut the outputs of N images, (OH, OW) each, into strips of rows, which threads share out, and these into tiles.

    ``lines`` is how many an unfolded row has, ``matrix`` the numbers in one of filters, ``taps`` the rows of a
    window, ``stride`` those from one to the next.
    """
    return plan(size, n, lines, matrix, taps, stride, get_num_threads())


@lru_cache(maxsize=CACHED)
def plan(size: Pair, n: int, lines: int, matrix: int, taps: int, stride: int, threads: int) -> Sequence[Sequence[Tile]]:
    """Cut for so many threads, see ``tiles``; of large work each gets a strip, if there are as many rows."""
    rows, columns = size
    length = max(1, SCRATCH // max(1, lines * taps))
    if matrix * SHORTEST <= UNPACKED:
        length = min(length, LONGEST, UNPACKED // max(1, matrix))
    pieces = [
        (across, some, slice(across.start * n + some.start, (across.stop - 1) * n + some.stop))
        for across in evenly(columns, max(1, length // max(1, n)))
        for some in evenly(n, length)
    ]
    longest = max((piece.stop - piece.start for *_, piece in pieces), default=0)
    most = max(1, (CACHE // max(1, lines * longest) - taps) // stride + 1)
    if rows * columns * n * lines > CACHE:
        most = min(most, -(-rows // threads))
    return [[Tile(some_rows, *piece) for piece in pieces] for some_rows in evenly(rows, most)]


def each(strips: Sequence[Sequence[Tile]]) -> Sequence[Tile]:
    """List the tiles of some strips."""
    return [tile for strip in strips for tile in strip]
