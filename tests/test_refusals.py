"""What cannot be is refused by both sides, by ours in a sentence; and the few things that only PyTorch takes."""

import warnings
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import ops

import numpycnn as nc
from parity import twins


def our_gradient(module, dy, *inputs):
    module(*inputs)
    return module.backward(dy)


def their_gradient(module, dy, *inputs):
    x, *others = inputs
    return module(x.requires_grad_(), *others).backward(dy)


# The calls below are Python for both sides: the same names, each side's own arrays.
OURS = {
    **{name: getattr(nc, name) for name in nc.__all__},
    **{name: getattr(nc.models, name) for name in nc.models.__all__},
    "x": lambda *shape, dtype="float32": np.ones(shape, dtype),
    "array": np.array,
    "labels": np.array([0, 1, 2, 0]),
    "gradient": our_gradient,
    "float16": np.float16,
    "int64": np.int64,
}
THEIRS = {
    **vars(nn),
    **{name: partial(twins.Called, name) for name in twins.FUNCTIONS},
    **{name: getattr(ops, name) for name in ("Permute", "StochasticDepth")},
    **{name: getattr(twins, name) for name in ("Add", "Multiply", "Concat", "Scale", "Graph", "LeNet", "LeNet5")},
    "x": lambda *shape, dtype="float32": torch.from_numpy(np.ones(shape, dtype)),
    "array": lambda *args: torch.from_numpy(np.array(*args)),
    "labels": torch.tensor([0, 1, 2, 0]),
    "gradient": their_gradient,
    "float16": torch.float16,
    "int64": torch.int64,
}
THEIR_REFUSALS = (ValueError, TypeError, RuntimeError, IndexError, AttributeError, KeyError, AssertionError)

