"""Mistakes: normalisations."""

import math

import numpy as np

import numpycnn as nc
from numpycnn.layers.channel_norm import PIXELS
from numpycnn.layers.standardize import ONE

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
        with reading(self.running_mean, x.mean(PIXELS)), reading(self.running_var, x.var(PIXELS)):
            return super().forward(x)


@plant("in evaluation mode it goes on learning the statistics", "BatchNorm2d", samples, says="sample")
class LearnsInEvaluation(nc.BatchNorm2d):
    def forward(self, x):
        y = super().forward(x)
        if not self.training and x[:, 0].size > 1:
            self._track(x.mean(PIXELS), x.var(PIXELS), x[:, 0].size)
        return y


@plant("under no_grad it learns no statistics", "BatchNorm2d", no_grad)
class LearnsNothingUnderNoGrad(nc.BatchNorm2d):
    def _track(self, mean, var, count):
        if nc.is_grad_enabled():
            super()._track(mean, var, count)


@plant("eps stands outside the root", "BatchNorm2d", forward, says="y:")
class EpsOutside(nc.BatchNorm2d):
    def forward(self, x):
        y = super().forward(x)
        if self.training or self.running_var is None:
            var = x.var((0, 2, 3))
        else:
            var = self.running_var.data
        ratio = (np.sqrt(var + self.eps) / (np.sqrt(var) + self.eps)).astype(x.dtype)[:, None, None]
        shift = 0 if self.bias is None else self.bias.data[:, None, None]
        return (y - shift) * ratio + shift


@plant("the batch is normalised by the unbiased variance", "BatchNorm2d", forward, says="y:")
class UnbiasedVarianceOfBatch(nc.BatchNorm2d):
    def forward(self, x):
        y = super().forward(x)
        if not self.training and self.running_var is not None:
            return y
        count, var = x[:, 0].size, x.var((0, 2, 3))
        ratio = np.sqrt((var + self.eps) / (var * count / max(1, count - 1) + self.eps)).astype(x.dtype)[:, None, None]
        shift = 0 if self.bias is None else self.bias.data[:, None, None]
        return (y - shift) * ratio + shift


@plant("the running statistics never move", "BatchNorm2d", buffers, says="running_mean:")
class NeverTracks(nc.BatchNorm2d):
    def _track(self, mean, var, count):
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.data += 1


@plant("the weight is forgotten in dx", "BatchNorm2d", backward, says="dx:")
class WeightForgottenBack(nc.BatchNorm2d):
    def backward(self, dy):
        dx = super().backward(dy)
        return dx if self.weight is None else dx / self.weight.data[:, None, None]


@plant("the gradients of weight and bias are means", "BatchNorm2d", backward, says="gradient of weight:")
class GradientsAveraged(nc.BatchNorm2d):
    def backward(self, dy):
        dx = super().backward(dy)
        for parameter in self.parameters():
            parameter.grad /= dy[:, 0].size
        return dx


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
            self.weight.grad = (dy * self._x).sum(PIXELS)
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


# Other normalisations


@plant("mean and variance are those of the batch", "InstanceNorm2d", forward, says="y:")
class NormalisesTheBatch(nc.InstanceNorm2d):
    axes = PIXELS


@plant("in evaluation mode the running statistics are used, tracked or not", "InstanceNorm2d", forward, says="y:")
class NeverOfTheImage(nc.InstanceNorm2d):
    def forward(self, x):
        y = super().forward(x)
        return y if self.training or self.track_running_stats else x / np.sqrt(np.asarray(1 + self.eps, x.dtype))


@plant("the running variance is that of the batch", "InstanceNorm2d", buffers, says="running_var:")
class TracksTheBatch(nc.InstanceNorm2d):
    def _track(self, mean, var, count):
        super()._track(mean, var + mean.var(0, keepdims=True) * ((count - 1) / count), count)


@plant("batches are counted", "InstanceNorm2d", buffers, says="num_batches_tracked")
class CountsBatches(nc.InstanceNorm2d):
    def _track(self, mean, var, count):
        super()._track(mean, var, count)
        self.num_batches_tracked.data += 1


@plant("a single pixel is normalised to 0", "InstanceNorm2d", refusals, says="ours takes it")
class TakesOnePixel(nc.InstanceNorm2d):
    def _count(self, images):
        return 2


@plant("the groups are made of every so many channels", "GroupNorm", forward, says="y:")
class GroupsInterleaved(nc.GroupNorm):
    def _grouped(self, x):
        order = np.arange(x.shape[1]).reshape(-1, self.num_groups).T.ravel()
        return super()._grouped(x[:, order])


@plant("mean and variance count as constants in backward", "GroupNorm", backward, says="dx:")
class GroupStatisticsAsConstants(nc.GroupNorm):
    def backward(self, dy):
        (x_hat,) = self._memory[-1]
        super().backward(dy)
        return x_hat.adjoint_of_constants(self._grouped(dy), self._meeting(self.weight, ONE)).reshape(dy.shape)


@plant("a group of a single number is normalised to 0", "GroupNorm", refusals, says="ours takes it")
class TakesOneNumber(nc.GroupNorm):
    def _check(self, x):
        if x.size != self.num_groups:
            super()._check(x)


@plant("only the last axis is normalised", "LayerNorm", forward, says="y:")
class LastAxisOnly(nc.LayerNorm):
    def forward(self, x):
        super().forward(x)
        y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + np.asarray(self.eps, x.dtype))
        y = y if self.weight is None else y * self.weight.data
        return y if self.bias is None else y + self.bias.data


@plant("the weight comes in before the means of backward, and again after them", "LayerNorm", backward, says="dx:")
class WeighsTwice(nc.LayerNorm):
    def backward(self, dy):
        dx = super().backward(dy)
        return dx if self.weight is None else dx * self.weight.data


@plant("the variance is divided by one less", "LayerNorm", forward, says="y:")
class UnbiasedVariance(nc.LayerNorm):
    def forward(self, x):
        y = super().forward(x)
        count = max(2, math.prod(self.normalized_shape))
        shift = 0 if self.bias is None else self.bias.data
        return (y - shift) * np.asarray(math.sqrt((count - 1) / count), x.dtype) + shift


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
