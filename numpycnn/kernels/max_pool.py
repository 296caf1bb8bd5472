"""The maximum of each window, the way back to the entry that was it, and where in its image that stands."""

from __future__ import annotations

import numpy as np

from .adaptive import AnyWindow
from .columns import collect, deal
from .layout import channels_are_last
from .planes import empty, laid, stay_in_planes
from .taps import combine_both, send
from .walk import ALL, Piece, Steps, plan
from .window import Array


def max_pool(x: Array, window: AnyWindow) -> Array:
    """Return the largest entry of each window, (N, C, H, W) -> (N, C, OH, OW); padding takes no part."""
    if channels_are_last(x):
        return max_pool(x.swapaxes(0, 1), window).swapaxes(0, 1)
    in_planes = stay_in_planes(x, window, x.shape[3])
    images = laid(x, in_planes)
    way = plan(images.shape, window, in_planes)
    y = empty((*images.shape[:2], *way.size), x.dtype, in_planes)

    def fill(piece: Piece) -> None:
        combine_both(np.maximum, y[piece.outputs], images[piece.inputs], piece, -np.inf, in_planes)

    way.walk(fill)
    return y.reshape(*x.shape[:2], *way.size)


def max_pool_adjoint(dy: Array, x: Array, y: Array, window: AnyWindow) -> Array:
    """Send the gradient of each window to the one entry that was its largest: -> (N, C, H, W).

    The walk goes through each window once more, and the first entry that equals the maximum gets
    the gradient; for a maximum that is NaN, the last that is NaN.
    """
    if channels_are_last(x):
        swapped = max_pool_adjoint(dy.swapaxes(0, 1), x.swapaxes(0, 1), y.swapaxes(0, 1), window)
        return swapped.swapaxes(0, 1)
    in_planes = stay_in_planes(x, window, x.shape[3])
    images, maxima, gradient = (laid(array, in_planes) for array in (x, y, dy))
    way = plan(images.shape, window, in_planes)
    dx = empty(images.shape, x.dtype, in_planes)

    def send_back(piece: Piece) -> None:
        # what has not found its entry yet; as integers, since of floats inf - inf is NaN
        bits = gradient[piece.outputs].copy(order="K").view(f"i{dy.itemsize}")
        seen, best, result = images[piece.inputs], maxima[piece.outputs], dx[piece.inputs]
        if not way.gapless:
            dx[piece.fresh] = 0
        if piece.phases == 1:
            _send_to_first(bits, seen, best, result, piece.taps, way.once)
        else:
            seen = deal(seen, piece.phases, in_planes)
            dealt = np.zeros_like(seen)
            dealt[:, :, : piece.again] = deal(result[:, :, : piece.again], piece.phases, in_planes)
            _send_to_first(bits, seen, best, dealt, piece.taps, way.once)
            collect(dealt, result, piece.phases)

    way.walk(send_back)
    return dx.reshape(x.shape)


def _send_to_first(bits: Array, x: Array, y: Array, dx: Array, taps: Steps, once: bool) -> None:
    """Send bits, which are used up, to dx, and first those of NaN, which equals nothing; ``once`` as in ``Plan``."""
    if np.isnan(y.min(initial=np.inf)) and bits[np.isnan(y)].any():
        if once:
            dx[...], once = 0, False
        for outputs, inputs in reversed(taps):
            found = bits[outputs] * np.isnan(x[inputs])
            bits[outputs] ^= found
            dx[inputs] += found.view(dx.dtype)
    for outputs, inputs in taps[:-1]:
        found = bits[outputs] * (x[inputs] == y[outputs])
        bits[outputs] ^= found
        send(found.view(dx.dtype), dx, [(ALL, inputs)], once)
    send(bits.view(dx.dtype), dx, taps[-1:], once)  # what is left, without a look


def max_positions(x: Array, y: Array, window: AnyWindow) -> Array:
    """Return where in its image the largest entry of each window stands, ``h W + w``: (N, C, OH, OW).

    A tie goes to the tap that comes first, the kernel's rows before its columns; NaN to the last.
    """
    height, width = x.shape[2:]
    positions = np.arange(height * width).reshape(height, width)
    where = np.full(y.shape, -1)
    for _, outputs, inputs in window.taps((height, width)):
        hit = (x[inputs] == y[outputs]) & (where[outputs] < 0) | np.isnan(x[inputs])
        where[outputs] = np.where(hit, positions[inputs], where[outputs])
    return where
