"""The arrays that a layer owns: parameters are learned by gradients, buffers are not."""

from __future__ import annotations

import numpy as np

from .arrays import FLOATS, Array


class Parameter:
    """An array that is learned, and the gradient of the loss with respect to it.

    Attributes
    ----------
    data : ndarray
        The values; optimizers and ``load_state_dict`` write into this array in place.
    grad : ndarray or None
        The sum of what the backward passes since ``zero_grad`` have added; None before the first.
    """

    __slots__ = ("data", "grad")

    def __init__(self, data: Array):
        if not isinstance(data, np.ndarray) or data.dtype not in FLOATS:
            raise TypeError(f"Parameter: expected an array of dtype float32 or float64, got {data!r}")
        self.data = data
        self.grad: Array | None = None

    def add_grad(self, grad: Array) -> None:
        """Add a gradient that the caller made for this purpose and will not touch again."""
        if self.grad is None:
            self.grad = grad
        else:
            self.grad += grad

    def __repr__(self) -> str:
        return f"Parameter(shape={self.data.shape}, dtype={self.data.dtype})"


class Buffer:
    """An array that belongs to a layer's state but is not learned by gradients."""

    __slots__ = ("data",)

    def __init__(self, data: Array):
        self.data = data

    def __repr__(self) -> str:
        return f"Buffer(shape={self.data.shape}, dtype={self.data.dtype})"
