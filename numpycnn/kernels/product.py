"""Products of matrices: BLAS does them, on threads of ours where they are large."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .parallel import split
from .window import Array

LARGE = 1 << 20  # products of two numbers that are worth a thread


def product(a: Array, b: Array, order: Literal["C", "A"] = "C") -> Array:
    """Return a @ b: (..., K) times (K, M), each thread some of the columns of b.

    Row by row in memory, or with order "A" as a matrix a is, column by column where that is.

    Where K is 1 nothing is summed up, and BLAS would take five times as long.
    """
    if len(b) == 1:
        return np.asarray(a * b[0])
    columns = b.shape[1]
    by_columns = order == "A" and a.ndim == 2 and a.flags.fnc
    y = np.empty((*a.shape[:-1], columns), a.dtype, order="F" if by_columns else "C")

    def fill(some: slice) -> None:
        np.matmul(a, b[:, some], out=y[..., some])

    split(fill, columns, 1 + LARGE // max(1, a.size))
    return y
