"""Mistakes: losses."""

import numpy as np

import numpycnn as nc
from numpycnn.layers.nll_loss import class_axis
from numpycnn.layers.softmax import log_softmax

from ..laws import backward, forward, refusals, untouched
from .mistake import plant, reading

# Cross-entropy


@plant("log(p + 1e-7) instead of log-sum-exp", "CrossEntropyLoss", forward, says="y:")
class LogarithmOfSum(nc.CrossEntropyLoss):
    def forward(self, x, target):
        super().forward(x, target)
        log_p = np.log(np.exp(log_softmax(x, class_axis(x))) + 1e-7)
        return nc.NLLLoss.forward(self, log_p, target.argmax(class_axis(x)) if target.shape == x.shape else target)


@plant("the upstream gradient is ignored", "CrossEntropyLoss", backward, says="dx:")
class UpstreamIgnored(nc.CrossEntropyLoss):
    def backward(self, dy=1.0):
        return super().backward(np.ones_like(dy))


@plant("integer labels are broadcast as if they were one-hot", "CrossEntropyLoss", forward, crash=ValueError)
class LabelsAsOneHot(nc.CrossEntropyLoss):
    def forward(self, x, target):
        super().forward(x, target)
        axis = class_axis(x)
        losses = -(target * log_softmax(x, axis)).sum(axis).astype(x.dtype)
        return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[self.reduction]


@plant("the mean counts samples that are ignored", "CrossEntropyLoss", forward, says="y:")
class IgnoredAreCounted(nc.CrossEntropyLoss):
    def reduce(self, losses, total, *values):
        return super().reduce(losses, losses.size if self.weight is None else total, *values)


@plant("the mean divides by the samples instead of their weights", "CrossEntropyLoss", forward, says="y:")
class WeightsMissingInTheMean(nc.CrossEntropyLoss):
    def reduce(self, losses, total, *values):
        return super().reduce(losses, total if self.weight is None else losses.size, *values)


@plant("smoothing is spread over the other classes, C - 1 of them", "CrossEntropyLoss", forward, says="y:")
class SmoothedOverTheOthers(nc.CrossEntropyLoss):
    def forward(self, x, target):
        classes = x.shape[class_axis(x)]
        smoothing = self.label_smoothing
        self.label_smoothing = smoothing * classes / max(classes - 1, 1)
        y = super().forward(x, target)
        self.label_smoothing = smoothing
        return y


@plant("ignored samples are smoothed", "CrossEntropyLoss", forward, says="y:")
class IgnoredAreSmoothed(nc.CrossEntropyLoss):
    def _of_smoothed_labels(self, x, target):
        losses, total, adjoint = super()._of_smoothed_labels(x, target)
        axis = class_axis(x)
        spread = -self._weigh(log_softmax(x.astype(np.float64), axis)).mean(axis)
        return losses + self.label_smoothing * np.where(target == self.ignore_index, spread, 0), total, adjoint


@plant("the mean is divided by the batch twice", "CrossEntropyLoss", backward, says="dx:")
class DividedTwice(nc.CrossEntropyLoss):
    def backward(self, dy=1.0):
        dx = super().backward(dy)
        return dx / len(dx) if self.reduction == "mean" else dx


@plant("the mean is not divided by the batch", "CrossEntropyLoss", backward, says="dx:")
class NeverDivided(nc.CrossEntropyLoss):
    def reduce(self, losses, total, *values):
        self._total = total
        return super().reduce(losses, total, *values)

    def backward(self, dy=1.0):
        dx = super().backward(dy)
        return dx * self._total if self.reduction == "mean" else dx


@plant("probabilities that are not one-hot are taken for their largest", "CrossEntropyLoss", forward, says="y:")
class LargestProbability(nc.CrossEntropyLoss):
    def forward(self, x, target):
        return super().forward(x, target.argmax(class_axis(x)) if target.shape == x.shape else target)


