"""What the layers on images share: one image or a batch, and windows that must fit."""

from __future__ import annotations

from ..kernels.window import Pair, Window
from .arguments import addressable
from .arrays import Array
from .errors import ShapeError
from .layer import Layer


def as_batch(x: Array) -> Array:
    """See one image (C, H, W) as a batch of one; a batch (N, C, H, W) as it is."""
    return x if x.ndim == 4 else x[None]


def check_images(layer: Layer, x: Array) -> None:
    """Raise unless x is a batch of images or one image."""
    layer.check_array(x)
    if x.ndim not in (3, 4):
        raise ShapeError(layer, f"expected x of shape (N, C, H, W) or (C, H, W), got {x.shape}")


def check_sides(layer: Layer, x: Array) -> None:
    """Raise for images of no size; a batch of no images is fine."""
    if 0 in x.shape[-3:]:
        raise ShapeError(layer, f"expected images of at least one channel, row and column, got x of shape {x.shape}")


def check_fit(layer: Layer, x: Array, window: Window, border: tuple[Pair, Pair] = ((0, 0), (0, 0))) -> None:
    """Raise unless the window fits into the images, its padding and a border around them counted."""
    (top, bottom), (left, right) = border
    height, width = x.shape[-2:]
    steps = window.output_size((height + top + bottom, width + left + right))
    addressable(type(layer).__name__, "an output", (*x.shape[:-2], *steps))
    if min(steps) < 1:
        raise ShapeError(
            layer,
            f"expected images that a window of {window.extent()} fits into, padding counted, got x of shape {x.shape}",
        )
