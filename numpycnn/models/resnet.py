"""ResNet: stages of residual blocks, up to 152 layers deep (He et al., 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..layers import init
from ..layers.adaptive_pool import AdaptiveAvgPool2d
from ..layers.arguments import flag, maker, shape_of
from ..layers.batchnorm import BatchNorm2d
from ..layers.containers import Block, Sequential
from ..layers.conv import Conv2d
from ..layers.flatten import Flatten
from ..layers.linear import Linear
from ..layers.pool import MaxPool2d
from ..layers.relu import ReLU
from .resnet_blocks import BasicBlock, Bottleneck, Norm


class ResNet(Block):
    """ResNet: four stages of residual blocks, each stage of twice the channels and half the size.

    ====================== ========== ========== ========== ========== ==========
    layers                 resnet18   resnet34   resnet50   resnet101  resnet152
    ====================== ========== ========== ========== ========== ==========
    conv1: 64 of 7x7, / 2  1          1          1          1          1
    maxpool: 3x3, / 2      1          1          1          1          1
    layer1: 64, at 56x56   2          3          3          3          3
    layer2: 128, at 28x28  2          4          4          4          8
    layer3: 256, at 14x14  2          6          6          23         36
    layer4: 512, at 7x7    2          3          3          3          3
    kind of block          BasicBlock BasicBlock Bottleneck Bottleneck Bottleneck
    avgpool: to 1x1; fc    1          1          1          1          1
    parameters             11,689,512 21,797,672 25,557,032 44,549,160 60,192,808
    ====================== ========== ========== ========== ========== ==========

    A ``Bottleneck`` gives four times as many channels. Input is (N, 3, H, W), 224x224 by custom
    (He et al., 2016, table 1; with the stride of PyTorch's bottlenecks, known as version 1.5).

    Parameters
    ----------
    block : type
        ``BasicBlock`` or ``Bottleneck``.
    layers : sequence of int
        How many blocks each of the four stages has.
    num_classes : int
        Length of the output.
    zero_init_residual : bool
        Whether each block begins as its short cut, the weight of its last normalisation being 0.
    groups, width_per_group : int
        The ``groups`` and ``base_width`` of the blocks.
    replace_stride_with_dilation : sequence of bool, optional
        For each of the last three stages, whether it keeps its size and looks wider instead.
    norm_layer : callable, optional
        Makes the normalisations; ``BatchNorm2d`` if not given.
    rng : None, int or Generator
        Where the initial values come from: N(0, 2 / fan_out) for convolutions (He et al., 2015).
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.models.resnet18(rng=0).eval()
    >>> model(np.zeros((1, 3, 64, 64), np.float32)).shape
    (1, 1000)
    >>> model.num_parameters()
    11689512
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
        norm_layer: Norm | None = None,
        *,
        rng: init.Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        if not (isinstance(block, type) and issubclass(block, BasicBlock | Bottleneck)):
            raise TypeError(f"ResNet: expected block to be BasicBlock or Bottleneck, got {block!r}")
        name = "replace_stride_with_dilation"
        asked = (False,) * 3 if replace_stride_with_dilation is None else replace_stride_with_dilation
        dilate = shape_of("ResNet", name, asked)
        if len(dilate) != 3:
            raise ValueError(f"ResNet: expected {name} for three stages, got {replace_stride_with_dilation}")
        layers = shape_of("ResNet", "layers", layers)
        if len(layers) != 4:
            raise ValueError(f"ResNet: expected layers of four stages, got {layers}")
        rng, norm = init.generator(rng), maker("ResNet", "norm_layer", norm_layer, BatchNorm2d)
        conv = partial(Conv2d, bias=False, rng=init.Blank(), dtype=dtype)  # all convolutions are drawn at the end
        options: dict[str, Any] = {"groups": groups, "base_width": width_per_group, "norm_layer": norm_layer}
        options |= {"rng": init.Blank(), "dtype": dtype}

        channels, dilation = 64, 1

        def stage(planes: int, blocks: int, stride: int, widen: int = False) -> Sequential:
            nonlocal channels, dilation
            before, wide = dilation, planes * block.expansion
            if widen:
                dilation, stride = dilation * stride, 1
            downsample = None
            if stride != 1 or channels != wide:
                downsample = Sequential(conv(channels, wide, 1, stride), norm(wide, dtype=dtype))
            first = block(channels, planes, stride, downsample, dilation=before, **options)
            rest = [block(wide, planes, dilation=dilation, **options) for _ in range(1, blocks)]
            channels = wide
            return Sequential(first, *rest)

        self.conv1 = conv(3, 64, 7, 2, 3)
        self.bn1 = norm(64, dtype=dtype)
        self.maxpool = MaxPool2d(3, 2, 1)
        self.layer1 = stage(64, layers[0], 1)
        self.layer2 = stage(128, layers[1], 2, dilate[0])
        self.layer3 = stage(256, layers[2], 2, dilate[1])
        self.layer4 = stage(512, layers[3], 2, dilate[2])
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.fc = Linear(channels, num_classes, rng=rng, dtype=dtype)
        self.route(
            *(self.conv1, self.bn1, ReLU(), self.maxpool),
            *(self.layer1, self.layer2, self.layer3, self.layer4),
            *(self.avgpool, Flatten(), self.fc),
        )
        self._initialise(flag("ResNet", "zero_init_residual", zero_init_residual), rng)

    def _initialise(self, zero_init_residual: bool, rng: np.random.Generator) -> None:
        for layer in self.modules():
            if isinstance(layer, Conv2d):
                init.kaiming_normal(layer.weight, rng)
            elif isinstance(layer, BasicBlock | Bottleneck) and zero_init_residual:
                last = layer.bn3 if isinstance(layer, Bottleneck) else layer.bn2
                init.zeros(getattr(last, "weight", None))


def resnet18(**options: Any) -> ResNet:
    """Build the ``ResNet`` of 18 layers; the options are the arguments after ``layers``."""
    return ResNet(BasicBlock, (2, 2, 2, 2), **options)


def resnet34(**options: Any) -> ResNet:
    """Build the ``ResNet`` of 34 layers."""
    return ResNet(BasicBlock, (3, 4, 6, 3), **options)


def resnet50(**options: Any) -> ResNet:
    """Build the ``ResNet`` of 50 layers."""
    return ResNet(Bottleneck, (3, 4, 6, 3), **options)


def resnet101(**options: Any) -> ResNet:
    """Build the ``ResNet`` of 101 layers."""
    return ResNet(Bottleneck, (3, 4, 23, 3), **options)


def resnet152(**options: Any) -> ResNet:
    """Build the ``ResNet`` of 152 layers."""
    return ResNet(Bottleneck, (3, 8, 36, 3), **options)
