"""The file of a checkpoint: what is written is read, and a single flipped bit is noticed."""

import random
from collections import Counter

import numpy as np
import pytest

from numpycnn.training import CheckpointError, archive

TREE = {
    "none": None,
    "numbers": [True, 1, 2**127, -0.1, 1e-300, float("inf"), np.float32(0.1), np.int64(3)],
    "tuple": (0.9, (0.999, "β")),
    "by number": {0: {"step": 1.0}, 1: np.arange(3)},
    "$array": "a name that means something",
    "same/path": np.zeros(2),
    "same": {"path": np.ones(2)},
    "arrays": [np.array(2.5), np.zeros((0, 3), np.float32), np.asfortranarray(np.arange(6.0).reshape(2, 3))],
    "counted": Counter([4, 4, 6]),
}


def test_what_is_written_is_read(tmp_path):
    archive.write(tmp_path / "a.npz", TREE)
    back = archive.read(tmp_path / "a.npz")
    np.testing.assert_equal(back, {**TREE, "counted": {4: 2, 6: 1}})
    assert isinstance(back["tuple"], tuple) and isinstance(back["tuple"][1], tuple)
    assert [array.dtype for array in back["arrays"]] == [np.float64, np.float32, np.float64]
    assert back["numbers"][6] == float(np.float32(0.1)) and type(back["numbers"][7]) is int
    archive.write(tmp_path / "b.npz", TREE)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("value", [object(), np.array([None]), {1, 2}, len, np.datetime64(0, "s")], ids=repr)
def test_what_is_no_data_is_refused_before_anything_is_written(tmp_path, value):
    with pytest.raises(TypeError, match=r"cannot save a/1/b: expected numbers, texts, arrays, .* got"):
        archive.write(tmp_path / "a.npz", {"a": [0, {"b": value}]})
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_bit_is_noticed_wherever_it_is(tmp_path):
    archive.write(path := tmp_path / "step-1.npz", {"parts": {"a": np.arange(3), "b": (1, 2.5)}})
    rng = random.Random(0)
    with path.open("r+b", buffering=0) as file:
        for place, byte in enumerate(path.read_bytes()):
            for written in (byte ^ 1 << rng.randrange(8), byte):
                file.seek(place)
                file.write(bytes([written]))
                if written != byte:
                    with pytest.raises(
                        CheckpointError, match=r"is damaged: expected the checksum|ends in its checksum"
                    ):
                        archive.read(path)
    assert archive.read(path)["parts"]["b"] == (1, 2.5)


def test_what_was_cut_off_or_grew_is_noticed(tmp_path):
    archive.write(path := tmp_path / "step-1.npz", {"parts": {"a": np.arange(3)}})
    whole = path.read_bytes()
    for size in range(len(whole) - 1, -1, -7):
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match="expected a checkpoint, which ends in its checksum"):
            archive.read(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(CheckpointError, match="ends in its checksum"):
        archive.read(path)
