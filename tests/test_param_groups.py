"""Groups of parameters and their options: who is in which, what holds for whom, and what is refused."""

import math

import numpy as np
import pytest
import torch
from optimizing import parameters, set_grads, tensors

import numpycnn as nc
from numpycnn.optim import SGD, Adam, AdamW


def test_groups_have_torchs_keys():
    params = parameters()
    for kind in (SGD, Adam, AdamW):
        ours, theirs = kind(params), getattr(torch.optim, kind.__name__)(tensors(params))
        for name, value in ours.param_groups[0].items():
            if name != "params":
                assert value == theirs.param_groups[0][name]


def test_groups_override_the_defaults_and_are_not_shared_with_the_caller():
    params = parameters()
    group = {"params": iter(params[:1]), "lr": 0.5, "name": "weights"}
    optimizer = SGD([group, {"params": params[1]}], lr=0.25, momentum=0.5)
    optimizer.add_param_group({"params": params[2:], "momentum": 0})
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.25, 0.25]
    assert [group["momentum"] for group in optimizer.param_groups] == [0.5, 0.5, 0]
    assert [group["params"] for group in optimizer.param_groups] == [[p] for p in params]
    assert optimizer.param_groups[0]["name"] == "weights"
    assert set(group) == {"params", "lr", "name"}


def test_a_group_may_switch_off_the_momentum_that_nesterov_needs():
    params = parameters()
    optimizer = SGD([{"params": params, "momentum": 0}], lr=0.5, momentum=0.9, nesterov=True)
    before = [parameter.data.copy() for parameter in params]
    set_grads(params, 0)
    optimizer.step()
    for parameter, old in zip(params, before, strict=True):
        np.testing.assert_array_equal(parameter.data, old - 0.5 * parameter.grad)


MODEL = nc.Sequential(nc.Linear(2, 2, rng=0), nc.ReLU())
WEIGHT = nc.Parameter(np.zeros(2))


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (MODEL, TypeError, r"expected model.parameters\(\), got a Sequential itself"),
        (nc.Linear(2, 2), TypeError, r"expected model.parameters\(\), got a Linear itself"),
        (WEIGHT, TypeError, r"expected \[parameter\], got a Parameter itself"),
        ({"params": [WEIGHT]}, TypeError, r"expected \[group\], got a dict itself"),
        ({WEIGHT}, TypeError, "in an order that stays, got a set"),
        (None, TypeError, "expected parameters to optimize, got None"),
        ([], ValueError, "expected parameters to optimize, got none"),
        ([WEIGHT, WEIGHT.data], TypeError, "expected Parameters, got ndarray as number 1"),
        (list(MODEL.named_parameters()), TypeError, "expected Parameters, got tuple as number 0"),
        (list(MODEL), TypeError, "expected Parameters, got Linear as number 0"),
        ([WEIGHT, {"params": []}], TypeError, "expected Parameters, got dict as number 1"),
        ([{"params": []}, WEIGHT], TypeError, "expected a group to be a dict, got Parameter"),
        ([{"params": MODEL}], TypeError, r"expected model.parameters\(\), got a Sequential itself"),
        ([{"params": {WEIGHT}}], TypeError, "in an order that stays, got a set"),
        ([{"lr": 0.1}], ValueError, r"expected a group to have 'params', got only \['lr'\]"),
        ([WEIGHT, WEIGHT], ValueError, r"Parameter\(shape=\(2,\), dtype=float64\) twice, .* as number 1"),
        ([{"params": [WEIGHT]}, {"params": [WEIGHT]}], ValueError, "twice, the second time as number 0"),
        ([{"params": [WEIGHT], "lr": -1}], ValueError, r"expected lr in \[0, inf\], got -1"),
        ([{"params": [WEIGHT], "maximize": True}], ValueError, "maximize=True is not supported"),
    ],
)
@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_params_that_cannot_be_are_refused(kind, params, error, message):
    with pytest.raises(error, match=f"^{kind.__name__}: .*{message}"):
        kind(params)


def test_a_group_that_is_refused_is_not_added():
    params = parameters()
    optimizer = SGD(params[:1])
    for group in ({"params": [params[1], params[0]]}, {"params": params[1:], "momentum": -1}):
        with pytest.raises(ValueError, match="SGD"):
            optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1
    assert optimizer.param_groups[0]["params"] == params[:1]


@pytest.mark.parametrize(
    ("kind", "options", "error", "message"),
    [
        (SGD, {"lr": -0.1}, ValueError, r"SGD: expected lr in \[0, inf\], got -0.1"),
        (SGD, {"lr": math.nan}, ValueError, "SGD: expected lr"),
        (SGD, {"lr": None}, TypeError, "SGD: expected lr to be a number, got None"),
        (SGD, {"momentum": -1}, ValueError, "SGD: expected momentum"),
        (SGD, {"weight_decay": -1}, ValueError, "SGD: expected weight_decay"),
        (SGD, {"dampening": "none"}, TypeError, "SGD: expected dampening to be a number, got 'none'"),
        (SGD, {"nesterov": True}, ValueError, "nesterov needs momentum > 0 and dampening = 0, got momentum=0"),
        (SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, ValueError, "got momentum=0.9, dampening=0.1"),
        (Adam, {"lr": -0.1}, ValueError, "Adam: expected lr"),
        (AdamW, {"lr": -0.1}, ValueError, "AdamW: expected lr"),
        (Adam, {"eps": -1e-8}, ValueError, "Adam: expected eps"),
        (Adam, {"weight_decay": -1}, ValueError, "Adam: expected weight_decay"),
        (Adam, {"betas": (1.0, 0.9)}, ValueError, r"Adam: expected betas below 1, got \(1.0, 0.9\)"),
        (Adam, {"betas": (0.9, 1.0)}, ValueError, r"Adam: expected betas below 1, got \(0.9, 1.0\)"),
        (Adam, {"betas": (-0.1, 0.9)}, ValueError, r"Adam: expected betas\[0\] in \[0, 1\], got -0.1"),
        (AdamW, {"betas": (0.9, 1.5)}, ValueError, r"AdamW: expected betas\[1\] in \[0, 1\], got 1.5"),
        (Adam, {"betas": 0.9}, ValueError, "Adam: expected betas to be two numbers, got 0.9"),
        (Adam, {"betas": (0.9, 0.99, 0.999)}, ValueError, "Adam: expected betas to be two numbers"),
        (Adam, {"betas": ("a", 0.9)}, TypeError, r"Adam: expected betas\[0\] to be a number, got 'a'"),
    ],
)
def test_options_out_of_range_are_refused(kind, options, error, message):
    with pytest.raises(error, match=message):
        kind(parameters(), **options)
