"""Our layers as modules of torch: one memory under the same keys, one mode, and what is refused."""

import copy
import doctest
import pickle

import numpy as np
import pytest
import torch
from torch import nn

import numpycnn as nc
from parity import bridge, torch_module, twins
from parity.torch_module import TorchModule


def test_nothing_is_copied_on_the_way():
    seen = {}

    class Spy(nc.Layer):
        def forward(self, x):
            y = x + 1
            seen["x"], seen["y"] = x, y
            self.remember(y)
            return y

        def backward(self, dy):
            self.recall(dy)
            seen["dy"], seen["dx"] = dy, dy + 0
            return seen["dx"]

    x = torch.ones(5, requires_grad=True)
    y = TorchModule(Spy())(x)
    dy = torch.ones(5)
    (dx,) = torch.autograd.grad(y, x, dy)
    for name, tensor in {"x": x, "y": y, "dy": dy, "dx": dx}.items():
        assert seen[name].ctypes.data == tensor.data_ptr(), name


def test_parameters_and_buffers_are_one_memory_under_the_same_keys():
    model = nc.Sequential(nc.Conv2d(1, 2, 3, rng=0), nc.BatchNorm2d(2), nc.Dropout(0.5))
    module = TorchModule(model)
    assert list(module.state_dict()) == list(model.state_dict())
    assert [name for name, _ in module.named_parameters()] == [name for name, _ in model.named_parameters()]
    module(torch.randn(4, 1, 5, 5, generator=torch.Generator().manual_seed(0)))
    assert module.get_buffer("1.num_batches_tracked") == 1  # ours counts, torch sees
    with torch.no_grad():
        module.get_parameter("0.weight").fill_(3)  # torch fills, ours sees
    assert (model[0].weight.data == 3).all()
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, module.state_dict()[name].numpy())


def test_buffers_that_a_layer_makes_anew_stay_torchs():
    class Counts(nc.Layer):
        def __init__(self):
            self.calls = nc.Buffer(np.zeros((), np.int64))

        def forward(self, x):
            self.calls.data = self.calls.data + np.int64(1)
            return x + 1

    module = TorchModule(Counts())
    tensor = module.calls
    for _ in range(2):
        module(torch.ones(1))
    assert tensor == module.calls == module.ours.calls.data == 2


@pytest.mark.parametrize(
    "move",
    [
        lambda module: module.double(),
        lambda module: module.to(memory_format=torch.channels_last),
        lambda module: module.share_memory(),
        copy.deepcopy,
        lambda module: pickle.loads(pickle.dumps(module)),
        lambda module: module.load_state_dict(copy.deepcopy(module.state_dict()), assign=True) and module,
        lambda module: (
            nn.utils.vector_to_parameters(nn.utils.parameters_to_vector(module.parameters()), module.parameters())
            or module
        ),
    ],
    ids=["double", "channels_last", "share_memory", "deepcopy", "pickle", "assign", "vector_to_parameters"],
)
def test_memory_is_shared_wherever_torch_moves_it(move):
    module = move(TorchModule(nc.Sequential(nc.Conv2d(2, 2, 3, rng=0), nc.BatchNorm2d(2))))
    x = torch.ones(1, 2, 4, 4, dtype=module.get_parameter("0.weight").dtype)
    module(x).sum().backward()
    torch.optim.SGD(module.parameters(), lr=1.0).step()
    for name, own in module.ours.named_arrays():
        np.testing.assert_array_equal(own.data, module.state_dict()[name].numpy())
        assert own.data.ctypes.data == module.state_dict()[name].data_ptr()


@pytest.mark.parametrize("move", [lambda module: module.double(), lambda module: copy.deepcopy(module.double())])
def test_ours_runs_at_once_where_torch_moved_it(move):
    module = move(TorchModule(nc.Sequential(nc.Conv2d(2, 2, 3, rng=0), nc.BatchNorm2d(2))))
    module.ours(np.ones((1, 2, 4, 4)))
    assert module.get_buffer("1.num_batches_tracked") == 1


def test_other_weights_for_one_call_and_weights_that_are_computed():
    ours, theirs = nc.Linear(3, 3, rng=0, dtype=np.float64), nn.Linear(3, 3).double()
    bridge.to_torch(ours, theirs)
    x = torch.ones(2, 3, dtype=torch.float64)
    results = []
    for layer in (TorchModule(ours), theirs):
        weights = {"weight": torch.eye(3, dtype=torch.float64, requires_grad=True), "bias": layer.bias}
        once = torch.func.functional_call(layer, weights, x)
        twice = torch.func.functional_call(layer, {"weight": 2 * weights["weight"]}, once)
        nn.utils.parametrizations.weight_norm(layer)
        layer(twice).sum().backward()
        results.append([twice, weights["weight"].grad, *(parameter.grad for parameter in layer.parameters())])
    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(one, two)


