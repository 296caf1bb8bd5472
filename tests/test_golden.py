"""Golden vectors: they are right, they bite, and anyone can read them."""

import ast
import hashlib
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import numpycnn as nc
from parity import __main__, golden, laws, ours, replay_command
from parity.corners import CORNERS
from parity.mistakes import CATALOGUE
from parity.registry import ROWS

ROOT = Path(__file__).parents[1]
VALUES = {laws.forward, laws.backward, laws.buffers}  # the laws of single calls, which vectors can hold


def export(folder, *flags):
    return __main__.main(["export", str(folder), *flags])


@pytest.fixture(scope="module")
def corners(tmp_path_factory):
    """The corner cases of all rows, exported once."""
    folder = tmp_path_factory.mktemp("golden") / "corners"
    assert export(folder, "--cases", "0") == 0
    return folder


@pytest.fixture
def small(tmp_path):
    """A small folder, to be damaged."""
    assert export(tmp_path / "small", "ReLU", "Linear", "--cases", "1") == 0
    return tmp_path / "small"


# Right


@pytest.mark.parametrize("row", ROWS)
def test_our_side_of_a_row_is_found_by_its_name(row):
    assert ours.constructor(row) is ROWS[row].ours


REPLAY = """
import sys
for name in ("torch", "torchvision", "hypothesis", "tqdm", "pytest"):
    sys.modules[name] = None  # whoever imports it now gets an ImportError
from parity.__main__ import main
sys.exit(main(["replay", *sys.argv[1:]]))
"""


def test_numpycnn_replays_every_row_without_torch_and_hypothesis(corners):
    command = [sys.executable, "-W", "error", "-c", REPLAY, str(corners)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()[1:]]
    assert {line[0] for line in lines} == set(CORNERS)
    assert all(line[-1] == "passes" and line[2] == "0" and float(line[3]) <= 1 for line in lines)


