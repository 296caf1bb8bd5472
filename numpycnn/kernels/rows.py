"""Correlation row by row: the images lie row after row in memory, and only their width is unfolded.

Images are (N, C, H, W) for whoever sees them, but lie as (H, C, W, N), see ``layout.py``.
For every row of the input, the unfolded width is a block of C KW lines of OW N numbers, and the
blocks of KH consecutive rows are one matrix without a copy. The windows along H are that matrix,
shifted by one block, so that overlapping views serve all of them::

    unfolded rows     0  1  2  3  4  5       each a block (C KW, OW N)
    output row 0     [0  1  2]               a matrix (KH C KW, OW N)
    output row 1        [1  2  3]            the same memory, one block on

Each output row is then weight (O, KH C KW) times such a matrix, which lands where the next layer
wants it. Unfolding makes KW copies, not KH KW. All of it happens tile by tile, see ``tiles.py``, so that
what is unfolded stays in the cache, however large images and batch are.

Axis letters: as in ``correlate``; R rows of a tile, P numbers of a piece (of OW N in a line).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

import numpy as np

from .cuts import evenly, inside
from .layout import as_images, as_rows, pixels
from .parallel import split
from .product import multiply
from .tiles import CACHE, Tile, each, short, tiles
from .window import Array, Pair, Window, axis_taps


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Slide filters over images: (N, G C, H, W), (G O, C, KH, KW) -> (N, G O, OH, OW)."""
    rows, matrix = as_rows(x), _split(weight, groups).transpose(0, 1, 3, 2, 4)
    oh, ow = window.output_size(x.shape[2:])
    y = np.empty((oh, len(weight), ow, len(x)), x.dtype)
    matrix = matrix.reshape(groups, 1, len(weight) // groups, -1)  # G 1 O K
    all_tiles = _plan(x, (oh, ow), window, matrix.size // groups)

    def fill(part: slice) -> None:
        for tile in all_tiles[part]:
            windows = _unfold(rows, window, groups, tile)  # G R K P
            _multiply(matrix, windows, _grouped(y[tile.rows], groups)[..., tile.piece])

    split(fill, len(all_tiles))
    return as_images(y)


def correlate_weight(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient towards the weight: (N, G C, H, W), (N, G O, OH, OW) -> (G O, C, KH, KW)."""
    rows, dy_rows = as_rows(x), as_rows(dy)
    channels, filters = x.shape[1] // groups, dy.shape[1]
    numbers = window.kernel[0] * channels * window.kernel[1]  # of one filter, K
    all_tiles = _plan(x, dy.shape[2:], window, numbers * filters // groups)
    at_once = max(1, CACHE // (numbers * filters))  # rows, each of which makes a whole gradient

    def add_up(part: slice) -> Array:
        dw = np.zeros((groups, numbers, filters // groups), x.dtype)
        for tile in all_tiles[part]:
            windows = _unfold(rows, window, groups, tile)  # G R K P
            outputs = _grouped(dy_rows[tile.rows], groups)[..., tile.piece]  # G R O P
            for some in evenly(windows.shape[1], at_once):
                dw += _total(windows[:, some] @ outputs[:, some].swapaxes(-1, -2))
        return dw

    dw: Array = reduce(np.add, split(add_up, len(all_tiles)))
    dw = dw.reshape(groups, window.kernel[0], channels, window.kernel[1], -1).transpose(0, 4, 2, 1, 3)  # G O C KH KW
    return np.ascontiguousarray(dw).reshape(filters, channels, *window.kernel)


def correlate_input(dy: Array, weight: Array, window: Window, groups: int, size: Pair) -> Array:
    """Return the gradient towards the images: (N, G O, OH, OW), (G O, C, KH, KW) -> (N, G C, H, W).

    A row of dx is the sum of what the KH output rows that saw it send back: again a matrix of
    consecutive rows, now of dy, times the weight upside down. With a stride s along H, rows of dx
    that lie s apart see the same taps; each of these s families is such a problem of its own.
    """
    dy_rows = as_rows(dy)
    dx = np.zeros((size[0], groups * weight.shape[1], size[1], len(dy)), dy.dtype)
    stride, top = window.stride[0], window.padding[0][0]
    for phase in range(min(stride, window.kernel[0])):
        taps = _split(weight, groups)[:, :, :, phase::stride]  # G O C J KW: tap j sees dy row i - j
        first = -((phase - top) // stride)  # dx row `stride i + phase - top` is inside from this i on
        family = dx[first * stride + phase - top :: stride]
        _send_back(dy_rows, taps, window, first, family)
    return as_images(dx)


def _send_back(dy_rows: Array, taps: Array, window: Window, first: int, family: Array) -> None:
    """Add to a family of rows of dx, (H', G C, W, N), what rows of dy send through (G, O, C, J, KW) taps."""
    groups, filters, channels, count, kw = taps.shape
    matrix = taps[:, :, :, ::-1].transpose(0, 2, 4, 3, 1).reshape(groups, 1, channels * kw, count * filters)
    ow, n = dy_rows.shape[2:]
    lines = groups * max(channels * kw, filters)
    strips = tiles((len(family), ow), n, lines, matrix.size // groups, count, by_strips=True)

    def fill(part: slice) -> None:
        for tile in each(strips[part]):
            senders = _consecutive(dy_rows, first - (count - 1), count, groups, tile)  # G R JO P
            sent = np.empty((*senders.shape[:2], channels * kw, senders.shape[-1]), dy_rows.dtype)  # G R CKW P
            _multiply(matrix, senders, sent)
            _fold(family, sent.reshape(*sent.shape[:2], channels, kw, *tile.sides), window, tile)

    split(fill, len(strips))


def _plan(x: Array, size: Pair, window: Window, matrix: int) -> Sequence[Tile]:
    """Cut outputs of so many rows and columns into tiles, for unfolding what they see in x."""
    return each(tiles(size, len(x), x.shape[1] * window.kernel[1], matrix, window.kernel[0], window.stride[0]))


def _multiply(matrix: Array, windows: Array, y: Array) -> None:
    """Multiply filters and windows, (G, 1, O, K) times (G, R, K, P), piece by piece where that is faster."""
    if short(matrix[0, 0].size):
        multiply(windows.swapaxes(2, 3), matrix.swapaxes(2, 3), y.swapaxes(2, 3))
    else:
        np.matmul(matrix, windows, out=y)


def _unfold(rows: Array, window: Window, groups: int, tile: Tile) -> Array:
    """Unfold the width of the rows that a tile of outputs sees: (H, G C, W, N) -> (G, R, KH C KW, P)."""
    many, (kh, kw), stride = tile.rows.stop - tile.rows.start, window.kernel, window.stride[0]
    first, count = tile.rows.start * stride - window.padding[0][0], (many - 1) * stride + kh
    inside_alone = window.padding == ((0, 0), (0, 0)) and not window.ceil_mode  # no window sees beyond the image
    jump = 1  # rows from one that is unfolded to the next
    if inside_alone and kh == 1:  # what is between the rows, no window sees
        count, stride, jump = many, 1, stride
        if (kw, window.stride[1]) == (1, 1):  # a 1x1 filter finds its matrices as they are
            return _grouped(rows[first : first + count * jump : jump], groups)[..., tile.piece]
    height, channels, width, n = rows.shape
    shape = groups, count, channels // groups, kw, *tile.sides
    if inside_alone:  # all taps at once, by a view in which numbers appear as often as they are seen
        per_row, per_channel, per_column, per_number = rows.strides
        steps = per_column * window.dilation[1], per_column * window.stride[1], per_number
        start = first * per_row + tile.columns.start * steps[1] + tile.images.start * per_number
        strides = channels // groups * per_channel, per_row * jump, per_channel, *steps
        unfolded = np.empty(shape, rows.dtype)
        _items(unfolded, window)[...] = _items(np.ndarray(shape, rows.dtype, rows, start, strides), window)
    else:
        unfolded = np.zeros(shape, rows.dtype)
        into, out_of = inside(first, count, height)
        source = rows[out_of].reshape(-1, groups, channels // groups, width, n).swapaxes(0, 1)[..., tile.images]
        for tap, outputs, inputs in _column_taps(window, width, tile):
            _items(unfolded, window)[:, into, :, tap, outputs] = _items(source, window)[:, :, :, inputs]
    blocks = unfolded.reshape(groups, count, channels // groups * kw, math.prod(tile.sides))
    return _overlapping(blocks, many, kh, stride)


def _items(rows: Array, window: Window) -> Array:
    """See what is copied at once: pixels where the columns that a tap sees are apart, otherwise numbers."""
    return pixels(rows) if window.stride[1] > 1 else rows


def _consecutive(rows: Array, first: int, taps: int, groups: int, tile: Tile) -> Array:
    """See ``taps`` rows from each row of the tile plus ``first`` on as one matrix, zeros beyond: -> (G, R, J O, P)."""
    height, channels = rows.shape[:2]
    first, count = first + tile.rows.start, tile.rows.stop - tile.rows.start
    band = np.zeros((groups, count + taps - 1, channels // groups, tile.piece.stop - tile.piece.start), rows.dtype)
    into, out_of = inside(first, count + taps - 1, height)
    band[:, into] = _grouped(rows[out_of], groups)[..., tile.piece]
    return _overlapping(band, count, taps, 1)


def _overlapping(blocks: Array, count: int, taps: int, stride: int) -> Array:
    """See every run of ``taps`` blocks as one matrix: (G, B, K, P) -> (G, R, taps K, P), a view."""
    groups, _, lines, length = blocks.shape
    per_group, per_block, per_line, per_number = blocks.strides
    strides = (per_group, per_block * stride, per_line, per_number)
    return np.ndarray((groups, count, taps * lines, length), blocks.dtype, blocks, strides=strides)


def _fold(family: Array, sent: Array, window: Window, tile: Tile) -> None:
    """Add unfolded widths up where they lie: (G, R, C, KW, columns, images) into a tile's rows, (R, G C, W, N)."""
    dx, (groups, _, channels, *_) = family[tile.rows], sent.shape
    dx = dx.reshape(len(dx), groups, channels, *dx.shape[2:]).swapaxes(0, 1)
    for tap, outputs, inputs in _column_taps(window, dx.shape[3], tile):
        dx[:, :, :, inputs, tile.images] += sent[:, :, :, tap, outputs]


def _column_taps(window: Window, width: int, tile: Tile) -> Sequence[tuple[int, slice, slice]]:
    """Walk over the kernel's columns: the tap, the tile's outputs that see an input by it, those inputs."""
    columns, (before, after), stride = tile.columns, window.padding[1], window.stride[1]
    outputs = columns.stop - columns.start
    before -= columns.start * stride  # seen from the tile
    return axis_taps(width, outputs, window.kernel[1], stride, (before, after), window.dilation[1])


def _grouped(rows: Array, groups: int) -> Array:
    """See rows group by group: (R, G O, OW, N) -> (G, R, O, OW N), a view."""
    count, channels, width, n = rows.shape
    return rows.reshape(count, groups, channels // groups, width * n).swapaxes(0, 1)


def _split(weight: Array, groups: int) -> Array:
    """See the weight group by group: (G O, C, KH, KW) -> (G, O, C, KH, KW)."""
    return weight.reshape(groups, len(weight) // groups, *weight.shape[1:])


def _total(products: Array) -> Array:
    """Add the products of a tile's rows up: (G, R, K, O) -> (G, K, O)."""
    return products[:, 0] if products.shape[1] == 1 else np.asarray(products.sum(1))