# Each call with what our sentence says it got.
REFUSED = [
    # convolution
    ("Conv2d(-1, 4, 3)", "-1"),
    ("Conv2d(3, -1, 3)", "-1"),
    ("Conv2d(3.0, 4, 3)", "3.0"),
    ('Conv2d("3", 4, 3)', "'3'"),
    ('Conv2d(3, 4, "3")', "'3'"),
    ("Conv2d(3, 4, 2.5)", "2.5"),
    ("Conv2d(3, 4, -1)", "-1"),
    ("Conv2d(3, 4, 0)(x(1, 3, 4, 5))", "0"),
    ("Conv2d(3, 4, (3, 3, 3))(x(1, 3, 4, 5))", "(3, 3, 3)"),
    ("Conv2d(3, 4, (3,))(x(1, 3, 4, 5))", "(3,)"),
    ("Conv2d(3, 4, None)", "None"),
    ("Conv2d(3, 4, 3, stride=0)(x(1, 3, 4, 5))", "0"),
    ("Conv2d(3, 4, 3, stride=-1)(x(1, 3, 4, 5))", "-1"),
    ("Conv2d(3, 4, 3, stride=(1, 2, 1))(x(1, 3, 4, 5))", "(1, 2, 1)"),
    ("Conv2d(3, 4, 3, stride=1.5)(x(1, 3, 4, 5))", "1.5"),
    ("Conv2d(3, 4, 3, padding=-1)(x(1, 3, 4, 5))", "-1"),
    ('Conv2d(3, 4, 3, padding="full")', "'full'"),
    ("Conv2d(3, 4, 3, padding=0.5)(x(1, 3, 4, 5))", "0.5"),
    ("Conv2d(3, 4, 3, dilation=0)(x(1, 3, 4, 5))", "0"),
    ('Conv2d(3, 4, 3, padding="same", stride=2)', "(2, 2)"),
    ("Conv2d(3, 4, 3, groups=2)", "3"),
    ("Conv2d(4, 3, 3, groups=2)", "3"),
    ("Conv2d(4, 4, 3, groups=0)", "0"),
    ("Conv2d(4, 4, 3, groups=-2)", "-2"),
    ('Conv2d(4, 4, 3, padding_mode="mirror")', "'mirror'"),
    ("Conv2d(3, 4, 3)(x(2, 4, 4, 5))", "4"),
    ("Conv2d(3, 4, 3)(x(2, 1, 4, 5))", "1"),
    ("Conv2d(3, 4, 3)(x(4, 5))", "(4, 5)"),
    ("Conv2d(3, 4, 3)(x(1, 2, 3, 4, 5))", "(1, 2, 3, 4, 5)"),
    ("Conv2d(3, 4, 3)(x())", "()"),
    ("Conv2d(3, 4, 5)(x(1, 3, 4, 5))", "x of shape (1, 3, 4, 5)"),
    ("Conv2d(3, 4, 3, dilation=3)(x(1, 3, 6, 8))", "x of shape (1, 3, 6, 8)"),
    ('Conv2d(3, 4, 3, padding=4, padding_mode="reflect")(x(1, 3, 4, 5))', "x of shape (1, 3, 4, 5)"),
    ('Conv2d(3, 4, 3, padding=5, padding_mode="circular")(x(1, 3, 4, 5))', "x of shape (1, 3, 4, 5)"),
    ('Conv2d(3, 4, 3)(x(1, 3, 4, 5, dtype="float64"))', "float64"),
    ('Conv2d(3, 4, 3)(x(1, 3, 4, 5, dtype="int64"))', "int64"),
    ('Conv2d(3, 4, 3)(x(1, 3, 4, 5, dtype="float16"))', "float16"),
    ('Conv2d(3, 4, 3)(x(1, 3, 4, 5, dtype="complex64"))', "complex64"),
    ("Conv2d(3, 4, 3)([[[[1.0] * 5] * 4] * 3])", "list"),
    ("Conv2d(3, 4, 3)(None)", "NoneType"),
    ("Conv2d(3, 4, 3, padding=2)(x(1, 3, 0, 5))", "x of shape (1, 3, 0, 5)"),
    ("Conv2d(3, 4, 3)(x(0, 3, 0, 5))", "x of shape (0, 3, 0, 5)"),
    # pooling
    ("MaxPool2d(0)(x(1, 3, 4, 5))", "0"),
    ("MaxPool2d(-1)(x(1, 3, 4, 5))", "-1"),
    ('MaxPool2d("2")(x(1, 3, 4, 5))', "'2'"),
    ("MaxPool2d(2.5)(x(1, 3, 4, 5))", "2.5"),
    ("MaxPool2d((2, 2, 2))(x(1, 3, 4, 5))", "(2, 2, 2)"),
    ("MaxPool2d(2, stride=0)(x(1, 3, 4, 5))", "0"),
    ("MaxPool2d(2, stride=-2)(x(1, 3, 4, 5))", "-2"),
    ("MaxPool2d(2, padding=2)(x(1, 3, 4, 5))", "2"),
    ("MaxPool2d(3, padding=2)(x(1, 3, 4, 5))", "2"),
    ("MaxPool2d(2, padding=-1)(x(1, 3, 4, 5))", "-1"),
    ("MaxPool2d(2, dilation=0)(x(1, 3, 4, 5))", "0"),
    ("MaxPool2d(5)(x(1, 3, 4, 5))", "x of shape (1, 3, 4, 5)"),
    ("MaxPool2d(2)(x(4, 5))", "(4, 5)"),
    ("MaxPool2d(2)(x(1, 2, 3, 4, 5))", "(1, 2, 3, 4, 5)"),
    ("MaxPool2d(2)(x(1, 3, 0, 5))", "x of shape (1, 3, 0, 5)"),
    ("MaxPool2d(2)(x(1, 0, 4, 5))", "x of shape (1, 0, 4, 5)"),
    ('MaxPool2d(2)(x(1, 3, 4, 5, dtype="bool"))', "bool"),
    ("MaxPool2d(2)([[[1.0] * 5] * 4])", "list"),
    ("AvgPool2d(0)(x(1, 3, 4, 5))", "0"),
    ('AvgPool2d("2")(x(1, 3, 4, 5))', "'2'"),
    ("AvgPool2d((2, 2, 2))(x(1, 3, 4, 5))", "(2, 2, 2)"),
    ("AvgPool2d(2, stride=0)(x(1, 3, 4, 5))", "0"),
    ("AvgPool2d(2, padding=2)(x(1, 3, 4, 5))", "2"),
    ("AvgPool2d(2, padding=-1)(x(1, 3, 4, 5))", "-1"),
    ("AvgPool2d(2, divisor_override=0)(x(1, 3, 4, 5))", "0"),
    ('AvgPool2d(2, divisor_override="2")(x(1, 3, 4, 5))', "'2'"),
    ("AvgPool2d(2, divisor_override=1.5)(x(1, 3, 4, 5))", "1.5"),
    ("AvgPool2d(5)(x(1, 3, 4, 5))", "x of shape (1, 3, 4, 5)"),
    ("AvgPool2d(2)(x(4, 5))", "(4, 5)"),
    ("AvgPool2d(2)(x(1, 2, 3, 4, 5))", "(1, 2, 3, 4, 5)"),
    ("AvgPool2d(2)([[[1.0] * 5] * 4])", "list"),
    ("AvgPool2d(2)(x(1, 3, 0, 5))", "x of shape (1, 3, 0, 5)"),
    # adaptive pooling
    ("AdaptiveAvgPool2d(-1)(x(1, 3, 4, 5))", "-1"),
    ("AdaptiveAvgPool2d((1, 2, 3))(x(1, 3, 4, 5))", "(1, 2, 3)"),
    ('AdaptiveAvgPool2d("2")(x(1, 3, 4, 5))', "'2'"),
    ("AdaptiveAvgPool2d(1.5)(x(1, 3, 4, 5))", "1.5"),
    ("AdaptiveAvgPool2d(2)(x(4, 5))", "(4, 5)"),
    ("AdaptiveAvgPool2d(2)(x(1, 3, 0, 5))", "x of shape (1, 3, 0, 5)"),
    ('AdaptiveAvgPool2d(2)(x(1, 3, 4, 5, dtype="int64"))', "int64"),
    ("AdaptiveAvgPool2d(2)(x(1, 2, 3, 4, 5))", "(1, 2, 3, 4, 5)"),
    ("AdaptiveMaxPool2d(-1)(x(1, 3, 4, 5))", "-1"),
    ("AdaptiveMaxPool2d((1, 2, 3))(x(1, 3, 4, 5))", "(1, 2, 3)"),
    ('AdaptiveMaxPool2d("2")(x(1, 3, 4, 5))', "'2'"),
    ("AdaptiveMaxPool2d(2)(x(4, 5))", "(4, 5)"),
    ("AdaptiveMaxPool2d(2)(x(1, 3, 0, 5))", "x of shape (1, 3, 0, 5)"),
    ('AdaptiveMaxPool2d(2)(x(1, 3, 4, 5, dtype="int64"))', "int64"),
    ("AdaptiveMaxPool2d(2)([[[1.0] * 5] * 4])", "list"),
    # matrices
    ("Linear(-1, 2)", "-1"),
    ("Linear(2, -1)", "-1"),
    ("Linear(2.5, 3)", "2.5"),
    ('Linear("2", 3)', "'2'"),
    ("Linear(2, None)", "None"),
    ("Linear(2, 3)(x(4, 3))", "3"),
    ("Linear(2, 3)(x())", "a scalar"),
    ("Linear(1, 3)(x())", "a scalar"),
    ('Linear(2, 3)(x(4, 2, dtype="float64"))', "float64"),
    ('Linear(2, 3)(x(4, 2, dtype="int64"))', "int64"),
    ('Linear(2, 3)(x(4, 2, dtype="float16"))', "float16"),
    ("Linear(2, 3)([[1.0, 2.0]])", "list"),
    # shapes, elementwise functions, normalisation
    ("Flatten(2)(x(3, 4))", "shape (3, 4)"),
    ("Flatten(0, 2)(x(3, 4))", "shape (3, 4)"),
    ("Flatten(-3)(x(3, 4))", "shape (3, 4)"),
    ("Flatten(2, 1)(x(3, 4, 5))", "x of shape (3, 4, 5)"),
    ('Flatten("1")(x(3, 4))', "'1'"),
    ("Flatten(1.0)(x(3, 4))", "1.0"),
    ("Flatten()([[1.0]])", "list"),
    ("Flatten()(x(3))", "shape (3,)"),
    ("Unflatten(1, (2, 2))(x(2, 6))", "x of shape (2, 6)"),
    ("Unflatten(1, (-1, 4))(x(2, 6))", "x of shape (2, 6)"),
    ("Unflatten(1, (-1, 0))(x(2, 0))", "x of shape (2, 0)"),
    ("Unflatten(1, (-1, -1))(x(2, 6))", "(-1, -1)"),
    ("Unflatten(1, (-2, 3))(x(2, 6))", "-2"),
    ("Unflatten(2, (2, 3))(x(2, 6))", "shape (2, 6)"),
    ("Unflatten(1, ())(x(2, 6))", "none"),
    ("Unflatten(1, 6)(x(2, 6))", "6"),
    ('Unflatten(1, "6")(x(2, 6))', "'6'"),
    ("Unflatten(1, (2.0, 3))(x(2, 6))", "2.0"),
    ("Unflatten(1, (2, 3))([[1.0] * 6])", "list"),
    ("Reshape((4, 2))(x(2, 6))", "x of shape (2, 6)"),
    ("Reshape((-1, 5))(x(2, 6))", "x of shape (2, 6)"),
    ("Reshape((-1, 0))(x(2, 0))", "x of shape (2, 0)"),
    ("Reshape((-1, -1))(x(2, 6))", "(-1, -1)"),
    ("Reshape((-3, 4))(x(2, 6))", "-3"),
    ("Reshape(2.5)(x(2, 6))", "2.5"),
    ("Reshape((12,))([1.0] * 12)", "list"),
    ("Unsqueeze(3)(x(2, 6))", "shape (2, 6)"),
    ("Unsqueeze(-4)(x(2, 6))", "shape (2, 6)"),
    ('Unsqueeze("1")(x(2, 6))', "'1'"),
    ("Unsqueeze(1)([1.0])", "list"),
    ("Select(2, 0)(x(2, 6))", "shape (2, 6)"),
    ("Select(0, 2)(x(2, 6))", "shape (2, 6)"),
    ("Select(0, -3)(x(2, 6))", "shape (2, 6)"),
    ("Select(0, 0)(x())", "shape ()"),
    ("Select(0, 1.5)(x(2, 6))", "1.5"),
    ("Select(0, 0)([1.0])", "list"),
    ("Slice(2)(x(2, 6))", "shape (2, 6)"),
    ("Slice(0)(x())", "shape ()"),
    ("Slice(0, 0, None, 0)(x(2, 6))", "0"),
    ("Slice(0, 0, None, -1)(x(2, 6))", "-1"),
    ('Slice(0, "1")(x(2, 6))', "'1'"),
    ("Slice(0)([1.0])", "list"),
    ("Chunk(0, 0)(x(2, 6))", "0"),
    ("Chunk(2, 2)(x(2, 6))", "shape (2, 6)"),
    ("Chunk(4, 3)(x(5))", "shape (5,)"),
    ("Chunk(2, 0, 2)(x(2, 6))", "shape (2, 6)"),
    ("Chunk(2, 0)(x())", "shape ()"),
    ("Chunk(2.0, 0)(x(2, 6))", "2.0"),
    ("Chunk(2, 0)([1.0])", "list"),
    ("Mean(2)(x(2, 6))", "shape (2, 6)"),
    ("Mean((0, 0))(x(2, 6))", "(0, 0)"),
    ("Mean((1, -1))(x(2, 6))", "(1, -1)"),
    ("Mean(1.5)(x(2, 6))", "1.5"),
    ("Mean(0)([1.0])", "list"),
    ('Mean(0)(x(2, 6, dtype="int64"))', "int64"),
    ('Affine("2")(x(3))', "'2'"),
    ("Affine(None)(x(3))", "None"),
    ("Affine(1.0, [1.0, 2.0])(x(3))", "[1.0, 2.0]"),
    ("ReLU()([1.0])", "list"),
    ("ReLU()(1.0)", "float"),
    ('ReLU()(x(3, dtype="bool"))', "bool"),
    ('ReLU()(x(3, dtype="complex64"))', "complex64"),
    ('LeakyReLU("steep")(x(3))', "'steep'"),
    ("LeakyReLU(None)(x(3))", "None"),
    ("LeakyReLU()([1.0])", "list"),
    ('LeakyReLU()(x(3, dtype="int64"))', "int64"),
    ('LeakyReLU()(x(3, dtype="bool"))', "bool"),
    ("PReLU(-1)", "-1"),
    ("PReLU(2.5)", "2.5"),
    ('PReLU(1, "steep")', "'steep'"),
    ("PReLU(2)(x(3, 4))", "x of shape (3, 4)"),
    ("PReLU(2)(x(3, 1))", "x of shape (3, 1)"),
    ("PReLU(2)(x(2))", "x of shape (2,)"),
    ("PReLU(2)(x())", "x of shape ()"),
    ('PReLU()(x(3, dtype="float64"))', "float64"),
    ('PReLU()(x(3, dtype="int64"))', "int64"),
    ("PReLU()([1.0])", "list"),
    ("Hardtanh(1, 1)", "1"),
    ("Hardtanh(max_val=-2)", "-2"),
    ('Hardtanh("low")(x(3))', "'low'"),
    ("Hardtanh(0, None)(x(3))", "None"),
    ("Hardtanh()([1.0])", "list"),
    ("ReLU6()([1.0])", "list"),
    ("Hardsigmoid()([1.0])", "list"),
    ('Hardsigmoid()(x(3, dtype="int64"))', "int64"),
    ("Hardswish()([1.0])", "list"),
    ('Hardswish()(x(3, dtype="int64"))', "int64"),
    ('ELU("much")(x(3))', "'much'"),
    ("ELU(None)(x(3))", "None"),
    ('ELU()(x(3, dtype="int64"))', "int64"),
    ("ELU()([1.0])", "list"),
    ('Softplus("much")(x(3))', "'much'"),
    ("Softplus(1, None)(x(3))", "None"),
    ('Softplus()(x(3, dtype="int64"))', "int64"),
    ("Softplus()([1.0])", "list"),
    ('SiLU()(x(3, dtype="int64"))', "int64"),
    ("SiLU()([1.0])", "list"),
    ('GELU("erf")(x(3))', "'erf'"),
    ("GELU(None)(x(3))", "None"),
    ('GELU()(x(3, dtype="int64"))', "int64"),
    ("GELU()([1.0])", "list"),
    ("Sigmoid()([1.0])", "list"),
    ("Tanh()([1.0])", "list"),
    ("Softmax(2)(x(3, 4))", "shape (3, 4)"),
    ("Softmax(-3)(x(3, 4))", "shape (3, 4)"),
    ('Softmax("1")(x(3, 4))', "'1'"),
    ("Softmax(1.0)(x(3, 4))", "1.0"),
    ("Softmax(1)([[1.0]])", "list"),
    ('Softmax(1)(x(3, 4, dtype="int64"))', "int64"),
    ("LogSoftmax(2)(x(3, 4))", "shape (3, 4)"),
    ('LogSoftmax("1")(x(3, 4))', "'1'"),
    ("LogSoftmax(1)([[1.0]])", "list"),
    ('LogSoftmax(1)(x(3, 4, dtype="int64"))', "int64"),
    ("Dropout(1.5)", "1.5"),
    ("Dropout(-0.1)", "-0.1"),
    ('Dropout("half")', "'half'"),
    ("Dropout(None)", "None"),
    ("Dropout(0.5)([1.0])", "list"),
    ('Dropout(0.5)(x(3, dtype="int64"))', "int64"),
    ("Dropout2d(1.5)", "1.5"),
    ('Dropout2d("half")', "'half'"),
    ("Dropout2d(0.5)([1.0])", "list"),
    ('StochasticDepth(1.5, "row")(x(3))', "1.5"),
    ('StochasticDepth(0.5, "rows")(x(3))', "'rows'"),
    ("StochasticDepth(0.5, None)(x(3))", "None"),
    ('StochasticDepth(0.5, "row")(x())', "a scalar"),
    ('StochasticDepth(0.5, "row")([1.0])', "list"),
    ("Permute((0, 2, 1))(x(3, 4))", "shape (3, 4)"),
    ("Permute((0,))(x(3, 4))", "shape (3, 4)"),
    ("Permute((0, 0))(x(3, 4))", "shape (3, 4)"),
    ("Permute((0, -2))(x(3, 4))", "shape (3, 4)"),
    ("Permute((1, 0.5))(x(3, 4))", "0.5"),
    ("Permute(1)(x(3, 4))", "1"),
    ("Permute((1, 0))([[1.0]])", "list"),
    ("ChannelShuffle(0)(x(1, 4, 2))", "0"),
    ("ChannelShuffle(-1)(x(1, 4, 2))", "-1"),
    ('ChannelShuffle("2")(x(1, 4, 2))', "'2'"),
    ("ChannelShuffle(3)(x(1, 4, 2))", "shape (1, 4, 2)"),
    ("ChannelShuffle(2)(x(1, 4))", "shape (1, 4)"),
    ("ChannelShuffle(2)([[[1.0], [2.0]]])", "list"),
    ("Scale(3)", "3"),
    ("Scale((-1,))", "-1"),
    ("Scale((2.5,))", "2.5"),
    ('Scale((2,), "much")', "'much'"),
    ("Scale((2,))(x(3))", "shape (3,)"),
    ("Scale((2, 1, 1))(x(4, 3, 5, 5))", "shape (4, 3, 5, 5)"),
    ("Scale((2,))([1.0, 1.0])", "list"),
    ("BatchNorm2d(-1)", "-1"),
    ("BatchNorm2d(2.5)", "2.5"),
    ('BatchNorm2d("3")', "'3'"),
    ("BatchNorm2d(3, eps=-1e-5)(x(2, 3, 4, 5))", "-1e-05"),
    ("BatchNorm2d(3, eps=0)(x(2, 3, 4, 5))", "eps=0"),
    ('BatchNorm2d(3, eps="small")(x(2, 3, 4, 5))', "'small'"),
    ('BatchNorm2d(3, momentum="slow")(x(2, 3, 4, 5))', "'slow'"),
    ("BatchNorm2d(3)(x(3, 4, 5))", "(3, 4, 5)"),
    ("BatchNorm2d(3)(x(2, 3))", "(2, 3)"),
    ("BatchNorm2d(3)(x(2, 4, 4, 5))", "4"),
    ("BatchNorm2d(3)(x(1, 3, 1, 1))", "x of shape (1, 3, 1, 1)"),
    ('BatchNorm2d(3)(x(2, 3, 4, 5, dtype="float64"))', "float64"),
    ('BatchNorm2d(3)(x(2, 3, 4, 5, dtype="int64"))', "int64"),
    ("BatchNorm2d(3)([[[[1.0]]]])", "list"),
    ("LocalResponseNorm(0)(x(2, 3, 4))", "0"),
    ("LocalResponseNorm(-1)(x(2, 3, 4))", "-1"),
    ('LocalResponseNorm("3")(x(2, 3, 4))', "'3'"),
    ("LocalResponseNorm(2.5)(x(2, 3, 4))", "2.5"),
    ('LocalResponseNorm(2, alpha="1")(x(2, 3, 4))', "'1'"),
    ("LocalResponseNorm(2, beta=None)(x(2, 3, 4))", "None"),
    ("LocalResponseNorm(2)(x(2, 3))", "shape (2, 3)"),
    ("LocalResponseNorm(2)([[[1.0]]])", "list"),
    # losses
    ('CrossEntropyLoss(reduction="average")(x(4, 3), labels)', "'average'"),
    ("CrossEntropyLoss(reduction=None)(x(4, 3), labels)", "None"),
    ("CrossEntropyLoss(label_smoothing=1.5)(x(4, 3), labels)", "1.5"),
    ('CrossEntropyLoss(label_smoothing="much")(x(4, 3), labels)', "'much'"),
    ("CrossEntropyLoss(ignore_index=1.5)(x(4, 3), labels)", "1.5"),
    ("CrossEntropyLoss(weight=[1.0, 2.0, 3.0])(x(4, 3), labels)", "[1.0, 2.0, 3.0]"),
    ('CrossEntropyLoss(weight=array([1.0, 2.0], "float32"))(x(4, 3), labels)', "3"),
    ("CrossEntropyLoss(weight=x(3, 1))(x(4, 3), labels)", "(3, 1)"),
    ('CrossEntropyLoss(weight=x(3, dtype="float64"))(x(4, 3), labels)', "float32"),
    ('CrossEntropyLoss(weight=x(3, dtype="int64"))(x(4, 3), labels)', "array([1, 1, 1])"),
    ("CrossEntropyLoss()(x(4, 3), array([0, 1, 2]))", "int64 of shape (3,)"),
    ("CrossEntropyLoss()(x(4, 3), array([[0], [1], [2], [0]]))", "int64 of shape (4, 1)"),
    ("CrossEntropyLoss()(x(4, 3), array([0, 1, 2, 3]))", "3 at target[3]"),
    ("CrossEntropyLoss()(x(4, 3), array([0, -1, 2, 0]))", "-1 at target[1]"),
    ('CrossEntropyLoss()(x(4, 3), array([0, 1, 2, 0], "float32"))', "float32 of shape (4,)"),
    ('CrossEntropyLoss()(x(4, 3), array([0, 1, 2, 0], "float64"))', "float64 of shape (4,)"),
    ('CrossEntropyLoss()(x(4, 3), array([0, 1, 1, 0], "bool"))', "bool of shape (4,)"),
    ("CrossEntropyLoss()(x(4, 3), [0, 1, 2, 0])", "list"),
    ("CrossEntropyLoss()([[1.0, 2.0]], array([0]))", "list"),
    ('CrossEntropyLoss()(x(4, 3), x(4, 3, dtype="int64"))', "int64"),
    ("CrossEntropyLoss()(x(4, 3), x(4, 2))", "float32 of shape (4, 2)"),
    ("CrossEntropyLoss()(x(4, 3), x(3))", "float32 of shape (3,)"),
    ("CrossEntropyLoss(ignore_index=1)(x(4, 3), x(4, 3))", "probabilities"),
    ("CrossEntropyLoss()(x(), array(0))", "a scalar"),
    ("CrossEntropyLoss()(x(4, 0), array([0, 0, 0, 0]))", "shape (4, 0)"),
    ('CrossEntropyLoss()(x(4, 3, dtype="int64"), labels)', "int64"),
    ("CrossEntropyLoss()(x(2, 3, 4), array([[0, 1, 2]] * 2))", "int64 of shape (2, 3)"),
    ("CrossEntropyLoss()(x(3), array(3))", "3 at target[()]"),
    ('NLLLoss(reduction="average")(x(4, 3), labels)', "'average'"),
    ("NLLLoss(weight=x(2))(x(4, 3), labels)", "3"),
    ("NLLLoss()(x(4, 3), array([0, 1, 2]))", "int64 of shape (3,)"),
    ("NLLLoss()(x(4, 3), array([0, 1, 2, 3]))", "3 at target[3]"),
    ('NLLLoss()(x(4, 3), array([0, 1, 2, 0], "float32"))', "float32 of shape (4,)"),
    ("NLLLoss()(x(4, 3), x(4, 3))", "float32 of shape (4, 3)"),
    ("NLLLoss()(x(4, 3), [0, 1, 2, 0])", "list"),
    ('MSELoss(reduction="average")(x(2, 3), x(2, 3))', "'average'"),
    ("MSELoss()(x(2, 3), x(2, 4))", "(2, 4)"),
    ('MSELoss()(x(2, 3, dtype="int64"), x(2, 3, dtype="int64"))', "int64"),
    ("MSELoss()(x(2, 3), [[1.0] * 3] * 2)", "list"),
    ("MSELoss()([[1.0] * 3] * 2, x(2, 3))", "list"),
    # containers
    ("Sequential([ReLU()])", "list"),
    ("Sequential(ReLU)", "type"),
    ("Sequential(3)", "int"),
    ("Add(3)", "int"),
    ("Concat()(x(2))", "none"),
    ("Add(Conv2d(1, 2, 3), Identity())(x(1, 1, 4, 4))", "[(1, 2, 2, 2), (1, 1, 4, 4)]"),
    ("Multiply(3)", "int"),
    ("Multiply()(x(2))", "none"),
    ("Multiply(Conv2d(1, 2, 3), Identity())(x(1, 1, 4, 4))", "[(1, 2, 2, 2), (1, 1, 4, 4)]"),
    ("Concat(Conv2d(1, 2, 3), Identity())(x(1, 1, 4, 4))", "[(1, 2, 2, 2), (1, 1, 4, 4)]"),
    ("Concat(Identity(), Identity(), dim=2)(x(2, 3))", "one of shape (2, 3)"),
    ('Concat(Identity(), Identity(), dim="1")(x(2, 3))', "'1'"),
    ("Concat(Identity(), Flatten(0))(x(2, 3))", "one of shape (6,)"),
    ("Graph(y=ReLU())(x(2))", "ReLU()"),
    ("Graph(y=(ReLU(),))(x(2))", "(ReLU(),)"),
    ("Graph(y=(ReLU(), 1))(x(2))", "(ReLU(), 1)"),
    ("Graph(y=('ReLU', 'x'))(x(2))", "str"),
    ("Graph(y=(ReLU(), 'a'))(x(2))", "'a'"),
    ("Graph(y=(ReLU(), 'z'), z=(ReLU(), 'y'))(x(2))", "'z'"),
    ("Graph(y=(ReLU(), 'x', 'x'))(x(2))", "ReLU()"),
    ("Graph(y=(Add(ReLU(), ReLU(), ReLU()), 'x', 'x'))(x(2))", "Add("),
    ("Graph(a=(Flatten(0), 'x'), y=(Add(ReLU(), ReLU()), 'x', 'a'))(x(2, 3))", "[(2, 3), (6,)]"),
    # models
    ("LeNet(-1)", "-1"),
    ('LeNet("10")', "'10'"),
    ("LeNet(num_classes=2.5)", "2.5"),
    ("LeNet()(x(2, 3, 28, 28))", "3"),
    ("LeNet()(x(2, 1, 32, 32))", "400"),
    ("LeNet()(x(2, 28, 28))", "2"),
    ("LeNet()(x(1, 28, 28))", "16"),
    ('LeNet()(x(2, 1, 28, 28, dtype="float64"))', "float64"),
    ("LeNet5()(x(2, 1, 28, 28))", "256"),
    ("LeNet5()(x(2, 3, 32, 32))", "3"),
    ('LeNet5(activation="tanh")', "'tanh'"),
    # gradients
    ("gradient(ReLU(), x(4), x(3))", "(4,)"),
    ("gradient(ReLU(), x(), x(3))", "()"),
    ("gradient(ReLU(), x(1, 3), x(3))", "(1, 3)"),
    ("gradient(ReLU(), [1.0, 1.0, 1.0], x(3))", "list"),
    ("gradient(Linear(2, 3), x(4, 2), x(4, 2))", "(4, 2)"),
    ("gradient(Sequential(Linear(2, 3), ReLU()), x(4, 1), x(4, 2))", "(4, 1)"),
    ("gradient(CrossEntropyLoss(), x(4), x(4, 3), labels)", "(4,)"),
    ('gradient(CrossEntropyLoss(reduction="none"), x(), x(4, 3), labels)', "()"),
    ('gradient(MSELoss(reduction="none"), x(3), x(4, 3), x(4, 3))', "(3,)"),
    ('gradient(MSELoss(reduction="none"), [1.0, 1.0], x(2), x(2))', "list"),
    ('gradient(MSELoss(), "much", x(2), x(2))', "str"),
    # dtypes to be built in
    ("Linear(2, 3, dtype=int64)", "int64"),
    ("Conv2d(1, 2, 3, dtype=int64)", "int64"),
    ("BatchNorm2d(3, dtype=int64)", "int64"),
]

