"""Mistakes: hard, smooth and gated activations, learned slopes."""

import numpy as np

import numpycnn as nc

from ..laws import backward, forward, parameters_only, refusals
from .mistake import plant

# Learned slopes


@plant("each channel's slope is read along the last axis", "PReLU", forward)
class SlopesAlongTheLastAxis(nc.PReLU):
    def _slopes(self, x):
        slopes = self.weight.data
        return slopes if x.ndim and slopes.size == x.shape[-1] else super()._slopes(x)


@plant("positive numbers count in the gradient of the slope", "PReLU", backward, parameters_only, says="of weight")
class PositiveNumbersCount(nc.PReLU):
    def backward(self, dy):
        x, *_ = self._memory[-1]
        dx = super().backward(dy)
        positive = np.where(x > 0, x * dy, 0)
        others = None if self.weight.data.size == 1 else tuple(axis for axis in range(x.ndim) if axis != 1)
        self.weight.grad += np.asarray(positive.sum(others)).reshape(-1)
        return dx


@plant("several slopes for fewer channels are broadcast", "PReLU", refusals, says="ours takes it")
class SlopesBroadcast(nc.PReLU):
    def forward(self, x):
        if x.ndim > 1 and x.shape[1] == 1:
            x = np.repeat(x, self.weight.data.size, 1)
        return super().forward(x)


# Straight pieces


@plant("the gradient at both ends is 1", "Hardtanh", backward, says="dx:")
class SlopeAtTheEnds(nc.Hardtanh):
    def forward(self, x):
        y = super().forward(x)
        at_an_end = (x == self.min_val) | (x == self.max_val)
        self.remember(y, np.where(at_an_end, (self.min_val + self.max_val) / 2, y))
        return y


@plant("bounds the wrong way round are taken", "Hardtanh", refusals, says="ours takes it")
class AnyBounds(nc.Hardtanh):
    def __init__(self, min_val=-1.0, max_val=1.0):
        super().__init__(min(min_val, max_val), max(min_val, max_val) + (min_val == max_val))


@plant("the gradient passes above 6", "ReLU6", backward, says="dx:")
class PassesAboveSix(nc.ReLU6):
    def backward(self, dy):
        (y,) = self.recall(dy)
        return np.where(y <= 0, 0, dy)


@plant("the gradient is multiplied by a mask, so that an infinite one becomes NaN", "ReLU6", backward, says="dx:")
class MultipliesByMask(nc.ReLU6):
    def backward(self, dy):
        (y,) = self.recall(dy)
        return np.asarray(dy * ~((y <= 0) | (y >= 6)))


@plant("a sixth is rounded to float32, as in PyTorch", "Hardsigmoid", backward, says="dx:")
class SixthInFloat32(nc.Hardsigmoid):
    def backward(self, dy):
        return super().backward(dy) * np.asarray(6 * np.float64(np.float32(1 / 6)), dy.dtype)


@plant("it reaches 1 at 2.5, which is another library's", "Hardsigmoid", forward, says="y:")
class SteeperSigmoid(nc.Hardsigmoid):
    def forward(self, x):
        super().forward(x)
        return np.asarray(np.clip(x / 5 + 0.5, 0, 1))


@plant("the gate counts as a constant in backward", "Hardswish", backward, says="dx:")
class GateAsConstant(nc.Hardswish):
    def backward(self, dy):
        (x,) = self.recall(dy)
        return np.asarray(dy * np.clip(x + 3, 0, 6) / 6)


@plant("the middle piece's derivative is taken at -3 and 3 too", "Hardswish", backward, says="dx:")
class MiddlePieceTooLong(nc.Hardswish):
    def backward(self, dy):
        (x,) = self.recall(dy)
        return np.where(x < -3, 0, np.where(x <= 3, dy * (x / 3 + 0.5), dy))


# Smooth ones


@plant("the derivative at 0 is 1, whatever alpha", "ELU", backward, says="dx:")
class OneAtZero(nc.ELU):
    def backward(self, dy):
        (x,) = self.recall(dy)
        return np.where(x < 0, dy * (self.alpha * np.exp(x)), dy)


@plant("alpha is inside the exponential", "ELU", forward, says="y:")
class AlphaInside(nc.ELU):
    def forward(self, x):
        super().forward(x)
        return np.where(x > 0, x, np.expm1(self.alpha * x))


@plant("the threshold is for x, not for beta x", "Softplus", forward, says="y:")
class ThresholdOfX(nc.Softplus):
    def forward(self, x):
        super().forward(x)
        smooth = np.log1p(np.exp(self.beta * x)) / self.beta
        return np.where(x > self.threshold, x, smooth)


@plant("above the threshold backward goes on with the exponential", "Softplus", backward, says="dx:")
class NoThresholdBack(nc.Softplus):
    def backward(self, dy):
        (x,) = self.recall(dy)
        return np.asarray(dy / (1 + np.exp(-self.beta * x)))


@plant("the gate counts as a constant in backward", "SiLU", backward, says="dx:")
class SigmoidAsConstant(nc.SiLU):
    def backward(self, dy):
        (x,) = self.recall(dy)
        return np.asarray(dy / (1 + np.exp(-x)))


@plant("x exp(x) / (1 + exp(x)) overflows", "SiLU", forward, says="y:")
class SiLUOverflows(nc.SiLU):
    def forward(self, x):
        super().forward(x)
        return np.asarray(x * np.exp(x) / (1 + np.exp(x)))


@plant("the approximation is taken for the thing itself", "GELU", forward, says="y:")
class AlwaysApproximate(nc.GELU):
    def __init__(self, approximate="none"):
        super().__init__("tanh")


@plant("the density of the approximation is that of the thing itself", "GELU", backward, says="dx:")
class ExactDensity(nc.GELU):
    def backward(self, dy):
        approximate, self.approximate = self.approximate, "none"
        dx = super().backward(dy)
        self.approximate = approximate
        return dx


@plant("an unknown approximation is taken for none", "GELU", refusals, says="ours takes it")
class AnyApproximation(nc.GELU):
    def __init__(self, approximate="none"):
        super().__init__(approximate if approximate == "tanh" else "none")
