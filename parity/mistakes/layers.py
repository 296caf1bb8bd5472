"""Mistakes: matrices, reshaping, scaling."""

import numpy as np

import numpycnn as nc

from ..laws import accumulation, backward, dtype, empty_batch, forward, memory_order, mixing, state, untouched
from .mistake import plant, reading

# Linear


@plant("the weight is read as (in, out)", "Linear", forward, says="y:")
class WeightReshaped(nc.Linear):
    def forward(self, x):
        shape = self.weight.data.shape
        with reading(self.weight, self.weight.data.reshape(shape[::-1]).T):
            return super().forward(x)


@plant("the weight is stored as (in, out)", "Linear", state, crash=RuntimeError)
class WeightTransposed(nc.Linear):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.weight.data = self.weight.data.T


@plant("the bias is forgotten", "Linear", forward, says="y:")
class BiasForgotten(nc.Linear):
    def forward(self, x):
        if self.bias is None:
            return super().forward(x)
        with reading(self.bias, np.zeros_like(self.bias.data)):
            return super().forward(x)


@plant("dx is made with the weight as it stands, which as many outputs as inputs allow", "Linear", backward, says="dx:")
class NotTransposed(nc.Linear):
    def backward(self, dy):
        weight = self.weight.data
        with reading(self.weight, weight.T if weight.shape[0] == weight.shape[1] else weight):
            return super().backward(dy)


@plant("the gradient of the bias is a mean over the batch", "Linear", backward, says="gradient of bias:")
class BiasGradientAveraged(nc.Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        if self.bias is not None:
            self.bias.grad /= max(1, dy[..., 0].size)
        return dx


@plant("the gradient of the bias is that of the first sample", "Linear", backward, says="gradient of bias:")
class BiasGradientOfOneSample(nc.Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        if self.bias is not None and dy.ndim > 1:
            self.bias.grad = dy[0].reshape(-1, self.out_features).sum(0)
        return dx


@plant("all gradients are divided by the batch once more", "Linear", backward)
class EverythingAveraged(nc.Linear):
    def backward(self, dy):
        return super().backward(dy / np.asarray(len(dy) if dy.ndim > 1 else 1, dy.dtype))


@plant("the gradient of the bias is summed over the first axis only", "Linear", backward, says="gradient of bias:")
class BiasGradientOverOneAxis(nc.Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        if self.bias is not None and dy.ndim > 1:
            self.bias.grad = dy.sum(0)
        return dx


@plant("the gradient of the weight is divided by the batch once more", "Linear", backward, says="gradient of weight:")
class DividedByTheBatch(nc.Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad /= len(dy)
        return dx


@plant("backward returns (dx, dw, db), which no network can chain", "Linear", backward, crash=ValueError)
class ReturnsAllGradients(nc.Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        return dx, self.weight.grad, None if self.bias is None else self.bias.grad


@plant("x of another dtype is taken", "Linear", mixing, says="x of another dtype")
class MixesDtypes(nc.Linear):
    def check_dtype(self, x, dtype, name="x"):
        pass


@plant("a refusal does not say how to mend it", "Linear", mixing, says=".astype(")
class RefusesWithoutCure(nc.Linear):
    def check_dtype(self, x, dtype, name="x"):
        if x.dtype != dtype:
            raise nc.DtypeError(self, f"expected {name} of dtype {dtype}, got {x.dtype}")


@plant("backward leaves the weight in float64", "Linear", dtype, says="weight: expected dtype float32")
class WeightWidened(nc.Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.data = self.weight.data.astype(np.float64)
        return dx


@plant("gradients are kept in float64", "Linear", dtype, says="gradient of")
class GradientsInFloat64(nc.Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        for parameter in self.parameters():
            parameter.grad = parameter.grad.astype(np.float64)
        return dx


@plant("the gradient of an earlier backward is handed out again", "Linear", untouched)
class OneBufferForGradients(nc.Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self._dx = getattr(self, "_dx", np.empty_like(dx))
        self._dx[...] = dx
        return self._dx


@plant("zero_grad writes zeros where there was a gradient", "Linear", accumulation, says="zero_grad left a gradient")
class ZerosForNone(nc.Linear):
    def zero_grad(self):
        for parameter in self.parameters():
            parameter.grad = np.zeros_like(parameter.data)


# Reshaping


@plant("the channels go last", "Flatten", forward, says="y:")
class ChannelsLast(nc.Flatten):
    def forward(self, x):
        y = super().forward(x)
        return np.moveaxis(x, 1, -1).reshape(y.shape) if x.ndim > 2 else y


@plant("images that lie in memory in another order are flattened as they lie", "Flatten", memory_order, says="y:")
class FlattenedAsItLies(nc.Flatten):
    def forward(self, x):
        return x.ravel(order="K").reshape(super().forward(x).shape)


@plant("the gradient keeps the flat shape", "Flatten", backward, says="dx: expected shape")
class StaysFlat(nc.Flatten):
    def backward(self, dy):
        self.recall(dy)
        return dy


@plant("the length of what is merged is left to -1", "Flatten", empty_batch, crash=ValueError)
class LeftOpen(nc.Flatten):
    def forward(self, x):
        y = super().forward(x)
        return y.reshape(len(y), -1) if y.ndim == 2 else y


@plant("negative axes are not counted from the back", "Flatten", forward, crash=ValueError)
class NoNegativeAxes(nc.Flatten):
    def __init__(self, start_dim=1, end_dim=-1):
        if start_dim < 0:
            raise ValueError(f"Flatten: expected start_dim >= 0, got {start_dim}")
        super().__init__(start_dim, end_dim)


@plant("all is float64", "Identity", forward, says="y: expected dtype float32")
class WidensEverything(nc.Identity):
    def forward(self, x):
        return super().forward(x.astype(np.float64))


# Scale


@plant("the gradient of the weight is averaged over what it was repeated for", "Scale", backward, says="of weight:")
class AveragedForTheWeight(nc.Scale):
    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad *= np.asarray(self.weight.data.size / max(1, dy.size), dy.dtype)
        return dx


@plant("the factors are read from the first axis on", "Scale", forward, crash=ValueError)
class FactorsFromTheFirstAxis(nc.Scale):
    def forward(self, x):
        super().forward(x)
        return np.asarray(x * self.weight.data.reshape(*self.shape, *(1 for _ in x.shape[len(self.shape) :])))
