"""Rows: layers that look at images and features, learned or not."""

from hypothesis import strategies as st
from torch import nn
from torchvision import ops

import numpycnn as nc

from .. import mended, strategies, twins, wild
from ..pair import Pair
from .table import MOVES, SUMS, table

YES, NO = st.just(True), st.just(False)  # for options that are left out half of the time
DIVISIBLE = 705_600
"""A multiple of every count that an average is taken over: the products of two numbers up to 8."""

MAGNIFIED = "of nearly equal numbers is divided by sqrt(eps), which magnifies its roundings"

LAYERS = table(
    Pair("Conv2d", nc.Conv2d, nn.Conv2d, strategies.conv2d(), wild.conv2d(), exact=1, reason=SUMS),
    Pair(
        "ConvTranspose2d",
        nc.ConvTranspose2d,
        nn.ConvTranspose2d,
        strategies.conv_transpose2d(),
        wild.conv_transpose2d(),
        exact=1,
        reason=SUMS,
    ),
    Pair(
        "MaxPool2d",
        nc.MaxPool2d,
        nn.MaxPool2d,
        strategies.pool2d(dilated=True, return_indices=YES, ceil_mode=YES),
        wild.pool2d(strategies.pool2d(dilated=False, ceil_mode=YES)),
        exact=1,
        reason="forward picks; backward sums where windows overlap",
    ),
    Pair(
        "AvgPool2d",
        nc.AvgPool2d,
        nn.AvgPool2d,
        strategies.pool2d(
            dilated=False,
            ceil_mode=YES,
            count_include_pad=NO,
            divisor_override=st.sampled_from([-2, 1, 3, 8]),
        ),
        wild.pool2d(strategies.pool2d(dilated=False, ceil_mode=YES), divisor_override=st.integers(-1, 1)),
        exact=DIVISIBLE,
        reason=SUMS,
    ),
    Pair(
        "AdaptiveMaxPool2d",
        nc.AdaptiveMaxPool2d,
        nn.AdaptiveMaxPool2d,
        strategies.adaptive_pool2d(return_indices=YES),
        wild.adaptive_pool2d(),
        exact=1,
        reason="forward picks; backward sums where windows overlap",
    ),
    Pair(
        "AdaptiveAvgPool2d",
        nc.AdaptiveAvgPool2d,
        nn.AdaptiveAvgPool2d,
        strategies.adaptive_pool2d(),
        wild.adaptive_pool2d(),
        exact=DIVISIBLE,
        reason=SUMS,
    ),
    Pair(
        "Upsample",
        nc.Upsample,
        nn.Upsample,
        strategies.upsample(),
        wild.upsample(),
        reason="shares of four pixels, and backward a sum of them",
    ),
    Pair("Linear", nc.Linear, nn.Linear, strategies.linear(), wild.linear(), exact=1, reason=SUMS),
    Pair("Identity", nc.Identity, nn.Identity, strategies.elementwise(), exact=1, reason=MOVES),
    Pair(
        "Dropout",
        nc.Dropout,
        nn.Dropout,
        strategies.elementwise(p=st.sampled_from([0.0, 0.2, 0.9, 1.0])),
        wild.dropout(),
        reason="one product with 1 / (1 - p), on torch's own mask",
    ),
    Pair(
        "Dropout2d",
        nc.Dropout2d,
        nn.Dropout2d,
        strategies.images(p=st.sampled_from([0.0, 0.2, 0.9, 1.0])),
        reason="one product with 1 / (1 - p), on torch's own mask",
    ),
    Pair(
        "StochasticDepth",
        nc.StochasticDepth,
        ops.StochasticDepth,
        strategies.stochastic_depth(),
        wild.stochastic_depth(),
        reason="one product with 1 / (1 - p), on torch's own mask",
    ),
    Pair(
        "Scale",
        nc.Scale,
        twins.Scale,
        strategies.scale(),
        exact=1,
        ulps=256,
        reason="the gradient of a factor is one sum of up to 625 numbers, of which much may cancel",
    ),
    Pair(
        "BatchNorm2d",
        nc.BatchNorm2d,
        nn.BatchNorm2d,
        strategies.batch_norm(),
        wild.batch_norm(),
        ulps=4096,
        reason=f"a channel {MAGNIFIED}",
    ),
    Pair(
        "InstanceNorm2d",
        nc.InstanceNorm2d,
        mended.InstanceNorm2d,
        strategies.instance_norm(),
        wild.instance_norm(),
        ulps=4096,
        reason=f"a channel {MAGNIFIED}",
    ),
    Pair(
        "GroupNorm",
        nc.GroupNorm,
        nn.GroupNorm,
        strategies.group_norm(),
        wild.group_norm(),
        ulps=4096,
        reason=f"a group {MAGNIFIED}",
    ),
    Pair(
        "LayerNorm",
        nc.LayerNorm,
        nn.LayerNorm,
        strategies.layer_norm(),
        wild.layer_norm(),
        ulps=4096,
        reason=f"a sample {MAGNIFIED}",
    ),
    Pair(
        "LocalResponseNorm",
        nc.LocalResponseNorm,
        nn.LocalResponseNorm,
        strategies.local_response_norm(),
        wild.local_response_norm(),
        ulps=32,
        reason="a sum of squares, a power and a quotient",
    ),
)
