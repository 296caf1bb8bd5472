"""Mistakes: dropout and its kin."""

import numpy as np

import numpycnn as nc

from ..laws import backward, forward, no_grad, refusals, samples
from .mistake import plant


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
