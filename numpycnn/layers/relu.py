"""Rectifiers: the identity for positive numbers, (almost) nothing for negative ones."""

from __future__ import annotations

import math

import numpy as np

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
        y = np.asarray(np.maximum(x, 0))
        self.remember(y, y)
        return y

    def backward(self, dy: Array) -> Array:
        (y,) = self.recall(dy)
        return np.where(y <= 0, 0, dy)  # not dy * (y > 0): 0 * inf would be NaN, and a NaN in y passes dy on


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
        self.negative_slope = number("LeakyReLU", "negative_slope", negative_slope, -math.inf)

    @np.errstate(all="ignore")  # NaN and inf pass as in PyTorch: inf * 0 is NaN
    def forward(self, x: Array) -> Array:
        self.check_array(x)
        positive = np.asarray(x > 0)
        y = np.where(positive, x, x * self.negative_slope)
        self.remember(y, positive)
        return y

    @np.errstate(all="ignore")
    def backward(self, dy: Array) -> Array:
        (positive,) = self.recall(dy)
        return np.where(positive, dy, dy * self.negative_slope)
