"""The training script's settings and their consequences: files of them, presets, data sets, going on with a run."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import mnist_data
import train_mnist
import train_report
import train_sides
from train_flags import DEFAULTS, PRESETS, parse_flags, write_config
from train_images import augmentation, preparation, variations

SCRIPT = Path(train_mnist.__file__)
RUN = ["--batch-size", "8", "--epochs", "3", "--rotate", "5", "--shift", "1"]  # on 100 images: 13 steps an epoch


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder as --data takes it: digits, and the same files for clothes."""
    root = mnist_data.unpack_sample(tmp_path_factory.mktemp("sample"))
    shutil.copytree(root / "MNIST", root / "FashionMNIST")
    return root


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Let nothing be written but below a temporary folder, and nothing be downloaded or drawn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_report, "learning_curves", lambda record: Figure())
    monkeypatch.setattr(mnist_data.MNIST, "download", lambda self: pytest.fail("a download was tried"))


def run(data, *flags, images=100):
    return train_mnist.main(["--data", str(data), "--limit", str(images), *flags])


def results(folder):
    """Return what came of a run but its seconds."""
    record = json.loads(Path(folder, "metrics.json").read_text())
    for row in record["epochs"]:
        for side in record["settings"]["sides"]:
            del row[side]["seconds"], row[side]["images_per_second"]
    weights = {}
    for path in Path(folder).glob("*.npz"):
        with np.load(path, allow_pickle=False) as file:
            weights[path.stem] = dict(file)
    return {"epochs": record["epochs"], "curve": record["curve"], "weights": weights}


# Going on


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory):
    """What comes of a run that is left alone."""
    folder = tmp_path_factory.mktemp("alone")
    assert run(data, *RUN, "--optimizer", "adam", "--out", str(folder)) == 0
    return results(folder)


def interrupt_at(monkeypatch, number):
    note = train_sides.NumpySide.note

    def interrupted(self, step):
        note(self, step)
        if step.number == number:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(train_sides.NumpySide, "note", interrupted)


