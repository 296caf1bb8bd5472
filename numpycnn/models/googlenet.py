"""GoogLeNet: nine inception modules, and no large matrix at the end (Szegedy et al., 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..layers import init
from ..layers.adaptive_pool import AdaptiveAvgPool2d
from ..layers.affine import Affine
from ..layers.arguments import flag
from ..layers.arrays import Array
from ..layers.auxiliary import Auxiliary
from ..layers.branches import Concat
from ..layers.containers import Block, Sequential
from ..layers.conv import Conv2d
from ..layers.dropout import Dropout
from ..layers.flatten import Flatten
from ..layers.layer import Layer
from ..layers.linear import Linear
from ..layers.parts import Slice
from ..layers.pool import MaxPool2d
from .inception import BasicConv2d, Inception, InceptionAux, Maker

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of red, green and blue in ImageNet, which images are usually normalised by."""


class GoogLeNetOutputs(NamedTuple):
    """What ``GoogLeNet`` gives in training: its answer, and those of its two auxiliary classifiers.

    Attributes
    ----------
    logits : ndarray
        Of the whole network.
    aux_logits2, aux_logits1 : ndarray
        Of the branches behind inception4d and inception4a.

    Examples
    --------
    >>> import numpycnn as nc
    >>> nc.models.GoogLeNetOutputs._fields
    ('logits', 'aux_logits2', 'aux_logits1')
    """

    logits: Array
    aux_logits2: Array
    aux_logits1: Array


