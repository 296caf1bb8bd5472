"""What the layers on images share: one image or a batch, and windows that must fit."""

from __future__ import annotations

from ..kernels.window import Window
from .errors import ShapeError
from .layer import Array, Layer


def as_batch(x: Array) -> Array:
    """See one image (C, H, W) as a batch of one; a batch (N, C, H, W) as it is."""
    return x if x.ndim == 4 else x[None]


def check_images(layer: Layer, x: Array) -> None:
    """Raise unless x is a batch of images or one image."""
    layer.check_array(x)
    if x.ndim not in (3, 4):
        raise ShapeError(layer, f"expected x of shape (N, C, H, W) or (C, H, W), got {x.shape}")


def check_fit(layer: Layer, x: Array, window: Window, padded: tuple[int, int]) -> None:
    """Raise unless the window, padding counted, fits into images of the given size."""
    if min(window.output_size(padded)) < 1:
        raise ShapeError(
            layer,
            f"expected images that a window of {window.extent()} with padding {window.padding} fits into, "
            f"got x of shape {x.shape}",
        )
