"""Instance normalisation: every channel of every image gets mean 0 and variance 1, whatever else is in the batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import Array
from .channel_norm import ChannelNorm
from .images import check_images


class InstanceNorm2d(ChannelNorm):
    """``y = w x_hat + b`` with ``x_hat = (x - mean) / sqrt(var + eps)``, mean and var for each channel of each image.

    Mean and (biased) variance are taken over H and W, in evaluation mode too; so
    ``dx = w / sqrt(var + eps) * (dy - mean of dy - x_hat * mean of (dy x_hat))``, with means over H and W
    (Ulyanov, Vedaldi and Lempitsky, 2016, equation 7). Input is (N, C, H, W) or (C, H, W).

    With running statistics, ``running = (1 - momentum) running + momentum new`` in training, where
    new is the average over the images, of unbiased variances; in evaluation mode they are used.

    Parameters
    ----------
    num_features : int
        C, the number of channels.
    eps : float
        Keeps a constant channel from being divided by zero.
    momentum : float or None
        How far the running statistics move with each batch; None: not at all.
    affine : bool
        Whether w and b are there.
    track_running_stats : bool
        Whether the running statistics are there.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    weight, bias : Parameter or None
        w and b, of shape (C,); ones and zeros at first.
    running_mean, running_var : Buffer or None
        Of shape (C,); zeros and ones at first.
    num_batches_tracked : Buffer or None
        There for PyTorch's state dict, in which it stays 0.

    Raises
    ------
    ValueError
        For arguments out of range; in forward, for x that is no image with C channels, and where the
        statistics would come from a single number.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.InstanceNorm2d(1)
    >>> x = np.array([[[[1, 3]]], [[[10, 50]]]], np.float32)
    >>> layer(x).round(3)
    array([[[[-1.,  1.]]], [[[-1.,  1.]]]], dtype=float32)
    >>> layer.backward(np.ones_like(x))
    array([[[[0., 0.]]], [[[0., 0.]]]], dtype=float32)
    """

    axes = (2, 3)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        dtype: npt.DTypeLike = np.float32,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)

    def _track(self, mean: Array, var: Array, count: int) -> None:
        if len(mean) > 0:  # an empty batch has no statistics
            unbiased = var * (count / (count - 1))
            self._move(mean.mean((0, 2, 3)), unbiased.mean((0, 2, 3)), self.momentum or 0.0)

    def _check_axes(self, x: Array) -> None:
        check_images(self, x)
