"""Local response normalisation: a channel that fires strongly quietens its neighbours, as in AlexNet."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

from .arguments import integer, number
from .arrays import Array
from .errors import ShapeError
from .layer import Layer


class LocalResponseNorm(Layer):
    """``y[c] = x[c] / s[c]^beta`` with ``s[c] = k + alpha / size * sum of x[j]^2 over the channels j near c``.

    Near are the ``size`` channels from ``c - size // 2`` to ``c + (size - 1) // 2``; where they
    stick out there is nothing to add. Channels are axis 1 of x, of shape (N, C, L), (N, C, H, W),
    ... (Krizhevsky et al., 2012, section 3.3, where alpha is not divided by the size).

    ``dx[c] = dy[c] / s[c]^beta - 2 alpha beta / size * x[c] * sum of dy[j] y[j] / s[j]`` over the
    channels j that c is near to.

    Parameters
    ----------
    size : int
        How many channels are summed over.
    alpha, beta, k : float
        As above.

    Raises
    ------
    ValueError
        For a size below 1; in forward, for x of fewer than three axes.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.LocalResponseNorm(2, alpha=2.0, beta=1.0)
    >>> layer(np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1)).ravel()  # 1 / 2, 2 / 6, 3 / 14
    array([0.5       , 0.33333333, 0.21428571])
    >>> layer.backward(np.array([0.0, 0.0, 14.0]).reshape(1, 3, 1)).ravel()
    array([ 0.        , -0.85714286, -0.28571429])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        self.size = integer("LocalResponseNorm", "size", size, 1)
        self.alpha = number("LocalResponseNorm", "alpha", alpha, -math.inf)
        self.beta = number("LocalResponseNorm", "beta", beta, -math.inf)
        self.k = number("LocalResponseNorm", "k", k, -math.inf)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        if x.ndim < 3:
            raise ShapeError(self, f"expected x with at least three axes, (N, C, ...), got shape {x.shape}")
        before, after = self.size // 2, (self.size - 1) // 2
        s = self.k + self.alpha / self.size * _sum_near(x * x, before, after)
        power = s**self.beta
        y = x / power
        self.remember(y, x, y, s, power)
        return y

    def backward(self, dy: Array) -> Array:
        x, y, s, power = self.recall(dy)
        before, after = self.size // 2, (self.size - 1) // 2
        shared = dy * y / power * s ** (self.beta - 1)  # dy y / s; in these steps inf gives what it gives in PyTorch
        shared = _sum_near(shared, after, before)  # c is near j seen from the other side
        return dy / power - 2 * self.alpha * self.beta / self.size * x * shared  # type: ignore[no-any-return]


def _sum_near(x: Array, before: int, after: int) -> Array:
    """Add up each channel and its neighbours: so many before it, so many after it."""
    channels = x.shape[1]
    before, after = min(before, channels), min(after, channels)  # no channel has a neighbour further away
    padded = np.pad(x, [(0, 0), (before, after)] + [(0, 0)] * (x.ndim - 2))
    return reduce(np.add, (padded[:, first : first + channels] for first in range(before + after + 1)))
