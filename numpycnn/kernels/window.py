"""Windows that slide over an image: which outputs see which inputs. All index arithmetic starts here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Pair = tuple[int, int]
Index = tuple[Any, ...]
Place = tuple[slice, slice, slice]  # some images, channels and rows

CACHED = 64
"""Index arithmetic is done once for each geometry and size in use; for small arrays it would cost more than theirs."""


@dataclass(frozen=True, slots=True)
class Window:
    """The geometry of a convolution or pooling; every field holds one entry for each axis (height, width).

    Tap ``a`` of the window at output ``i`` lies on input ``i * stride + a * dilation - before``,
    with ``padding = (before, after)``::

        k = 3, s = 2, p = (1, 1)    input     . 0 1 2 3 4 .
                                    output 0  |---|
                                    output 1      |---|
                                    output 2          |---|
    """

    kernel: Pair
    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    ceil_mode: bool = False

    @property
    def overlapping(self) -> bool:
        """Whether an input may be seen by several windows."""
        return any(span > step for span, step in zip(self.extent(), self.stride, strict=True))

    def extent(self) -> Pair:
        """Return how many rows and columns one window spans, from its first tap to its last."""
        (kh, kw), (dh, dw) = self.kernel, self.dilation
        return (kh - 1) * dh + 1, (kw - 1) * dw + 1

    @lru_cache(maxsize=CACHED)  # noqa: B019 - a window is a value; the few in use are kept
    def output_size(self, size: Pair) -> Pair:
        """Return (OH, OW) for an input of (H, W); below 1 where no window fits.

        ``floor((H + padding - extent) / stride) + 1``, or with ``ceil_mode`` the ceiling, less the
        windows that would begin behind the input and its leading padding.
        """
        oh, ow = (
            _steps(size[axis], self.extent()[axis], self.stride[axis], self.padding[axis], self.ceil_mode)
            for axis in (0, 1)
        )
        return oh, ow

    @lru_cache(maxsize=CACHED)  # noqa: B019
    def taps(self, size: Pair) -> Sequence[tuple[Pair, Index, Index]]:
        """Walk over the kernel: for each tap (a, b), the outputs whose tap is inside, and the inputs they see.

        The two indices select equally many rows and columns, so that over all taps
        ``y[outputs] op x[inputs]`` visits each pair of an output and an input that it sees once.
        Padding is never touched.
        """
        rows, cols = self.axes(size)
        return [
            ((a, b), (..., rows_out, cols_out), (..., rows_in, cols_in))
            for a, rows_out, rows_in in rows
            for b, cols_out, cols_in in cols
        ]

    def axes(self, size: Pair) -> tuple[Sequence[tuple[int, slice, slice]], Sequence[tuple[int, slice, slice]]]:
        """Walk over the kernel's rows and its columns apart: tap, outputs and inputs along each axis."""
        rows, cols = (
            axis_taps(*axis)
            for axis in zip(
                size, self.output_size(size), self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )
        return rows, cols

    @lru_cache(maxsize=CACHED)  # noqa: B019
    def strips(self, size: Pair, count: int) -> Sequence[tuple[slice, slice, Window]]:
        """Cut an image into strips of so many rows of outputs: these, the rows they see, the window seen from there."""
        (height, _), stride, before = size, self.stride[0], self.padding[0][0]
        strips = []
        for first in range(0, self.output_size(size)[0], count):
            last = min(first + count, self.output_size(size)[0]) - 1
            start, stop = first * stride - before, last * stride - before + self.extent()[0]
            seen = slice(min(max(0, start), height), max(0, min(stop, height)))
            border = (seen.start - start, stop - seen.stop), self.padding[1]
            part = Window(self.kernel, self.stride, border, self.dilation, self.ceil_mode)
            strips.append((slice(first, last + 1), seen, part))
        return strips

    def sees_everywhere(self, size: Pair) -> bool:
        """Tell whether every window sees an input; one may stand in the padding, or by dilation step over the image."""
        seen = np.zeros(self.output_size(size), bool)
        for _, outputs, _ in self.taps(size):
            seen[outputs] = True
        return bool(seen.all())

    @lru_cache(maxsize=CACHED)  # noqa: B019
    def counts(self, size: Pair, padding_counts: bool = True) -> Array:
        """Return how many entries each window averages over: (OH, OW), or (1, 1) where all do over as many.

        Those in the padding are among them if ``padding_counts``; those that ``ceil_mode`` adds
        behind the padding never are. For windows without dilation.
        """
        rows, cols = (
            _axis_counts(*axis, padding_counts)
            for axis in zip(size, self.output_size(size), self.kernel, self.stride, self.padding, strict=True)
        )
        counts: Array = rows[:, None] * cols
        return counts[:1, :1] if (counts == counts[0, 0]).all() else counts

    def gather(self, x: Array) -> Array:
        """Copy what each window sees, padding as zeros: (N, C, H, W) -> (N, C, KH, KW, OH, OW)."""
        windows = np.zeros(x.shape[:2] + self.kernel + self.output_size(x.shape[2:]), x.dtype)
        for (a, b), outputs, inputs in self.taps(x.shape[2:]):
            windows[:, :, a, b][outputs] = x[inputs]
        return windows

    def scatter(self, windows: Array, size: Pair) -> Array:
        """Add windows up where they lie, the adjoint of gather: (N, C, KH, KW, OH, OW) -> (N, C, H, W)."""
        x = np.zeros(windows.shape[:2] + size, windows.dtype)
        for (a, b), outputs, inputs in self.taps(size):
            x[inputs] += windows[:, :, a, b][outputs]
        return x


def _steps(size: int, extent: int, stride: int, padding: Pair, ceil_mode: bool) -> int:
    """Count the positions of a window along one axis."""
    before, after = padding
    room = size + before + after - extent
    steps = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (steps - 1) * stride >= size + before:
        steps -= 1
    return steps


@lru_cache(maxsize=CACHED)
def axis_taps(
    size: int, steps: int, kernel: int, stride: int, padding: Pair, dilation: int
) -> Sequence[tuple[int, slice, slice]]:
    """Walk over the taps of one axis: the tap, the outputs that see an input by it, those inputs."""
    taps = []
    # Of a kernel that is larger than image and padding, most taps see nothing: they are not even looked at.
    lowest = max(0, -(-(padding[0] - (steps - 1) * stride) // dilation))
    for tap in range(lowest, min(kernel, (size - 1 + padding[0]) // dilation + 1)):
        offset = tap * dilation - padding[0]  # the input that output 0 would see
        first = max(0, -(offset // stride))  # the first output whose tap is not before the input
        last = min(steps, (size - 1 - offset) // stride + 1)  # one behind the last that is not after it
        if first < last:
            start = first * stride + offset
            taps.append((tap, slice(first, last), slice(start, start + (last - first - 1) * stride + 1, stride)))
    return taps


def _axis_counts(size: int, steps: int, kernel: int, stride: int, padding: Pair, padding_counts: bool) -> Array:
    before, after = padding
    start = np.arange(steps) * stride - before
    stop = np.minimum(start + kernel, size + after)
    if not padding_counts:
        start, stop = np.maximum(start, 0), np.minimum(stop, size)
    return stop - start
