"""Images seen at other places than their own pixels: parts of them, and points between the pixels.

Each image of the batch at places of its own, and no loop over the images.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .window import Array, Pair


def cut(images: Array, top: Array, left: Array, size: Pair) -> Array:
    """Cut a part out of each image, from a corner of its own: (N, C, H, W), (N,), (N,) -> (N, C, h, w)."""
    parts = sliding_window_view(images, size, axis=(2, 3))  # N C T L h w, a view
    part: Array = parts[np.arange(len(images)), :, top, left]
    return part


def nearest(images: Array, row: Array, column: Array, fill: Array) -> Array:
    """Return the pixel that is nearest to each point, halfway between two the even one; outside there is fill.

    (N, C, H, W), points (N, OH, OW), fill (C or 1, 1, 1) -> (N, C, OH, OW). The middle of the pixel
    at h, w is the point h, w.
    """
    flat, _, positions = _surround(images, np.rint(row), np.rint(column), fill, 1)
    return flat.take(positions)


def bilinear(images: Array, row: Array, column: Array, fill: Array) -> Array:
    """Return the mean of the four pixels around each point, weighted by nearness; outside there is fill.

    Shapes and points as in ``nearest``. Where only a part of the weight, ``inside``, is that of pixels of
    the image, their sum m is mixed with the fill as torchvision does it: ``inside (m - fill) + fill``. (A
    pixel of fill among the four would be ``m + (1 - inside) fill``; only the outermost points differ.)
    """
    top, left = np.floor(row), np.floor(column)
    down, right = (row - top)[:, None], (column - left)[:, None]
    flat, width, positions = _surround(images, top, left, np.zeros_like(fill), 2)
    upper = flat.take(positions) * (1 - right) + flat[1:].take(positions) * right
    lower = flat[width:].take(positions) * (1 - right) + flat[width + 1 :].take(positions) * right
    mean = upper * (1 - down) + lower * down
    inside = _weight_inside(row, images.shape[2]) * _weight_inside(column, images.shape[3])
    return np.asarray(inside[:, None] * (mean - fill) + fill)


def _surround(images: Array, row: Array, column: Array, fill: Array, border: int) -> tuple[Array, int, Array]:
    """Put a border of fill around the images, and move the points that are further outside into it.

    Returns the pixels in one line, how many of them a row has, and where in the line the pixels at
    the points, whole numbers, are, in every channel: (N, C, OH, OW).
    """
    n, channels, height, width = images.shape
    lines, length = height + 2 * border, width + 2 * border
    source = np.full((n, channels, lines, length), fill, images.dtype)
    source[:, :, border : border + height, border : border + width] = images
    origin = np.arange(n * channels).reshape(n, channels, 1, 1) * (lines * length) + border * length + border
    inside = np.clip(row, -border, height).astype(np.intp) * length + np.clip(column, -border, width).astype(np.intp)
    return source.reshape(-1), length, origin + inside[:, None]


def _weight_inside(point: Array, side: int) -> Array:
    """Return how much of the weight of the two neighbours along an axis falls on pixels from 0 to side - 1."""
    return np.asarray(np.clip(np.minimum(point + 1, side - point), 0, 1))
