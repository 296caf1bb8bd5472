"""The training script: what it prints and writes, what it makes of wrong input, and how it ends."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch

import numpycnn as nc
from parity import twins

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import mnist_data
import train_mnist
import train_report
import train_sides
from train_flags import parse_flags
from train_images import preparation
from whole_file import whole_file

SCRIPTS = Path(train_mnist.__file__).parent
RAW = Path("MNIST", "raw")
FILES = {"config.toml", "checkpoints", "metrics.json", "learning_curves.png", "report.html", "numpy.npz", "torch.npz"}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A folder as --data takes it."""
    return mnist_data.unpack_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Let nothing be written but below a temporary folder, and nothing be downloaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mnist_data.MNIST, "download", lambda self: pytest.fail("a download was tried"))


@pytest.fixture
def run(sample):
    """Run the script on a few images; return its exit code, its record and its weights."""

    def run_on(*flags, images=256, out="out"):
        code = train_mnist.main(["--data", str(sample), "--limit", str(images), "--out", out, *flags])
        record = json.loads(Path(out, "metrics.json").read_text(), parse_constant=pytest.fail)
        weights = {}
        for path in Path(out).glob("*.npz"):
            with np.load(path, allow_pickle=False) as file:
                weights[path.stem] = dict(file)
        return code, record, weights

    return run_on


def test_a_run_learns_and_tells_of_it(run, capsys):
    code, record, weights = run("--epochs", "3", "--batch-size", "16", "--lr", "0.05", images=320)
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")

    rows = record["epochs"]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    for side in ("numpy", "torch"):
        assert rows[0][side]["loss"] > rows[-1][side]["loss"]
        assert rows[-1][side]["test_accuracy"] > 0.5
        assert all(row[side]["seconds"] > 0 for row in rows)
    assert [point["epoch"] for point in record["curve"]] == [0.8, 1, 1.8, 2, 2.8, 3]  # 20 steps are a turn of 16, and 4
    for epoch, row in enumerate(rows):
        turns = [point["numpy"] for point in record["curve"][2 * epoch : 2 * epoch + 2]]
        assert row["numpy"]["loss"] == pytest.approx(np.average(turns, weights=[16, 4]))
    assert rows[-1]["largest_difference"] == max(
        np.abs(weights["numpy"][name] - weights["torch"][name]).max() for name in weights["numpy"]
    )
    assert rows[-1]["largest_difference"] == record["curve"][-1]["largest_difference"]
    assert (record["data"]["train_images"], record["data"]["test_images"]) == (320, 320)
    assert (record["settings"]["lr"], record["settings"]["seed"], record["interrupted"]) == (0.05, 0, False)

    table = [line.split() for line in out.splitlines() if re.match(r"\d", line)]
    for cells, row in zip(table, rows, strict=True):
        assert cells[0] == f"{row['epoch']:g}"
        assert cells[1:3] == [f"{row[side]['loss']:.4f}" for side in ("numpy", "torch")]
        assert cells[3:5] == [f"{row[side]['test_accuracy']:.2%}" for side in ("numpy", "torch")]
        assert cells[7] == f"{row['numpy']['seconds'] / row['torch']['seconds']:.2f}"
        assert cells[8] == f"{row['largest_difference']:.1e}"
    assert out.splitlines()[-1] == f"{train_report.summary(record)} Files in out"
    assert out.splitlines()[-1].startswith("Done: 3 of 3 epochs, test accuracy of numpy ")


def test_the_files_of_a_run_are_whole_and_can_be_used(run, sample):
    _, record, weights = run("--epochs", "1")
    assert {path.name for path in Path("out").iterdir()} == FILES
    image = Path("out", "learning_curves.png").read_bytes()
    assert image.startswith(b"\x89PNG") and image.endswith(b"IEND\xaeB`\x82")

    digits = mnist_data.load(sample).first(256)
    images = preparation(parse_flags([], ""))(digits.test_images)
    model, twin = nc.models.LeNet(), twins.LeNet()
    with np.load("out/numpy.npz", allow_pickle=False) as file:
        model.load_state_dict(file)
    twin.load_state_dict({name: torch.from_numpy(value) for name, value in weights["torch"].items()})
    for side, scores in (("numpy", model(images)), ("torch", twin(torch.from_numpy(images)).detach().numpy())):
        accuracy = np.mean(scores.argmax(1) == digits.test_labels)
        assert record["epochs"][-1][side]["test_accuracy"] == accuracy


@pytest.mark.parametrize(
    ("model", "optimizer"), [("lenet", "sgd"), ("lenet", "adam"), ("lenet", "adamw"), ("lenet5", "sgd")]
)
def test_in_float64_both_sides_are_the_same(run, model, optimizer):
    flags = ["--dtype", "float64", "--epochs", "1", "--batch-size", "50", "--model", model, "--optimizer", optimizer]
    _, record, weights = run(*flags, images=220)  # the last batch is a small one
    for name, ours in weights["numpy"].items():
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, weights["torch"][name], rtol=0, atol=1e-9)
    (row,) = record["epochs"]
    assert row["numpy"]["test_accuracy"] == row["torch"]["test_accuracy"]
    assert row["numpy"]["loss"] == pytest.approx(row["torch"]["loss"], abs=1e-12)
    assert row["largest_difference"] < 1e-9