def test_a_layer_at_two_places_is_one():
    layer = nc.Linear(3, 3, rng=0)
    model = nc.Graph(a=(layer, "x"), b=(nc.Tanh(), "a"), c=(layer, "b"))
    module, twin = TorchModule(model).double(), nn.Linear(3, 3).double()
    bridge.to_torch(layer, twin)
    assert len(list(module.parameters())) == 2
    assert list(module.state_dict()) == list(model.state_dict())
    x = torch.ones(2, 3, dtype=torch.float64)
    (module(x) ** 2).sum().backward()
    (twin(torch.tanh(twin(x))) ** 2).sum().backward()
    torch.testing.assert_close(module.get_parameter("a.weight").grad, twin.weight.grad)


def test_tied_weights_stay_tied():
    model = nc.Sequential(nc.Sequential(nc.Linear(3, 3, rng=0)), nc.Tanh(), nc.Sequential(nc.Linear(3, 3, rng=1)))
    model[2][0].weight = model[0][0].weight
    module = TorchModule(nc.Sequential(model, nc.Add(nc.Identity(), model[0])))
    assert list(module.state_dict()) == list(module.ours.state_dict())
    assert [name for name, _ in module.named_parameters()] == [name for name, _ in module.ours.named_parameters()]
    assert module.get_submodule("1.1") is module.get_submodule("0.0")


def test_weights_move_both_ways():
    model, twin = nc.models.LeNet(rng=0), twins.LeNet()
    bridge.to_torch(model, twin)
    other = nc.models.LeNet(rng=1)
    bridge.from_torch(twin, other)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], value)


# Modes


def test_modes_reach_every_layer():
    model = nc.Sequential(nc.Dropout(0.5), nc.Add(nc.BatchNorm2d(2), nc.Identity())).eval()
    module = TorchModule(model)
    assert not module.training
    module.train()
    assert all(layer.training for layer in model.modules())
    module.get_submodule("1.0").eval()
    assert not model[1][0].training and model[0].training
    module.eval()
    assert not any(layer.training for layer in model.modules())


# Refusals

LINEAR, LOSS = TorchModule(nc.Linear(3, 2)), TorchModule(nc.MSELoss())


@pytest.mark.parametrize(
    ("call", "kind", "says"),
    [
        (lambda: TorchModule(nn.ReLU()), TypeError, "expected a layer, a loss or a model of numpycnn, got ReLU"),
        (lambda: LINEAR(np.ones((1, 3))), TypeError, "expected x to be a tensor, got ndarray"),
        (lambda: LINEAR(torch.ones(1, 3, device="meta")), ValueError, "a dense tensor on the CPU, got .* on meta"),
        (lambda: LINEAR(torch.ones(1, 3).to_sparse()), ValueError, "a dense tensor on the CPU, got torch.sparse_coo"),
        (
            lambda: LINEAR(torch.ones(1, 3).double()),
            TypeError,
            r"float32, .*, got torch.float64; .* x.to\(torch.float32",
        ),
        (lambda: LINEAR(torch.ones(1, 3).half()), TypeError, "of dtype float32 or float64, got torch.float16"),
        (lambda: LINEAR(torch.ones(1, 3, dtype=torch.int64)), TypeError, "torch.float32, .* got torch.int64"),
        (lambda: TorchModule(nc.ReLU())(torch.ones(3, dtype=torch.int64)), TypeError, "got torch.int64"),
        (lambda: LINEAR(torch.ones(1, 4)), ValueError, "expected 3 features on the last axis, got 4"),
        (lambda: LINEAR.half(), TypeError, "expected the module of dtype float32 or float64, got torch.float16"),
        (lambda: LINEAR.to("meta"), ValueError, "expected the module to be a dense tensor on the CPU, got"),
        (lambda: LOSS(torch.ones(3), torch.ones(3, requires_grad=True)), ValueError, "a target that needs no gradient"),
        (lambda: LOSS(torch.ones(3), [1, 2, 3]), TypeError, "expected a target to be a tensor, got list"),
        (
            lambda: setattr(TorchModule(nc.models.LeNet()), "fc3", nn.Linear(84, 2)),
            TypeError,
            "replaced in the numpycnn model before it is wrapped, got another 'fc3'",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_a_sentence(call, kind, says):
    with pytest.raises(kind, match=says):
        call()
    assert LINEAR.weight.dtype == torch.float32 and LINEAR.weight.device.type == "cpu"  # nothing moved


def test_the_example_in_the_docstring_runs():
    results = doctest.testmod(torch_module)
    assert results.attempted > 5 and results.failed == 0


def test_it_shows_what_it_wraps():
    assert "(0): TorchModule(Conv2d(1, 2, 3))" in repr(nn.Sequential(TorchModule(nc.Conv2d(1, 2, 3))))
