"""Rectifiers: the identity for positive numbers, (almost) nothing for negative ones."""

from __future__ import annotations

import sys

import numpy as np

from ..kernels.rectify import relu, relu_adjoint
from .arguments import number
from .layer import Array, Layer


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
