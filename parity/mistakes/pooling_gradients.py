"""Mistakes: poolings whose geometry or whose way back is nearly right."""

import numpy as np

import numpycnn as nc

from ..laws import backward, forward
from .mistake import plant
from .poolings import Maxima

# Geometry, of maxima


@plant("the kernel and the stride are taken as (width, height)", "MaxPool2d", forward, crash=ValueError)
class SidesSwapped(nc.MaxPool2d):
    def __init__(self, *, kernel_size, stride=None, **kwargs):
        swapped = [sides[::-1] if isinstance(sides, tuple) else sides for sides in (kernel_size, stride)]
        super().__init__(*swapped, **kwargs)


@plant("the stride is 1 unless given, instead of the kernel's size", "MaxPool2d", forward, says="y: expected shape")
class StepsByOne(nc.MaxPool2d):
    def __init__(self, *, stride=1, **kwargs):
        super().__init__(**kwargs, stride=stride)


@plant("the stride is always the kernel's size", "MaxPool2d", forward, says="y: expected shape")
class StepsByKernel(nc.MaxPool2d):
    def __init__(self, *, stride=None, **kwargs):
        super().__init__(**kwargs)


@plant("the padding is left out", "MaxPool2d", forward, crash=ValueError)
class PaddingLeftOut(nc.MaxPool2d):
    def __init__(self, *, padding=0, **kwargs):
        super().__init__(**kwargs)


@plant("the dilation is ignored", "MaxPool2d", forward, says="y:")
class DilationIgnored(nc.MaxPool2d):
    def __init__(self, *, dilation=1, **kwargs):
        super().__init__(**kwargs)


@plant("ceil_mode is ignored", "MaxPool2d", forward, says="y: expected shape")
class CeilIgnored(nc.MaxPool2d):
    def __init__(self, *, ceil_mode=False, **kwargs):
        super().__init__(**kwargs)


# The way back, of maxima


@plant("a tie is shared evenly", "MaxPool2d", backward, says="dx:")
class TiesShare(Maxima):
    def send(self, dy, x, y, where):
        ties = np.zeros_like(y)
        for _, outputs, inputs in self.walk(x.shape[-2:]):
            ties[outputs] += x[inputs] == y[outputs]
        dx = np.zeros_like(x)
        for _, outputs, inputs in self.walk(x.shape[-2:]):
            dx[inputs] += dy[outputs] / ties[outputs] * (x[inputs] == y[outputs])
        return dx


@plant("every window overwrites what others sent to what it sees", "MaxPool2d", backward, says="dx:")
class WindowsOverwrite(Maxima):
    def send(self, dy, x, y, where):
        dx = np.zeros_like(x)
        rows, cols = (np.arange(side) for side in x.shape[-2:])
        for i, j in np.ndindex(y.shape[-2:]):
            seen = [
                (axis >= at * step - p) & (axis < at * step - p + k * d) & ((axis - at * step + p) % d == 0)
                for axis, at, step, p, k, d in zip(
                    (rows, cols), (i, j), self.stride, self.padding, self.kernel_size, self.dilation, strict=True
                )
            ]
            dx[..., np.outer(*seen)] = 0
            index = np.indices(y.shape[:-2])
            dx[(*index, *np.divmod(where[..., i, j], x.shape[-1]))] = dy[..., i, j]
        return dx


# Averages


@plant("the kernel and the stride are taken as (width, height)", "AvgPool2d", forward, crash=ValueError)
class AverageSidesSwapped(nc.AvgPool2d):
    def __init__(self, *, kernel_size, stride=None, **kwargs):
        swapped = [sides[::-1] if isinstance(sides, tuple) else sides for sides in (kernel_size, stride)]
        super().__init__(*swapped, **kwargs)


@plant("the padding is left out", "AvgPool2d", forward, crash=ValueError)
class AveragePaddingLeftOut(nc.AvgPool2d):
    def __init__(self, *, padding=0, **kwargs):
        super().__init__(**kwargs)


@plant("padding is never counted", "AvgPool2d", forward, says="y:")
class PaddingNeverCounts(nc.AvgPool2d):
    def __init__(self, *, count_include_pad=True, **kwargs):
        super().__init__(**kwargs, count_include_pad=False)


@plant("the sum is not divided", "AvgPool2d", forward, says="y:")
class SumsUp(nc.AvgPool2d):
    def __init__(self, *, divisor_override=None, **kwargs):
        super().__init__(**kwargs, divisor_override=1)


@plant("the gradient is not divided by the count", "AvgPool2d", backward, says="dx:")
class UndividedBack(nc.AvgPool2d):
    def recall(self, dy):
        window, _, size = super().recall(dy)
        return window, 1, size


@plant("the gradient is divided by the count twice", "AvgPool2d", backward, says="dx:")
class DividedTwice(nc.AvgPool2d):
    def recall(self, dy):
        window, counts, size = super().recall(dy)
        return window, counts * counts, size


@plant("the gradient is always divided by the kernel's size", "AvgPool2d", backward, says="dx:")
class KernelBack(nc.AvgPool2d):
    def recall(self, dy):
        window, _, size = super().recall(dy)
        return window, int(np.prod(self.kernel_size)), size


@plant("the gradients of overlapping windows are assigned instead of added", "AvgPool2d", backward, says="dx:")
class AverageAssigns(nc.AvgPool2d):
    def backward(self, dy):
        window, counts, size = self.recall(dy)
        share = dy / np.asarray(counts, dy.dtype)
        dx = np.zeros((*dy.shape[:-2], *size), dy.dtype)
        newest = np.full(size, -1)
        order = np.arange(np.prod(dy.shape[-2:])).reshape(dy.shape[-2:])
        for _, outputs, inputs in window.taps(size):
            newer = order[outputs[-2:]] > newest[inputs[-2:]]
            dx[inputs] = np.where(newer, share[outputs], dx[inputs])
            newest[inputs[-2:]] = np.maximum(newest[inputs[-2:]], order[outputs[-2:]])
        return dx
