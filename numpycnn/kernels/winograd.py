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

The matrices are in ``basis.py``. A strip of tiles is taken there and back at a time, see ``strips.py``:
so few that all of it stays in the cache, and so many that BLAS multiplies them fastest. All this
rounds more than the definition does, and a NaN or an infinity reaches the whole tile. (Winograd,
1980; Lavin and Gray, 2016.)
"""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

from .basis import BLOCK, TILE, transform
from .cuts import pieces
from .layout import as_images, as_rows
from .parallel import get_num_threads, split
from .scratch import Scratch
from .strips import Strip, cut_out, dealt, lay, strips_of
from .tiles import UNPACKED
from .window import Array, Pair, Window

TILES = 64  # in a strip, where there are many channels: so narrow a matrix is multiplied fastest
SOME = 64  # filters whose matrices stay in the cache
SCRATCH = 1 << 18  # numbers in each of 36 matrices of a strip, where many tiles are better than few
TURNED = 1 << 10  # numbers in a product up to which OpenBLAS leaves matrices as they are, if the second is transposed
EXACT, WAY, START = 1.2, 40, 5 * 10**6  # what takes as long as so many multiplications, see ``pays``


def accepts(window: Window) -> bool:
    """Tell whether this algorithm can do such windows: without steps, of 2 to 5 taps along each axis."""
    small = all(2 <= taps < TILE for taps in window.kernel)
    near = all(side < taps for sides, taps in zip(window.padding, window.kernel, strict=True) for side in sides)
    return small and near and window.stride == window.dilation == (1, 1)


def pays(window: Window, outputs: tuple[int, ...], weight: tuple[int, ...], groups: int) -> bool:
    """Tell whether the multiplications saved are worth the way there and back, by what was measured.

    Compared with a multiplication here, one by the definition takes ``EXACT`` times as long, a number of
    either basis on its way to the other ``WAY`` times, and to begin with ``START`` times.
    """
    (n, _, *size), (m_down, m_along) = outputs, _outputs(window)
    filters, channels, taps = weight[0] // groups, weight[1], math.prod(window.kernel)
    tiles = n * -(-size[0] // m_down) * -(-size[1] // m_along)
    ways = (TILE**2 + m_down * m_along) * tiles * (channels + filters) + (TILE**2 + taps) * channels * filters
    exact = n * math.prod(size) * taps * channels * filters
    return TILE**2 * tiles * channels * filters + WAY * ways + START < EXACT * exact


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Slide filters over images: (N, G C, H, W), (G O, C, KH, KW) -> (N, G O, OH, OW)."""
    rows, size = as_rows(x), window.output_size(x.shape[2:])
    y = np.empty((size[0], len(weight), size[1], len(x)), x.dtype)
    for inputs, outputs in _groups(groups, x.shape[1], len(weight)):
        _correlate(rows[:, inputs], weight[outputs], window, y[:, outputs])
    return as_images(y)


