"""Smooth steps, the non-linearities before ReLU: from 0 to 1, and from -1 to 1."""

from __future__ import annotations

import numpy as np

from ..kernels.slabs import rounded_once
from .arrays import Array
from .layer import Layer


class Sigmoid(Layer):
    """``y = 1 / (1 + exp(-x))``, elementwise; ``dx = dy y (1 - y)``.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Sigmoid()
    >>> layer(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    >>> layer.backward(np.array([8.0, 8.0, 8.0]))
    array([0., 2., 0.])
    """

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        y = rounded_once(lambda x: 1 / (1 + np.exp(-x)), x)
        self.remember(y, y)
        return y

    def backward(self, dy: Array) -> Array:
        (y,) = self.recall(dy)
        return rounded_once(lambda dy, y: dy * (1 - y) * y, dy, y)


class Tanh(Layer):
    """``y = tanh(x)``, elementwise; ``dx = dy (1 - y^2)``.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Tanh()
    >>> layer(np.array([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    >>> layer.backward(np.array([8.0, 8.0, 8.0]))
    array([0., 8., 0.])
    """

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        y = rounded_once(np.tanh, x)
        self.remember(y, y)
        return y

    def backward(self, dy: Array) -> Array:
        (y,) = self.recall(dy)
        return rounded_once(lambda dy, y: dy * (1 - y * y), dy, y)
