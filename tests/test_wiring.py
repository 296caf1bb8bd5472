"""Wiring: what blocks and containers make of the names in them, and layers and arrays that are shared."""

import numpy as np
import pytest
import torch
from small_net import Net, draw
from torch import nn

import numpycnn as nc
from numpycnn.models import LeNet

# Blocks: names and wiring


def test_the_state_dict_follows_the_names_and_not_the_wiring():
    assert [name for name, _ in Net().named_parameters()] == [
        "head.weight",
        "head.bias",
        "features.0.weight",
        "features.0.bias",
        "features.1.weight",
        "features.1.bias",
        "short.weight",
        "short.bias",
    ]
    assert Net().num_parameters() == (8 * 3 + 3) + (2 * 4 * 9 + 4) + (4 + 4) + (2 * 4 + 4)


def test_setting_a_named_layer_anew_rewires_it():
    model = LeNet(rng=0)
    names = list(model.state_dict())
    model.fc3 = nc.Linear(84, 3, rng=1)
    assert model(draw(2, 1, 28, 28)).shape == (2, 3)
    assert list(model.state_dict()) == names
    assert model.state_dict()["fc3.bias"].shape == (3,)
    model.backward(draw(2, 3))
    assert model.fc3.weight.grad is not None


def test_a_named_layer_is_replaced_wherever_the_wiring_holds_it():
    class Twice(nc.Block):
        def __init__(self):
            self.act = nc.ReLU()
            self.route(self.act, nc.Add(nc.Sequential(nc.Identity(), self.act), nc.Identity()))

    model, x = Twice(), draw(2, 3, dtype=np.float64)
    model.act = nc.Tanh()
    np.testing.assert_array_equal(model(x), np.tanh(np.tanh(x)) + np.tanh(x))


def test_a_named_array_is_replaced_where_the_wiring_works_with_it():
    class Scaled(nc.Block):
        def __init__(self):
            scale = nc.Scale((3,))
            self.gamma = scale.weight
            self.tied = nc.Scale((3,))
            self.tied.weight = scale.weight
            self.route(scale, self.tied)

    model, x = Scaled(), draw(2, 3)
    model.gamma = nc.Parameter(np.full(3, 2, np.float32))
    np.testing.assert_array_equal(model(x), 2 * x)  # a layer with a name of its own keeps its own, as in PyTorch
    model.backward(x)
    assert model.gamma.grad is not None
    with pytest.raises(TypeError, match="expected a Parameter as 'gamma', got ndarray"):
        model.gamma = np.ones(3, np.float32)


def test_a_layer_inside_a_named_container_is_replaced_by_its_index():
    model, x = Net(rng=0).eval(), draw(2, 2, 5, 4)
    before = model(x)
    model.features[0] = nc.Conv2d(2, 4, 5, padding=2, rng=1)
    assert (model(x) != before).any()
    assert model.state_dict()["features.0.weight"].shape == (4, 2, 5, 5)


@pytest.mark.parametrize(
    "step",
    [nc.Linear(2, 2), nc.Sequential(nc.ReLU(), nc.Linear(2, 2)), nc.BatchNorm2d(2, affine=False)],
    ids=["parameters", "parameters below", "buffers"],
)
def test_a_step_with_state_but_without_a_name_is_refused(step):
    class Forgetful(nc.Block):
        def __init__(self):
            self.first = nc.Linear(2, 2)
            self.route(self.first, nc.Add(nc.Identity(), step))

    with pytest.raises(ValueError, match=r"Forgetful: .*no public name"):
        Forgetful()


def test_the_place_of_a_layer_is_not_taken_by_anything_else():
    model = LeNet(rng=0)
    with pytest.raises(TypeError, match="layer"):  # the wiring would go on with the old one
        model.fc3 = None
    chain = nc.Sequential(nc.ReLU(), nc.Tanh())
    with pytest.raises(TypeError, match="layer"):
        chain[0] = "ReLU"
    assert len(chain) == 2


def test_containers_are_lists_of_their_layers():
    layers = [nc.ReLU(), nc.Tanh(), nc.Identity()]
    model = nc.Sequential(*layers)
    assert list(model) == model.layers == layers
    assert (model[0], model[-1], len(model)) == (layers[0], layers[-1], 3)
    model[-1] = new = nc.Sigmoid()
    assert list(model) == [*layers[:2], new]
    with pytest.raises(IndexError):
        model[3]


# Sharing


def test_a_shared_layer_is_counted_once_and_listed_under_both_names():
    ours, theirs = nc.Linear(3, 3), nn.Linear(3, 3)
    model, judge = nc.Sequential(ours, nc.ReLU(), ours), nn.Sequential(theirs, nn.ReLU(), theirs)
    assert len(model.parameters()) == len(list(judge.parameters())) == 2
    assert model.num_parameters() == 12
    assert list(model.state_dict()) == list(judge.state_dict())


def test_a_layer_that_runs_twice_in_one_pass_is_refused_on_the_way_back():
    # One slot of memory: the gradient of the first run could only be wrong.
    layer = nc.Linear(3, 3)
    model = nc.Sequential(layer, nc.ReLU(), layer)
    model(draw(2, 3))
    with pytest.raises(nc.StateError, match="each forward serves one"):
        model.backward(draw(2, 3))


def test_a_shared_parameter_collects_the_gradients_of_both_its_uses():
    ours = nc.Sequential(nc.Linear(3, 3), nc.Tanh(), nc.Linear(3, 3)).to(np.float64)
    theirs = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3)).double()
    ours[2].weight, theirs[2].weight = ours[0].weight, theirs[0].weight
    ours.load_state_dict(theirs.state_dict())
    x, dy = draw(2, 3, dtype=np.float64), draw(2, 3, seed=1, dtype=np.float64)
    theirs(torch.from_numpy(x)).backward(torch.from_numpy(dy))
    ours(x)
    ours.backward(dy)
    assert ours.num_parameters() == 9 + 3 + 3
    for parameter, tensor in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(parameter.grad, tensor.grad.numpy(), rtol=1e-13)
