"""Mistakes: average poolings."""

import numpy as np

import numpycnn as nc

from ..laws import backward, empty_batch, forward, mixing
from .mistake import plant

# Windows


@plant("the stride is 1 unless given, instead of the kernel's size", "AvgPool2d", forward, says="y: ")
class StepsByOne(nc.AvgPool2d):
    def __init__(self, *, stride=1, **kwargs):
        super().__init__(**kwargs, stride=stride)


@plant("ceil_mode is ignored", "AvgPool2d", forward, says="y: expected shape")
class CeilIgnored(nc.AvgPool2d):
    def __init__(self, *, ceil_mode=False, **kwargs):
        super().__init__(**kwargs)


@plant("with ceil_mode the last window may begin behind the image", "AvgPool2d", forward, says="y: expected shape")
class WindowBehindTheImage(nc.AvgPool2d):
    def forward(self, x):
        y = super().forward(x)
        if not self.ceil_mode:
            return y
        spans = zip(x.shape[-2:], self.padding, self.kernel_size, self.stride, strict=True)
        steps = [-(-(side + 2 * padding - kernel) // stride) + 1 for side, padding, kernel, stride in spans]
        return np.pad(y, [(0, 0)] * (y.ndim - 2) + [(0, n - m) for n, m in zip(steps, y.shape[-2:], strict=True)])


@plant("height and width are swapped, which a square stride hides", "AvgPool2d", forward, says="y:")
class StrideSwapped(nc.AvgPool2d):
    def __init__(self, *, stride=None, **kwargs):
        super().__init__(**kwargs, stride=stride[::-1] if isinstance(stride, tuple) else stride)


@plant("the kernel and the stride are taken as (width, height)", "AvgPool2d", forward, crash=ValueError)
class SidesSwapped(nc.AvgPool2d):
    def __init__(self, *, kernel_size, stride=None, **kwargs):
        swapped = [sides[::-1] if isinstance(sides, tuple) else sides for sides in (kernel_size, stride)]
        super().__init__(*swapped, **kwargs)


@plant("the padding is left out", "AvgPool2d", forward, crash=ValueError)
class PaddingLeftOut(nc.AvgPool2d):
    def __init__(self, *, padding=0, **kwargs):
        super().__init__(**kwargs)


# What the sum is divided by


@plant("with ceil_mode all windows are divided by the kernel's size", "AvgPool2d", forward, says="y:")
class SameCountForAll(nc.AvgPool2d):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if self.ceil_mode and self.count_include_pad and self.divisor_override is None:
            self.divisor_override = int(np.prod(self.kernel_size))


@plant("padding is always counted", "AvgPool2d", forward, says="y:")
class PaddingCounts(nc.AvgPool2d):
    def __init__(self, *, count_include_pad=True, **kwargs):
        super().__init__(**kwargs)


@plant("padding is never counted", "AvgPool2d", forward, says="y:")
class PaddingNeverCounts(nc.AvgPool2d):
    def __init__(self, *, count_include_pad=True, **kwargs):
        super().__init__(**kwargs, count_include_pad=False)


@plant("the sum is not divided", "AvgPool2d", forward, says="y:")
class SumsUp(nc.AvgPool2d):
    def __init__(self, *, divisor_override=None, **kwargs):
        super().__init__(**kwargs, divisor_override=1)


@plant("a float32 sum is divided by an int64 count", "AvgPool2d", forward, says="y: expected dtype float32")
class DividedByIntegers(nc.AvgPool2d):
    def forward(self, x):
        count = np.prod(self.kernel_size)
        return super().forward(x) * count / count


# The way back


@plant("divisor_override is forgotten in backward", "AvgPool2d", backward, says="dx:")
class DivisorForgotten(nc.AvgPool2d):
    def forward(self, x):
        y = super().forward(x)
        divisor, self.divisor_override = self.divisor_override, None
        super().forward(x)  # what backward will go by
        self.divisor_override = divisor
        return y


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
class Assigns(nc.AvgPool2d):
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


# What is taken


@plant("whole numbers are taken, and backward has no room for fractions", "AvgPool2d", mixing, says="integers")
class IntegersTaken(nc.AvgPool2d):
    def check_array(self, x, name="x"):
        pass

    def forward(self, x):
        self._dx = np.zeros_like(x)
        return super().forward(x.astype(np.float64) if x.dtype.kind == "i" else x)

    def backward(self, dy):
        self._dx += super().backward(dy)
        return self._dx


@plant("the images of an empty batch are stacked", "AvgPool2d", empty_batch, crash=ValueError)
class ImageByImage(nc.AvgPool2d):
    def forward(self, x):
        return np.stack([*super().forward(x)])
