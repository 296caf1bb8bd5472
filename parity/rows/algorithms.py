"""Rows: algorithms that round more than the definition, and are off until they are asked for."""

from torch import nn

from .. import ours, strategies
from ..pair import Pair
from .table import table

ALGORITHMS = table(
    Pair(
        "WinogradConv2d",
        ours.WinogradConv2d,
        nn.Conv2d,
        strategies.winograd_conv2d(),
        ulps=128,
        reason="sums of products with up to 2.25 in place of 1, on the way to another basis and back",
        cost=4,
    ),
)
