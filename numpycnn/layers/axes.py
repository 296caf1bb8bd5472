"""Axes given by number are found, or refused, in one way."""

from __future__ import annotations

from .arrays import Array
from .errors import ShapeError
from .module import Module


def axis_of(layer: Module, x: Array, dim: int, axes: int | None = None) -> int:
    """Count an axis of x, or of what has so many axes, from the front."""
    axes = x.ndim if axes is None else axes
    if not -axes <= dim < axes:
        raise ShapeError(layer, f"expected x with an axis {dim}, got shape {x.shape}")
    return dim % axes
