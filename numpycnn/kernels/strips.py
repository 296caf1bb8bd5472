"""Images cut into tiles that overlap, and tiles laid out as images again.

Images are (H, C, W, N), see ``layout.py``; tiles are counted along H, then W, then the images::

    (H, C, W, N)  ->  (TH, TW, C, P)      each of TH TW places in a tile: a matrix of C rows, P tiles

What is cut or laid at a time is a strip, so many tiles as stay in the cache. Its matrices end in
some columns of zeros, since BLAS likes multiples of a vector's length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.lib.stride_tricks import as_strided

from .cuts import inside, pieces, shares
from .layout import pixels
from .scratch import Scratch
from .window import Array, Pair

VECTOR = 16  # numbers that are multiplied together


@dataclass(frozen=True, slots=True)
class Strip:
    """Tiles of some rows and columns of them, of some images."""

    rows: slice
    columns: slice
    images: slice

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many rows, columns and images."""
        rows, columns, images = (which.stop - which.start for which in (self.rows, self.columns, self.images))
        return rows, columns, images

    @property
    def length(self) -> int:
        """Columns of the matrices: the tiles, then zeros."""
        return -(-math.prod(self.shape) // VECTOR) * VECTOR


def strips_of(size: Pair, n: int, step: Pair, most: int, threads: int = 1) -> list[Strip]:
    """Cut N images of this size, (H, W), into strips of at most so many tiles, a step apart, for so many threads."""
    down, along = (-(-side // far) for side, far in zip(size, step, strict=True))
    images, columns = pieces(n, most), pieces(along, max(1, most // max(1, n)))
    rows = dealt(down, max(1, most // (max(1, n) * columns[0].stop)), threads)
    return [Strip(some, across, which) for some in rows for across in columns for which in images]


def dealt(count: int, most: int, threads: int) -> list[slice]:
    """Cut so many into slices of at most so many; of several threads each gets as many slices, about as long."""
    if threads == 1:
        return pieces(count, most)
    return shares(count, min(count, -(-count // (most * threads)) * threads))


def cut_out(rows: Array, tile: Pair, step: Pair, before: Pair, strip: Strip, scratch: Scratch) -> Array:
    """Cut tiles out of images with zeros around them, so many before: (H, C, W, N) -> (TH, TW, C, P)."""
    tiles, count = scratch("tiles", *tile, rows.shape[1], strip.length), math.prod(strip.shape)
    tiles[..., count:] = 0
    band = pixels(_band(rows, tile, step, before, strip, scratch))
    per_row, per_channel, per_column = band.strides
    shape = *tile, rows.shape[1], *strip.shape
    strides = per_row, per_column, per_channel, step[0] * per_row, step[1] * per_column
    pixels(tiles[..., :count].reshape(shape))[...] = as_strided(band, shape[:-1], strides)
    return tiles


def _band(rows: Array, tile: Pair, step: Pair, before: Pair, strip: Strip, scratch: Scratch) -> Array:
    """See all that a strip of tiles sees; a copy with zeros if some of it is beyond the images."""
    first = [some.start * far - edge for some, far, edge in zip((strip.rows, strip.columns), step, before, strict=True)]
    sides = [(many - 1) * far + side for many, far, side in zip(strip.shape[:2], step, tile, strict=True)]
    (into_h, from_h), (into_w, from_w) = map(inside, first, sides, (rows.shape[0], rows.shape[2]))
    seen = rows[from_h, :, from_w, strip.images]
    if [seen.shape[0], seen.shape[2]] == sides:
        return seen
    band = scratch("band", sides[0], rows.shape[1], sides[1], seen.shape[3])
    band[...] = 0
    band[into_h, :, into_w] = seen
    return band


def lay(tiles: Array, rows: Array, strip: Strip) -> None:
    """Lay tiles side by side into images: (TH, TW, C, P) -> (H, C, W, N); some jut out."""
    height, width, channels, _ = tiles.shape
    tiles = pixels(tiles[..., : math.prod(strip.shape)].reshape(height, width, channels, *strip.shape))
    bottom, right = strip.rows.stop * height, strip.columns.stop * width
    mine = pixels(rows[strip.rows.start * height : bottom, :, strip.columns.start * width : right, strip.images])
    for row in range(height):
        for column in range(width):
            place = mine[row::height, :, column::width]
            place[...] = tiles[row, column].swapaxes(0, 1)[: place.shape[0], :, : place.shape[2]]
