"""Rows: whole networks."""

from hypothesis import strategies as st

import numpycnn as nc

from .. import ours, strategies, twins
from ..pair import Pair
from .table import table

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
)
