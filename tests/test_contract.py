"""What the contract promises beyond single layers: memory, errors, state, modes, wiring, randomness, threads."""

import contextlib
import copy
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import numpycnn as nc
from numpycnn.models import LeNet


class Net(nc.Block):
    """Names in another order than the wiring, containers in both, and steps that have no name."""

    def __init__(self, rng=None):
        rng = np.random.default_rng(rng)
        self.head = nc.Linear(8, 3, rng=rng)
        self.features = nc.Sequential(nc.Conv2d(2, 4, 3, padding=1, rng=rng), nc.BatchNorm2d(4), nc.ReLU())
        self.short = nc.Conv2d(2, 4, 1, rng=rng)
        self.route(
            nc.Add(self.features, self.short),
            nc.Concat(nc.Sequential(nc.Dropout(0.5, rng=rng), nc.AdaptiveAvgPool2d(1)), nc.AdaptiveMaxPool2d(1)),
            nc.Flatten(),
            self.head,
        )


def draw(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def snapshot(module):
    """Copy the state and the gradients of a module."""
    return copy.deepcopy((module.state_dict(), [parameter.grad for parameter in module.parameters()]))


# One slot of memory


@pytest.mark.parametrize("layer", [nc.ReLU(), nc.Linear(3, 3), nc.Softmax(1), nc.Identity()], ids=repr)
def test_each_forward_serves_one_backward(layer):
    dy = draw(2, 3)
    for _ in range(2):
        with pytest.raises(nc.StateError) as caught:
            layer.backward(dy)
        assert caught.value.module is layer
        assert str(caught.value).startswith(f"{layer!r}: backward needs a forward before it")
        layer(draw(2, 3))
        layer.backward(dy)


def test_a_loss_obeys_too():
    loss = nc.CrossEntropyLoss()
    loss(draw(2, 3), np.array([0, 2]))
    loss.backward()
    with pytest.raises(nc.StateError, match=r"^CrossEntropyLoss\(\): backward needs a forward before it"):
        loss.backward()


def test_backward_belongs_to_the_last_forward():
    layer = nc.ReLU()
    layer(-np.ones((4, 2)))
    layer(np.ones((2, 2)))
    np.testing.assert_array_equal(layer.backward(np.full((2, 2), 7.0)), np.full((2, 2), 7.0))


@pytest.mark.parametrize(
    ("dy", "kind"),
    [(draw(2, 4), nc.ShapeError), (draw(2, 3, dtype=np.float64), nc.DtypeError), ([[1, 2, 3]] * 2, nc.DtypeError)],
    ids=["shape", "dtype", "no array"],
)
def test_a_gradient_that_is_refused_costs_nothing(dy, kind):
    layer = nc.Linear(5, 3, rng=0)
    layer(draw(2, 5))
    with pytest.raises(kind, match=r"expected dy .* got"):
        layer.backward(dy)
    assert layer.weight.grad is None
    assert layer.backward(draw(2, 3)).shape == (2, 5)


def test_gradients_of_several_batches_add_up_to_that_of_all():
    x, labels = draw(6, 1, 28, 28, dtype=np.float64), np.arange(6)
    model, loss = LeNet(rng=0, dtype=np.float64), nc.CrossEntropyLoss(reduction="sum")

    def learn(batch):
        loss(model(x[batch]), labels[batch])
        model.backward(loss.backward())

    learn(slice(0, 6))
    whole = [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    learn(slice(0, 2))
    learn(slice(2, 6))
    for parameter, grad in zip(model.parameters(), whole, strict=True):
        np.testing.assert_allclose(parameter.grad, grad, rtol=0, atol=1e-12 * np.abs(grad).max())


@pytest.mark.parametrize(
    "model",
    [
        Net(rng=0).eval(),
        nc.Concat(nc.Conv2d(2, 3, 3, rng=0), nc.Sequential(nc.Conv2d(2, 1, 3, rng=1), nc.Tanh())),
        nc.Add(nc.Conv2d(2, 3, 3, rng=0), nc.Add(nc.Sequential(nc.ReLU(), nc.Conv2d(2, 3, 3, rng=1)))),
        nc.Sequential(nc.Sequential(), nc.Linear(4, 5, rng=0)),
        nc.BatchNorm2d(2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_without_the_gradient_of_the_input_the_others_are_the_same(model):
    x = draw(4, 2, 5, 4)
    dy = draw(*model(x).shape)
    model.backward(dy)
    gradients = [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    model(x)
    assert model.backward_parameters(dy) is None
    np.testing.assert_equal([parameter.grad for parameter in model.parameters()], gradients)
    with pytest.raises(nc.StateError, match="each forward serves one"):
        model.backward_parameters(dy)


# Errors say where


class Fragile(nc.Layer):
    """Passes everything on, until it is told to break."""

    broken = False

    def forward(self, x):
        return self._pass(x)

    def backward(self, dy):
        return self._pass(dy)

    def _pass(self, x):
        if self.broken:
            raise nc.ShapeError(self, f"expected nothing, got x of shape {x.shape}")
        return x

    def __repr__(self):
        return "Fragile()"


class Named(nc.Block):
    def __init__(self, layer):
        self.first = nc.Identity()
        self.last = nc.Sequential(nc.ReLU(), layer)
        self.route(self.first, nc.Add(nc.Identity(), nc.Sequential(self.last)))


class Unnamed(nc.Block):
    def __init__(self, layer):
        self.first = nc.Identity()
        self.route(self.first, nc.Add(nc.Identity(), nc.Sequential(nc.ReLU(), layer)))


PLACES = [
    ("1", lambda layer: nc.Sequential(nc.Identity(), layer)),
    ("1.2", lambda layer: nc.Sequential(nc.Identity(), nc.Sequential(nc.Tanh(), nc.Tanh(), layer))),
    ("0", lambda layer: nc.Add(layer, nc.Identity())),
    ("0.1", lambda layer: nc.Concat(nc.Sequential(nc.ReLU(), layer), nc.Identity())),
    ("1", lambda layer: nc.Concat(nc.Identity(), layer)),
    ("last.1", Named),
    ("1.0.last.1", lambda layer: nc.Sequential(nc.Identity(), nc.Add(Named(layer), nc.Identity()))),
    ("last.1.last.1", lambda layer: Named(Named(layer))),
    # What has no name is found under the name of the block that it belongs to.
    ("", Unnamed),
    ("1", lambda layer: nc.Sequential(nc.Identity(), Unnamed(layer))),
    ("last.1", lambda layer: Named(Unnamed(layer))),
]


@pytest.mark.parametrize("way", ["forward", "backward", "backward_parameters"])
@pytest.mark.parametrize(
    ("path", "build"), PLACES, ids=[f"{n}: {path or 'itself'}" for n, (path, _) in enumerate(PLACES)]
)
def test_errors_name_the_path_in_the_model_that_was_called(path, build, way):
    layer, x = Fragile(), draw(2, 3)
    model = build(layer)
    dy = model(x)
    layer.broken = True
    with pytest.raises(nc.ShapeError) as caught:
        getattr(model, way)(x if way == "forward" else dy)
    assert caught.value.module is layer
    assert caught.value.path == path
    place = f"in {path}: " if path else ""
    assert str(caught.value) == f"{place}Fragile(): expected nothing, got x of shape (2, 3)"


def test_the_sentence_of_the_manual():
    class Net(nc.Block):
        def __init__(self):
            self.features = nc.Sequential(nc.ReLU(), nc.ReLU(), nc.ReLU(), nc.Conv2d(64, 192, 5, padding=2))
            self.route(self.features, nc.Flatten())

    with pytest.raises(nc.ShapeError) as caught:
        Net()(draw(8, 3, 27, 27))
    assert str(caught.value) == (
        "in features.3: Conv2d(64, 192, 5, padding=2): expected 64 input channels, got 3 in x of shape (8, 3, 27, 27)"
    )


def test_a_container_that_complains_itself_is_named():
    model = nc.Sequential(nc.Identity(), nc.Add(nc.Conv2d(1, 2, 3), nc.Identity()))
    with pytest.raises(nc.ShapeError, match=r"(?s)^in 1: Add\(.*got \[\(1, 2, 2, 2\), \(1, 1, 4, 4\)\]"):
        model(draw(1, 1, 4, 4))
    model = nc.Sequential(nc.Identity(), nc.Concat(nc.Conv2d(1, 2, 3), nc.Identity()))
    with pytest.raises(nc.ShapeError, match=r"(?s)^in 1: Concat\(.*got \[\(1, 2, 2, 2\), \(1, 1, 4, 4\)\]"):
        model(draw(1, 1, 4, 4))


@pytest.mark.parametrize(
    ("call", "ours", "built_in"),
    [
        (lambda: nc.Linear(3, 2)(draw(2, 4)), nc.ShapeError, ValueError),
        (lambda: nc.Linear(3, 2)(draw(2, 3, dtype=np.float64)), nc.DtypeError, TypeError),
        (lambda: nc.ReLU()([1.0, 2.0]), nc.DtypeError, TypeError),
        (lambda: nc.ReLU().backward(draw(2)), nc.StateError, RuntimeError),
    ],
    ids=["shape", "dtype", "no array", "state"],
)
def test_errors_are_ours_and_of_a_built_in_kind(call, ours, built_in):
    with pytest.raises(built_in) as caught:
        call()
    assert type(caught.value) is ours
    assert issubclass(ours, nc.LayerError)


def test_errors_are_sent_to_other_processes_whole():
    with pytest.raises(nc.ShapeError) as caught:
        nc.Sequential(nc.ReLU(), nc.Linear(3, 2))(draw(2, 4))
    error = pickle.loads(pickle.dumps(caught.value))
    assert type(error) is nc.ShapeError
    assert str(error) == str(caught.value)
    assert (error.path, type(error.module)) == ("1", nc.Linear)


@pytest.mark.parametrize("size", [(3, 0), (0, 3)], ids=str)
def test_each_of_two_sizes_is_called_by_its_name(size):
    with pytest.raises(ValueError, match=r"^Conv2d: expected kernel_size >= 1, got 0$"):
        nc.Conv2d(1, 1, size)
    with pytest.raises(ValueError, match=r"^conv2d_num_parameters: expected kernel_size >= 1, got 0$"):
        nc.conv2d_num_parameters(1, 1, size)
    with pytest.raises(ValueError, match=r"^output_size: expected padding >= 0, got -1$"):
        nc.output_size(5, 3, padding=tuple(side - 1 if side == 0 else side for side in size))
    with pytest.raises(TypeError, match=r"^Pad: expected value to be a number, got 'one'$"):
        nc.Pad((1, 1), value="one")


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


# Looks

CALLS = [
    "Conv2d(3, 6, 3)",
    "Conv2d(3, 6, (3, 5), stride=(1, 2), padding=1, dilation=2, groups=3)",
    "Conv2d(3, 6, 3, padding='same', bias=False, padding_mode='reflect')",
    "ConvTranspose2d(3, 6, 3)",
    "ConvTranspose2d(3, 6, (3, 5), stride=(2, 3), padding=1, output_padding=1, groups=3, bias=False, dilation=2)",
    "Upsample(size=7)",
    "Upsample(size=(7, 9), mode='bilinear', align_corners=True)",
    "Upsample(scale_factor=2.0)",
    "Upsample(scale_factor=(1.0, 2.5))",
    "MaxPool2d(2)",
    "MaxPool2d((3, 2), stride=2, padding=1, return_indices=True, ceil_mode=True)",
    "AvgPool2d(2)",
    "AvgPool2d(3, stride=(2, 1), padding=1, count_include_pad=False, divisor_override=4)",
    "AdaptiveAvgPool2d(7)",
    "AdaptiveMaxPool2d((None, 2), return_indices=True)",
    "Linear(256, 120)",
    "Linear(256, 120, bias=False)",
    "Flatten()",
    "Unflatten(1, (2, -1))",
    "Reshape((-1, 400))",
    "Reshape((3, 3))",
    "Unsqueeze(-1)",
    "Squeeze(2)",
    "Pad((1, 1))",
    "Pad((0, 1, 0, 1, -2, -2), value=-1.0)",
    "Select(1, 0)",
    "Slice(1)",
    "Slice(-1, start=1, end=-1, step=2)",
    "Chunk(2, 1)",
    "Chunk(3, 0, dim=1)",
    "Mean(1)",
    "Mean((2, 3), keepdim=True)",
    "Affine()",
    "Affine(scale=0.5, shift=-1.0)",
    "Flatten(start_dim=0, end_dim=2)",
    "Identity()",
    "ReLU()",
    "LeakyReLU()",
    "LeakyReLU(negative_slope=0.2)",
    "PReLU()",
    "PReLU(num_parameters=3, init=0.5)",
    "Hardtanh()",
    "Hardtanh(min_val=0.0, max_val=2.0)",
    "ReLU6()",
    "Hardsigmoid()",
    "Hardswish()",
    "ELU()",
    "ELU(alpha=0.5)",
    "Softplus()",
    "Softplus(beta=2.0, threshold=6.0)",
    "SiLU()",
    "GELU()",
    "GELU(approximate='tanh')",
    "Sigmoid()",
    "Tanh()",
    "Softmax(1)",
    "LogSoftmax(-1)",
    "Dropout()",
    "Dropout(p=0.2)",
    "Dropout2d()",
    "Dropout2d(p=0.2)",
    "StochasticDepth(0.2, 'row')",
    "Permute((0, 2, 3, 1))",
    "ChannelShuffle(2)",
    "Scale((3, 1, 1))",
    "Scale((4, 4), init=0.5)",
    "BatchNorm2d(64)",
    "BatchNorm2d(64, eps=0.001, momentum=None, affine=False, track_running_stats=False)",
    "InstanceNorm2d(64)",
    "InstanceNorm2d(64, eps=0.001, momentum=None, affine=True, track_running_stats=True)",
    "GroupNorm(4, 64)",
    "GroupNorm(4, 64, eps=0.001, affine=False)",
    "LayerNorm((64,))",
    "LayerNorm((7, 7), eps=1e-06, elementwise_affine=False, bias=False)",
    "LocalResponseNorm(5)",
    "LocalResponseNorm(5, alpha=0.0002, beta=0.5, k=2.0)",
    "CrossEntropyLoss()",
    "CrossEntropyLoss(ignore_index=3, reduction='sum', label_smoothing=0.1)",
    "NLLLoss(reduction='none')",
    "MSELoss()",
]


@pytest.mark.parametrize("call", CALLS)
def test_repr_is_the_constructor_call_without_defaults(call):
    assert repr(eval(call, dict(vars(nc)))) == call


def test_every_leaf_has_its_repr_tested():
    composites = {"Layer", "Module", "Loss", "Sequential", "Add", "Multiply", "Concat", "Auxiliary", "Graph", "Block"}
    kinds = {
        name for name in nc.__all__ if isinstance(getattr(nc, name), type) and issubclass(getattr(nc, name), nc.Module)
    }
    assert {call.partition("(")[0] for call in CALLS} == kinds - composites


def test_repr_of_a_network_is_a_tree():
    assert repr(nc.Sequential(nc.Conv2d(1, 2, 3), nc.Add(nc.Identity(), nc.ReLU()))) == (
        "Sequential(\n    (0): Conv2d(1, 2, 3)\n    (1): Add(\n        (0): Identity()\n        (1): ReLU()\n    )\n)"
    )
    assert repr(Net()).startswith(
        "Net(\n    (head): Linear(8, 3)\n    (features): Sequential(\n        (0): Conv2d(2, 4, 3, padding=1)\n"
    )


# Randomness

RANDOM = [
    lambda rng: nc.Linear(20, 30, rng=rng),
    lambda rng: nc.Conv2d(2, 3, 5, rng=rng),
    lambda rng: LeNet(rng=rng),
    lambda rng: nc.models.LeNet5(rng=rng),
]


def weights(module):
    return np.concatenate([parameter.data.ravel() for parameter in module.parameters()])


@pytest.mark.parametrize("build", RANDOM, ids=["Linear", "Conv2d", "LeNet", "LeNet5"])
def test_rng_is_none_a_seed_or_a_generator(build):
    np.testing.assert_array_equal(weights(build(7)), weights(build(7)))
    np.testing.assert_array_equal(weights(build(7)), weights(build(np.random.default_rng(7))))
    assert (weights(build(7)) != weights(build(8))).any()
    assert (weights(build(None)) != weights(build(None))).any()
    generator = np.random.default_rng(7)
    first, second = build(generator), build(generator)
    np.testing.assert_array_equal(weights(first), weights(build(7)))
    assert (weights(first) != weights(second)).any(), "the generator that was passed on did not advance"


def test_no_two_layers_of_a_model_begin_alike():
    first, *others = [parameter.data.ravel()[:4].tolist() for parameter in LeNet(rng=0).parameters()]
    assert first not in others


def test_both_dtypes_begin_with_the_same_numbers():
    np.testing.assert_array_equal(weights(LeNet(rng=0)), weights(LeNet(rng=0, dtype=np.float64)).astype(np.float32))


def test_no_global_seed_is_read_or_moved():
    np.random.seed(0)  # noqa: NPY002 - the very thing that must not matter
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    Net()(draw(2, 2, 5, 4))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    first = weights(LeNet())
    np.random.seed(0)  # noqa: NPY002
    assert (first != weights(LeNet())).any()


def test_dropout_draws_a_new_mask_each_time_and_repeats_them_from_its_seed():
    first, second, x = nc.Dropout(rng=3), nc.Dropout(rng=3), np.ones(50)
    masks = [first(x), first(x)]
    assert (masks[0] != masks[1]).any()
    np.testing.assert_array_equal([second(x), second(x)], masks)


# The initial values are PyTorch's in distribution

INITIAL = {
    "Linear": (lambda make, **rng: make(50, 8192, **rng), 50),
    "Conv2d": (lambda make, **rng: make(6, 8192, (3, 5), **rng), 6 * 15),
    "ConvTranspose2d": (lambda make, **rng: make(2, 8192, (3, 5), **rng), 8192 * 15),
    "grouped Conv2d": (lambda make, **rng: make(8, 8192, (2, 3), groups=4, **rng), 2 * 6),
}


@pytest.mark.parametrize("name", ["weight", "bias"])
@pytest.mark.parametrize("kind", INITIAL)
def test_initial_values_are_distributed_as_torchs(kind, name):
    build, fan_in = INITIAL[kind]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = getattr(build(getattr(nn, kind.split()[-1])), name).detach().numpy()
    ours = getattr(build(getattr(nc, kind.split()[-1]), rng=0), name).data
    assert ours.shape == theirs.shape
    bound = np.float32(1 / np.sqrt(fan_in))
    for values in (ours, theirs):
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.998 * bound
        assert abs(values.mean()) < 0.03 * bound
        assert values.var() == pytest.approx(bound**2 / 3, rel=0.05)
    assert ours.var() == pytest.approx(theirs.var(), rel=0.05)
    assert largest_gap(ours.ravel(), theirs.ravel()) < 0.03


def largest_gap(a, b):
    """Return the largest difference of two empirical distributions (Kolmogorov and Smirnov's statistic)."""
    at = np.concatenate([a, b])
    shares = [np.searchsorted(np.sort(values), at, "right") / len(values) for values in (a, b)]
    return np.abs(shares[0] - shares[1]).max()


# no_grad, and threads


def test_no_grad_nests_and_ends_with_its_block_even_by_an_error():
    with nc.no_grad():
        with nc.no_grad():
            assert not nc.is_grad_enabled()
        assert not nc.is_grad_enabled()
        with pytest.raises(KeyError), nc.no_grad():
            raise KeyError
        assert not nc.is_grad_enabled()
    assert nc.is_grad_enabled()
    with pytest.raises(KeyError), nc.no_grad():
        raise KeyError
    assert nc.is_grad_enabled()


def test_one_no_grad_may_be_entered_inside_itself():
    quiet = nc.no_grad()
    with quiet:
        with quiet:
            assert not nc.is_grad_enabled()
        assert not nc.is_grad_enabled()
    assert nc.is_grad_enabled()


def test_no_grad_decorates_functions_that_call_themselves():
    @nc.no_grad()
    def countdown(n):
        assert not nc.is_grad_enabled()
        return [n, *countdown(n - 1)] if n else []

    assert countdown(3) == [3, 2, 1]
    assert countdown(2) == [2, 1]
    assert nc.is_grad_enabled()


def test_no_grad_is_for_one_thread():
    with nc.no_grad(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(nc.is_grad_enabled).result()
        pool.submit(nc.no_grad().__enter__).result()
        assert not pool.submit(nc.is_grad_enabled).result()
    assert nc.is_grad_enabled()


def test_a_decorated_function_may_run_in_two_threads_at_once():
    first_is_in, second_is_in, first_is_out = threading.Event(), threading.Event(), threading.Event()

    @nc.no_grad()
    def meet(mine, other):
        mine.set()
        assert other.wait(10)

    def first():  # already in a no_grad of its own
        with nc.no_grad():
            meet(first_is_in, second_is_in)
            first_is_out.set()
            return nc.is_grad_enabled()

    def second():
        assert first_is_in.wait(10)
        meet(second_is_in, first_is_out)
        return nc.is_grad_enabled()

    with ThreadPoolExecutor(2) as pool:
        inside, outside = pool.submit(first), pool.submit(second)
        assert (inside.result(), outside.result()) == (False, True)


def side_by_side(function, arguments):
    """Call a function in a thread for each argument, all of them in step, line by line of the library.

    Left to themselves, threads meet in the few lines where they could do harm once in a thousand runs.
    """
    library, barrier = str(Path(nc.__file__).parent), threading.Barrier(len(arguments))

    def trace(frame, event, _):
        if frame.f_code.co_filename.startswith(library):
            if event == "line":
                with contextlib.suppress(threading.BrokenBarrierError):
                    barrier.wait(5)
            return trace
        return None

    def run(argument):
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            return function(argument)
        finally:
            sys.settrace(before)
            barrier.abort()  # who is done keeps nobody waiting

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments))


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (Net(rng=0), (3, 2, 9, 7)),
        (LeNet(rng=0), (2, 1, 28, 28)),
        (nc.models.LeNet5(rng=0), (2, 1, 32, 32)),
        (nc.Sequential(nc.LocalResponseNorm(3), nc.AvgPool2d(2), nc.Flatten(2), nc.Softmax(2)), (2, 4, 6, 6)),
    ],
    ids=["Net", "LeNet", "LeNet5", "others"],
)
def test_one_model_serves_four_threads_with_the_same_bits(model, shape):
    model.eval()
    batches = [draw(*shape, seed=seed) for seed in range(24)]

    @nc.no_grad()
    def predict(x):
        return model(x)

    in_step = side_by_side(predict, batches[:4])  # first, while nothing is cached
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(predict, batches))
    alone = [predict(x) for x in batches]
    np.testing.assert_array_equal(in_step, alone[:4])
    np.testing.assert_array_equal(together, alone)


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
