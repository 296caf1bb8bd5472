"""What a module holds: state dicts, dtypes, modes, and copies of it all."""

import copy
import pickle

import numpy as np
import pytest
import torch
from small_net import Net, draw, snapshot
from torch import nn

import numpycnn as nc
from numpycnn.models import LeNet

# State


def test_a_torch_state_dict_loads_as_it_is_and_in_place():
    theirs = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2)).double()
    theirs(torch.randn(5, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    ours = nc.Sequential(nc.Conv2d(2, 3, 3), nc.BatchNorm2d(3), nc.Flatten(), nc.Linear(12, 2))
    owners = [ours[0].weight, ours[0].bias, ours[1].running_mean, ours[1].num_batches_tracked, ours[3].weight]
    arrays = [owner.data for owner in owners]
    ours.load_state_dict(theirs.state_dict())
    assert all(owner.data is array for owner, array in zip(owners, arrays, strict=True))
    for name, value in ours.state_dict().items():
        expected = theirs.state_dict()[name].numpy()
        assert value.dtype == (np.int64 if name == "1.num_batches_tracked" else np.float32)
        np.testing.assert_array_equal(value, expected.astype(value.dtype), name)


def test_anything_that_makes_an_array_loads():
    layer = nc.Linear(2, 1)
    layer.load_state_dict({"weight": [[1, 2]], "bias": np.array([3], np.int8)})
    np.testing.assert_array_equal(layer(np.array([[10, 100]], np.float32)), [[213]])
    assert {parameter.data.dtype for parameter in layer.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.weight": None}, "missing '0.weight'"),
        ({"0.weights": np.zeros((2, 3))}, "unknown '0.weights'"),
        ({"1.bias": np.zeros(3)}, r"'1.bias' has shape \(3,\), expected \(1,\)"),
        ({"1.weight": np.zeros((2, 1))}, r"'1.weight' has shape \(2, 1\), expected \(1, 2\)"),
        (
            {"0.bias": None, "2.bias": np.zeros(1), "1.bias": np.zeros(())},
            r"missing '0.bias'; unknown '2.bias'; '1.bias' has shape \(\), expected \(1,\)",
        ),
        ({"1.bias": np.array(["a"])}, "'1.bias'|could not convert"),
    ],
    ids=["missing", "unknown", "broadcast up", "transposed", "all together", "no numbers"],
)
def test_a_state_dict_that_does_not_fit_is_refused_whole(change, message):
    model = nc.Sequential(nc.Linear(3, 2), nc.Linear(2, 1))
    state = {name: value + 1 for name, value in model.state_dict().items()} | change
    state = {name: value for name, value in state.items() if value is not None}
    before = snapshot(model)
    with pytest.raises(ValueError, match=message):
        model.load_state_dict(state)
    np.testing.assert_equal(snapshot(model), before)


def test_state_dicts_are_copies():
    model = Net(rng=0)
    state = model.state_dict()
    for value in state.values():
        value[...] = 77
    assert all((value != 77).all() for value in model.state_dict().values())
    kept = copy.deepcopy(state)
    model.load_state_dict(state)
    for parameter in model.parameters():
        parameter.data += 1
    np.testing.assert_equal(state, kept)


def test_what_begins_with_an_underscore_is_no_state():
    class Secretive(nc.Layer):
        def __init__(self):
            self.weight = nc.Parameter(np.ones(2))
            self._noise = nc.Buffer(np.ones(2))
            self._helper = nc.Linear(2, 2)

    assert list(Secretive().state_dict()) == ["weight"]


def test_to_converts_everything_that_floats():
    model = Net(rng=0)
    model(draw(2, 2, 5, 4))
    model.backward(draw(2, 3))
    before = model.state_dict()
    assert model.to(np.float64) is model
    for name, value in model.state_dict().items():
        assert value.dtype == (np.int64 if name == "features.1.num_batches_tracked" else np.float64)
        np.testing.assert_array_equal(value, before[name])
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model(draw(2, 2, 5, 4, dtype=np.float64)).dtype == np.float64
    assert model.backward(draw(2, 3, dtype=np.float64)).dtype == np.float64


def test_to_takes_the_weights_of_a_loss_along():
    loss = nc.CrossEntropyLoss(np.ones(3)).to(np.float32)
    assert loss(draw(2, 3), np.array([0, 1])).dtype == np.float32


def test_to_float16_is_refused_and_changes_nothing():
    model = nc.Linear(2, 2)
    with pytest.raises(TypeError, match="expected dtype float32 or float64, got float16"):
        model.to(np.float16)
    assert model.weight.data.dtype == np.float32


def test_no_gradient_mixes_the_dtypes_before_and_after_a_conversion():
    layer = nc.Linear(3, 2)
    layer(draw(2, 3))
    layer.to(np.float64)
    with pytest.raises((nc.StateError, nc.DtypeError)):
        layer.backward(draw(2, 2))


# Modes


def test_modes_reach_every_layer_named_or_not():
    model = nc.Sequential(Net(rng=0), nc.ReLU())
    dropout = next(layer for layer in model.modules() if isinstance(layer, nc.Dropout))
    assert dropout not in [layer for _, layer in model.named_modules()]
    x = draw(4, 2, 5, 4)
    assert (model(x) != model(x)).any()
    assert model.eval() is model
    assert not any(layer.training for layer in model.modules())
    np.testing.assert_array_equal(model(x), model(x))
    assert model.train() is model
    assert all(layer.training for layer in model.modules())
    assert (model(x) != model(x)).any()


def test_evaluation_mode_still_has_gradients():
    model = Net(rng=0).eval()
    model(draw(4, 2, 5, 4))
    model.backward(draw(4, 3))
    assert all(parameter.grad is not None for parameter in model.parameters())


# Copies

COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda model: pickle.loads(pickle.dumps(model))}


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_copy_goes_on_alike_and_alone(duplicate):
    model = Net(rng=0)
    x, dy = draw(4, 2, 5, 4), draw(4, 3)
    model(x)
    model.backward(dy)
    other = duplicate(model)
    np.testing.assert_equal(snapshot(other), snapshot(model))
    before = snapshot(model)
    y = other(x)  # dropout among the rest: the generator is copied with its state
    other.backward(dy)
    for parameter in other.parameters():
        parameter.data -= parameter.grad
    np.testing.assert_equal(snapshot(model), before)
    np.testing.assert_array_equal(model(x), y)


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_copy_of_a_block_is_wired_to_its_own_names(duplicate):
    model = LeNet(rng=0)
    other = duplicate(model)
    other.fc3.bias.data += 1
    x = draw(2, 1, 28, 28)
    np.testing.assert_allclose(other(x), model(x) + 1, rtol=1e-5)
    other.fc3 = nc.Linear(84, 3)
    assert (other(x).shape, model(x).shape) == ((2, 3), (2, 10))
