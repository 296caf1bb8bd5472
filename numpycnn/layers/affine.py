"""Numbers scaled and shifted by constants: nothing is learned, as where images are brought to a network's scale."""

from __future__ import annotations

import numpy as np

from .arguments import number
from .arrays import Array
from .layer import Layer


class Affine(Layer):
    """``y = scale x + shift``, elementwise, with two constants; ``dx = scale dy``.

    Parameters
    ----------
    scale, shift : float
        The constants.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Affine(2.0, -1.0)
    >>> layer(np.array([0.0, 0.5, 1.0]))
    array([-1.,  0.,  1.])
    >>> layer.backward(np.ones(3))
    array([2., 2., 2.])
    """

    def __init__(self, scale: float = 1.0, shift: float = 0.0):
        self.scale = number("Affine", "scale", scale, -np.inf)
        self.shift = number("Affine", "shift", shift, -np.inf)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        y = np.asarray(x * self.scale + self.shift)
        self.remember(y)
        return y

    def backward(self, dy: Array) -> Array:
        self.recall(dy)
        return np.asarray(dy * self.scale)