def test_the_seed_decides_all_and_each_side_can_run_alone(run, capsys):
    _, _, both = run("--epochs", "1", images=96)
    _, record, alone = run("--epochs", "1", "--side", "numpy", images=96, out="alone")
    _, _, other = run("--epochs", "1", "--side", "numpy", "--seed", "1", images=96, out="other")
    assert set(alone) == {"numpy"} and "torch" not in record["epochs"][0]
    for name, value in both["numpy"].items():
        assert np.array_equal(value, alone["numpy"][name])
        assert not np.array_equal(value, other["numpy"][name])
    _, record, alone = run("--epochs", "1", "--side", "torch", images=96, out="twin")
    assert set(alone) == {"torch"} and "numpy" not in record["epochs"][0]
    assert all(np.array_equal(value, alone["torch"][name]) for name, value in both["torch"].items())
    assert "points apart" not in capsys.readouterr().out.splitlines()[-1]


def test_our_side_stops_where_it_diverges(sample, capsys):
    flags = ["--data", str(sample), "--limit", "64", "--batch-size", "8", "--out", "out", "--lr", "1e20"]
    assert train_mnist.main(flags) == 1
    err = capsys.readouterr().err
    assert err.startswith("train_mnist.py: expected a finite loss, got nan in step ")
    assert err.endswith("; the last checkpoint: none\n")
    assert not Path("out", "metrics.json").exists()  # no epoch is through


def test_a_run_that_diverges_later_keeps_what_was_reached(sample, capsys, monkeypatch):
    note = train_sides.NumpySide.note

    def poisoned(self, step):
        note(self, step)
        if step.number == 20:  # of 8 an epoch
            self.model.fc1.weight.data[0] = np.nan

    monkeypatch.setattr(train_sides.NumpySide, "note", poisoned)
    flags = ["--data", str(sample), "--limit", "64", "--batch-size", "8", "--out", "out", "--epochs", "9"]
    assert train_mnist.main(flags) == 1
    err = capsys.readouterr().err
    assert "in step 21, at a learning rate of 0.01" in err
    assert "the output of fc1: Linear(256, 120), whose weight is not finite either" in err
    assert err.endswith(f"; the last checkpoint: {Path('out/checkpoints/step-00000016.npz')}\n")
    assert len(json.loads(Path("out", "metrics.json").read_text())["epochs"]) == 2


def test_the_twin_alone_diverges_in_numbers(run, capsys):
    code, record, _ = run("--epochs", "1", "--batch-size", "8", "--lr", "1e20", "--side", "torch", images=64)
    assert code == 0
    assert record["epochs"][0]["torch"]["loss"] is None  # JSON knows no NaN
    out, err = capsys.readouterr()
    assert "nan" in out and err == ""


@pytest.mark.parametrize("error", [RuntimeError("Error downloading"), URLError("no network"), TimeoutError()])
def test_without_network_the_bundled_sample_is_used(monkeypatch, capfd, error):
    def fail(self):
        print("noise", file=sys.stderr)
        raise error

    monkeypatch.setattr(mnist_data.MNIST, "download", fail)
    digits = mnist_data.load()
    out, err = capfd.readouterr()
    assert out.count("\n") == 1 and "not possible here: using the bundled sample" in out
    assert err == ""
    assert digits.source == "the bundled sample of MNIST"
    assert digits.train_images.shape == (10_000, 28, 28) and digits.test_images.shape == (2_000, 28, 28)
    assert digits.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(digits.test_labels, minlength=10).min() > 150


def test_a_download_is_kept(monkeypatch, capfd):
    monkeypatch.setattr(mnist_data.MNIST, "download", lambda self: mnist_data.unpack_sample(Path(self.root)))
    assert mnist_data.load().source == "MNIST in data"
    monkeypatch.setattr(mnist_data.MNIST, "download", lambda self: pytest.fail("downloaded again"))
    assert mnist_data.load().source == "MNIST in data"
    assert capfd.readouterr().out == "Downloading MNIST into data (11 MB) ... done.\n"


def test_the_bundled_sample_is_the_beginning_of_mnist():
    folder = SCRIPTS / "mnist_sample"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 3_000_000
    told = dict(re.findall(r"`(\S+-ubyte)`.*`([0-9a-f]{64})`", (folder / "README.md").read_text()))
    root = mnist_data.unpack_sample(Path("sample"))
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (root / RAW).iterdir()}
    assert found == told and set(found) == set(mnist_data.FILES)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path):
    path.write_bytes(b"")


def overwrite(path):
    path.write_bytes(b"<html>" + path.read_bytes()[6:])


def mislabel(path):
    path.write_bytes(path.read_bytes()[:-1] + b"\x0a")


def shorten(path):
    path.write_bytes(path.read_bytes()[:4] + (7).to_bytes(4, "big") + bytes(7))


def shrink(path):
    path.write_bytes(path.read_bytes()[:8] + (14).to_bytes(4, "big") + (56).to_bytes(4, "big") + path.read_bytes()[16:])


