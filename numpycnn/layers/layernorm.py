"""Layer normalisation: every sample, or every place of it, gets mean 0 and variance 1 over its own features."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .arguments import addressable, flag, integer, number
from .arrays import Array, float_dtype
from .errors import ShapeError
from .layer import Layer
from .parameter import Parameter
from .standardize import ONE, ZERO, Standardized, moments, weighted


class LayerNorm(Layer):
    """``y = w x_hat + b`` with ``x_hat = (x - mean) / sqrt(var + eps)``; mean and var are those of the last axes of x.

    ``dx = (g - mean of g - x_hat * mean of (g x_hat)) / sqrt(var + eps)`` with ``g = w dy`` (Ba, Kiros and
    Hinton, 2016, section 3).

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The lengths of the last axes; as many are normalised together.
    eps : float
        Keeps equal numbers from being divided by zero.
    elementwise_affine : bool
        Whether w and b are there.
    bias : bool
        Whether b is there, if w is.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    weight, bias : Parameter or None
        w and b, of the normalized shape; ones and zeros at first.

    Raises
    ------
    ValueError
        For arguments out of range; in forward, for x whose last axes have other lengths.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.LayerNorm(2)
    >>> layer(np.array([[1, 3], [10, 50]], np.float32)).round(3)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    >>> layer.backward(np.ones((2, 2), np.float32))
    array([[0., 0.],
           [0., 0.]], dtype=float32)
    >>> layer.bias.grad
    array([2., 2.], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike = np.float32,
    ):
        sides = normalized_shape if isinstance(normalized_shape, Sequence) else [normalized_shape]
        self.normalized_shape = tuple(integer("LayerNorm", "normalized_shape", side, 1) for side in sides)
        if not self.normalized_shape:
            raise ValueError("LayerNorm: expected normalized_shape to have a side at least, got ()")
        self.eps = number("LayerNorm", "eps", eps, 0)
        self.elementwise_affine = flag("LayerNorm", "elementwise_affine", elementwise_affine)
        dtype = float_dtype(dtype)
        addressable("LayerNorm", "weights", self.normalized_shape)
        has_bias = flag("LayerNorm", "bias", bias) and self.elementwise_affine
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if self.elementwise_affine else None
        self.bias = Parameter(np.zeros(self.normalized_shape, dtype)) if has_bias else None

    def forward(self, x: Array) -> Array:
        self._check(x)
        mean, var = moments(x, self._axes(x)[1])
        x_hat = Standardized(x, mean, 1 / np.sqrt(var + self.eps))
        y = x_hat.affine(self._meeting(x, self.weight, ONE), self._meeting(x, self.bias, ZERO))
        self.remember(y, x_hat)
        return y

    def backward(self, dy: Array) -> Array:
        (x_hat,) = self.recall(dy)
        others, axes = self._axes(dy)
        if self.weight is not None:
            db, dw = x_hat.sums(dy, others)
            self.weight.add_grad(dw.reshape(self.normalized_shape).astype(dy.dtype))
            if self.bias is not None:
                self.bias.add_grad(db.reshape(self.normalized_shape).astype(dy.dtype))
        dy, count = weighted(dy, self._meeting(dy, self.weight, ONE)), math.prod(self.normalized_shape)
        shift, stretch = x_hat.sums(dy, axes)
        dx: Array = x_hat.adjoint(dy, shift / count, stretch / count)
        return dx

    def _axes(self, x: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the axes that are not normalised, and those that are, the last ones."""
        first = x.ndim - len(self.normalized_shape)
        return tuple(range(first)), tuple(range(first, x.ndim))

    def _meeting(self, x: Array, own: Parameter | None, otherwise: Array) -> Array:
        """Give w or b the axes of x."""
        return otherwise if own is None else own.data.reshape([1] * (x.ndim - own.data.ndim) + [*own.data.shape])

    def _check(self, x: Array) -> None:
        self.check_array(x)
        if x.shape[x.ndim - len(self.normalized_shape) :] != self.normalized_shape:
            raise ShapeError(self, f"expected x whose last axes are {self.normalized_shape}, got shape {x.shape}")
        if self.weight is not None:
            self.check_dtype(x, self.weight.data.dtype)
