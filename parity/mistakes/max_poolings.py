"""Mistakes: max poolings."""

import numpy as np

import numpycnn as nc

from ..laws import backward, forward, refusals
from .mistake import plant

# Maxima


class Maxima(nc.MaxPool2d):
    """The maximum as a loop over the taps, with each of its decisions apart; as it stands here it is right."""

    lowest = -np.inf

    def walk(self, size):
        return self._window.taps(size)

    def better(self, seen, best, nothing_yet):
        return (seen > best) | np.isnan(seen) | nothing_yet

    def send(self, dy, x, y, where):
        """Return dx; where holds the flat position of each window's maximum."""
        dx = np.zeros_like(x)
        planes = np.indices(where.shape)[:-2]
        np.add.at(dx, (*planes, *np.divmod(where, x.shape[-1])), dy)
        return dx

    def forward(self, x):
        super().forward(x)  # refuses what it must
        size = x.shape[-2:]
        positions = np.arange(size[0] * size[1]).reshape(size)
        y = np.full(x.shape[:-2] + self._window.output_size(size), self.lowest, x.dtype)
        where = np.full(y.shape, -1)
        for _, outputs, inputs in self.walk(size):
            better = self.better(x[inputs], y[outputs], where[outputs] < 0)
            y[outputs] = np.where(better, x[inputs], y[outputs])
            where[outputs] = np.where(better, positions[inputs], where[outputs])
        self.remember(y, x, y, where)
        return (y, where.copy()) if self.return_indices else y

    def backward(self, dy):
        return self.send(dy, *self.recall(dy))


@plant("the padding is 0 instead of nothing, which wins over negative numbers", "MaxPool2d", forward, says="y:")
class PaddedWithZeros(Maxima):
    def forward(self, x):
        y, *indices = out if isinstance(out := super().forward(x), tuple) else (out,)
        seen = np.zeros(y.shape[-2:], int)
        for _, outputs, _ in self.walk(x.shape[-2:]):
            seen[outputs] += 1
        y = np.where(seen < np.prod(self.kernel_size), np.maximum(y, 0), y)
        return (y, *indices) if indices else y


@plant("the search begins at 0", "MaxPool2d", forward)
class BeginsAtZero(Maxima):
    lowest = 0

    def better(self, seen, best, nothing_yet):
        return (seen > best) | np.isnan(seen)


@plant("a window of nothing but -inf has no maximum", "MaxPool2d", backward, says="dx:")
class OnlyMinusInfinity(Maxima):
    def better(self, seen, best, nothing_yet):
        return (seen > best) | np.isnan(seen)


@plant("a NaN is passed over", "MaxPool2d", forward, says="y:")
class PassesOverNaN(Maxima):
    def better(self, seen, best, nothing_yet):
        return (seen > best) | nothing_yet


@plant("of two NaNs the first one wins", "MaxPool2d", backward, says="dx:")
class FirstNaN(Maxima):
    def better(self, seen, best, nothing_yet):
        return (seen > best) | (np.isnan(seen) & ~np.isnan(best)) | nothing_yet


@plant("a tie goes to the last", "MaxPool2d", backward, says="dx:")
class LastOfTies(Maxima):
    def better(self, seen, best, nothing_yet):
        return (seen >= best) | np.isnan(seen)


@plant("a tie goes to the first column instead of the first row", "MaxPool2d", backward, says="dx:")
class FirstColumn(Maxima):
    def walk(self, size):
        return sorted(super().walk(size), key=lambda tap: tap[0][::-1])


@plant("with padding, dilation or ceil_mode a tie goes to the last", "MaxPool2d", backward, says="dx:")
class LastOfTiesInHardWindows(LastOfTies):
    def better(self, seen, best, nothing_yet):
        easy = (self.padding, self.dilation, self.ceil_mode) == ((0, 0), (1, 1), False)
        return (Maxima if easy else LastOfTies).better(self, seen, best, nothing_yet)


