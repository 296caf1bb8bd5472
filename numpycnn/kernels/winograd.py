"""Correlation with fewer multiplications: tiles of six by six numbers, multiplied in another basis.

Along one axis, m = 7 - k outputs of a filter of k taps need m k multiplications. But they are
coefficients of a product of polynomials, and of that six values say everything: so take six numbers
of the image and the filter, go over to values at six points, multiply there, and come back::

    y = A^T ((G w) * (B^T x))       x ( 6 )   w ( k )   y ( m )        m k  ->  6 products

On both axes, B^T x B and so on, that makes 36 products for the 16 outputs of a 3x3 filter, which
otherwise take 144, and they are 36 products of matrices, since channels are summed up in between::

    x    6x6 tiles, m apart             B^T x B                  36 matrices (C, P)   P tiles
    w    KH x KW filters                G w G^T                  36 matrices (O, C)
    y    m x m outputs of each tile     A^T (36 x (O, P)) A

The points are 0, 3/4, -3/4, 3/2, -3/2 and infinity: their powers stay near 1, which keeps the
rounding small, and B is exact in binary. Still it rounds more than the definition does, and a NaN
or an infinity reaches the whole tile. (Winograd, 1980; Lavin and Gray, 2016; the points and the
matrices from them: Cook and Toom, in Blahut, 2010, chapter 5.)
"""

from __future__ import annotations

import math
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from .layout import as_images, as_rows
from .parallel import split
from .window import Array, Pair, Window

Strip = tuple[slice, slice]
"""Tiles of some rows and columns of them."""
TILE = 6
POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)  # and infinity
BLOCK = 1 << 13  # tiles, all their 36 numbers, that stay in the cache on the way to another basis
MANY, DEEP = 64, 16  # tiles, and channels on each side, from which on it pays
SCRATCH = 1 << 18  # numbers in the tiles of one strip, in the other basis, unless there are as many filters


def accepts(window: Window) -> bool:
    """Tell whether this algorithm can do such windows: without steps, of 2 to 5 taps along each axis."""
    small = all(2 <= taps < TILE for taps in window.kernel)
    near = all(side < taps for sides, taps in zip(window.padding, window.kernel, strict=True) for side in sides)
    return small and near and window.stride == window.dilation == (1, 1)


