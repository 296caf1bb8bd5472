"""Functions and methods of torch, each with the layers that do the same: what a forward may call."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

import numpycnn as nc

from .values import Expanded, Learned, Shape, Step, Value

if TYPE_CHECKING:
    from .wiring import Wiring

Does = Callable[..., Any]

FUNCTIONS: dict[Any, Does] = {}
"""What stands for a function, or for a method by its name.

It is called with torch's arguments, after the wiring if it asks for it, and gives a layer that reads the arrays among
the arguments, a list of layers of which the first one does, a step that says what it reads, or a value that needs none.
"""


def does(*functions: Any) -> Callable[[Does], Does]:
    """Enter a function into the table."""

    def enter(function: Does) -> Does:
        FUNCTIONS.update(dict.fromkeys(functions, function))
        return function

    return enter


# Functions with the name and the arguments of a layer

LAYERS: dict[str, tuple[Any, ...]] = {
    "AdaptiveAvgPool2d": (functional.adaptive_avg_pool2d,),
    "AdaptiveMaxPool2d": (functional.adaptive_max_pool2d,),
    "AvgPool2d": (functional.avg_pool2d,),
    "ELU": (functional.elu, functional.elu_),
    "GELU": (functional.gelu,),
    "Hardsigmoid": (functional.hardsigmoid,),
    "Hardswish": (functional.hardswish,),
    "Hardtanh": (functional.hardtanh, functional.hardtanh_),
    "LeakyReLU": (functional.leaky_relu, functional.leaky_relu_),
    "LocalResponseNorm": (functional.local_response_norm,),
    "LogSoftmax": (functional.log_softmax, torch.log_softmax, "log_softmax"),
    "MaxPool2d": (functional.max_pool2d, torch.max_pool2d),
    "ReLU": (functional.relu, functional.relu_, torch.relu, torch.relu_, "relu", "relu_"),
    "ReLU6": (functional.relu6,),
    "SiLU": (functional.silu,),
    "Sigmoid": (functional.sigmoid, torch.sigmoid, torch.sigmoid_, "sigmoid", "sigmoid_"),
    "Softmax": (functional.softmax, torch.softmax, "softmax"),
    "Softplus": (functional.softplus,),
    "Tanh": (functional.tanh, torch.tanh, torch.tanh_, "tanh", "tanh_"),
}
ORDERS = {"MaxPool2d": ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")}
"""The order of a function's arguments, where it is another than the layer's."""
OF_NO_MATTER = {"_stacklevel": 3, "dtype": None}
"""Arguments of functions that no layer has, with the values that change nothing."""


def of_name(kind: str, input: Value, *args: Any, inplace: bool = False, **kwargs: Any) -> Step:
    """Build the layer that a function has its name and its arguments from."""
    layer = getattr(nc, kind)
    order = ORDERS.get(kind) or inspect.signature(layer).parameters
    given = {"inplace": inplace} | dict(zip([*order, "inplace"], args, strict=False)) | kwargs
    inplace = given.pop("inplace")
    made = layer(**{name: value for name, value in given.items() if OF_NO_MATTER.get(name, ...) != value})
    return Step((made,), (input,), inplace)


for _kind, _functions in LAYERS.items():
    for _function in _functions:
        _ends = str(getattr(_function, "__name__", _function))[-1]
        FUNCTIONS[_function] = partial(of_name, _kind, **{"inplace": True} if _ends == "_" else {})


@does(torch.flatten, "flatten")
def _flatten(input: Value, start_dim: int = 0, end_dim: int = -1) -> nc.Layer:
    return nc.Flatten(start_dim, end_dim)


@does(torch.mean, "mean")
def _mean(
    input: Value, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, dtype: None = None
) -> nc.Layer:
    return nc.Mean(dim, keepdim)


# What depends on the mode


def in_mode(wiring: Wiring, training: bool, layer: nc.Layer) -> Any:
    """Let a layer follow the mode of the module in which it stands, if that is what decided."""
    if training != wiring.training:
        raise ValueError(f"expected training={wiring.training}, the mode of its module, got {training}")
    return layer


@does(functional.dropout)
def _dropout(wiring: Wiring, input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    return in_mode(wiring, training, nc.Dropout(p))


@does(functional.dropout2d)
def _dropout2d(wiring: Wiring, input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    return in_mode(wiring, training, nc.Dropout2d(p))


@does("torchvision.ops.stochastic_depth.stochastic_depth")
def _stochastic_depth(wiring: Wiring, input: Value, p: float, mode: str, training: bool = True) -> Any:
    return in_mode(wiring, training, nc.StochasticDepth(p, mode))


# With learned arrays


def with_arrays(layer: nc.Layer, **arrays: Learned | None) -> nc.Layer:
    """Let a layer work with arrays that stand elsewhere in the model."""
    for name, learned in arrays.items():
        if learned is not None:
            setattr(layer, name, learned.array)
    return layer


@does(functional.linear)
def _linear(input: Value, weight: Learned, bias: Learned | None = None) -> nc.Layer:
    outputs, inputs = weight.array.data.shape
    return with_arrays(nc.Linear(inputs, outputs, bias is not None), weight=weight, bias=bias)


@does(functional.conv2d, torch.conv2d)
def _conv2d(
    input: Value,
    weight: Learned,
    bias: Learned | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> nc.Layer:
    filters, channels, *kernel = weight.array.data.shape
    layer = nc.Conv2d(channels * groups, filters, kernel, stride, padding, dilation, groups, bias is not None)
    return with_arrays(layer, weight=weight, bias=bias)


@does(functional.conv_transpose2d, torch.conv_transpose2d)
def _conv_transpose2d(
    input: Value,
    weight: Learned,
    bias: Learned | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> nc.Layer:
    channels, filters, *kernel = weight.array.data.shape
    sizes = (stride, padding, output_padding)
    layer = nc.ConvTranspose2d(channels, filters * groups, kernel, *sizes, groups, bias is not None, dilation)
    return with_arrays(layer, weight=weight, bias=bias)


@does(functional.layer_norm)
def _layer_norm(
    input: Value,
    normalized_shape: Sequence[int],
    weight: Learned | None = None,
    bias: Learned | None = None,
    eps: float = 1e-5,
) -> nc.Layer:
    layer = nc.LayerNorm(normalized_shape, eps, weight is not None, bias is not None)
    return with_arrays(layer, weight=weight, bias=bias)


# Arithmetic


@does(operator.add, torch.add, "add")
def _add(input: Any, other: Any, *, alpha: float = 1) -> nc.Layer:
    if isinstance(input, Value) and isinstance(other, Value):
        return nc.Add(nc.Identity(), nc.Identity() if alpha == 1 else nc.Affine(alpha))
    if isinstance(input, Value):
        return nc.Affine(shift=alpha * number(other))
    return nc.Affine(alpha, number(input))


@does(operator.sub, torch.sub, "sub")
def _subtract(input: Any, other: Any) -> nc.Layer:
    if isinstance(other, Value) and not isinstance(input, Value):
        return nc.Affine(-1, number(input))
    return _add(input, other, alpha=-1)


@does(operator.mul, torch.mul, "mul")
def _multiply(input: Any, other: Any) -> nc.Layer | Step:
    if isinstance(other, Expanded) and other.like == input:  # a product repeats by itself
        other = other.value
    if isinstance(input, Value) and isinstance(other, Value):
        return Step((nc.Multiply(nc.Identity(), nc.Identity()),), (input, other))
    if isinstance(input, Learned) or isinstance(other, Learned):
        learned = input if isinstance(input, Learned) else other
        return with_arrays(nc.Scale(learned.array.data.shape), weight=learned)
    return nc.Affine(number(other if isinstance(input, Value) else input))


@does(operator.truediv, torch.div, "div")
def _divide(input: Value, other: Any) -> nc.Layer:
    return nc.Affine(1 / number(other))


@does(operator.neg, torch.neg, "neg")
def _negative(input: Value) -> nc.Layer:
    return nc.Affine(-1)


def number(argument: Any) -> float:
    """Take a number that is known now."""
    if not isinstance(argument, int | float):
        raise ValueError(f"expected an array or a number that does not depend on the input, got {argument}")
    return argument


def in_place(function: Does, input: Value, other: Any) -> Step:
    """Do what a function does, and write the result into the first array."""
    reads = (input, other) if isinstance(other, Value) else (input,)
    return Step((function(input, other),), reads, in_place=True)


for _does, *_functions in (
    (_add, operator.iadd, "add_"),
    (_subtract, operator.isub, "sub_"),
    (_multiply, operator.imul, "mul_"),
    (_divide, operator.itruediv, "div_"),
):
    FUNCTIONS.update(dict.fromkeys(_functions, partial(in_place, _does)))


@does(torch.cat, torch.concat, torch.concatenate)
def _cat(tensors: Sequence[Value], dim: int = 0) -> nc.Layer | Value:
    return nc.Concat(*(nc.Identity() for _ in tensors), dim=dim) if len(tensors) > 1 else tensors[0]


# Parts and shapes


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
