"""How images lie in memory: always (N, C, H, W) for whoever sees them, row after row underneath.

Kernels make their results as rows, (H, C, W, N): then numbers of the same pixel of all images are
neighbours, every operation over windows runs along them, and the rows that a window sees are one
block (``rows.py``). A user's array in NumPy's own order is copied once, at the first layer.

One algorithm wants all channels of a pixel to be neighbours, (H, N, W, C), see ``winograd.py``: the same
rows, where channels and images have changed places. So what does not ask which are which, as pooling
does not, lets them change places too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .cuts import pieces
from .parallel import split
from .window import Array

FEW = 1 << 14  # numbers that meet another array before anything could be written out
LONG, MOST = 1 << 12, 1 << 17  # numbers that make a loop long; in a row that is written out
ROWS = 4  # that make one worth writing out
LARGE = 1 << 19  # numbers that are worth threads to lay out
PAGE = 1 << 12  # bytes: what lies so far apart falls into one place of the cache
CROWD, GAP = 16, 16  # images that find room there; numbers between spaced ones, so that they need not
SPACED = 1 << 16  # numbers that are spaced at a time
BLOCK = 1 << 15  # numbers that stay in the cache while something is done to them


def as_rows(x: Array) -> Array:
    """Lay images out row by row, (N, C, H, W) -> (H, C, W, N); a view where they lie so already."""
    rows = x.transpose(2, 1, 3, 0)
    crowded = len(x) > CROWD and x.strides[0] % PAGE == 0
    if rows.flags.c_contiguous or (rows.size < LARGE and not crowded):
        return np.ascontiguousarray(rows)
    copy = np.empty(rows.shape, rows.dtype)

    def lay(part: slice) -> None:
        if crowded:
            _lay_spaced(rows[part], copy[part])
        else:
            copy[part] = rows[part]

    split(lay, len(rows), 1 if rows.size >= LARGE else len(rows))
    return copy


def _lay_spaced(rows: Array, copy: Array) -> None:
    """Copy rows, (H, C, W, N), of images that lie a multiple of ``PAGE`` apart.

    The numbers of a pixel all want one place in the cache then, and drive each other out before their
    neighbours are read. So some rows of some channels are copied first to where each has its own::

        images     |0        |1        |2        3 times the same place
        spaced     |0  gap  1|  gap  2 |   gap   another for each
    """
    height, channels, width, n = rows.shape
    tall = max(1, min(height, SPACED // (width * n)))
    many = max(1, min(channels, SPACED // (height * width * n)))
    size = many * tall * width
    spaced = np.empty((n, size + GAP), rows.dtype)[:, :size].reshape(n, many, tall, width)
    for some, part in itertools.product(pieces(channels, many), pieces(height, tall)):
        seen = rows[part, some]
        here = spaced[:, : seen.shape[1], : seen.shape[0]]
        here[...] = seen.transpose(3, 1, 0, 2)
        copy[part, some] = here.transpose(2, 1, 3, 0)


def as_images(rows: Array) -> Array:
    """See rows as images: (H, C, W, N) -> (N, C, H, W), a view."""
    return rows.transpose(3, 1, 0, 2)


def as_channels_last(x: Array) -> Array:
    """Lay images out row by row with their channels last, (N, C, H, W) -> (H, N, W, C)."""
    return as_rows(x.swapaxes(0, 1))


def from_channels_last(rows: Array) -> Array:
    """See such rows as images: (H, N, W, C) -> (N, C, H, W), a view."""
    return as_images(rows).swapaxes(0, 1)


def channels_are_last(x: Array) -> bool:
    """Tell whether images, (N, C, H, W), lie row by row with their channels last, and in no other way at once."""
    last = x.transpose(2, 0, 3, 1).flags.c_contiguous
    return last and not (x.flags.c_contiguous or x.transpose(2, 1, 3, 0).flags.c_contiguous)


def laid_out(x: Array) -> Array:
    """Lay images out row by row and see them as images; as they are where they lie so already."""
    return as_images(as_rows(x))


def channels_last(x: Array) -> Array:
    """Lay images out row by row with their channels last and see them as images; a view where they lie so already."""
    return from_channels_last(as_channels_last(x))


def full_images(shape: tuple[int, ...], value: float, dtype: np.dtype[Any]) -> Array:
    """Make images of one value, (N, C, H, W), that lie row by row."""
    n, channels, height, width = shape
    return as_images(np.full((height, channels, width, n), value, dtype))


def merged(x: Array, shape: tuple[int, ...]) -> Array:
    """Reshape images, (N, C, H, W), or what was made of them, in row-major order, into as many samples.

    Where the samples of a number are neighbours in memory they stay so, as columns of a matrix: (C, H, W, N)
    is a copy in long runs, and what BLAS takes as gladly.
    """
    if x.ndim < 2 or len(x) < 2 or x.shape[:1] != shape[:1] or x.strides[0] != x.itemsize:
        return x.reshape(shape)
    samples_last = x.transpose(*range(1, x.ndim), 0).reshape(*shape[1:], len(x))
    return samples_last.transpose(-1, *range(len(shape) - 1))


def pixels(rows: Array) -> Array:
    """See a pixel's numbers, one of each image, as one thing, which NumPy copies faster: (..., W, N) -> (..., W)."""
    n = rows.shape[-1]
    return rows[..., 0] if n == 1 else rows.view(np.dtype((np.void, n * rows.itemsize)))[..., 0]


def like(x: Array, model: Array) -> Array:
    """Lay an array out in memory as another of the same shape and dtype; itself where it lies so already."""
    if x.strides == model.strides:
        return x
    copy = np.empty_like(model)
    copy[...] = x
    return copy


def outermost(x: Array) -> int:
    """Return the axis along which neighbours are farthest apart in memory, sides of 1 not counted."""
    return max(range(x.ndim), key=lambda axis: abs(x.strides[axis]) if x.shape[axis] > 1 else -1, default=0)


def nearest_first(x: Array) -> list[int]:
    """Return the axes, those first along which neighbours are nearest in memory."""
    return sorted(range(x.ndim), key=lambda axis: abs(x.strides[axis]))


def spread(x: Array, model: Array) -> Array:
    """Write x, which is repeated to meet another array, out along all axes but that one's outermost.

    A number for each channel meets images in pieces of W N numbers; every piece is a loop of NumPy's,
    which takes 200 ns to begin. With a whole row of each image, C W N numbers, loops are long::

        y     (H, C, W, N)       row 0: 000 111 222    row 1: 000 111 222
        x     (1, C, 1, 1)       0 1 2      spread (1, C, W, N): 000 111 222

    Where there are few numbers, pieces are long already, a row is more than stays in the cache, or x is one
    number or not the same for several rows, it stays as it is.
    """
    if x.size <= 1 or model.size < FEW:
        return x
    repeated = itertools.takewhile(lambda axis: x.shape[axis] == 1, nearest_first(model))
    piece = math.prod(model.shape[axis] for axis in repeated)
    axis = outermost(model)
    rows = model.shape[axis]
    if piece >= LONG or x.shape[axis] > 1 or rows < ROWS or model.size > rows * MOST:
        return x
    row = np.empty_like(model[(slice(None),) * axis + (slice(0, 1),)], x.dtype)
    row[...] = x
    return row


def blocks(x: Array) -> Iterator[Array]:
    """Cut an array without gaps into blocks of neighbours in memory, views all of them."""
    flat = x.transpose(nearest_first(x)[::-1]).reshape(-1)
    for start in range(0, len(flat), BLOCK):
        yield flat[start : start + BLOCK]
