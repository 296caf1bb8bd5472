"""Images at another size: each row, then each column of the result is a blend of one or two of the image's.

Along one axis, ``y[i] = sum over the taps of weight[i] * x[index[i]]``; a tap without weights copies. The
indices of a tap never fall, so that what was taken several times lies side by side on the way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .layout import as_images, as_rows
from .window import CACHED, Array, Pair

Taps = Sequence[tuple[Array, Array | None]]
"""For each tap the indices and the weights."""


@lru_cache(maxsize=CACHED)
def nearest_taps(size: int, steps: int, factor: float | None) -> Taps:
    """Copy ``x[floor(i * size / steps)]``, or with a factor ``x[floor(i / factor)]``.

    As in PyTorch, the quotients are those of float32, which next to a whole number may fall on its other
    side; and where y has as many rows as x, or twice as many, the factor does not count.
    """
    if steps in (size, 2 * size):
        return [(np.arange(steps) * size // steps, None)]
    ratio = np.float32(1 / factor) if factor else np.float32(size) / np.float32(steps)
    index = np.floor(np.arange(steps, dtype=np.float32) * ratio).astype(np.intp)
    return [(np.minimum(index, size - 1), None)]


@lru_cache(maxsize=CACHED)
def linear_taps(size: int, steps: int, factor: float | None, align_corners: bool) -> Taps:
    """Blend the two neighbours of a place between them.

    The place of output i is ``(i + 1/2) size / steps - 1/2``, or with a factor ``(i + 1/2) / factor - 1/2``, which
    makes the images' edges meet, and not below 0; with ``align_corners`` ``i (size - 1) / (steps - 1)``,
    which makes the centres of the corner pixels meet. Where y has as many rows as x, it is i.
    """
    i = np.arange(steps)
    if size == steps:
        place = i.astype(float)
    elif align_corners:
        place = i * ((size - 1) / (steps - 1) if steps > 1 else 0.0)
    else:
        place = np.maximum((i + 0.5) * (1 / factor if factor else size / steps) - 0.5, 0)
    low = np.minimum(np.floor(place), size - 1).astype(np.intp)
    share = np.clip(place - low, 0, 1)
    high = low if size == steps else np.minimum(low + 1, size - 1)
    return [(low, 1 - share), (high, share)]


def resample(x: Array, rows: Taps, columns: Taps) -> Array:
    """Blend rows, then columns: (N, C, H, W) -> (N, C, OH, OW)."""
    return as_images(_blend(_blend(as_rows(x), 0, rows), 2, columns))


def resample_adjoint(dy: Array, rows: Taps, columns: Taps, size: Pair) -> Array:
    """Return the gradient towards the image: (N, C, OH, OW) -> (N, C, H, W)."""
    return as_images(_send(_send(as_rows(dy), 2, columns, size[1]), 0, rows, size[0]))


def _blend(x: Array, axis: int, taps: Taps) -> Array:
    parts = [_weighted(np.take(x, index, axis), axis, weight) for index, weight in taps]
    return sum(parts[1:], start=parts[0])


def _send(dy: Array, axis: int, taps: Taps, size: int) -> Array:
    """Add up along an axis what each place was taken for."""
    dx = np.zeros((*dy.shape[:axis], size, *dy.shape[axis + 1 :]), dy.dtype)
    ahead: tuple[Any, ...] = (slice(None),) * axis
    for index, weight in taps:
        starts = np.flatnonzero(np.diff(index, prepend=-1))  # where the run of another place begins
        dx[(*ahead, index[starts])] += np.add.reduceat(_weighted(dy, axis, weight), starts, axis)
    return dx


def _weighted(x: Array, axis: int, weight: Array | None) -> Array:
    """Multiply by a weight for each place along an axis."""
    return x if weight is None else x * weight.astype(x.dtype).reshape(-1, *(1 for _ in x.shape[axis + 1 :]))
