"""Scaling by learned numbers: a branch says by itself how much of it is wanted, and begins with little."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .arguments import number, shape_of
from .arrays import Array, float_dtype
from .broadcast import sum_to
from .errors import ShapeError
from .layer import Layer
from .parameter import Parameter


class Scale(Layer):
    """``y = w x`` with learned w, which is repeated along the axes where its side is 1, and in front.

    ``dx = w dy``, and dw is the sum of ``x dy`` over what w was repeated for. With w of shape
    (C, 1, 1) and small at first, at the end of a residual branch, this is LayerScale (Touvron et
    al., 2021, section 2.1).

    Parameters
    ----------
    shape : sequence of int
        The shape of w.
    init : float
        What each w is at first.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    weight : Parameter
        w. A block may name it as it likes: ``self.layer_scale = scale.weight``.

    Raises
    ------
    ValueError
        In forward, if w does not fit x, or would make it larger.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Scale((2, 1, 1), 0.5)
    >>> layer(np.array([[[[1, 2]], [[3, 4]]]], np.float32))
    array([[[[0.5, 1. ]], [[1.5, 2. ]]]], dtype=float32)
    >>> layer.backward(np.ones((1, 2, 1, 2), np.float32)).ravel()
    array([0.5, 0.5, 0.5, 0.5], dtype=float32)
    >>> layer.weight.grad.ravel()
    array([3., 7.], dtype=float32)
    """

    def __init__(self, shape: Sequence[int], init: float = 1.0, *, dtype: npt.DTypeLike = np.float32):
        self.shape = shape_of("Scale", "shape", shape, 1)
        self.init = number("Scale", "init", init, -math.inf)
        with np.errstate(over="ignore"):  # what is too large for float32 becomes inf
            self.weight = Parameter(np.full(self.shape, self.init, float_dtype(dtype)))

    def forward(self, x: Array) -> Array:
        self._check(x)
        y = np.asarray(self.weight.data * x)
        self.remember(y, x)
        return y

    def backward(self, dy: Array) -> Array:
        (x,) = self.recall(dy)
        self.weight.add_grad(sum_to(self.shape, dy, x))
        return np.asarray(self.weight.data * dy)

    def _check(self, x: Array) -> None:
        self.check_array(x)
        sides = x.shape[x.ndim - len(self.shape) :]
        if len(self.shape) > x.ndim or any(w not in (1, side) for w, side in zip(self.shape, sides, strict=True)):
            raise ShapeError(self, f"expected x that w of shape {self.shape} can be repeated for, got shape {x.shape}")
        self.check_dtype(x, self.weight.data.dtype)
