"""Group normalisation: groups of channels get mean 0 and variance 1 in each sample, however small the batch."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .arguments import flag, integer, number
from .arrays import Array, float_dtype
from .errors import ShapeError
from .layer import Layer
from .parameter import Parameter
from .standardize import ONE, ZERO, Standardized, moments, weighted


class GroupNorm(Layer):
    """``y = w x_hat + b`` with ``x_hat = (x - mean) / sqrt(var + eps)``, mean and var for each group of channels.

    They are taken over the channels of the group and all that follows, in each sample; w and b are for
    each channel. ``dx = (g - mean of g - x_hat * mean of (g x_hat)) / sqrt(var + eps)`` with
    ``g = w dy`` (Wu and He, 2018, section 3.1). Input is (N, C, ...).

    Parameters
    ----------
    num_groups : int
        How many groups the channels are divided into.
    num_channels : int
        C.
    eps : float
        Keeps equal numbers from being divided by zero.
    affine : bool
        Whether w and b are there.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    weight, bias : Parameter or None
        w and b, of shape (C,); ones and zeros at first.

    Raises
    ------
    ValueError
        For arguments out of range, or channels that cannot be divided into the groups; in forward, for
        other channels, and where each mean would be that of a single number.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.GroupNorm(2, 4)
    >>> layer(np.array([[1, 3, 10, 50]], np.float32)).round(3)
    array([[-1.,  1., -1.,  1.]], dtype=float32)
    >>> layer.backward(np.ones((1, 4), np.float32))
    array([[0., 0., 0., 0.]], dtype=float32)
    >>> layer.bias.grad
    array([1., 1., 1., 1.], dtype=float32)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: npt.DTypeLike = np.float32,
    ):
        self.num_groups = integer("GroupNorm", "num_groups", num_groups, 1)
        self.num_channels = integer("GroupNorm", "num_channels", num_channels, 1)
        if self.num_channels % self.num_groups:
            raise ValueError(
                f"GroupNorm: expected num_channels to be divisible by num_groups={num_groups}, got {num_channels}"
            )
        self.eps = number("GroupNorm", "eps", eps, 0)
        self.affine = flag("GroupNorm", "affine", affine)
        dtype = float_dtype(dtype)
        self.weight = Parameter(np.ones(self.num_channels, dtype)) if affine else None
        self.bias = Parameter(np.zeros(self.num_channels, dtype)) if affine else None

    def forward(self, x: Array) -> Array:
        self._check(x)
        groups = self._grouped(x)
        mean, var = moments(groups, (2, 3))
        x_hat = Standardized(groups, mean, 1 / np.sqrt(var + self.eps))
        y = x_hat.affine(self._meeting(self.weight, ONE), self._meeting(self.bias, ZERO)).reshape(x.shape)
        self.remember(y, x_hat)
        return y

    def backward(self, dy: Array) -> Array:
        (x_hat,) = self.recall(dy)
        groups = self._grouped(dy)
        if self.weight is not None and self.bias is not None:
            db, dw = x_hat.sums(groups, (0, 3))
            self.weight.add_grad(dw.ravel().astype(dy.dtype))
            self.bias.add_grad(db.ravel().astype(dy.dtype))
        groups, count = weighted(groups, self._meeting(self.weight, ONE)), math.prod(groups.shape[2:])
        shift, stretch = x_hat.sums(groups, (2, 3))
        dx: Array = x_hat.adjoint(groups, shift / count, stretch / count)
        return dx.reshape(dy.shape)

    def _grouped(self, x: Array) -> Array:
        """See the groups of channels, and all that follows as one axis: (N, C, ...) -> (N, G, C / G, ...)."""
        return x.reshape(len(x), self.num_groups, self.num_channels // self.num_groups, math.prod(x.shape[2:]))

    def _meeting(self, own: Parameter | None, otherwise: Array) -> Array:
        """Let one number per channel meet the groups: (C,) -> (1, G, C / G, 1)."""
        return otherwise if own is None else own.data.reshape(1, self.num_groups, -1, 1)

    def _check(self, x: Array) -> None:
        self.check_array(x)
        if x.ndim < 2:
            raise ShapeError(self, f"expected x with at least two axes, (N, C, ...), got shape {x.shape}")
        self.check_channels(x, 1, self.num_channels)
        if 0 in x.shape[2:]:
            raise ShapeError(self, f"expected channels that hold a number at least, got x of shape {x.shape}")
        if x.size == self.num_groups:
            raise ShapeError(
                self, f"expected more than one number per group to take statistics of, got x of shape {x.shape}"
            )
        if self.weight is not None:
            self.check_dtype(x, self.weight.data.dtype)
