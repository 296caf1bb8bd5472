"""What flows through a network: one rule for each kind of layer says what becomes of it.

An empty batch flows. It costs no arithmetic, yet goes through every layer's own forward, so the
shapes cannot differ from those of a real batch, and what a layer refuses is refused in its words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

from ..layers.adaptive_pool import AdaptiveAvgPool2d, AdaptiveMaxPool2d
from ..layers.branches import Branches, Concat
from ..layers.containers import Block, Sequential
from ..layers.errors import ShapeError
from ..layers.flatten import Flatten
from ..layers.graph import INPUT, Graph
from ..layers.layer import Array, Layer
from ..layers.linear import Linear
from ..layers.permute import Permute
from ..layers.softmax import LogSoftmax, Softmax
from .geometry import Step, geometry
from .receptive_field import ReceptiveField, Span, join


@dataclass(frozen=True)
class Flow:
    """What flows between two layers.

    Attributes
    ----------
    y : ndarray
        An empty batch; or a tuple of it and its indices, from a pooling that returns them.
    field : ReceptiveField or None
        What each entry sees of the input; None if the input is no image.
    image : bool
        Whether the last two axes are the height and the width of an image.
    """

    y: Any
    field: ReceptiveField | None
    image: bool

    @classmethod
    def of_input(cls, x: Array) -> Flow:
        """Return what flows into a network: every pixel sees itself."""
        image = x.ndim == 4
        return cls(x, ReceptiveField() if image else None, image)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The arrays that y consists of."""
        return self.y if isinstance(self.y, tuple) else (self.y,)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of y, or of the first of its arrays."""
        shape: tuple[int, ...] = self.arrays[0].shape
        return shape


Visit = Callable[..., Flow]
"""Called with a layer and what flows into it: one flow, or one for each of its branches."""

SIDES = (-2, -1)
"""The axes of height and width; counted from the back, as the fields' two spans are."""


# Where it flows


@singledispatch
def follow(layer: Layer, visit: Visit, flow: Flow) -> Flow:
    """Return what a layer makes of what flows into it; a container has the layers in it visited."""
    after = replace(flow, y=layer.forward(flow.y))
    if after.shape[:1] != (0,):
        raise ShapeError(layer, f"expected the samples to stay on axis 0, got y of shape {after.shape}")
    if flow.field is None or not flow.image:
        return after
    field = ReceptiveField(*sees(layer, flow, after, flow.field))
    return replace(after, field=field, image=len(after.shape) == len(flow.shape))


@follow.register
def _(layer: Flatten, visit: Visit, flow: Flow) -> Flow:
    axes = len(flow.shape)
    if layer.start_dim in (0, -axes) and layer.end_dim not in (0, -axes):
        raise ShapeError(layer, f"expected the samples to stay on axis 0, got start_dim={layer.start_dim}")
    return follow.dispatch(Layer)(layer, visit, flow)


@follow.register
def _(layer: Permute, visit: Visit, flow: Flow) -> Flow:
    after = follow.dispatch(Layer)(layer, visit, flow)
    return replace(after, image=after.image and _keeps_sides(layer))


@follow.register
def _(layer: Sequential, visit: Visit, flow: Flow) -> Flow:
    for child in layer:
        flow = visit(child, flow)
    return flow


@follow.register
def _(layer: Block, visit: Visit, flow: Flow) -> Flow:
    if "_route" not in vars(layer):
        layer.forward(flow.y)  # which says what is missing
    return visit(layer._route, flow)


@follow.register
def _(layer: Graph, visit: Visit, flow: Flow) -> Flow:
    values = {INPUT: flow}
    for name, reads in layer._reads.items():
        values[name] = visit(getattr(layer, name), *(values[read] for read in reads))
    return values[layer._output]


@follow.register
def _(layer: Branches, visit: Visit, *flows: Flow) -> Flow:
    """Visit the branches, all with one flow, or each with its own; the layer itself joins what they give."""
    inputs = flows * len(layer) if len(flows) == 1 else flows
    ends = [visit(branch, flow) for branch, flow in zip(layer, inputs, strict=True)]
    after = replace(ends[0], y=layer.join([end.y for end in ends]))
    along = layer.dim % len(after.shape) if isinstance(layer, Concat) else None
    if along == 0:
        raise ShapeError(layer, "expected the samples to stay on axis 0, got branches put side by side there")
    if after.field is None:
        return after
    height, width = (_joined(ends, side, along) for side in SIDES)
    return replace(after, field=ReceptiveField(height, width))


def _joined(ends: list[Flow], side: int, along: int | None) -> Span:
    """Join what is seen on one side of the image, along which the branches may be put one after another."""
    spans = [end.field[side] for end in ends if end.field is not None]
    lengths = [end.shape[side] if end.image else 1 for end in ends]
    if ends[0].image and along == len(ends[0].shape) + side:
        return join([span.at_most(length) for span, length in zip(spans, lengths, strict=True)], [1] * len(ends))
    return join(spans, lengths)


# What is seen


@singledispatch
def sees(layer: Layer, before: Flow, after: Flow, field: ReceptiveField) -> Iterator[Span]:
    """Yield what the outputs of a layer see of the image, on its height and on its width, given what its inputs see.

    A layer that is no window, and has no rule of its own here, may see all there is.
    """
    steps = geometry(layer)
    for axis, span in zip(SIDES, field, strict=True):
        yield span.at_most(before.shape[axis]) if steps is None else span.through(steps[axis])


@sees.register
def _(layer: Linear, before: Flow, after: Flow, field: ReceptiveField) -> Iterator[Span]:
    yield field.height
    yield field.width.all_of(before.shape[-1])


@sees.register
def _(layer: Permute, before: Flow, after: Flow, field: ReceptiveField) -> Iterator[Span]:
    """See the same, where height and width stay; what becomes of them elsewhere is not followed."""
    for axis, span in zip(SIDES, field, strict=True):
        yield span if _keeps_sides(layer) else span.at_most(before.shape[axis])


def _keeps_sides(layer: Permute) -> bool:
    axes = len(layer.dims)
    return [axis % axes for axis in layer.dims[-2:]] == [axes - 2, axes - 1]


@sees.register(Softmax)
@sees.register(LogSoftmax)
def _(layer: Softmax | LogSoftmax, before: Flow, after: Flow, field: ReceptiveField) -> Iterator[Span]:
    for axis, span in zip(SIDES, field, strict=True):
        along = layer.dim in (axis, axis + len(before.shape))
        yield span.all_of(before.shape[axis]) if along else span


@sees.register
def _(layer: Flatten, before: Flow, after: Flow, field: ReceptiveField) -> Iterator[Span]:
    """See all, as a vector of features does that has no place in the image any more."""
    for axis, span in zip(SIDES, field, strict=True):
        yield span if before.shape == after.shape else span.all_of(before.shape[axis])


@sees.register(AdaptiveAvgPool2d)
@sees.register(AdaptiveMaxPool2d)
def _(layer: Layer, before: Flow, after: Flow, field: ReceptiveField) -> Iterator[Span]:
    """See through windows that are alike only where the one size divides the other."""
    for axis, span in zip(SIDES, field, strict=True):
        length, outputs = before.shape[axis], after.shape[axis]
        if length == 1 or outputs == 1:
            yield span.all_of(length)
        elif outputs and length % outputs == 0:
            yield span.through(Step(length // outputs, length // outputs))
        else:
            yield span.at_most(length)
