"""Correlation with fewer multiplications: tiles of six by six numbers, multiplied in another basis.

Along one axis, m = 7 - k outputs of a filter of k taps need m k multiplications. But they are
coefficients of a product of polynomials, and of that six values say everything: so take six numbers
of the image and the filter, go over to values at six points, multiply there, and come back::

    y = A^T ((G w) * (B^T x))       x ( 6 )   w ( k )   y ( m )        m k  ->  6 products

On both axes, B^T x B and so on, that makes 36 products for the 16 outputs of a 3x3 filter, which
otherwise take 144, and they are 36 products of matrices, since channels are summed up in between::

    x    6x6 tiles, m apart             B^T x B                  36 matrices (P, C)   P tiles
    w    KH x KW filters                G w G^T                  36 matrices (C, O)
    y    m x m outputs of each tile     A^T (36 x (P, O)) A

The matrices are in ``basis.py``. Images lie with their channels last, (H, N, W, C): then six neighbours
are a matrix (6, C) where they lie, those of the next tile begin m further on, and B^T times such matrices
is the way there along a row, without a copy; the way along a column is one long product. A strip of tiles
is taken there and back at a time, see ``strips.py``: so few that all of it stays in the cache, and so many
that BLAS multiplies them fastest. All this rounds more than the definition does, and a NaN or an infinity
reaches the whole tile. (Winograd, 1980; Lavin and Gray, 2016.)
"""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
from numpy.lib.stride_tricks import as_strided

from . import basis
from .basis import TILE
from .cuts import evenly, inside, pieces
from .layout import as_channels_last, from_channels_last
from .parallel import get_num_threads, split
from .product import multiply
from .scratch import Scratch
from .strips import Strip, landings, runs, strips_of
from .window import Array, Pair, Window

TILES = 128  # in a strip, where there are many channels
BLOCK = 1 << 13  # numbers in each of 36 matrices of a strip, where there are few
SOME, FILTERS = 64, 1 << 14  # filters that meet a strip at a time, at most; numbers in each of their 36 matrices
SCRATCH = 1 << 18  # numbers in each of 36 matrices of a strip, where many tiles are better than few
TAPS = 1 << 11  # numbers of filters that go to the other basis at a time, for each tap
GAP = 16  # numbers between matrices, so that they do not all want one place of the cache
EXACT, WAY, FILTER, START = 1.3, 25, 40, 2 * 10**6  # what takes as long as so many multiplications, see ``pays``


def accepts(window: Window) -> bool:
    """Tell whether this algorithm can do such windows: without steps, of 2 to 5 taps along each axis."""
    small = all(2 <= taps < TILE for taps in window.kernel)
    near = all(side < taps for sides, taps in zip(window.padding, window.kernel, strict=True) for side in sides)
    return small and near and window.stride == window.dilation == (1, 1)


