"""Schedules where a comparison of rates does not look: how they compose, their state, and what is refused."""

import copy

import numpy as np
import pytest
import torch
from optimizing import drop, parameters, put, tensors

import numpycnn as nc
from numpycnn.optim import SGD
from numpycnn.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR, StepLR

SCHEDULES = [
    (StepLR, {"step_size": 2, "gamma": 0.5}),
    (MultiStepLR, {"milestones": [1, 4, 4, 6], "gamma": 0.5}),
    (CosineAnnealingLR, {"T_max": 4, "eta_min": 0.01}),
]
every_schedule = pytest.mark.parametrize(("kind", "options"), SCHEDULES, ids=[k.__name__ for k, _ in SCHEDULES])


def test_schedules_compose_as_in_torch():
    sequences = []
    for optim, leaves in ((nc.optim, parameters()), (torch.optim, tensors(parameters()))):
        optimizer = optim.SGD([{"params": leaves[:1], "lr": 0.5}, {"params": leaves[1:]}], lr=0.8)
        schedules = [optim.lr_scheduler.StepLR(optimizer, 2, 0.7)]
        sequence = []
        for epoch in range(30):
            optimizer.step()
            for schedule in schedules:
                schedule.step()
            if epoch == 3:  # its first rates are those of the first schedule, not those of now
                schedules.append(optim.lr_scheduler.CosineAnnealingLR(optimizer, 5, 0.01))
            if epoch == 7:
                optimizer.param_groups[0]["lr"] = 0.3
            sequence.append([group["lr"] for group in optimizer.param_groups])
        sequences.append(sequence)
    np.testing.assert_allclose(*sequences, rtol=1e-12)


@every_schedule
def test_schedule_state_round_trip_goes_on_equally(kind, options):
    first, second = SGD(parameters(), lr=0.8), SGD(parameters(), lr=0.8)
    one, two = kind(first, **options), kind(second, 5 if kind is not MultiStepLR else [5])
    for _ in range(3):
        one.step()
    state = one.state_dict()
    two.load_state_dict(state)
    second.load_state_dict(first.state_dict())
    assert two.get_last_lr() == one.get_last_lr()
    for _ in range(5):
        one.step()
        two.step()
        assert second.param_groups[0]["lr"] == first.param_groups[0]["lr"]
    assert state["last_epoch"] == 3


@every_schedule
def test_torchs_schedule_state_loads(kind, options):
    leaves = tensors(parameters())
    theirs = torch.optim.SGD(leaves, lr=0.8)
    schedule = getattr(torch.optim.lr_scheduler, kind.__name__)(theirs, **options)
    for _ in range(3):
        theirs.step()
        schedule.step()
    ours = SGD(parameters())
    loaded = kind(ours, **options)
    loaded.load_state_dict(schedule.state_dict())
    ours.load_state_dict(theirs.state_dict())
    for _ in range(8):
        schedule.step()
        loaded.step()
        assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-12)
    assert {name: schedule.state_dict()[name] for name in loaded.state_dict()} == {
        **loaded.state_dict(),
        "_last_lr": pytest.approx(loaded.get_last_lr(), rel=1e-12),
    }


@every_schedule
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop("last_epoch"), "missing 'last_epoch'"),
        (put("speed", value=1), "unknown 'speed'"),
        (put("last_epoch", value=2.5), "expected last_epoch to be an int, got 2.5"),
        (put("last_epoch", value=-1), "expected last_epoch >= 0, got -1"),
        (put("base_lrs", value=[0.1, 0.2]), "expected base_lrs of 1 groups, got 2"),
        (put("base_lrs", value=[None]), "expected base_lrs to be a number, got None"),
        (put("_last_lr", value=0.1), "_last_lr|not iterable"),
    ],
)
def test_a_schedule_state_that_does_not_fit_is_refused_whole(kind, options, spoil, message):
    schedule = kind(SGD(parameters()), **options)
    state = schedule.state_dict()
    schedule.step()
    before = copy.deepcopy(schedule.state_dict())
    spoil(state)
    with pytest.raises(ValueError, match=f"cannot load into {kind.__name__}: .*({message})"):
        schedule.load_state_dict(state)
    assert schedule.state_dict() == before


def test_schedule_state_is_a_copy():
    schedule = MultiStepLR(SGD(parameters()), [1, 2])
    state = schedule.state_dict()
    state["milestones"][1] = 5
    state["base_lrs"].append(3.0)
    schedule.get_last_lr().append(3.0)
    assert schedule.state_dict() == {
        "milestones": {1: 1, 2: 1},
        "gamma": 0.1,
        "base_lrs": [0.001],
        "last_epoch": 0,
        "_last_lr": [0.001],
    }


def test_schedules_serve_groups_that_are_added_later():
    params = parameters()
    optimizer = SGD(params[:1], lr=0.8)
    schedule = CosineAnnealingLR(optimizer, T_max=2)
    schedule.step()
    optimizer.add_param_group({"params": params[1:], "lr": 0.2})
    for expected in (0.0, 0.4, 0.8):
        schedule.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected)
    assert schedule.base_lrs == [0.8, 0.2]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda o: StepLR("SGD", 3), TypeError, "StepLR: expected an Optimizer, got str"),
        (lambda o: StepLR(torch.optim.SGD([torch.zeros(1)]), 3), TypeError, "StepLR: expected an Optimizer, got SGD"),
        (lambda o: StepLR(o, 0), ValueError, "StepLR: expected step_size >= 1, got 0"),
        (lambda o: StepLR(o, 2.5), TypeError, "StepLR: expected step_size to be an int, got 2.5"),
        (lambda o: StepLR(o, 2, "half"), TypeError, "StepLR: expected gamma to be a number, got 'half'"),
        (lambda o: StepLR(o, 2, -0.5), ValueError, "StepLR: expected gamma"),
        (lambda o: MultiStepLR(o, 3), TypeError, "MultiStepLR: expected milestones to be a list of ints, got 3"),
        (lambda o: MultiStepLR(o, [3.5]), TypeError, "MultiStepLR: expected a milestone to be an int, got 3.5"),
        (lambda o: MultiStepLR(o, [-3]), ValueError, "MultiStepLR: expected a milestone >= 0, got -3"),
        (lambda o: MultiStepLR(o, [3], None), TypeError, "MultiStepLR: expected gamma to be a number, got None"),
        (lambda o: CosineAnnealingLR(o, 0), ValueError, "CosineAnnealingLR: expected T_max >= 1, got 0"),
        (lambda o: CosineAnnealingLR(o, "10"), TypeError, "CosineAnnealingLR: expected T_max to be an int, got '10'"),
        (lambda o: CosineAnnealingLR(o, 3, None), TypeError, "CosineAnnealingLR: expected eta_min to be a number"),
    ],
)
def test_schedules_that_cannot_be_are_refused_and_touch_nothing(make, error, message):
    optimizer = SGD(parameters())
    with pytest.raises(error, match=message):
        make(optimizer)
    assert "initial_lr" not in optimizer.param_groups[0]
