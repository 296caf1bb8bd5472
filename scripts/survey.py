"""The survey of the famous networks: its numbers, its code and its pictures, made anew from the code that runs.

    python scripts/survey.py

writes what stands between the marks of numpycnn/models/README.md, ``<!-- survey: name -->`` and
``<!-- end -->``, and draws the pictures beside it. A test holds the page to what this prints.

Needs torch, torchvision, tqdm and matplotlib: pip install -e ".[train]"
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import survey_fields
import survey_networks as papers
import survey_pictures
from matplotlib.figure import Figure

import numpycnn as nc
from numpycnn.anatomy.summary import Summary
from numpycnn.anatomy.table import memory
from parity import slim

PAGE = Path(__file__).resolve().parents[1] / "numpycnn" / "models" / "README.md"
PICTURES = PAGE.parent / "pictures"
IMAGE = (3, 224, 224)
NETWORKS: dict[str, Callable[[], nc.Sequential]] = {
    "AlexNet": papers.alexnet,
    "VGG16": papers.vgg16,
    "GoogLeNet": papers.googlenet,
    "ResNet-50": partial(papers.resnet, (3, 4, 6, 3)),
    "ResNet-152": partial(papers.resnet, (3, 8, 36, 3)),
}
"""The networks as their papers have them."""

SAID = {
    "AlexNet": ("60 million [K, abstract]", ""),
    "VGG16": ("138 million [V, table 2]", "15.3 billion [R, 4.1]"),
    "GoogLeNet": ("6.8 million [G, table 1, summed up]", "1.5 billion [G, 1]"),
    "ResNet-50": ("", "3.8 billion [R, table 1]"),
    "ResNet-152": ("", "11.3 billion [R, table 1]"),
}
"""What the papers say of their parameters and multiply-adds."""

YEARS = {"AlexNet": 2012, "VGG16": 2014, "GoogLeNet": 2014, "ResNet-50": 2015}
LIBRARY = (
    *("alexnet", "vgg11", "vgg13", "vgg16", "vgg19", "googlenet"),
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "squeezenet1_0"),
)


# Tables


def table(*lines: Sequence[object]) -> str:
    """Return a table in Markdown; the first line is its headings, columns of numbers stand to the right."""
    headings, *rows = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in line] for line in lines]
    marks = ["---:" if isinstance(cell, int) else "---" for cell in lines[1]]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (headings, marks, *rows))


@cache
def counted(name: str) -> Summary:
    """Return the summary of a network as its paper has it."""
    return nc.summary(NETWORKS[name](), IMAGE)


def seen(summary: Summary) -> int:
    """Return how many pixels along a side an entry of the last image in a network sees."""
    fields = [row.receptive_field for row in summary.layers if row.receptive_field]
    return [field.size[0] for field in fields if field.jump != (0, 0)][-1]


def networks() -> str:
    """Put what is counted beside what the papers say."""
    rows = [
        [name, parameters, counted(name).parameters, products, counted(name).multiply_adds, seen(counted(name))]
        for name, (parameters, products) in SAID.items()
    ]
    return table(["", "parameters, paper", "counted", "multiply-adds, paper", "counted", "sees, pixels a side"], *rows)


def costs(stacks: dict[str, Sequence[tuple[int, int, int]]], side: int) -> str:
    """Compare stacks of convolutions, each (kernel, from channels, to channels), on images of one size."""
    lines: list[Sequence[object]] = [["", "sees", "weights", "multiply-adds", "ReLUs"]]
    for name, stack in stacks.items():
        layers = [
            papers.Conv2d(before, after, kernel, padding=kernel // 2, bias=False) for kernel, before, after in stack
        ]
        summary = nc.summary(nc.Sequential(*layers), (stack[0][1], side, side))
        field = nc.receptive_field(*layers)
        lines.append([name, "x".join(map(str, field.size)), summary.parameters, summary.multiply_adds, len(stack)])
    return table(*lines)


def filters() -> str:
    """Compare small filters with a large one that sees as much."""
    stacks = {"two of 3x3": [3, 3], "one of 5x5": [5], "three of 3x3": [3, 3, 3], "one of 7x7": [7]}
    return costs({name: [(kernel, 256, 256) for kernel in kernels] for name, kernels in stacks.items()}, 28)


def pointwise() -> str:
    """Compare large filters with the same between filters of 1x1, which make them narrow."""
    return costs(
        {
            "5x5 from 192 channels to 32": [(5, 192, 32)],
            "1x1 to 16, then 5x5 to 32: GoogLeNet's": [(1, 192, 16), (5, 16, 32)],
            "3x3 from 256 channels to 256": [(3, 256, 256)],
            "1x1 to 64, 3x3 to 64, 1x1 to 256: ResNet's": [(1, 256, 64), (3, 64, 64), (1, 64, 256)],
        },
        28,
    )


def shares() -> str:
    """Tell how much of a network is in its matrices, and how much memory its outputs take."""
    lines: list[Sequence[object]] = [["", "parameters in matrices", "multiply-adds in matrices", "outputs, one image"]]
    for name in ("AlexNet", "VGG16", "GoogLeNet", "ResNet-50"):
        matrices = [row for row in counted(name).layers if row.kind == "Linear"]
        parameters = sum(row.parameters for row in matrices) / counted(name).parameters
        products = sum(row.multiply_adds for row in matrices) / counted(name).multiply_adds
        lines.append([name, f"{parameters:.1%}", f"{products:.2%}", memory(counted(name).memory)])
    return table(*lines)


@cache
def library() -> str:
    """Count the networks of the library."""
    lines: list[Sequence[object]] = [
        ["`nc.models.`", "parameters", "multiply-adds", "outputs, one image", "sees, pixels a side"]
    ]
    for name in LIBRARY:
        summary = nc.summary(getattr(nc.models, name)(rng=slim.Zeros()), IMAGE)
        parameters = sum(row.parameters for row in summary.layers)  # without what is there for training alone
        lines.append([f"`{name}`", parameters, summary.multiply_adds, memory(summary.memory), seen(summary)])
    return table(*lines)


def code(function: Callable[..., nc.Layer]) -> str:
    """Quote a network's declaration."""
    return f"```python\n{inspect.getsource(function)}```"


BLOCKS: dict[str, Callable[[], str]] = {
    "networks": networks,
    "filters": filters,
    "pointwise": pointwise,
    "shares": shares,
    "library": library,
    **{
        function.__name__: partial(code, function) for function in (papers.alexnet, papers.inception, papers.bottleneck)
    },
}
"""What stands between the marks of the page."""


def filled(page: str) -> str:
    """Return the page with everything between its marks made anew."""
    return re.sub(
        r"(<!-- survey: (\w+) -->\n).*?(<!-- end -->)",
        lambda block: f"{block[1]}{BLOCKS[block[2]]()}\n{block[3]}",
        page,
        flags=re.DOTALL,
    )


def pictures() -> dict[str, Figure]:
    """Draw all pictures, under the names of their files."""
    named = {name: NETWORKS[name]() for name in survey_fields.LOOKS}
    drawn = {
        name.lower(): survey_pictures.network(model, IMAGE, f"{name} ({YEARS[name]})") for name, model in named.items()
    }
    return drawn | {"fields": survey_fields.growth(named), "filters": survey_fields.filters()}


def main() -> None:
    """Write the page and draw the pictures."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURES.mkdir(exist_ok=True)
    for name, figure in pictures().items():
        figure.savefig(PICTURES / f"{name}.png", dpi=150)


if __name__ == "__main__":
    main()
