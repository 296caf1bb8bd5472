"""Pooling: an image made smaller, each window replaced by its maximum or its average."""

from __future__ import annotations

from typing import Any

from ..kernels.adaptive import AnyWindow
from ..kernels.avg_pool import avg_pool, avg_pool_adjoint
from ..kernels.max_pool import max_pool, max_pool_adjoint, max_positions
from ..kernels.window import Window
from .arguments import IntPair, flag, integer, pair
from .arrays import Array
from .errors import ShapeError
from .images import as_batch, check_fit, check_images, check_sides
from .layer import Layer


class Pooling(Layer):
    """What all poolings share."""

    def _default(self, name: str, default: Any) -> Any:
        return vars(self)["kernel_size"] if name == "stride" else default


class MaxPooling(Pooling):
    """What the layers that take maxima share: ``y = max of x over the window``, and the way back.

    The gradient of a window goes to one entry alone: of equal ones to the first, row by row; of
    NaNs to the last. Windows that overlap add up what they send.
    """

    return_indices: bool

    def _pool(self, x: Array, window: AnyWindow) -> Any:
        images = as_batch(x)
        maxima = max_pool(images, window)
        y = maxima if x.ndim == 4 else maxima[0]
        self.remember(y, images, maxima, window)
        if not self.return_indices:
            return y
        where = max_positions(images, maxima, window)
        return y, where if x.ndim == 4 else where[0]

    def backward(self, dy: Array) -> Array:
        images, maxima, window = self.recall(dy)
        dx = max_pool_adjoint(as_batch(dy), images, maxima, window)
        return dx if dy.ndim == 4 else dx[0]


class AvgPooling(Pooling):
    """What the layers that average share: ``y = sum of x over the window / count``, and the way back."""

    def _pool(self, x: Array, window: AnyWindow, counts: Array | int) -> Array:
        y = avg_pool(as_batch(x), window, counts)
        y = y if x.ndim == 4 else y[0]
        self.remember(y, window, counts, x.shape[-2:])
        return y

    def backward(self, dy: Array) -> Array:
        window, counts, size = self.recall(dy)
        dx = avg_pool_adjoint(as_batch(dy), window, counts, size)
        return dx if dy.ndim == 4 else dx[0]


class MaxPool2d(MaxPooling):
    """``y[n, c, i, j] = max over a, b of x[n, c, i sh + a dh - ph, j sw + b dw - pw]``; padding takes no part.

    Input is (N, C, H, W) or (C, H, W).

    Parameters
    ----------
    kernel_size : int or (int, int)
        Rows and columns of a window.
    stride : int or (int, int), optional
        Steps between windows; the kernel size if not given.
    padding : int or (int, int)
        Rows and columns around the image that windows may reach over; at most half a window.
    dilation : int or (int, int)
        Steps between the entries of one window.
    return_indices : bool
        Whether forward returns (y, indices): the position ``h * W + w`` of each maximum too.
    ceil_mode : bool
        Whether a window may stick out past the image's end, if it starts inside or in the padding before.

    Raises
    ------
    ValueError
        For arguments out of range; in forward, for a window that does not fit, or that by
        dilation sees nothing but padding (where PyTorch answers with indices out of range).

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.MaxPool2d((1, 2), stride=1)
    >>> layer(np.array([[[1.0, 5.0, 5.0, 2.0]]]))
    array([[[5., 5., 5.]]])
    >>> layer.backward(np.array([[[1.0, 10.0, 100.0]]]))
    array([[[  0.,  11., 100.,   0.]]])
    """

    def __init__(
        self,
        kernel_size: IntPair,
        stride: IntPair | None = None,
        padding: IntPair = 0,
        dilation: IntPair = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ):
        self.kernel_size = pair("MaxPool2d", "kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else pair("MaxPool2d", "stride", stride, 1)
        self.padding = _half_padding("MaxPool2d", padding, self.kernel_size)
        self.dilation = pair("MaxPool2d", "dilation", dilation, 1)
        self.return_indices = flag("MaxPool2d", "return_indices", return_indices)
        self.ceil_mode = flag("MaxPool2d", "ceil_mode", ceil_mode)
        self._window = _window(self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def forward(self, x: Array) -> Any:
        check_images(self, x)
        check_sides(self, x)
        check_fit(self, x, self._window)
        if self.dilation != (1, 1) and not self._window.sees_everywhere(x.shape[-2:]):
            raise ShapeError(
                self,
                f"expected every window to see the image, got x of shape {x.shape}, which the taps of one all miss",
            )
        return self._pool(x, self._window)


class AvgPool2d(AvgPooling):
    """``y[n, c, i, j] = sum over a, b of x[n, c, i sh + a - ph, j sw + b - pw] / count``; padding is zeros.

    Input is (N, C, H, W) or (C, H, W).

    Parameters
    ----------
    kernel_size : int or (int, int)
        Rows and columns of a window.
    stride : int or (int, int), optional
        Steps between windows; the kernel size if not given.
    padding : int or (int, int)
        Rows and columns of zeros around the image; at most half a window.
    ceil_mode : bool
        Whether a window may stick out past the image's end, if it starts inside or in the padding before.
    count_include_pad : bool
        Whether the count takes in the padding; it never takes in what ``ceil_mode`` adds.
    divisor_override : int, optional
        A count for all windows.

    Raises
    ------
    ValueError
        For arguments out of range; in forward, for a window that does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.AvgPool2d((1, 2))
    >>> layer(np.array([[[1.0, 5.0, 6.0, 2.0]]]))
    array([[[3., 4.]]])
    >>> layer.backward(np.array([[[1.0, 10.0]]]))
    array([[[0.5, 0.5, 5. , 5. ]]])
    """

    def __init__(
        self,
        kernel_size: IntPair,
        stride: IntPair | None = None,
        padding: IntPair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        self.kernel_size = pair("AvgPool2d", "kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else pair("AvgPool2d", "stride", stride, 1)
        self.padding = _half_padding("AvgPool2d", padding, self.kernel_size)
        self.ceil_mode = flag("AvgPool2d", "ceil_mode", ceil_mode)
        self.count_include_pad = flag("AvgPool2d", "count_include_pad", count_include_pad)
        if divisor_override is not None:
            divisor_override = integer("AvgPool2d", "divisor_override", divisor_override)
        if divisor_override == 0:
            raise ValueError("AvgPool2d: expected divisor_override to be another number than 0, got 0")
        self.divisor_override = divisor_override
        self._window = _window(self.kernel_size, self.stride, self.padding, (1, 1), self.ceil_mode)

    def forward(self, x: Array) -> Array:
        check_images(self, x)
        check_sides(self, x)
        check_fit(self, x, self._window)
        counts = self.divisor_override or self._window.counts(x.shape[-2:], self.count_include_pad)
        return self._pool(x, self._window, counts)


def _half_padding(owner: str, padding: IntPair, kernel: tuple[int, int]) -> tuple[int, int]:
    """Parse a pooling's padding; more than half a window could leave it without anything to see."""
    sides = pair(owner, "padding", padding, 0)
    if any(2 * p > k for p, k in zip(sides, kernel, strict=True)):
        raise ValueError(f"{owner}: expected padding of at most half of kernel_size={kernel}, got {padding!r}")
    return sides


def _window(
    kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], dilation: tuple[int, int], ceil: bool
) -> Window:
    return Window(kernel, stride, ((padding[0], padding[0]), (padding[1], padding[1])), dilation, ceil)
