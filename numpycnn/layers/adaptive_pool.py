"""Adaptive pooling: the output's size is given, the windows follow from the input's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..kernels.adaptive import adaptive_window
from .arguments import addressable, flag, integer
from .arrays import Array
from .images import check_images, check_sides
from .pool import AvgPooling, MaxPooling

OutputSize = int | None | Sequence[int | None]


class AdaptiveMaxPool2d(MaxPooling):
    """``y[n, c, i, j] = max of x[n, c, h, w]`` for ``floor(i H / OH) <= h < ceil((i + 1) H / OH)``, w alike.

    Input is (N, C, H, W) or (C, H, W).

    Parameters
    ----------
    output_size : int or (int, int)
        OH and OW; None keeps the input's.
    return_indices : bool
        Whether forward returns (y, indices): the position ``h * W + w`` of each maximum too.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.AdaptiveMaxPool2d((1, 2))
    >>> layer(np.array([[[1.0, 2.0, 3.0]]]))
    array([[[2., 3.]]])
    >>> layer.backward(np.array([[[1.0, 10.0]]]))
    array([[[ 0.,  1., 10.]]])
    """

    def __init__(self, output_size: OutputSize, return_indices: bool = False):
        self.output_size = _output_size("AdaptiveMaxPool2d", output_size)
        self.return_indices = flag("AdaptiveMaxPool2d", "return_indices", return_indices)

    def forward(self, x: Array) -> Any:
        check_images(self, x)
        check_sides(self, x)
        return self._pool(x, adaptive_window(x.shape[-2:], _steps(self.output_size, x)))


class AdaptiveAvgPool2d(AvgPooling):
    """``y[n, c, i, j] = mean of x[n, c, h, w]`` for ``floor(i H / OH) <= h < ceil((i + 1) H / OH)``, w alike.

    Input is (N, C, H, W) or (C, H, W). With ``output_size = 1`` this is global average pooling
    (Lin et al., 2014, section 3.2).

    Parameters
    ----------
    output_size : int or (int, int)
        OH and OW; None keeps the input's.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.AdaptiveAvgPool2d((1, 2))
    >>> layer(np.array([[[1.0, 2.0, 3.0]]]))
    array([[[1.5, 2.5]]])
    >>> layer.backward(np.array([[[1.0, 10.0]]]))
    array([[[0.5, 5.5, 5. ]]])
    """

    def __init__(self, output_size: OutputSize):
        self.output_size = _output_size("AdaptiveAvgPool2d", output_size)

    def forward(self, x: Array) -> Array:
        check_images(self, x)
        check_sides(self, x)
        window = adaptive_window(x.shape[-2:], _steps(self.output_size, x))
        return self._pool(x, window, window.counts(x.shape[-2:]))


def _output_size(owner: str, value: OutputSize) -> tuple[int | None, int | None]:
    """Parse the output's size; None stands for the input's."""
    sides = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value, value)
    if len(sides) != 2:
        raise ValueError(f"{owner}: expected output_size to be one number or (height, width), got {value!r}")
    height, width = (None if side is None else integer(owner, "output_size", side, 0) for side in sides)
    return height, width


def _steps(output_size: tuple[int | None, int | None], x: Array) -> tuple[int, int]:
    height, width = (x.shape[a] if side is None else side for a, side in zip((-2, -1), output_size, strict=True))
    addressable("output_size", "an output", (*x.shape[:-2], height, width))
    return height, width