def test_drawn_cases_replay_in_both_dtypes_and_are_the_same_again(tmp_path, capsys):
    rows = ["BatchNorm2d", "CrossEntropyLoss", "Dropout", "Sequential"]
    for folder in ("one", "two"):
        assert export(tmp_path / folder, "--cases", "3", "--seed", "7", *rows) == 0
    entries = golden.read(tmp_path / "one")
    one, two = ((tmp_path / folder / golden.MANIFEST).read_bytes() for folder in ("one", "two"))
    assert one == two  # the hashes of all files are in it
    assert {(entry.row, entry.dtype) for entry in entries} == {(row, dtype) for row in rows for dtype in golden.DTYPES}
    assert sum(entry.name.startswith("drawn-") for entry in entries) == 4 * 3 * 2
    assert __main__.main(["replay", str(tmp_path / "one"), "Dropout"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[0] == "Dropout"


def test_cases_deserve_their_names(corners):
    arrays = {entry.file.removesuffix(".npz"): golden.load(corners, entry) for entry in golden.read(corners)}
    assert arrays["Conv2d/empty_batch-float32"]["x"].shape[0] == 0
    assert arrays["ReLU/one_sample_without_batch-float64"]["x"].ndim == 1
    x = arrays["Linear/nan_and_infinities-float32"]["x"]
    assert np.isnan(x).any() and np.isposinf(x).any() and np.isneginf(x).any()
    assert arrays["MaxPool2d/padded_maxima-float64"]["y"][..., 0, 0].min() < 0
    tied = arrays["MaxPool2d/padded_ties-float64"]
    assert len(np.unique(tied["x"])) < 8
    assert arrays["MSELoss/mean_of_an_empty_batch-float64"]["y"].shape == ()


# They bite


@pytest.mark.parametrize(
    "planted",
    [bug for bug in CATALOGUE if bug.row in CORNERS and VALUES & set(bug.laws)],
    ids=lambda bug: f"{bug.row}-{bug.bug}",
)
def test_the_corner_cases_catch_every_mistake_in_a_value(planted, corners, monkeypatch):
    def broken(row):
        return lambda **kwargs: planted.ours(**{name: as_torch_spells_it(value) for name, value in kwargs.items()})

    monkeypatch.setattr(ours, "constructor", broken)
    assert replay_command.replay(corners, [planted.row])[planted.row].failed


def as_torch_spells_it(value):
    """Spell pairs as tuples, which JSON has not."""
    return tuple(value) if isinstance(value, list) and all(isinstance(side, int) for side in value) else value


def test_a_failure_says_where_and_by_how_much(small, monkeypatch, capsys):
    monkeypatch.setattr(ours, "constructor", lambda row: lambda **kwargs: nc.Identity())
    assert __main__.main(["replay", str(small), "ReLU"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].split()[-1] == "FAILS"
    assert "ReLU fails on ReLU/ties_and_zeros-float32.npz" in err
    assert "y[" in err and "expected 0.0 within 0, got -" in err


# Anyone can read them


def read_npz(path):
    """Read an archive as GOLDEN.md describes it, with Python's own means: name -> (shape, entries)."""
    content, at, arrays = path.read_bytes(), 0, {}
    while content[at : at + 4] == b"PK\x03\x04":
        *_, compression, _, _, _, size, full, name_length, extra = struct.unpack_from("<5H3I2H", content, at + 4)
        assert (compression, size) == (0, full)
        start = at + 30 + name_length + extra
        name = content[at + 30 : at + 30 + name_length].decode().removesuffix(".npy")
        assert content[start : start + 8] == b"\x93NUMPY\x01\x00"
        (header_length,) = struct.unpack_from("<H", content, start + 8)
        header = ast.literal_eval(content[start + 10 : start + 10 + header_length].decode("ascii"))
        assert not header["fortran_order"]
        count = 1
        for side in header["shape"]:
            count *= side
        kind = {"<f4": "f", "<f8": "d", "<i8": "q", "|b1": "?"}[header["descr"]]
        arrays[name] = header["shape"], struct.unpack_from(f"<{count}{kind}", content, start + 10 + header_length)
        at = start + size
    return arrays


def linear(arguments, arrays):
    """Say how each entry of what a linear layer makes follows from what it is given, in plain Python."""
    rows, columns = arguments["out_features"], arguments["in_features"]
    weight, x, dy = (arrays[name][1] for name in ("state/weight", "x", "dy"))
    _, bias = arrays.get("state/bias", ((), [0.0] * rows))
    samples = range(len(x) // columns)
    return {
        "y": lambda n, o: bias[o] + sum(weight[o * columns + i] * x[n * columns + i] for i in range(columns)),
        "dx": lambda n, i: sum(weight[o * columns + i] * dy[n * rows + o] for o in range(rows)),
        "grad/weight": lambda o, i: sum(dy[n * rows + o] * x[n * columns + i] for n in samples),
        "grad/bias": lambda o, _: sum(dy[n * rows + o] for n in samples),
    }


def test_the_description_is_enough_to_hold_a_linear_layer_to_the_vectors(corners):
    manifest = json.loads((corners / "manifest.json").read_text())
    assert (manifest["format"], manifest["version"]) == ("numpycnn golden vectors", 1)
    held = 0
    for case in manifest["cases"]:
        if case["row"] != "Linear" or case["name"] not in ("ties_and_zeros", "large_numbers", "no_bias"):
            continue
        assert hashlib.sha256((corners / case["file"]).read_bytes()).hexdigest() == case["sha256"]
        arrays = read_npz(corners / case["file"])
        entry = linear(case["arguments"], arrays)
        for name, allowed in case["tolerance"].items():
            shape, judge = arrays[name]
            width = shape[-1] if len(shape) > 1 else 1
            mine = [entry[name](*divmod(index, width)) for index in range(len(judge))]
            assert all(abs(a - b) <= allowed for a, b in zip(mine, judge, strict=True)), (case["file"], name)
            held += 1
    assert held == 2 * (4 + 4 + 3)


def test_the_reader_of_the_description_sees_what_numpy_sees(corners):
    for entry in golden.read(corners):
        if entry.row in ("Dropout", "MaxPool2d", "NLLLoss", "BatchNorm2d"):
            read, loaded = read_npz(corners / entry.file), golden.load(corners, entry)
            assert list(read) == list(loaded)
            for name, (shape, entries) in read.items():
                np.testing.assert_array_equal(np.array(entries).reshape(shape), loaded[name])
