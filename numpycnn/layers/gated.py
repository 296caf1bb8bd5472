"""Gated activations: x times how much of it is let through, which x itself decides, smoothly."""

from __future__ import annotations

import math

import numpy as np

from ..kernels.erf import erf
from ..kernels.slabs import rounded_once
from .arguments import choice
from .arrays import Array
from .layer import Layer

SLOPE, CUBIC = math.sqrt(2 / math.pi), 0.044715  # of the argument of tanh in GELU's approximation


class SiLU(Layer):
    """``y = x s`` with ``s = 1 / (1 + exp(-x))``, elementwise; ``dx = dy s (1 + x (1 - s))``.

    Also called swish (Elfwing et al., 2018, section 2.1; Ramachandran et al., 2017).

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.SiLU()
    >>> layer(np.array([-1.0, 0.0, 100.0]))
    array([ -0.26894142,   0.        , 100.        ])
    >>> layer.backward(np.array([0.0, 1.0, 1.0]))
    array([0. , 0.5, 1. ])
    """

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        y = rounded_once(lambda x: x / (1 + np.exp(-x)), x)
        self.remember(y, x)
        return y

    def backward(self, dy: Array) -> Array:
        (x,) = self.recall(dy)

        def formula(dy: Array, x: Array) -> Array:
            s = 1 / (1 + np.exp(-x))
            return dy * s * (1 + x * (1 - s))

        return rounded_once(formula, dy, x)


class GELU(Layer):
    """``y = x P``, elementwise, P the probability that a standard normal number is below x.

    ``P = (1 + erf(x / sqrt(2))) / 2``, and ``dx = dy (P + x p)`` with its density
    ``p = exp(-x^2 / 2) / sqrt(2 pi)`` (Hendrycks and Gimpel, 2016, section 2).

    Parameters
    ----------
    approximate : "none" or "tanh"
        With "tanh", P is ``(1 + tanh(u)) / 2``, which is nearly the same, with
        ``u = sqrt(2 / pi) (x + 0.044715 x^3)``; then p is ``(1 - tanh(u)^2) / 2 * du/dx``.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.GELU()
    >>> layer(np.array([-1.0, 0.0, 100.0]))
    array([ -0.15865525,   0.        , 100.        ])
    >>> layer.backward(np.array([0.0, 1.0, 1.0]))
    array([-0. ,  0.5,  1. ])
    """

    def __init__(self, approximate: str = "none"):
        self.approximate = choice("GELU", "approximate", approximate, ("none", "tanh"))

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        if self.approximate == "tanh":
            let_through = (1 + np.tanh(SLOPE * (x + CUBIC * x * x * x))) / 2
        else:
            let_through = (1 + erf(np.asarray(x / math.sqrt(2)))) / 2
        y = np.asarray(x * let_through)
        self.remember(y, x, let_through)
        return y

    def backward(self, dy: Array) -> Array:
        x, let_through = self.recall(dy)
        if self.approximate == "tanh":  # 1 - tanh^2 = 4 P (1 - P)
            density = 2 * let_through * (1 - let_through) * SLOPE * (1 + 3 * CUBIC * x * x)
        else:
            density = np.exp(x * x / -2) / math.sqrt(2 * math.pi)
        return np.asarray(dy * (let_through + x * density))
