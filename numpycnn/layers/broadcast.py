"""The adjoint of broadcasting: what was used many times gets the sum of as many gradients."""

from __future__ import annotations

import math

import numpy as np

from ..kernels.slabs import total
from .arrays import Array


def sum_to(shape: tuple[int, ...], *factors: Array) -> Array:
    """Sum a product over the axes along which an array of this shape was repeated; missing ones stand in front.

    The factors have the shape of the first, or sides of 1. Both sums and what is summed are in float64.
    """
    first = factors[0]
    added = first.ndim - len(shape)
    repeated = [axis + added for axis, side in enumerate(shape) if side == 1 and first.shape[axis + added] != 1]
    if not added and not repeated:
        return np.asarray(math.prod(factors[1:], start=first))

    def product(first: Array, *others: Array) -> Array:
        return math.prod(others, start=first.astype(np.float64))

    return total(product, (*range(added), *repeated), *factors).astype(first.dtype).reshape(shape)
