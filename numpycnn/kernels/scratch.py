"""Scratch: arrays that serve again and again within one call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .window import Array


class Scratch:
    """Arrays by name, made when they are first asked for, or when more is asked for.

    Large new arrays come from the system page by page, which takes longer than what is done in them.
    Every thread has a scratch of its own, for as long as its work takes.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.arrays: dict[str, Array] = {}

    def __call__(self, name: str, *shape: int) -> Array:
        """Return the array of this name in this shape, with whatever is in it."""
        size = math.prod(shape)
        if name not in self.arrays or self.arrays[name].size < size:
            self.arrays[name] = np.empty(size, self.dtype)
        return self.arrays[name][:size].reshape(shape)
