"""Golden vectors, replayed: run numpycnn on every case of a folder and hold what it makes of it to what is there.

    python -m parity replay FOLDER
    python -m parity replay FOLDER Conv2d MaxPool2d

Needs NumPy alone. The worst error is that of all arrays of a row, as a share of what is allowed: above 1 the row fails.
Ends with 1 if a row fails, with 2 if the folder is damaged or of another kind.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import numpycnn as nc

from . import golden, ours
from .compare import distance, named, one_or_all


@dataclass
class Replayed:
    """A row of the report: how many cases, how many failed, the largest share of a tolerance, the first failure."""

    cases: int = 0
    failed: int = 0
    worst: float = 0.0
    failure: str = ""


def main(argv: Sequence[str]) -> int:
    """Replay the rows that are asked for; return the exit status."""
    words, _, manual = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        "python -m parity replay",
        description=words,
        epilog=manual,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="what `python -m parity export` wrote")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="all that are there by default")
    flags = parser.parse_args(argv)
    try:
        report = replay(flags.folder, flags.rows)
    except golden.GoldenError as error:
        print(error, file=sys.stderr)
        return 2
    width = max(map(len, ("row", *report)))
    print(f"{'row':{width}}  cases  failed  worst error, of 1  verdict")
    for row, found in report.items():
        verdict = "FAILS" if found.failed else "passes"
        print(f"{row:{width}}  {found.cases:5}  {found.failed:6}  {found.worst:17.2g}  {verdict}")
    for found in report.values():
        if found.failure:
            print(f"\n{found.failure}", file=sys.stderr)
    return int(any(found.failed for found in report.values()))


def replay(folder: Path, rows: Sequence[str] = ()) -> dict[str, Replayed]:
    """Run every case of a folder, or of some rows in it, and return the report.

    Raises
    ------
    GoldenError
        If the folder is not whole, or has not all of the rows.
    """
    entries = golden.read(folder)
    report = {entry.row: Replayed() for entry in entries if not rows or entry.row in rows}
    if missing := sorted(set(rows) - set(report)):
        there = ", ".join(dict.fromkeys(entry.row for entry in entries))
        raise golden.GoldenError(f"expected cases of {', '.join(missing)} in {folder}, got cases of {there}")
    for entry in entries:
        if entry.row not in report:
            continue
        row, arrays = report[entry.row], golden.load(folder, entry)
        problems = []
        try:
            for what, got in run(entry, arrays):
                used, wrong = compare(what, got, arrays[what], entry)
                row.worst = max(row.worst, used)
                problems += [wrong] if wrong else []
        except Exception as error:  # whatever ours raises, the case fails, and the report says with what
            row.worst = np.inf
            problems.append(f"{type(error).__name__}: {error}")
        row.cases += 1
        row.failed += bool(problems)
        if problems and not row.failure:
            row.failure = "\n".join([f"{entry.row} fails on {entry.file}, {entry.arguments}:", *problems])
    return report


def run(entry: golden.Entry, arrays: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Build the layer of a case, run it forward and back, and yield what the case has a value for."""
    module = ours.constructor(entry.row)(**entry.arguments).to(entry.dtype).train(entry.training)
    module.load_state_dict(_below("state/", arrays))
    for name, kept in _below("kept/", arrays).items():
        ours.random_layers(module)[int(name)]._rng = ours.Replay(kept)
    outputs = module(arrays["x"], *(arrays[name] for name in ("target",) if name in arrays))
    made = named(outputs if isinstance(outputs, tuple) else np.asarray(outputs))
    upstream = [arrays[name] for name in (f"d{output}" for output in made) if name in arrays]
    made["dx"] = module.backward(one_or_all(upstream))
    gradients = {name: parameter.grad for name, parameter in module.named_parameters()}
    made |= {f"grad/{name}": gradient for name, gradient in gradients.items() if gradient is not None}
    made |= {f"after/{name}": own.data for name, own in module.named_arrays() if isinstance(own, nc.Buffer)}
    if set(made) != set(entry.tolerance):
        raise AssertionError(f"expected {sorted(entry.tolerance)}, got {sorted(made)}")
    yield from made.items()


def compare(what: str, got: np.ndarray | None, judge: np.ndarray, entry: golden.Entry) -> tuple[float, str]:
    """Return the largest error as a share of what is allowed, and what is wrong, if anything is."""
    dtype = entry.dtype if judge.dtype.kind == "f" else judge.dtype
    if not isinstance(got, np.ndarray) or got.shape != judge.shape or got.dtype != dtype:
        shown = f"{got.dtype} of shape {got.shape}" if isinstance(got, np.ndarray) else repr(got)
        return np.inf, f"{what}: expected {dtype} of shape {judge.shape}, got {shown}"
    errors, allowed = distance(got, judge), entry.tolerance[what]
    worst = float(errors.max(initial=0))
    if worst <= allowed:
        return worst / allowed if worst else 0.0, ""
    at = tuple(map(int, np.unravel_index(np.argmax(errors), errors.shape)))
    wrong = f"{what}{list(at) if at else ''}: expected {judge[at]} within {allowed:.3g}, got {got[at]}"
    return worst / allowed if allowed else np.inf, wrong


def _below(folder: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin so, by the rest of their names."""
    return {name.removeprefix(folder): array for name, array in arrays.items() if name.startswith(folder)}
