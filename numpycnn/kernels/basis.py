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

from .window import Array

TILE = 6
POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)  # and infinity


@lru_cache(maxsize=2)
def images(dtype: np.dtype[Any]) -> Array:
    """Return B^T (6, 6), which takes six numbers of an image there, whatever the filter."""
    matrix = np.zeros((TILE, TILE))
    for row, point in enumerate(POINTS):
        matrix[row, :-1] = np.poly([other for other in POINTS if other != point])[::-1]  # 0 at the other points
    matrix[-1] = np.poly(POINTS)[::-1]
    return matrix.astype(dtype)


@lru_cache(maxsize=32)
def outputs(taps: int, dtype: np.dtype[Any]) -> Array:
    """Return A^T (m, 6), which comes back with the outputs of a filter of k taps; m = 7 - k."""
    many = TILE + 1 - taps
    return np.stack([*(point ** np.arange(many) for point in POINTS), np.eye(many)[-1]], axis=1).astype(dtype)


@lru_cache(maxsize=32)
def filters(taps: int, dtype: np.dtype[Any]) -> Array:
    """Return G (6, k), which takes a filter of k taps there."""
    matrix = np.zeros((TILE, taps))
    for row, point in enumerate(POINTS):
        matrix[row] = point ** np.arange(taps) / np.prod([point - other for other in POINTS if other != point])
    matrix[-1, -1] = 1  # at infinity a polynomial is its last coefficient
    return matrix.astype(dtype)