@pytest.mark.parametrize("step", [1, 13, 20])
def test_a_run_that_was_interrupted_goes_on_bit_for_bit(data, alone, monkeypatch, capsys, step):
    monkeypatch.setattr(train_mnist, "BLOCK", 5)
    with monkeypatch.context() as patch:
        interrupt_at(patch, step)
        assert run(data, *RUN, "--optimizer", "adam", "--out", "out") == 130
    reached = results("out")["epochs"]
    assert len(reached) == step // 13 + (step % 13 > 0)
    capsys.readouterr()
    assert train_mnist.main(["--resume", "out"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines() if re.match(r"\d", line)] == ["1", "2", "3"] and err == ""
    resumed = results("out")
    np.testing.assert_equal(resumed["weights"], alone["weights"])
    assert resumed["epochs"] == alone["epochs"]


def test_a_run_that_was_killed_goes_on_bit_for_bit(data, alone):
    flags = [*RUN, "--optimizer", "adam", "--data", str(data), "--limit", "100", "--out", "out"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([sys.executable, SCRIPT, *flags], stdout=subprocess.PIPE, env=environment) as process:
        while not process.stdout.readline().startswith(b"1 "):  # an epoch is through
            assert process.poll() is None
        process.kill()
    assert train_mnist.main(["--resume", "out"]) == 0
    np.testing.assert_equal(results("out"), alone)


def test_the_torch_side_alone_and_a_finished_run_go_on_too(data, capsys):
    assert run(data, *RUN, "--side", "torch", "--model", "convnet", "--out", "out") == 0
    before = results("out")
    assert train_mnist.main(["--resume", "out", "--quiet"]) == 0
    np.testing.assert_equal(results("out"), before)
    assert capsys.readouterr().err == ""


def test_what_cannot_be_gone_on_with_is_told_in_a_sentence(data, capsys):
    with pytest.raises(SystemExit, match="2"):
        train_mnist.main(["--resume", "nowhere"])
    assert "train_mnist.py: error: cannot read nowhere/config.toml: " in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        train_mnist.main(["--resume", "out", "--lr", "0.1", "--batch-size", "3"])
    assert "goes on with the settings of that run; leave out --batch-size, --lr" in capsys.readouterr().err

    assert run(data, *RUN, "--side", "numpy", "--out", "out") == 0
    assert run(data, *RUN, "--side", "numpy", "--out", "out") == 1
    assert (
        capsys.readouterr().err
        == "train_mnist.py: out holds a run: go on with it by --resume out, or take another folder\n"
    )

    newest = sorted(Path("out/checkpoints").iterdir())[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    before = sorted(Path("out").rglob("*"))
    assert train_mnist.main(["--resume", "out"]) == 1
    err = capsys.readouterr().err
    assert "step-00000026.npz before it is whole: delete step-00000039.npz to go on from there" in err
    assert sorted(Path("out").rglob("*")) == before
    newest.unlink()
    assert train_mnist.main(["--resume", "out"]) == 0

    shutil.rmtree("out/checkpoints")
    assert train_mnist.main(["--resume", "out"]) == 1
    assert "out/checkpoints: expected a checkpoint to go on from, got none" in capsys.readouterr().err


# For machines


def test_lines_of_json_tell_the_same(data, capsys):
    assert run(data, *RUN, "--json", "--out", "out") == 0
    out, err = capsys.readouterr()
    start, *epochs, end = [json.loads(line, parse_constant=pytest.fail) for line in out.splitlines()]
    assert err == "" and start["event"] == "start" and start["settings"]["rotate"] == 5
    assert end == {"event": "end", "interrupted": False, "folder": "out"}
    record = json.loads(Path("out/metrics.json").read_text())
    assert epochs == [{"event": "epoch", **row} for row in record["epochs"]] and len(epochs) == 3
    now = epochs[0]["numpy"]
    assert now["images_per_second"] == pytest.approx(100 / now["seconds"])
    assert 0 <= now["train_accuracy"] <= 1


def test_a_download_says_nothing_where_a_machine_reads(monkeypatch, capsys):
    monkeypatch.setattr(mnist_data.MNIST, "download", lambda self: mnist_data.unpack_sample(Path(self.root)))
    flags = ["--limit", "20", "--epochs", "1", "--side", "numpy"]
    assert train_mnist.main([*flags, "--quiet", "--out", "quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    shutil.rmtree("data")
    assert train_mnist.main([*flags, "--json", "--out", "json"]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["start", "epoch", "end"]
    assert err.startswith("Downloading MNIST")


# Files of settings


def test_settings_come_from_a_file_and_flags_overrule_it(tmp_path):
    Path("my.toml").write_text('epochs = 7\nbatch-size = 32\nlr = 0.5\nflip = true\noptimizer = "adam"\n')
    flags = parse_flags(["--config", "my.toml", "--epochs", "9"], "")
    assert (flags.epochs, flags.batch_size, flags.lr, flags.flip, flags.optimizer) == (9, 32, 0.5, True, "adam")
    flags = parse_flags(["--preset", "mnist", "--config", "my.toml"], "")
    assert (flags.epochs, flags.rotate) == (7, 10)
    write_config(Path("again.toml"), flags)
    again = parse_flags(["--config", "again.toml"], "")
    assert {name: getattr(again, name) for name in DEFAULTS} == {name: getattr(flags, name) for name in DEFAULTS}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("epoch = 3", "my.toml: expected a setting of those that --help lists, got epoch = 3"),
        ("epochs = 0", "argument --epochs: expected a whole number of at least 1, got '0'"),
        ("epochs = 2.5", "argument --epochs: expected a whole number of at least 1, got '2.5'"),
        ("epochs = true", "got epochs = True"),
        ("flip = 1", "got flip = 1"),
        ("lr = [0.1]", "got lr = [0.1]"),
        ("quiet = true", "got quiet = True"),
        ("scale = 1", "argument --scale: expected a number of 0 to 0.9, got '1'"),
        ('dataset = "cifar"', "argument --dataset: invalid choice: 'cifar'"),
        ("epochs 3", "cannot read my.toml: "),
        (b"\xff", "cannot read my.toml: "),
        (None, "cannot read my.toml: [Errno 2] No such file or directory"),
    ],
)
def test_wrong_settings_are_told_in_a_sentence(capsys, text, sentence):
    if text is not None:
        Path("my.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SystemExit) as end:
        train_mnist.main(["--config", "my.toml"])
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.iterdir()))
def test_every_preset_runs_on_both_sides(data, preset):
    assert run(data, "--preset", preset, "--epochs", "2", "--dtype", "float64", "--out", "out", images=70) == 0
    found = results("out")
    for name, ours in found["weights"]["numpy"].items():
        np.testing.assert_allclose(ours, found["weights"]["torch"][name], rtol=0, atol=1e-9)
    with (PRESETS / f"{preset}.toml").open("rb") as file:
        assert tomllib.load(file)["dataset"] == preset


# Data sets, and what is made of images


def test_the_other_data_set_has_the_same_format(data, capsys):
    assert run(data, "--dataset", "fashion-mnist", "--epochs", "1", "--out", "out", images=20) == 0
    assert "20 training images and 20 test images of Fashion-MNIST" in capsys.readouterr().out
    assert json.loads(Path("out/metrics.json").read_text())["data"]["source"] == f"Fashion-MNIST in {data}"
    shutil.copytree(data / "MNIST", "digits/MNIST")
    assert run("digits", "--dataset", "fashion-mnist", "--out", "out2") == 2
    err = capsys.readouterr().err
    assert "digits/FashionMNIST/raw/train-images-idx3-ubyte is missing; put Fashion-MNIST's own file there" in err


def test_of_the_other_data_set_there_is_no_sample(monkeypatch, capsys):
    def fail(self):
        raise URLError("no network")

    monkeypatch.setattr(mnist_data.MNIST, "download", fail)
    assert train_mnist.main(["--dataset", "fashion-mnist"]) == 2
    out, err = capsys.readouterr()
    assert out == "Downloading Fashion-MNIST into data (30 MB) ... which is not possible here.\n"
    assert err == (
        "train_mnist.py: Fashion-MNIST cannot be downloaded here; name a folder that has it: --data FOLDER\n"
    )


def test_the_flags_say_how_images_are_varied():
    flags = ["--rotate", "9", "--shift", "7", "--scale", "0.5"]
    affine = "RandomAffine(9.0, translate=(0.25, 0.25), scale=(0.5, 1.5), interpolation='bilinear')"
    for given, expected in (
        ([], []),
        (flags, [affine]),
        (["--shift", "2", "--flip"], ["RandomCrop((28, 28), padding=2)", "RandomHorizontalFlip()"]),
    ):
        assert [repr(vary) for vary in variations(parse_flags(given, ""))] == expected


@pytest.mark.parametrize("model", ["lenet", "lenet5"])
@pytest.mark.parametrize(
    "varied", [[], ["--shift", "2"], ["--flip"], ["--rotate", "10", "--scale", "0.1", "--shift", "2"]]
)
def test_images_are_varied_for_training_alone(data, model, varied):
    flags = parse_flags(["--model", model, *varied], "")
    images = mnist_data.load(data).train_images[:50]
    plain = preparation(flags)(images)
    side = 32 if model == "lenet5" else 28
    assert plain.shape == (50, 1, side, side) and plain.dtype == np.float32
    assert abs(plain[:, :, side // 2 - 14 : side // 2 + 14, side // 2 - 14 : side // 2 + 14].mean()) < 0.2
    assert plain[0, 0, 0, 0] == pytest.approx(-0.1307 / 0.3081)
    first, again = (augmentation(flags)(images, np.random.default_rng(0)) for _ in range(2))
    other = augmentation(flags)(images, np.random.default_rng(1))
    assert np.array_equal(first, again) and first.shape == plain.shape and first.dtype == plain.dtype
    changed = (first != plain).any((1, 2, 3)).mean()
    assert changed == 0 if not varied else changed > 0.25
    assert np.array_equal(first, other) is not bool(varied)
    assert first.mean() == pytest.approx(plain.mean(), abs=0.1)
