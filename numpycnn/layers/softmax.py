"""Scores become probabilities, or their logarithms, by way of log-sum-exp, which cannot overflow."""

from __future__ import annotations

import numpy as np

from .arguments import integer
from .arrays import Array
from .axes import axis_of
from .layer import Layer


class Softmax(Layer):
    """``y_i = exp(x_i) / sum over j of exp(x_j)`` along one axis; ``dx_i = y_i (dy_i - sum over j of dy_j y_j)``.

    Parameters
    ----------
    dim : int
        The axis along which y sums to 1; a negative one counts from the back.

    Raises
    ------
    ValueError
        In forward, if x has no such axis.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Softmax(dim=1)
    >>> layer(np.array([[1000.0, 1000.0]]))
    array([[0.5, 0.5]])
    >>> layer.backward(np.array([[4.0, 0.0]]))
    array([[ 1., -1.]])
    """

    def __init__(self, dim: int):
        self.dim = integer(type(self).__name__, "dim", dim)

    def forward(self, x: Array) -> Array:
        axis = _axis(self, x, self.dim)
        wide = np.asarray(x, np.float64)  # so that the result alone rounds
        e = np.exp(wide - _largest(wide, axis))
        y = np.asarray(e / e.sum(axis, keepdims=True), x.dtype)
        self.remember(y, y)
        return y

    def backward(self, dy: Array) -> Array:
        (y,) = self.recall(dy)
        axis, dtype = _axis(self, y, self.dim), y.dtype
        dy, y = np.asarray(dy, np.float64), np.asarray(y, np.float64)
        return np.asarray(y * (dy - (dy * y).sum(axis, keepdims=True)), dtype)


class LogSoftmax(Layer):
    """``y_i = x_i - log(sum over j of exp(x_j))`` along one axis; ``dx_i = dy_i - exp(y_i) sum over j of dy_j``.

    Parameters
    ----------
    dim : int
        The axis along which exp(y) sums to 1; a negative one counts from the back.

    Raises
    ------
    ValueError
        In forward, if x has no such axis.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.LogSoftmax(dim=1)
    >>> layer(np.array([[1000.0, 0.0]]))
    array([[    0., -1000.]])
    >>> layer.backward(np.array([[2.0, 1.0]]))
    array([[-1.,  1.]])
    """

    def __init__(self, dim: int):
        self.dim = integer(type(self).__name__, "dim", dim)

    def forward(self, x: Array) -> Array:
        axis = _axis(self, x, self.dim)
        y = np.asarray(log_softmax(np.asarray(x, np.float64), axis), x.dtype)
        self.remember(y, y)
        return y

    def backward(self, dy: Array) -> Array:
        (y,) = self.recall(dy)
        dx = log_softmax_adjoint(np.asarray(dy, np.float64), np.asarray(y, np.float64), _axis(self, y, self.dim))
        return np.asarray(dx, y.dtype)


def log_softmax(x: Array, axis: int | None) -> Array:
    """Return the logarithms of the softmax along an axis."""
    shifted = x - _largest(x, axis)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis, keepdims=True)))


def log_softmax_adjoint(dy: Array, y: Array, axis: int | None) -> Array:
    """Return the gradient towards x, given the one towards y, and y itself."""
    return np.asarray(dy - np.exp(y) * dy.sum(axis, keepdims=True))


def _largest(x: Array, axis: int | None) -> Array:
    """Return the maximum along an axis: subtracted first, it keeps exp below 1 and cancels in the quotient."""
    largest: Array = x.max(axis, keepdims=True, initial=-np.inf)  # initial: for an axis of length 0
    return largest


def _axis(layer: Layer, x: Array, dim: int) -> int | None:
    """Count the axis from the front; a scalar, which has none for NumPy, has one in PyTorch."""
    layer.check_array(x)
    axis = axis_of(layer, x, dim, max(x.ndim, 1))
    return axis if x.ndim else None
