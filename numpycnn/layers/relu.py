"""Rectifiers: the identity for positive numbers, (almost) nothing for negative ones."""

from __future__ import annotations

import math
import sys

import numpy as np
import numpy.typing as npt

from ..kernels.rectify import relu, relu_adjoint
from .arguments import addressable, integer, number
from .arrays import Array, float_dtype
from .errors import ShapeError
from .layer import Layer
from .parameter import Parameter


class ReLU(Layer):
    """``y = max(x, 0)``, elementwise; the derivative at 0 is 0.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.ReLU()
    >>> layer(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> layer.backward(np.array([5.0, 6.0, 7.0]))
    array([0., 0., 7.])
    """

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        y = relu(x)
        self.remember(y, y)
        return y

    def backward(self, dy: Array) -> Array:
        (y,) = self.recall(dy)
        return relu_adjoint(dy, y)


class LeakyReLU(Layer):
    """``y = x`` where x > 0, else ``negative_slope * x``, elementwise; so the derivative (Maas et al., 2013).

    Parameters
    ----------
    negative_slope : float
        What is left of negative numbers, and of the gradient where x <= 0.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.LeakyReLU(0.5)
    >>> layer(np.array([-1.0, 0.0, 2.0]))
    array([-0.5,  0. ,  2. ])
    >>> layer.backward(np.array([5.0, 6.0, 7.0]))
    array([2.5, 3. , 7. ])
    """

    def __init__(self, negative_slope: float = 0.01):
        largest = sys.float_info.max
        self.negative_slope = number("LeakyReLU", "negative_slope", negative_slope, -largest, largest)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        positive = np.asarray(x > 0).astype(x.dtype)
        slope = positive + self.negative_slope * (1 - positive)
        y = np.asarray(x * slope)
        self.remember(y, slope)
        return y

    def backward(self, dy: Array) -> Array:
        (slope,) = self.recall(dy)
        return np.asarray(dy * slope)


class PReLU(Layer):
    """``y = x`` where x > 0, else ``a x``, elementwise, with a slope a that is learned, one for all or one a channel.

    ``dx`` is dy where x > 0, else ``a dy``; ``da`` is the sum of ``x dy`` over all other x (He et
    al., 2015, section 2.1).

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels, the length of axis 1 of x.
    init : float
        What each a is at first.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    weight : Parameter
        a, of shape (num_parameters,).

    Raises
    ------
    ValueError
        In forward, for several parameters and another number of channels.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.PReLU()
    >>> layer(np.array([[-4.0, 0.0, 2.0]], np.float32))
    array([[-1.,  0.,  2.]], dtype=float32)
    >>> layer.backward(np.array([[4.0, 8.0, 1.0]], np.float32))
    array([[1., 2., 1.]], dtype=float32)
    >>> layer.weight.grad
    array([-16.], dtype=float32)
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: npt.DTypeLike = np.float32):
        count = integer("PReLU", "num_parameters", num_parameters, 1)
        addressable("PReLU", "weights", (count,))
        self.init = number("PReLU", "init", init, -math.inf)
        with np.errstate(over="ignore"):  # what is too large for float32 becomes inf
            self.weight = Parameter(np.full(count, self.init, float_dtype(dtype)))

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        slopes = self.weight.data.size
        if slopes > 1 and (x.ndim < 2 or x.shape[1] != slopes):
            raise ShapeError(self, f"expected {slopes} channels on axis 1, got x of shape {x.shape}")
        self.check_dtype(x, self.weight.data.dtype)
        y = np.where(x > 0, x, self._slopes(x) * x)
        self.remember(y, x)
        return y

    def backward(self, dy: Array) -> Array:
        (x,) = self.recall(dy)
        shares = np.where(x > 0, 0, x * dy)  # of each number in the gradient of its slope
        others = None if self.weight.data.size == 1 else tuple(axis for axis in range(x.ndim) if axis != 1)
        self.weight.add_grad(np.asarray(shares.sum(others)).reshape(-1))
        return np.where(x > 0, dy, self._slopes(x) * dy)

    def _slopes(self, x: Array) -> Array:
        """Let the slopes meet x: (C,) -> (C, 1, ..., 1); one alone meets everything."""
        slopes = self.weight.data
        return slopes.reshape(()) if slopes.size == 1 else slopes.reshape(-1, *(1 for _ in x.shape[2:]))

    def __repr__(self) -> str:
        """Show the constructor call; its ``num_parameters`` is no attribute, the name being that of a method."""
        shown = [f"num_parameters={self.weight.data.size}"] if self.weight.data.size > 1 else []
        shown += [f"init={self.init}"] if self.init != 0.25 else []
        return f"PReLU({', '.join(shown)})"
