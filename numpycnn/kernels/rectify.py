"""The rectifier and its derivative, as fast as numbers can be read and written."""

from __future__ import annotations

import numpy as np

from .layout import BLOCK, blocks, like
from .parallel import split
from .slabs import evaluate
from .window import Array

FEW = 1 << 11  # numbers that are not worth a loop over blocks
MANY = 16  # blocks that are worth a thread
ZEROS = {np.dtype(kind): np.zeros(BLOCK, kind) for kind in (np.float32, np.float64)}


def relu(x: Array) -> Array:
    """Return ``max(x, 0)``, laid out as x.

    NumPy's maximum of two arrays runs three times as fast as that of an array and a number; so a
    block of x at a time, if there are more than a few numbers, meets a block of zeros, which stays in the cache.
    """
    y = np.empty_like(x)
    if x.size <= FEW or x.strides != y.strides:
        return np.asarray(np.maximum(x, 0))
    zeros, pieces = ZEROS[x.dtype], list(zip(blocks(x), blocks(y), strict=True))

    def fill(part: slice) -> None:
        for block, result in pieces[part]:
            np.maximum(block, zeros[: len(block)], out=result)

    split(fill, len(pieces), MANY)
    return y


def relu_adjoint(dy: Array, y: Array) -> Array:
    """Return dy where y is not 0, which it is where x is at most 0 (a NaN passes dy on, as in PyTorch), else 0.

    The bits of dy, read as integers, are multiplied by 0 or 1. As floats, inf * 0 would be NaN;
    and ``np.where``, which branches, takes many times as long on a mask without pattern.
    """
    dy = like(dy, y)
    return evaluate(_pass, dy, y) if y.size > MANY * BLOCK else _pass(dy, y)


def _pass(dy: Array, y: Array) -> Array:
    return keep(dy, np.asarray(y != 0))


def keep(x: Array, mask: Array) -> Array:
    """Return x where the mask is true, else 0, whatever x is."""
    bits = x.view(f"i{x.itemsize}") * mask
    return np.asarray(bits.view(x.dtype))
