"""What layers cost: one rule for each kind of layer that multiplies and adds."""

from __future__ import annotations

import math
from functools import singledispatch

from ..layers.conv import Conv2d
from ..layers.conv_transpose import ConvTranspose2d
from ..layers.layer import Layer
from ..layers.linear import Linear

Shape = tuple[int, ...]


@singledispatch
def multiply_adds(layer: Layer, x: Shape, y: Shape) -> int:
    """Return how many products a layer adds up to make y of x, given their shapes.

    Convolutions and matrices are counted, those with the zeros of the padding too; biases,
    normalisations, activations and poolings are not: they cost a few steps an entry, whatever the
    size of the filters.
    """
    return 0


@multiply_adds.register
def _(layer: Conv2d, x: Shape, y: Shape) -> int:
    return math.prod(y) * math.prod(layer.weight.data.shape[1:])  # C / groups KH KW for each output


@multiply_adds.register
def _(layer: ConvTranspose2d, x: Shape, y: Shape) -> int:
    return math.prod(x) * math.prod(layer.weight.data.shape[1:])  # O / groups KH KW for each input


@multiply_adds.register
def _(layer: Linear, x: Shape, y: Shape) -> int:
    return math.prod(y) * layer.in_features
