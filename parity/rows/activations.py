"""Rows: functions of each number, or of the numbers along an axis."""

from hypothesis import strategies as st
from torch import nn

import numpycnn as nc

from .. import strategies, wild
from ..pair import Pair
from .table import EXPONENTIAL, MOVES, table

ACTIVATIONS = table(
    Pair("ReLU", nc.ReLU, nn.ReLU, strategies.elementwise(), exact=1, reason=MOVES),
    Pair(
        "LeakyReLU",
        nc.LeakyReLU,
        nn.LeakyReLU,
        strategies.elementwise(negative_slope=st.sampled_from([-0.5, 0.0, 0.2, 1.5])),
        reason="one product",
    ),
    Pair("Sigmoid", nc.Sigmoid, nn.Sigmoid, strategies.elementwise(), reason=EXPONENTIAL),
    Pair("Tanh", nc.Tanh, nn.Tanh, strategies.elementwise(), reason=EXPONENTIAL),
    Pair("Softmax", nc.Softmax, nn.Softmax, strategies.along_axis(), wild.along_axis(), reason=EXPONENTIAL),
    Pair("LogSoftmax", nc.LogSoftmax, nn.LogSoftmax, strategies.along_axis(), wild.along_axis(), reason=EXPONENTIAL),
)