class GoogLeNet(Block):
    """GoogLeNet: nine inception modules in three groups, and one matrix at the end.

    =========== ============ ================= ========== ======= ====== ==========
    layer       output       kernel            1x1        3x3     5x5    pool, 1x1
    =========== ============ ================= ========== ======= ====== ==========
    conv1       64x112x112   7x7, / 2
    maxpool1    64x56x56     3x3 max, / 2
    conv2       64x56x56     1x1
    conv3       192x56x56    3x3
    maxpool2    192x28x28    3x3 max, / 2
    inception3a 256x28x28                      64         96 128  16 32  32
    inception3b 480x28x28                      128        128 192 32 96  64
    maxpool3    480x14x14    3x3 max, / 2
    inception4a 512x14x14                      192        96 208  16 48  64
    inception4b 512x14x14                      160        112 224 24 64  64
    inception4c 512x14x14                      128        128 256 24 64  64
    inception4d 528x14x14                      112        144 288 32 64  64
    inception4e 832x14x14                      256        160 320 32 128 128
    maxpool4    832x7x7      2x2 max, / 2
    inception5a 832x7x7                        256        160 320 32 128 128
    inception5b 1024x7x7                       384        192 384 48 128 128
    avgpool, fc 1000
    =========== ============ ================= ========== ======= ====== ==========

    3x3 and 5x5 have two numbers: the channels that a 1x1 convolution narrows x to, and those that
    come out (Szegedy et al., 2015, table 1; 5x5 is 3x3 here, see ``Inception``). The network has
    6,624,904 parameters, with both auxiliary classifiers, behind 4a and 4d, 13,004,888. In training
    these give answers of their own, and backward takes a gradient for each; the paper weighs their
    losses by 0.3. Input is (N, 3, H, W), 224x224 by custom; the poolings round their sizes up.

    Parameters
    ----------
    num_classes : int
        Length of each output.
    aux_logits : bool
        Whether the auxiliary classifiers are there; then in training forward returns ``GoogLeNetOutputs``.
    transform_input : bool
        Whether images come normalised by the mean and deviation of ImageNet, as for other networks;
        they are then brought to mean 0.5 and deviation 0.5, as PyTorch's trained weights expect.
    init_weights : bool
        Whether to draw weights from N(0, 0.01^2), as PyTorch does (which cuts off what is 200
        deviations away); else all layers begin as they do by default.
    blocks : sequence of callable, optional
        What makes convolutions, inception modules and auxiliary classifiers, if not ``BasicConv2d``,
        ``Inception`` and ``InceptionAux``.
    dropout, dropout_aux : float
        How likely a feature is dropped before the last matrix, and in the auxiliary classifiers.
    rng : None, int or Generator
        Where the initial values and the dropout's masks come from.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.models.googlenet(num_classes=10, rng=0)
    >>> x = np.zeros((2, 3, 64, 64), np.float32)
    >>> outputs = model(x)
    >>> outputs.logits.shape, outputs.aux_logits1.shape
    ((2, 10), (2, 10))
    >>> criteria = [nc.CrossEntropyLoss() for _ in outputs]
    >>> losses = [criterion(y, np.array([3, 7])) for criterion, y in zip(criteria, outputs)]
    >>> weights = (1, 0.3, 0.3)
    >>> model.backward(tuple(criterion.backward(weight) for criterion, weight in zip(criteria, weights))).shape
    (2, 3, 64, 64)
    >>> model.eval()(x).shape
    (2, 10)
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        init_weights: bool = True,
        blocks: Sequence[Maker] | None = None,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
        *,
        rng: init.Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        makers: Sequence[Maker] = (BasicConv2d, Inception, InceptionAux) if blocks is None else blocks
        if not isinstance(makers, Sequence) or len(makers) != 3 or not all(map(callable, makers)):
            raise ValueError(f"GoogLeNet: expected blocks of three kinds, got {blocks!r}")
        rng = init.generator(rng)
        conv, inception, auxiliary = (partial(make, rng=rng, dtype=dtype) for make in makers)
        pool = partial(MaxPool2d, ceil_mode=True)
        self.aux_logits = flag("GoogLeNet", "aux_logits", aux_logits)
        self.transform_input = flag("GoogLeNet", "transform_input", transform_input)
        init_weights = flag("GoogLeNet", "init_weights", init_weights)

        self.conv1 = conv(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = pool(3, stride=2)
        self.conv2 = conv(64, 64, kernel_size=1)
        self.conv3 = conv(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = pool(3, stride=2)

        self.inception3a = inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = pool(3, stride=2)

        self.inception4a = inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = pool(2, stride=2)

        self.inception5a = inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = inception(832, 384, 192, 384, 48, 128, 128)

        self.aux1 = auxiliary(512, num_classes, dropout=dropout_aux) if self.aux_logits else None
        self.aux2 = auxiliary(528, num_classes, dropout=dropout_aux) if self.aux_logits else None
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.dropout = Dropout(dropout, rng=rng)
        self.fc = Linear(1024, num_classes, rng=rng, dtype=dtype)

        last = (self.inception4e, self.maxpool4, self.inception5a, self.inception5b)
        answer = (self.avgpool, Flatten(), self.dropout, self.fc)
        behind_4d = _beside(self.aux2, *last, *answer)
        behind_4a = _beside(self.aux1, self.inception4b, self.inception4c, self.inception4d, behind_4d)
        self.route(
            *([_as_trained()] if self.transform_input else []),
            *(self.conv1, self.maxpool1, self.conv2, self.conv3, self.maxpool2),
            *(self.inception3a, self.inception3b, self.maxpool3),
            *(self.inception4a, behind_4a),
        )
        if init_weights:
            for layer in self.modules():
                if isinstance(layer, Conv2d | Linear):
                    init.normal(layer.weight, 0.01, rng)

    def __call__(self, x: Array) -> Any:
        outputs: Any = self.forward(x)
        return GoogLeNetOutputs(*outputs) if isinstance(outputs, tuple) else outputs


def _beside(branch: Layer | None, *trunk: Layer) -> Layer:
    """Put an auxiliary classifier, if it is there, beside what follows in the trunk."""
    return Sequential(*trunk) if branch is None else Auxiliary(Sequential(*trunk), branch)


def _as_trained() -> Layer:
    """Turn ``(x - mean) / std`` of each channel into ``(x - 0.5) / 0.5``."""
    channels = enumerate(zip(MEAN, STD, strict=True))
    return Concat(
        *(Sequential(Slice(1, c, c + 1), Affine(std / 0.5, (mean - 0.5) / 0.5)) for c, (mean, std) in channels)
    )


def googlenet(**options: Any) -> GoogLeNet:
    """Build a ``GoogLeNet``; the options are its arguments."""
    return GoogLeNet(**options)
