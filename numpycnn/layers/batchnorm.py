"""Batch normalisation: every channel gets mean 0 and variance 1, then a mean and a variance that are learned."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .arguments import integer, number
from .errors import ShapeError
from .layer import Array, Buffer, Layer, Parameter, float_dtype

AXES = (0, 2, 3)  # all but the channels


class BatchNorm2d(Layer):
    """``y = w x_hat + b`` with ``x_hat = (x - mean) / sqrt(var + eps)``, one mean, var, w and b for each channel.

    In training, mean and (biased) variance are those of the batch, over N, H and W, and the running
    ones move towards them: ``running = (1 - momentum) running + momentum batch``, with the
    unbiased variance, divided by N H W - 1. In evaluation mode the running ones are used.

    In training mean and variance depend on x, so that
    ``dx = w / sqrt(var + eps) * (dy - mean of dy - x_hat * mean of (dy x_hat))``; in evaluation mode
    only the first term is there (Ioffe and Szegedy, 2015, section 3).

    Parameters
    ----------
    num_features : int
        C, the number of channels of the images (N, C, H, W).
    eps : float
        Keeps a constant channel from being divided by zero.
    momentum : float or None
        How far the running statistics move with each batch; None: they are the average of all batches.
    affine : bool
        Whether w and b are there.
    track_running_stats : bool
        Whether the running statistics are there; without them the batch's own are always used.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    weight, bias : Parameter or None
        w and b, of shape (C,); ones and zeros at first.
    running_mean, running_var : Buffer or None
        Of shape (C,); zeros and ones at first.
    num_batches_tracked : Buffer or None
        How many batches the running statistics have seen: an int64 scalar.

    Raises
    ------
    ValueError
        For arguments out of range; in forward, for x that is no batch of images with C channels,
        and where the statistics would come from a single number, or eps = 0 could divide by zero.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.BatchNorm2d(1)
    >>> x = np.array([[[[1, 3]]], [[[1, 3]]]], np.float32)
    >>> layer(x).round(3)
    array([[[[-1.,  1.]]], [[[-1.,  1.]]]], dtype=float32)
    >>> layer.running_mean.data, layer.running_var.data
    (array([0.2], dtype=float32), array([1.0333333], dtype=float32))
    >>> layer.backward(np.ones_like(x))
    array([[[[0., 0.]]], [[[0., 0.]]]], dtype=float32)
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: npt.DTypeLike = np.float32,
    ):
        self.num_features = integer("BatchNorm2d", "num_features", num_features, 1)
        self.eps = number("BatchNorm2d", "eps", eps, 0)
        self.momentum = None if momentum is None else number("BatchNorm2d", "momentum", momentum, -math.inf)
        self.affine = bool(affine)
        self.track_running_stats = bool(track_running_stats)
        dtype = float_dtype(dtype)
        self.weight: Parameter | None = None
        self.bias: Parameter | None = None
        self.running_mean: Buffer | None = None
        self.running_var: Buffer | None = None
        self.num_batches_tracked: Buffer | None = None
        if self.affine:
            self.weight = Parameter(np.ones(self.num_features, dtype))
            self.bias = Parameter(np.zeros(self.num_features, dtype))
        if self.track_running_stats:
            self.running_mean = Buffer(np.zeros(self.num_features, dtype))
            self.running_var = Buffer(np.ones(self.num_features, dtype))
            self.num_batches_tracked = Buffer(np.zeros((), np.int64))

    def forward(self, x: Array) -> Array:
        self._check(x)
        if of_batch := self.training or self.running_mean is None or self.running_var is None:
            mean = _mean(x)
            x_hat = x - _each(mean)
            var = _mean(x_hat * x_hat)
            if self.training and self.track_running_stats:
                self._track(mean, var, _count(x))
        else:
            x_hat = x - _each(self.running_mean.data)
            var = self.running_var.data
        scale = 1 / np.sqrt(var + self.eps)
        x_hat *= _each(scale)
        y = x_hat
        if self.weight is not None:
            y = y * _each(self.weight.data)
        if self.bias is not None:
            y = y + _each(self.bias.data)
        self.remember(y, x_hat, scale, of_batch)
        return y

    def backward(self, dy: Array) -> Array:
        x_hat, scale, of_batch = self.recall(dy)
        dweight, dbias = (dy * x_hat).sum(AXES), dy.sum(AXES)
        dx = dy
        if of_batch:
            dx = dy - _each(dbias / _count(dy)) - x_hat * _each(dweight / _count(dy))
        if self.weight is not None:
            self.weight.add_grad(dweight)
            scale = scale * self.weight.data
        if self.bias is not None:
            self.bias.add_grad(dbias)
        return dx * _each(scale)

    def _track(self, mean: Array, var: Array, count: int) -> None:
        """Move the running statistics towards those of a batch."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.data += 1
        if count == 0:  # an empty batch is counted, but has no statistics
            return
        momentum = 1 / int(self.num_batches_tracked.data) if self.momentum is None else self.momentum
        for running, new in ((self.running_mean, mean), (self.running_var, var * (count / (count - 1)))):
            running.data *= 1 - momentum
            running.data += momentum * new

    def _check(self, x: Array) -> None:
        self.check_array(x)
        if x.ndim != 4:
            raise ShapeError(self, f"expected x of shape (N, C, H, W), got {x.shape}")
        self.check_channels(x, 1, self.num_features)
        for own in (self.weight, self.running_mean):
            if own is not None:
                self.check_dtype(x, own.data.dtype)
        if self.training or self.running_mean is None:
            if _count(x) == 1:
                raise ShapeError(
                    self, f"expected more than one number per channel to take statistics of, got x of shape {x.shape}"
                )
            if self.eps == 0:
                raise ShapeError(self, "expected eps > 0 where the statistics are those of the batch, got eps=0")


def _each(values: Array) -> Array:
    """Let one number per channel meet images: (C,) -> (C, 1, 1)."""
    return values[:, None, None]


def _count(x: Array) -> int:
    """Return how many numbers each channel has: N H W."""
    n, _, height, width = x.shape
    return int(n * height * width)


def _mean(x: Array) -> Array:
    mean: Array = x.sum(AXES) / _count(x)  # not x.mean, which warns for an empty batch
    return mean
