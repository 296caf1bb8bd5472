"""Mistakes: containers, blocks, models."""

import functools

import numpy as np

import numpycnn as nc
from numpycnn.layers.broadcast import sum_to

from ..laws import backward, forward, no_grad, parameters_only, state
from ..ours import Residual
from .mistake import plant


@plant("backward runs through the layers in the order of forward", "Sequential", backward, crash=ValueError)
class BackInTheSameOrder(nc.Sequential):
    def backward(self, dy):
        for layer in self.layers:
            dy = layer.backward(dy)
        return dy


@plant("the last layer is skipped in backward", "Sequential", backward, crash=ValueError)
class SkipsTheLast(nc.Sequential):
    def backward(self, dy):
        for layer in reversed(self.layers[:-1]):
            dy = layer.backward(dy)
        return dy


@plant("where dx is not wanted, only the last layer learns", "Sequential", parameters_only, says="gradient of")
class OnlyTheLastLearns(nc.Sequential):
    def backward_parameters(self, dy):
        self.layers[-1].backward_parameters(dy)


@plant("layers are named from 1", "Sequential", state, crash=RuntimeError)
class NamedFromOne(nc.Sequential):
    def __init__(self, *layers):
        for index, layer in enumerate(layers, 1):
            setattr(self, str(index), layer)


@plant("each branch remembers under no_grad", "Sequential", no_grad)
class RemembersAnyway(nc.Sequential):
    def forward(self, x):
        for layer in self.layers:
            layer.remember = functools.partial(_remember, layer)
        return super().forward(x)


def _remember(layer, y, *values):
    layer._memory = (y.shape, y.dtype, values)


@plant("each branch gets its share of the gradient instead of all of it", "Add", backward)
class SharesTheGradient(nc.Add):
    def backward(self, dy):
        return super().backward(dy / np.asarray(len(self), dy.dtype))


@plant("only the first branch sends its gradient back", "Add", backward)
class FirstBranchOnly(nc.Add):
    def backward(self, dy):
        return self.layers[0].backward(dy)


@plant("the sum is collected in the output of the first branch", "Add", backward, says="dx:")
class CollectsInPlace(nc.Add):
    def forward(self, x):
        y = self.layers[0].forward(x)
        for branch in self.layers[1:]:
            y += branch.forward(x)
        return y


@plant("each branch gets the whole gradient, as if of a sum", "Multiply", backward)
class GradientOfASum(nc.Multiply):
    def deal(self, dy):
        (outputs,) = self.recall(dy)
        return [sum_to(y.shape, dy) for y in outputs]


@plant("a branch that was repeated gets the average instead of the sum", "Multiply", backward)
class AveragesWhatWasRepeated(nc.Multiply):
    def deal(self, dy):
        outputs = self._memory[-1][0]
        parts = zip(super().deal(dy), outputs, strict=True)
        return [part * np.asarray(y.size / dy.size if dy.size else 1, dy.dtype) for part, y in parts]


@plant("the gradient is split in the order of the last branch first", "Concat", backward, crash=ValueError)
class SplitBackwards(nc.Concat):
    def backward(self, dy):
        (widths,) = self.recall(dy)
        parts = np.split(dy, np.cumsum(widths[::-1])[:-1], self.dim)
        return functools.reduce(np.add, [f.backward(part) for f, part in zip(self.layers, parts[::-1], strict=True)])


@plant("the gradient is split evenly", "Concat", backward, crash=ValueError)
class SplitEvenly(nc.Concat):
    def backward(self, dy):
        self.recall(dy)
        parts = np.array_split(dy, len(self), self.dim)
        return functools.reduce(np.add, [f.backward(part) for f, part in zip(self.layers, parts, strict=True)])


@plant("the gradients of the branches are put side by side instead of added", "Concat", backward)
class GradientsSideBySide(nc.Concat):
    def backward(self, dy):
        (widths,) = self.recall(dy)
        parts = np.split(dy, np.cumsum(widths)[:-1], self.dim)
        return np.concatenate([f.backward(part) for f, part in zip(self.layers, parts, strict=True)], self.dim)


@plant("of a value that several nodes read only one gradient counts", "Graph", backward)
class OneReaderCounts(nc.Graph):
    def backward(self, dy):
        (kept,) = self.recall(dy)
        gradients = {self._output: dy}
        for name, reads in reversed(self._reads.items()):
            layer = getattr(self, name)
            for module, memory in kept.get(name, []):
                module._memory = memory
            parts = layer.backward_each(gradients[name]) if len(reads) > 1 else [layer.backward(gradients[name])]
            gradients.update(zip(reads, parts, strict=True))
        return gradients["x"]


@plant("a layer that runs again remembers its last run alone", "Graph", backward, crash=nc.StateError)
class LastRunAlone(nc.Graph):
    def _at_several_nodes(self):
        return set()


@plant("a layer that runs again gives the first run the memory of the last", "Graph", backward)
class SameMemoryTwice(nc.Graph):
    def _backward(self, dy, parameters_only=False):
        (kept,) = self._memory[2]
        latest = {id(getattr(self, name)): memories for name, memories in kept.items()}
        kept.update({name: latest[id(getattr(self, name))] for name in kept})
        return super()._backward(dy, parameters_only)


@plant("each branch of a node sees the first value that it reads", "Graph", forward, crash=ValueError)
class FirstValueForAll(nc.Graph):
    def __init__(self, **nodes):
        super().__init__(**nodes)
        self._reads = {name: reads[:1] * len(reads) for name, reads in self._reads.items()}
        self._last_reader = dict.fromkeys([*self._reads, "x"], "")


@plant("the branch runs in evaluation mode too", "Auxiliary", forward, says="expected the outputs")
class RunsAlways(nc.Auxiliary):
    def forward(self, x):
        mode, self.training = self.training, True
        outputs = super().forward(x)
        self.training = mode
        return outputs


@plant("the outputs come in the order of the branches", "Auxiliary", forward, says="y:")
class BranchFirst(nc.Auxiliary):
    def forward(self, x):
        outputs = super().forward(x)
        return outputs[::-1] if isinstance(outputs, tuple) else outputs


@plant("what comes back from the branch is lost", "Auxiliary", backward, says="dx:")
class BranchLost(nc.Auxiliary):
    def backward(self, dy):
        trunk, branch = self.layers
        dy, last = self._deal(dy)
        if last is not None:
            branch.backward(last)
        return trunk.backward(dy)


@plant("where dx is not wanted, the branch learns nothing", "Auxiliary", parameters_only, says="gradient of 1")
class BranchLearnsNothing(nc.Auxiliary):
    def backward_parameters(self, dy):
        trunk, _ = self.layers
        trunk.backward_parameters(self._deal(dy)[0])


@plant("the rectifier comes before the sum", "Block", forward, says="y:")
class RectifiedTooEarly(Residual):
    def __init__(self, channels):
        super().__init__(channels)
        branch = nc.Sequential(self.conv1, nc.ReLU(), self.conv2, nc.ReLU())
        self.route(nc.Add(branch, nc.Identity()), self.bn, nc.ReLU())


@plant("the short cut is forgotten in backward", "Block", backward, says="dx:")
class ShortCutForgotten(Residual):
    def __init__(self, channels):
        super().__init__(channels)
        branch = nc.Sequential(self.conv1, nc.ReLU(), self.conv2)
        self.route(FirstBranchOnly(branch, nc.Identity()), self.bn, nc.ReLU())


@plant("the state dict follows the wiring", "Block", state, says="expected the keys")
class NamedAsWired(Residual):
    def __init__(self, channels):
        super().__init__(channels)
        self.bn = vars(self).pop("bn")
