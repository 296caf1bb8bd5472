"""Borders around images, of one value or of copies of the images themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..layers.arguments import addressable, choice, integer
from ..layers.arrays import Array
from .channels import Numbers, each, numbers
from .transform import Choice, Transform

MODES = ("constant", "edge", "reflect", "symmetric")
Padding = int | Sequence[int]
Border = tuple[int, int, int, int]  # left, top, right, bottom


class Pad(Transform):
    """Surround images with a border: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right).

    On 1 2 3 with padding 2, ``edge`` gives 1 1 1 2 3 3 3, ``reflect`` 3 2 1 2 3 2 1 and
    ``symmetric`` 2 1 1 2 3 3 2.

    Parameters
    ----------
    padding : int, (int, int) or (int, int, int, int)
        For all four sides; or left and right, then top and bottom; or left, top, right, bottom.
    fill : float or sequence of float
        What a constant border holds: one number, or one for each channel.
    padding_mode : "constant", "edge", "reflect" or "symmetric"
        What the border is made of.

    Raises
    ------
    ValueError
        For arguments out of range; in the call, for images that have too few pixels for a border
        of copies, or another number of channels than fill.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.transforms.Pad((2, 0), padding_mode="reflect")(np.array([[[[1.0, 2.0, 3.0]]]]))
    array([[[[3., 2., 1., 2., 3., 2., 1.]]]])
    """

    def __init__(self, padding: Padding, fill: Numbers = 0, padding_mode: str = "constant"):
        self.padding = padding
        self.fill = numbers("Pad", "fill", fill)
        self.padding_mode = parse_mode("Pad", padding_mode, self.fill)
        self._border = parse_padding("Pad", padding)

    def _apply(self, images: Array, choice: Choice) -> Array:
        return pad(self, images, self._border, self.fill, self.padding_mode)


def parse_padding(owner: str, padding: Padding) -> Border:
    """Parse a number for all sides, for two and two, or for each: -> left, top, right, bottom."""
    sides = [padding] if isinstance(padding, int) else padding
    if not isinstance(sides, Sequence) or isinstance(sides, str):
        raise TypeError(f"{owner}: expected padding to be an int, or a sequence of 2 or 4, got {padding!r}")
    parsed = [integer(owner, "padding", side, 0) for side in sides]
    match parsed:
        case [all_sides]:
            return all_sides, all_sides, all_sides, all_sides
        case [horizontal, vertical]:
            return horizontal, vertical, horizontal, vertical
        case [left, top, right, bottom]:
            return left, top, right, bottom
    raise ValueError(f"{owner}: expected padding to be an int, or a sequence of 2 or 4, got {padding!r}")


def parse_mode(owner: str, mode: str, fill: float | tuple[float, ...]) -> str:
    """Parse the name of a mode; only a constant border can have a colour."""
    choice(owner, "padding_mode", mode, MODES)
    if mode != "constant" and isinstance(fill, tuple) and len(fill) > 1:
        raise ValueError(f"{owner}: expected padding_mode='constant' where fill is one for each channel, got {mode!r}")
    return mode


def pad(owner: Transform, images: Array, border: Border, fill: float | tuple[float, ...], mode: str) -> Array:
    """Do what ``Pad`` promises."""
    left, top, right, bottom = border
    n, channels, height, width = images.shape
    shape = (n, channels, top + height + bottom, left + width + right)
    addressable(repr(owner), "images", shape)
    if mode == "constant":
        padded = np.full(shape, each(owner, "fill", fill, images), images.dtype)
        padded[:, :, top : top + height, left : left + width] = images
        return padded
    for side, reach in ((height, max(top, bottom)), (width, max(left, right))):
        needed = {"edge": 1, "reflect": reach + 1, "symmetric": reach}[mode]
        if reach and side < needed:
            raise ValueError(
                f"{owner!r}: expected images of at least {needed} pixels where {mode!r} makes a border of {reach}, "
                f"got {side} in images of shape {images.shape}"
            )
    return np.pad(images, ((0, 0), (0, 0), (top, bottom), (left, right)), mode)  # type: ignore[call-overload,no-any-return]
