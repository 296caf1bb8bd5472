"""Products of matrices: BLAS does them, on threads of ours where they are large."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .parallel import split
from .window import Array

LARGE = 1 << 23  # products of two numbers that are worth a thread
FEW = 256  # rows that are worth laying out as columns
UNPACKED = 10**6  # multiplications up to which OpenBLAS leaves matrices as they are


def product(a: Array, b: Array, order: Literal["C", "A"] = "C") -> Array:
    """Return a @ b: (..., K) times (K, M), each thread some of the columns of b.

    Row by row in memory, or with order "A" as a matrix a is, column by column where that is; where b is, and a has
    but a few rows, these are laid out so first, since BLAS then takes as little as half the time.

    Where K is 1 nothing is summed up, and BLAS would take five times as long.
    """
    if len(b) == 1:
        return np.asarray(a * b[0])
    columns = b.shape[1]
    if order == "A" and a.ndim == 2 and 1 < len(a) <= FEW and b.flags.fnc:
        a = np.asfortranarray(a)
    by_columns = order == "A" and a.ndim == 2 and a.flags.fnc
    y = np.empty((*a.shape[:-1], columns), a.dtype, order="F" if by_columns else "C")

    def fill(some: slice) -> None:
        np.matmul(a, b[:, some], out=y[..., some])

    split(fill, columns, 1 + LARGE // max(1, a.size))
    return y


def multiply(left: Array, right: Array, out: Array) -> None:
    """Multiply matrices, (..., P, K) times (..., K, M), some rows at a time, for which BLAS need not pack them first.

    All pieces of the same length are one call.
    """
    *those, rows, inner = left.shape
    most = max(1, UNPACKED // max(1, inner * right.shape[-1]))
    if rows <= most:
        np.matmul(left, right, out=out)
        return
    length = -(-rows // -(-rows // most))
    whole = rows // length * length
    for some, each in ((slice(0, whole), length), (slice(whole, rows), rows - whole)):
        if each:
            shape = *those, (some.stop - some.start) // each, each
            pieces = left[..., some, :].reshape(*shape, inner)
            np.matmul(pieces, right[..., None, :, :], out=out[..., some, :].reshape(*shape, out.shape[-1]))
