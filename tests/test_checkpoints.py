"""Checkpoints: a training goes on bit for bit, files are whole or refused with a sentence, and none is lost."""

import errno
import os
import random
import subprocess
import sys
from pathlib import Path

import killed_training
import numpy as np
import pytest
from hypothesis import settings

import numpycnn as nc
from numpycnn.training import CheckpointError, Checkpoints, archive, state


def parts_of(model, **others):
    return {"model": model, "optimizer": nc.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), **others}


def linear(seed=0, **options):
    return nc.Sequential(nc.Linear(3, 2, rng=seed, **options), nc.ReLU())


def save_some(folder, numbers=(1, 2, 3), scores=None, keep=3):
    checkpoints, parts = Checkpoints(folder, keep), parts_of(linear())
    for index, number in enumerate(numbers):
        parts["model"][0].bias.data[:] = number
        checkpoints.save(parts, number, scores[index] if scores else None)
    return checkpoints


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


# The file


def test_numpy_opens_it_without_pickle(tmp_path):
    save_some(tmp_path, [7])
    with np.load(tmp_path / "step-00000007.npz", allow_pickle=False) as file:
        assert np.array_equal(file["parts/model/state/arrays/0.bias"], [7, 7])
        assert b'"library": "' + nc.__version__.encode() in file["checkpoint.json"]


