"""Smooth rectifiers: the identity for large numbers, an exponential for negative ones."""

from __future__ import annotations

import math

import numpy as np

from ..kernels.slabs import rounded_once
from .arguments import number
from .arrays import Array
from .layer import Layer


class ELU(Layer):
    """``y = x`` where x > 0, else ``alpha (exp(x) - 1)``, elementwise; the derivative is 1, or ``alpha exp(x)``.

    At 0 it is alpha. Where x is NaN, so is y, and dx is dy (Clevert et al., 2016, section 3).

    Parameters
    ----------
    alpha : float
        Minus what y tends to for ever smaller x.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.ELU()
    >>> layer(np.array([-np.inf, 0.0, 2.0]))
    array([-1.,  0.,  2.])
    >>> layer.backward(np.array([5.0, 6.0, 7.0]))
    array([0., 6., 7.])
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = number("ELU", "alpha", alpha, -math.inf)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        y = rounded_once(lambda x: np.where(x > 0, x, self.alpha * np.expm1(x)), x)
        self.remember(y, x)
        return y

    def backward(self, dy: Array) -> Array:
        (x,) = self.recall(dy)
        return rounded_once(lambda dy, x: np.where(x <= 0, dy * (self.alpha * np.exp(x)), dy), dy, x)


class Softplus(Layer):
    """``y = log(1 + exp(beta x)) / beta``, elementwise; ``dx = dy / (1 + exp(-beta x))``.

    Where ``beta x`` is above the threshold, ``y = x`` and ``dx = dy``: from 20 on float32 sees no
    difference (Dugas et al., 2001).

    Parameters
    ----------
    beta : float
        The larger, the nearer to ReLU.
    threshold : float
        Where it becomes the identity.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Softplus()
    >>> layer(np.array([-1000.0, 0.0, 1000.0]))
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    >>> layer.backward(np.array([2.0, 2.0, 2.0]))
    array([0., 1., 2.])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        self.beta = number("Softplus", "beta", beta, -math.inf)
        self.threshold = number("Softplus", "threshold", threshold, -math.inf)

    def forward(self, x: Array) -> Array:
        self.check_array(x)

        def formula(x: Array) -> Array:
            z = self.beta * x
            smooth = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))  # log(1 + exp(z)), where exp cannot overflow
            return np.where(z > self.threshold, x, smooth / self.beta)

        y = rounded_once(formula, x)
        self.remember(y, x)
        return y

    def backward(self, dy: Array) -> Array:
        (x,) = self.recall(dy)

        def formula(dy: Array, x: Array) -> Array:
            z = self.beta * x
            return np.where(z > self.threshold, dy, dy / (1 + np.exp(-z)))

        return rounded_once(formula, dy, x)
