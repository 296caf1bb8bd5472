"""Optimizers and schedules where a comparison of numbers does not look: errors, identity, saved state."""

import copy
import math

import numpy as np
import pytest
import torch

import numpycnn as nc
from numpycnn.optim import SGD, Adam, AdamW, Optimizer
from numpycnn.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, MultiStepLR, StepLR

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
SCHEDULES = [
    (StepLR, {"step_size": 2, "gamma": 0.5}),
    (MultiStepLR, {"milestones": [1, 4, 4, 6], "gamma": 0.5}),
    (CosineAnnealingLR, {"T_max": 4, "eta_min": 0.01}),
]
every_optimizer = pytest.mark.parametrize(
    ("kind", "options"), OPTIMIZERS, ids=[f"{k.__name__}-{'-'.join(o)}" for k, o in OPTIMIZERS]
)
every_schedule = pytest.mark.parametrize(("kind", "options"), SCHEDULES, ids=[k.__name__ for k, _ in SCHEDULES])
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


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


# What a step touches


@every_optimizer
@dtypes
def test_step_writes_into_the_same_arrays_and_keeps_the_dtype(kind, options, dtype):
    params = parameters(dtype)
    optimizer = kind(params, **options)
    arrays = [parameter.data for parameter in params]
    before = [array.copy() for array in arrays]
    train(optimizer, params, range(2))
    optimizer.param_groups[0]["lr"] = np.float64(0.05)  # NumPy's scalars must not lift float32
    train(optimizer, params, range(2))
    for parameter, array, old in zip(params, arrays, before, strict=True):
        assert parameter.data is array
        assert array.dtype == dtype
        assert (array != old).all()
        for value in optimizer.state[parameter].values():
            assert isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype == dtype)