def pays(window: Window, outputs: tuple[int, ...], weight: tuple[int, ...], groups: int) -> bool:
    """Tell whether the multiplications saved are worth the way there and back, by what was measured.

    Compared with a multiplication here, one by the definition takes ``EXACT`` times as long, a number of
    an image in either basis ``WAY`` times, on its way to the other, one of a filter ``FILTER`` times, and
    to begin with ``START`` times.
    """
    (n, _, *size), (m_down, m_along) = outputs, _outputs(window)
    filters, channels, taps = weight[0] // groups, weight[1], math.prod(window.kernel)
    tiles = n * -(-size[0] // m_down) * -(-size[1] // m_along)
    of_images = (TILE**2 + m_down * m_along) * tiles * (channels + filters)
    of_filters = (TILE**2 + taps) * channels * filters
    exact = n * math.prod(size) * taps * channels * filters
    return TILE**2 * tiles * channels * filters + WAY * of_images + FILTER * of_filters + START < EXACT * exact


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Slide filters over images: (N, G C, H, W), (G O, C, KH, KW) -> (N, G O, OH, OW)."""
    images, (oh, ow) = as_channels_last(x), window.output_size(x.shape[2:])
    y = np.empty((oh, len(x), ow, len(weight)), x.dtype)
    for inputs, outputs in _groups(groups, x.shape[1], len(weight)):
        _correlate(images[..., inputs], weight[outputs], window, y[..., outputs])
    return from_channels_last(y)


def _correlate(x: Array, weight: Array, window: Window, y: Array) -> None:
    """Slide the filters of a group, (O, C, KH, KW), over its channels: (H, N, W, C) -> (OH, N, OW, O).

    Tiles or filters stay in the other basis, whatever is far less; the others come by.
    """
    (height, n, width, filters), channels = y.shape, x.shape[3]
    outputs, most = _outputs(window), max(TILES, BLOCK // channels)
    parts = evenly(filters, max(1, min(SOME, FILTERS // channels)), get_num_threads())
    strips = strips_of((height, width), n, outputs, most)
    if 2 * sum(strip.length for strip in strips) <= filters:
        _by_filters(x, weight, window, y, strips, parts)
    else:
        _by_strips(x, weight, window, y, strips_of((height, width), n, outputs, most, get_num_threads()), parts)


def _by_filters(x: Array, weight: Array, window: Window, y: Array, strips: list[Strip], filters: list[slice]) -> None:
    """Take all tiles to the other basis, then some filters at a time, each but once."""
    tiles = [_apart("tiles", strip.length, x.shape[3], Scratch(x.dtype)) for strip in strips]
    parts = [
        (part, values[:, :, place])
        for strip, values in zip(strips, tiles, strict=True)
        for part, place in strip.shared_out(get_num_threads())
    ]

    def prepare(some: slice) -> None:
        scratch = Scratch(x.dtype)
        for part, values in parts[some]:
            _take_images(x, window, part, values, scratch)

    def finish(part: slice) -> None:
        scratch = Scratch(x.dtype)
        for some in filters[part]:
            values = _take_filters(weight[some], window, scratch)
            for strip, seen in zip(strips, tiles, strict=True):
                _finish(seen, values, window, strip, y[..., some], scratch)

    split(prepare, len(parts))
    split(finish, len(filters))


def _by_strips(x: Array, weight: Array, window: Window, y: Array, strips: list[Strip], filters: list[slice]) -> None:
    """Take all filters to the other basis, then a strip of tiles at a time."""

    def prepare(part: slice) -> list[Array]:
        return [_take_filters(weight[some], window, Scratch(x.dtype)) for some in filters[part]]

    all_values = [values for part in split(prepare, len(filters)) for values in part]

    def finish(part: slice) -> None:
        scratch = Scratch(x.dtype)
        for strip in strips[part]:
            tiles = _apart("tiles", strip.length, x.shape[3], scratch)
            _take_images(x, window, strip, tiles, scratch)
            for some, values in zip(filters, all_values, strict=True):
                _finish(tiles, values, window, strip, y[..., some], scratch)

    split(finish, len(strips))


def _finish(tiles: Array, filters: Array, window: Window, strip: Strip, y: Array, scratch: Scratch) -> None:
    """Multiply tiles with filters, and come back with the outputs of a strip, in (OH, N, OW, O)."""
    products = _apart("products", tiles.shape[2], filters.shape[3], scratch)
    multiply(tiles, filters, products)
    down, along = (basis.outputs(taps, y.dtype) for taps in window.kernel)
    (rows, n, columns), count = strip.shape, products.shape[3]
    half = scratch("half", len(down), TILE, strip.length * count)
    np.matmul(down, products.reshape(TILE, TILE, -1).swapaxes(0, 1), out=half.swapaxes(0, 1))
    lines = half.reshape(len(down), TILE, rows, n, columns, count).transpose(2, 0, 3, 4, 1, 5)
    for some_rows, height, into_rows in landings(strip.rows, len(down), y.shape[0]):
        for some_columns, width, into_columns in landings(strip.columns, len(along), y.shape[2]):
            values = lines[some_rows, :height, :, some_columns]
            place = y[into_rows, strip.images, into_columns].reshape(*values.shape[:4], width, count)
            np.matmul(along[:width], values, out=place)


def correlate_weight(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient towards the weight: (N, G C, H, W), (N, G O, OH, OW) -> (G O, C, KH, KW)."""
    images, gradients = as_channels_last(x), as_channels_last(dy)
    dw = np.empty((dy.shape[1], x.shape[1] // groups, *window.kernel), x.dtype)
    for inputs, outputs in _groups(groups, x.shape[1], dy.shape[1]):
        dw[outputs] = _correlate_weight(images[..., inputs], gradients[..., outputs], window)
    return dw


def _correlate_weight(x: Array, dy: Array, window: Window) -> Array:
    """Return the gradient towards the filters of a group: (H, N, W, C), (OH, N, OW, O) -> (O, C, KH, KW).

    The more filters and channels, the longer it takes to add up: then strips are longer. Threads share
    out the filters if these are more than the tiles, otherwise the strips.
    """
    (height, n, width, filters), channels = dy.shape, x.shape[3]
    most = max(TILES, BLOCK // channels, min(channels * filters // 128, SCRATCH // (channels + filters)))
    strips = strips_of((height, width), n, _outputs(window), most)
    if sum(strip.length for strip in strips) <= filters:
        parts = split(lambda some: _add_up(x, dy[..., some], window, strips), filters, SOME)
        return np.concatenate(parts)
    strips = strips_of((height, width), n, _outputs(window), most, get_num_threads())
    dw: Array = reduce(np.add, split(lambda part: _add_up(x, dy, window, strips[part]), len(strips)))
    return dw


def _add_up(x: Array, dy: Array, window: Window, strips: list[Strip]) -> Array:
    """Add up over strips what the filters get: (H, N, W, C), (OH, N, OW, O) -> (O, C, KH, KW).

    The way back through each step is its transpose: ``dw = G^T ((A dy A^T) * (B^T x B)) G``, summed over tiles.
    """
    dvalues = _products_of_gradients(x, dy, window, strips)
    down, along = (basis.filters(taps, x.dtype).T for taps in window.kernel)
    half = along @ dvalues.reshape(TILE, TILE, -1)
    dw = (down @ half.swapaxes(0, 1)).reshape(*window.kernel[::-1], *dvalues.shape[2:])
    return np.ascontiguousarray(dw.transpose(3, 2, 1, 0))


def _products_of_gradients(x: Array, dy: Array, window: Window, strips: list[Strip]) -> Array:
    """Return the sum over strips in the other basis: (H, N, W, C), (OH, N, OW, O) -> (6, 6, C, O)."""
    channels, filters, scratch = x.shape[3], dy.shape[3], Scratch(x.dtype)
    dvalues = np.zeros((TILE, TILE, channels, filters), x.dtype)
    for strip in strips:
        tiles = _apart("tiles", strip.length, channels, scratch)
        dproducts = _apart("products", strip.length, filters, scratch)
        _take_images(x, window, strip, tiles, scratch)
        _take_gradients(dy, window, strip, dproducts, scratch)
        for row in range(TILE):
            part = scratch("filters", TILE, channels, filters)
            dvalues[row] += np.matmul(tiles[row].swapaxes(1, 2), dproducts[row], out=part)
    return dvalues


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


def _take_images(x: Array, window: Window, strip: Strip, values: Array, scratch: Scratch) -> None:
    """Take what a strip of tiles sees to the other basis: (H, N, W, C) -> (6, 6, P, C)."""
    there, before = basis.images(x.dtype), (window.padding[0][0], window.padding[1][0])
    _take(x, (there, there), _outputs(window), before, strip, values, scratch)


def _take_gradients(dy: Array, window: Window, strip: Strip, values: Array, scratch: Scratch) -> None:
    """Take the gradient of a strip of outputs back to the other basis: (OH, N, OW, O) -> (6, 6, P, O)."""
    down, along = (basis.outputs(taps, dy.dtype).T for taps in window.kernel)
    _take(dy, (down, along), _outputs(window), (0, 0), strip, values, scratch)


def _take(
    x: Array, matrices: tuple[Array, Array], step: Pair, before: Pair, strip: Strip, values: Array, scratch: Scratch
) -> None:
    """Take tiles, so many numbers apart, with so many zeros before: along their rows, then along their columns."""
    (down, along), (rows, n, columns), channels = matrices, strip.shape, x.shape[3]
    height = (rows - 1) * step[0] + down.shape[1]
    half = scratch("half", height, TILE, n, columns, channels)
    top, left = strip.rows.start * step[0] - before[0], strip.columns.start * step[1] - before[1]
    into, out_of = inside(top, height, len(x))
    half[: into.start] = half[into.stop :] = 0
    band, lines = x[out_of, strip.images], half[into].transpose(0, 2, 3, 1, 4)
    per_row, per_image, per_column, per_number = x.strides
    for tiles, taps, first in runs(left, columns, step[1], along.shape[1], x.shape[2]):
        shape = *band.shape[:2], tiles.stop - tiles.start, taps.stop - taps.start, channels
        strides = per_row, per_image, step[1] * per_column, per_column, per_number
        np.matmul(along[:, taps], as_strided(band[:, :, first:], shape, strides), out=lines[:, :, tiles])
    per_row, per_value = half.strides[:2]
    shape = rows, TILE, down.shape[1], n * columns * channels
    windows = as_strided(half, shape, (step[0] * per_row, per_value, per_row, half.itemsize))
    np.matmul(down, windows, out=values.reshape(TILE, TILE, rows, -1).transpose(2, 1, 0, 3))


def _take_filters(weight: Array, window: Window, scratch: Scratch) -> Array:
    """Take filters to the other basis: (O, C, KH, KW) -> (6, 6, C, O)."""
    filters, channels, kh, kw = weight.shape
    down, along = (basis.filters(taps, weight.dtype) for taps in window.kernel)
    values = _apart("filters", channels, filters, scratch)
    for some in pieces(channels, max(1, TAPS // filters)):
        count = (some.stop - some.start) * filters
        taps, half = scratch("taps", kh, kw, count), scratch("half", kh, TILE, count)
        taps.reshape(kh, kw, -1, filters)[...] = weight[:, some].transpose(2, 3, 1, 0)
        np.matmul(along, taps, out=half)
        np.matmul(down, half.swapaxes(0, 1), out=values[:, :, some].reshape(TILE, TILE, count).swapaxes(0, 1))
    return values


def _apart(name: str, rows: int, columns: int, scratch: Scratch) -> Array:
    """Make 36 matrices, (6, 6, rows, columns), each a gap behind the one before."""
    numbers = scratch(name, TILE**2, rows * columns + GAP)
    return numbers[:, : rows * columns].reshape(TILE, TILE, rows, columns)


def _outputs(window: Window) -> Pair:
    """Return how many outputs a tile has along each axis, m."""
    return TILE + 1 - window.kernel[0], TILE + 1 - window.kernel[1]


def _groups(groups: int, channels: int, filters: int) -> list[tuple[slice, slice]]:
    """Return which of all channels and filters are a group's."""
    return list(zip(pieces(channels, channels // groups), pieces(filters, filters // groups), strict=True))
