"""The blocks of ResNet: a few convolutions that learn what to add to their input (He et al., 2016)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..layers import init
from ..layers.arguments import integer, maker
from ..layers.batchnorm import BatchNorm2d
from ..layers.branches import Add
from ..layers.containers import Block, Sequential
from ..layers.conv import Conv2d
from ..layers.flatten import Identity
from ..layers.layer import Layer
from ..layers.relu import ReLU

Norm = Callable[..., Layer]
"""What makes a normalisation of so many channels; takes ``dtype`` too."""


class BasicBlock(Block):
    """Two 3x3 convolutions beside a short cut: ``y = relu(bn2(conv2(relu(bn1(conv1(x))))) + short cut(x))``.

    (He et al., 2016, figure 2.)

    Parameters
    ----------
    inplanes, planes : int
        Channels of x and of y.
    stride : int
        That of the first convolution.
    downsample : Layer, optional
        The short cut where x and y differ in shape; the identity if not given.
    groups, base_width, dilation : int
        As in ``Bottleneck``, for its sake: here they can only be as they are.
    norm_layer : callable, optional
        Makes the normalisations; ``BatchNorm2d`` if not given.
    rng : None, int or Generator
        Where the initial values come from.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> block = nc.models.BasicBlock(4, 4, rng=0)
    >>> block(np.ones((2, 4, 8, 8), np.float32)).shape
    (2, 4, 8, 8)
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: Layer | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
        *,
        rng: init.Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        for name, value in (("groups", groups), ("base_width", base_width), ("dilation", dilation)):
            integer("BasicBlock", name, value, 1)
        if (groups, base_width, dilation) != (1, 64, 1):
            raise ValueError(
                f"BasicBlock: expected groups=1, base_width=64, dilation=1, got {groups}, {base_width}, {dilation}"
            )
        rng, norm = init.generator(rng), maker("BasicBlock", "norm_layer", norm_layer, BatchNorm2d)
        self.conv1 = Conv2d(inplanes, planes, 3, stride, 1, bias=False, rng=rng, dtype=dtype)
        self.bn1 = norm(planes, dtype=dtype)
        self.conv2 = Conv2d(planes, planes, 3, 1, 1, bias=False, rng=rng, dtype=dtype)
        self.bn2 = norm(planes, dtype=dtype)
        self.downsample = downsample
        self.route(
            Add(
                Sequential(*(self.conv1, self.bn1, ReLU()), *(self.conv2, self.bn2)),
                Identity() if downsample is None else downsample,
            ),
            ReLU(),
        )


class Bottleneck(Block):
    """A 3x3 convolution between two of 1x1, which make it narrow, beside a short cut.

    ``y = relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x)))))))) + short cut(x))``. The stride is
    at the 3x3 convolution, as in PyTorch; in the paper it is at the 1x1 before (He et al., 2016, figure 5).

    Parameters
    ----------
    inplanes : int
        Channels of x.
    planes : int
        A quarter of the channels of y.
    stride : int
        That of the 3x3 convolution.
    downsample : Layer, optional
        The short cut where x and y differ in shape; the identity if not given.
    groups, base_width : int
        The 3x3 convolution has ``planes * base_width / 64`` channels in each of its groups.
    dilation : int
        That of the 3x3 convolution.
    norm_layer : callable, optional
        Makes the normalisations; ``BatchNorm2d`` if not given.
    rng : None, int or Generator
        Where the initial values come from.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> block = nc.models.Bottleneck(8, 2, rng=0)
    >>> block(np.ones((2, 8, 6, 6), np.float32)).shape
    (2, 8, 6, 6)
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: Layer | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
        *,
        rng: init.Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        planes, base_width, groups = (
            integer("Bottleneck", name, value, 1)
            for name, value in (("planes", planes), ("base_width", base_width), ("groups", groups))
        )
        rng, norm = init.generator(rng), maker("Bottleneck", "norm_layer", norm_layer, BatchNorm2d)
        width, wide = int(planes * (base_width / 64)) * groups, planes * self.expansion
        self.conv1 = Conv2d(inplanes, width, 1, bias=False, rng=rng, dtype=dtype)
        self.bn1 = norm(width, dtype=dtype)
        self.conv2 = Conv2d(width, width, 3, stride, dilation, dilation, groups, bias=False, rng=rng, dtype=dtype)
        self.bn2 = norm(width, dtype=dtype)
        self.conv3 = Conv2d(width, wide, 1, bias=False, rng=rng, dtype=dtype)
        self.bn3 = norm(wide, dtype=dtype)
        self.downsample = downsample
        self.route(
            Add(
                Sequential(*(self.conv1, self.bn1, ReLU()), *(self.conv2, self.bn2, ReLU()), *(self.conv3, self.bn3)),
                Identity() if downsample is None else downsample,
            ),
            ReLU(),
        )
