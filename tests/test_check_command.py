"""``python -m parity check``: what it prints, how it ends, and that it outlives the layer."""

import multiprocessing
import sys
import time
from types import SimpleNamespace

import pytest

from parity.checking import command
from parity.checking.watch import watched

MINE = """
import os, sys, time
import numpy as np
from parity import Adapter

class Right:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dy):
        return np.where(self.x <= 0, 0, dy)

class Wrong(Right):
    def backward(self, dy):
        return np.where(self.x < 0, 0, dy)

class Hangs(Right):
    def forward(self, x):
        while x.ndim > 2:
            time.sleep(0.01)
        return super().forward(x)

class Aborts(Right):
    def forward(self, x):
        os.abort()

class Leaves(Right):
    def forward(self, x):
        sys.exit(3)

class Convolution:
    def __init__(self, inputs, outputs, size):
        self.W = np.zeros((outputs, inputs, size, size))

    def run(self, x):
        return x

adapter = Adapter()
"""

TOML = """
arguments = { in_channels = "inputs", out_channels = "outputs", kernel_size = "size" }
square = true
parameters = { weight = "W" }
forward = "run"
backward = ""
"""


class InThisOne:
    """Stands in for a process, and runs in this one: to start another takes as long as to import torch."""

    def __init__(self, target, args, daemon):
        self.start = lambda: target(*args)


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_context", lambda method: SimpleNamespace(Process=InThisOne))


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine", raising=False)  # that of the test before
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "mine.toml").write_text(TOML)
    (tmp_path / "broken.py").write_text("import nothing_of_this_name")

    def call(*words):
        status = command.main([word.replace("DIR", str(tmp_path)) for word in words])
        out, err = capsys.readouterr()
        return status, out, err

    return call


def test_the_command_reports_and_ends_with_0(run):
    status, out, _ = run("DIR/mine.py:Right", "--like", "ReLU", "-n", "5", "--adapter", "adapter")
    assert (status, "FAILS" in out) == (0, False)


def test_the_command_reports_and_ends_with_1(run, at_once):
    status, out, _ = run("DIR/mine.py:Wrong", "--like", "ReLU", "-n", "20")
    assert (status, "FAILS" in out) == (1, True)
    status, out, _ = run("DIR/mine.py:Convolution", "--like", "Conv2d", "--adapter", "DIR/mine.toml", "-n", "5")
    assert (status, "y: expected shape" in out) == (1, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["DIR/mine.py:Missing", "--like", "ReLU"], "which are Adapter, Right, Wrong"),
        (["DIR/mine.py", "--like", "ReLU"], "expected MODULE:CLASS"),
        (["DIR/yours.py:Right", "--like", "ReLU"], "yours.py, which is none"),
        (["DIR/broken.py:Right", "--like", "ReLU"], "No module named 'nothing_of_this_name'"),
        (["no.such.module:Right", "--like", "ReLU"], "No module named 'no'"),
        (["DIR/mine.py:Right", "--like", "Relu"], "got 'Relu'"),
        (["DIR/mine.py:Right", "--like", "ReLU", "--adapter", "DIR/yours.toml"], "cannot read the adapter"),
        (["DIR/mine.py:Right", "--like", "ReLU", "--adapter", "Right"], "the name of a parity.Adapter"),
        (["DIR/mine.py:Right", "--like", "Conv2d"], "the gradient of weight"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_command_says_what_cannot_be_examined(run, at_once, words, says):
    status, _, err = run(*words)
    assert status == 2
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("name", "says"), [("Aborts", "signal 6"), ("Leaves", "exit code 3")])
def test_the_command_outlives_the_layer(run, name, says):
    status, _, err = run(f"DIR/mine.py:{name}", "--like", "ReLU")
    assert status == 2
    assert f"the end of its process ({says}), in: dtype" in err
    assert "Traceback" not in err


class Deaf:
    """What Python clears away without hearing what is raised meanwhile: the first alarm."""

    def __del__(self):
        time.sleep(0.3)


def test_an_alarm_that_is_not_heard_rings_again():
    with pytest.raises(TimeoutError, match="got none"), watched(0.1):
        Deaf()
        time.sleep(5)


def test_a_layer_that_hangs_is_reported(run, at_once):
    status, out, _ = run("DIR/mine.py:Hangs", "--like", "ReLU", "-n", "10", "--limit", "0.2")
    assert status == 1
    assert "TimeoutError: expected an answer within 0.2 s, got none" in out
