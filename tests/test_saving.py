"""Models in files: what comes back, who is refused, and that a file is whole or as it was."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from small_net import Net, draw
from test_repr import CALLS
from torchvision.models import mobilenetv3

import numpycnn as nc
from numpycnn.layers import files
from numpycnn.layers.files import fixed_input
from parity.bridge import convert

ROOT = Path(__file__).parents[1]
SHAPES = {"Linear(256": (2, 256), "LayerNorm": (2, 3, 4, 5)}


def loaded(model, path, **kwargs):
    model.save(path, **kwargs)
    return nc.load(path)


class Scaled(nc.Block):
    """A block with an array of its own, which a layer of its wiring works with."""

    def __init__(self):
        self.inner = nc.Sequential(nc.Conv2d(2, 2, 1, rng=0), nc.BatchNorm2d(2))
        scale = nc.Scale((2, 1, 1), 0.5)
        self.gamma = scale.weight
        self.route(nc.Add(nc.Sequential(self.inner, scale), nc.Identity()), nc.Dropout(0.5))


def twice():
    """Wire a graph in which a layer stands at two nodes, and weights are shared with a third."""
    shared = nc.Conv2d(2, 2, 3, padding=1, rng=0)
    other = nc.Conv2d(2, 2, 3, padding=1, bias=False)
    other.weight = shared.weight
    act = nc.Tanh()
    return nc.Sequential(
        nc.Graph(
            a=(shared, "x"),
            b=(act, "a"),
            c=(shared, "b"),
            d=(act, "c"),
            y=(nc.Concat(nc.Identity(), nc.Identity(), dim=2), "b", "d"),
        ),
        other,
    )


def named():
    """Give the layers of a chain names, as PyTorch allows."""
    chain = nc.Sequential()
    chain.conv0, chain.norm0 = nc.Conv2d(2, 3, 3, rng=0), nc.BatchNorm2d(3)
    return chain


def small_mobilenet():
    config = mobilenetv3.InvertedResidualConfig
    layers = [config(8, 3, 16, 8, True, "RE", 2, 1, 1), config(8, 5, 24, 8, True, "HS", 1, 1, 1)]
    return convert(mobilenetv3.MobileNetV3(layers, 32, 5))


MODELS = {
    "chain": (
        lambda: nc.Sequential(nc.Conv2d(2, 3, 3, rng=0), nc.Sequential(nc.ReLU(), nc.Flatten(0, 1))),
        (2, 2, 4, 5),
    ),
    "block": (lambda: Net(rng=0), (2, 2, 5, 4)),
    "lenet": (lambda: nc.models.LeNet(rng=0), (2, 1, 28, 28)),
    "float64": (lambda: nc.models.LeNet(rng=0).to(np.float64), (2, 1, 28, 28)),
    "scaled": (Scaled, (2, 2, 4, 5)),
    "blocks in blocks": (lambda: nc.Sequential(Scaled(), Scaled()), (2, 2, 4, 5)),
    "graph": (twice, (2, 2, 4, 5)),
    "names": (named, (2, 2, 4, 5)),
    "branch for training": (lambda: nc.Auxiliary(nc.Conv2d(2, 3, 1, rng=0), nc.Flatten()), (2, 2, 4, 5)),
    "converted": (small_mobilenet, (2, 3, 32, 32)),
    "no parameters": (lambda: nc.Sequential(nc.MaxPool2d((2, 1)), nc.Unflatten(1, (1, -1))), (2, 2, 4, 5)),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_model_comes_back_whole(case, tmp_path):
    build, shape = MODELS[case]
    model = build()
    for name, array in model.named_arrays():
        if array.data.dtype.kind == "f":
            array.data[...] = np.abs(draw(*array.data.shape, seed=len(name))) + 0.1
    again = loaded(model, tmp_path / "net.safetensors")
    assert not any(layer.training for layer in again.modules())
    assert repr(again) == re.sub(r"\b(Net|LeNet|Scaled)\(", "Block(", repr(model))
    assert [*again.state_dict()] == [*model.state_dict()]
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], value, name)
        assert again.state_dict()[name].dtype == value.dtype
    assert again.num_parameters() == model.num_parameters()
    x = fixed_input(shape, np.float64 if case == "float64" else np.float32)
    y = model.eval()(x)
    np.testing.assert_array_equal(again(x), y)
    np.testing.assert_array_equal(again.backward(y), model.backward(y))
    for ours, theirs in zip(again.parameters(), model.parameters(), strict=True):
        np.testing.assert_array_equal(ours.grad, theirs.grad)
        ours.data += ours.grad  # which can be written to


@pytest.mark.parametrize("call", [call for call in CALLS if not call.partition("(")[0].endswith("Loss")])
def test_every_layer_can_be_saved(call, tmp_path):
    layer = eval(call, dict(vars(nc)))
    again = loaded(layer, tmp_path / "layer.safetensors")
    assert repr(again) == call
    assert type(again) is type(layer)
    np.testing.assert_equal(again.state_dict(), layer.state_dict())


def test_the_weights_are_a_state_dict_for_torch(tmp_path):
    model = nc.Sequential(nc.Conv2d(2, 3, 3, rng=0), nc.BatchNorm2d(3))
    model.save(tmp_path / "net.safetensors")
    theirs = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    theirs.load_state_dict(safetensors.torch.load_file(tmp_path / "net.safetensors"))
    np.testing.assert_array_equal(theirs[0].weight.detach().numpy(), model[0].weight.data)


def test_what_comes_back_learns_on(tmp_path):
    model = loaded(nc.models.LeNet(rng=0), tmp_path / "net.safetensors").train()
    x = fixed_input((2, 1, 28, 28))
    optimizer, loss = nc.optim.SGD(model.parameters(), lr=0.1), nc.CrossEntropyLoss()
    losses = []
    for _ in range(3):
        losses.append(loss(model(x), np.array([3, 4])))
        model.zero_grad()
        model.backward(loss.backward())
        optimizer.step()
    assert losses[2] < losses[0]
    model.fc3 = nc.Linear(84, 2)  # names and wiring are as they were
    assert model(x).shape == (2, 2)


def test_dropout_comes_back_with_masks_of_its_own(tmp_path):
    model = loaded(nc.Sequential(nc.Dropout(0.5), nc.Dropout(0.5)), tmp_path / "net.safetensors").train()
    x = np.ones(64, np.float32)
    assert (model[0](x) != model[1](x)).any()


def test_it_needs_numpy_and_safetensors_alone(tmp_path):
    path = tmp_path / "net.safetensors"
    small_mobilenet().save(path, input_shape=(1, 3, 32, 32))
    alone = (
        "import sys; sys.modules.update(torch=None, torchvision=None, parity=None)\n"
        f"import numpycnn as nc; model = nc.load({str(path)!r}); print(model(nc.fixed_input((1, 3, 32, 32))).shape)\n"
        "there = {name.partition('.')[0] for name, module in sys.modules.items() if module}\n"
        "print(there - sys.stdlib_module_names)"
    )
    done = subprocess.run([sys.executable, "-c", alone], cwd=ROOT, capture_output=True, text=True, check=True)
    shape, strangers = done.stdout.splitlines()
    assert shape == "(1, 5)"
    assert {name for name in eval(strangers) if not name.startswith(("_", "cython_runtime"))} == {
        "numpy",
        "numpycnn",
        "safetensors",
    }


# The output that goes with it


def test_the_fixed_input_is_the_same_everywhere():
    expected = [-1.0, 0.2360679, -0.5278641, 0.7082039, -0.0557281]
    np.testing.assert_allclose(fixed_input((5,)), expected, atol=1e-7)
    np.testing.assert_array_equal(fixed_input((3, 4)), fixed_input((3, 4), np.float64))
    assert fixed_input((3, 4)).dtype == np.float32
    assert abs(fixed_input((2, 3, 50, 50)).mean()) < 1e-3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_output_is_held_to(tmp_path, dtype):
    path, shape = tmp_path / "net.safetensors", (1, 1, 28, 28)
    model = nc.models.LeNet(rng=0).to(dtype)
    y = model.eval()(fixed_input(shape, dtype))
    model.train()
    loaded(model, path, input_shape=shape)
    assert all(layer.training for layer in model.modules())
    loaded(model, path, input_shape=shape, output=torch.from_numpy(y))
    off = y + 2 * files.NEAR[np.dtype(dtype).name] * np.abs(y).max()
    model.save(path, input_shape=shape, output=off)
    with pytest.raises(nc.ModelFileError, match=r"expected the output that was saved .* differs from it by 2\.0e-0"):
        nc.load(path)
    assert nc.load(path, check=False).num_parameters() == 44426
    model.save(path, input_shape=shape, output=y[:, :9])
    with pytest.raises(nc.ModelFileError, match=r"expected an output of shape \(1, 9\), got \(1, 10\)"):
        nc.load(path)


# What cannot be saved


class Mine(nc.Layer):
    def forward(self, x):
        return x


class Leaky(nc.ReLU):
    def forward(self, x):
        return super().forward(x) + x


class Doubled(nc.Sequential):
    def backward(self, dy):
        return 2 * super().backward(dy)


class Fixed(nc.Conv2d):
    def __init__(self):
        super().__init__(2, 3, 3)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Mine(), "got Mine as the model"),
        (nc.Sequential(nc.ReLU(), nc.Sequential(Mine())), "got Mine as 1.0"),
        (nc.Sequential(Leaky()), "got Leaky as 0"),
        (Doubled(), "got Doubled as the model"),
    ],
)
def test_layers_of_ones_own_are_refused(model, message, tmp_path):
    with pytest.raises(
        ValueError, match=f"^cannot save {type(model).__name__}: expected layers of numpycnn, {message}$"
    ):
        model.save(tmp_path / "net.safetensors")
    assert not any(tmp_path.iterdir())


def test_a_class_of_ones_own_that_only_builds_is_none(tmp_path):
    assert repr(loaded(Fixed(), tmp_path / "net.safetensors")) == "Conv2d(2, 3, 3)"


def test_without_safetensors_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for call in (lambda: nc.ReLU().save(tmp_path / "x"), lambda: nc.load(tmp_path / "x")):
        with pytest.raises(ImportError, match=r"pip install 'numpycnn-parity\[save\]'"):
            call()


# Whole or not at all


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "net.safetensors"
    nc.Linear(2, 3, rng=0).save(path)
    before = path.read_bytes()

    def full(tensors, draft, metadata):
        Path(draft).write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(OSError, match="no space"):
        nc.Linear(2, 3, rng=1).save(path)
    assert path.read_bytes() == before
    assert [*tmp_path.iterdir()] == [path]


def test_the_draft_is_on_the_disk_before_it_takes_the_place(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append("fsync"), fsync(handle)))
    monkeypatch.setattr(Path, "replace", lambda self, other: (done.append("replace"), replace(self, other)))
    nc.ReLU().save(tmp_path / "net.safetensors")
    assert done[:2] == ["fsync", "replace"]


def test_whoever_may_read_other_files_may_read_models(tmp_path):
    (tmp_path / "other").touch()
    nc.ReLU().save(tmp_path / "net.safetensors")
    assert (tmp_path / "net.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode
