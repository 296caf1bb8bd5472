"""The pictures of the survey: networks as blocks with their sizes, and receptive fields that grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

import numpycnn as nc
from numpycnn.anatomy.summary import LayerSummary

COLOURS = {
    "image": "#e4e4e7",
    "convolution": "#8fbbe0",
    "inception module": "#97d0a4",
    "residual block": "#bfaee0",
    "matrix": "#f3bd85",
    "pooling": "#ffffff",
}
KINDS = {
    "Add": "residual block",
    "Concat": "inception module",
    "Conv2d": "convolution",
    "Linear": "matrix",
    **dict.fromkeys(("MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d"), "pooling"),
}
TIMES = "\N{MULTIPLICATION SIGN}"
INK, PALE = "#1d1d1f", "#77777c"


@dataclass(frozen=True)
class Part:
    """A layer or a module directly below a network, with its lines of the summary."""

    layer: nc.Layer
    rows: tuple[LayerSummary, ...]

    @property
    def kind(self) -> str:
        """What it is drawn as; empty if it is not."""
        found = {row.kind for row in self.rows}
        return next((name for kind, name in KINDS.items() if kind in found), "")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what it gives, without samples."""
        return self.rows[-1].output_shape[1:]

    @property
    def window(self) -> str:
        """The window of a convolution, in short."""
        windows = (layer for layer in self.layer.modules() if isinstance(layer, nc.Conv2d))
        if self.kind != "convolution":
            return ""
        (kernel, _), (stride, _) = next((window.kernel_size, window.stride) for window in windows)
        return f"{kernel}{TIMES}{kernel}" + (f" /{stride}" if stride > 1 else "")


def parts(model: nc.Sequential, shape: tuple[int, ...]) -> Iterator[Part]:
    """Yield what stands directly below a network."""
    for index, rows in groupby(nc.summary(model, shape).layers, lambda row: int(row.path.partition(".")[0])):
        yield Part(model[index], tuple(rows))


def columns(model: nc.Sequential, shape: tuple[int, ...]) -> list[list[Part]]:
    """Put together what gives images of one size; each matrix stands alone, with what follows it."""
    found: list[list[Part]] = []
    for part in parts(model, shape):
        new = part.kind == "matrix" or (
            len(part.shape) == 3 and (not found or found[-1][-1].shape[1:] != part.shape[1:])
        )
        if new:
            found.append([])
        found[-1].append(part)
    return found


