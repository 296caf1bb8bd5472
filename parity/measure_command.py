"""The promise, measured: run every row of the registry and print the table.

    python -m parity                          all rows, 100 cases each
    python -m parity Conv2d MaxPool2d -n 1000
    python -m parity --markdown               the table as it stands in the README
    python -m parity --json table.json

Errors are in units of eps x the largest entry of the reference, which is PyTorch in float64; the
ratio is the geometric mean over the cases of our float32 error by PyTorch's own on the same case:
below 1 ours is nearer the truth. Ends with 1 if a row fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from .measure import Errors, Measured, measure, number_of_cases
from .registry import ALL

HEADINGS = ("row", "cases", "allowed", "ours f64", "ours f32", "torch f32", "ratio", "verdict")


def main(argv: Sequence[str]) -> int:
    """Measure the rows that are asked for; return the exit status."""
    parser = argparse.ArgumentParser(
        "python -m parity",
        description="Hold numpycnn against PyTorch, and say how near it is.",
        epilog="Other commands, each with its own --help: python -m parity export, python -m parity replay.",
    )
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"rows of the registry; all by default: {', '.join(ALL)}"
    )
    parser.add_argument(
        "-n", "--cases", type=int, default=100, help="how many cases a row (default %(default)s), of large models fewer"
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same cases")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    flags = parser.parse_args(argv)
    unknown = [row for row in flags.rows if row not in ALL]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ALL)}")
    if flags.cases < 1:
        parser.error(f"expected at least one case, got {flags.cases}")

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Using padding='same' with even kernel lengths")  # torch's, of its own speed
    table = []
    rows = flags.rows or ALL
    total = sum(number_of_cases(ALL[name], flags.cases) for name in rows)
    with tqdm(total=total, unit="case", leave=False, disable=None) as progress:
        for name in rows:
            progress.set_description(name)
            for row in measure(ALL[name], flags.cases, flags.seed):  # noqa: B007 - the last one is whole
                progress.update()
            table.append(row)
    print("\n".join(render(table, flags.markdown)))
    if flags.json:
        flags.json.write_text(json.dumps([row.as_dict() for row in table], indent=1) + "\n")
    for row in table:
        if row.failure:
            print(f"\n{row.failure}", file=sys.stderr)
    return int(any(row.failure for row in table))


def render(table: list[Measured], markdown: bool = False) -> list[str]:
    """Return the lines of the table: words to the left, numbers to the right."""
    cells = [HEADINGS, *(_cells(row) for row in table)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    words = [heading in ("row", "verdict") for heading in HEADINGS]
    rule = tuple(
        "-" * width if word or not markdown else "-" * (width - 1) + ":"
        for width, word in zip(widths, words, strict=True)
    )
    lines = []
    for line in (cells[0], rule, *cells[1:]):
        padded = [
            cell.ljust(width) if word else cell.rjust(width)
            for cell, width, word in zip(line, widths, words, strict=True)
        ]
        lines.append(f"| {' | '.join(padded)} |" if markdown else "  ".join(padded).rstrip())
    return lines


def _cells(row: Measured) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    errors = (_errors(errors) for errors in (row.ours64, row.ours32, row.torch32))
    return row.name, str(row.cases), f"{row.allowed:g}", *errors, ratio, row.verdict


def _errors(errors: Errors) -> str:
    """Show the worst error forward / backward."""
    return f"{errors.forward:.2g} / {errors.backward:.2g}" if errors.cases else ""
