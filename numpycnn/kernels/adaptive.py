"""Windows that share an image out evenly, whatever its size: those of adaptive pooling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .window import CACHED, Array, Index, Pair, Window


@dataclass(frozen=True)
class AdaptiveWindow:
    """Output i of ``steps`` sees the inputs ``floor(i size / steps)`` up to ``ceil((i + 1) size / steps)``, exclusive.

    Windows overlap and differ in size where the division leaves a rest::

        size = 5, steps = 3     input     0 1 2 3 4
                                output 0  |-|
                                output 1    |---|
                                output 2        |-|
    """

    steps: Pair
    overlapping = True

    def output_size(self, size: Pair) -> Pair:
        """Return (OH, OW), whatever the input."""
        return self.steps

    @lru_cache(maxsize=CACHED)  # noqa: B019 - a window is a value; the few in use are kept
    def axes(self, size: Pair) -> tuple[Sequence[tuple[int, Array, Array]], Sequence[tuple[int, Array, Array]]]:
        """Walk over rows and columns apart, as ``Window.axes`` does."""
        rows, cols = (list(_axis_taps(*axis)) for axis in zip(size, self.steps, strict=True))
        return rows, cols

    @lru_cache(maxsize=CACHED)  # noqa: B019
    def taps(self, size: Pair) -> Sequence[tuple[Pair, Index, Index]]:
        """Walk over the windows as ``Window.taps`` does; within one pair of indices nothing appears twice."""
        rows, cols = self.axes(size)
        return [
            ((a, b), (..., *np.ix_(rows_out, cols_out)), (..., *np.ix_(rows_in, cols_in)))
            for a, rows_out, rows_in in rows
            for b, cols_out, cols_in in cols
        ]

    def strips(self, size: Pair, count: int) -> Sequence[tuple[slice, slice, AdaptiveWindow]]:
        """Return the whole image as one strip, however many rows are asked for: windows that differ are not cut."""
        return [(slice(0, self.steps[0]), slice(0, size[0]), self)]

    @lru_cache(maxsize=CACHED)  # noqa: B019
    def counts(self, size: Pair) -> Array:
        """Return how many entries each window sees: (OH, OW)."""
        rows, cols = (stop - start for start, stop in map(_spans, size, self.steps))
        counts: Array = rows[:, None] * cols
        return counts


AnyWindow = Window | AdaptiveWindow


def adaptive_window(size: Pair, steps: Pair) -> AnyWindow:
    """Return the windows that share (H, W) out over (OH, OW): plain ones where the division leaves no rest."""
    if all(step and length % step == 0 for length, step in zip(size, steps, strict=True)):
        kernel = size[0] // steps[0], size[1] // steps[1]
        return Window(kernel, kernel)
    return AdaptiveWindow(steps)


def _spans(size: int, steps: int) -> tuple[Array, Array]:
    i = np.arange(steps)
    return i * size // steps, -(-(i + 1) * size // steps)


def _axis_taps(size: int, steps: int) -> Iterator[tuple[int, Array, Array]]:
    start, stop = _spans(size, steps)
    phases = -(-steps // size)  # outputs that lie this far apart start at different inputs
    for tap in range(int(max(stop - start, default=0))):
        for phase in range(phases):
            outputs = np.arange(phase, steps, phases)
            outputs = outputs[(start + tap < stop)[outputs]]
            yield tap, outputs, start[outputs] + tap
