"""VGG: nothing but 3x3 convolutions, 2x2 poolings, three matrices, and depth (Simonyan and Zisserman, 2015)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..layers import init
from ..layers.adaptive_pool import AdaptiveAvgPool2d
from ..layers.arguments import flag
from ..layers.batchnorm import BatchNorm2d
from ..layers.containers import Block, Sequential
from ..layers.conv import Conv2d
from ..layers.dropout import Dropout
from ..layers.flatten import Flatten
from ..layers.layer import Layer
from ..layers.linear import Linear
from ..layers.pool import MaxPool2d
from ..layers.relu import ReLU

CHANNELS = (64, 128, 256, 512, 512)
"""What the convolutions of each stage give."""

CONVOLUTIONS = {
    "A": (1, 1, 2, 2, 2),
    "B": (2, 2, 2, 2, 2),
    "D": (2, 2, 3, 3, 3),
    "E": (2, 2, 4, 4, 4),
}
"""How many convolutions each stage has, under the paper's name for it (section 2, table 1)."""


class VGG(Block):
    """VGG: stages of 3x3 convolutions, each at half the size of the one before, then three matrices.

    ======================  ===========  ===========  ===========  ===========
    layers                  vgg11 (A)    vgg13 (B)    vgg16 (D)    vgg19 (E)
    ======================  ===========  ===========  ===========  ===========
    64 of 3x3, at 224x224   1            2            2            2
    128 of 3x3, at 112x112  1            2            2            2
    256 of 3x3, at 56x56    2            2            3            4
    512 of 3x3, at 28x28    2            2            3            4
    512 of 3x3, at 14x14    2            2            3            4
    matrices                3            3            3            3
    parameters              132,863,336  133,047,848  138,357,544  143,667,240
    with batch norm         132,868,840  133,053,736  138,365,992  143,678,248
    ======================  ===========  ===========  ===========  ===========

    Each stage ends with a maximum over 2x2, and every layer but the last with ReLU. Input is
    (N, 3, H, W), 224x224 by custom and 32x32 at least. Table 1 of Simonyan and Zisserman (2015);
    batch normalisation, which came later, is PyTorch's addition.

    Parameters
    ----------
    features : Layer
        The stages; they give 512 channels.
    num_classes : int
        Length of the output.
    init_weights : bool
        Whether to draw convolutions from N(0, 2 / fan_out) (He et al., 2015) and matrices from
        N(0, 0.01^2), and to begin with biases of 0; else all layers begin as they do by default.
    dropout : float
        How likely a feature is dropped after each of the two large matrices.
    rng : None, int or Generator
        Where the initial values and the dropout's masks come from.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.models.vgg16(num_classes=10, rng=0).eval()
    >>> model(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    >>> model.num_parameters()
    134301514
    """

    def __init__(
        self,
        features: Layer,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
        *,
        rng: init.Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        rng = init.generator(rng)
        init_weights = flag("VGG", "init_weights", init_weights)
        blank = init.Blank() if init_weights else rng  # 120 million numbers are not drawn twice
        self.features = features
        self.avgpool = AdaptiveAvgPool2d((7, 7))
        self.classifier = Sequential(
            *(Linear(512 * 7 * 7, 4096, rng=blank, dtype=dtype), ReLU(), Dropout(dropout, rng=rng)),
            *(Linear(4096, 4096, rng=blank, dtype=dtype), ReLU(), Dropout(dropout, rng=rng)),
            Linear(4096, num_classes, rng=blank, dtype=dtype),
        )
        self.route(self.features, self.avgpool, Flatten(), self.classifier)
        if init_weights:
            self._initialise(rng)

    def _initialise(self, rng: np.random.Generator) -> None:
        for layer in self.modules():
            if isinstance(layer, Conv2d):
                init.kaiming_normal(layer.weight, rng)
                init.zeros(layer.bias)
            elif isinstance(layer, Linear):
                init.normal(layer.weight, 0.01, rng)
                init.zeros(layer.bias)


def _vgg(
    configuration: str,
    batch_norm: bool,
    *,
    rng: init.Seed = None,
    dtype: npt.DTypeLike = np.float32,
    **options: Any,
) -> VGG:
    """Build a configuration of the paper."""
    rng = init.generator(rng)
    layers: list[Layer] = []
    channels = 3
    for width, convolutions in zip(CHANNELS, CONVOLUTIONS[configuration], strict=True):
        for _ in range(convolutions):
            layers += [Conv2d(channels, width, 3, padding=1, rng=rng, dtype=dtype)]
            layers += [BatchNorm2d(width, dtype=dtype)] if batch_norm else []
            layers += [ReLU()]
            channels = width
        layers += [MaxPool2d(2)]
    return VGG(Sequential(*layers), rng=rng, dtype=dtype, **options)


def vgg11(**options: Any) -> VGG:
    """Build configuration A of ``VGG``; the options are the arguments after ``features``."""
    return _vgg("A", False, **options)


def vgg11_bn(**options: Any) -> VGG:
    """Build configuration A of ``VGG`` with batch normalisation."""
    return _vgg("A", True, **options)


def vgg13(**options: Any) -> VGG:
    """Build configuration B of ``VGG``."""
    return _vgg("B", False, **options)


def vgg13_bn(**options: Any) -> VGG:
    """Build configuration B of ``VGG`` with batch normalisation."""
    return _vgg("B", True, **options)


def vgg16(**options: Any) -> VGG:
    """Build configuration D of ``VGG``."""
    return _vgg("D", False, **options)


def vgg16_bn(**options: Any) -> VGG:
    """Build configuration D of ``VGG`` with batch normalisation."""
    return _vgg("D", True, **options)


def vgg19(**options: Any) -> VGG:
    """Build configuration E of ``VGG``."""
    return _vgg("E", False, **options)


def vgg19_bn(**options: Any) -> VGG:
    """Build configuration E of ``VGG`` with batch normalisation."""
    return _vgg("E", True, **options)
