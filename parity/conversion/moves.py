"""What torch does to shapes with functions and methods: parts, borders, other axes, other sizes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

import numpycnn as nc

from .table import does
from .values import Expanded, Shape, Step, Value

if TYPE_CHECKING:
    from .wiring import Wiring


@does("contiguous", "clone", torch.clone)
def _same(input: Value) -> Value:
    return input


@does(torch.chunk, "chunk")
def _chunk(input: Value, chunks: int, dim: int = 0) -> list[Step]:
    return [Step((nc.Chunk(chunks, index, dim),), (input,)) for index in range(chunks)]


@does(torch.unsqueeze, "unsqueeze")
def _unsqueeze(input: Value, dim: int) -> nc.Layer:
    return nc.Unsqueeze(dim)


@does(torch.squeeze, "squeeze")
def _squeeze(input: Value, dim: int) -> nc.Layer:
    return nc.Squeeze(dim)


@does(functional.pad)
def _pad(input: Value, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> nc.Layer:
    if mode != "constant":
        raise ValueError(f"expected a border of one value, got mode {mode!r}")
    return nc.Pad(pad, value or 0.0)


@does(functional.interpolate)
def _interpolate(
    input: Value,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: None = None,
    antialias: bool = False,
) -> nc.Layer:
    if antialias or recompute_scale_factor:
        raise ValueError("expected antialias=False and recompute_scale_factor=None, which Upsample has not, got others")
    return nc.Upsample(size, scale_factor, mode, align_corners)


@does("expand_as")
def _expand_as(input: Value, other: Value) -> Expanded:
    return Expanded(input, other)


@does(torch.permute, "permute")
def _permute(input: Value, *dims: Any) -> nc.Layer:
    return nc.Permute(listed(dims))


@does(torch.transpose, "transpose", torch.swapaxes, "swapaxes")
def _transpose(wiring: Wiring, input: Value, dim0: int, dim1: int) -> nc.Layer:
    dims = list(range(wiring.shapes.axes(input)))
    dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
    return nc.Permute(dims)


@does(torch.reshape, "view", "reshape")
def _view(wiring: Wiring, input: Value, *shape: Any) -> Any:
    return wiring.shapes.view(input, listed(shape))


@does("size")
def _size(wiring: Wiring, input: Value, dim: int | None = None) -> Any:
    return Shape(input) if dim is None else wiring.shapes.side(input, dim)


@does(getattr)
def _attribute(input: Value, name: str) -> Shape:
    if name != "shape":
        raise ValueError(f"expected nothing of an array but its shape, got {name!r}")
    return Shape(input)


@does(operator.getitem)
def _item(wiring: Wiring, input: Any, index: Any) -> Any:
    if isinstance(input, Shape) and isinstance(index, int):
        return wiring.shapes.side(input.value, index)
    if isinstance(input, list):
        return input[index]
    layers: list[nc.Layer] = []
    axis = 0
    for entry in index if isinstance(index, tuple) else (index,):
        if isinstance(entry, int):
            layers.append(nc.Select(axis, entry))
            continue
        if entry is None:
            layers.append(nc.Unsqueeze(axis))
        elif not isinstance(entry, slice):
            raise ValueError(f"expected whole numbers, slices and None as indices, got {entry!r}")
        elif entry != slice(None):
            layers.append(nc.Slice(axis, entry.start or 0, entry.stop, entry.step or 1))
        axis += 1
    return layers or input


def listed(numbers: tuple[Any, ...]) -> list[Any]:
    """Spell numbers that come one by one, or together, as a list."""
    return list(numbers[0] if len(numbers) == 1 and isinstance(numbers[0], list | tuple) else numbers)
