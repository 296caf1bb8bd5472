"""Mistakes: batch and response normalisation, dropout and its kin."""

import numpy as np

import numpycnn as nc
from numpycnn.layers.batchnorm import AXES

from ..laws import backward, buffers, forward, no_grad, refusals, samples, state
from .mistake import plant, reading

# Batch normalisation


@plant("the running variance is the biased one", "BatchNorm2d", buffers, says="running_var:")
class BiasedRunningVariance(nc.BatchNorm2d):
    def _track(self, mean, var, count):
        super()._track(mean, var * ((count - 1) / count), count)


@plant("the momentum is how much stays, not how much is new", "BatchNorm2d", buffers, says="running_mean:")
class ComplementaryMomentum(nc.BatchNorm2d):
    def _track(self, mean, var, count):
        momentum, self.momentum = self.momentum, None if self.momentum is None else 1 - self.momentum
        super()._track(mean, var, count)
        self.momentum = momentum


@plant("batches are not counted", "BatchNorm2d", buffers, says="num_batches_tracked")
class BatchesUncounted(nc.BatchNorm2d):
    def _track(self, mean, var, count):
        super()._track(mean, var, count)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.data -= 1


@plant("in evaluation mode the statistics are those of the batch", "BatchNorm2d", forward, samples)
class EvaluatesOnTheBatch(nc.BatchNorm2d):
    def forward(self, x):
        if self.training or self.running_mean is None:
            return super().forward(x)
        with reading(self.running_mean, x.mean(AXES)), reading(self.running_var, x.var(AXES)):
            return super().forward(x)


@plant("in evaluation mode it goes on learning the statistics", "BatchNorm2d", samples, says="sample")
class LearnsInEvaluation(nc.BatchNorm2d):
    def forward(self, x):
        y = super().forward(x)
        if not self.training and x[:, 0].size > 1:
            self._track(x.mean(AXES), x.var(AXES), x[:, 0].size)
        return y


@plant("under no_grad it learns no statistics", "BatchNorm2d", no_grad)
class LearnsNothingUnderNoGrad(nc.BatchNorm2d):
    def _track(self, mean, var, count):
        if nc.is_grad_enabled():
            super()._track(mean, var, count)


@plant("mean and variance count as constants in backward", "BatchNorm2d", backward, says="dx:")
class StatisticsAsConstants(nc.BatchNorm2d):
    def recall(self, dy):
        *values, _ = super().recall(dy)
        return *values, False


@plant("in evaluation mode backward is that of training", "BatchNorm2d", backward, says="dx:")
class EvaluatesBackInTraining(nc.BatchNorm2d):
    def recall(self, dy):
        *values, _ = super().recall(dy)
        return *values, True


@plant("the gradient of the weight is taken with x that is not normalised", "BatchNorm2d", backward)
class WeightGradientOfX(nc.BatchNorm2d):
    def forward(self, x):
        self._x = x
        return super().forward(x)

    def backward(self, dy):
        dx = super().backward(dy)
        if self.weight is not None:
            self.weight.grad = (dy * self._x).sum(AXES)
        return dx


@plant("the running statistics come before the parameters", "BatchNorm2d", state, says="expected the keys")
class StatisticsFirst(nc.BatchNorm2d):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.weight, self.bias = vars(self).pop("weight"), vars(self).pop("bias")


@plant("the count of batches is not saved", "BatchNorm2d", state, says="expected the keys")
class CountUnsaved(nc.BatchNorm2d):
    def named_arrays(self):
        return (item for item in super().named_arrays() if item[0] != "num_batches_tracked")


# Local response normalisation


@plant("windows of even size reach further up than down", "LocalResponseNorm", forward, says="y:")
class WindowOffByOne(nc.LocalResponseNorm):
    def forward(self, x):
        return super().forward(x[:, ::-1])[:, ::-1]


@plant("alpha is not divided by the size", "LocalResponseNorm", forward, says="y:")
class AlphaUndivided(nc.LocalResponseNorm):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.alpha *= self.size