@plant("the indices count in the window instead of the image", "MaxPool2d", forward, says="indices")
class IndicesInTheWindow(nc.MaxPool2d):
    def forward(self, x):
        out = super().forward(x)
        return (out[0], out[1] % np.prod(self.kernel_size)) if self.return_indices else out


@plant("one mask for overlapping windows, with maxima counted twice", "MaxPool2d", backward, says="dx:")
class MaskCountsTwice(Maxima):
    def send(self, dy, x, y, where):
        mask = super().send(np.ones_like(dy), x, y, where)
        dx = np.zeros_like(x)
        for _, outputs, inputs in self.walk(x.shape[-2:]):
            dx[inputs] += dy[outputs] * mask[inputs]
        return dx


@plant("the gradient of a window leaks to its neighbour's maximum", "MaxPool2d", backward, says="dx:")
class MaskLeaks(Maxima):
    def send(self, dy, x, y, where):
        mask = super().send(np.ones_like(dy), x, y, where) > 0
        dx = np.zeros_like(x)
        for _, outputs, inputs in self.walk(x.shape[-2:]):
            dx[inputs] += dy[outputs] * mask[inputs]
        return dx


@plant("every tie gets the gradient", "MaxPool2d", backward, says="dx:")
class EveryTie(Maxima):
    def send(self, dy, x, y, where):
        dx = np.zeros_like(x)
        for _, outputs, inputs in self.walk(x.shape[-2:]):
            dx[inputs] += dy[outputs] * (x[inputs] == y[outputs])
        return dx


@plant("the position is found from the kernel's size instead of the stride", "MaxPool2d", backward, says="dx:")
class KernelForStride(Maxima):
    def send(self, dy, x, y, where):
        (height, width), (kh, kw), (sh, sw) = x.shape[-2:], self.kernel_size, self.stride
        i, j = np.indices(y.shape[-2:])
        h, w = where // width + i * (kh - sh), where % width + j * (kw - sw)
        return super().send(dy, x, y, h.clip(0, height - 1) * width + w.clip(0, width - 1))


@plant("the gradients of overlapping windows are assigned instead of added", "MaxPool2d", backward, says="dx:")
class Assigns(Maxima):
    def send(self, dy, x, y, where):
        dx = np.zeros_like(x)
        dx[(*np.indices(where.shape)[:-2], *np.divmod(where, x.shape[-1]))] = dy
        return dx


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


# Windows


@plant("the padding is filled by [p:-p], which for p = 0 is nothing", "MaxPool2d", forward, crash=ValueError)
class FillsByMinusZero(nc.MaxPool2d):
    def forward(self, x):
        height, width = x.shape[-2:]
        p, q = self.padding
        if (p, q) != (0, 0):
            padded = np.full((*x.shape[:-2], height + 2 * p, width + 2 * q), -np.inf, x.dtype)
            padded[..., p:-p, q:-q] = x
        return super().forward(x)


@plant("a kernel given as a tuple is refused", "MaxPool2d", refusals, says="torch takes this")
class TupleRefused(nc.MaxPool2d):
    def __init__(self, kernel_size, **kwargs):
        if not isinstance(kernel_size, int):
            raise TypeError(f"MaxPool2d: expected kernel_size to be an int, got {kernel_size!r}")
        super().__init__(kernel_size, **kwargs)


@plant("geometries that do not divide exactly are refused", "MaxPool2d", refusals, says="torch takes this")
class ExactOnly(nc.MaxPool2d):
    def forward(self, x):
        out = super().forward(x)
        spans = zip(x.shape[-2:], self.padding, self.kernel_size, self.stride, strict=True)
        if any((side + 2 * padding - kernel) % stride for side, padding, kernel, stride in spans):
            raise nc.ShapeError(self, f"expected strides to divide the image exactly, got x of shape {x.shape}")
        return out


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
