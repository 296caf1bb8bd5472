"""Dropout: in training something may be missing, so that the network cannot rely on any single part of itself."""

from __future__ import annotations

import numpy as np

from .arguments import choice, number
from .arrays import Array
from .errors import ShapeError
from .init import Seed, generator
from .layer import Layer


class Dropping(Layer):
    """``y = x * mask / (1 - p)`` in training, where each entry of the mask is 0 with probability p, else 1.

    A kind of dropping says in which shape the mask is drawn: what shares an entry of it is dropped together.
    """

    def __init__(self, p: float, rng: Seed):
        self.p = number(type(self).__name__, "p", p, 0, 1)
        self._rng = generator(rng)

    def mask_shape(self, x: Array) -> tuple[int, ...]:
        """Return how many entries the mask has along each axis of x: its length, or 1."""
        raise NotImplementedError(f"{type(self).__name__} defines no mask_shape")

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        if not self.training or self.p == 0:
            self.remember(x, None)
            return x
        keep = np.asarray(self._rng.random(self.mask_shape(x)) >= self.p)
        mask = keep.astype(x.dtype) * (1 / (1 - self.p) if self.p < 1 else 0.0)
        y = np.asarray(x * mask)
        self.remember(y, mask)
        return y

    def backward(self, dy: Array) -> Array:
        (mask,) = self.recall(dy)
        return dy if mask is None else np.asarray(dy * mask)


class Dropout(Dropping):
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
        super().__init__(p, rng)

    def mask_shape(self, x: Array) -> tuple[int, ...]:
        return x.shape


class Dropout2d(Dropping):
    """Drop whole channels of images, whose pixels resemble each other: as ``Dropout``, with a mask of (N, C, 1, 1).

    Input is (N, C, H, W) (Tompson et al., 2015, section 3.2).

    Parameters
    ----------
    p : float
        In [0, 1]: how likely a channel of an image is dropped.
    rng : None, int or Generator
        Where the masks come from, a new one in every forward.

    Raises
    ------
    ValueError
        In forward, if x is no batch of images.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Dropout2d(0.5, rng=0)
    >>> layer(np.ones((1, 3, 1, 2)))
    array([[[[2., 2.]], [[0., 0.]], [[0., 0.]]]])
    >>> layer.backward(np.ones((1, 3, 1, 2)))
    array([[[[2., 2.]], [[0., 0.]], [[0., 0.]]]])
    """

    def __init__(self, p: float = 0.5, *, rng: Seed = None):
        super().__init__(p, rng)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        if x.ndim != 4:
            raise ShapeError(self, f"expected x of shape (N, C, H, W), got {x.shape}")
        return super().forward(x)

    def mask_shape(self, x: Array) -> tuple[int, ...]:
        return (*x.shape[:2], 1, 1)


class StochasticDepth(Dropping):
    """Drop a whole branch, for each sample or for all: as ``Dropout``, with a mask of (N, 1, ..., 1) or of one number.

    At the end of a residual branch it makes networks whose depth differs from batch to batch (Huang
    et al., 2016, section 3); torchvision.ops has it under this name.

    Parameters
    ----------
    p : float
        In [0, 1]: how likely the branch is dropped.
    mode : "row" or "batch"
        Whether each sample is drawn for, or all together.
    rng : None, int or Generator
        Where the masks come from, a new one in every forward.

    Raises
    ------
    ValueError
        For an unknown mode; in forward, for x without a batch.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.StochasticDepth(0.5, "row", rng=0)
    >>> layer(np.ones((3, 2)))
    array([[2., 2.], [0., 0.], [0., 0.]])
    >>> layer.backward(np.ones((3, 2)))
    array([[2., 2.], [0., 0.], [0., 0.]])
    """

    def __init__(self, p: float, mode: str, *, rng: Seed = None):
        super().__init__(p, rng)
        self.mode = choice("StochasticDepth", "mode", mode, ("row", "batch"))

    def mask_shape(self, x: Array) -> tuple[int, ...]:
        if self.mode == "batch":
            return (1,) * x.ndim
        if x.ndim == 0:
            raise ShapeError(self, "expected x with a batch, got a scalar")
        return (len(x), *(1 for _ in x.shape[1:]))
