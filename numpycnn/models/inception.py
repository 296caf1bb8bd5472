"""The blocks of GoogLeNet: patterns of several sizes looked for side by side (Szegedy et al., 2015)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..layers.adaptive_pool import AdaptiveAvgPool2d
from ..layers.arguments import maker
from ..layers.batchnorm import BatchNorm2d
from ..layers.branches import Concat
from ..layers.containers import Block, Sequential
from ..layers.conv import Conv2d
from ..layers.dropout import Dropout
from ..layers.flatten import Flatten
from ..layers.init import Seed, generator
from ..layers.layer import Layer
from ..layers.linear import Linear
from ..layers.pool import MaxPool2d
from ..layers.relu import ReLU

Maker = Callable[..., Layer]
"""What makes a block; takes ``rng`` and ``dtype`` too."""


class BasicConv2d(Block):
    """A convolution without bias, batch normalisation, ReLU; the normalisation is PyTorch's addition to the paper.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of x and of y.
    rng : None, int or Generator
        Where the initial values come from.
    dtype : dtype
        float32 or float64.
    **options
        The other arguments of ``Conv2d``.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> block = nc.models.BasicConv2d(3, 4, kernel_size=3, rng=0)
    >>> block(np.ones((2, 3, 8, 8), np.float32)).shape
    (2, 4, 6, 6)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        rng: Seed = None,
        dtype: npt.DTypeLike = np.float32,
        **options: Any,
    ):
        self.conv = Conv2d(in_channels, out_channels, bias=False, rng=rng, dtype=dtype, **options)
        self.bn = BatchNorm2d(out_channels, eps=0.001, dtype=dtype)
        self.route(self.conv, self.bn, ReLU())


class Inception(Block):
    """Four branches side by side: 1x1; 1x1 then 3x3; 1x1 then 3x3 again; 3x3 maxima then 1x1.

    The first convolution of a branch makes it narrow, so that the second costs little. In the paper
    the third branch has 5x5; PyTorch's 3x3 there is a mistake that its trained weights have made
    permanent (Szegedy et al., 2015, section 4, figure 2b).

    Parameters
    ----------
    in_channels : int
        Channels of x.
    ch1x1, ch3x3, ch5x5, pool_proj : int
        Channels that the four branches give.
    ch3x3red, ch5x5red : int
        Channels that the second and third branch are narrowed to.
    conv_block : callable, optional
        Makes the convolutions; ``BasicConv2d`` if not given.
    rng : None, int or Generator
        Where the initial values come from.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> block = nc.models.Inception(4, 1, 2, 3, 1, 2, 2, rng=0)
    >>> block(np.ones((2, 4, 6, 6), np.float32)).shape
    (2, 8, 6, 6)
    """

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
        conv_block: Maker | None = None,
        *,
        rng: Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        rng = generator(rng)
        conv: Maker = partial(maker("Inception", "conv_block", conv_block, BasicConv2d), rng=rng, dtype=dtype)
        self.branch1 = conv(in_channels, ch1x1, kernel_size=1)
        self.branch2 = Sequential(
            conv(in_channels, ch3x3red, kernel_size=1), conv(ch3x3red, ch3x3, kernel_size=3, padding=1)
        )
        self.branch3 = Sequential(
            conv(in_channels, ch5x5red, kernel_size=1), conv(ch5x5red, ch5x5, kernel_size=3, padding=1)
        )
        self.branch4 = Sequential(
            MaxPool2d(3, stride=1, padding=1, ceil_mode=True), conv(in_channels, pool_proj, kernel_size=1)
        )
        self.route(Concat(self.branch1, self.branch2, self.branch3, self.branch4))


class InceptionAux(Block):
    """A classifier for halfway up: averages of 4x4 regions, a 1x1 convolution, two matrices.

    (Szegedy et al., 2015, section 5.)

    Parameters
    ----------
    in_channels : int
        Channels of x.
    num_classes : int
        Length of the output.
    conv_block : callable, optional
        Makes the convolution; ``BasicConv2d`` if not given.
    dropout : float
        How likely a feature is dropped between the matrices.
    rng : None, int or Generator
        Where the initial values and the dropout's masks come from.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> block = nc.models.InceptionAux(8, 10, rng=0)
    >>> block(np.ones((2, 8, 14, 14), np.float32)).shape
    (2, 10)
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        conv_block: Maker | None = None,
        dropout: float = 0.7,
        *,
        rng: Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        rng = generator(rng)
        conv: Maker = partial(maker("InceptionAux", "conv_block", conv_block, BasicConv2d), rng=rng, dtype=dtype)
        self.conv = conv(in_channels, 128, kernel_size=1)
        self.fc1 = Linear(2048, 1024, rng=rng, dtype=dtype)
        self.fc2 = Linear(1024, num_classes, rng=rng, dtype=dtype)
        self.dropout = Dropout(dropout, rng=rng)
        self.route(AdaptiveAvgPool2d((4, 4)), self.conv, Flatten(), *(self.fc1, ReLU(), self.dropout), self.fc2)
