"""The survey's pictures of receptive fields: how they grow, and what three small filters see beside a large one."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from survey_pictures import COLOURS, INK, PALE, TIMES, Part, Slide, parts

import numpycnn as nc

LOOKS = {"AlexNet": "#d1495b", "VGG16": "#2f6f9f", "GoogLeNet": "#3a9150", "ResNet-50": "#7a5bb5"}
LABELS = {"AlexNet": (-20, 15), "VGG16": (9, -12), "GoogLeNet": (8, 0), "ResNet-50": (8, 0)}  # clear of the lines
CONVOLUTIONS = {"convolution": 1, "inception module": 2, "residual block": 3}
"""How many convolutions follow one another in a part of a network, on its longest way."""


def growth(networks: Mapping[str, nc.Sequential]) -> Figure:
    """Draw how the fields of networks grow with the convolutions passed; and those of VGG16 on an image."""
    figure = Figure(figsize=(11, 4.6), layout="constrained", facecolor="white")
    on_image, curves = figure.subplots(1, 2, width_ratios=(1, 1.3))
    nested(on_image, list(parts(networks["VGG16"], (3, 224, 224))))
    for name, model in networks.items():
        curve(curves, name, list(parts(model, (3, 224, 224))))
    curves.axhline(224, color=PALE, linewidth=1, linestyle=(0, (4, 3)))
    curves.text(57.5, 231, "the whole image: 224", color=PALE, fontsize=9, va="bottom", ha="right")
    curves.set_yscale("log", base=2)
    curves.set(xlim=(0, 58), ylim=(2.5, 1100), xlabel="convolutions passed", ylabel="pixels along a side")
    curves.yaxis.set_major_locator(FixedLocator([4, 8, 16, 32, 64, 128, 256, 512, 1024]))
    curves.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    curves.yaxis.set_minor_locator(NullLocator())
    curves.set_title("What one output sees, through four networks", loc="left", fontsize=11, weight="bold")
    curves.grid(axis="y", color="#ececee")
    curves.spines[["top", "right"]].set_visible(False)
    return figure


def curve(axes: Axes, name: str, everything: list[Part]) -> None:
    """Draw the field of a network against the convolutions passed; a pooling is a step without one."""
    points, passed = [(0, 1)], 0
    for part in everything:
        field = part.rows[-1].receptive_field
        if field is None or field.jump == (0, 0):
            break
        passed += CONVOLUTIONS.get(part.kind, 0)
        if field.size[0] != points[-1][1]:
            points.append((passed, field.size[0]))
    axes.plot(*zip(*points, strict=True), color=LOOKS[name], linewidth=2, marker="o", markersize=3.5)
    axes.annotate(
        f"{name}: {points[-1][1]}",
        points[-1],
        xytext=LABELS[name],
        textcoords="offset points",
        va="center",
        color=LOOKS[name],
        fontsize=10,
    )


def nested(axes: Axes, everything: list[Part]) -> None:
    """Draw on an image what the middle output of each of VGG16's stages sees."""
    axes.add_patch(Rectangle((0, 0), 224, 224, facecolor="#f4f4f6", edgecolor=INK, linewidth=1))
    stages = [part for part in everything if part.kind == "pooling"]
    for stage, part in reversed([*enumerate(stages, 1)]):
        field = part.rows[-1].receptive_field
        assert field is not None
        rows, columns = (span.pixels(part.shape[1] // 2) for span in field)
        square = {"facecolor": LOOKS["VGG16"], "alpha": 0.22, "edgecolor": "none"}
        axes.add_patch(Rectangle((columns[0], rows[0]), len(columns), len(rows), **square))
        axes.add_patch(
            Rectangle((columns[0], rows[0]), len(columns), len(rows), fill=False, edgecolor=INK, linewidth=0.7)
        )
        axes.annotate(
            f"stage {stage}: {len(rows)}{TIMES}{len(columns)}",
            (columns[-1] + 1, rows[0] + 1),
            xytext=(236, 20 + 22 * (5 - stage)),
            va="center",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": PALE, "linewidth": 0.7, "relpos": (0, 0.5)},
        )
    axes.set(xlim=(-2, 330), ylim=(226, -2), aspect="equal")
    axes.set_axis_off()
    axes.set_title(f"What VGG16's middle outputs see of 224{TIMES}224", loc="left", fontsize=11, weight="bold")


def filters() -> Figure:
    """Draw from the side what one output sees through three filters of 3x3, and through one of 7x7."""
    slide = Slide(800, 250)
    for middle, kernels in ((185.0, (3, 3, 3)), (605.0, (7,))):
        weights = sum(nc.conv2d_num_parameters(1, 1, kernel, bias=False) for kernel in kernels)
        count, filters, times = ("three", "filters", 3) if len(kernels) == 3 else ("one", "filter", 1)
        title = f"{count} {filters} of {kernels[0]}{TIMES}{kernels[0]}"
        slide.text(middle, 236, title, fontsize=12, weight="bold")
        slide.text(middle, 219, f"{weights} C$^2$ weights, {times} ReLU{'s' * (times > 1)}", fontsize=10)
        pyramid(slide, middle, kernels)
    return slide.figure


def pyramid(slide: Slide, middle: float, kernels: tuple[int, ...]) -> None:
    """Draw the entries of each layer, from the input below to one output above, and which sees which."""
    pitch, lowest, highest = 30.0, 30.0, 195.0
    seen = [nc.receptive_field(*kernels[depth:]).size[0] for depth in range(len(kernels) + 1)]
    heights = [lowest + (highest - lowest) * depth / len(kernels) for depth in range(len(seen))]
    places = [[middle + (index - (count - 1) / 2) * pitch for index in range(count)] for count in seen]
    for depth, kernel in enumerate(kernels):
        for index, x in enumerate(places[depth + 1]):
            for tap in range(kernel):
                slide.line((x, places[depth][index + tap]), (heights[depth + 1], heights[depth]))
    for depth, (count, y) in enumerate(zip(seen, heights, strict=True)):
        for x in places[depth]:
            slide.block(x - 9, y, 18, 18, COLOURS["image" if depth == 0 else "convolution"])
        name = "input" if depth == 0 else "output" if depth == len(kernels) else f"layer {depth}"
        slide.text(middle + 3.5 * pitch + 10, y, f"{name}: {count}", ha="left", color=PALE, fontsize=9)
