"""LeNet: two convolutions, two poolings, three matrices (LeCun et al., 1998, section II.B), in two common forms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..layers.containers import Block
from ..layers.conv import Conv2d
from ..layers.flatten import Flatten
from ..layers.init import Seed, generator
from ..layers.layer import Layer
from ..layers.linear import Linear
from ..layers.pool import AvgPool2d, MaxPool2d
from ..layers.relu import ReLU
from ..layers.sigmoid import Tanh


class LeNet(Block):
    """The LeNet of today's courses, for digits of 28x28: ReLU and max pooling.

    ====== ========== =========== ==========
    layer  kernel     output      parameters
    ====== ========== =========== ==========
    conv1  6 of 5x5   6x24x24     156
    pool   2x2, max   6x12x12
    conv2  16 of 5x5  16x8x8      2,416
    pool   2x2, max   16x4x4
    fc1               120         30,840
    fc2               84          10,164
    fc3               10          850
    ====== ========== =========== ==========

    Parameters
    ----------
    num_classes : int
        Length of the output.
    rng : None, int or Generator
        Where the initial values come from.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.models.LeNet(rng=0)
    >>> model(np.zeros((8, 1, 28, 28), np.float32)).shape
    (8, 10)
    >>> model.num_parameters()
    44426
    """

    def __init__(self, num_classes: int = 10, *, rng: Seed = None, dtype: npt.DTypeLike = np.float32):
        rng = generator(rng)
        self.conv1 = Conv2d(1, 6, 5, rng=rng, dtype=dtype)
        self.conv2 = Conv2d(6, 16, 5, rng=rng, dtype=dtype)
        self.fc1 = Linear(16 * 4 * 4, 120, rng=rng, dtype=dtype)
        self.fc2 = Linear(120, 84, rng=rng, dtype=dtype)
        self.fc3 = Linear(84, num_classes, rng=rng, dtype=dtype)
        self.route(
            *(self.conv1, ReLU(), MaxPool2d(2)),
            *(self.conv2, ReLU(), MaxPool2d(2)),
            Flatten(),
            *(self.fc1, ReLU()),
            *(self.fc2, ReLU()),
            self.fc3,
        )


class LeNet5(Block):
    """LeNet-5 on 32x32 with average pooling, nearer to the paper: 400 features before the matrices.

    The paper's pooling is trainable, its second convolution sees a hand-picked part of the
    channels and its last layer measures distances; here they are what became usual.

    Parameters
    ----------
    num_classes : int
        Length of the output.
    activation : type of Layer
        What stands after every convolution and every matrix but the last: ``Tanh``, as in the
        paper, ``Sigmoid``, ``ReLU``, ...
    rng : None, int or Generator
        Where the initial values come from.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.models.LeNet5(activation=nc.ReLU, rng=0)
    >>> model(np.zeros((8, 1, 32, 32), np.float32)).shape
    (8, 10)
    >>> model.num_parameters()
    61706
    """

    def __init__(
        self,
        num_classes: int = 10,
        activation: type[Layer] = Tanh,
        *,
        rng: Seed = None,
        dtype: npt.DTypeLike = np.float32,
    ):
        if not (isinstance(activation, type) and issubclass(activation, Layer)):
            raise TypeError(f"LeNet5: expected activation to be a type of layer, such as Tanh, got {activation!r}")
        rng = generator(rng)
        self.conv1 = Conv2d(1, 6, 5, rng=rng, dtype=dtype)
        self.conv2 = Conv2d(6, 16, 5, rng=rng, dtype=dtype)
        self.fc1 = Linear(16 * 5 * 5, 120, rng=rng, dtype=dtype)
        self.fc2 = Linear(120, 84, rng=rng, dtype=dtype)
        self.fc3 = Linear(84, num_classes, rng=rng, dtype=dtype)
        self.route(
            *(self.conv1, activation(), AvgPool2d(2)),
            *(self.conv2, activation(), AvgPool2d(2)),
            Flatten(),
            *(self.fc1, activation()),
            *(self.fc2, activation()),
            self.fc3,
        )
