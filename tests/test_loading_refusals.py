"""Files that hold no model, or a damaged one, or one that nobody can build: each is refused in a sentence."""

import json
import pickle

import numpy as np
import pytest
import safetensors.numpy

import numpycnn as nc
from numpycnn.layers import files

# Damage


def small(path):
    model = nc.Sequential(nc.Conv2d(1, 2, (2, 1), stride=3, rng=0), nc.Flatten(), nc.Linear(4, 2, rng=1))
    model.save(path)
    return path.read_bytes()


def test_what_is_no_such_file_says_so(tmp_path):
    path = tmp_path / "net.safetensors"
    with pytest.raises(FileNotFoundError):
        nc.load(path)
    for content in (b"", b"{}", pickle.dumps({"a": 1}), b"\x00" * 64, b"\xff" * 64):
        path.write_bytes(content)
        with pytest.raises(nc.ModelFileError, match=r"expected a safetensors file that is whole"):
            nc.load(path)
    safetensors.numpy.save_file({"weight": np.ones(2)}, path)
    with pytest.raises(nc.ModelFileError, match=r"got a safetensors file with 1 arrays alone; .*load_state_dict"):
        nc.load(path)


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    whole = small(path)
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(nc.ModelFileError):
            nc.load(path)


def test_a_flipped_bit_is_refused_wherever_it_is(tmp_path):
    path = tmp_path / "net.safetensors"
    whole = small(path)
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        with pytest.raises(nc.ModelFileError, match=r"net\.safetensors"):
            nc.load(path)


# Files that someone else wrote, with the right checksum


def forge(path, structure, state=None, **metadata):
    state = {} if state is None else state
    words = structure if isinstance(structure, str) else json.dumps(structure)
    metadata = {"format": "numpycnn model", "version": "1", "structure": words, **metadata}
    metadata["sha256"] = files._digest(metadata, state)
    safetensors.numpy.save_file(state, path, metadata)


LINEAR = {"kind": "Linear", "arguments": {"in_features": 2, "out_features": 1, "bias": False}}
WEIGHT = {"weight": np.ones((1, 2), np.float32)}
DEEP = '{"kind": "Sequential", "layers": {"0": ' * 5000 + '{"kind": "ReLU"}' + "}}" * 5000
FORGED = {
    "a later version": (
        LINEAR,
        WEIGHT,
        {"version": "2", "library": "9.9"},
        r"version 1 .*got 2, written by numpycnn 9\.9",
    ),
    "no JSON": ("{", {}, {}, "Expecting property name"),
    "no structure": ("3", {}, {}, "the model: "),
    "an unknown layer": ({"kind": "Conv9d"}, {}, {}, "the model: expected a layer that this version .* got 'Conv9d'"),
    "a base": ({"kind": "Layer"}, {}, {}, "got 'Layer'"),
    "a function": ({"kind": "load"}, {}, {}, "got 'load'"),
    "a class of elsewhere": ({"kind": "os.system"}, {}, {}, "got 'os.system'"),
    "an unknown argument": ({"kind": "ReLU", "arguments": {"rng": 1}}, {}, {}, r"arguments of ReLU, got \['rng'\]"),
    "unknown words": ({"kind": "ReLU", "run": "x"}, {}, {}, r"got \['run'\]"),
    "a missing argument": ({"kind": "Linear", "arguments": {"in_features": 2}}, WEIGHT, {}, "out_features"),
    "a bad argument": (
        {"kind": "MaxPool2d", "arguments": {"kernel_size": 0}},
        {},
        {},
        "expected kernel_size >= 1, got 0",
    ),
    "another shape": (LINEAR, {"weight": np.ones((2, 2), np.float32)}, {}, r"weight like .*\(1, 2\).*, got .*\(2, 2\)"),
    "integers": (LINEAR, {"weight": np.ones((1, 2), np.int64)}, {}, "Parameter: expected an array of dtype float32"),
    "a missing array": (LINEAR, {}, {}, "expected an array 'weight', got none"),
    "an array too many": (LINEAR, WEIGHT | {"bias": np.ones(1)}, {}, r"expected the arrays \[\], got \['bias'\]"),
    "a place deeper down": (
        {"kind": "Sequential", "layers": {"0": {"kind": "Sequential", "layers": {"1": {"kind": "Softmax"}}}}},
        {},
        {},
        r"0\.1: .*'dim'",
    ),
    "a name that hides": ({"kind": "Sequential", "layers": {"forward": {"kind": "ReLU"}}}, {}, {}, "free .* 'forward'"),
    "a hidden name": ({"kind": "Block", "layers": {"_route": {"kind": "ReLU"}}}, {}, {}, "free .* '_route'"),
    "a place that is not there": ({"kind": "Sequential", "layers": {"0": {"at": "7"}}}, {}, {}, "0: KeyError: '7'"),
    "a circle": ({"kind": "Sequential", "layers": {"0": {"at": ""}}}, {}, {}, "0: KeyError: ''"),
    "a graph of nothing": ({"kind": "Graph"}, {}, {}, "expected at least one node, got none"),
    "a graph that reads ahead": (
        {"kind": "Graph", "layers": {"a": {"kind": "ReLU"}}, "reads": {"a": ["b"]}},
        {},
        {},
        "expected 'a' to read 'x' or a node before it, got 'b'",
    ),
    "a block of nameless arrays": (
        {"kind": "Block", "route": [LINEAR]},
        {"_route.0.weight": np.ones((1, 2))},
        {},
        "no public",
    ),
    "too deep": (DEEP, {}, {}, "recursion"),
    "too large": (
        {"kind": "Linear", "arguments": {"in_features": 1 << 60, "out_features": 1 << 60}},
        {},
        {},
        "the model: ",
    ),
    "another output": (
        LINEAR,
        WEIGHT,
        {"proof": '{"input_shape": [1, 3], "output": [[1.0]]}'},
        "expected 2 features on the last axis, got 3",
    ),
    "no output": (LINEAR, WEIGHT, {"proof": '{"input_shape": [1, 2]}'}, "output"),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_cannot_be_built_is_refused(case, tmp_path):
    structure, state, metadata, message = FORGED[case]
    forge(tmp_path / "net.safetensors", structure, state, **metadata)
    with pytest.raises(nc.ModelFileError, match=rf"(?s)net\.safetensors: .*{message}"):
        nc.load(tmp_path / "net.safetensors")


def test_the_forger_could_have_written_a_good_one(tmp_path):
    forge(tmp_path / "net.safetensors", LINEAR, WEIGHT, proof='{"input_shape": [1, 2], "output": [[-0.7639321]]}')
    np.testing.assert_array_equal(nc.load(tmp_path / "net.safetensors")(np.ones((1, 2), np.float32)), [[2]])
