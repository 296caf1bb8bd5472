"""Reshaping without arithmetic: images become vectors between the convolutions and the matrices."""

from __future__ import annotations

import math
from typing import Any

from ..kernels.layout import merged
from .arguments import integer
from .arrays import Array
from .axes import axis_of
from .errors import ShapeError
from .layer import Layer


class Flatten(Layer):
    """Merge the axes from ``start_dim`` to ``end_dim`` into one, in row-major order.

    (N, C, H, W) becomes (N, C H W) by default; a scalar becomes (1,). The gradient takes the shape
    of x again.

    Parameters
    ----------
    start_dim, end_dim : int
        The first and the last axis to merge; negative ones count from the back.

    Raises
    ------
    ValueError
        In forward, if x has no such axes, or the last comes before the first.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Flatten()
    >>> layer(np.arange(8.0).reshape(2, 2, 1, 2))
    array([[0., 1., 2., 3.],
           [4., 5., 6., 7.]])
    >>> layer.backward(np.ones((2, 4))).shape
    (2, 2, 1, 2)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        self.start_dim = integer("Flatten", "start_dim", start_dim)
        self.end_dim = integer("Flatten", "end_dim", end_dim)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        axes = max(x.ndim, 1)  # a scalar has one axis here, as in PyTorch
        start, end = axis_of(self, x, self.start_dim, axes), axis_of(self, x, self.end_dim, axes)
        if start > end:
            raise ShapeError(
                self,
                f"expected axis {self.start_dim} not to come after axis {self.end_dim}, got x of shape {x.shape}",
            )
        count = math.prod(x.shape[start : end + 1])  # not -1, which an empty batch leaves open
        y = merged(x, (*x.shape[:start], count, *x.shape[end + 1 :]))
        self.remember(y, x.shape)
        return y

    def backward(self, dy: Array) -> Array:
        (shape,) = self.recall(dy)
        return merged(dy, shape)


class Identity(Layer):
    """``y = x``: holds a place in a model, or is the short cut around a branch.

    Parameters
    ----------
    *args, **kwargs
        Ignored, so that it can take the place of any layer.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.Identity()(np.array([1.0, 2.0]))
    array([1., 2.])
    """

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        self.remember(x)
        return x

    def backward(self, dy: Array) -> Array:
        self.recall(dy)
        return dy

    def __repr__(self) -> str:
        return "Identity()"
