"""Normalisation of each channel of images: the mathematics of batch and of instance normalisation."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .arguments import addressable, flag, integer, number
from .arrays import Array, float_dtype
from .errors import ShapeError
from .images import as_batch
from .layer import Layer
from .parameter import Buffer, Parameter
from .standardize import ONE, ZERO, Standardized, moments

PIXELS = (0, 2, 3)  # all axes of (N, C, H, W) but the channels


class ChannelNorm(Layer):
    """``y = w x_hat + b`` with ``x_hat = (x - mean) / sqrt(var + eps)``, one w and b for each channel.

    A kind says over which axes of (N, C, H, W) mean and variance are taken, and in which shapes x may come.
    """

    axes: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        dtype: npt.DTypeLike,
    ):
        owner = type(self).__name__
        self.num_features = integer(owner, "num_features", num_features, 1)
        self.eps = number(owner, "eps", eps, 0)
        self.momentum = None if momentum is None else number(owner, "momentum", momentum, -math.inf)
        self.affine = flag(owner, "affine", affine)
        self.track_running_stats = flag(owner, "track_running_stats", track_running_stats)
        addressable(owner, "weights", (self.num_features,))
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
        images = as_batch(x)
        if of_input := self.training or self.running_mean is None or self.running_var is None:
            mean, var = moments(images, self.axes)
            if self.training and self.track_running_stats:
                self._track(mean, var, self._count(images))
        else:
            mean, var = each(self.running_mean), each(self.running_var)
        x_hat = Standardized(images, mean, 1 / np.sqrt(var + self.eps))
        y = x_hat.affine(*self._affine()).reshape(x.shape)
        self.remember(y, x_hat, of_input)
        return y

    def backward(self, dy: Array) -> Array:
        x_hat: Standardized
        x_hat, of_input = self.recall(dy)
        dy_images, (weight, _) = as_batch(dy), self._affine()
        db, dw = x_hat.sums(dy_images, self.axes if of_input else PIXELS)
        if of_input:
            count = self._count(dy_images)
            dx = x_hat.adjoint(dy_images, db / count, dw / count, weight)
        else:
            dx = x_hat.adjoint_of_constants(dy_images, weight)
        if self.weight is not None:
            self.weight.add_grad(dw.sum(PIXELS).astype(dy.dtype))
        if self.bias is not None:
            self.bias.add_grad(db.sum(PIXELS).astype(dy.dtype))
        return dx.reshape(dy.shape)

    def _affine(self) -> tuple[Array, Array]:
        """Return w and b, to meet images."""
        return (
            ONE if self.weight is None else each(self.weight),
            ZERO if self.bias is None else each(self.bias),
        )

    def _track(self, mean: Array, var: Array, count: int) -> None:
        """Move the running statistics towards those of a batch, of one channel of which there are so many numbers."""
        raise NotImplementedError(f"{type(self).__name__} defines no _track")

    def _move(self, mean: Array, var: Array, momentum: float) -> None:
        """Move the running statistics."""
        for running, new in ((self.running_mean, mean), (self.running_var, var)):
            if running is not None:
                running.data[...] = (1 - momentum) * running.data.astype(np.float64) + momentum * new

    def _check(self, x: Array) -> None:
        self.check_array(x)
        self._check_axes(x)
        self.check_channels(x, -3, self.num_features)
        for own in (self.weight, self.running_mean):
            if own is not None:
                self.check_dtype(x, own.data.dtype)
        if (self.training or self.running_mean is None) and self._count(as_batch(x)) == 1:
            raise ShapeError(
                self, f"expected more than one number per channel to take statistics of, got x of shape {x.shape}"
            )

    def _check_axes(self, x: Array) -> None:
        """Raise unless x comes in a shape that this kind takes."""
        raise NotImplementedError(f"{type(self).__name__} defines no _check_axes")

    def _count(self, images: Array) -> int:
        """Return how many numbers one mean is taken of."""
        return math.prod(images.shape[axis] for axis in self.axes)


def each(own: Parameter | Buffer) -> Array:
    """Let one number per channel meet images: (C,) -> (1, C, 1, 1), in float64."""
    return own.data[None, :, None, None].astype(np.float64)