FLOATS = "numbers are float32 or float64: integers have no gradient, and half precision no arithmetic of its own here"
CHANNELS = "a layer of no channels is a mistake in the arithmetic of someone's model"
MIXING = "a float64 target comes by NumPy's default more often than by intent"
SHAPES = "what is broadcast is a mistake more often than not; PyTorch warns of it"
AXIS = "the axis that is guessed from the number of axes is wrong for someone; PyTorch warns of it"
PADDING = "a window that sees nothing but padding has no maximum; PyTorch returns indices out of range"

# Each call that PyTorch takes, with what our sentence says it got, and why ours refuses it.
ONLY_THEIRS = [
    ("Conv2d(0, 4, 3)", "0", CHANNELS),
    ("Conv2d(3, 0, 3)", "0", CHANNELS),
    ("Conv2d(3, 4, 0)", "0", "PyTorch refuses it too, but only once it is called"),
    ('GELU("erf")', "'erf'", "PyTorch refuses it too, but only once it is called"),
    ("BatchNorm2d(0)", "0", CHANNELS),
    ("PReLU(0)", "0", CHANNELS),
    ("Conv2d(1, 2, 3, dtype=float16)", "float16", FLOATS),
    ("Linear(1, 2, dtype=float16)", "float16", FLOATS),
    ('ReLU()(x(3, dtype="int64"))', "int64", FLOATS),
    ('ReLU()(x(3, dtype="float16"))', "float16", FLOATS),
    ('Hardtanh()(x(3, dtype="int64"))', "int64", FLOATS),
    ('ReLU6()(x(3, dtype="int64"))', "int64", FLOATS),
    ('Sigmoid()(x(3, dtype="int64"))', "int64", FLOATS),
    ('Tanh()(x(3, dtype="complex64"))', "complex64", FLOATS),
    ('Flatten()(x(3, 4, dtype="int64"))', "int64", FLOATS),
    ('Unsqueeze(0)(x(3, dtype="int64"))', "int64", FLOATS),
    ('Select(0, 0)(x(3, dtype="int64"))', "int64", FLOATS),
    ('Affine(2.0)(x(3, dtype="int64"))', "int64", FLOATS),
    ("Affine(float('nan'))(x(3))", "nan", "a constant that spoils everything is a mistake"),
    ("Mean(())(x(3))", "none", "PyTorch takes the mean of everything, which can hardly be meant"),
    ("Chunk(2, -1)(x(4))", "-1", "from the end, it depends on x which part that is"),
    ('Identity()(x(3, dtype="int64"))', "int64", FLOATS),
    ("Identity()([[1.0]])", "list", "it would fail in the next layer, with less to say"),
    ('MaxPool2d(2)(x(1, 3, 4, 5, dtype="int64"))', "int64", FLOATS),
    ('AvgPool2d(2)(x(1, 3, 4, 5, dtype="int64"))', "int64", "PyTorch's average of integers is rounded down"),
    ('LocalResponseNorm(2)(x(2, 3, 4, dtype="int64"))', "int64", FLOATS),
    ('CrossEntropyLoss()(x(4, 3, dtype="float16"), labels)', "float16", FLOATS),
    ('CrossEntropyLoss()(x(4, 3), x(4, 3, dtype="float64"))', "float64", MIXING),
    ('MSELoss()(x(2, 3), x(2, 3, dtype="float64"))', "float64", MIXING),
    ('MSELoss()(x(2, 3), x(2, 3, dtype="int64"))', "int64", FLOATS),
    ('gradient(ReLU(), x(3, dtype="float64"), x(3))', "float64", MIXING),
    ("MSELoss()(x(2, 3), x(3))", "(3,)", SHAPES),
    ("MSELoss()(x(2, 3), x())", "()", SHAPES),
    ("Add(Linear(3, 1), Identity())(x(2, 3))", "[(2, 1), (2, 3)]", SHAPES),
    ("CrossEntropyLoss()(x(3), array([0]))", "int64 of shape (1,)", "scores of one sample have one class, a scalar"),
    ("CrossEntropyLoss(label_smoothing=-0.1)(x(4, 3), labels)", "-0.1", "PyTorch ignores it in silence"),
    ("Multiply(Flatten(0), Identity())(x(1, 3))", "[(3,), (1, 3)]", SHAPES),
    ("Scale((2, 3))(x(3))", "shape (3,)", SHAPES),
    ("Scale((2, 3))(x(1, 3))", "shape (1, 3)", SHAPES),
    ('Scale((3,))(x(3, dtype="float64"))', "float64", MIXING),
    ("Dropout2d()(x(2, 3, 4))", "(2, 3, 4)", "PyTorch warns that it will see one image instead of a batch one day"),
    ("Dropout2d()(x(2, 3))", "(2, 3)", "PyTorch warns that it will be an error one day"),
    ("Softmax(None)(x(3, 4))", "None", AXIS),
    ("LogSoftmax(None)(x(3, 4))", "None", AXIS),
    ("Dropout(float('nan'))", "nan", "PyTorch refuses it too, but only once it is called"),
    ("MaxPool2d((2,))(x(1, 3, 4, 5))", "(2,)", "one number for both axes is written without a tuple"),
    ("AdaptiveAvgPool2d(1)(x(1, 2, 3, 4, 5))", "(1, 2, 3, 4, 5)", "PyTorch takes the mean of whatever it gets"),
    # Forward alone: PyTorch's backward writes to where these indices point, and may take the process with it.
    ("MaxPool2d((1, 2), padding=(0, 1), dilation=(1, 4))(x(1, 1, 1, 3))", "x of shape (1, 1, 1, 3)", PADDING),
    ("MaxPool2d(2, 5, 1, 3, ceil_mode=True)(x(1, 1, 3, 2))", "x of shape (1, 1, 3, 2)", PADDING),
    ("Add()", "none", "a sum of nothing has no shape"),
    ("Graph()", "none", "a network of nothing has no output"),
    ("Graph(a=(ReLU(), 'x'), y=(Tanh(), 'x'))(x(2))", "'a'", "what nobody reads is a mistake in the wiring"),
    ("Graph(x=(ReLU(), 'x'))(x(2))", "'x'", "a reader of x could mean either"),
    ("Sequential(ReLU(), None)", "NoneType", "PyTorch registers a hole, and fails once it is called"),
]

