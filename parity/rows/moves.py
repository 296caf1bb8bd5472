"""Rows: layers that move numbers about, take parts of an array, or bring it to another scale."""

from functools import partial

from hypothesis import strategies as st
from torch import nn
from torchvision import ops

import numpycnn as nc

from .. import strategies, twins, wild
from ..pair import Pair
from .layers import DIVISIBLE, YES
from .table import MOVES, SUMS, table

OTHERS = st.sampled_from([-1.5, 0.0, 0.1, 3.0])

MOVING = table(
    Pair("Flatten", nc.Flatten, nn.Flatten, strategies.flatten(), wild.flatten(), exact=1, reason=MOVES),
    Pair("Unflatten", nc.Unflatten, nn.Unflatten, strategies.unflatten(), wild.unflatten(), exact=1, reason=MOVES),
    Pair("Permute", nc.Permute, ops.Permute, strategies.permute(), wild.permute(), exact=1, reason=MOVES),
    Pair(
        "ChannelShuffle",
        nc.ChannelShuffle,
        nn.ChannelShuffle,
        strategies.channel_shuffle(),
        wild.channel_shuffle(),
        exact=1,
        reason=MOVES,
    ),
    *(
        Pair(name, getattr(nc, name), partial(twins.Called, name), cases, wilder, exact=1, reason=MOVES)
        for name, cases, wilder in (
            ("Reshape", strategies.reshape(), wild.reshape()),
            ("Unsqueeze", strategies.unsqueeze(), wild.unsqueeze()),
            ("Squeeze", strategies.squeeze(), wild.squeeze()),
            ("Pad", strategies.pad(), wild.pad()),
            ("Select", strategies.select(), wild.select()),
            ("Slice", strategies.slices(), wild.slices()),
            ("Chunk", strategies.chunk(), wild.chunk()),
        )
    ),
    Pair(
        "Mean",
        nc.Mean,
        partial(twins.Called, "Mean"),
        strategies.mean(keepdim=YES),
        wild.mean(),
        exact=DIVISIBLE,
        reason=SUMS,
    ),
    Pair(
        "Affine",
        nc.Affine,
        partial(twins.Called, "Affine"),
        strategies.elementwise(scale=OTHERS, shift=OTHERS),
        reason="a product and a sum",
    ),
)
