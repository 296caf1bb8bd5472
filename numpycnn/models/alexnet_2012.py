"""The AlexNet of 2012, as its paper has it: two groups, for two graphics cards, and response normalisation."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..layers import init
from ..layers.containers import Block, Sequential
from ..layers.conv import Conv2d
from ..layers.dropout import Dropout
from ..layers.flatten import Flatten
from ..layers.linear import Linear
from ..layers.local_response_norm import LocalResponseNorm
from ..layers.pool import MaxPool2d
from ..layers.relu import ReLU


class AlexNet2012(Block):
    """The network that won ImageNet's contest of 2012 (Krizhevsky et al., 2012, section 3.5 and figure 2).

    ============== ================================ ========= ==========
    layer          kernel                           output    parameters
    ============== ================================ ========= ==========
    features.0     96 of 11x11, / 4                 96x55x55  34,944
    features.2     response normalisation           96x55x55
    features.3     3x3 max, / 2                     96x27x27
    features.4     256 of 5x5, in two groups        256x27x27 307,456
    features.6     response normalisation           256x27x27
    features.7     3x3 max, / 2                     256x13x13
    features.8     384 of 3x3                       384x13x13 885,120
    features.10    384 of 3x3, in two groups        384x13x13 663,936
    features.12    256 of 3x3, in two groups        256x13x13 442,624
    features.14    3x3 max, / 2                     256x6x6
    classifier.0                                    4096      37,752,832
    classifier.3                                    4096      16,781,312
    classifier.6                                    1000      4,097,000
    all                                                       60,965,224
    ============== ================================ ========= ==========

    Input is (N, 3, 227, 227): the paper says 224, with which its numbers do not come out. The
    normalisation's alpha, 10^-4 there, is 5 times that here, since PyTorch divides it by the five channels.

    Parameters
    ----------
    num_classes : int
        Length of the output.
    dropout : float
        How likely a feature is dropped after each of the two large matrices.
    rng : None, int or Generator
        Where the initial values and the dropout's masks come from: N(0, 0.01^2) for weights, 1 for the
        biases of the second, fourth and fifth convolution and of the two large matrices, 0 for the
        others (section 5).
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.models.alexnet_2012(num_classes=10, rng=0).eval()
    >>> model(np.zeros((1, 3, 227, 227), np.float32)).shape
    (1, 10)
    """

    def __init__(
        self, num_classes: int = 1000, dropout: float = 0.5, *, rng: init.Seed = None, dtype: npt.DTypeLike = np.float32
    ):
        rng = init.generator(rng)
        blank: dict[str, Any] = {"rng": init.Blank(), "dtype": dtype}  # all is drawn at the end
        norm = partial(LocalResponseNorm, 5, alpha=5e-4, beta=0.75, k=2.0)
        self.features = Sequential(
            *(Conv2d(3, 96, 11, stride=4, **blank), ReLU(), norm(), MaxPool2d(3, stride=2)),
            *(Conv2d(96, 256, 5, padding=2, groups=2, **blank), ReLU(), norm(), MaxPool2d(3, stride=2)),
            *(Conv2d(256, 384, 3, padding=1, **blank), ReLU()),
            *(Conv2d(384, 384, 3, padding=1, groups=2, **blank), ReLU()),
            *(Conv2d(384, 256, 3, padding=1, groups=2, **blank), ReLU(), MaxPool2d(3, stride=2)),
        )
        self.classifier = Sequential(
            *(Linear(256 * 6 * 6, 4096, **blank), ReLU(), Dropout(dropout, rng=rng)),
            *(Linear(4096, 4096, **blank), ReLU(), Dropout(dropout, rng=rng)),
            Linear(4096, num_classes, **blank),
        )
        self.route(self.features, Flatten(), self.classifier)

        learned = [layer for layer in self.modules() if isinstance(layer, Conv2d | Linear)]
        for layer, bias in zip(learned, (0, 1, 0, 1, 1, 1, 1, 0), strict=True):
            init.normal(layer.weight, 0.01, rng)
            if layer.bias is not None:
                layer.bias.data[...] = bias


def alexnet_2012(**options: Any) -> AlexNet2012:
    """Build an ``AlexNet2012``; the options are its arguments."""
    return AlexNet2012(**options)
