"""Parts of images: the middle, or somewhere else for each image every time."""

from __future__ import annotations

import numpy as np

from ..kernels.sample import cut
from ..layers.arguments import IntPair, addressable, flag, pair
from ..layers.arrays import Array
from ..layers.init import Seed, generator
from .channels import Numbers, numbers
from .pad import Border, Padding, pad, parse_mode, parse_padding
from .transform import Choice, Transform, image_shape


class CenterCrop(Transform):
    """Cut the middle out of images: (N, C, H, W) -> (N, C, h, w).

    Images smaller than that are padded with zeros first. Where it cannot be the very middle, it is
    the half pixel off that leaves an even number of pixels before it.

    Parameters
    ----------
    size : int or (int, int)
        h and w.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.transforms.CenterCrop((1, 2))(np.arange(12.0).reshape(1, 1, 3, 4))
    array([[[[5., 6.]]]])
    """

    def __init__(self, size: IntPair):
        self.size = pair("CenterCrop", "size", size, 1)

    def _apply(self, images: Array, choice: Choice) -> Array:
        height, width = self.size
        rows, columns = max(0, height - images.shape[2]), max(0, width - images.shape[3])  # that are missing
        images = pad(self, images, (columns // 2, rows // 2, (columns + 1) // 2, (rows + 1) // 2), 0.0, "constant")
        top, left = round((images.shape[2] - height) / 2), round((images.shape[3] - width) / 2)
        return images[:, :, top : top + height, left : left + width]


class RandomCrop(Transform):
    """Cut a part out of each image, anywhere in it: (N, C, H, W) -> (N, C, h, w).

    With padding, and a size of the images themselves, this shifts them.

    Parameters
    ----------
    size : int or (int, int)
        h and w.
    padding : int, (int, int) or (int, int, int, int), optional
        A border around the images, see ``Pad``; the part may lie in it too.
    pad_if_needed : bool
        Whether an image that is too small gets what it lacks, above and below, or left and right; on both sides.
    fill : float or sequence of float
        What a constant border holds: one number, or one for each channel.
    padding_mode : "constant", "edge", "reflect" or "symmetric"
        What the border is made of.

    Raises
    ------
    ValueError
        For arguments out of range; in the call, for images that the part does not fit into.

    Notes
    -----
    ``draw`` gives ``top`` and ``left``, (N,): where each part begins, counted from the border's corner.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> images = np.ones((2, 1, 2, 2))
    >>> nc.transforms.RandomCrop(2, padding=1)(images, rng=0)
    array([[[[1., 1.],
             [0., 0.]]],
    <BLANKLINE>
    <BLANKLINE>
           [[[0., 1.],
             [0., 1.]]]])
    """

    def __init__(
        self,
        size: IntPair,
        padding: Padding | None = None,
        pad_if_needed: bool = False,
        fill: Numbers = 0,
        padding_mode: str = "constant",
    ):
        self.size = pair("RandomCrop", "size", size, 1)
        self.padding = padding
        self.pad_if_needed = flag("RandomCrop", "pad_if_needed", pad_if_needed)
        self.fill = numbers("RandomCrop", "fill", fill)
        self.padding_mode = parse_mode("RandomCrop", padding_mode, self.fill)
        self._given = parse_padding("RandomCrop", 0 if padding is None else padding)

    def draw(self, shape: tuple[int, ...], rng: Seed = None) -> Choice:
        shape = image_shape(self, shape)
        left, top, right, bottom = self._border(shape)
        rooms = shape[2] + top + bottom - self.size[0], shape[3] + left + right - self.size[1]
        if min(rooms) < 0:
            raise ValueError(
                f"{self!r}: expected images that a part of {self.size} fits into, padding counted, "
                f"got images of shape {shape}"
            )
        top, left = generator(rng).integers(0, np.array(rooms) + 1, (shape[0], 2)).T
        return {"top": top, "left": left}

    def _apply(self, images: Array, choice: Choice) -> Array:
        border = self._border(images.shape)
        if any(border):
            images = pad(self, images, border, self.fill, self.padding_mode)
        for name, side, size in zip(("top", "left"), images.shape[2:], self.size, strict=True):
            if ((choice[name] < 0) | (choice[name] > side - size)).any():
                raise ValueError(f"{self!r}: expected {name!r} from 0 to {side - size}, got {choice[name]}")
        return cut(images, choice["top"], choice["left"], self.size)

    def _border(self, shape: tuple[int, ...]) -> Border:
        """Return the width of the border: left, top, right, bottom."""
        left, top, right, bottom = self._given
        if self.pad_if_needed:
            rows = max(0, self.size[0] - shape[2] - top - bottom)
            columns = max(0, self.size[1] - shape[3] - left - right)
            left, top, right, bottom = left + columns, top + rows, right + columns, bottom + rows
        addressable(repr(self), "images", (*shape[:2], shape[2] + top + bottom, shape[3] + left + right))
        return left, top, right, bottom
