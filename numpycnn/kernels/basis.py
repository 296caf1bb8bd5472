"""The basis in which Winograd's algorithm multiplies: six coefficients become values at six points.

A polynomial of six coefficients is known by its values at five points and at infinity, where it is
its last coefficient. The points are 0, 3/4, -3/4, 3/2 and -3/2: their powers stay near 1, which keeps
the rounding small, and the matrix for images, B^T, is exact in binary. (The points, and the matrices
from them: Cook and Toom, in Blahut, 2010, chapter 5.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .cuts import pieces
from .scratch import Scratch
from .window import Array, Pair

TILE = 6
POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)  # and infinity
BLOCK = 1 << 13  # numbers in each of 36 matrices that stay in the cache, so many at a time


@lru_cache(maxsize=8)
def matrices(taps: int, dtype: np.dtype[Any]) -> dict[str, Array]:
    """Return B^T (6, 6), G (6, k), A^T (m, 6), G^T and A for a filter of k taps, by what they are applied to."""
    outputs = TILE + 1 - taps
    images, filters = np.zeros((TILE, TILE)), np.zeros((TILE, taps))
    for row, point in enumerate(POINTS):
        others = [other for other in POINTS if other != point]
        images[row, :-1] = np.poly(others)[::-1]  # the polynomial that is 0 at the other points
        filters[row] = point ** np.arange(taps) / np.prod([point - other for other in others])
    images[-1] = np.poly(POINTS)[::-1]
    filters[-1, -1] = 1  # at infinity a polynomial is its last coefficient
    into_y = np.stack([*(point ** np.arange(outputs) for point in POINTS), np.eye(outputs)[-1]], axis=1)
    ways = {
        "images": images,
        "filters": filters,
        "outputs": into_y,
        "filters back": filters.T,
        "outputs back": into_y.T,
    }
    return {name: np.ascontiguousarray(matrix, dtype) for name, matrix in ways.items()}


def transform(tiles: Array, kernel: Pair, what: str, out: Array, scratch: Scratch) -> Array:
    """Go over to another basis on the first two axes, for filters of such a kernel; the others stay."""
    down, along = (matrices(taps, tiles.dtype)[what] for taps in kernel)
    old, new = (array.reshape(*array.shape[:2], -1) for array in (tiles, out))
    for some in pieces(old.shape[2], BLOCK):
        half = scratch("half", len(old), len(along), some.stop - some.start)
        np.matmul(along, old[..., some], out=half)
        np.matmul(down, half.swapaxes(0, 1), out=new[..., some].swapaxes(0, 1))
    return out
