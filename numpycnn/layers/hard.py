"""Activations that are straight pieces, cheap to compute on small machines: tanh, sigmoid and SiLU made hard."""

from __future__ import annotations

import math

import numpy as np

from ..kernels.rectify import keep
from .arguments import number
from .arrays import Array
from .layer import Layer


class Hardtanh(Layer):
    """``y = min(max(x, min_val), max_val)``, elementwise; the derivative is 1 between the two, else 0, so at both ends.

    Where x is NaN, so is y, and dx is dy (Collobert, 2004).

    Parameters
    ----------
    min_val, max_val : float
        The smallest and the largest y.

    Raises
    ------
    ValueError
        Unless max_val is the larger one.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Hardtanh()
    >>> layer(np.array([-2.0, -1.0, 0.5, 3.0]))
    array([-1. , -1. ,  0.5,  1. ])
    >>> layer.backward(np.array([5.0, 6.0, 7.0, 8.0]))
    array([0., 0., 7., 0.])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0):
        self.min_val = number("Hardtanh", "min_val", min_val, -math.inf)
        self.max_val = number("Hardtanh", "max_val", max_val, -math.inf)
        if not self.min_val < self.max_val:
            raise ValueError(f"Hardtanh: expected max_val above min_val={min_val!r}, got {max_val!r}")

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        y = np.asarray(np.clip(x, self.min_val, self.max_val))
        self.remember(y, y)
        return y

    def backward(self, dy: Array) -> Array:
        (y,) = self.recall(dy)
        return keep(dy, ~((y <= self.min_val) | (y >= self.max_val)))


class ReLU6(Hardtanh):
    """``y = min(max(x, 0), 6)``, elementwise; the derivative is 1 between 0 and 6, else 0, so at both ends.

    The bound keeps numbers exact enough for arithmetic with few bits (Krizhevsky, 2010; Sandler et
    al., 2018, section 3.2).

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.ReLU6()
    >>> layer(np.array([-1.0, 2.0, 7.0]))
    array([0., 2., 6.])
    >>> layer.backward(np.array([5.0, 6.0, 7.0]))
    array([0., 6., 0.])
    """

    def __init__(self) -> None:
        super().__init__(0.0, 6.0)


class Hardsigmoid(Layer):
    """``y = min(max(x + 3, 0), 6) / 6``, elementwise; the derivative is 1 / 6 for -3 < x < 3, else 0.

    A sigmoid of straight pieces (Howard et al., 2019, section 5.2).

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Hardsigmoid()
    >>> layer(np.array([-4.0, 0.0, 3.0]))
    array([0. , 0.5, 1. ])
    >>> layer.backward(np.array([12.0, 12.0, 12.0]))
    array([0., 2., 0.])
    """

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        y = np.asarray(np.clip(x + 3, 0, 6) / 6)
        self.remember(y, (x > -3) & (x < 3))
        return y

    def backward(self, dy: Array) -> Array:
        (between,) = self.recall(dy)
        return keep(np.asarray(dy / 6), between)


class Hardswish(Layer):
    """``y = x min(max(x + 3, 0), 6) / 6``, elementwise: SiLU with a hard sigmoid (Howard et al., 2019, section 5.2).

    The derivative is ``x / 3 + 1 / 2`` for -3 < x < 3, 0 up to -3, and 1 from 3 on.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Hardswish()
    >>> layer(np.array([-3.0, 0.0, 1.5, 4.0]))
    array([-0.   ,  0.   ,  1.125,  4.   ])
    >>> layer.backward(np.array([2.0, 2.0, 2.0, 2.0]))
    array([0., 1., 2., 2.])
    """

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        y = np.asarray(x * np.clip(x + 3, 0, 6) / 6)
        self.remember(y, x)
        return y

    def backward(self, dy: Array) -> Array:
        (x,) = self.recall(dy)
        dx = np.where(x < 3, dy * (x / 3 + 0.5), dy)
        return keep(dx, ~(x <= -3))