@plant("the window is mirrored in backward, which odd sizes hide", "LocalResponseNorm", backward, says="dx:")
class WindowMirrored(nc.LocalResponseNorm):
    def forward(self, x):
        y = super().forward(x)
        super().forward(x[:, ::-1])  # what backward will go by
        return y

    def backward(self, dy):
        return super().backward(dy[:, ::-1])[:, ::-1]


@plant("the neighbours count as constants in backward", "LocalResponseNorm", backward, says="dx:")
class NeighboursAsConstants(nc.LocalResponseNorm):
    def backward(self, dy):
        _, _, _, power = self.recall(dy)
        return dy / power


# Dropout


@plant("what is kept is not scaled", "Dropout", forward, says="y:")
class Unscaled(nc.Dropout):
    def forward(self, x):
        y = super().forward(x)
        return y * (1 - self.p) if self.training else y


@plant("it is scaled in evaluation mode too", "Dropout", forward, samples)
class ScaledInEvaluation(nc.Dropout):
    def forward(self, x):
        y = super().forward(x)
        return y if self.training else y * (1 - self.p)


@plant("backward drops by a new mask", "Dropout", backward, says="dx:")
class MaskRedrawn(nc.Dropout):
    def backward(self, dy):
        (mask,) = self.recall(dy)
        if mask is None:
            return dy
        return np.asarray(dy * np.random.default_rng(0).permutation(mask.ravel()).reshape(mask.shape))


@plant("p is how likely a number is kept", "Dropout", forward, says="y:")
class ProbabilityOfKeeping(nc.Dropout):
    def __init__(self, p=0.5):
        super().__init__(1 - p)


@plant("dropping everything divides by 0", "Dropout", forward, crash=ZeroDivisionError)
class DividesByZero(nc.Dropout):
    def forward(self, x):
        self._scale = 1 / (1 - self.p)
        return super().forward(x)


@plant("all samples share one mask", "Dropout", forward, says="torch dropped from")
class OneMaskForAll(nc.Dropout):
    def forward(self, x):
        if self.training and x.ndim > 1:
            self._rng.random(x.shape[1:])
        return super().forward(x)


@plant("it drops in evaluation mode", "Dropout", forward, samples)
class DropsInEvaluation(nc.Dropout):
    def forward(self, x):
        y = super().forward(x)
        return y if self.training else np.where(np.random.default_rng(0).random(x.shape) < self.p, 0, y)


@plant("under no_grad nothing is dropped", "Dropout", no_grad)
class DropsNothingUnderNoGrad(nc.Dropout):
    def forward(self, x):
        return super().forward(x) if nc.is_grad_enabled() else x


@plant("a probability above 1 is taken", "Dropout", refusals, says="ours takes it")
class AnyProbability(nc.Dropout):
    def __init__(self, p=0.5):
        super().__init__(min(p, 1))
        self.p = p


@plant("numbers are dropped one by one", "Dropout2d", forward, says="torch dropped from")
class DropsNumbers(nc.Dropout2d):
    def mask_shape(self, x):
        return x.shape


@plant("the same channels are dropped from all images", "Dropout2d", forward, says="torch dropped from")
class SameChannelsForAll(nc.Dropout2d):
    def mask_shape(self, x):
        return (1, x.shape[1], 1, 1)


@plant("one draw for all samples, whatever the mode", "StochasticDepth", forward, says="torch dropped from")
class AlwaysTheBatch(nc.StochasticDepth):
    def mask_shape(self, x):
        return tuple(1 for _ in x.shape)


@plant("what survives is scaled in evaluation mode instead", "StochasticDepth", forward, samples)
class ScaledWhenEvaluated(nc.StochasticDepth):
    def forward(self, x):
        y = super().forward(x)
        return y * np.asarray(1 - self.p, y.dtype)


@plant("backward forgets what was dropped", "StochasticDepth", backward, says="dx:")
class ForgetsWhatWasDropped(nc.StochasticDepth):
    def backward(self, dy):
        self.recall(dy)
        return dy
