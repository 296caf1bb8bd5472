"""Optimizers with their options, parameters and gradients to try them on, and ways to spoil a state dict."""

import copy

import numpy as np
import pytest
import torch

import numpycnn as nc
from numpycnn.optim import SGD, Adam, AdamW

OPTIMIZERS = [
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    (SGD, {"lr": 0.1, "momentum": 0.5, "dampening": 0.3}),
    (Adam, {"lr": 0.1, "weight_decay": 0.01}),
    (Adam, {"lr": 0.1, "betas": (0.5, 0.7), "amsgrad": True}),
    (AdamW, {"lr": 0.1}),
    (AdamW, {"lr": 0.1, "amsgrad": True}),
]
every_optimizer = pytest.mark.parametrize(
    ("kind", "options"), OPTIMIZERS, ids=[f"{k.__name__}-{'-'.join(o)}" for k, o in OPTIMIZERS]
)


def parameters(dtype=np.float64, shapes=((3, 2), (4,), ())):
    rng = np.random.default_rng(0)
    return [nc.Parameter(np.array(rng.normal(size=shape), dtype)) for shape in shapes]


def set_grads(params, seed):
    rng = np.random.default_rng(seed)
    for parameter in params:
        parameter.grad = np.array(rng.normal(size=parameter.data.shape), parameter.data.dtype)


def train(optimizer, params, seeds):
    for seed in seeds:
        set_grads(params, seed)
        optimizer.step()


def tensors(params):
    return [torch.tensor(parameter.data.copy(), requires_grad=True) for parameter in params]


def train_torch(optimizer, leaves, seeds):
    twins = [nc.Parameter(leaf.detach().numpy()) for leaf in leaves]
    for seed in seeds:
        set_grads(twins, seed)
        for leaf, twin in zip(leaves, twins, strict=True):
            leaf.grad = torch.tensor(twin.grad)
        optimizer.step()


def assert_same(ours, theirs, rtol=1e-12):
    for parameter, leaf in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(parameter.data, leaf.detach().numpy(), rtol)


def snapshot(optimizer, params):
    return copy.deepcopy((optimizer.state_dict(), [parameter.data for parameter in params]))


def assert_unchanged(optimizer, params, before):
    np.testing.assert_equal((optimizer.state_dict(), [parameter.data for parameter in params]), before)


def put(*path, value):
    """Return what sets an entry deep in a state dict."""

    def spoil(state):
        for key in path[:-1]:
            state = state[key]
        state[path[-1]] = value

    return spoil


def drop(*path):
    """Return what takes an entry deep in a state dict away."""

    def spoil(state):
        for key in path[:-1]:
            state = state[key]
        del state[path[-1]]

    return spoil