@every_optimizer
def test_numpy_scalars_as_options_give_the_same_numbers(kind, options):
    # As float64 scalars they would make float64 temporaries, and float32 results would round otherwise.
    plain, lifted = parameters(np.float32), parameters(np.float32)
    first, second = kind(plain, **options), kind(lifted, **options)
    for name, value in options.items():
        second.param_groups[0][name] = tuple(map(np.float64, value)) if name == "betas" else np.float64(value)
    train(first, plain, range(20))
    train(second, lifted, range(20))
    for a, b in zip(plain, lifted, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


@every_optimizer
def test_step_leaves_gradients_alone(kind, options):
    params = parameters()
    optimizer = kind(params, **options)
    for seed in range(3):
        set_grads(params, seed)
        grads = [parameter.grad for parameter in params]
        copies = [grad.copy() for grad in grads]
        for grad in grads:
            grad.flags.writeable = False
        optimizer.step()
        for parameter, grad, old in zip(params, grads, copies, strict=True):
            assert parameter.grad is grad
            np.testing.assert_array_equal(grad, old)


@every_optimizer
def test_state_shares_no_memory_with_gradients(kind, options):
    params = parameters()
    optimizer = kind(params, **options)
    train(optimizer, params, [0])
    for parameter in params:
        for value in optimizer.state[parameter].values():
            assert not np.shares_memory(value, parameter.grad)
            assert not np.shares_memory(value, parameter.data)


@every_optimizer
def test_parameters_without_gradient_are_skipped_with_their_state(kind, options):
    params = parameters()
    optimizer = kind(params, **options)
    train(optimizer, params, range(2))
    before = params[1].data.copy(), copy.deepcopy(optimizer.state[params[1]])
    set_grads(params, 2)
    params[1].grad = None
    optimizer.step()
    np.testing.assert_equal((params[1].data, optimizer.state[params[1]]), before)
    assert params[1].grad is None


@every_optimizer
def test_strided_data_is_updated_in_place(kind, options):
    base = np.arange(24.0).reshape(4, 6)
    strided, packed = nc.Parameter(base[::2, ::3].T), nc.Parameter(base[::2, ::3].T.copy())
    for parameter in (strided, packed):
        train(kind([parameter], **options), [parameter], range(3))
    np.testing.assert_array_equal(strided.data, packed.data)
    np.testing.assert_array_equal(base[::2, ::3].T, packed.data)


@every_optimizer
def test_nan_and_inf_pass_silently(kind, options):
    parameter = nc.Parameter(np.zeros(3))
    leaf = tensors([parameter])[0]
    ours, theirs = kind([parameter], **options), getattr(torch.optim, kind.__name__)([leaf], **options)
    for _ in range(2):
        parameter.grad = np.array([np.nan, np.inf, 1.0])
        leaf.grad = torch.tensor(parameter.grad)
        ours.step()
        theirs.step()
    assert_same([parameter], [leaf])


def test_adam_without_eps_divides_zero_by_zero_as_torch_does():
    parameter = nc.Parameter(np.ones(1))
    parameter.grad = np.zeros(1)
    Adam([parameter], eps=0).step()
    assert np.isnan(parameter.data).all()


def test_zero_grad_forgets_the_gradients_of_all_groups():
    params = parameters()
    optimizer = SGD([{"params": params[:1]}, {"params": params[1:]}])
    set_grads(params, 0)
    optimizer.zero_grad()
    assert [parameter.grad for parameter in params] == [None] * 3


def test_first_momentum_is_the_undamped_gradient():
    parameter = nc.Parameter(np.zeros(1))
    optimizer = SGD([parameter], lr=1, momentum=0.5, dampening=0.75)
    for expected in (-1.0, -1.75):  # b = 1, then 0.5 b + 0.25
        parameter.grad = np.ones(1)
        optimizer.step()
        assert parameter.data == expected


@every_optimizer
def test_state_follows_a_converted_model(kind, options):
    model = nc.Linear(3, 2, rng=0)
    optimizer = kind(model.parameters(), **options)
    train(optimizer, model.parameters(), range(2))
    model.to(np.float64)
    train(optimizer, model.parameters(), range(2))
    for parameter in model.parameters():
        values = [parameter.data, *optimizer.state[parameter].values()]
        assert {v.dtype for v in values if isinstance(v, np.ndarray)} == {np.dtype(np.float64)}


def test_gradients_that_do_not_fit_are_refused_before_any_update():
    params = parameters()
    optimizer = SGD(params, momentum=0.9)
    set_grads(params, 0)
    before = snapshot(optimizer, params)
    params[1].grad = np.zeros((4, 1))
    with pytest.raises(ValueError, match=r"SGD: expected the gradient of parameter 1 of shape \(4,\), got \(4, 1\)"):
        optimizer.step()
    params[1].grad = np.zeros(4, np.float32)
    with pytest.raises(TypeError, match="SGD: expected the gradient of parameter 1 of dtype float64, got float32"):
        optimizer.step()
    assert_unchanged(optimizer, params, before)


@pytest.mark.parametrize("lr", [None, "fast", [0.1, None]])
def test_an_option_set_to_no_number_is_refused_before_any_update(lr):
    params = parameters()
    optimizer = SGD([{"params": params[:1]}, {"params": params[1:]}])
    set_grads(params, 0)
    before = [parameter.data.copy() for parameter in params]
    optimizer.param_groups[1]["lr"] = lr
    with pytest.raises(TypeError, match="SGD: expected lr to be a number"):
        optimizer.step()
    np.testing.assert_equal([parameter.data for parameter in params], before)


# Groups


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


def test_repr_shows_what_is_not_default():
    params = parameters()
    assert repr(SGD(params, lr=0.1, momentum=0.9)) == "SGD(3 parameters, lr=0.1, momentum=0.9)"
    assert repr(AdamW(params[:1])) == "AdamW(1 parameter, lr=0.001)"
    assert repr(StepLR(SGD(params), 3)) == "StepLR(step_size=3, gamma=0.1)"


# State


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


def _set(*path, value):
    def spoil(state):
        for key in path[:-1]:
            state = state[key]
        state[path[-1]] = value

    return spoil


def _drop(*path):
    def spoil(state):
        for key in path[:-1]:
            state = state[key]
        del state[path[-1]]

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_drop("state"), "the state dict lacks 'state'"),
        (_set("state", value=[]), "expected 'state' to be a dict, got list"),
        (_drop("param_groups"), "lacks 'param_groups'"),
        (_drop("param_groups", 1), r"expected groups of \[1, 2\] parameters, got \[1\]"),
        (_set("param_groups", 0, "params", value=[0, 3]), r"expected groups of \[1, 2\] parameters, got \[2, 2\]"),
        (_drop("param_groups", 1, "betas"), "group 1 lacks 'betas'; was it saved by another optimizer"),
        (_set("param_groups", 1, "lr", value=-1.0), r"expected lr in \[0, inf\], got -1"),
        (_set("param_groups", 1, "lr", value=None), "expected lr to be a number, got None"),
        (_set("param_groups", 1, "maximize", value=True), "maximize=True is not supported"),
        (_set("param_groups", 1, "decoupled_weight_decay", value=True), "decoupled_weight_decay=True is not"),
        (_set("state", 9, value={}), "state of parameter 9, which is in no group"),
        (_drop("state", 2, "exp_avg"), "state of parameter 2 lacks 'exp_avg'"),
        (_set("state", 2, "momentum_buffer", value=np.zeros(())), "parameter 2 has an unknown 'momentum_buffer'"),
        (_set("state", 2, "exp_avg", value=np.zeros(3)), r"'exp_avg' of parameter 2 has shape \(3,\), expected \(\)"),
        (_set("state", 1, "exp_avg", value="much"), "'exp_avg'|could not convert"),
        (_set("state", 2, "step", value=-1), r"parameter 2: expected step in \[0, inf\], got -1"),
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


# Schedules


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
        (_drop("last_epoch"), "missing 'last_epoch'"),
        (_set("speed", value=1), "unknown 'speed'"),
        (_set("last_epoch", value=2.5), "expected last_epoch to be an int, got 2.5"),
        (_set("last_epoch", value=-1), "expected last_epoch >= 0, got -1"),
        (_set("base_lrs", value=[0.1, 0.2]), "expected base_lrs of 1 groups, got 2"),
        (_set("base_lrs", value=[None]), "expected base_lrs to be a number, got None"),
        (_set("_last_lr", value=0.1), "_last_lr|not iterable"),
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


def test_the_bases_say_what_a_subclass_must_define():
    class Half(Optimizer):
        def parse(self, options):
            return {}

    class Flat(LRScheduler):
        def parse(self, options):
            return {}

    params = parameters()
    set_grads(params, 0)
    with pytest.raises(NotImplementedError, match="Optimizer defines no parse"):
        Optimizer(params, {})
    with pytest.raises(NotImplementedError, match="Half defines no update"):
        Half(params, {}).step()
    with pytest.raises(NotImplementedError, match="LRScheduler defines no parse"):
        LRScheduler(SGD(params), {})
    with pytest.raises(NotImplementedError, match="Flat defines no get_lr"):
        Flat(SGD(params), {})


def test_what_is_public_is_there():
    assert all(hasattr(nc.optim, name) for name in nc.optim.__all__)
    assert {name for name, value in vars(nc.optim).items() if isinstance(value, type)} <= set(nc.optim.__all__)