@plant("the gradient has the wrong sign: target less probability", "CrossEntropyLoss", backward, says="dx:")
class WrongSign(nc.CrossEntropyLoss):
    def backward(self, dy=1.0):
        return -super().backward(dy)


@plant("the derivative of one sample's softmax is summed over the batch", "CrossEntropyLoss", backward, says="dx:")
class SoftmaxOverTheBatch(nc.CrossEntropyLoss):
    def backward(self, dy=1.0):
        dx = super().backward(dy)
        return dx - dx.mean(0)


@plant(
    "the labels that are ignored are set to 0, in the caller's array", "CrossEntropyLoss", untouched, crash=ValueError
)
class WritesIntoTarget(nc.CrossEntropyLoss):
    def forward(self, x, target):
        y = super().forward(x, target)
        target[target == self.ignore_index] = 0
        return y


# Negative log-likelihood, squares


@plant("the weight of a class is squared", "NLLLoss", forward, says="y:")
class WeighedTwice(nc.NLLLoss):
    def forward(self, x, target):
        if self.weight is None:
            return super().forward(x, target)
        with reading(self.weight, self.weight.data**2):
            return super().forward(x, target)


@plant("the classes are looked for on the last axis", "NLLLoss", forward, crash=ValueError)
class ClassesLast(nc.NLLLoss):
    def forward(self, x, target):
        return super().forward(np.moveaxis(x, -1, class_axis(x)), target)


@plant("negative labels count from the back", "NLLLoss", refusals, says="ours takes it")
class CountsFromTheBack(nc.NLLLoss):
    def forward(self, x, target):
        labels = target != self.ignore_index
        return super().forward(x, np.where(labels & (target < 0), target + x.shape[class_axis(x)], target))


@plant("negative labels count from the back", "CrossEntropyLoss", refusals, says="ours takes it")
class ClassesFromTheBack(nc.CrossEntropyLoss):
    def forward(self, x, target):
        if target.dtype.kind == "i":
            from_the_back = (target != self.ignore_index) & (target < 0)
            target = np.where(from_the_back, target + x.shape[class_axis(x)], target)
        return super().forward(x, target)


@plant("a loss without reduction is a mean all the same", "NLLLoss", forward)
class AlwaysReduced(nc.NLLLoss):
    def forward(self, x, target):
        y = super().forward(x, target)
        return np.full_like(y, y.mean()) if self.reduction == "none" else y


@plant("half of the square is taken", "MSELoss", forward, says="y:")
class HalfOfTheSquare(nc.MSELoss):
    def forward(self, x, target):
        return super().forward(x, target) / 2


@plant("the gradient has the wrong sign: target less prediction", "MSELoss", backward, says="dx:")
class MSEWrongSign(nc.MSELoss):
    def backward(self, dy=1.0):
        return -super().backward(dy)


@plant("the mean is not divided in backward", "MSELoss", backward, says="dx:")
class MSEUndivided(nc.MSELoss):
    def forward(self, x, target):
        self._size = x.size if self.reduction == "mean" else 1
        return super().forward(x, target)

    def backward(self, dy=1.0):
        dx = super().backward(dy)
        return np.asarray(dx * np.asarray(self._size, dx.dtype))


@plant("the mean is taken over the batch instead of all numbers", "MSELoss", forward, says="y:")
class MeanOverTheBatch(nc.MSELoss):
    def reduce(self, losses, total, *values):
        return super().reduce(losses, len(losses) if losses.ndim else 1, *values)


@plant("the 2 of the derivative is forgotten", "MSELoss", backward, says="dx:")
class TwoForgotten(nc.MSELoss):
    def backward(self, dy=1.0):
        return super().backward(dy) / 2


@plant("the loss is a Python number", "MSELoss", forward, says="expected")
class PythonNumber(nc.MSELoss):
    def forward(self, x, target):
        y = super().forward(x, target)
        return float(y) if y.ndim == 0 else y
