"""How images lie while they are pooled: row by row, or as they came, plane after plane.

Planes are channels of one image: (1, N C, H, W), a view of (N, C, H, W) in NumPy's own order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .adaptive import AnyWindow
from .layout import as_images, laid_out
from .window import Array

WIDE = 96  # columns


def stay_in_planes(x: Array, window: AnyWindow, width: int) -> bool:
    """Tell whether images lie in NumPy's own order, plane after plane, and are to stay so; results then lie so too.

    To lay them out row by row takes longer than to pool them, unless every number is looked at again
    and again, in planes by loops over a row of one image, which are short but for wide images.
    """
    if not x.flags.c_contiguous or x.transpose(2, 1, 3, 0).flags.c_contiguous:
        return False
    return width >= WIDE or not window.overlapping


def laid(x: Array, in_planes: bool) -> Array:
    """Lay images out row by row; or plane after plane, which are channels of one image then."""
    if not in_planes:
        return laid_out(x)
    return np.ascontiguousarray(x).reshape(1, x.shape[0] * x.shape[1], *x.shape[2:])


def empty(shape: tuple[int, ...], dtype: np.dtype[Any], in_planes: bool) -> Array:
    """Make images, (N, C, H, W), that lie so and are yet to be written."""
    n, channels, height, width = shape
    return np.empty(shape, dtype) if in_planes else as_images(np.empty((height, channels, width, n), dtype))