def pays(window: Window, outputs: tuple[int, ...], weight: tuple[int, ...], groups: int) -> bool:
    """Tell whether there are so many channels and tiles that the multiplications saved are worth the way there."""
    tiles = outputs[0] * math.prod(-(-side // many) for side, many in zip(outputs[2:], _outputs(window), strict=True))
    return tiles >= MANY and min(weight[0] // groups, weight[1]) >= DEEP


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Slide filters over images: (N, G C, H, W), (G O, C, KH, KW) -> (N, G O, OH, OW)."""
    size, (filters, channels) = window.output_size(x.shape[2:]), weight.shape[:2]
    rows, y = as_rows(x), np.empty((size[0], filters, size[1], len(x)), x.dtype)
    by_taps = weight.reshape(groups, filters // groups, channels, *window.kernel).transpose(3, 4, 0, 1, 2)
    values = _transform(by_taps, window, "filters")  # 6 6 G O C
    strips = _strips(window, size, x.shape[1], filters, len(x))

    def fill(part: slice) -> None:
        for strip in strips[part]:
            tiles = _values_of_images(rows, window, groups, strip)  # 6 6 G C P
            products = (values @ tiles).reshape(TILE, TILE, filters, *_shape(strip), len(x))
            _lay(_transform(products, window, "outputs"), y, strip)

    split(fill, len(strips))
    return as_images(y)


def correlate_weight(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient towards the weight: (N, G C, H, W), (N, G O, OH, OW) -> (G O, C, KH, KW).

    The way back through each step is its transpose: ``dw = G^T ((A dy A^T) * (B^T x B)) G``, summed over tiles.
    """
    rows, dy_rows, outputs = as_rows(x), as_rows(dy), _outputs(window)
    channels, filters = x.shape[1] // groups, dy.shape[1]
    strips = _strips(window, dy.shape[2:], x.shape[1], filters, len(x))

    def add_up(part: slice) -> Array:
        dvalues = np.zeros((TILE, TILE, groups, filters // groups, channels), x.dtype)
        for strip in strips[part]:
            tiles = _values_of_images(rows, window, groups, strip)  # 6 6 G C P
            dproducts = _transform(_cut(dy_rows, outputs, outputs, (0, 0), strip), window, "outputs", back=True)
            dvalues += dproducts.reshape(*dvalues.shape[:4], -1) @ tiles.swapaxes(-1, -2)
        return _transform(dvalues, window, "filters", back=True)  # KH KW G O C

    dw: Array = reduce(np.add, split(add_up, len(strips)))
    return np.ascontiguousarray(dw.reshape(*window.kernel, filters, channels).transpose(2, 3, 0, 1))


def correlate_input(dy: Array, weight: Array, window: Window, groups: int, size: Pair) -> Array:
    """Return the gradient towards the images: (N, G O, OH, OW), (G O, C, KH, KW) -> (N, G C, H, W).

    Without steps that is a correlation too: of dy, with the filters turned upside down and round.
    """
    filters, channels = len(weight) // groups, weight.shape[1]
    turned = weight.reshape(groups, filters, channels, *window.kernel)[..., ::-1, ::-1].swapaxes(1, 2)
    (top, bottom), (left, right) = window.padding
    kh, kw = window.kernel
    padding = (kh - 1 - top, kh - 1 - bottom), (kw - 1 - left, kw - 1 - right)
    return correlate(dy, turned.reshape(-1, filters, kh, kw), Window(window.kernel, padding=padding), groups)


@lru_cache(maxsize=8)
def _matrices(taps: int, dtype: np.dtype[Any]) -> dict[str, Array]:
    """Return A^T (m, 6), G (6, k) and B^T (6, 6) for a filter of k taps, by what they are applied to."""
    outputs = TILE + 1 - taps
    images, filters = np.zeros((TILE, TILE)), np.zeros((TILE, taps))
    for row, point in enumerate(POINTS):
        others = [other for other in POINTS if other != point]
        images[row, :-1] = np.poly(others)[::-1]  # the polynomial that is 0 at the other points
        filters[row] = point ** np.arange(taps) / np.prod([point - other for other in others])
    images[-1] = np.poly(POINTS)[::-1]
    filters[-1, -1] = 1  # at infinity a polynomial is its last coefficient
    into_y = np.stack([*(point ** np.arange(outputs) for point in POINTS), np.eye(outputs)[-1]], axis=1)
    return {"images": images.astype(dtype), "filters": filters.astype(dtype), "outputs": into_y.astype(dtype)}


def _transform(tiles: Array, window: Window, what: str, back: bool = False) -> Array:
    """Go over to another basis on the first two axes, or back by the transposed way; the others stay."""
    down, along = (_matrices(taps, tiles.dtype)[what] for taps in window.kernel)
    if back:
        down, along = down.T, along.T
    old = tiles.reshape(*tiles.shape[:2], -1)
    new = np.empty((len(down), len(along), old.shape[2]), tiles.dtype)
    for start in range(0, old.shape[2], BLOCK):
        block = slice(start, start + BLOCK)
        half = along @ old[..., block]
        np.matmul(down, half.swapaxes(0, 1), out=new[..., block].swapaxes(0, 1))
    return new.reshape(*new.shape[:2], *tiles.shape[2:])


def _values_of_images(rows: Array, window: Window, groups: int, strip: Strip) -> Array:
    """Cut out what the outputs of a strip of tiles see, in the other basis: (H, G C, W, N) -> (6, 6, G, C, P)."""
    before = window.padding[0][0], window.padding[1][0]
    tiles = _transform(_cut(rows, (TILE, TILE), _outputs(window), before, strip), window, "images")
    return tiles.reshape(TILE, TILE, groups, rows.shape[1] // groups, -1)


def _cut(rows: Array, tile: Pair, step: Pair, before: Pair, strip: Strip) -> Array:
    """Cut tiles out of rows, zeros around them: (H, C, W, N) -> (tile, tile, C, TH, TW, N)."""
    (_, channels, _, n), count = rows.shape, _shape(strip)
    first = [which.start * far - edge for which, far, edge in zip(strip, step, before, strict=True)]
    sides = [(many - 1) * far + side for many, far, side in zip(count, step, tile, strict=True)]
    (into_h, from_h), (into_w, from_w) = map(_inside, first, sides, (rows.shape[0], rows.shape[2]))
    band = np.zeros((sides[0], channels, sides[1], n), rows.dtype)
    band[into_h, :, into_w] = rows[from_h, :, from_w]
    per_row, *others = band.strides
    strides = per_row, step[0] * per_row, *others
    overlapping = np.ndarray((tile[0], count[0], *band.shape[1:]), rows.dtype, band, strides=strides)
    tiles = np.empty((*tile, channels, *count, n), rows.dtype)
    for tap in range(tile[1]):
        tiles[:, tap] = overlapping[:, :, :, tap : tap + (count[1] - 1) * step[1] + 1 : step[1]].swapaxes(1, 2)
    return tiles


def _inside(first: int, count: int, size: int) -> tuple[slice, slice]:
    """Return which of ``count`` places from ``first`` on are inside, counted from there and from the image's edge."""
    start = max(0, -first)
    stop = max(start, min(count, size - first))
    return slice(start, stop), slice(first + start, first + stop)


def _lay(tiles: Array, y: Array, strip: Strip) -> None:
    """Lay tiles where they belong, (m, m, O, TH, TW, N) into (OH, O, OW, N); some jut out."""
    height, width = tiles.shape[:2]
    mine = y[strip[0].start * height : strip[0].stop * height, :, strip[1].start * width : strip[1].stop * width]
    for row in range(height):
        for column in range(width):
            place = mine[row::height, :, column::width]
            place[...] = tiles[row, column].swapaxes(0, 1)[: place.shape[0], :, : place.shape[2]]


def _outputs(window: Window) -> Pair:
    """Return how many outputs a tile has along each axis, m."""
    return TILE + 1 - window.kernel[0], TILE + 1 - window.kernel[1]


def _shape(strip: Strip) -> Pair:
    return strip[0].stop - strip[0].start, strip[1].stop - strip[1].start


def _strips(window: Window, size: Pair, channels: int, filters: int, n: int) -> list[Strip]:
    """Cut the tiles into strips that fit the scratch, or that are worth reading the filters for."""
    fit = max(SCRATCH // (TILE * TILE), channels * filters // 2) // (channels + filters)
    down, along = (-(-side // outputs) for side, outputs in zip(size, _outputs(window), strict=True))
    columns = min(along, max(1, fit // max(1, n)))
    rows = max(1, fit // max(1, columns * n))
    return [
        (slice(top, min(down, top + rows)), slice(left, min(along, left + columns)))
        for top in range(0, down, rows)
        for left in range(0, along, columns)
    ]
