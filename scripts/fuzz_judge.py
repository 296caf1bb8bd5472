"""What a call may do: give an answer, or refuse in a sentence; everything else is a finding."""

from __future__ import annotations

import faulthandler
import hashlib
import re
import resource
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import numpycnn as nc

ROOT = Path(nc.__file__).parent
SECONDS, MEMORY = 20, 256 << 20  # what one call may take
REFUSALS = (
    ValueError,
    TypeError,
    RuntimeError,
    IndexError,
    OSError,
    nc.training.CheckpointError,
    nc.training.DivergedError,
)
SENTENCE = re.compile(
    r"expected[^\0]*\b(got|has)\b|got[^\0]*expected|cannot load into|cannot save|needs|defines no|lacks"
)
SIGNATURE = re.compile(
    r"argument|no positional|must be passed"
)  # Python's own words, of a call that names what is not there


class SlowError(Exception):
    """A call that did not end in time."""


class Judge:
    """Makes calls, counts them, and notes what they should not have done.

    Attributes
    ----------
    calls : Counter
        How many calls ended in which way.
    findings : dict
        For each kind of finding and place how often it was seen, and the first call that did so.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.memory = MEMORY
        self.findings: dict[tuple[str, str], list[Any]] = {}
        signal.signal(signal.SIGALRM, _slow)

    def __call__(
        self, function: Callable[..., Any], *args: Any, keeps: nc.Module | None = None, **kwargs: Any
    ) -> tuple[bool, Any]:
        """Call, and return whether there was an answer, and the answer.

        ``keeps`` is a module whose state a refusal must leave alone.
        """
        name = getattr(function, "__qualname__", type(function).__name__)
        before, state, peak = _print((args, kwargs)), _state(keeps), _peak()
        told = f"{name}({', '.join([*map(_short, args), *(f'{k}={_short(v)}' for k, v in kwargs.items())])})"
        faulthandler.dump_traceback_later(4 * SECONDS, exit=True)  # where not even the alarm gets through
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        answer, refused = None, True
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            try:
                answer = function(*args, **kwargs)
                refused = False
            except Exception as error:
                if fault := _fault(error):
                    self.note(fault, _where(error), f"{told}: {type(error).__name__}: {str(error)[:200]}")
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                faulthandler.cancel_dump_traceback_later()
        self.calls["refused" if refused else "answered"] += 1
        for warning in heard:
            self.note("a warning", name, f"{told}: {warning.message}")
        if _print((args, kwargs)) != before:
            self.note("an argument was changed", name, told)
        if refused and _state(keeps) != state:
            self.note("a refusal that changed the state", name, told)
        if (grown := _peak() - peak) > self.memory:
            self.note("memory", name, f"{told}: {grown >> 20} MB")
        return not refused, answer

    def note(self, kind: str, place: str, example: str) -> None:
        """Note a finding."""
        self.findings.setdefault((kind, place), [0, example])[0] += 1

    def expect(self, holds: bool, kind: str, place: str, example: Callable[[], str]) -> None:
        """Note a finding where something does not hold."""
        if not holds:
            self.note(kind, place, example())


def _slow(number: int, frame: Any) -> None:
    raise SlowError(f"no answer after {SECONDS} seconds")


def _fault(error: Exception) -> str:
    """Say what is wrong with a refusal; nothing if it is a sentence of ours."""
    if isinstance(error, SlowError):
        return "a call that does not end"
    if isinstance(error, MemoryError | FileNotFoundError | ImportError):
        return ""  # NumPy says which shape does not fit; Python names the file
    if not isinstance(error, REFUSALS):
        return "an error of the wrong kind"
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, TypeError) and SIGNATURE.search(str(error)) and "()" in str(error):
        return ""
    if not frames[-1].filename.startswith(str(ROOT)):
        return "an error that is not ours"
    if not SENTENCE.search(str(error)):
        return "an error that is no sentence"
    return ""


def _where(error: Exception) -> str:
    """Name the last line of ours on the way to an error."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(str(ROOT))]
    if not frames:
        return type(error).__name__
    return f"{Path(frames[-1].filename).relative_to(ROOT)}:{frames[-1].lineno}"


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _print(value: Any) -> Any:
    """Return what tells a change of arrays, in lists and dicts too."""
    if isinstance(value, np.ndarray):
        content = repr(value) if value.dtype.hasobject else hashlib.blake2b(value.tobytes()).digest()
        return value.shape, str(value.dtype), content
    if isinstance(value, list | tuple):
        return [_print(part) for part in value]
    if isinstance(value, Mapping):
        return [(str(key), _print(part)) for key, part in value.items()]
    return None


def _state(module: nc.Module | None) -> Any:
    """Return what tells a change of a module's arrays and gradients."""
    if module is None:
        return None
    return [(name, _print(own.data), _print(getattr(own, "grad", None))) for name, own in module.named_arrays()]


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"{type(value).__name__}({value.dtype}, {value.shape}, strides={value.strides})"
    return " ".join(repr(value).split())[:120]
