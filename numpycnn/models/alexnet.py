"""AlexNet: the network that won ImageNet in 2012, in the form that PyTorch has of it (Krizhevsky, 2014)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..layers.adaptive_pool import AdaptiveAvgPool2d
from ..layers.containers import Block, Sequential
from ..layers.conv import Conv2d
from ..layers.dropout import Dropout
from ..layers.flatten import Flatten
from ..layers.init import Seed, generator
from ..layers.linear import Linear
from ..layers.pool import MaxPool2d
from ..layers.relu import ReLU


class AlexNet(Block):
    """AlexNet as torchvision has it: one column, without response normalisation (Krizhevsky, 2014, section 5).

    ============== =================== ========= ==========
    layer          kernel              output    parameters
    ============== =================== ========= ==========
    features.0     64 of 11x11, / 4    64x55x55  23,296
    features.2     3x3 max, / 2        64x27x27
    features.3     192 of 5x5          192x27x27 307,392
    features.5     3x3 max, / 2        192x13x13
    features.6     384 of 3x3          384x13x13 663,936
    features.8     256 of 3x3          256x13x13 884,992
    features.10    256 of 3x3          256x13x13 590,080
    features.12    3x3 max, / 2        256x6x6
    avgpool        to 6x6              256x6x6
    classifier.1                       4096      37,752,832
    classifier.4                       4096      16,781,312
    classifier.6                       1000      4,097,000
    all                                          61,100,840
    ============== =================== ========= ==========

    Input is (N, 3, H, W), 224x224 by custom and 63x63 at least.

    Parameters
    ----------
    num_classes : int
        Length of the output.
    dropout : float
        How likely a feature is dropped before each of the two large matrices.
    rng : None, int or Generator
        Where the initial values and the dropout's masks come from.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.models.AlexNet(rng=0).eval()
    >>> model.num_parameters()
    61100840
    >>> model(np.zeros((1, 3, 63, 63), np.float32)).shape
    (1, 1000)
    """

    def __init__(
        self, num_classes: int = 1000, dropout: float = 0.5, *, rng: Seed = None, dtype: npt.DTypeLike = np.float32
    ):
        rng = generator(rng)
        self.features = Sequential(
            *(Conv2d(3, 64, 11, stride=4, padding=2, rng=rng, dtype=dtype), ReLU(), MaxPool2d(3, stride=2)),
            *(Conv2d(64, 192, 5, padding=2, rng=rng, dtype=dtype), ReLU(), MaxPool2d(3, stride=2)),
            *(Conv2d(192, 384, 3, padding=1, rng=rng, dtype=dtype), ReLU()),
            *(Conv2d(384, 256, 3, padding=1, rng=rng, dtype=dtype), ReLU()),
            *(Conv2d(256, 256, 3, padding=1, rng=rng, dtype=dtype), ReLU(), MaxPool2d(3, stride=2)),
        )
        self.avgpool = AdaptiveAvgPool2d((6, 6))
        self.classifier = Sequential(
            *(Dropout(dropout, rng=rng), Linear(256 * 6 * 6, 4096, rng=rng, dtype=dtype), ReLU()),
            *(Dropout(dropout, rng=rng), Linear(4096, 4096, rng=rng, dtype=dtype), ReLU()),
            Linear(4096, num_classes, rng=rng, dtype=dtype),
        )
        self.route(self.features, self.avgpool, Flatten(), self.classifier)


def alexnet(**options: Any) -> AlexNet:
    """Build an ``AlexNet``; the options are its arguments."""
    return AlexNet(**options)
