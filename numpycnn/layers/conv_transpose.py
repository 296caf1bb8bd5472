"""Transposed convolution: what a convolution does to gradients, as a layer; it makes images larger, and learns how."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..kernels.channels import add_to_channels, channel_sums
from ..kernels.correlate import correlate, correlate_input, correlate_weight, lay_inputs, lay_outputs
from ..kernels.window import Window
from . import init
from .arguments import IntPair, addressable, choice, flag, integer, pair
from .arrays import Array
from .errors import ShapeError
from .images import as_batch, check_images, check_sides
from .layer import Layer
from .parameter import Parameter


class ConvTranspose2d(Layer):
    """``y[n, o, i s + p d - pad, j s + q d - pad] = b[o] + sum of w[c, o, p, q] * x[n, c, i, j]``.

    The sum is over all (c, i, j, p, q) that meet there: every number of x paints its filter onto y.
    This is the adjoint of the convolution with the same weight, which takes images of y's size to
    images of x's: its forward is that one's backward, and the other way round (Zeiler et al., 2010,
    section 2; Dumoulin and Visin, 2016, chapter 4). Input is (N, C, H, W) or one image (C, H, W);
    output (N, O, OH, OW) or (O, OH, OW) with ``OH = (H - 1) s - 2 pad + d (KH - 1) + output_padding + 1``.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size : int or (int, int)
        KH and KW.
    stride, dilation : int or (int, int)
        Steps between the filters that are painted, and between the taps of one filter.
    padding : int or (int, int)
        Rows and columns that are cut off all around y.
    output_padding : int or (int, int)
        Rows and columns that y has more at its end, of the sizes of y that a convolution takes to
        the same size; less than the stride or the dilation.
    groups : int
        Channels of one group go to filters of that group only.
    bias : bool
        Whether b is there.
    padding_mode : "zeros"
        There is no other.
    rng : None, int or Generator
        Where the initial values come from.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    weight : Parameter
        w, of shape (C, O / groups, KH, KW).
    bias : Parameter or None
        b, of shape (O,).

    Raises
    ------
    ValueError
        For arguments out of range; in forward, for channels that do not match, or where nothing of y
        is left.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.ConvTranspose2d(1, 1, (1, 2), stride=2, bias=False)
    >>> layer.load_state_dict({"weight": [[[[1, -1]]]]})
    >>> layer(np.array([[[[5, 3]]]], np.float32))
    array([[[[ 5., -5.,  3., -3.]]]], dtype=float32)
    >>> layer.backward(np.array([[[[1, 2, 3, 5]]]], np.float32))
    array([[[[-1., -2.]]]], dtype=float32)
    >>> layer.weight.grad
    array([[[[14., 25.]]]], dtype=float32)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntPair,
        stride: IntPair = 1,
        padding: IntPair = 0,
        output_padding: IntPair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: IntPair = 1,
        padding_mode: str = "zeros",
        *,
        rng: init.Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        owner = "ConvTranspose2d"
        self.in_channels = integer(owner, "in_channels", in_channels, 1)
        self.out_channels = integer(owner, "out_channels", out_channels, 1)
        self.kernel_size = pair(owner, "kernel_size", kernel_size, 1)
        self.stride = pair(owner, "stride", stride, 1)
        self.padding = pair(owner, "padding", padding, 0)
        self.output_padding = pair(owner, "output_padding", output_padding, 0)
        self.dilation = pair(owner, "dilation", dilation, 1)
        self.groups = integer(owner, "groups", groups, 1)
        for name, channels in (("in_channels", self.in_channels), ("out_channels", self.out_channels)):
            if channels % self.groups:
                raise ValueError(f"{owner}: expected {name} to be divisible by groups={groups}, got {channels}")
        if any(more >= max(axis) for more, *axis in zip(self.output_padding, self.stride, self.dilation, strict=True)):
            raise ValueError(
                f"{owner}: expected output_padding below stride={self.stride} or dilation={self.dilation}, "
                f"got {output_padding!r}"
            )
        self.padding_mode = choice(owner, "padding_mode", padding_mode, ("zeros",))

        # The windows of the convolution from y to x; what y has more at its end, none of them sees.
        sides = tuple((p, p - more) for p, more in zip(self.padding, self.output_padding, strict=True))
        self._window = Window(self.kernel_size, self.stride, (sides[0], sides[1]), self.dilation)

        rng = init.generator(rng)
        shape = (self.in_channels, self.out_channels // self.groups, *self.kernel_size)
        fan_in = shape[1] * shape[2] * shape[3]
        self.weight = init.uniform(shape, fan_in, rng, dtype)
        self.bias: Parameter | None = (
            init.uniform((self.out_channels,), fan_in, rng, dtype) if flag(owner, "bias", bias) else None
        )

    def forward(self, x: Array) -> Array:
        size = self._output_size(x)
        images = lay_outputs(as_batch(x), self.weight.data, self._window, self.groups)
        y = correlate_input(images, self.weight.data, self._window, self.groups, size)
        if self.bias is not None:
            add_to_channels(y, self.bias.data)
        y = y if x.ndim == 4 else y[0]
        self.remember(y, images)
        return y

    def backward(self, dy: Array) -> Array:
        dx = correlate(self._add_gradients(dy), self.weight.data, self._window, self.groups)
        return dx if dy.ndim == 4 else dx[0]

    def backward_parameters(self, dy: Array) -> None:
        self._add_gradients(dy)

    def _add_gradients(self, dy: Array) -> Array:
        """Add to the gradients of weight and bias; return dy as a batch."""
        (images,) = self.recall(dy)
        dy_images = lay_inputs(as_batch(dy), self.weight.data, self._window, self.groups)
        self.weight.add_grad(correlate_weight(dy_images, images, self._window, self.groups))
        if self.bias is not None:
            self.bias.add_grad(channel_sums(dy_images))
        return dy_images

    def _output_size(self, x: Array) -> tuple[int, int]:
        """Check x, and return (OH, OW)."""
        check_images(self, x)
        check_sides(self, x)
        self.check_channels(x, -3, self.in_channels)
        self.check_dtype(x, self.weight.data.dtype)
        height, width = (
            (length - 1) * step + span - sum(sides)
            for length, step, span, sides in zip(
                x.shape[-2:], self.stride, self._window.extent(), self._window.padding, strict=True
            )
        )
        addressable("ConvTranspose2d", "an output", (*x.shape[:-2], height, width))
        if min(height, width) < 1:
            raise ShapeError(self, f"expected images of which the padding leaves something, got x of shape {x.shape}")
        return height, width
