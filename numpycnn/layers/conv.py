"""Convolution: small filters that slide over an image, each looking for one pattern everywhere."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..kernels.channels import add_to_channels, channel_sums
from ..kernels.correlate import correlate, correlate_input, correlate_weight, lay_inputs, lay_outputs
from ..kernels.pad import pad, pad_adjoint
from ..kernels.window import Window
from . import init
from .arguments import IntPair, choice, flag, integer, pair
from .arrays import Array
from .errors import ShapeError
from .images import as_batch, check_fit, check_images, check_sides
from .layer import Layer
from .parameter import Parameter

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")
UNPADDED = ((0, 0), (0, 0))


class Conv2d(Layer):
    """``y[n, o, i, j] = b[o] + sum over c, p, q of w[o, c, p, q] * x[n, c, i s + p d - pad, j s + q d - pad]``.

    As in PyTorch and the field, this is correlation: the filter is not flipped. Input is
    (N, C, H, W) or one image (C, H, W); output (N, O, OH, OW) or (O, OH, OW), with the size that
    ``numpycnn.output_size`` gives (LeCun et al., 1998, section II.A; Dumoulin and Visin, 2016).

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size : int or (int, int)
        KH and KW.
    stride, dilation : int or (int, int)
        Steps between windows, and between the taps of one window.
    padding : int, (int, int), "same" or "valid"
        Rows and columns put around the image. "same" keeps its size (stride 1 only; an odd row
        or column goes to the bottom or right), "valid" is 0.
    groups : int
        Filters of one group see the channels of that group only; ``groups = C`` is depthwise.
    bias : bool
        Whether b is there.
    padding_mode : "zeros", "reflect", "replicate" or "circular"
        What the padding holds.
    rng : None, int or Generator
        Where the initial values come from.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    weight : Parameter
        w, of shape (O, C / groups, KH, KW).
    bias : Parameter or None
        b, of shape (O,).

    Raises
    ------
    ValueError
        For arguments out of range; in forward, for channels that do not match, a window that
        does not fit, or a padding that its mode cannot fill.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Conv2d(1, 1, (1, 2), bias=False)
    >>> layer.load_state_dict({"weight": [[[[1, -1]]]]})
    >>> x = np.array([[[[5, 3, 4]]]], np.float32)
    >>> layer(x)
    array([[[[ 2., -1.]]]], dtype=float32)
    >>> layer.backward(np.array([[[[1, 10]]]], np.float32))
    array([[[[  1.,   9., -10.]]]], dtype=float32)
    >>> layer.weight.grad
    array([[[[35., 43.]]]], dtype=float32)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntPair,
        stride: IntPair = 1,
        padding: IntPair | str = 0,
        dilation: IntPair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        rng: init.Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        self.in_channels = integer("Conv2d", "in_channels", in_channels, 1)
        self.out_channels = integer("Conv2d", "out_channels", out_channels, 1)
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size, 1)
        self.stride = pair("Conv2d", "stride", stride, 1)
        self.dilation = pair("Conv2d", "dilation", dilation, 1)
        self.padding = padding if isinstance(padding, str) else pair("Conv2d", "padding", padding, 0)
        self.groups = integer("Conv2d", "groups", groups, 1)
        for name, channels in (("in_channels", self.in_channels), ("out_channels", self.out_channels)):
            if channels % self.groups:
                raise ValueError(f"Conv2d: expected {name} to be divisible by groups={groups}, got {channels}")
        self.padding_mode = choice("Conv2d", "padding_mode", padding_mode, PADDING_MODES)

        # Where the padding is made: zeros by the window itself, everything else by copying first.
        sides = _sides(self.padding, self.kernel_size, self.stride, self.dilation)
        self._window = Window(self.kernel_size, self.stride, sides, self.dilation)
        self._border = UNPADDED
        if self.padding_mode != "zeros":
            self._window = Window(self.kernel_size, self.stride, UNPADDED, self.dilation)
            self._border = sides

        rng = init.generator(rng)
        shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        fan_in = shape[1] * shape[2] * shape[3]
        self.weight = init.uniform(shape, fan_in, rng, dtype)
        self.bias: Parameter | None = (
            init.uniform(shape[:1], fan_in, rng, dtype) if flag("Conv2d", "bias", bias) else None
        )

    def forward(self, x: Array) -> Array:
        self._check(x)
        images = as_batch(x)
        if self._border != UNPADDED:
            images = pad(images, self._border, self.padding_mode)
        images = lay_inputs(images, self.weight.data, self._window, self.groups)
        y = correlate(images, self.weight.data, self._window, self.groups)
        if self.bias is not None:
            add_to_channels(y, self.bias.data)
        y = y if x.ndim == 4 else y[0]
        self.remember(y, images)
        return y

    def backward(self, dy: Array) -> Array:
        images, dy_images = self._add_gradients(dy)
        dx = correlate_input(dy_images, self.weight.data, self._window, self.groups, images.shape[2:])
        if self._border != UNPADDED:
            dx = pad_adjoint(dx, self._border, self.padding_mode)
        return dx if dy.ndim == 4 else dx[0]

    def backward_parameters(self, dy: Array) -> None:
        self._add_gradients(dy)

    def _add_gradients(self, dy: Array) -> tuple[Array, Array]:
        """Add to the gradients of weight and bias; return what forward saw and dy, both as batches."""
        (images,) = self.recall(dy)
        dy_images = lay_outputs(as_batch(dy), self.weight.data, self._window, self.groups)
        self.weight.add_grad(correlate_weight(images, dy_images, self._window, self.groups))
        if self.bias is not None:
            self.bias.add_grad(channel_sums(dy_images))
        return images, dy_images

    def _check(self, x: Array) -> None:
        check_images(self, x)
        check_sides(self, x)
        self.check_channels(x, -3, self.in_channels)
        self.check_dtype(x, self.weight.data.dtype)
        if self.padding_mode != "zeros":
            self._check_border(x)
        check_fit(self, x, self._window, self._border)

    def _check_border(self, x: Array) -> None:
        """Raise where the padding would copy from beyond the image."""
        spare = {"reflect": 1, "circular": 0, "replicate": -math.inf}[self.padding_mode]
        for side, size in zip(self._border, x.shape[-2:], strict=True):
            if max(side) + spare > size:
                raise ShapeError(
                    self,
                    f"expected padding_mode={self.padding_mode!r} to find its {max(side)} rows or columns "
                    f"in the image, got x of shape {x.shape}",
                )


def _sides(
    padding: tuple[int, int] | str, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Spell the padding out: (top, bottom), (left, right)."""
    if padding == "valid":
        return UNPADDED
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f"Conv2d: expected stride=1 with padding='same', got {stride}")
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        top, left = total[0] // 2, total[1] // 2
        return (top, total[0] - top), (left, total[1] - left)
    if isinstance(padding, str):
        raise ValueError(f"Conv2d: expected padding to be numbers, 'same' or 'valid', got {padding!r}")
    return (padding[0], padding[0]), (padding[1], padding[1])
