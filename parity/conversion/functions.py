"""What torch computes with functions and methods, each with the layers that do the same."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

import numpycnn as nc

from .table import FUNCTIONS, Does, does
from .values import Expanded, Learned, Step, Value, arrays

if TYPE_CHECKING:
    from .wiring import Wiring

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


def convolution(
    kind: type[nc.Conv2d | nc.ConvTranspose2d],
    order: Sequence[str],
    input: Value,
    weight: Learned,
    bias: Learned | None = None,
    *args: Any,
    **kwargs: Any,
) -> nc.Layer:
    """Build a convolution of the sizes that its weight has, with options that come in this order."""
    options = dict(zip(order, args, strict=False)) | kwargs
    groups = options.get("groups", 1)
    first, second, *kernel = weight.array.data.shape  # one of them counts the channels of a group only
    channels = (first, second * groups) if kind is nc.ConvTranspose2d else (second * groups, first)
    return with_arrays(kind(*channels, kernel, bias=bias is not None, **options), weight=weight, bias=bias)


for _convolution, _order, *_functions in (
    (nc.Conv2d, ("stride", "padding", "dilation", "groups"), functional.conv2d, torch.conv2d),
    (
        nc.ConvTranspose2d,
        ("stride", "padding", "output_padding", "groups", "dilation"),
        functional.conv_transpose2d,
        torch.conv_transpose2d,
    ),
):
    FUNCTIONS.update(dict.fromkeys(_functions, partial(convolution, _convolution, _order)))


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
    done = function(input, other)
    step = done if isinstance(done, Step) else Step((done,), tuple(arrays([input, other])))
    return replace(step, in_place=True)


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
