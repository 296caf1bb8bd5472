"""Tiles: how the outputs of a correlation are cut into pieces that stay in the cache, and what threads share out.

A tile is some rows of outputs, and in them some columns of all images or one column of some. Of a line
of OW N numbers either is one piece in memory::

    columns     0       1       2       3           of a line, N = 4 images each
    line        0123    0123    0123    0123
    pieces      [----------]    [----------]        short lines of images: some columns
                [-]-]   [-]-]   [-]-]   [-]-]       long ones: a column in pieces

Small matrices of filters get all rows of some columns, which are then multiplied piece by piece, without packing
them first; large ones a row of long pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .cuts import evenly
from .parallel import get_num_threads
from .product import UNPACKED
from .window import CACHED, Pair

SCRATCH = 1 << 20  # numbers in the unfolded rows that one row of a tile sees
CACHE = 1 << 18  # numbers in the unfolded rows of a tile of several rows
LARGE = 1 << 18  # numbers in the unfolded rows of all outputs that are worth threads
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


def short(matrix: int) -> bool:
    """Tell whether a matrix of so many numbers is to be multiplied piece by piece."""
    return matrix * SHORTEST <= UNPACKED


def tiles(
    size: Pair, n: int, lines: int, matrix: int, taps: int, stride: int = 1, by_strips: bool = False
) -> Sequence[Sequence[Tile]]:
    """Cut the outputs of N images, (OH, OW) each, into tiles, which threads share out, in strips of rows.

    ``lines`` is how many an unfolded row has, ``matrix`` the numbers in one of filters, ``taps`` the rows of a
    window, ``stride`` those from one to the next; ``by_strips`` if only strips can be shared out, not tiles.
    """
    return plan(size, n, lines, matrix, taps, stride, get_num_threads(), by_strips)


@lru_cache(maxsize=CACHED)
def plan(
    size: Pair, n: int, lines: int, matrix: int, taps: int, stride: int, threads: int, by_strips: bool
) -> Sequence[Sequence[Tile]]:
    """Cut for so many threads, see ``tiles``; of large work each gets a tile, or a strip, if there are as many."""
    rows, columns = size
    large = rows * columns * n * lines > LARGE
    by_columns = large and short(matrix) and not by_strips  # those of long matrices would become too narrow
    length = max(1, SCRATCH // max(1, lines * taps))
    if short(matrix):  # with all rows, if that is not too little
        cached = CACHE // max(1, lines * ((rows - 1) * stride + taps))
        length = min(length, max(cached, min(LONGEST, UNPACKED // max(1, matrix))))
    pieces = [
        (across, some, slice(across.start * n + some.start, (across.stop - 1) * n + some.stop))
        for across in evenly(columns, max(1, length // max(1, n)), threads if by_columns else 1)
        for some in evenly(n, length)
    ]
    longest = max((piece.stop - piece.start for *_, piece in pieces), default=0)
    most = max(1, (CACHE // max(1, lines * longest) - taps) // stride + 1)
    if large and (not by_columns or len(pieces) < threads):
        most = min(most, -(-rows // threads))
    return [[Tile(some_rows, *piece) for piece in pieces] for some_rows in evenly(rows, most)]


def each(strips: Sequence[Sequence[Tile]]) -> Sequence[Tile]:
    """List the tiles of some strips."""
    return [tile for strip in strips for tile in strip]
