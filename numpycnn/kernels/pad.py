"""Padding that copies from the image itself, and its adjoint: every copy sends its gradient home."""

from __future__ import annotations

import numpy as np

from .window import Array, Pair

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}  # PyTorch's names: NumPy's


def pad(x: Array, padding: tuple[Pair, Pair], mode: str) -> Array:
    """Surround images with copies of their pixels: (N, C, H, W) -> (N, C, H + t + b, W + l + r).

    On 1 2 3 with padding 2, ``reflect`` gives 3 2 1 2 3 2 1, ``replicate`` 1 1 1 2 3 3 3 and
    ``circular`` 2 3 1 2 3 1 2.
    """
    return np.pad(x, ((0, 0), (0, 0), *padding), MODES[mode])  # type: ignore[call-overload,no-any-return]


def pad_adjoint(dy: Array, padding: tuple[Pair, Pair], mode: str) -> Array:
    """Fold the gradient of padded images back onto the pixels that were copied."""
    for axis, sides in zip((2, 3), padding, strict=True):
        dy = np.moveaxis(_fold(np.moveaxis(dy, axis, 0), sides, mode), 0, axis)
    return dy


def _fold(dy: Array, sides: Pair, mode: str) -> Array:
    """Fold along the first axis: the inside stays, each border row is added to the row it copied."""
    before, after = sides
    size = len(dy) - before - after
    source = np.pad(np.arange(size), sides, MODES[mode])  # type: ignore[call-overload]
    dx = dy[before : before + size].copy()
    for row in (*range(before), *range(before + size, len(dy))):
        dx[source[row]] += dy[row]
    return dx
