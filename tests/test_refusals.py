"""What cannot be is refused by both sides, by ours in a sentence; and the few things that only PyTorch takes."""

import inspect
import re
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from refusals_table import REFUSED
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
    **{
        name: getattr(twins, name)
        for name in ("Add", "Multiply", "Concat", "Auxiliary", "Scale", "Graph", "LeNet", "LeNet5")
    },
    "x": lambda *shape, dtype="float32": torch.from_numpy(np.ones(shape, dtype)),
    "array": lambda *args: torch.from_numpy(np.array(*args)),
    "labels": torch.tensor([0, 1, 2, 0]),
    "gradient": their_gradient,
    "float16": torch.float16,
    "int64": torch.int64,
}
THEIR_REFUSALS = (
    ValueError,
    TypeError,
    RuntimeError,
    IndexError,
    AttributeError,
    KeyError,
    AssertionError,
    ZeroDivisionError,
)


FLOATS = "numbers are float32 or float64: integers have no gradient, and half precision no arithmetic of its own here"
CHANNELS = "a layer of no channels is a mistake in the arithmetic of someone's model"
MIXING = "a float64 target comes by NumPy's default more often than by intent"
SHAPES = "what is broadcast is a mistake more often than not; PyTorch warns of it"
AXIS = "the axis that is guessed from the number of axes is wrong for someone; PyTorch warns of it"
PADDING = "a window that sees nothing but padding has no maximum; PyTorch returns indices out of range"

EPS = "what is subtracted from a variance may leave no root"

# Each call that PyTorch takes, with what our sentence says it got, and why ours refuses it.
ONLY_THEIRS = [
    ("Conv2d(0, 4, 3)", "0", CHANNELS),
    ("Conv2d(3, 0, 3)", "0", CHANNELS),
    ("Conv2d(3, 4, 0)", "0", "PyTorch refuses it too, but only once it is called"),
    ('GELU("erf")', "'erf'", "PyTorch refuses it too, but only once it is called"),
    ("BatchNorm2d(0)", "0", CHANNELS),
    ("ConvTranspose2d(0, 4, 3)", "0", CHANNELS),
    ('Upsample(2, mode="bicubic")(x(1, 2, 3, 4))', "'bicubic'", "no classifier asks for it"),
    ('Upsample(2, mode="nearest-exact")(x(1, 2, 3, 4))', "'nearest-exact'", "no classifier asks for it"),
    ("Upsample(2)(x(2, 3, 4))", "(2, 3, 4)", "PyTorch takes it for a batch of signals"),
    ("Upsample()", "size=None", "PyTorch refuses it too, but only once it is called"),
    ("PReLU(0)", "0", CHANNELS),
    ("InstanceNorm2d(0)", "0", CHANNELS),
    ("GroupNorm(2, 0)", "0", CHANNELS),
    ("GroupNorm(-2, 4)", "-2", "there are no fewer groups than one"),
    ("LayerNorm(0)", "0", "there is nothing to normalise"),
    ("InstanceNorm2d(3)(x(2, 4, 4, 5))", "4", "the number of channels was said; PyTorch warns that it differs"),
    ("GroupNorm(2, 4, affine=False)(x(2, 6, 3))", "6", "the number of channels was said"),
    ("InstanceNorm2d(3, eps=-1e-5)(x(2, 3, 4, 5))", "-1e-05", EPS),
    ("GroupNorm(2, 4, eps=-1e-5)(x(2, 4, 4))", "-1e-05", EPS),
    ("LayerNorm(3, eps=-1e-5)(x(2, 3))", "-1e-05", EPS),
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
    ('Pad((1, 1))(x(3, dtype="int64"))', "int64", FLOATS),
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
    """Hold ours to a sentence of what was expected and what came, and which of the call's layers says so."""
    with pytest.raises((ValueError, TypeError)) as caught:
        eval(call, dict(OURS))
    message = str(caught.value)
    assert "expected" in message, message
    assert f"got {value}" in message, message
    who = re.match(r"(in \S+: )?(\w+)", message).group(2)
    assert who in call or (call.startswith("LeNet") and who in OURS) or "dtype=" in call, message
    argument = re.search(r"expected (\w+) (?:>=|in \[|to be )", message)
    known = {"x", "dy", "target", *inspect.signature(OURS[who]).parameters} if argument else {}
    assert argument is None or argument.group(1) in known, message


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
