"""What the benchmark tells: where it ran, a table, geometric means, and the same as JSON."""

import math
import os
import platform
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmark_flags import Flags
from benchmark_stopwatch import Measured

import numpycnn

HEADINGS = ("work", "against", "ours", "theirs", "", "ratio", "range")


def surroundings(flags: Flags) -> dict[str, Any]:
    """Say where and how the numbers come about."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{cpu()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {
            "python": platform.python_version(),
            "numpycnn": numpycnn.__version__,
            "numpy": np.__version__,
            "blas": f"{blas['name']} {blas['version']}",
            "torch": str(torch.__version__),
        },
        "threads": flags.threads,
        "settings": {name: str(value) if isinstance(value, Path) else value for name, value in vars(flags).items()},
    }


def cpu() -> str:
    """Return the processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def header(where: dict[str, Any]) -> str:
    """Return the lines above the table."""
    settings, versions = where["settings"], where["versions"]
    threads = "1 thread" if where["threads"] == 1 else f"{where['threads']} threads"
    numpy, torch_ = f"NumPy {versions['numpy']} ({versions['blas']})", f"PyTorch {versions['torch']}"
    return (
        f"{where['date']}, {where['machine']}, {where['system']}\n"
        f"Python {versions['python']}, numpycnn {versions['numpycnn']}, {numpy}, {torch_}; {threads} on each side\n"
        f"medians of {settings['rounds']} blocks of {settings['seconds']:g} s, each after {settings['warm']:g} s of "
        "the same; ratio: ours / theirs, median and range over the rounds"
    )


class Table:
    """The table, line by line, as the rows come in."""

    def __init__(self, names: Sequence[str], markdown: bool):
        self.markdown = markdown
        self.widths = (max(map(len, names), default=4), 20, 9, 9, 2, 6, 13)

    def head(self) -> str:
        """Return the lines above the rows."""
        if not self.markdown:
            return f"{self._line(HEADINGS)}\n{self._line(['-' * width for width in self.widths])}"
        rule = [
            "-" * width if index in (0, 1, 4) else "-" * (width - 1) + ":" for index, width in enumerate(self.widths)
        ]
        return f"{self._line(HEADINGS)}\n{self._line(rule)}"

    def row(self, row: Measured) -> str:
        """Return the lines of a row: one for each that it is measured against."""
        if row.failure:
            return self._line([row.work, "DISAGREE", *[""] * 5])
        lines = []
        for side, rival in row.pairs():
            ratios = row.ratios(side, rival)
            numbers = [number(row.median(side)), number(row.median(rival)), row.unit, number(np.median(ratios))]
            name = "" if lines else row.work
            lines.append(self._line([name, rival, *numbers, f"{number(ratios.min())} - {number(ratios.max())}"]))
        return "\n".join(lines)

    def _line(self, cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if index in (0, 1, 4) else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, self.widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |" if self.markdown else "  ".join(padded).rstrip()


def number(value: float) -> str:
    """Show three digits, or all before the point."""
    decimals = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 2
    return f"{value:.{min(decimals, 4)}f}"


def means(rows: Iterable[Measured]) -> list[dict[str, Any]]:
    """Return the geometric mean of the ratios of all rows with a tag, for each that they are measured against."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        for side, rival in row.pairs() if row.blocks else []:
            for tag in row.tags:
                found.setdefault((tag, rival), []).append(float(np.median(row.ratios(side, rival))))
    return [
        {"tag": tag, "to": rival, "ratio": float(np.exp(np.mean(np.log(ratios)))), "rows": len(ratios)}
        for (tag, rival), ratios in found.items()
    ]


def means_text(found: Sequence[dict[str, Any]]) -> str:
    """Return the lines below the table."""
    width = max(len(mean["tag"]) for mean in found)
    lines = [f"{mean['tag']:{width}}  {mean['to']:20}{mean['ratio']:8.2f}  ({mean['rows']} rows)" for mean in found]
    return "\n".join(["geometric means of the ratios", *(f"  {line}" for line in lines)])
