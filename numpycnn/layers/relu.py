"""Rectifiers: the identity for positive numbers, (almost) nothing for negative ones."""

from __future__ import annotations

import numpy as np

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
        y: Array = np.maximum(x, 0)
        self.remember(y, y)
        return y

    def backward(self, dy: Array) -> Array:
        (y,) = self.recall(dy)
        return np.where(y <= 0, 0, dy)  # not dy * (y > 0): 0 * inf would be NaN, and a NaN in y passes dy on
