"""Correlation of images with filters, and its two adjoints: what they are, and which algorithm does them.

With N images, G groups, C channels and O filters of one group::

    y[n, o, i, j] = sum over c, a, b of  weight[o, c, a, b] * x[n, c, i sh + a dh - ph, j sw + b dw - pw]

All algorithms have these three signatures and give the same; which one runs is said here, once.
"""

from __future__ import annotations

from types import ModuleType

from . import rows, unfold
from .window import Array, Pair, Window


def algorithm(window: Window) -> ModuleType:
    """Choose: row by row, which needs the rows that a window sees to follow one another; else by unfolding."""
    consecutive = window.dilation[0] == 1 or window.kernel[0] == 1
    return rows if consecutive else unfold


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Slide filters over images: (N, G C, H, W), (G O, C, KH, KW) -> (N, G O, OH, OW)."""
    return algorithm(window).correlate(x, weight, window, groups)  # type: ignore[no-any-return]


def correlate_weight(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient towards the weight: (N, G C, H, W), (N, G O, OH, OW) -> (G O, C, KH, KW).

    ``dweight[o, c, a, b] = sum over n, i, j of dy[n, o, i, j] * x[n, c, i sh + a dh - ph, j sw + b dw - pw]``
    """
    return algorithm(window).correlate_weight(x, dy, window, groups)  # type: ignore[no-any-return]


def correlate_input(dy: Array, weight: Array, window: Window, groups: int, size: Pair) -> Array:
    """Return the gradient towards the images: (N, G O, OH, OW), (G O, C, KH, KW) -> (N, G C, H, W).

    ``dx[n, c, h, w] = sum of weight[o, c, a, b] * dy[n, o, i, j]`` over all (o, a, b, i, j) that saw it.
    """
    return algorithm(window).correlate_input(dy, weight, window, groups, size)  # type: ignore[no-any-return]
