"""Mean 0 and variance 1 along some axes, and the derivative: what all normalisations share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..kernels.slabs import evaluate, total, totals
from .arrays import Array

ONE, ZERO = np.ones(()), np.zeros(())


def moments(x: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Return mean and (biased) variance along axes, which stay with sides of 1, in float64.

    With a first mean m, rounded to the dtype of x, and ``d = x - m``, they are ``m + E[d]`` and ``E[d^2] - E[d]^2``.
    Since E[d] is as good as 0, the differences lose nothing.
    """
    count = math.prod(x.shape[axis] for axis in axes)
    m = (total(lambda x: x, axes, x) / count).astype(x.dtype)
    sum_d, sum_d2 = totals(lambda x, m: [d := x - m, (d, d)], axes, x, m)
    mean = np.where(np.isfinite(m), m + sum_d / count, m)
    return mean, np.maximum(sum_d2 / count - (sum_d / count) ** 2, 0)


@dataclass(frozen=True, slots=True)
class Standardized:
    """``x_hat = (x - mean) scale``, which is nowhere as a whole: every formula makes the part that it needs.

    Weights w and biases b have the axes of x, with sides of 1 where they are repeated; or are ``ONE`` and ``ZERO``.
    """

    x: Array
    mean: Array  # float64, as scale; sides of 1 along the axes
    scale: Array

    def affine(self, weight: Array, bias: Array) -> Array:
        """Return ``y = w x_hat + b``; what the mean loses in the dtype of x, b takes up."""
        factor = self.scale * weight
        lost = self.mean - self.mean.astype(self.x.dtype)
        return evaluate(
            lambda x, mean, factor, b: (x - mean) * factor + b, self.x, self.mean, factor, bias - lost * factor
        )

    def sums(self, dy: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
        """Return the sums of dy and of ``dy x_hat`` along axes, which stay with sides of 1, in float64."""
        if dy.size and all(self.scale.shape[axis] == 1 for axis in axes):  # one scale for all that is summed
            db, dw = totals(lambda dy, x, mean: [dy, (x - mean, dy)], axes, dy, self.x, self.mean)
            return db, dw * self.scale
        db, dw = totals(
            lambda dy, x, mean, scale: [dy, ((x - mean) * scale, dy)], axes, dy, self.x, self.mean, self.scale
        )
        return db, dw

    def adjoint(self, dy: Array, shift: Array, stretch: Array, weight: Array = ONE) -> Array:
        """Return ``dx = w scale (dy - shift - x_hat stretch)``; here w is one number wherever mean is one.

        Mean and variance depend on x, so shift is to be the mean of dy, and stretch that of ``dy x_hat``.
        """
        return evaluate(
            lambda dy, x, mean, shift, slope, factor: ((x - mean) * slope - shift + dy) * factor,  # one temporary alone
            *(dy, self.x, self.mean, shift, -self.scale * stretch, self.scale * weight),
        )

    def adjoint_of_constants(self, dy: Array, weight: Array) -> Array:
        """Return ``dx = w scale dy``, where mean and variance do not depend on x."""
        return evaluate(lambda dy, factor: dy * factor, dy, self.scale * weight)


def weighted(dy: Array, weight: Array) -> Array:
    """Return ``w dy``, the gradient towards x_hat."""
    return dy if weight is ONE else evaluate(lambda dy, w: dy * w, dy, weight)
