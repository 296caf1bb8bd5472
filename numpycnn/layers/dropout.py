"""Dropout: in training each number may be missing, so that the network cannot rely on any single one."""

from __future__ import annotations

import numpy as np

from .arguments import number
from .init import Seed
from .layer import Array, Layer


class Dropout(Layer):
    """``y = x * mask / (1 - p)`` in training, where each entry of the mask is 0 with probability p, else 1.

    What is kept grows by 1 / (1 - p), so that the expected y is x; in evaluation mode ``y = x``
    (Srivastava et al., 2014, section 10).

    Parameters
    ----------
    p : float
        In [0, 1]: how likely an entry is dropped.
    rng : None, int or Generator
        Where the masks come from, a new one in every forward.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Dropout(0.5, rng=0)
    >>> layer(np.ones(6))
    array([2., 0., 0., 0., 2., 2.])
    >>> layer.backward(np.ones(6))
    array([2., 0., 0., 0., 2., 2.])
    >>> layer.eval()(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, *, rng: Seed = None):
        self.p = number("Dropout", "p", p, 0, 1)
        self._rng = np.random.default_rng(rng)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        if not self.training:
            self.remember(x, None)
            return x
        keep = np.asarray(self._rng.random(x.shape) >= self.p)
        mask = keep.astype(x.dtype) * (1 / (1 - self.p) if self.p < 1 else 0.0)
        y = np.asarray(x * mask)
        self.remember(y, mask)
        return y

    def backward(self, dy: Array) -> Array:
        (mask,) = self.recall(dy)
        return dy if mask is None else np.asarray(dy * mask)
