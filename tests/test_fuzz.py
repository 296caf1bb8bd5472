"""Whatever is called with what it does not expect answers or refuses in a sentence, and what does not is noticed."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import numpycnn as nc

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


def fuzz(*flags, before=""):
    """Fuzz in a process of its own, whose memory is limited; what stands before may break the library."""
    command = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import fuzz, numpy as np, numpycnn as nc\n{before}\n"
    command += f"sys.exit(fuzz.main({list(flags)!r}))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_a_short_run_finds_nothing():
    code, said = fuzz("--calls", "300", "--seed", "0")
    assert code == 0 and said.endswith("0 kinds of findings\n"), said


def test_a_planted_fault_of_every_kind_is_found():
    faults = """
def plant(kind, forward):
    kind.forward = forward

def changes(self, x):
    self.check_array(x)
    x *= 2
    return x
def counts(self, x):
    return x.nobody_knows
def doubles(self, x):
    return np.float64(1) * np.asarray(x, np.float64)
def warns(self, x):
    return np.sqrt(-np.ones(1)).astype(x.dtype)
def mumbles(self, x):
    raise ValueError("no")
def differs(self, x):
    return np.array(x, order="K") if x.flags.c_contiguous else x + 1
for kind, forward in zip((nc.ReLU, nc.ELU, nc.Tanh, nc.SiLU, nc.Sigmoid, nc.Hardswish),
                         (changes, counts, doubles, warns, mumbles, differs)):
    plant(kind, forward)
"""
    code, said = fuzz("--calls", "600", "--only", "ReLU,ELU,Tanh,SiLU,Sigmoid,Hardswish", before=faults)
    for finding in (
        "an argument was changed\n       ReLU",
        "an error of the wrong kind",
        "an answer of another dtype\n       Tanh",
        "a warning\n       SiLU",
        "an error that is not ours",
        "another answer than a plain array gets\n       Hardswish",
    ):
        assert finding in said, finding
    assert code >= 6


def test_everything_public_is_played():
    sys.path.insert(0, str(SCRIPTS))
    from fuzz_plays import PLAYS

    text = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS.glob("fuzz*.py"))
    answers = {"GoogLeNetOutputs", "Evaluation", "Optimizer", *(name for name in nc.__all__ if name.endswith("Error"))}
    rooms = (nc, nc.models, nc.transforms, nc.optim, nc.training)
    public = {name for room in rooms for name in room.__all__} - answers
    assert {name for name in public if name not in PLAYS and not re.search(rf"\b{name}\b", text)} == set()


X, IMAGES, TWO = np.ones((2, 4), np.float32), np.ones((2, 4, 6, 5), np.float32), np.array([2, 2])


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: nc.ReLU()(np.ma.masked_array(X)), TypeError, "a plain array, got a MaskedArray"),
        (lambda: nc.transforms.Pad(1)(np.ma.masked_array(IMAGES)), TypeError, "a plain array, got a MaskedArray"),
        (lambda: nc.Linear(3, 2, bias=TWO), TypeError, "expected bias to be True or False, got array"),
        (lambda: nc.Conv2d(1, 1, 1, padding_mode=TWO), ValueError, "padding_mode to be one of .*, got array"),
        (
            lambda: nc.Dropout(rng="x"),
            TypeError,
            "a seed of at least 0 or a Generator, got 'x'",
        ),
        (lambda: nc.ReLU().to("f17"), TypeError, "expected dtype float32 or float64, got 'f17'"),
        (lambda: nc.Conv2d(1, 1, 2**31), ValueError, "expected kernel_size <= 2147483647, got 2147483648"),
        (
            lambda: nc.Linear(2**40, 2**40),
            ValueError,
            r"fewer than 2\^48 numbers, got shape \(1099511627776, ",
        ),
        (lambda: nc.BatchNorm2d(2**60), ValueError, r"fewer than 2\^48 numbers, got shape"),
        (lambda: nc.Sequential(nc.ReLU())[1], IndexError, "expected an index of 1 layers, got 1"),
        (lambda: nc.training.evaluate(nc.ReLU(), len, X, TWO), TypeError, "criterion to be a Loss, got <built-in"),
        (lambda: nc.training.EarlyStop(2)("good"), TypeError, "expected score to be a number, got 'good'"),
        (lambda: nc.training.Checkpoints(None), TypeError, "expected folder to be a path, got None"),
        (lambda: nc.optim.SGD(X), TypeError, "expected parameters to optimize, got array"),
        (lambda: nc.transforms.RandomCrop(3).draw((2, 4)), ValueError, r"shape \(N, C, H, W\), got \(2, 4\)"),
        (
            lambda: nc.transforms.RandomCrop(3).apply(IMAGES, {"top": TWO + 2, "left": TWO}),
            ValueError,
            "expected 'top' from 0 to 3, got",
        ),
        (
            lambda: nc.transforms.RandomHorizontalFlip().apply(IMAGES, {"flip": TWO}),
            TypeError,
            "'flip' to be an array like those that draw gives, got int64",
        ),
        (lambda: nc.models.resnet18(norm_layer=3), TypeError, "expected norm_layer to be callable, got 3"),
    ],
)
def test_what_a_run_found_is_refused_now(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def test_a_kernel_far_larger_than_the_image_is_no_longer_walked_over():
    layer = nc.AvgPool2d(2**30, padding=0, ceil_mode=True, divisor_override=20)
    np.testing.assert_allclose(layer(IMAGES), IMAGES.sum((2, 3), keepdims=True) / 20)
    assert nc.LocalResponseNorm(2**30)(IMAGES).shape == IMAGES.shape


def test_a_matrix_to_no_features_has_a_gradient():
    layer = nc.Linear(4, 0)
    assert layer(X).shape == (2, 0)
    np.testing.assert_array_equal(layer.backward(np.ones((2, 0), np.float32)), np.zeros_like(X))
