"""Mistakes: rectifiers, smooth steps, softmax."""

import numpy as np

import numpycnn as nc
from numpycnn.layers.softmax import log_softmax_adjoint

from ..laws import (
    accumulation,
    backward,
    empty_batch,
    forward,
    memory_order,
    mixing,
    no_grad,
    refusals,
    untouched,
)
from .mistake import plant

# ReLU and its kin


@plant("backward writes into the gradient that it was given", "ReLU", untouched, says="read-only", crash=ValueError)
class WritesIntoGradient(nc.ReLU):
    def backward(self, dy):
        (y,) = self.recall(dy)
        dy[y <= 0] = 0
        return dy


@plant("forward writes into its input", "ReLU", untouched, says="read-only", crash=ValueError)
class WritesIntoInput(nc.ReLU):
    def forward(self, x):
        x[x < 0] = 0
        return super().forward(x)


@plant("the output of an earlier call is handed out again", "ReLU", untouched)
class OneBufferForOutputs(nc.ReLU):
    def forward(self, x):
        y = super().forward(x)
        self._y = getattr(self, "_y", np.empty_like(y))
        self._y[...] = y
        return self._y


@plant("the gradient at exactly 0 is 1", "ReLU", backward, says="dx:")
class SlopeAtZero(nc.ReLU):
    def forward(self, x):
        return super().forward(x + (x == 0) * np.finfo(x.dtype).tiny)


@plant("the gradient passes everywhere", "ReLU", backward, says="dx:")
class PassesEverywhere(nc.ReLU):
    def backward(self, dy):
        super().backward(dy)
        return dy.copy()


@plant("the mask is that of the gradient: where it is negative, it stops", "ReLU", backward, says="dx:")
class MaskOfGradient(nc.ReLU):
    def backward(self, dy):
        super().backward(dy)
        return np.asarray(np.maximum(dy, 0))


@plant("negative gradients are stopped too", "ReLU", backward, says="dx:")
class StopsNegative(nc.ReLU):
    def backward(self, dy):
        return np.asarray(np.maximum(super().backward(dy), 0))


@plant("negative numbers change their sign", "ReLU", forward, says="y:")
class Absolute(nc.ReLU):
    def forward(self, x):
        super().forward(x)
        return np.asarray(np.abs(x))


@plant("the gradient is multiplied by a mask, so that an infinite one becomes NaN", "ReLU", backward, says="dx:")
class MultipliesByMask(nc.ReLU):
    def backward(self, dy):
        (y,) = self.recall(dy)
        return dy * (y > 0)


@plant("a NaN becomes 0", "ReLU", forward, says="y:")
class HidesNaN(nc.ReLU):
    def forward(self, x):
        return np.asarray(np.fmax(super().forward(x), 0))


@plant("the result lies in memory as x does, and is filled as if it did not", "ReLU", memory_order, says="y:")
class FillsThroughCopy(nc.ReLU):
    def forward(self, x):
        y = np.zeros_like(x)
        y.reshape(-1)[...] = super().forward(x).reshape(-1)
        return y


@plant("the largest number is asked for, which an empty batch has not", "ReLU", empty_batch, crash=ValueError)
class LooksAtTheLargest(nc.ReLU):
    def forward(self, x):
        y = super().forward(x)
        return np.minimum(y, x.max()) if (x > 0).any() or not x.size else y


@plant("forward remembers under no_grad", "ReLU", no_grad, says="a backward after no_grad")
class RemembersAnyway(nc.ReLU):
    def remember(self, y, *values):
        self._memory = (y.shape, y.dtype, values)


@plant("a forward under no_grad forgets the one before it", "ReLU", no_grad, crash=nc.StateError)
class ForgetsUnderNoGrad(nc.ReLU):
    def remember(self, y, *values):
        self._memory = None
        super().remember(y, *values)


@plant("a forward serves two backwards", "ReLU", accumulation, says="a backward without a forward")
class KeepsItsMemory(nc.ReLU):
    def recall(self, dy):
        memory = self._memory
        values = super().recall(dy)
        self._memory = memory
        return values


@plant("dy of another dtype is taken", "ReLU", mixing, says="dy of another dtype")
class MixesGradients(nc.ReLU):
    def check_dtype(self, x, dtype, name="x"):
        pass


@plant("a slope of NumPy's float64 turns float32 into float64", "LeakyReLU", forward, says="y: expected dtype float32")
class SlopeInFloat64(nc.LeakyReLU):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = np.float64(self.negative_slope)


@plant("the gradient at exactly 0 is 1", "LeakyReLU", backward, says="dx:")
class LeakySlopeAtZero(nc.LeakyReLU):
    def forward(self, x):
        return super().forward(x + (x == 0) * np.finfo(x.dtype).tiny)


@plant("y is the larger of x and slope * x, which only a slope below 1 makes right", "LeakyReLU", forward, says="y:")
class LargerOfTwo(nc.LeakyReLU):
    def forward(self, x):
        super().forward(x)
        return np.asarray(np.maximum(x, x * self.negative_slope))


# Smooth steps, softmax


@plant("exp(x) / (1 + exp(x)) overflows", "Sigmoid", forward, says="y:")
class SigmoidOverflows(nc.Sigmoid):
    def forward(self, x):
        super().forward(x)
        return np.asarray(np.exp(x) / (1 + np.exp(x)))


@plant("the derivative is taken at x instead of y", "Sigmoid", backward, says="dx:")
class DerivativeAtX(nc.Sigmoid):
    def forward(self, x):
        y = super().forward(x)
        self.remember(y, x)
        return y


@plant("the derivative is 1 - y", "Tanh", backward, says="dx:")
class SquareForgotten(nc.Tanh):
    def backward(self, dy):
        (y,) = self.recall(dy)
        return np.asarray(dy * (1 - y))


@plant("the exponentials are not kept below 1 by subtracting the maximum", "Softmax", forward, says="y:")
class SoftmaxOverflows(nc.Softmax):
    def forward(self, x):
        super().forward(x)
        e = np.exp(x)
        return np.asarray(e / e.sum(self.dim, keepdims=True))


@plant("the derivative is that of a sigmoid, only the Jacobian's diagonal", "Softmax", backward, says="dx:")
class DiagonalOnly(nc.Softmax):
    def backward(self, dy):
        (y,) = self.recall(dy)
        return dy * y * (1 - y)


@plant("the sum runs over the last axis, whatever dim says", "Softmax", forward, says="y:")
class LastAxis(nc.Softmax):
    def __init__(self, dim):
        super().__init__(-1)


@plant("the exponentials are not kept below 1 by subtracting the maximum", "LogSoftmax", forward, says="y:")
class LogSoftmaxOverflows(nc.LogSoftmax):
    def forward(self, x):
        super().forward(x)
        return np.asarray(x - np.log(np.exp(x).sum(self.dim, keepdims=True)))


@plant("the logarithm is taken of the finished softmax", "LogSoftmax", forward, says="y:")
class LogarithmAfterwards(nc.LogSoftmax):
    def forward(self, x):
        return np.log(np.exp(super().forward(x)))


@plant("a missing axis is NumPy's error, not ours", "LogSoftmax", refusals, says="says not what was expected")
class AxisUnchecked(nc.LogSoftmax):
    def forward(self, x):
        self.check_array(x)
        y = x - x.max(self.dim, keepdims=True, initial=-np.inf)
        y = y - np.log(np.exp(y).sum(self.dim, keepdims=True))
        self.remember(y, y)
        return y

    def backward(self, dy):
        (y,) = self.recall(dy)
        return log_softmax_adjoint(dy, y, self.dim)
