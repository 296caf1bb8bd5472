"""Mistakes: moving numbers about, taking parts, other scales."""

import numpy as np

import numpycnn as nc

from ..laws import backward, forward, refusals, untouched
from .mistake import plant


@plant("the sides come in the other order", "Unflatten", forward, says="y:")
class OtherOrder(nc.Unflatten):
    def __init__(self, dim, unflattened_size):
        super().__init__(dim, unflattened_size[::-1])


@plant("the open side is found by len(x)", "Reshape", forward, crash=ValueError)
class OpenByLength(nc.Reshape):
    def new_shape(self, x):
        return tuple(x.shape[0] if side == -1 and x.ndim else abs(side) for side in self.shape)


@plant("negative axes count from x's end, not y's", "Unsqueeze", forward, says="y:")
class CountsFromTheInput(nc.Unsqueeze):
    def new_shape(self, x):
        dim = self.dim if self.dim >= 0 else self.dim + x.ndim
        return *x.shape[:dim], 1, *x.shape[dim:]


@plant("an axis that is not there is taken for the last", "Unsqueeze", refusals, says="torch refuses this")
class AnyAxis(nc.Unsqueeze):
    def new_shape(self, x):
        self.dim = max(-x.ndim - 1, min(self.dim, x.ndim))
        return super().new_shape(x)


@plant("longer axes go too", "Squeeze", forward, crash=ValueError)
class LongerAxesToo(nc.Squeeze):
    def new_shape(self, x):
        axis = self.dim % max(x.ndim, 1)
        return *x.shape[:axis], *x.shape[axis + 1 :]


@plant("the axes are taken from the front", "Pad", forward, says="y:")
class FromTheFront(nc.Pad):
    def borders(self, axes):
        return super().borders(axes)[::-1]


@plant("negative borders are left out", "Pad", forward, says="y:")
class NothingIsCut(nc.Pad):
    def borders(self, axes):
        return [(max(0, before), max(0, after)) for before, after in super().borders(axes)]


@plant("the gradient is taken from the border's corner", "Pad", backward, says="dx:")
class GradientOfTheCorner(nc.Pad):
    def backward(self, dy):
        shape, inside, kept = self._memory[2]
        corner = tuple(slice(0, part.stop - part.start) for part in inside)
        self._memory = (*self._memory[:2], (shape, corner, kept))
        return super().backward(dy)


@plant("the gradient goes to the first place", "Select", backward, says="dx:")
class GradientToTheFirst(nc.Select):
    def backward(self, dy):
        dx = super().backward(dy)
        return np.roll(dx, -self.index, self.dim)


@plant("the gradient of what is not taken is that of its neighbour", "Slice", backward, says="dx:")
class GradientRepeated(nc.Slice):
    def backward(self, dy):
        dx = super().backward(dy)
        return dx + np.roll(dx, 1, self.dim)


@plant("the step is forgotten in backward", "Slice", backward, crash=ValueError)
class StepForgotten(nc.Slice):
    def backward(self, dy):
        shape, (*before, part) = self._memory[2]
        self._memory = (*self._memory[:2], (shape, (*before, slice(part.start, part.stop))))
        return super().backward(dy)


@plant("the last part is the longer one", "Chunk", forward, says="y:")
class LastIsLonger(nc.Chunk):
    def part(self, x, length):
        size = max(1, length // self.chunks)
        last = self.index == min(self.chunks, length) - 1
        return slice(self.index * size, None if last else (self.index + 1) * size)


@plant("there are always as many parts as were asked for", "Chunk", refusals, says="torch refuses this")
class AlwaysAsMany(nc.Chunk):
    def part(self, x, length):
        size = -(-length // self.chunks)
        return slice(self.index * size, (self.index + 1) * size)


@plant("the sum is not divided", "Mean", forward, says="y:")
class Sum(nc.Mean):
    def forward(self, x):
        return super().forward(x) * np.asarray(self._memory[2][2], x.dtype)


@plant("each entry gets the whole gradient", "Mean", backward, says="dx:")
class WholeGradient(nc.Mean):
    def backward(self, dy):
        size = self._memory[2][2]
        return super().backward(dy) * np.asarray(size, dy.dtype)


@plant("the axes stay", "Mean", forward, says="y: expected shape")
class AxesStay(nc.Mean):
    def __init__(self, dim, keepdim=True):
        super().__init__(dim, keepdim)


@plant("the shift is scaled too", "Affine", forward, says="y:")
class ShiftScaled(nc.Affine):
    def __init__(self, scale=1.0, shift=0.0):
        super().__init__(scale, scale * shift)


@plant("the gradient is not scaled", "Affine", backward, says="dx:")
class GradientNotScaled(nc.Affine):
    def backward(self, dy):
        self.recall(dy)
        return dy


@plant("x is scaled in place", "Affine", untouched, crash=ValueError)
class ScaledInPlace(nc.Affine):
    def forward(self, x):
        self.check_array(x)
        x *= self.scale
        x += self.shift
        self.remember(x)
        return x


@plant("the gradient's axes are permuted as those of x were, and not back", "Permute", backward, says="dx:")
class PermutedTwice(nc.Permute):
    def backward(self, dy):
        (places,) = self.recall(dy)
        return dy.transpose(np.argsort(places))


@plant("dims say where an axis goes, not where it comes from", "Permute", forward, says="y:")
class PermutedTheOtherWay(nc.Permute):
    def forward(self, x):
        super().forward(x)
        axes = [axis % x.ndim for axis in self.dims]
        y = x.transpose(np.argsort(axes))
        self.remember(y, axes)
        return y


@plant("axes that are there twice are taken", "Permute", refusals, says="ours takes it")
class AxesTwice(nc.Permute):
    def __init__(self, dims):
        super().__init__(list(dict.fromkeys(dims)))


@plant("the gradient's channels are dealt once more, and not back", "ChannelShuffle", backward, says="dx:")
class DealtTwice(nc.ChannelShuffle):
    def backward(self, dy):
        self.recall(dy)
        order = np.arange(dy.shape[1]).reshape(self.groups, -1).T.ravel()
        return dy[:, order]


@plant("the groups are as many as a group has channels", "ChannelShuffle", forward, says="y:")
class GroupsForChannels(nc.ChannelShuffle):
    def forward(self, x):
        y = super().forward(x)
        groups, self.groups = self.groups, max(1, x.shape[1] // self.groups)
        y = super().forward(x)
        self.groups = groups
        return y
