"""Whatever is called with what it does not expect answers or refuses in a sentence, and what does not is noticed."""

import re
import subprocess
import sys
from pathlib import Path

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
