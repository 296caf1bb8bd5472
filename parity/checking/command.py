"""Hold a class in a file of yours to the laws, in a process of its own.

    python -m parity check mine.py:Conv --like Conv2d --adapter mine.toml
    python -m parity check course.layers:ReLU --like ReLU

The adapter is a TOML file of the fields of parity.Adapter, or one in the same module: --adapter NAME.
Ends with 0 if every law holds, with 1 if one fails, with 2 if the class cannot be examined.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import sys
import tomllib
import warnings
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from tqdm import tqdm

from .adapter import Adapter
from .check import Examination
from .subject import ROWS


class UnfitError(Exception):
    """The class cannot be examined; the message says why."""


def main(argv: Sequence[str]) -> int:
    """Examine the class in another process; print the report; return the exit status."""
    parser = argparse.ArgumentParser(
        "python -m parity check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("layer", metavar="MODULE:CLASS", help="the class; the module by its name, or a file")
    parser.add_argument("--like", required=True, metavar="ROW", help=f"PyTorch's layer: {', '.join(ROWS)}")
    parser.add_argument("--adapter", metavar="FILE.toml|NAME", help="its conventions, if they are not ours")
    parser.add_argument("-n", "--cases", type=int, default=100, help="how many cases a law (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same cases")
    parser.add_argument("--limit", type=float, default=10.0, help="seconds a case may take (default %(default)s)")
    flags = parser.parse_args(argv)
    here, there = multiprocessing.Pipe(duplex=False)
    # a process of its own: what crashes or hangs takes nothing with it
    process = multiprocessing.get_context("spawn").Process(target=_examine, args=(flags, there), daemon=True)
    process.start()
    there.close()
    status, text = _follow(process, here)
    print(text, file=sys.stderr if status == 2 else sys.stdout)
    return status


def _follow(process: Any, here: Connection) -> tuple[int, str]:
    """Show progress until the other process is done, or gone."""
    law = "loading"
    with tqdm(unit="law", leave=False, disable=None) as progress:
        while True:
            try:
                word, *news = here.recv()
            except EOFError:
                process.join()
                how = f"signal {-process.exitcode}" if process.exitcode < 0 else f"exit code {process.exitcode}"
                return 2, f"expected the layer to answer or to raise, got the end of its process ({how}), in: {law}"
            if word == "done":
                return int(news[0]), str(news[1])
            law, progress.total = news
            progress.set_description(law)
            progress.update()


def _examine(flags: argparse.Namespace, there: Connection) -> None:
    """Examine the class, in the other process; send what comes of it through the pipe."""
    warnings.filterwarnings("ignore", "Using padding='same' with even kernel lengths")  # torch's, of its own speed
    torch.set_num_threads(1)
    try:
        module, kind = _load(flags.layer)
        adapter = None if flags.adapter is None else _adapter(flags.adapter, module)
        examination = Examination(kind, flags.like, adapter, flags.cases, flags.seed, flags.limit, fatal=True)
    except (UnfitError, ValueError, TypeError) as error:
        there.send(("done", 2, str(error)))
        return
    for law in examination.subject.laws:
        there.send(("law", law.__name__, len(examination.subject.laws)))
        examination.hold(law)
    there.send(("law", "naming the mistake", len(examination.subject.laws)))
    examination.name()
    there.send(("done", int(not examination.report.passed), str(examination.report)))


def _load(words: str) -> tuple[ModuleType, type]:
    """Import what ``MODULE:CLASS`` names."""
    name, colon, class_name = words.rpartition(":")
    if not (colon and name and class_name):
        raise UnfitError(f"expected MODULE:CLASS, such as mine.py:Conv, got {words!r}")
    sys.path.insert(0, str(Path(name).resolve().parent if name.endswith(".py") else Path.cwd()))
    if name.endswith(".py") and not Path(name).is_file():
        raise UnfitError(f"expected a file of Python, got {name}, which is none")
    try:
        module = importlib.import_module(Path(name).stem if name.endswith(".py") else name)
    except Exception as error:  # whatever the user's file raises
        raise UnfitError(f"cannot import {name}: {type(error).__name__}: {error}") from error
    if not isinstance(getattr(module, class_name, None), type):
        known = ", ".join(key for key, value in vars(module).items() if isinstance(value, type)) or "none"
        raise UnfitError(f"expected a class of {name}, which are {known}, got {class_name!r}")
    return module, getattr(module, class_name)


def _adapter(words: str, module: ModuleType) -> Adapter:
    """Read an adapter from a TOML file, or take it from the module of the class."""
    if not words.endswith(".toml"):
        adapter = getattr(module, words, None)
        if not isinstance(adapter, Adapter):
            raise UnfitError(f"expected the name of a parity.Adapter in the module, or a file .toml, got {words!r}")
        return adapter
    try:
        return Adapter.from_dict(tomllib.loads(Path(words).read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnfitError(f"cannot read the adapter {words}: {error}") from error
