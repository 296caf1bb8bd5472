"""Correlation of images with filters, and its two adjoints: what they are, and which algorithm does them.

With N images, G groups, C channels and O filters of one group::

    y[n, o, i, j] = sum over c, a, b of  weight[o, c, a, b] * x[n, c, i sh + a dh - ph, j sw + b dw - pw]

All algorithms have these three signatures and give the same, up to rounding; which one runs is said here, once.
"""

from __future__ import annotations

import math
from types import ModuleType

from . import rows, unfold, winograd
from .layout import channels_last, laid_out
from .switch import is_winograd_enabled
from .window import Array, Pair, Window

WIDE = 64  # numbers in a row of outputs, of all images together, that make a good matrix
LARGE = 1 << 13  # numbers in the weight, from which on the shape of the matrices is what matters


def algorithm(window: Window, outputs: tuple[int, ...], weight: tuple[int, ...], groups: int) -> ModuleType:
    """Choose for outputs of shape (N, O, OH, OW) and weights of shape (O, C, KH, KW).

    Row by row is good wherever it can be done, which takes that the rows that a window sees follow
    one another. But a narrow row times twice as many filters is a matrix of few columns: few small images
    are unfolded as a whole. Winograd's algorithm must be allowed, and pay.
    """
    if is_winograd_enabled() and winograd.accepts(window) and winograd.pays(window, outputs, weight, groups):
        return winograd
    consecutive = window.dilation[0] == 1 or window.kernel[0] == 1
    narrow = outputs[0] * outputs[3] < min(WIDE, weight[0] // groups // 2) and math.prod(weight) >= LARGE * groups
    return rows if consecutive and not narrow else unfold


def lay_inputs(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Lay images out in memory as the algorithm wants them, once for ``correlate`` and ``correlate_weight``."""
    return _laid_out(x, (len(x), len(weight), *window.output_size(x.shape[2:])), weight, window, groups)


def lay_outputs(dy: Array, weight: Array, window: Window, groups: int) -> Array:
    """Lay the gradient of the outputs out so, once for ``correlate_weight`` and ``correlate_input``."""
    return _laid_out(dy, dy.shape, weight, window, groups)


def _laid_out(images: Array, outputs: tuple[int, ...], weight: Array, window: Window, groups: int) -> Array:
    if is_winograd_enabled() and algorithm(window, outputs, weight.shape, groups) is winograd:
        return channels_last(images)
    return laid_out(images)


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Slide filters over images: (N, G C, H, W), (G O, C, KH, KW) -> (N, G O, OH, OW)."""
    outputs = len(x), len(weight), *window.output_size(x.shape[2:])
    return algorithm(window, outputs, weight.shape, groups).correlate(x, weight, window, groups)  # type: ignore[no-any-return]


def correlate_weight(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient towards the weight: (N, G C, H, W), (N, G O, OH, OW) -> (G O, C, KH, KW).

    ``dweight[o, c, a, b] = sum over n, i, j of dy[n, o, i, j] * x[n, c, i sh + a dh - ph, j sw + b dw - pw]``
    """
    weight = dy.shape[1], x.shape[1] // groups, *window.kernel
    return algorithm(window, dy.shape, weight, groups).correlate_weight(x, dy, window, groups)  # type: ignore[no-any-return]


def correlate_input(dy: Array, weight: Array, window: Window, groups: int, size: Pair) -> Array:
    """Return the gradient towards the images: (N, G O, OH, OW), (G O, C, KH, KW) -> (N, G C, H, W).

    ``dx[n, c, h, w] = sum of weight[o, c, a, b] * dy[n, o, i, j]`` over all (o, a, b, i, j) that saw it.
    """
    chosen = algorithm(window, dy.shape, weight.shape, groups)
    return chosen.correlate_input(dy, weight, window, groups, size)  # type: ignore[no-any-return]
