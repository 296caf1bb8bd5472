"""Rows: whole networks."""

from functools import partial

import torchvision
from hypothesis import strategies as st

import numpycnn as nc

from .. import ours, strategies, twins
from ..pair import Pair
from .table import table

DEEP = "many layers of weights of order 1 magnify each other's roundings"

_classes = st.integers(1, 5)
_dropout = st.sampled_from([0.4, 0.0])
_stages = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=3), min_size=1, max_size=3)

MODELS = table(
    Pair(
        "LeNet",
        nc.models.LeNet,
        twins.LeNet,
        strategies.image_model((1, 28, 28), num_classes=st.integers(1, 12)),
        ulps=4096,
        reason="five layers of weights of order 1 magnify each other's roundings",
    ),
    Pair(
        "LeNet5",
        ours.constructor("LeNet5"),
        twins.lenet5,
        strategies.image_model((1, 32, 32), activation=st.sampled_from(["Tanh", "Sigmoid", "ReLU"])),
        ulps=4096,
        reason="five layers of weights of order 1 magnify each other's roundings",
    ),
    Pair(
        "AlexNet",
        ours.constructor("AlexNet"),
        partial(twins.small, torchvision.models.AlexNet, 256 * 6 * 6),
        strategies.famous((3, 63, 63), (3, 63, 96), num_classes=_classes, dropout=_dropout),
        ulps=4096,
        reason=DEEP,
        cost=100,
    ),
    Pair(
        "VGG",
        ours.constructor("VGG"),
        twins.vgg,
        strategies.famous(
            (3, 8, 8), (3, 15, 22), stages=_stages, batch_norm=st.booleans(), num_classes=_classes, dropout=_dropout
        ),
        ulps=1 << 14,
        reason=DEEP,
        cost=25,
    ),
)
