"""What the benchmark tells: where it ran, a table, geometric means, and all of it as one record, a plain dict."""

import math
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import benchmark_onnx
import numpy as np
import torch
from benchmark_flags import Flags
from benchmark_machine import processor
from benchmark_stopwatch import Measured

import numpycnn

Record = dict[str, Any]
DISTURBED = 0.1  # cores that others keep busy, from which on it is worth a word


def surroundings(flags: Flags) -> Record:
    """Say where and how the numbers come about."""
    capability = torch.backends.cpu.get_cpu_capability()
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    # which may tie it to the instructions of an older processor, and halve its speed
    kernels = [f"OPENBLAS_CORETYPE={kind}" for kind in [os.environ.get("OPENBLAS_CORETYPE")] if kind]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{processor()}, {os.cpu_count()} cores, {capability}",
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {
            "python": platform.python_version(),
            **{module.__name__: str(module.__version__) for module in (numpycnn, np, torch)},
            "blas": " ".join([blas["name"], blas["version"], *kernels]),
            "onnxruntime": benchmark_onnx.found(),
        },
        "threads": flags.threads,
        "settings": {name: str(value) if isinstance(value, Path) else value for name, value in vars(flags).items()},
    }


def header(where: Record) -> str:
    """Return the lines above the tables."""
    settings, versions = where["settings"], where["versions"]
    threads = "1 thread" if where["threads"] == 1 else f"{where['threads']} threads"
    return (
        f"{where['date']}, {where['machine']}, {where['system']}; {threads} on each side\n"
        f"Python {versions['python']}, numpycnn {versions['numpycnn']}, NumPy {versions['numpy']} "
        f"({versions['blas']}), PyTorch {versions['torch']}, onnxruntime {versions['onnxruntime']}\n"
        f"medians of {settings['rounds']} blocks of {settings['seconds']:g} s, each after {settings['warm']:g} s of "
        f"the same, malloc: {settings['malloc']}; ratio: ours / theirs, median and range over the rounds"
    )


class Table:
    """A table that is printed line by line, as the rows come in.

    Parameters
    ----------
    columns : sequence of (str, int)
        The heading of each and how wide it is; words to the left, numbers, with a width below 0, to the right.
    markdown : bool
        Whether it is one for Markdown.
    """

    def __init__(self, columns: Sequence[tuple[str, int]], markdown: bool):
        self.headings, self.widths = zip(*columns, strict=True)
        self.markdown = markdown

    def head(self) -> str:
        """Return the lines above the rows."""
        rule = ["-" * (abs(width) - 1) + (":" if self.markdown and width < 0 else "-") for width in self.widths]
        return f"{self.line(*self.headings)}\n{self.line(*rule)}"

    def line(self, *cells: str) -> str:
        """Return a line."""
        padded = [
            cell.rjust(-width) if width < 0 else cell.ljust(width)
            for cell, width in zip(cells, self.widths, strict=True)
        ]
        return f"| {' | '.join(padded)} |" if self.markdown else "  ".join(padded).rstrip()


def results_table(names: Sequence[str], unit: str, flags: Flags) -> Table:
    """Return the table of rows with these names."""
    columns = [("work", max(map(len, names))), ("against", 25 if flags.twice else 19)]
    numbers = [(f"ours {unit}", -9), (f"theirs {unit}", -9), ("ratio", -6), ("range", -15)]
    return Table(columns + numbers, flags.markdown)


def lines(table: Table, row: Measured) -> str:
    """Return the lines of a row: one for each that it is measured against."""
    if row.failure:
        return table.line(row.work, "RESULTS DISAGREE", *[""] * 4)
    found = []
    for side, rival in row.pairs():
        ratios = row.ratios(side, rival)
        medians = number(row.median(side)), number(row.median(rival)), number(float(np.median(ratios)))
        spread = f"{number(ratios.min())} - {number(ratios.max())}"
        found.append(table.line("" if found else row.work, rival, *medians, spread))
    return "\n".join(found)


def number(value: float) -> str:
    """Show three digits, or all before the point, but no more than four behind it."""
    decimals = 2 - math.floor(math.log10(value)) if value > 0 else 2
    return f"{value:.{min(max(decimals, 0), 4)}f}"


def means(rows: Sequence[Measured]) -> list[Record]:
    """Return the geometric mean of the ratios of all rows with a tag, for each that they are measured against."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        for side, rival in row.pairs():
            for tag in row.tags:
                found.setdefault((tag, rival), []).append(float(np.median(row.ratios(side, rival))))
    return [
        {"tag": tag, "against": rival, "ratio": float(np.exp(np.mean(np.log(ratios)))), "rows": len(ratios)}
        for (tag, rival), ratios in found.items()
    ]


def means_table(found: Sequence[Record], flags: Flags) -> str:
    """Return the table of the geometric means."""
    width = max(24, *(len(mean["tag"]) for mean in found))
    table = Table([("geometric means", width), ("against", 25 if flags.twice else 19), ("ratio", -6), ("rows", -4)],
                  flags.markdown)  # fmt: skip
    cells = [(mean["tag"], mean["against"], number(mean["ratio"]), str(mean["rows"])) for mean in found]
    return "\n".join([table.head(), *(table.line(*line) for line in cells)])


def steadiness(rows: Sequence[Measured]) -> str:
    """Say how far from 1 the ratios of sides to themselves are."""
    ratios = [float(np.median(row.ratios(*pair))) for row in rows for pair in row.pairs()]
    away = np.expm1(np.abs(np.log(ratios)))
    return (
        f"each side by itself: half of the {len(ratios)} ratios are within {np.median(away):.1%} of 1, "
        f"nine of ten within {np.quantile(away, 0.9):.1%}, all within {away.max():.1%}"
    )


def disturbances(rows: Sequence[Measured]) -> str:
    """Say which rows others have disturbed; nothing if they have not."""
    disturbed = [row.others for row in rows if row.others and row.others > DISTURBED]
    if not disturbed:
        return ""
    return (
        f"Beware: during {len(disturbed)} of {len(rows)} rows others kept {min(disturbed):.2g} to {max(disturbed):.2g} "
        "cores busy; what is measured then is worth little"
    )
