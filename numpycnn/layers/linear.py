"""The fully connected layer: a matrix on the last axis."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..kernels.product import product
from . import init
from .arguments import flag, integer
from .arrays import Array
from .errors import ShapeError
from .layer import Layer
from .parameter import Parameter


class Linear(Layer):
    """``y = x W^T + b`` on the last axis; any number of axes may stand before it.

    Parameters
    ----------
    in_features, out_features : int
        Lengths of the last axis of x and of y.
    bias : bool
        Whether b is there.
    rng : None, int or Generator
        Where the initial values come from.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    weight : Parameter
        W, of shape (out_features, in_features).
    bias : Parameter or None
        b, of shape (out_features,).

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Linear(2, 1, rng=0)
    >>> layer.load_state_dict({"weight": [[1, 2]], "bias": [3]})
    >>> layer(np.array([[10, 100]], np.float32))
    array([[213.]], dtype=float32)
    >>> layer.backward(np.array([[1]], np.float32)), layer.weight.grad
    (array([[1., 2.]], dtype=float32), array([[ 10., 100.]], dtype=float32))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: init.Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        self.in_features = integer("Linear", "in_features", in_features, 0)
        self.out_features = integer("Linear", "out_features", out_features, 0)
        rng = init.generator(rng)
        self.weight = init.uniform((self.out_features, self.in_features), self.in_features, rng, dtype)
        self.bias: Parameter | None = None
        if flag("Linear", "bias", bias):
            self.bias = init.uniform((self.out_features,), self.in_features, rng, dtype)

    def forward(self, x: Array) -> Array:
        self._check(x)
        y = product(x, self.weight.data.T, "A")
        if self.bias is not None:
            y = y + self.bias.data
        self.remember(y, x)
        return y

    def backward(self, dy: Array) -> Array:
        self.backward_parameters(dy)
        return product(dy, self.weight.data, "A")

    def backward_parameters(self, dy: Array) -> None:
        (x,) = self.recall(dy)
        count = math.prod(x.shape[:-1])  # which -1 cannot find out where there are no features
        rows_x, rows_dy = x.reshape(count, self.in_features), dy.reshape(count, self.out_features)
        self.weight.add_grad(product(rows_dy.T, rows_x))
        if self.bias is not None:
            self.bias.add_grad(rows_dy.sum(0))

    def _check(self, x: Array) -> None:
        self.check_array(x)
        if x.ndim == 0:
            raise ShapeError(self, "expected x with at least one axis, got a scalar")
        self.check_channels(x, -1, self.in_features, "features on the last axis")
        self.check_dtype(x, self.weight.data.dtype)
