"""Folders of golden vectors: whole or not there, and refused when damaged or foreign."""

import hashlib
import json
import re
import shutil

import numpy as np
import pytest

from parity import __main__, golden


def export(folder, *flags):
    return __main__.main(["export", str(folder), *flags])


@pytest.fixture
def small(tmp_path):
    """A small folder, to be damaged."""
    assert export(tmp_path / "small", "ReLU", "Linear", "--cases", "1") == 0
    return tmp_path / "small"


# Damaged and foreign folders


def damage_manifest(folder, change):
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def pickled(folder):
    """Put an array of objects where numbers were, with a manifest that knows it."""
    path = folder / "ReLU" / "drawn-0-float32.npz"
    np.savez(path, x=np.array([print], object))

    def change(manifest):
        (case,) = [case for case in manifest["cases"] if case["file"] == "ReLU/drawn-0-float32.npz"]
        case |= {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}

    damage_manifest(folder, change)


def in_the_first_case(**values):
    return lambda folder: damage_manifest(folder, lambda manifest: manifest["cases"][0].update(values))


def in_the_manifest(**values):
    return lambda folder: damage_manifest(folder, lambda manifest: manifest.update(values))


def flip(folder):
    path = folder / "ReLU/drawn-0-float32.npz"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


FILE = "ReLU/drawn-0-float32.npz"
DAMAGES = {
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "expected a manifest.json in"),
    "no JSON": (lambda folder: (folder / "manifest.json").write_text("[1,"), "expected a manifest.json in"),
    "another file": (lambda folder: (folder / "manifest.json").write_text("[]"), "to say 'format'"),
    "another format": (in_the_manifest(format="npz"), "to say 'format'"),
    "another version": (in_the_manifest(version=2), "expected version 1 of the format"),
    "no cases": (in_the_manifest(cases=[]), "expected at least one case"),
    "cases of another kind": (in_the_manifest(cases=[3]), "expected the entries of"),
    "a key too many": (in_the_first_case(more=1), "got .* unexpected keyword argument 'more'"),
    "a key of another type": (in_the_first_case(training=1), "got training: 1"),
    "a negative tolerance": (in_the_first_case(tolerance={"y": -1.0}), "got tolerance: {'y': -1.0}"),
    "a dtype of another kind": (in_the_first_case(dtype="float16"), "got dtype: 'float16'"),
    "a file elsewhere": (in_the_first_case(file="../../secret.npz"), "got file: '../../secret.npz'"),
    "a row elsewhere": (in_the_first_case(row="..", file="../ties_and_zeros-float32.npz"), "got file: "),
    "a missing file": (lambda folder: (folder / FILE).unlink(), f"expected the file {FILE} in"),
    "a truncated file": (
        lambda folder: (folder / FILE).write_bytes((folder / FILE).read_bytes()[:-7]),
        f"expected \\d+ bytes in .*{FILE}, got",
    ),
    "a changed bit": (flip, f"expected .*{FILE} with the sha256"),
    "a file too many": (lambda folder: shutil.copy(folder / FILE, folder / "ReLU/mine.npz"), "got ReLU/mine.npz"),
    "objects": (pickled, "expected an archive of arrays in .*, got Object arrays cannot be loaded"),
    "an array too few": (
        in_the_first_case(tolerance={"y": 0.0, "dz": 0.0}),
        "expected dz in .*, got x, dy, y, dx",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_refused(small, damage, capsys):
    do, says = DAMAGES[damage]
    do(small)
    capsys.readouterr()
    assert __main__.main(["replay", str(small)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(says, err), err
    assert "expected" in err and "got" in err


def test_rows_that_are_not_there_are_refused(small, capsys):
    assert __main__.main(["replay", str(small), "Conv2d"]) == 2
    assert "expected cases of Conv2d in" in capsys.readouterr().err


def test_a_layer_that_this_version_has_not_fails(small, capsys):
    def rename(manifest):
        for case in manifest["cases"]:
            if case["row"] == "ReLU":
                case |= {"row": "Mystery", "file": case["file"].replace("ReLU", "Mystery")}

    damage_manifest(small, rename)
    (small / "ReLU").rename(small / "Mystery")
    assert __main__.main(["replay", str(small)]) == 1
    assert "expected a layer, a loss or a model of numpycnn" in capsys.readouterr().err


# Whole or not at all


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    def cases():
        yield golden.Entry("ReLU", "one", "float32", True, {}, {"y": 0.0}), {"x": np.zeros(2)}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        golden.write(tmp_path / "folder", {}, cases())
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(small, capsys):
    before = (small / golden.MANIFEST).read_bytes()
    assert export(small, "Tanh") == 1
    assert "expected a folder that is not there yet, got" in capsys.readouterr().err
    assert (small / golden.MANIFEST).read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "says"),
    [(["Conv4d"], "no such row: Conv4d"), (["SGD"], "no such row: SGD"), (["--cases", "-1"], "got --cases -1")],
)
def test_the_exporting_command_refuses_what_it_does_not_know(flags, says, tmp_path, capsys):
    with pytest.raises(SystemExit):
        export(tmp_path / "folder", *flags)
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