def test_the_draft_reaches_the_disk_before_it_takes_the_place_and_then_the_folder_does(tmp_path, monkeypatch):
    events = []

    def watched(name, real):
        def run(*args, **options):
            events.append(name)
            return real(*args, **options)

        return run

    for name in ("fsync", "replace", "unlink"):
        monkeypatch.setattr(os, name, watched(name, getattr(os, name)))
    save_some(tmp_path, [1, 2], keep=1)
    one = ["fsync", "replace", *(["fsync"] if hasattr(os, "O_DIRECTORY") else []), "unlink"]  # the draft, if there
    assert events == [*one, *one, "unlink"]  # and at last the old file


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_everything_as_it_was(tmp_path, monkeypatch, error):
    checkpoints, parts = save_some(tmp_path), parts_of(linear(1))
    before = contents(tmp_path)

    def fail(_):
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    expected = (CheckpointError, KeyboardInterrupt)
    with pytest.raises(expected, match=r"No space left on device; step-00000003.npz stays the last|^$"):
        checkpoints.save(parts, 4)
    assert contents(tmp_path) == before


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path[:0] = ["tests", "."]
from test_checkpoints import *
folder = Path(sys.argv[1])
checkpoints = save_some(folder)
before, size = contents(folder), len((folder / "step-00000003.npz").read_bytes())
for limit in (0, 1, 100, 1000, size // 2, size - 200, size - 65, size - 1):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
    try:
        checkpoints.save(parts_of(linear(1)), 4)
    except CheckpointError as error:
        assert "step-00000004.npz: File too large; step-00000003.npz stays the last" in str(error), error
    else:
        raise AssertionError(f"a file of {size} bytes was written where {limit} are the limit")
    assert contents(folder) == before
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
checkpoints.save(parts_of(linear(1)), 4)
print("went on")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there, no limit can be set that a write meets")
def test_a_disk_that_is_full_amid_the_file_costs_nothing_that_was_there(tmp_path):
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout == "went on\n", done.stderr


# The folder


def names(folder):
    return [int(path.stem.removeprefix("step-")) for path in Checkpoints(folder).paths]


def test_the_last_ones_and_the_best_are_kept(tmp_path):
    scores = [float("nan"), 0.7, 0.5, float("nan"), 0.7, 0.6, None]
    checkpoints = save_some(tmp_path, range(1, 8), scores, keep=2)
    assert names(tmp_path) == [2, 6, 7]
    assert checkpoints.best.name == "step-00000002.npz"
    save_some(tmp_path / "nan", [1, 2, 3], [float("nan"), 0.1, 0.0], keep=3)
    assert Checkpoints(tmp_path / "nan").best.name == "step-00000002.npz"
    assert names(tmp_path / "nowhere") == [] and Checkpoints(tmp_path / "nowhere").best is None
    save_some(tmp_path / "unscored", range(5), keep=1)
    assert names(tmp_path / "unscored") == [4]
    assert Checkpoints(tmp_path / "unscored").best is None


def test_what_is_loaded_is_what_was_saved(tmp_path):
    checkpoints = save_some(tmp_path, [1, 20, 3], [0.2, 0.9, 0.1], keep=1)
    assert names(tmp_path) == [20] or names(tmp_path) == [3, 20]
    parts = parts_of(linear(5))
    assert checkpoints.load(parts).name == "step-00000020.npz"
    assert np.array_equal(parts["model"][0].bias.data, [20, 20])
    assert Checkpoints(tmp_path / "empty").load(parts) is None


def test_the_model_alone_can_be_taken_from_a_certain_file(tmp_path):
    save_some(tmp_path, [1, 2, 3], [0.2, 0.9, 0.1])
    model, checkpoints = linear(5), Checkpoints(tmp_path)
    checkpoints.load({"model": model}, checkpoints.best)
    assert np.array_equal(model[0].bias.data, [2, 2])
    with pytest.raises(CheckpointError, match=r"expected the parts \['model'\], got \['model', 'optimizer'\]"):
        checkpoints.load({"model": model})
    with pytest.raises(CheckpointError, match=r"got step-00000003.npz of another run; load it, or take another folder"):
        checkpoints.save(parts_of(model), 4)  # a certain file is not what the run goes on from


def test_another_run_does_not_write_into_the_folder(tmp_path):
    save_some(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(
        CheckpointError, match="expected an empty folder or a run that was loaded from it, got step-0000"
    ):
        save_some(tmp_path, [1])
    assert contents(tmp_path) == before


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    checkpoints, model = save_some(tmp_path), linear()
    model[0].weight.data[1, 1] = np.nan
    before = contents(tmp_path)
    words = r"expected finite numbers, got nan in 0.weight of model; step-00000003.npz stays the last"
    with pytest.raises(CheckpointError, match=words):
        checkpoints.save(parts_of(model), 4)
    with pytest.raises(CheckpointError, match="there is none before it"):
        Checkpoints(tmp_path / "new").save(parts_of(model), 1)
    assert contents(tmp_path) == before


# What is refused


def future(path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "FORMAT", 2)
        archive.write(path, {"parts": {}})


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def plain_npz(path):
    np.savez(path, weight=np.zeros(3))


def empty(path):
    path.write_bytes(b"")


def folder_instead(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "expected a checkpoint, which ends in its checksum, got .* bytes that do not"),
        (flip, "is damaged: expected the checksum"),
        (plain_npz, "expected a checkpoint, which ends in its checksum"),
        (empty, "expected a checkpoint, which ends in its checksum, got 0 bytes"),
        (
            future,
            "expected a checkpoint of format 1, got format 2, written by numpycnn",
        ),
        (folder_instead, "cannot be read: "),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_the_older_one_offered(tmp_path, damage, words):
    save_some(tmp_path)
    parts = parts_of(linear(5))
    before = killed_training.digest(parts)
    for number, offer in ((3, 2), (2, 1)):
        damage(path := tmp_path / f"step-{number:08}.npz")
        there = sorted(tmp_path.iterdir())
        offered = f"; step-{offer:08}.npz before it is whole: delete step-00000003.npz to go on from there"
        with pytest.raises(CheckpointError, match=words) as caught:
            Checkpoints(tmp_path).load(parts)
        assert str(caught.value).startswith(str(tmp_path / "step-00000003.npz"))
        assert str(caught.value).endswith(offered)
        assert killed_training.digest(parts) == before and sorted(tmp_path.iterdir()) == there
        with pytest.raises(CheckpointError, match="load it, or take another folder"):
            Checkpoints(tmp_path).save(parts, 9)
    damage(tmp_path / "step-00000001.npz")
    with pytest.raises(CheckpointError, match="; no older one is whole"):
        Checkpoints(tmp_path).load(parts)
    save_some(tmp_path / "other")
    damage(path := tmp_path / "other" / "step-00000001.npz")
    with pytest.raises(CheckpointError, match=words) as caught:
        Checkpoints(tmp_path / "other").load(parts, path)
    assert str(caught.value).endswith("; no older one is whole")


class Stubborn:
    """A part that takes no state back but its own."""

    def state_dict(self):
        return {"mine": True}

    def load_state_dict(self, state_dict):
        if state_dict != {"mine": True}:
            raise KeyError("mine")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": nc.Linear(3, 2)}, "expected 'model' to be of type Linear, got Sequential"),
        ({"model": nc.Sequential(nc.Linear(3, 2), nc.Tanh())}, "a model whose module 2 is Tanh, got ReLU"),
        ({"model": nc.Sequential(nc.Linear(3, 2))}, "a model whose module 2 is nothing, got ReLU"),
        ({"model": nc.Sequential(nc.Linear(3, 3), nc.ReLU())}, r"'0.weight' has shape \(2, 3\), expected \(3, 3\)"),
        ({"model": nc.Sequential(nc.Linear(3, 2, bias=False), nc.ReLU())}, "unknown '0.bias'"),
        ({"model": linear(dtype=np.float64)}, "expected 0.weight of dtype float64, got float32"),
        ({"optimizer": nc.optim.Adam(linear().parameters())}, "'optimizer' to be of type Adam, got SGD"),
        ({"optimizer": nc.optim.SGD(linear().parameters()[:1])}, "cannot load into SGD: expected groups of"),
        ({"batches": nc.training.Batches(np.zeros(7), np.zeros(7), 2)}, "expected inputs=7, got inputs=6"),
        ({"stop": nc.training.EarlyStop(1)}, r"expected the parts \['batches', .*\], got"),
        ({"rng": np.random.Generator(np.random.MT19937(0))}, "state must be for a MT19937 PRNG"),
        ({"other": Stubborn()}, "mine"),
    ],
)
def test_another_training_is_refused_and_nothing_is_loaded(tmp_path, change, words):
    def parts(seed):
        batches = nc.training.Batches(np.zeros(6), np.zeros(6), 2, rng=seed)
        rng, metrics, other = np.random.default_rng(seed), {"seed": seed}, Stubborn()
        return parts_of(linear(seed), batches=batches, rng=rng, metrics=metrics, other=other)

    saved = parts(1)
    if "other" in change:
        saved["other"].state_dict = lambda: {"yours": True}
    Checkpoints(tmp_path).save(saved, 1)
    mine = {**parts(2), **change}
    before = killed_training.digest(mine)
    with pytest.raises(CheckpointError, match=f"step-00000001.npz: is of another training: .*{words}"):
        Checkpoints(tmp_path).load(mine)
    assert killed_training.digest(mine) == before


