"""Conversions of networks that give more outputs in training than otherwise."""

from collections import namedtuple

import numpy as np
import pytest
import torch
from conversions import Conv, check, drawn, forward
from torch import nn
from torch.nn import functional

from parity import bridge
from parity.bridge import ConversionError, convert
from parity.compare import agree

Outputs = namedtuple("Outputs", ["logits", "second", "first"])


def auxiliary(self, x):
    a = functional.relu(self.conv1(x))
    b = self.conv2(a)
    y = self.head(b * b.mean((2, 3), keepdim=True)).flatten(1)
    return Outputs(y, self.aux2(b).flatten(1), a) if self.training else y


def in_the_other_order(self, x):
    a = self.conv1(x)
    b = self.conv2(a)
    return (self.head(b), self.aux1(a), self.aux2(b)) if self.training else self.head(b)


def crossed(self, x):
    a, b = self.conv1(x), self.conv2(x)
    return (a * 2 + b, a + b) if self.training else a * 2 + b


def simple(self, x):
    a = self.conv1(x)
    return (self.conv2(a), a.mean(1)) if self.training else self.conv2(a)


def answered(self, x):
    y = self.net(x)
    return y[0] if self.training else y


PARTS = ("conv1", "conv2", "head", "aux1", "aux2")


def parted(function):
    return drawn(forward(function, **{name: Conv() for name in PARTS}))


@pytest.mark.parametrize("function", [auxiliary, simple])
@pytest.mark.parametrize("evaluated", [False, True], ids=["train", "train and eval"])
def test_outputs_for_training_alone(function, evaluated):
    theirs = parted(function).train()
    ours = convert(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert theirs.training
    x = np.random.default_rng(0).standard_normal((3, 4, 4, 4))
    their_x = torch.from_numpy(x).requires_grad_()
    ys, their_ys = ours(x), theirs(their_x)
    assert len(ys) == len(their_ys)
    dys = [np.random.default_rng(index).standard_normal(y.shape) for index, y in enumerate(ys)]
    torch.autograd.backward(their_ys, [torch.from_numpy(dy) for dy in dys])
    for index, (y, their_y) in enumerate(zip(ys, their_ys, strict=True)):
        agree(f"y {index}", y, bridge.array(their_y), "float64", 1e4)
    agree("dx", ours.backward(tuple(dys)), bridge.array(their_x.grad), "float64", 1e4)
    for (name, parameter), theirs_too in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert (parameter.grad is None) == (theirs_too.grad is None), name
        if parameter.grad is not None:
            agree(name, parameter.grad, bridge.array(theirs_too.grad), "float64", 1e4)
    if evaluated:
        agree("y", ours.eval()(x), bridge.array(theirs.eval()(their_x)), "float64", 1e4)
        agree("y", convert(theirs).train()(x), bridge.array(theirs(their_x)), "float64", 1e4)  # has seen no other


@pytest.mark.parametrize("function", [in_the_other_order, crossed])
def test_outputs_that_do_not_part_one_after_another_are_refused(function):
    with pytest.raises(ConversionError, match="expected outputs that part one after another, the last one first"):
        convert(parted(function))


def test_several_outputs_are_the_whole_models_alone():
    with pytest.raises(ConversionError, match=r"cannot convert 0: .*expected forward to give one array, got tuple"):
        convert(nn.Sequential(parted(simple)))
    check(forward(answered, net=parted(simple)), training=True)
