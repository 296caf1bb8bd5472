"""Formulas evaluated in float64 and rounded once: as near the truth as a number of the dtype can be.

Slab by slab: what stands between the steps of a formula is twice as wide, but stays in the cache and
costs no memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from .window import Array

SLAB = 1 << 14  # numbers
Formula = Callable[..., Array]


def rounded_once(formula: Formula, *arrays: Array) -> Array:
    """Evaluate an elementwise formula of arrays of one shape; the result has the dtype and layout of the first.

    In float32 every step of the formula would round; in float64 only what comes out at the end does.
    """
    result = np.empty_like(arrays[0])
    for slab in _slabs(result):
        result[slab] = formula(*(array[slab].astype(np.float64, copy=False) for array in arrays))
    return result


def _slabs(x: Array) -> Iterator[tuple[slice, ...]]:
    """Cut an array along the axes that are outermost in memory, as far as needed."""
    steps, size = list(x.shape), x.size
    for axis in sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis])):
        if size > SLAB:
            size //= steps[axis]
            steps[axis] = max(1, SLAB // size)
            size *= steps[axis]
    starts = (range(0, length, max(1, step)) for length, step in zip(x.shape, steps, strict=True))
    for corner in itertools.product(*starts):
        yield tuple(slice(start, start + step) for start, step in zip(corner, steps, strict=True))
