"""Which layers are windows that slide over an image, and which ones: one rule for each kind of layer."""

from __future__ import annotations

from functools import singledispatch
from typing import NamedTuple

from ..layers.affine import Affine
from ..layers.channel_norm import ChannelNorm
from ..layers.conv import Conv2d
from ..layers.conv_transpose import ConvTranspose2d
from ..layers.dropout import Dropping
from ..layers.elu import ELU, Softplus
from ..layers.flatten import Identity
from ..layers.gated import GELU, SiLU
from ..layers.hard import Hardsigmoid, Hardswish, Hardtanh
from ..layers.layer import Layer
from ..layers.local_response_norm import LocalResponseNorm
from ..layers.permute import ChannelShuffle
from ..layers.pool import AvgPool2d, MaxPool2d
from ..layers.relu import LeakyReLU, PReLU, ReLU
from ..layers.scale import Scale
from ..layers.sigmoid import Sigmoid, Tanh


class Step(NamedTuple):
    """A window on one axis: how many taps it has, how far it moves, how far before the image it begins."""

    kernel: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1


Pair = tuple[int, int]
Steps = tuple[Step, Step]
"""A window on both axes, height and width."""


EACH_ENTRY = (
    *(
        Affine,
        Dropping,
        ELU,
        GELU,
        Hardsigmoid,
        Hardswish,
        Hardtanh,
        Identity,
        LeakyReLU,
        PReLU,
        ReLU,
        Scale,
        SiLU,
        Sigmoid,
        Softplus,
        Tanh,
    ),
    *(ChannelShuffle, LocalResponseNorm),  # among channels, not among pixels
)
"""The layers of which each entry of the output depends on one place of the image alone."""


@singledispatch
def geometry(layer: Layer) -> Steps | None:
    """Return the window through which a layer looks at its input, or None if it is no window.

    A layer that works on each entry alone, or on each place, looks through a window of 1x1.
    """
    return None


@geometry.register
def _(layer: Conv2d) -> Steps:
    top, left = (zeros[0] + copied[0] for zeros, copied in zip(layer._window.padding, layer._border, strict=True))
    return _steps(layer.kernel_size, layer.stride, (top, left), layer.dilation)


@geometry.register
def _(layer: ConvTranspose2d) -> Steps | None:
    """See as a convolution with the filter upside down does; with a stride no two outputs need see alike."""
    if layer.stride != (1, 1):
        return None
    top, left = ((k - 1) * d - p for k, d, p in zip(layer.kernel_size, layer.dilation, layer.padding, strict=True))
    return _steps(layer.kernel_size, layer.stride, (top, left), layer.dilation)


@geometry.register
def _(layer: MaxPool2d) -> Steps:
    return _steps(layer.kernel_size, layer.stride, layer.padding, layer.dilation)


@geometry.register
def _(layer: AvgPool2d) -> Steps:
    return _steps(layer.kernel_size, layer.stride, layer.padding, (1, 1))


@geometry.register
def _(layer: ChannelNorm) -> Steps | None:
    """See one entry, if the statistics are the running ones; those of the input are made of all of it."""
    return (Step(), Step()) if layer.track_running_stats else None


for kind in EACH_ENTRY:
    geometry.register(kind, lambda layer: (Step(), Step()))


def _steps(kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Steps:
    height, width = (Step(*axis) for axis in zip(kernel, stride, padding, dilation, strict=True))
    return height, width
