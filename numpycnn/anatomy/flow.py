"""Where data flows through a network: one rule for each kind of container, and one for all layers.

An empty batch flows. It costs no arithmetic, yet goes through every layer's own forward, so the
shapes cannot differ from those of a real batch, and what a layer refuses is refused in its words.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

from ..layers.arrays import Array
from ..layers.auxiliary import Auxiliary
from ..layers.branches import Branches, Concat
from ..layers.containers import Block, Sequential
from ..layers.errors import ShapeError
from ..layers.flatten import Flatten
from ..layers.graph import INPUT, Graph
from ..layers.layer import Layer
from ..layers.parts import Taking
from ..layers.reshape import Reshaping, Squeeze
from .receptive_field import ReceptiveField, Span, join
from .sight import sees


@dataclass(frozen=True)
class Flow:
    """What flows between two layers.

    Attributes
    ----------
    y : ndarray
        An empty batch; or a tuple of it and its indices, from a pooling that returns them.
    field : ReceptiveField or None
        What each entry sees of the input; None if the input is no image.
    sides : (int or None, int or None)
        The axes of y that are the image's height and width; None where there is no such axis any more.
    """

    y: Any
    field: ReceptiveField | None
    sides: tuple[int | None, int | None]

    @classmethod
    def of_input(cls, x: Array) -> Flow:
        """Return what flows into a network: every pixel sees itself."""
        return cls(x, ReceptiveField(), (2, 3)) if x.ndim == 4 else cls(x, None, (None, None))

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The arrays that y consists of."""
        return self.y if isinstance(self.y, tuple) else (self.y,)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of y, or of the first of its arrays."""
        shape: tuple[int, ...] = self.arrays[0].shape
        return shape

    def length(self, side: int) -> int:
        """Return how many entries lie along the height (0) or the width (1) of the image; 1 if it is gone."""
        axis = self.sides[side]
        return 1 if axis is None else self.shape[axis]


Visit = Callable[..., Flow]
"""Called with a layer and what flows into it: one flow, or one for each of its branches."""


@singledispatch
def follow(layer: Layer, visit: Visit, flow: Flow) -> Flow:
    """Return what a layer makes of what flows into it; a container has the layers in it visited."""
    after = replace(flow, y=layer.forward(flow.y))
    _check_samples(layer, flow.shape, after.shape)
    if flow.field is None:
        return after
    (rows, row_axis), (columns, column_axis) = (
        (span, None) if axis is None else sees(layer, flow.arrays[0], after.arrays[0], axis, span)
        for span, axis in zip(flow.field, flow.sides, strict=True)
    )
    return replace(after, field=ReceptiveField(rows, columns), sides=(row_axis, column_axis))


@follow.register
def _(layer: Sequential, visit: Visit, flow: Flow) -> Flow:
    for child in layer:
        flow = visit(child, flow)
    return flow


@follow.register
def _(layer: Auxiliary, visit: Visit, flow: Flow) -> Flow:
    return visit(layer[0], flow)  # as in evaluation mode


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
    rows, columns = (_joined(ends, side, along) for side in (0, 1))
    row_axis, column_axis = (
        next((axis for axis in axes if axis is not None), None)
        for axes in zip(*(end.sides for end in ends), strict=True)
    )
    return replace(after, field=ReceptiveField(rows, columns), sides=(row_axis, column_axis))


def _joined(ends: list[Flow], side: int, along: int | None) -> Span:
    """Join what is seen on one side of the image, along which the branches may be put one after another."""
    spans = [end.field[side] for end in ends if end.field is not None]
    lengths = [end.length(side) for end in ends]
    if along is not None and along == ends[0].sides[side]:
        return join([span.at_most(length) for span, length in zip(spans, lengths, strict=True)], [1] * len(ends))
    return join(spans, lengths)


def _check_samples(layer: Layer, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """Raise if samples are mixed or left out, which an empty batch would not show."""
    mixed = after[:1] != (0,)
    if isinstance(layer, Flatten | Reshaping):
        mixed = mixed or math.prod(before[1:]) != math.prod(after[1:])
    if isinstance(layer, Taking | Squeeze):
        mixed = layer.dim in (0, -len(before))
    if mixed:
        raise ShapeError(
            layer, f"expected the samples to stay on axis 0, got y of shape {after} for x of shape {before}"
        )
