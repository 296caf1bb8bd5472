"""State dicts of optimizers: a training goes on from them, PyTorch's among them; what does not fit is refused whole."""

import copy

import numpy as np
import pytest
import torch
from optimizing import (
    assert_same,
    assert_unchanged,
    drop,
    every_optimizer,
    parameters,
    put,
    snapshot,
    tensors,
    train,
    train_torch,
)

import numpycnn as nc
from numpycnn.optim import SGD, Adam, AdamW


@every_optimizer
def test_state_dict_round_trip_continues_the_training(kind, options):
    params, others = parameters(), parameters()
    first, second = kind(params, **options), kind(others)
    train(first, params, range(3))
    for parameter, other in zip(params, others, strict=True):
        other.data[...] = parameter.data
    second.load_state_dict(first.state_dict())
    for optimizer, owned in ((first, params), (second, others)):
        train(optimizer, owned, range(3, 6))
    for parameter, other in zip(params, others, strict=True):
        np.testing.assert_array_equal(parameter.data, other.data)
    np.testing.assert_equal(first.state_dict(), second.state_dict())


@every_optimizer
def test_state_dicts_are_copies(kind, options):
    params = parameters()
    optimizer = kind(params, **options)
    train(optimizer, params, range(2))
    state = optimizer.state_dict()
    kept = copy.deepcopy(state)
    train(optimizer, params, [2])
    np.testing.assert_equal(state, kept)
    optimizer.load_state_dict(state)
    train(optimizer, params, [2])
    optimizer.param_groups[0]["lr"] = 7.0
    np.testing.assert_equal(state, kept)


@every_optimizer
@pytest.mark.parametrize("foreach", [False, True])
def test_torchs_state_loads_and_training_goes_on_equally(kind, options, foreach):
    params = parameters()
    leaves = tensors(params)
    groups = [{"params": leaves[:1], "lr": 0.02}, {"params": leaves[1:]}]
    theirs = getattr(torch.optim, kind.__name__)(groups, **options, foreach=foreach)
    train_torch(theirs, leaves, range(3))
    for parameter, leaf in zip(params, leaves, strict=True):
        parameter.data[...] = leaf.detach().numpy()
    ours = kind([{"params": params[:1]}, {"params": params[1:]}], lr=0.7)
    ours.load_state_dict(theirs.state_dict())
    train(ours, params, range(3, 9))
    train_torch(theirs, leaves, range(3, 9))
    assert_same(params, leaves)


@every_optimizer
def test_our_state_loads_into_torch_and_training_goes_on_equally(kind, options):
    params = parameters()
    ours = kind(params, **options)
    train(ours, params, range(3))
    leaves = tensors(params)
    theirs = getattr(torch.optim, kind.__name__)(leaves, lr=0.7, foreach=False)
    state = ours.state_dict()
    for values in state["state"].values():
        values.update({name: torch.tensor(value) for name, value in values.items()})
    theirs.load_state_dict(state)
    train(ours, params, range(3, 9))
    train_torch(theirs, leaves, range(3, 9))
    assert_same(params, leaves)


def test_state_is_converted_to_the_dtype_of_the_parameters():
    params, narrow = parameters(), parameters(np.float32)
    first, second = Adam(params), Adam(narrow)
    train(first, params, [0])
    second.load_state_dict(first.state_dict())
    assert {second.state[p]["exp_avg"].dtype for p in narrow} == {np.dtype(np.float32)}


def test_nothing_remembered_is_nothing_saved_and_loads():
    params = parameters()
    optimizer = SGD(params)
    train(optimizer, params, [0])
    state = optimizer.state_dict()
    assert state["state"] == {}
    state["state"] = {0: {}, 1: {"momentum_buffer": None}}  # as older releases of PyTorch have it
    optimizer.load_state_dict(state)
    assert optimizer.state_dict()["state"] == {}


def test_names_of_parameters_in_torchs_state_are_carried_along():
    model = torch.nn.Linear(2, 2)
    state = torch.optim.SGD(model.named_parameters()).state_dict()
    optimizer = SGD(nc.Linear(2, 2).parameters())
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]


def test_amsgrad_may_be_switched_on_later():
    params = parameters()
    optimizer = Adam(params)
    train(optimizer, params, [0])
    optimizer.param_groups[0]["amsgrad"] = True
    train(optimizer, params, [1])
    largest = optimizer.state[params[0]]
    np.testing.assert_array_equal(largest["max_exp_avg_sq"], largest["exp_avg_sq"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop("state"), "the state dict lacks 'state'"),
        (put("state", value=[]), "expected 'state' to be a dict, got list"),
        (drop("param_groups"), "lacks 'param_groups'"),
        (drop("param_groups", 1), r"expected groups of \[1, 2\] parameters, got \[1\]"),
        (put("param_groups", 0, "params", value=[0, 3]), r"expected groups of \[1, 2\] parameters, got \[2, 2\]"),
        (drop("param_groups", 1, "betas"), "group 1 lacks 'betas'; was it saved by another optimizer"),
        (put("param_groups", 1, "lr", value=-1.0), r"expected lr in \[0, inf\], got -1"),
        (put("param_groups", 1, "lr", value=None), "expected lr to be a number, got None"),
        (put("param_groups", 1, "maximize", value=True), "maximize=True is not supported"),
        (put("param_groups", 1, "decoupled_weight_decay", value=True), "decoupled_weight_decay=True is not"),
        (put("state", 9, value={}), "state of parameter 9, which is in no group"),
        (drop("state", 2, "exp_avg"), "state of parameter 2 lacks 'exp_avg'"),
        (put("state", 2, "momentum_buffer", value=np.zeros(())), "parameter 2 has an unknown 'momentum_buffer'"),
        (put("state", 2, "exp_avg", value=np.zeros(3)), r"'exp_avg' of parameter 2 has shape \(3,\), expected \(\)"),
        (put("state", 1, "exp_avg", value="much"), "'exp_avg'|could not convert"),
        (put("state", 2, "step", value=-1), r"parameter 2: expected step in \[0, inf\], got -1"),
    ],
)
def test_a_state_dict_that_does_not_fit_is_refused_whole(spoil, message):
    def optimizer_of(params):
        return Adam([{"params": params[:1]}, {"params": params[1:]}], lr=0.1)

    params, others = parameters(), parameters()
    first, second = optimizer_of(params), optimizer_of(others)
    train(first, params, range(3))
    train(second, others, range(1))
    state = first.state_dict()
    spoil(state)
    before = snapshot(second, others)
    with pytest.raises(ValueError, match=f"cannot load into Adam: .*({message})"):
        second.load_state_dict(state)
    assert_unchanged(second, others, before)


@pytest.mark.parametrize(
    ("kind", "other"), [(SGD, torch.optim.Adam), (Adam, torch.optim.SGD), (AdamW, torch.optim.Adam)]
)
def test_the_state_of_another_optimizer_is_refused(kind, other):
    params = parameters()
    with pytest.raises(ValueError, match=f"cannot load into {kind.__name__}"):
        kind(params).load_state_dict(other(tensors(params)).state_dict())


def test_torchs_maximize_is_refused():
    params = parameters()
    with pytest.raises(ValueError, match="cannot load into SGD: SGD: maximize=True is not supported"):
        SGD(params).load_state_dict(torch.optim.SGD(tensors(params), maximize=True).state_dict())