def pack(path):
    path.rename(path.with_name(path.name + ".gz"))


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        ("train-images-idx3-ubyte", cut, "damaged: it has 7,840,015 bytes, and its header says 7,840,016"),
        ("t10k-images-idx3-ubyte", empty, "does not begin as an MNIST file"),
        ("t10k-labels-idx1-ubyte", overwrite, "does not begin as an MNIST file"),
        ("train-labels-idx1-ubyte", mislabel, "a label above 9"),
        ("t10k-labels-idx1-ubyte", shorten, "holds 7 labels for 2,000 test images"),
        ("t10k-images-idx3-ubyte", shrink, "images of 14x56 pixels, expected 28x28"),
        ("train-labels-idx1-ubyte", Path.unlink, "is missing; put MNIST's own file there, or leave --data out"),
        ("train-images-idx3-ubyte", pack, "is missing; unpack it: gunzip -k"),
        ("train-images-idx3-ubyte", lambda path: shutil.rmtree(path.parents[2]), "is missing"),
    ],
)
def test_damaged_data_is_told_in_a_sentence(sample, capfd, file, damage, words):
    shutil.copytree(sample, "mine")
    damage(Path("mine") / RAW / file)
    assert train_mnist.main(["--data", "mine"]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"train_mnist.py: {Path('mine') / RAW / file} ") and words in err
    assert not Path("runs").exists()


def test_a_folder_for_results_that_cannot_be_made_is_told_in_a_sentence(sample, capfd):
    Path("taken").write_text("a file")
    assert train_mnist.main(["--data", str(sample), "--out", "taken"]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and "'taken'" in err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--epochs", "0"], "argument --epochs: expected a whole number of at least 1, got '0'"),
        (["--batch-size", "many"], "argument --batch-size: expected a whole number of at least 1, got 'many'"),
        (["--lr", "-1"], "argument --lr: expected a number above 0, got '-1'"),
        (["--lr", "nan"], "argument --lr: expected a number above 0, got 'nan'"),
        (["--seed", "-3"], "argument --seed: expected a whole number of at least 0, got '-3'"),
        (["--dtype", "float16"], "argument --dtype: invalid choice: 'float16'"),
        (["--sides", "jax"], "unrecognized arguments: --sides jax"),
    ],
)
def test_wrong_flags_are_told_in_a_sentence(capsys, flags, sentence):
    with pytest.raises(SystemExit) as end:
        train_mnist.main(flags)
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]


def interrupt_at_step(monkeypatch, number, times=1):
    """Let Ctrl-C come when our side has taken its n-th step."""
    note = train_sides.NumpySide.note

    def interrupted(self, step):
        note(self, step)
        if step.number == number:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(train_sides.NumpySide, "note", interrupted)


def test_after_an_interrupt_what_was_reached_is_written(run, capsys, monkeypatch):
    interrupt_at_step(monkeypatch, 45)  # of 40 an epoch
    before = signal.getsignal(signal.SIGINT)
    code, record, weights = run("--dtype", "float64", "--batch-size", "8", images=320)
    assert code == 130 and record["interrupted"]
    assert [row["epoch"] for row in record["epochs"]] == [1, 1.4]  # the turn of 16 steps was finished, on both sides
    assert record["epochs"][-1]["largest_difference"] < 1e-9
    assert set(weights) == {"numpy", "torch"}
    assert {path.name for path in Path("out").iterdir()} == FILES
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("Interrupted after 1.4 of 5 epochs, test accuracy of numpy ") and err == ""
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_ends_at_once(sample, capsys, monkeypatch):
    interrupt_at_step(monkeypatch, 2, times=2)
    assert train_mnist.main(["--data", str(sample), "--limit", "64", "--batch-size", "8", "--out", "out"]) == 130
    assert capsys.readouterr().err == "train_mnist.py: interrupted before all was written\n"
    assert list(Path("out").iterdir()) == [Path("out", "config.toml")]


@pytest.mark.skipif(sys.platform == "win32", reason="there, no signal reaches another process as Ctrl-C does")
def test_ctrl_c_from_outside(sample):
    command = [sys.executable, str(SCRIPTS / "train_mnist.py"), "--data", str(sample), "--out", "out"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--limit", "64", "--epochs", "100000"], **pipes) as process:
        while not process.stdout.readline().startswith("2 "):  # two epochs are through
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert out.splitlines()[-1].startswith("Interrupted after ")
    assert {path.name for path in Path("out").iterdir()} == FILES


def test_results_never_land_in_a_folder_that_is_there(monkeypatch):
    monkeypatch.setattr(train_mnist.time, "strftime", lambda form: "now")
    assert [train_mnist.make_folder(None) for _ in range(3)] == [Path("runs", f"now{n}") for n in ("", "_2", "_3")]


def test_a_file_is_whole_or_as_it_was():
    path = Path("file.txt")
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as draft:
        draft.write_text("ne")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and list(Path().iterdir()) == [path]
    with whole_file(path) as draft:
        draft.write_text("new")
    assert path.read_text() == "new" and list(Path().iterdir()) == [path]
