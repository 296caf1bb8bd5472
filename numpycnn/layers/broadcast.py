"""The adjoint of broadcasting: what was used many times gets the sum of as many gradients."""

from __future__ import annotations

from ..kernels.slabs import total
from .arrays import Array


def sum_to(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which an array of this shape was repeated; missing ones stand in front."""
    added = gradient.ndim - len(shape)
    repeated = [axis + added for axis, side in enumerate(shape) if side == 1 and gradient.shape[axis + added] != 1]
    if added or repeated:
        gradient = total(lambda numbers: numbers, (*range(added), *repeated), gradient).astype(gradient.dtype)
    return gradient.reshape(shape)
