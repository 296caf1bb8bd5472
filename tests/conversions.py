"""Torch modules to convert, and what holds a conversion against its original."""

import copy

import numpy as np
import torch
from torch import nn

from parity import bridge
from parity.bridge import convert
from parity.compare import agree

IMAGES = (3, 4, 6, 5)


def drawn(module, seed=0):
    """Fill a module with numbers that all matter, in float64."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double()
    for name, value in module.state_dict().items():
        if value.dtype.is_floating_point:
            value.copy_(
                torch.randn(value.shape, generator=generator, dtype=torch.float64) / max(1, value[0:1].numel()) ** 0.5
            )
            if name.endswith("running_var"):
                value.abs_().add_(0.5)
    return module


def check(theirs, shape=IMAGES, training=False):
    """Hold a conversion against its original: keys, outputs, gradients, and the buffers afterwards."""
    theirs = drawn(theirs).train(training)
    before = copy.deepcopy(theirs.state_dict())
    ours = convert(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(torch.equal(before[name], value) for name, value in theirs.state_dict().items())
    bridge.replay_dropout(ours, theirs)
    for seed in range(2):  # the second time in the other mode, which the model has learned to follow
        x = np.random.default_rng(seed).standard_normal(shape)
        their_x = torch.from_numpy(x.copy()).requires_grad_()
        their_y = theirs(their_x * 1)  # times 1: some write into what they read
        y = ours(x)
        dy = np.random.default_rng(seed + 2).standard_normal(y.shape)
        their_y.backward(torch.from_numpy(dy))
        agree("y", y, bridge.array(their_y), "float64", 1e4)
        agree("dx", ours.backward(dy), bridge.array(their_x.grad), "float64", 1e4)
        for name, parameter in theirs.named_parameters():
            ours_too = dict(ours.named_parameters())[name]
            assert (parameter.grad is None) == (ours_too.grad is None), name
            if parameter.grad is not None:
                agree(name, ours_too.grad, bridge.array(parameter.grad), "float64", 1e4)
        for name, value in ours.state_dict().items():
            agree(name, value.astype(float), bridge.array(theirs.state_dict()[name].double()), "float64", 1e4)
        theirs.zero_grad()
        ours.zero_grad()
        theirs.train(not theirs.training)
        ours.train(not ours.training)
    return ours


class Conv(nn.Conv2d):
    """A convolution that keeps height and width."""

    def __init__(self, inputs=4, outputs=4):
        super().__init__(inputs, outputs, 3, padding=1)


def forward(function, **modules):
    """Make a module of a forward function, which gets the module and x."""

    class Case(nn.Module):
        def __init__(self):
            super().__init__()
            for name, module in modules.items():
                setattr(self, name, module)

    Case.forward = function
    return Case()