def short(number: int) -> str:
    """Return a number with three digits and a unit: 2,359,808 is 2.36 M."""
    for size, unit in ((10**9, " G"), (10**6, " M"), (10**3, " k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


class Slide:
    """A canvas measured in points, so that words and blocks keep their proportions."""

    def __init__(self, width: float, height: float):
        self.width = width
        self.figure = Figure(figsize=(width / 72, height / 72), facecolor="white")
        self.axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(0, height))
        self.axes.set_axis_off()

    def text(self, x: float, y: float, words: str, **look: Any) -> None:
        """Write words, centred at a place unless they are to begin or to end there."""
        self.axes.text(x, y, words, **{"ha": "center", "va": "center", "fontsize": 8, "color": INK} | look)

    def line(self, xs: tuple[float, float], ys: tuple[float, float]) -> None:
        """Draw a thin line, behind the blocks."""
        self.axes.plot(xs, ys, color=PALE, linewidth=0.6, zorder=0)

    def block(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Draw a block from x on, half of it above y."""
        self.axes.add_patch(Rectangle((x, y - height / 2), width, height, fc=colour, ec=INK, lw=0.6))


MIDDLE, TALLEST = 158.0, 118.0  # of the blocks, in points
GAP = 2.5
LINES = {"image": 76.0, "sees": 60.0, "parameters": 44.0, "multiply-adds": 28.0}  # how high the lines below them stand


def network(model: nc.Sequential, shape: tuple[int, int, int], title: str) -> Figure:
    """Draw a network as blocks, as high as their images and as wide as they have channels, above what they cost."""
    slide = Slide(800, 270)
    slide.text(14, 254, title, ha="left", fontsize=12, weight="bold")
    for name, y in LINES.items():
        slide.text(74, y, name, ha="right", color=PALE)
    slide.block(101, MIDDLE, 6, TALLEST, COLOURS["image"])
    slide.text(104, MIDDLE + TALLEST / 2 + 7, str(shape[0]))
    slide.text(104, LINES["image"], f"{shape[1]}{TIMES}{shape[2]}")

    stages = columns(model, shape)
    widths = [max(54.0, sum(width for *_, width in runs(stage)) + 12) for stage in stages]
    x = 132.0
    stretch = (slide.width - x - 8) / sum(widths)
    for stage, width in zip(stages, widths, strict=True):
        blocks(slide, x + width * stretch / 2, stage, shape)
        numbers(slide, x + width * stretch / 2, stage)
        x += width * stretch
    legend(slide, {part.kind for stage in stages for part in stage})
    return slide.figure


def thickness(part: Part) -> float:
    """Return how wide a block is drawn: by the root of its channels; a vector is a line."""
    return 6.0 if part.kind == "matrix" else 3 + 0.62 * sqrt(part.shape[0])


def runs(stage: list[Part]) -> list[tuple[list[Part], str, str, float]]:
    """Put equal blocks of a column together; return them with what is written above, and the width that they need."""
    found = []
    for _, same in groupby((part for part in stage if part.kind), lambda part: (part.shape, part.kind, part.window)):
        alike = list(same)
        count = f"{len(alike)} {TIMES} " if len(alike) > 1 else ""
        words = "" if alike[0].kind == "pooling" else count + str(alike[0].shape[0])
        room = max(text_width(words), text_width(alike[0].window, 7), sum(thickness(part) + GAP for part in alike))
        found.append((alike, words, alike[0].window, room + 6))
    return found


def blocks(slide: Slide, middle: float, stage: list[Part], shape: tuple[int, ...]) -> None:
    """Draw the blocks of a column, and above each run of equal ones how many channels they have."""
    x = middle - sum(width for *_, width in runs(stage)) / 2
    for alike, words, window, width in runs(stage):
        channels, *sides = alike[0].shape
        height = TALLEST * sqrt(sides[0] / shape[1] if sides else channels / 8192)
        left = x + (width - sum(thickness(part) + GAP for part in alike) + GAP) / 2
        for part in alike:
            slide.block(left, MIDDLE, thickness(part), height, COLOURS[part.kind])
            left += thickness(part) + GAP
        slide.text(x + width / 2, MIDDLE + height / 2 + 7, words)
        slide.text(x + width / 2, MIDDLE + height / 2 + 17, window, color=PALE, fontsize=7)
        x += width


def numbers(slide: Slide, middle: float, stage: list[Part]) -> None:
    """Write below a column what size it has, what it sees in the end, and what it costs."""
    rows = [row for part in stage for row in part.rows]
    sides = stage[0].shape[1:]
    fields = [row.receptive_field for row in rows if row.receptive_field and (not sides or len(row.output_shape) == 4)]
    seen = f"{fields[-1].size[0]}{TIMES}{fields[-1].size[1]}" if fields[-1].jump != (0, 0) else "all"
    costs = sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows)
    words = TIMES.join(map(str, sides)) or "vector", seen, *(short(cost) if cost else "" for cost in costs)
    for y, word in zip(LINES.values(), words, strict=True):
        slide.text(middle, y, word)


def legend(slide: Slide, kinds: set[str]) -> None:
    """Name the colours, from the right."""
    x = slide.width - 14.0
    for kind in reversed([kind for kind in COLOURS if kind in kinds | {"image"}]):
        x -= text_width(kind)
        slide.text(x, 254, kind, ha="left")
        slide.block(x - 13, 254, 9, 9, COLOURS[kind])
        x -= 28


def text_width(words: str, size: float = 8) -> float:
    """Return how wide words are, in points."""
    return TextPath((0, 0), words, size=size).get_extents().width if words else 0.0