def _correlate(rows: Array, weight: Array, window: Window, y: Array) -> None:
    """Slide the filters of a group, (O, C, KH, KW), over its channels: (H, C, W, N) -> (OH, O, OW, N).

    Tiles or filters stay in the other basis, whatever is less; the others come by.
    """
    most, n = max(TILES, BLOCK // rows.shape[1]), y.shape[3]
    cuts = strips_of(y.shape[::2], n, _outputs(window), most)
    if sum(strip.length for strip in cuts) <= len(weight):
        _by_filters(rows, weight, window, y, cuts)
    else:
        _by_strips(rows, weight, window, y, strips_of(y.shape[::2], n, _outputs(window), most, get_num_threads()))


def _by_filters(rows: Array, weight: Array, window: Window, y: Array, cuts: list[Strip]) -> None:
    """Take all tiles to the other basis, then some filters at a time, each but once."""
    tiles = [np.empty((TILE, TILE, rows.shape[1], strip.length), rows.dtype) for strip in cuts]
    channels, filters = (dealt(count, SOME, get_num_threads()) for count in (rows.shape[1], len(weight)))
    all_pieces = [(strip, some, seen[:, :, some]) for strip, seen in zip(cuts, tiles, strict=True) for some in channels]

    def prepare(part: slice) -> None:
        scratch = Scratch(rows.dtype)
        for strip, some, seen in all_pieces[part]:
            _take_images(rows[:, some], window, strip, seen, scratch)

    def multiply(part: slice) -> None:
        scratch = Scratch(rows.dtype)
        for some in filters[part]:
            values = scratch("filters", TILE, TILE, some.stop - some.start, rows.shape[1])
            _take_filters(weight[some], window, values, scratch)
            for strip, seen in zip(cuts, tiles, strict=True):
                _finish(values, seen, window, strip, y[:, some], scratch)

    split(prepare, len(all_pieces))
    split(multiply, len(filters))


def _by_strips(rows: Array, weight: Array, window: Window, y: Array, cuts: list[Strip]) -> None:
    """Take all filters to the other basis, then a strip of tiles at a time."""
    values = np.empty((TILE, TILE, *weight.shape[:2]), rows.dtype)
    filters = dealt(len(weight), SOME, get_num_threads())

    def prepare(part: slice) -> None:
        scratch = Scratch(rows.dtype)
        for some in filters[part]:
            _take_filters(weight[some], window, values[:, :, some], scratch)

    def multiply(part: slice) -> None:
        scratch = Scratch(rows.dtype)
        for strip in cuts[part]:
            seen = scratch("images", TILE, TILE, rows.shape[1], strip.length)
            _take_images(rows, window, strip, seen, scratch)
            for some in pieces(len(weight), max(1, BLOCK // strip.length)):
                _finish(values[:, :, some], seen, window, strip, y[:, some], scratch)

    split(prepare, len(filters))
    split(multiply, len(cuts))


def _finish(values: Array, tiles: Array, window: Window, strip: Strip, y: Array, scratch: Scratch) -> None:
    """Multiply filters and tiles, come back, and lay what comes out where it belongs in (OH, O, OW, N)."""
    products = scratch("products", *values.shape[:3], strip.length)
    _multiply(values, tiles, UNPACKED // (values.shape[3] * strip.length), products)
    outputs = scratch("outputs", *_outputs(window), *products.shape[2:])
    lay(transform(products, window.kernel, "outputs", outputs, scratch), y, strip)


def correlate_weight(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient towards the weight: (N, G C, H, W), (N, G O, OH, OW) -> (G O, C, KH, KW)."""
    rows, dy_rows = as_rows(x), as_rows(dy)
    dw = np.empty((dy.shape[1], x.shape[1] // groups, *window.kernel), x.dtype)
    for inputs, outputs in _groups(groups, x.shape[1], dy.shape[1]):
        dw[outputs] = _correlate_weight(rows[:, inputs], dy_rows[:, outputs], window)
    return dw


def _correlate_weight(rows: Array, dy_rows: Array, window: Window) -> Array:
    """Return the gradient towards the filters of a group: (H, C, W, N), (OH, O, OW, N) -> (O, C, KH, KW).

    The more filters and channels, the longer it takes to add up: then strips are longer. Threads share
    out the filters if these are more than the tiles, otherwise the strips.
    """
    channels, filters, size, n = rows.shape[1], dy_rows.shape[1], dy_rows.shape[::2], dy_rows.shape[3]
    most = max(TILES, BLOCK // channels, min(channels * filters // 128, SCRATCH // (channels + filters)))
    cuts = strips_of(size, n, _outputs(window), most)
    if sum(strip.length for strip in cuts) <= filters:
        parts = split(lambda some: _add_up(rows, dy_rows[:, some], window, cuts), filters, SOME)
        return np.concatenate(parts)
    cuts = strips_of(size, n, _outputs(window), most, get_num_threads())
    dw: Array = reduce(np.add, split(lambda part: _add_up(rows, dy_rows, window, cuts[part]), len(cuts)))
    return dw


def _add_up(rows: Array, dy_rows: Array, window: Window, cuts: list[Strip]) -> Array:
    """Add up over strips what the filters get: (H, C, W, N), (OH, O, OW, N) -> (O, C, KH, KW).

    The way back through each step is its transpose: ``dw = G^T ((A dy A^T) * (B^T x B)) G``, summed over tiles.
    """
    channels, filters, scratch = rows.shape[1], dy_rows.shape[1], Scratch(rows.dtype)
    dvalues = np.zeros((TILE, TILE, filters, channels), rows.dtype)
    for strip in cuts:
        count = math.prod(strip.shape)  # the zeros at the end add nothing
        tiles = scratch("images", TILE, TILE, channels, strip.length)
        dproducts = scratch("products", TILE, TILE, filters, strip.length)
        _take_images(rows, window, strip, tiles, scratch)
        _take_gradients(dy_rows, window, strip, dproducts, scratch)
        for row in range(TILE):
            factors = dproducts[row, ..., :count], tiles[row, ..., :count].swapaxes(-1, -2), TURNED // channels
            if strip is cuts[0]:
                _multiply(*factors, dvalues[row])
            else:
                dvalues[row] += _multiply(*factors, scratch("filters", *dvalues.shape[1:]))
    dw = np.empty((*window.kernel, filters, channels), rows.dtype)
    return np.ascontiguousarray(transform(dvalues, window.kernel, "filters back", dw, scratch).transpose(2, 3, 0, 1))


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


def _take_images(rows: Array, window: Window, strip: Strip, values: Array, scratch: Scratch) -> None:
    """Take what a strip of tiles sees to the other basis: (H, C, W, N) -> (6, 6, C, P)."""
    before = window.padding[0][0], window.padding[1][0]
    for some in pieces(rows.shape[1], max(1, BLOCK // strip.length)):
        tiles = cut_out(rows[:, some], (TILE, TILE), _outputs(window), before, strip, scratch)
        transform(tiles, window.kernel, "images", values[:, :, some], scratch)


def _take_gradients(dy_rows: Array, window: Window, strip: Strip, values: Array, scratch: Scratch) -> None:
    """Take the gradient of a strip of tiles of outputs back to the other basis: (OH, O, OW, N) -> (6, 6, O, P)."""
    outputs = _outputs(window)
    for some in pieces(dy_rows.shape[1], max(1, BLOCK // strip.length)):
        tiles = cut_out(dy_rows[:, some], outputs, outputs, (0, 0), strip, scratch)
        transform(tiles, window.kernel, "outputs back", values[:, :, some], scratch)


def _take_filters(weight: Array, window: Window, values: Array, scratch: Scratch) -> None:
    """Take filters to the other basis: (O, C, KH, KW) -> (6, 6, O, C)."""
    for some in pieces(len(weight), max(1, BLOCK // weight.shape[1])):
        taps = scratch("tiles", *window.kernel, some.stop - some.start, weight.shape[1])
        taps[...] = weight[some].transpose(2, 3, 0, 1)
        transform(taps, window.kernel, "filters", values[:, :, some], scratch)


def _multiply(left: Array, right: Array, most: int, out: Array) -> Array:
    """Multiply matrices with as many others, so many rows of the left ones at a time, if that comes out even."""
    *those, rows, inner = left.shape
    some = next((count for count in range(min(rows, most), 7, -1) if rows % count == 0), rows)
    shape = *those, rows // some, some
    np.matmul(left.reshape(*shape, inner), right[..., None, :, :], out=out.reshape(*shape, right.shape[-1]))
    return out


def _outputs(window: Window) -> Pair:
    """Return how many outputs a tile has along each axis, m."""
    return TILE + 1 - window.kernel[0], TILE + 1 - window.kernel[1]


def _groups(groups: int, channels: int, filters: int) -> list[tuple[slice, slice]]:
    """Return which of all channels and filters are a group's."""
    return list(zip(pieces(channels, channels // groups), pieces(filters, filters // groups), strict=True))
