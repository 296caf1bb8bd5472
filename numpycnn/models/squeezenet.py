"""SqueezeNet: AlexNet's accuracy from a fiftieth of its parameters, by 1x1 convolutions (Iandola et al., 2016)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..layers import init
from ..layers.adaptive_pool import AdaptiveAvgPool2d
from ..layers.arguments import choice
from ..layers.branches import Concat
from ..layers.containers import Block, Sequential
from ..layers.conv import Conv2d
from ..layers.dropout import Dropout
from ..layers.flatten import Flatten
from ..layers.pool import MaxPool2d
from ..layers.relu import ReLU


class Fire(Block):
    """A 1x1 convolution squeezes, then one of 1x1 and one of 3x3 expand, side by side, each with ReLU.

    (Iandola et al., 2016, section 3.2.)

    Parameters
    ----------
    inplanes, squeeze_planes : int
        Channels of x, and of what is squeezed.
    expand1x1_planes, expand3x3_planes : int
        Channels of the two halves of y.
    rng : None, int or Generator
        Where the initial values come from.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> fire = nc.models.Fire(8, 2, 4, 6, rng=0)
    >>> fire(np.ones((1, 8, 5, 5), np.float32)).shape
    (1, 10, 5, 5)
    """

    def __init__(
        self,
        inplanes: int,
        squeeze_planes: int,
        expand1x1_planes: int,
        expand3x3_planes: int,
        *,
        rng: init.Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        rng = init.generator(rng)
        self.squeeze = Conv2d(inplanes, squeeze_planes, 1, rng=rng, dtype=dtype)
        self.expand1x1 = Conv2d(squeeze_planes, expand1x1_planes, 1, rng=rng, dtype=dtype)
        self.expand3x3 = Conv2d(squeeze_planes, expand3x3_planes, 3, padding=1, rng=rng, dtype=dtype)
        self.route(*(self.squeeze, ReLU()), Concat(self.expand1x1, self.expand3x3), ReLU())


class SqueezeNet(Block):
    """SqueezeNet: one convolution, eight fire modules, one convolution that gives a map for each class.

    =========== ==================== ============ ==================== ============
    layer       version 1_0          output       version 1_1          output
    =========== ==================== ============ ==================== ============
    features.0  96 of 7x7, / 2       96x109x109   64 of 3x3, / 2       64x111x111
    features.2  3x3 max, / 2         96x54x54     3x3 max, / 2         64x55x55
    features.3  fire 16, 64 + 64     128x54x54    fire 16, 64 + 64     128x55x55
    features.4  fire 16, 64 + 64     128x54x54    fire 16, 64 + 64     128x55x55
    features.5  fire 32, 128 + 128   256x54x54    3x3 max, / 2         128x27x27
    features.6  3x3 max, / 2         256x27x27    fire 32, 128 + 128   256x27x27
    features.7  fire 32, 128 + 128   256x27x27    fire 32, 128 + 128   256x27x27
    features.8  fire 48, 192 + 192   384x27x27    3x3 max, / 2         256x13x13
    features.9  fire 48, 192 + 192   384x27x27    fire 48, 192 + 192   384x13x13
    features.10 fire 64, 256 + 256   512x27x27    fire 48, 192 + 192   384x13x13
    features.11 3x3 max, / 2         512x13x13    fire 64, 256 + 256   512x13x13
    features.12 fire 64, 256 + 256   512x13x13    fire 64, 256 + 256   512x13x13
    classifier  1000 of 1x1, average 1000         1000 of 1x1, average 1000
    parameters  1,248,424                         1,235,496
    =========== ==================== ============ ==================== ============

    Of a fire module: the channels that it squeezes to, and those of its halves. Input is
    (N, 3, H, W), 224x224 by custom; the poolings round their sizes up (Iandola et al., 2016, table 1;
    version 1.1 is the authors', from their repository).

    Parameters
    ----------
    version : str
        "1_0" or "1_1".
    num_classes : int
        Length of the output.
    dropout : float
        How likely an entry is dropped before the last convolution.
    rng : None, int or Generator
        Where the initial values and the dropout's masks come from: U(-sqrt(6 / fan_in), sqrt(6 / fan_in))
        for the convolutions (He et al., 2015), N(0, 0.01^2) for the last one; biases begin as 0.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.models.squeezenet1_1(rng=0).eval()
    >>> model(np.zeros((1, 3, 64, 64), np.float32)).shape
    (1, 1000)
    >>> model.num_parameters()
    1235496
    """

    def __init__(
        self,
        version: str = "1_0",
        num_classes: int = 1000,
        dropout: float = 0.5,
        *,
        rng: init.Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        version = choice("SqueezeNet", "version", version, ("1_0", "1_1"))
        rng = init.generator(rng)
        conv = partial(Conv2d, rng=init.Blank(), dtype=dtype)  # all convolutions are drawn at the end
        fire = partial(Fire, rng=init.Blank(), dtype=dtype)
        pool = partial(MaxPool2d, 3, stride=2, ceil_mode=True)
        if version == "1_0":
            self.features = Sequential(
                *(conv(3, 96, 7, stride=2), ReLU(), pool()),
                *(fire(96, 16, 64, 64), fire(128, 16, 64, 64), fire(128, 32, 128, 128), pool()),
                *(fire(256, 32, 128, 128), fire(256, 48, 192, 192)),
                *(fire(384, 48, 192, 192), fire(384, 64, 256, 256), pool()),
                fire(512, 64, 256, 256),
            )
        else:
            self.features = Sequential(
                *(conv(3, 64, 3, stride=2), ReLU(), pool()),
                *(fire(64, 16, 64, 64), fire(128, 16, 64, 64), pool()),
                *(fire(128, 32, 128, 128), fire(256, 32, 128, 128), pool()),
                *(fire(256, 48, 192, 192), fire(384, 48, 192, 192)),
                *(fire(384, 64, 256, 256), fire(512, 64, 256, 256)),
            )
        last = conv(512, num_classes, 1)
        self.classifier = Sequential(Dropout(dropout, rng=rng), last, ReLU(), AdaptiveAvgPool2d((1, 1)))
        self.route(self.features, self.classifier, Flatten())

        for layer in self.modules():
            if isinstance(layer, Conv2d):
                if layer is last:
                    init.normal(layer.weight, 0.01, rng)
                else:
                    init.kaiming_uniform(layer.weight, rng)
                init.zeros(layer.bias)


def squeezenet1_0(**options: Any) -> SqueezeNet:
    """Build version 1.0 of ``SqueezeNet``; the options are the arguments after ``version``."""
    return SqueezeNet("1_0", **options)


def squeezenet1_1(**options: Any) -> SqueezeNet:
    """Build version 1.1 of ``SqueezeNet``."""
    return SqueezeNet("1_1", **options)
