"""Images at another size, mostly a larger one, without anything learned."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from ..kernels.resample import Taps, linear_taps, nearest_taps, resample, resample_adjoint
from .arguments import IntPair, addressable, choice, flag, number, pair
from .arrays import Array
from .errors import ShapeError
from .images import check_sides
from .layer import Layer

MODES = ("nearest", "bilinear")


class Upsample(Layer):
    """Resize images: copy the nearest pixel, or blend the nearest two on each axis.

    ``y[n, c, i, j] = x[n, c, floor(i / fh), floor(j / fw)]`` for "nearest", with the factors
    ``fh = OH / H`` and ``fw = OW / W``. For "bilinear", y is a blend of the four pixels around the
    place ``((i + 1/2) / fh - 1/2, (j + 1/2) / fw - 1/2)``, each with the share that the others are away
    from it; with ``align_corners`` around ``(i (H - 1) / (OH - 1), j (W - 1) / (OW - 1))``. Each pixel
    gets the gradients of all outputs that it is in, times its shares. Input is (N, C, H, W).

    Parameters
    ----------
    size : int or (int, int), optional
        OH and OW; or else:
    scale_factor : float or (float, float), optional
        fh and fw; then ``OH = floor(H fh)``, and the factors are used as they are.
    mode : "nearest" or "bilinear"
        How.
    align_corners : bool, optional
        For "bilinear": whether the centres of the corner pixels meet, instead of the edges of the images.

    Raises
    ------
    ValueError
        For arguments out of range, or not one of size and scale_factor; in forward, for x that is no
        batch of images, or where no row or column would be left.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Upsample(scale_factor=(1, 2))
    >>> layer(np.array([[[[1.0, 5.0]]]]))
    array([[[[1., 1., 5., 5.]]]])
    >>> layer.backward(np.array([[[[1.0, 2.0, 3.0, 4.0]]]]))
    array([[[[3., 7.]]]])
    >>> nc.Upsample((1, 3), mode="bilinear", align_corners=True)(np.array([[[[1.0, 5.0]]]]))
    array([[[[1., 3., 5.]]]])
    """

    def __init__(
        self,
        size: IntPair | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
    ):
        if (size is None) == (scale_factor is None):
            raise ValueError(
                f"Upsample: expected one of size and scale_factor, got size={size} and scale_factor={scale_factor}"
            )
        self.size = None if size is None else pair("Upsample", "size", size, 1)
        self.scale_factor = None if scale_factor is None else _factors(scale_factor)
        self.mode = choice("Upsample", "mode", mode, MODES)
        if align_corners is not None and mode == "nearest":
            raise ValueError(f"Upsample: expected mode='bilinear' with align_corners, got {mode!r}")
        self.align_corners = None if align_corners is None else flag("Upsample", "align_corners", align_corners)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        if x.ndim != 4:
            raise ShapeError(self, f"expected x of shape (N, C, H, W), got {x.shape}")
        check_sides(self, x)
        sides = self._sides(x)
        addressable("Upsample", "an output", (*x.shape[:2], *sides))
        rows, columns = (self._taps(*axis) for axis in zip(x.shape[2:], sides, (0, 1), strict=True))
        y = resample(x, rows, columns)
        self.remember(y, rows, columns, x.shape[2:])
        return y

    def backward(self, dy: Array) -> Array:
        rows, columns, size = self.recall(dy)
        return resample_adjoint(dy, rows, columns, size)

    def _sides(self, x: Array) -> tuple[int, int]:
        """Return (OH, OW)."""
        if self.size is not None:
            return self.size
        height, width = (
            math.floor(side * factor) for side, factor in zip(x.shape[2:], self.scale_factor or (1, 1), strict=True)
        )
        if min(height, width) < 1:
            raise ShapeError(self, f"expected images of which a row and a column are left, got x of shape {x.shape}")
        return height, width

    def _taps(self, length: int, steps: int, axis: int) -> Taps:
        """Say which rows (axis 0) or columns (1) of x become which of y."""
        factor = None if self.scale_factor is None else self.scale_factor[axis]
        if self.mode == "nearest":
            return nearest_taps(length, steps, factor)
        return linear_taps(length, steps, factor, bool(self.align_corners))


def _factors(value: float | Sequence[float]) -> tuple[float, float]:
    """Parse one factor, or one for each of the axes (height, width)."""
    sides = value if isinstance(value, Sequence) and not isinstance(value, str) else (value, value)
    if len(sides) != 2:
        raise ValueError(f"Upsample: expected scale_factor to be a number or (height, width), got {value!r}")
    height, width = (number("Upsample", "scale_factor", side, 0, sys.float_info.max) for side in sides)
    return height, width