# Each call that ours takes and PyTorch refuses, and why.
ONLY_OURS = [
    (
        'CrossEntropyLoss()(x(4, 3), array([0, 1, 1, 0], "int32"))',
        "labels are integers, of whatever size they were read in",
    ),
    ('NLLLoss()(x(4, 3), array([0, 1, 1, 0], "int8"))', "labels are integers, of whatever size they were read in"),
]


def take(call, side):
    """Run a call on one side; what torch warns of meanwhile is not the question."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        eval(call, dict(side))


@pytest.mark.parametrize(("call", "value"), REFUSED, ids=[call for call, _ in REFUSED])
def test_both_sides_refuse(call, value):
    with pytest.raises(THEIR_REFUSALS):
        take(call, THEIRS)
    assert_refused(call, value)


@pytest.mark.parametrize(("call", "value", "reason"), ONLY_THEIRS, ids=[call for call, *_ in ONLY_THEIRS])
def test_only_pytorch_takes(call, value, reason):
    take(call, THEIRS)
    assert_refused(call, value)


@pytest.mark.parametrize(("call", "reason"), ONLY_OURS, ids=[call for call, _ in ONLY_OURS])
def test_only_ours_takes(call, reason):
    take(call, OURS)
    with pytest.raises(THEIR_REFUSALS):
        take(call, THEIRS)


def assert_refused(call, value):
    """Hold ours to a sentence of what was expected and what came."""
    with pytest.raises((ValueError, TypeError)) as caught:
        eval(call, dict(OURS))
    message = str(caught.value)
    assert "expected" in message, message
    assert f"got {value}" in message, message


@pytest.mark.parametrize(
    "call", ["Softmax()", "LogSoftmax()", "Conv2d(3, 4)", "Linear(3)", "MaxPool2d()", "BatchNorm2d()"]
)
def test_what_has_no_default_must_be_given(call):
    with pytest.raises(TypeError, match=r"missing \d required positional argument"):
        eval(call, dict(OURS))


def test_every_layer_and_every_loss_is_refused_something():
    kinds = {name for name in nc.__all__ if isinstance(OURS[name], type) and issubclass(OURS[name], nc.Module)}
    asked = {call.partition("(")[0] for call, *_ in REFUSED + ONLY_THEIRS}
    assert kinds - asked == {"Module", "Layer", "Loss", "Block"}
