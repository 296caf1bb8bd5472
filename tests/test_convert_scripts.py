"""The scripts that convert a network and classify images with it."""

import subprocess
import sys
import urllib.error
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
import torchvision
from PIL import Image

import numpycnn as nc

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import classify
import convert_torch

ROOT = Path(__file__).resolve().parents[1]

# convert_torch.py


@pytest.fixture(scope="module")
def squeezenet():
    torch.manual_seed(1)
    return torchvision.models.squeezenet1_1(num_classes=3).eval()


def save_pth(module, path):
    torch.save(module.state_dict(), path)


def save_safetensors(module, path):
    safetensors.torch.save_file(module.state_dict(), path)


@pytest.mark.parametrize(("suffix", "save"), [(".pth", save_pth), (".safetensors", save_safetensors)])
def test_a_state_dict_becomes_a_model_in_a_file(squeezenet, suffix, save, tmp_path, capsys):
    state, output = tmp_path / f"mine{suffix}", tmp_path / "net.safetensors"
    save(squeezenet, state)
    command = ["squeezenet1_1", "--state", str(state), "--classes", "3", "--side", "32", "--output", str(output)]
    assert convert_torch.main(command) == 0
    assert capsys.readouterr().out.startswith(f"{output}: 2.9 MB, 724,035 parameters;")
    x = nc.fixed_input((2, 3, 40, 40))
    with torch.no_grad():
        expected = squeezenet(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(nc.load(output)(x), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_weights_that_do_not_fit_are_refused(squeezenet, tmp_path, capsys):
    wrong, object_ = tmp_path / "wrong.pth", tmp_path / "object.pth"
    save_pth(torch.nn.Linear(2, 2), wrong)
    torch.save({"path": Path("a")}, object_)
    for state, message in (
        (wrong, "expected a state dict of squeezenet1_1"),
        (object_, "expected a file of arrays alone"),
        (tmp_path / "none.pth", "expected a state dict, got"),
    ):
        assert convert_torch.main(["squeezenet1_1", "--state", str(state), "--classes", "3"]) == 1
        assert message in capsys.readouterr().err
    assert convert_torch.main(["squeezenet9"]) == 1
    assert "got squeezenet9" in capsys.readouterr().err


def test_without_a_network_the_weights_are_missed(monkeypatch, capsys):
    def unreachable(name, weights):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torchvision.models, "get_model", unreachable)
    assert convert_torch.main(["resnet18", "--weights", "DEFAULT"]) == 1
    assert "no route to host" in capsys.readouterr().err


# classify.py


def test_an_image_is_classified(tmp_path, capsys):
    """By a network that answers with the brightest quarter of the image's middle."""
    model = nc.Sequential(nc.Conv2d(1, 1, 1, bias=False), nc.AdaptiveAvgPool2d(2), nc.Flatten())
    model.load_state_dict({"0.weight": np.full((1, 1, 1, 1), 9)})
    model.save(tmp_path / "net.safetensors", input_shape=(1, 1, 8, 8))
    pixels = np.zeros((16, 32), np.uint8)
    pixels[8:, 8:16] = 255  # lower left of the middle
    Image.fromarray(pixels).save(tmp_path / "image.png")
    (tmp_path / "labels.txt").write_text("upper left\nupper right\nlower left\nlower right\n")
    command = [str(tmp_path / "net.safetensors"), str(tmp_path / "image.png"), "--side", "8", "--top", "2"]
    assert classify.main([*command, "--labels", str(tmp_path / "labels.txt")]) == 0
    path, first, second = capsys.readouterr().out.splitlines()
    assert path == str(tmp_path / "image.png")
    assert first.split() == ["100.00%", "lower", "left"]
    assert second.split()[0] == "0.00%"
    assert classify.main(command) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["100.00%", "2"]


def test_a_colour_image_is_read_as_it_is_trained_on(tmp_path):
    Image.new("RGB", (10, 30), (255, 0, 128)).save(tmp_path / "image.png")
    x = classify.read(tmp_path / "image.png", 3, 20)
    assert x.shape == (1, 3, 20, 20)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x[0, :, 7, 9], [1, 0, 128 / 255], rtol=1e-6)


def test_a_file_that_is_no_model_is_named(tmp_path, capsys):
    (tmp_path / "net.safetensors").write_bytes(b"no")
    assert classify.main([str(tmp_path / "net.safetensors"), "image.png"]) == 1
    assert "expected a safetensors file that is whole" in capsys.readouterr().err


def test_classifying_needs_no_torch():
    blocked = "import sys; sys.modules.update(torch=None, torchvision=None, parity=None); sys.path.insert(0, 'scripts')"
    subprocess.run([sys.executable, "-c", f"{blocked}; import classify"], cwd=ROOT, check=True)
