"""Mistakes: convolutions."""

from dataclasses import replace

import numpy as np

import numpycnn as nc
from numpycnn.layers.conv import UNPADDED
from numpycnn.layers.images import as_batch, check_images, check_sides

from ..laws import accumulation, backward, empty_batch, forward, memory_order, parameters_only, refusals, state
from .mistake import plant, reading

# Forward


@plant("the filter is flipped: a true convolution", "Conv2d", forward, says="y:")
class FlippedFilter(nc.Conv2d):
    def forward(self, x):
        with reading(self.weight, self.weight.data[..., ::-1, ::-1]):
            return super().forward(x)


@plant("the weight is laid out (KH, KW, C, O) and sliced as if (C, KH, KW, O)", "Conv2d", forward, crash=ValueError)
class SlicedInAnotherOrder(nc.Conv2d):
    def forward(self, x):
        y = super().forward(x)
        windows = self._window.gather(as_batch(x))  # N C KH KW OH OW
        filters = self.weight.data.transpose(2, 3, 1, 0)[..., None, None]  # KH KW C O 1 1
        sums = [(filters[:, :, :, o] * windows).sum((1, 2, 3)) for o in range(self.out_channels)]
        return np.stack(sums, 1).reshape(y.shape)


@plant("the filter's rows and columns are swapped, which a square one allows", "Conv2d", forward, says="y:")
class TransposedFilter(nc.Conv2d):
    def forward(self, x):
        weight = self.weight.data
        with reading(self.weight, weight.swapaxes(2, 3).reshape(weight.shape)):
            return super().forward(x)


@plant("the stride is taken as (width, height)", "Conv2d", forward, crash=ValueError)
class StrideSwapped(nc.Conv2d):
    def __init__(self, *, stride=1, **kwargs):
        super().__init__(**kwargs, stride=stride if isinstance(stride, int) else stride[::-1])


@plant("the dilation is ignored", "Conv2d", forward, says="y:")
class DilationIgnored(nc.Conv2d):
    def __init__(self, *, dilation=1, **kwargs):
        super().__init__(**kwargs)


def unpadded(layer):
    """Build the same convolution without padding."""
    names = ("in_channels", "out_channels", "kernel_size", "stride", "dilation", "groups")
    bare = nc.Conv2d(**{name: getattr(layer, name) for name in names}, bias=layer.bias is not None)
    bare.to(layer.weight.data.dtype).load_state_dict(layer.state_dict())
    return bare


@plant("the padding makes room in the output, and is ignored", "Conv2d", forward, crash=ValueError)
class PaddingIgnored(nc.Conv2d):
    def forward(self, x):
        y = np.zeros_like(super().forward(x))
        inside = unpadded(self).forward(x)
        y[..., : inside.shape[-2], : inside.shape[-1]] = inside
        return y


@plant("padding='same' puts the odd row in front", "Conv2d", forward, says="y:")
class OddRowInFront(nc.Conv2d):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._window = replace(self._window, padding=tuple(sides[::-1] for sides in self._window.padding))
        self._border = tuple(sides[::-1] for sides in self._border)


@plant("circular padding repeats the border", "Conv2d", forward, says="y:")
class CircularReplicates(nc.Conv2d):
    def __init__(self, *, padding_mode="zeros", **kwargs):
        super().__init__(**kwargs, padding_mode="replicate" if padding_mode == "circular" else padding_mode)


