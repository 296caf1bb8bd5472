"""Correlation row by row: the images lie row after row in memory, and only their width is unfolded.

Images are (N, C, H, W) for whoever sees them, but lie as (H, C, W, N), see ``layout.py``.
For every row of the input, the unfolded width is a block of C KW lines of OW N numbers, and the
blocks of KH consecutive rows are one matrix without a copy. The windows along H are that matrix,
shifted by one block, so that overlapping views serve all of them::

    unfolded rows     0  1  2  3  4  5       each a block (C KW, OW N)
    output row 0     [0  1  2]               a matrix (KH C KW, OW N)
    output row 1        [1  2  3]            the same memory, one block on

Each output row is then weight (O, KH C KW) times such a matrix, which lands where the next layer
wants it. Unfolding makes KW copies, not KH KW, and the matrices of one image row are small enough
to stay in the cache. Axis letters: as in ``correlate``; R rows of a strip, P = OW N numbers of a row.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from .layout import as_images, as_rows
from .parallel import split
from .window import Array, Pair, Window, axis_taps

SCRATCH = 1 << 18  # numbers in the unfolded rows of one strip


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Slide filters over images: (N, G C, H, W), (G O, C, KH, KW) -> (N, G O, OH, OW)."""
    rows = as_rows(x)
    oh, ow = window.output_size(x.shape[2:])
    y = np.empty((oh, len(weight), ow, len(x)), x.dtype)
    matrix = _split(weight, groups).transpose(0, 1, 3, 2, 4).reshape(groups, 1, len(weight) // groups, -1)
    strips = _strips(oh, x.shape[1] * window.kernel[1] * ow * len(x))

    def fill(part: slice) -> None:
        for strip in strips[part]:
            windows = _unfold(rows, window, groups, strip)  # G R K P
            np.matmul(matrix, windows, out=_grouped(y[strip], groups))

    split(fill, len(strips))
    return as_images(y)


def correlate_weight(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient towards the weight: (N, G C, H, W), (N, G O, OH, OW) -> (G O, C, KH, KW)."""
    rows, dy_rows = as_rows(x), as_rows(dy)
    channels, filters = x.shape[1] // groups, dy.shape[1]
    strips = _strips(len(dy_rows), x.shape[1] * window.kernel[1] * dy.shape[3] * len(x))

    def add_up(part: slice) -> Array:
        dw = np.zeros((groups, filters // groups, window.kernel[0] * channels * window.kernel[1]), x.dtype)
        for strip in strips[part]:
            windows = _unfold(rows, window, groups, strip)  # G R K P
            dw += (_grouped(dy_rows[strip], groups) @ windows.swapaxes(-1, -2)).sum(1)
        return dw

    dw: Array = reduce(np.add, split(add_up, len(strips)))
    dw = dw.reshape(filters, window.kernel[0], channels, window.kernel[1])
    return np.ascontiguousarray(dw.transpose(0, 2, 1, 3))


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
    strips = _strips(len(family), groups * channels * kw * ow * n)

    def fill(part: slice) -> None:
        for strip in strips[part]:
            start = first + strip.start - (count - 1)
            senders = _consecutive(dy_rows, start, strip.stop - strip.start, count, groups)  # G R JO P
            sent = (matrix @ senders).reshape(*senders.shape[:2], channels, kw, ow, n)
            _fold(family[strip], sent, window, family.shape[2], groups)

    split(fill, len(strips))


def _unfold(rows: Array, window: Window, groups: int, strip: slice) -> Array:
    """Unfold the width of the rows that a strip of output rows sees: (H, G C, W, N) -> (G, R, KH C KW, OW N)."""
    (height, channels, width, n), (kh, kw), stride = rows.shape, window.kernel, window.stride[0]
    ow = window.output_size((height, width))[1]
    first = strip.start * stride - window.padding[0][0]
    count = (strip.stop - strip.start - 1) * stride + kh
    inside_alone = window.padding == ((0, 0), (0, 0)) and not window.ceil_mode  # no window sees beyond the image
    if inside_alone and (kh, kw, window.stride[1]) == (1, 1, 1):  # a 1x1 filter finds its matrices as they are
        return _grouped(rows[first : first + count : stride], groups)
    make = np.empty if inside_alone else np.zeros
    unfolded = make((groups, count, channels // groups, kw, ow, n), rows.dtype)
    inside = _inside(first, count, height)
    source = rows[first + inside.start : first + inside.stop]
    source = source.reshape(len(source), groups, channels // groups, width, n).swapaxes(0, 1)
    taps = axis_taps(width, ow, kw, window.stride[1], window.padding[1], window.dilation[1])
    for tap, outputs, inputs in taps:
        unfolded[:, inside, :, tap, outputs] = source[:, :, :, inputs]
    return _overlapping(
        unfolded.reshape(groups, count, channels // groups * kw, ow * n), strip.stop - strip.start, kh, stride
    )


def _consecutive(rows: Array, first: int, count: int, taps: int, groups: int) -> Array:
    """See ``taps`` rows from each of ``count`` on as one matrix, zeros beyond both ends: -> (G, R, J O, P)."""
    height, channels, width, n = rows.shape
    band = np.zeros((groups, count + taps - 1, channels // groups, width * n), rows.dtype)
    inside = _inside(first, count + taps - 1, height)
    band[:, inside] = _grouped(rows[first + inside.start : first + inside.stop], groups)
    return _overlapping(band, count, taps, 1)


def _inside(first: int, count: int, height: int) -> slice:
    """Return which of ``count`` rows from ``first`` on are inside the image, counted from ``first``."""
    start = max(0, -first)
    return slice(start, max(start, min(count, height - first)))


def _overlapping(blocks: Array, count: int, taps: int, stride: int) -> Array:
    """See every run of ``taps`` blocks as one matrix: (G, B, K, P) -> (G, R, taps K, P), a view."""
    groups, _, lines, length = blocks.shape
    per_group, per_block, per_line, per_number = blocks.strides
    strides = (per_group, per_block * stride, per_line, per_number)
    return np.ndarray((groups, count, taps * lines, length), blocks.dtype, blocks, strides=strides)


def _fold(dx: Array, sent: Array, window: Window, width: int, groups: int) -> None:
    """Add unfolded widths up where they lie: (G, R, C, KW, OW, N) into (R, G C, W, N)."""
    family = dx.reshape(len(dx), groups, dx.shape[1] // groups, width, dx.shape[-1]).swapaxes(0, 1)
    ow = sent.shape[4]
    for tap, outputs, inputs in axis_taps(
        width, ow, window.kernel[1], window.stride[1], window.padding[1], window.dilation[1]
    ):
        family[:, :, :, inputs] += sent[:, :, :, tap, outputs]


def _grouped(rows: Array, groups: int) -> Array:
    """See rows group by group: (R, G O, OW, N) -> (G, R, O, OW N), a view."""
    count, channels, width, n = rows.shape
    return rows.reshape(count, groups, channels // groups, width * n).swapaxes(0, 1)


def _split(weight: Array, groups: int) -> Array:
    """See the weight group by group: (G O, C, KH, KW) -> (G, O, C, KH, KW)."""
    return weight.reshape(groups, len(weight) // groups, *weight.shape[1:])


def _strips(rows: int, numbers: int) -> list[slice]:
    """Cut output rows into strips whose unfolded rows, of so many numbers each, fit the scratch."""
    step = max(1, SCRATCH // max(1, numbers))
    return [slice(start, min(rows, start + step)) for start in range(0, rows, step)]
