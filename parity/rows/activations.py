"""Rows: functions of each number, or of the numbers along an axis."""

from hypothesis import strategies as st
from torch import nn

import numpycnn as nc

from .. import mended, strategies, wild
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
    Pair(
        "PReLU",
        nc.PReLU,
        nn.PReLU,
        strategies.prelu(),
        wild.prelu(),
        exact=1,
        ulps=256,
        reason="the gradient of a slope is one sum of up to 625 numbers, of which much may cancel",
    ),
    Pair(
        "Hardtanh",
        nc.Hardtanh,
        mended.one_by_one(nn.Hardtanh),
        strategies.elementwise(min_val=st.sampled_from([-2, -0.5]), max_val=st.sampled_from([0.25, 2])),
        wild.hardtanh(),
        exact=1,
        reason=MOVES,
    ),
    # multiples of 2 reach 6
    Pair("ReLU6", nc.ReLU6, mended.one_by_one(nn.ReLU6), strategies.elementwise(), exact=2, reason=MOVES),
    Pair("Hardsigmoid", nc.Hardsigmoid, mended.Hardsigmoid, strategies.elementwise(), reason="a quotient"),
    Pair(
        "Hardswish",
        nc.Hardswish,
        mended.one_by_one(nn.Hardswish),
        strategies.elementwise(),
        reason="a product and a quotient",
    ),
    Pair(
        "ELU",
        nc.ELU,
        mended.one_by_one(nn.ELU),
        strategies.elementwise(alpha=st.sampled_from([-0.5, 0.0, 0.5, 1.5])),
        reason=EXPONENTIAL,
    ),
    Pair(
        "Softplus",
        nc.Softplus,
        nn.Softplus,
        strategies.elementwise(beta=st.sampled_from([-1, 0.5, 2.0]), threshold=st.sampled_from([1.0, 2.0, 6.0])),
        reason=EXPONENTIAL,
    ),
    Pair("SiLU", nc.SiLU, nn.SiLU, strategies.elementwise(), reason=EXPONENTIAL),
    Pair(
        "GELU",
        nc.GELU,
        nn.GELU,
        strategies.elementwise(approximate=st.sampled_from(["none", "tanh"])),
        wild.gelu(),
        reason="the error function or a hyperbolic tangent, each right to two ulps",
    ),
    Pair("Sigmoid", nc.Sigmoid, nn.Sigmoid, strategies.elementwise(), reason=EXPONENTIAL),
    Pair("Tanh", nc.Tanh, nn.Tanh, strategies.elementwise(), reason=EXPONENTIAL),
    Pair("Softmax", nc.Softmax, nn.Softmax, strategies.along_axis(), wild.along_axis(), reason=EXPONENTIAL),
    Pair("LogSoftmax", nc.LogSoftmax, nn.LogSoftmax, strategies.along_axis(), wild.along_axis(), reason=EXPONENTIAL),
)
