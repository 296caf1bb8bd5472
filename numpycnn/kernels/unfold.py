"""Correlation by unfolding: what each window sees becomes a column, and the filters a matrix (im2col).

The shortest way to say it, for every kernel, stride, padding and dilation: gather the windows,
multiply; for the gradient towards the images multiply by the transposed matrix, scatter. Only as
many images at a time are unfolded as fit the scratch (Chellapilla et al., 2006, section 3.1).

Axis letters: N images, G groups, C channels and O filters of one group, K numbers in a window
(C KH KW), P positions (OH OW).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .window import Array, Pair, Window

SCRATCH = 1 << 22  # numbers in the unfolded windows of one chunk of images


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Slide filters over images: (N, G C, H, W), (G O, C, KH, KW) -> (N, G O, OH, OW)."""
    y = np.empty((len(x), len(weight), *window.output_size(x.shape[2:])), x.dtype)
    matrix = weight.reshape(groups, len(weight) // groups, -1)  # G O K
    for chunk in _chunks(x, window):
        columns = _columns(x[chunk], window, groups)  # N G K P
        y[chunk] = (matrix @ columns).reshape(y[chunk].shape)
    return y


def correlate_weight(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient towards the weight: (N, G C, H, W), (N, G O, OH, OW) -> (G O, C, KH, KW)."""
    channels, filters = x.shape[1] // groups, dy.shape[1]
    dw = np.zeros((filters, channels, *window.kernel), x.dtype)
    for chunk in _chunks(x, window):
        columns = _columns(x[chunk], window, groups)  # N G K P
        rows = dy[chunk].reshape(len(columns), groups, filters // groups, columns.shape[-1])  # N G O P
        dw += (rows @ columns.swapaxes(-1, -2)).sum(0).reshape(dw.shape)
    return dw


def correlate_input(dy: Array, weight: Array, window: Window, groups: int, size: Pair) -> Array:
    """Return the gradient towards the images: (N, G O, OH, OW), (G O, C, KH, KW) -> (N, G C, H, W)."""
    filters, channels = weight.shape[:2]
    dx = np.empty((len(dy), groups * channels, *size), dy.dtype)
    matrix = weight.reshape(groups, filters // groups, -1).swapaxes(-1, -2)  # G K O
    for chunk in _chunks(dx, window):
        rows = dy[chunk].reshape(-1, groups, filters // groups, dy.shape[2] * dy.shape[3])  # N G O P
        windows = (matrix @ rows).reshape(-1, groups * channels, *window.kernel, *dy.shape[2:])
        dx[chunk] = window.scatter(windows, size)
    return dx


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
