"""The mean over axes; over height and width, it is how most networks since 2014 end their features."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..kernels.slabs import total
from .arguments import flag, integer
from .arrays import Array
from .axes import axis_of
from .errors import ShapeError
from .layer import Layer


class Mean(Layer):
    """``y = sum of x over the axes / their size``; each entry's gradient is dy by the same size.

    Parameters
    ----------
    dim : int or sequence of int
        The axes; negative ones count from the back.
    keepdim : bool
        Whether they stay, with length 1.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Mean((2, 3))
    >>> layer(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[1.5, 5.5]])
    >>> layer.backward(np.array([[4.0, 8.0]]))
    array([[[[1., 1.],
             [1., 1.]],
            [[2., 2.],
             [2., 2.]]]])
    """

    def __init__(self, dim: int | Sequence[int], keepdim: bool = False):
        self.dim = _dims(dim)
        self.keepdim = flag("Mean", "keepdim", keepdim)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        dims = self.dim if isinstance(self.dim, tuple) else (self.dim,)
        axes = tuple(axis_of(self, x, dim, max(x.ndim, 1)) for dim in dims)  # a scalar has one axis, as in PyTorch
        if len({*axes}) < len(axes):
            raise ShapeError(self, f"expected axes that differ, got {self.dim} in x of shape {x.shape}")
        if x.ndim == 0:
            axes = ()
        size = math.prod(x.shape[axis] for axis in axes)
        y = np.asarray(total(lambda x: x, axes, x) / size, x.dtype)
        if not self.keepdim:
            y = y.squeeze(axes)
        self.remember(y, x.shape, axes, size)
        return y

    def backward(self, dy: Array) -> Array:
        shape, axes, size = self.recall(dy)
        kept = tuple(1 if axis in axes else side for axis, side in enumerate(shape))
        return np.broadcast_to(dy.reshape(kept) / dy.dtype.type(size), shape).copy()


def _dims(dim: int | Sequence[int]) -> int | tuple[int, ...]:
    """Parse one axis, or several."""
    if not isinstance(dim, Sequence) or isinstance(dim, str):
        return integer("Mean", "dim", dim)
    if not dim:
        raise ValueError("Mean: expected one axis or more, got none")
    return tuple(integer("Mean", "dim", axis) for axis in dim)
