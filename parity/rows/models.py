"""Rows: whole networks."""

from functools import partial

from hypothesis import strategies as st

import numpycnn as nc

from .. import strategies, twins
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
        partial(twins.lenet5, nc),
        partial(twins.lenet5, twins),
        strategies.image_model((1, 32, 32), activation=st.sampled_from(["Tanh", "Sigmoid", "ReLU"])),
        ulps=4096,
        reason="five layers of weights of order 1 magnify each other's roundings",
    ),
)
