"""Time and memory against batch and image size: the rows, and a picture of them."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmark_memory import CHANNELS, MemoryWork
from benchmark_stopwatch import Measured, Work
from benchmark_suites import Conv, forward_sides, lenet_training
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from whole_file import whole_file

SIDE, BATCH = 56, 1  # of the convolution, where it is the other one that grows
SIDES = (14, 28, 56, 112, 224, 448)
BATCHES = (1, 2, 4, 8, 16, 32)
LENET_BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
LOOKS: dict[str, dict[str, Any]] = {
    "ours": {"color": "#e8a25c", "linewidth": 3.5, "marker": "o", "markersize": 7},
    "torch": {"color": "#1f3b63", "linewidth": 1.5, "marker": "o", "markersize": 4},
    "torch channels_last": {"color": "#1f3b63", "linewidth": 1.2, "linestyle": "--", "marker": "o", "markersize": 3},
}
COLUMNS = {
    "batch": (f"3x3 convolution, {CHANNELS} channels, {SIDE}x{SIDE}\nforward", "images"),
    "side": (f"3x3 convolution, {CHANNELS} channels, {BATCH} image\nforward", "rows and columns"),
    "lenet": ("LeNet, 28x28\ntraining step", "images"),
}
ROWS = {"ms": ("milliseconds", "time"), "MB": ("megabytes", "memory that a pass takes")}
SMALLEST = {"ms": 0.0, "MB": 0.1}  # smaller ones are drawn as this, below it are a few pages by chance


def scaling(batches: Sequence[int] | None) -> Iterator[Work | MemoryWork]:
    """Time and memory of a 3x3 convolution against batch and image size, and of LeNet's training step."""
    convs = [("batch", batch, batch, SIDE) for batch in batches or BATCHES]
    convs += [("side", side, BATCH, side) for side in SIDES if not batches]
    for column, at, batch, side in convs:
        conv = Conv("one", CHANNELS, CHANNELS, 3, side, padding=1)
        sides = partial(forward_sides, conv.make, (batch, CHANNELS, side, side))
        name = f"3x3 convolution of {CHANNELS} channels, {batch}x{side}x{side}"
        yield Work(f"{name}, time by {column}", sides, point=(column, at))
        yield MemoryWork(f"{name}, memory by {column}", "conv", batch, side, point=(column, at))
    for batch in batches or LENET_BATCHES:
        yield lenet_training(batch, point=("lenet", batch))
        yield MemoryWork(f"LeNet training step, batch {batch}, memory", "step", batch, 28, point=("lenet", batch))


def picture(rows: Sequence[Measured], title: str) -> Figure:
    """Draw the rows that have a place in the picture: time above, memory below."""
    figure = Figure(figsize=(13, 7.6), layout="constrained")
    figure.suptitle(title, fontsize=10, color="#555555")
    panels = figure.subplots(len(ROWS), len(COLUMNS), squeeze=False)
    for line, (unit, (unit_name, what)) in enumerate(ROWS.items()):
        for panel, (column, (heading, xlabel)) in zip(panels[line], COLUMNS.items(), strict=True):
            here = [row for row in rows if row.unit == unit and row.point and row.point[0] == column]
            draw(panel, [row for row in here if row.blocks])
            panel.set(title=f"{heading}: {what}", xlabel=xlabel, ylabel=unit_name)
    panels[0][0].legend(frameon=False)
    return figure


def draw(panel: Axes, rows: Sequence[Measured]) -> None:
    """Draw a line for each side, both axes logarithmic."""
    panel.set(xscale="log", yscale="log")
    panel.grid(alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)
    for side, look in LOOKS.items():
        points = [(row.point[1], max(row.median(side), SMALLEST[row.unit])) for row in rows if row.point]
        panel.plot([x for x, _ in points], [y for _, y in points], label=side, **look)
    panel.xaxis.set_major_locator(FixedLocator([row.point[1] for row in rows if row.point]))
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(NullLocator())


def write(path: Path, rows: Sequence[Measured], title: str) -> None:
    """Write the picture."""
    with whole_file(path) as draft:
        picture(rows, title).savefig(draft, dpi=150)