def test_what_has_no_state_is_refused(tmp_path):
    with pytest.raises(TypeError, match=r"expected 'criterion' to be a module, .* got builtin_function"):
        Checkpoints(tmp_path).save({"criterion": len}, 1)
    with pytest.raises(TypeError, match="cannot save parts/metrics/state/0: expected numbers"):
        Checkpoints(tmp_path).save({"metrics": [object()]}, 1)
    assert list(tmp_path.iterdir()) == []


# Going on


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return killed_training.digest(killed_training.train(tmp_path_factory.mktemp("alone"), every=1000))


@pytest.mark.parametrize("steps", [1, 11, 12, 13, 25, 47])
def test_a_training_goes_on_bit_for_bit(tmp_path, uninterrupted, steps):
    killed_training.train(tmp_path, every=steps, steps=steps)
    resumed = killed_training.train(tmp_path, every=1000)
    assert resumed["batches"].steps == 48
    assert killed_training.digest(resumed) == uninterrupted


def test_every_part_counts(tmp_path):
    """A state that is not put back is seen: else the comparison above would prove nothing of it."""
    killed_training.train(tmp_path, every=13, steps=13)
    states = archive.read(*Checkpoints(tmp_path).paths)["parts"]
    state.put(whole := killed_training.make(), states)
    for name in whole:
        parts = killed_training.make()
        state.put({key: part for key, part in parts.items() if key != name}, states)
        assert killed_training.digest(parts) != killed_training.digest(whole), name


def test_dropouts_generators_and_running_averages_are_part_of_it():
    rng = np.random.default_rng(0)
    model = nc.Sequential(nc.BatchNorm2d(1), nc.Dropout(0.5, rng=rng), nc.Dropout(0.5, rng=rng))
    twin = nc.Sequential(nc.BatchNorm2d(1), nc.Dropout(0.5), nc.Dropout(0.5))
    x = np.random.default_rng(1).standard_normal((4, 1, 3, 3)).astype(np.float32)
    model(x)
    taken = state.take({"model": model})
    expected = model[1](x)
    state.put({"model": twin}, taken)
    assert np.array_equal(twin[1](x), expected)
    np.testing.assert_equal(twin.state_dict(), model.state_dict())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL there")
def test_killed_at_any_moment_it_ends_with_the_same_bits(tmp_path, uninterrupted):
    kills = settings.default.max_examples // 8  # 6, or with the thorough profile 156
    last, met = killed_training.kill_often(tmp_path / "run", kills, random.Random(0))
    print(met)
    assert last == uninterrupted
