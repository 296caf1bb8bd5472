"""Correlation by unfolding: what each window sees becomes a column, and the filters a matrix (im2col).

The shortest way to say it, for every kernel, stride, padding and dilation: gather the windows,
multiply; for the gradient towards the images multiply by the transposed matrix, scatter. Only as
many images at a time are unfolded as fit the scratch (Chellapilla et al., 2006, section 3.1).

Axis letters: N images, G groups, C channels and O filters of one group, K numbers in a window
(C KH KW), P positions (OH OW).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .parallel import split
from .window import Array, Pair, Window

SCRATCH = 1 << 22  # numbers in the unfolded windows of one chunk of images
LEAST = 32  # filters or channels that make a piece of work worth a thread


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Slide filters over images: (N, G C, H, W), (G O, C, KH, KW) -> (N, G O, OH, OW)."""
    y = np.empty((len(x), len(weight), *window.output_size(x.shape[2:])), x.dtype)
    matrix = weight.reshape(groups, len(weight) // groups, -1)  # G O K
    for chunk in _chunks(x, window):
        columns = _columns(x[chunk], window, groups)  # N G K P
        products = y[chunk].reshape(len(columns), groups, matrix.shape[1], columns.shape[-1])

        def fill(filters: slice, columns: Array = columns, products: Array = products) -> None:
            np.matmul(matrix[:, filters], columns, out=products[:, :, filters])

        split(fill, matrix.shape[1], LEAST)
    return y


def correlate_weight(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient towards the weight: (N, G C, H, W), (N, G O, OH, OW) -> (G O, C, KH, KW)."""
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    dw = np.zeros((groups, filters, channels * math.prod(window.kernel)), x.dtype)
    for chunk in _chunks(x, window):
        columns = _columns(x[chunk], window, groups).swapaxes(-1, -2)  # N G P K
        rows = dy[chunk].reshape(len(columns), groups, filters, columns.shape[-2])  # N G O P

        def add_up(some: slice, columns: Array = columns, rows: Array = rows) -> None:
            dw[:, some] += (rows[:, :, some] @ columns).sum(0)

        split(add_up, filters, LEAST)
    return dw.reshape(groups * filters, channels, *window.kernel)


def correlate_input(dy: Array, weight: Array, window: Window, groups: int, size: Pair) -> Array:
    """Return the gradient towards the images: (N, G O, OH, OW), (G O, C, KH, KW) -> (N, G C, H, W)."""
    filters, channels = len(weight) // groups, weight.shape[1]
    dx = np.empty((len(dy), groups, channels, *size), dy.dtype)
    matrix = weight.reshape(groups, filters, channels, -1).transpose(0, 2, 3, 1)  # G C KK O
    images = dx.reshape(len(dy), groups * channels, *size)
    for chunk in _chunks(images, window):
        rows = dy[chunk].reshape(-1, groups, filters, dy.shape[2] * dy.shape[3])  # N G O P

        def fill(some: slice, chunk: slice = chunk, rows: Array = rows) -> None:
            windows = matrix[:, some].reshape(groups, -1, filters) @ rows  # N G K P
            windows = windows.reshape(len(rows), -1, *window.kernel, *dy.shape[2:])
            dx[chunk, :, some] = window.scatter(windows, size).reshape(dx[chunk, :, some].shape)

        split(fill, channels, LEAST)
    return images


def _columns(x: Array, window: Window, groups: int) -> Array:
    windows = window.gather(x)  # N GC KH KW OH OW
    n, channels, kh, kw, oh, ow = windows.shape
    return windows.reshape(n, groups, channels // groups * kh * kw, oh * ow)


def _chunks(x: Array, window: Window) -> Iterator[slice]:
    """Cut a batch into slices whose unfolded windows fit the scratch, one image at least."""
    (kh, kw), (oh, ow) = window.kernel, window.output_size(x.shape[2:])
    images = max(1, SCRATCH // max(1, x.shape[1] * kh * kw * oh * ow))
    for start in range(0, len(x), images):
        yield slice(start, start + images)
