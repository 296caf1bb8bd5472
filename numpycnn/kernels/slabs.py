"""Formulas evaluated slab by slab: what stands between their steps stays in the cache and costs no memory.

A formula takes several arrays: the first has the shape of the result, the others too, or sides of 1
where they are repeated, or no axes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from string import ascii_letters
from typing import Any

import numpy as np

from .layout import nearest_first, spread
from .parallel import split
from .window import Array

SLAB = 1 << 19  # numbers
RUN, FEW = 1 << 10, 1 << 8  # numbers that are summed in float32: neighbours, in several sums side by side; others
Formula = Callable[..., Array]
Term = Array | tuple[Array, Array]  # two arrays stand for their product
Slab = tuple[slice, ...]


def evaluate(formula: Formula, *arrays: Array) -> Array:
    """Evaluate an elementwise formula in the dtype of the first array; the result has its layout too."""
    return _evaluate(formula, arrays[0].dtype, arrays)


def rounded_once(formula: Formula, *arrays: Array) -> Array:
    """Evaluate an elementwise formula in float64; the result has the dtype and the layout of the first array.

    In float32 every step of the formula would round; in float64 only what comes out at the end does.
    """
    return _evaluate(formula, np.dtype(np.float64), arrays)


def total(formula: Callable[..., Term], axes: tuple[int, ...], *arrays: Array) -> Array:
    """Sum an elementwise formula along axes, which stay with sides of 1; the result is in float64.

    Of two arrays that it returns the products are summed, which themselves are nowhere. Added one by one in
    float32, a million numbers would lose their last three digits; so some hundred are, and all else in float64.
    """
    return totals(lambda *parts: [formula(*parts)], axes, *arrays)[0]


def totals(formula: Callable[..., Sequence[Term]], axes: tuple[int, ...], *arrays: Array) -> list[Array]:
    """Sum several elementwise formulas, which one function returns, reading the arrays once; see ``total``."""
    slabs, arrays = list(_slabs(arrays[0])), _meeting(arrays, arrays[0].dtype)

    def add_up(part: slice) -> list[Array]:
        sums: list[Array] = []
        for slab in slabs[part]:
            results = formula(*_parts(arrays, slab, arrays[0].dtype))
            sums = sums or [_zeros(arrays[0], axes) for _ in results]
            for into, result in zip(sums, results, strict=True):
                into[_of(into, slab)] += _sum(result, axes)
        return sums

    return [reduce(np.add, parts) for parts in zip(*split(add_up, len(slabs)), strict=True)]


def _zeros(x: Array, axes: tuple[int, ...]) -> Array:
    """Make room for what is summed along axes."""
    return np.zeros([1 if axis in axes else side for axis, side in enumerate(x.shape)])


def _evaluate(formula: Formula, dtype: np.dtype[Any], arrays: tuple[Array, ...]) -> Array:
    result = np.empty_like(arrays[0])
    slabs, arrays = list(_slabs(result)), _meeting(arrays, dtype)

    def fill(part: slice) -> None:
        for slab in slabs[part]:
            result[slab] = formula(*_parts(arrays, slab, dtype))

    split(fill, len(slabs))
    return result


def _meeting(arrays: tuple[Array, ...], dtype: np.dtype[Any]) -> tuple[Array, ...]:
    """Write what is repeated out, so that it meets the first array in long loops."""
    return arrays[0], *(spread(array.astype(dtype, copy=False), arrays[0]) for array in arrays[1:])


def _sum(term: Term, axes: tuple[int, ...]) -> Array:
    """Sum a slab, or the products of two: along axes of near neighbours in their own dtype, all else in float64."""
    factors = term if isinstance(term, tuple) else (term,)
    shape, kept, count = factors[0].shape, [*range(factors[0].ndim)], 1
    every, order = ascii_letters[: len(kept)], nearest_first(factors[0])
    most = RUN if order and order[0] in axes else FEW
    for axis in order:
        if axis in axes and count * shape[axis] <= most:
            kept.remove(axis)
            count *= shape[axis]
    sums = np.einsum(f"{','.join([every] * len(factors))}->{''.join(every[axis] for axis in kept)}", *factors)
    far = tuple(place for place, axis in enumerate(kept) if axis in axes)
    total: Array = np.asarray(sums).sum(far, np.float64)
    return total.reshape([1 if axis in axes else side for axis, side in enumerate(shape)])


def _parts(arrays: tuple[Array, ...], slab: Slab, dtype: np.dtype[Any]) -> list[Array]:
    """Return what arrays have in a slab."""
    return [array[_of(array, slab)].astype(dtype, copy=False) for array in arrays]


def _of(array: Array, slab: Slab) -> Slab:
    """Return where in an array a slab is: all of an axis where the array is repeated."""
    return tuple(slice(None) if side == 1 else part for side, part in zip(array.shape, slab, strict=False))


def _slabs(x: Array) -> Iterator[Slab]:
    """Cut an array along the axes that are outermost in memory, as far as needed; without numbers it is one slab."""
    steps, size = list(x.shape), x.size
    for axis in reversed(nearest_first(x)):
        if size > SLAB:
            size //= steps[axis]
            steps[axis] = max(1, SLAB // size)
            size *= steps[axis]
    starts = (range(0, max(1, length), max(1, step)) for length, step in zip(x.shape, steps, strict=True))
    for corner in itertools.product(*starts):
        yield tuple(slice(start, start + step) for start, step in zip(corner, steps, strict=True))
