"""Correlation by unfolding: what each window sees becomes a column, and the filters a matrix (im2col).

The shortest way to say it, for every kernel, stride, padding and dilation: gather the windows,
multiply; for the gradient towards the images multiply by the transposed matrix, scatter. Only as many
images at a time, or rows of one, are unfolded as fit the scratch (Chellapilla et al., 2006, section 3.1).

Axis letters: N images, G groups, C channels and O filters of one group, K numbers in a window
(C KH KW), P positions (OH OW).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .parallel import split
from .window import Array, Pair, Place, Window

SCRATCH = 1 << 22  # numbers in the unfolded windows of one piece, if a row of them is not more
LEAST = 32  # filters or channels that make a piece of work worth a thread


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Slide filters over images: (N, G C, H, W), (G O, C, KH, KW) -> (N, G O, OH, OW)."""
    y = np.empty((len(x), len(weight), *window.output_size(x.shape[2:])), x.dtype)
    matrix = weight.reshape(groups, len(weight) // groups, -1)  # G O K
    for outputs, inputs, part in _pieces(x.shape, window):
        columns = _columns(x[inputs], part, groups)  # N G K P
        products = y[outputs].reshape(len(columns), groups, matrix.shape[1], columns.shape[-1])  # a view

        def fill(filters: slice, columns: Array = columns, products: Array = products) -> None:
            np.matmul(matrix[:, filters], columns, out=products[:, :, filters])

        split(fill, matrix.shape[1], LEAST)
    return y


def correlate_weight(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient towards the weight: (N, G C, H, W), (N, G O, OH, OW) -> (G O, C, KH, KW)."""
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    dw = np.zeros((groups, filters, channels * math.prod(window.kernel)), x.dtype)
    for outputs, inputs, part in _pieces(x.shape, window):
        columns = _columns(x[inputs], part, groups).swapaxes(-1, -2)  # N G P K
        rows = dy[outputs].reshape(len(columns), groups, filters, columns.shape[-2])  # N G O P

        def add_up(some: slice, columns: Array = columns, rows: Array = rows) -> None:
            for image_rows, image_columns in zip(rows, columns, strict=True):
                dw[:, some] += image_rows[:, some] @ image_columns

        split(add_up, filters, LEAST)
    return dw.reshape(groups * filters, channels, *window.kernel)


def correlate_input(dy: Array, weight: Array, window: Window, groups: int, size: Pair) -> Array:
    """Return the gradient towards the images: (N, G O, OH, OW), (G O, C, KH, KW) -> (N, G C, H, W)."""
    filters, channels = len(weight) // groups, weight.shape[1]
    dx = np.zeros((len(dy), groups * channels, *size), dy.dtype)
    matrix = weight.reshape(groups, filters, channels, -1).transpose(0, 2, 3, 1)  # G C KK O
    for outputs, inputs, part in _pieces(dx.shape, window):
        sent, seen = dy[outputs], dx[inputs]
        rows = sent.reshape(len(sent), groups, filters, math.prod(sent.shape[2:]))  # N G O P
        images = seen.reshape(len(seen), groups, channels, *seen.shape[2:])  # a view

        def add(
            some: slice, rows: Array = rows, images: Array = images, size: Pair = sent.shape[2:], part: Window = part
        ) -> None:
            windows = matrix[:, some].reshape(groups, -1, filters) @ rows  # N G K P
            into = images[:, :, some]
            windows = windows.reshape(len(rows), -1, *window.kernel, *size)
            into += part.scatter(windows, into.shape[3:]).reshape(into.shape)

        split(add, channels, LEAST)
    return dx


def _columns(x: Array, window: Window, groups: int) -> Array:
    windows = window.gather(x)  # N GC KH KW OH OW
    n, channels, kh, kw, oh, ow = windows.shape
    return windows.reshape(n, groups, channels // groups * kh * kw, oh * ow)


def _pieces(shape: tuple[int, ...], window: Window) -> Iterator[tuple[Place, Place, Window]]:
    """Cut a batch into pieces whose unfolded windows fit the scratch, one row of one image at least.

    For each: where the outputs are, where what they see is, and the window between them.
    """
    count, channels, height, width = shape
    oh, ow = window.output_size((height, width))
    rows = max(1, SCRATCH // max(1, channels * math.prod(window.kernel) * ow))
    for start in range(0, count, max(1, rows // max(1, oh))):
        images = slice(start, start + max(1, rows // max(1, oh)))
        for outputs, inputs, part in window.strips((height, width), min(rows, max(1, oh))):
            yield (images, slice(None), outputs), (images, slice(None), inputs), part
