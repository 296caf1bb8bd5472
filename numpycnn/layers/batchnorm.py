"""Batch normalisation: every channel gets mean 0 and variance 1, then a mean and a variance that are learned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import Array
from .channel_norm import PIXELS, ChannelNorm
from .errors import ShapeError


class BatchNorm2d(ChannelNorm):
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

    axes = PIXELS

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
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)

    def _track(self, mean: Array, var: Array, count: int) -> None:
        if self.num_batches_tracked is None:
            return
        self.num_batches_tracked.data += 1
        if count == 0:  # an empty batch is counted, but has no statistics
            return
        momentum = 1 / int(self.num_batches_tracked.data) if self.momentum is None else self.momentum
        self._move(mean.ravel(), var.ravel() * (count / (count - 1)), momentum)

    def _check(self, x: Array) -> None:
        super()._check(x)
        if self.eps == 0 and (self.training or self.running_mean is None):
            raise ShapeError(self, "expected eps > 0 where the statistics are those of the batch, got eps=0")

    def _check_axes(self, x: Array) -> None:
        if x.ndim != 4:
            raise ShapeError(self, f"expected x of shape (N, C, H, W), got {x.shape}")
