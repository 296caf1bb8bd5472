"""What the outputs of a layer see of what its inputs see: one rule for each kind of layer that is no window."""

from __future__ import annotations

import math
from functools import singledispatch
from itertools import accumulate
from operator import mul

from ..layers.adaptive_pool import AdaptiveAvgPool2d, AdaptiveMaxPool2d
from ..layers.arrays import Array
from ..layers.channel_norm import ChannelNorm
from ..layers.flatten import Flatten
from ..layers.groupnorm import GroupNorm
from ..layers.layer import Layer
from ..layers.layernorm import LayerNorm
from ..layers.linear import Linear
from ..layers.mean import Mean
from ..layers.pad import Pad
from ..layers.parts import Taking
from ..layers.permute import Permute
from ..layers.reshape import Reshaping
from ..layers.softmax import LogSoftmax, Softmax
from ..layers.upsample import Upsample
from .geometry import Step, geometry
from .receptive_field import Span

Seen = tuple[Span, int | None]
"""What entries see along one side of the image, and which of their axes is that side; None if none is any more."""


@singledispatch
def sees(layer: Layer, x: Array, y: Array, axis: int, span: Span) -> Seen:
    """Return what the outputs of a layer see along one side of the image, given what its inputs see along it.

    A layer that is no window, and has no rule of its own here, may see all there is.

    Parameters
    ----------
    layer : Layer
        The layer.
    x, y : ndarray
        Its input and its output, for an empty batch.
    axis : int
        Which axis of x is that side.
    span : Span
        What x sees.
    """
    steps = geometry(layer)
    if steps is None:
        return span.at_most(x.shape[axis]), axis if x.ndim == y.ndim else None
    side = axis - x.ndim  # windows slide over the last two axes
    return span.through(steps[side]) if side in (-2, -1) else span, axis


@sees.register
def _(layer: Linear, x: Array, y: Array, axis: int, span: Span) -> Seen:
    return span.all_of(x.shape[axis]) if axis == x.ndim - 1 else span, axis


@sees.register(Softmax)
@sees.register(LogSoftmax)
def _(layer: Softmax | LogSoftmax, x: Array, y: Array, axis: int, span: Span) -> Seen:
    return span.all_of(x.shape[axis]) if axis == layer.dim % x.ndim else span, axis


@sees.register
def _(layer: LayerNorm, x: Array, y: Array, axis: int, span: Span) -> Seen:
    normalised = axis >= x.ndim - len(layer.normalized_shape)
    return span.all_of(x.shape[axis]) if normalised else span, axis


@sees.register
def _(layer: GroupNorm, x: Array, y: Array, axis: int, span: Span) -> Seen:
    return span.all_of(x.shape[axis]), axis


@sees.register
def _(layer: ChannelNorm, x: Array, y: Array, axis: int, span: Span) -> Seen:
    """See one entry by running statistics; those of the input are made of all of it."""
    return span if layer.track_running_stats else span.all_of(x.shape[axis]), axis


@sees.register(AdaptiveAvgPool2d)
@sees.register(AdaptiveMaxPool2d)
def _(layer: Layer, x: Array, y: Array, axis: int, span: Span) -> Seen:
    """See through windows that are alike only where the one length divides the other."""
    length, outputs = x.shape[axis], y.shape[axis]
    if length == 1 or outputs == 1:
        return span.all_of(length), axis
    if outputs and length % outputs == 0:
        return span.through(Step(length // outputs, length // outputs)), axis
    return span.at_most(length), axis


@sees.register
def _(layer: Upsample, x: Array, y: Array, axis: int, span: Span) -> Seen:
    return span if x.shape[axis] == y.shape[axis] else span.at_most(x.shape[axis]), axis


@sees.register
def _(layer: Mean, x: Array, y: Array, axis: int, span: Span) -> Seen:
    dims = layer.dim if isinstance(layer.dim, tuple) else (layer.dim,)
    averaged = {dim % x.ndim for dim in dims}
    gone = set() if layer.keepdim else averaged
    place = None if axis in gone else axis - sum(other < axis for other in gone)
    return span.all_of(x.shape[axis]) if axis in averaged else span, place


@sees.register
def _(layer: Taking, x: Array, y: Array, axis: int, span: Span) -> Seen:
    taken, lost = layer.dim % x.ndim, x.ndim - y.ndim
    if axis != taken:
        return span, axis - lost if taken < axis else axis
    part = layer.part(x, x.shape[axis])
    if isinstance(part, slice):
        start, _, step = part.indices(x.shape[axis])
        return span.through(Step(1, step, -start)), axis
    return span.through(Step(1, 1, -(part % x.shape[axis]))).all_of(1), None


@sees.register
def _(layer: Pad, x: Array, y: Array, axis: int, span: Span) -> Seen:
    before, _ = layer.borders(x.ndim)[axis]
    return span.through(Step(1, 1, before)), axis


@sees.register
def _(layer: Permute, x: Array, y: Array, axis: int, span: Span) -> Seen:
    return span, [dim % x.ndim for dim in layer.dims].index(axis)


@sees.register(Flatten)
@sees.register(Reshaping)
def _(layer: Layer, x: Array, y: Array, axis: int, span: Span) -> Seen:
    """See the same if the axis is still there: one of its length, with as many numbers of a sample before it."""
    ahead = [0, *accumulate(y.shape[1:], mul, initial=1)]
    for place in reversed(range(1, y.ndim)):
        if y.shape[place] == x.shape[axis] and ahead[place] == math.prod(x.shape[1:axis]):
            return span, place
    return span.all_of(x.shape[axis]), None