@plant("all groups see the channels of the first", "Conv2d", forward, says="y:")
class GroupsIgnored(nc.Conv2d):
    def forward(self, x):
        first = x[..., : self.in_channels // self.groups, :, :]
        return super().forward(np.tile(first, (self.groups, 1, 1)))


@plant("groups take the channels in turn instead of block by block", "Conv2d", forward, says="y:")
class GroupsInterleaved(nc.Conv2d):
    def forward(self, x):
        turns = np.arange(self.in_channels).reshape(-1, self.groups).T.ravel()
        return super().forward(x[..., turns, :, :])


@plant("images that lie in memory in another order are read as if they did not", "Conv2d", memory_order, says="y:")
class ReadsMemoryAsItLies(nc.Conv2d):
    def forward(self, x):
        return super().forward(x.ravel(order="K").reshape(x.shape))


@plant("the images of an empty batch are stacked", "Conv2d", empty_batch, crash=ValueError)
class ImageByImage(nc.Conv2d):
    def forward(self, x):
        return np.stack([*super().forward(x)])


# Backward


@plant("dx is flipped, which a gradient of ones hides", "Conv2d", backward, says="dx:")
class FlippedGradient(nc.Conv2d):
    def backward(self, dy):
        return super().backward(dy)[..., ::-1, ::-1]


@plant("the unpadded images are kept for backward", "Conv2d", backward, says="gradient of weight:")
class UnpaddedKept(nc.Conv2d):
    def forward(self, x):
        self._x = x
        return super().forward(x)

    def backward(self, dy):
        dx = super().backward(dy)
        bare = unpadded(self)
        self.weight.grad = np.zeros_like(self.weight.data)
        if min(bare._window.output_size(self._x.shape[-2:])) > 0:
            rows, cols = bare.forward(self._x).shape[-2:]
            bare.backward(dy[..., :rows, :cols])
            self.weight.grad = bare.weight.grad
        return dx


@plant("the border's gradient is dropped", "Conv2d", backward, says="dx:")
class BorderDropped(nc.Conv2d):
    def backward(self, dy):
        border, self._border = self._border, UNPADDED
        dx = super().backward(dy)
        self._border = border
        (top, bottom), (left, right) = border
        return dx[..., top : dx.shape[-2] - bottom, left : dx.shape[-1] - right]


@plant("the padding is cut off dx by [p:-p], which for p = 0 leaves nothing", "Conv2d", backward, says="dx:")
class CutOffByMinusZero(nc.Conv2d):
    def backward(self, dy):
        dx = super().backward(dy)
        if isinstance(self.padding, str) or self.padding == (0, 0):
            return dx
        p, q = self.padding
        return np.pad(dx, [(0, 0)] * (dx.ndim - 2) + [(p, p), (q, q)])[..., p:-p, q:-q]


@plant("the gradient of the bias is that of the first sample", "Conv2d", backward, says="gradient of bias:")
class BiasGradientOfOneSample(nc.Conv2d):
    def backward(self, dy):
        dx = super().backward(dy)
        if self.bias is not None:
            self.bias.grad -= as_batch(dy)[1:].sum((0, 2, 3))
        return dx


@plant("the gradient of the weight is a mean over the batch", "Conv2d", backward, says="gradient of weight:")
class WeightGradientAveraged(nc.Conv2d):
    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad /= len(as_batch(dy))
        return dx


@plant("backward returns (dx, dw, db), which no network can chain", "Conv2d", backward, crash=ValueError)
class ReturnsAllGradients(nc.Conv2d):
    def backward(self, dy):
        dx = super().backward(dy)
        return dx, self.weight.grad, None if self.bias is None else self.bias.grad


@plant("a second backward overwrites the gradients", "Conv2d", accumulation, says="gradient of")
class OverwritesGradients(nc.Conv2d):
    def backward(self, dy):
        self.zero_grad()
        return super().backward(dy)


@plant("where dx is not wanted, nothing is learned", "Conv2d", parameters_only, says="gradient of weight:")
class LearnsNothingWithoutDx(nc.Conv2d):
    def backward_parameters(self, dy):
        self.recall(dy)


# Refusals


@plant("an image of one channel is broadcast over all that are expected", "Conv2d", refusals, says="ours takes it")
class ChannelsBroadcast(nc.Conv2d):
    def forward(self, x):
        if x.ndim >= 3 and x.shape[-3] == 1:
            x = np.repeat(x, self.in_channels, -3)
        return super().forward(x)


@plant("channels too many are left out", "Conv2d", refusals, says="ours takes it")
class ChannelsLeftOut(nc.Conv2d):
    def forward(self, x):
        check_images(self, x)
        return super().forward(x[..., : self.in_channels, :, :])


@plant("a kernel larger than the image gives an empty output", "Conv2d", refusals, says="ours takes it")
class EmptyOutput(nc.Conv2d):
    def forward(self, x):
        check_images(self, x)
        check_sides(self, x)
        steps = [max(0, n) for n in self._window.output_size(x.shape[-2:])]
        if self._border == UNPADDED and 0 in steps:
            self.check_channels(x, -3, self.in_channels)
            return np.zeros((*x.shape[:-3], self.out_channels, *steps), x.dtype)
        return super().forward(x)


@plant("one image without a batch is refused", "Conv2d", refusals, says="torch takes this")
class BatchesOnly(nc.Conv2d):
    def forward(self, x):
        if x.ndim != 4:
            raise nc.ShapeError(self, f"expected x of shape (N, C, H, W), got {x.shape}")
        return super().forward(x)


@plant("geometries that do not divide exactly are refused", "Conv2d", refusals, says="torch takes this")
class ExactOnly(nc.Conv2d):
    def forward(self, x):
        y = super().forward(x)
        spans = zip(x.shape[-2:], self._window.padding, self._window.extent(), self.stride, strict=True)
        if any((side + sum(padding) - extent) % stride for side, padding, extent, stride in spans):
            raise nc.ShapeError(self, f"expected strides to divide the image exactly, got x of shape {x.shape}")
        return y


# State


@plant("the bias comes before the weight", "Conv2d", state, says="expected the keys")
class BiasFirst(nc.Conv2d):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.weight = vars(self).pop("weight")


@plant("the weight is called kernel", "Conv2d", state, crash=RuntimeError)
class AnotherName(nc.Conv2d):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.kernel = self.weight


@plant("what is loaded keeps its own dtype", "Conv2d", state, says="expected dtype float32")
class LoadsAnyDtype(nc.Conv2d):
    def load_state_dict(self, state):
        super().load_state_dict(state)
        for name, own in self.named_arrays():
            own.data = np.array(np.asarray(state[name]))
