"""Optimizers where a comparison of numbers does not look: what a step touches, and what bases and looks say."""

import copy

import numpy as np
import pytest
import torch
from optimizing import assert_same, assert_unchanged, every_optimizer, parameters, set_grads, snapshot, tensors, train

import numpycnn as nc
from numpycnn.optim import SGD, Adam, AdamW, Optimizer
from numpycnn.optim.lr_scheduler import LRScheduler, StepLR

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

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


@pytest.mark.parametrize("lr", [None, "fast", [0.1, None], float("nan")])
def test_an_option_set_to_no_number_is_refused_before_any_update(lr):
    params = parameters()
    optimizer = SGD([{"params": params[:1]}, {"params": params[1:]}])
    set_grads(params, 0)
    before = [parameter.data.copy() for parameter in params]
    optimizer.param_groups[1]["lr"] = lr
    with pytest.raises((TypeError, ValueError), match=r"SGD: expected lr (to be a number|in \[-inf, inf\]), got"):
        optimizer.step()
    np.testing.assert_equal([parameter.data for parameter in params], before)


# Looks, bases and names


def test_repr_shows_what_is_not_default():
    params = parameters()
    assert repr(SGD(params, lr=0.1, momentum=0.9)) == "SGD(3 parameters, lr=0.1, momentum=0.9)"
    assert repr(AdamW(params[:1])) == "AdamW(1 parameter, lr=0.001)"
    assert repr(StepLR(SGD(params), 3)) == "StepLR(step_size=3, gamma=0.1)"


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


@pytest.mark.parametrize("betas", [0.9, (0.9,), (0.9, 0.99, 0.999)])
def test_betas_set_to_no_pair_are_refused_before_any_update(betas):
    parameter = nc.Parameter(np.ones(3))
    parameter.grad = np.ones(3)
    optimizer = nc.optim.Adam([parameter])
    optimizer.param_groups[0]["betas"] = betas
    with pytest.raises(TypeError, match="Adam: expected betas to be 2 numbers, got"):
        optimizer.step()
    assert not optimizer.state[parameter] and (parameter.data == 1).all()
