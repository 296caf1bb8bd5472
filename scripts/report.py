"""The report of a training run: one page that needs nothing else, to be opened in a browser and passed on.

It holds no script and loads nothing: the curves are SVG, the pictures are PNG inside the page, and it follows the
browser's light or dark theme. ``report.html`` beside this file is its frame and style.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from feature_maps import stages
from report_charts import Line, chart
from report_pictures import feature_maps, filters, ink
from whole_file import whole_file

import numpycnn as nc

FRAME = Path(__file__).resolve().with_name("report.html")
WORST = 24  # mistakes that are shown
TOGETHER = "Both sides began with the same weights and saw the same batches. What parts them is rounding."


@dataclass(frozen=True)
class Outcome:
    """What a run has led to.

    Attributes
    ----------
    model : Layer
        The network with its weights; that of the twin if it alone was trained.
    example : ndarray
        (1, C, H, W): the first test image, as the network takes it.
    images, labels : ndarray
        The test images, (N, 28, 28) of bytes, and what they are, (N,).
    scores : dict of str to ndarray
        What each side says of them, (N, 10).
    names : list of str
        Of the classes.
    """

    model: nc.Layer
    example: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    scores: dict[str, np.ndarray]
    names: list[str]


def write(path: Path, record: Mapping[str, Any], outcome: Outcome) -> None:
    """Write the page."""
    parts = {
        "title": escape(record["title"].partition(",")[0] + " on " + record["title"].rpartition(" of ")[2]),
        "details": escape(record["title"]),
        "state": state(record),
        "results": "".join(result(side, record) for side in outcome.scores),
        "together": f"<p>{TOGETHER}</p>" if len(outcome.scores) == 2 else "",
        "curves": curves(record),
        "confusion": "".join(confusion(side, outcome) for side in outcome.scores),
        "names": classes(outcome.names),
        "mistakes": mistakes(outcome),
        "filters": filters(outcome.model),
        "example": escape(outcome.names[outcome.labels[0]]),
        "image": ink(outcome.images[0], "The image"),
        "maps": feature_maps(stages(outcome.model, outcome.example)),
        "times": times(record),
        "commands": "\n".join(map(escape, record["commands"])),
        "settings": table({**record["settings"], "data": record["data"]["source"]}),
        "versions": table({"processor": record["processor"], **record["versions"]}),
    }
    with whole_file(path) as draft:
        draft.write_text(Template(FRAME.read_text(encoding="utf-8")).substitute(parts), encoding="utf-8")


def state(record: Mapping[str, Any]) -> str:
    """Say so if the training did not come to its end."""
    seen, wanted = record["epochs"][-1]["epoch"], record["settings"]["epochs"]
    return "" if seen == wanted else f'<p class="note">It was ended after {seen:.3g} of {wanted} epochs.</p>'


def result(side: str, record: Mapping[str, Any]) -> str:
    """Tell how good a side became, and in what time."""
    rows = [row[side] for row in record["epochs"]]
    seconds = sum(row["seconds"] for row in rows)
    return (
        f'<div class="card result {side}"><h3>{side}</h3><strong>{rows[-1]["test_accuracy"]:.2%}</strong>'
        f"<span>of {record['data']['test_images']:,} test images</span>"
        f"<span>{seconds:,.1f} s of training, {rows[-1]['images_per_second']:,.0f} images a second at last</span></div>"
    )


def curves(record: Mapping[str, Any]) -> str:
    """Draw loss and accuracy of both sides, and how far they are apart, step by step."""
    sides, curve, rows = record["settings"]["sides"], record["curve"], record["epochs"]
    x, ends, seen = (numbers([point["epoch"] for point in points]) for points in (curve, rows, rows[-1:]))
    losses = [Line(side, side, x, numbers([point[side] for point in curve])) for side in sides]
    right = [Line(side, side, ends, numbers([row[side]["test_accuracy"] for row in rows])) for side in sides]
    epochs = float(seen[0])
    drawn = [chart("Training loss", losses, epochs, log=True), chart("Test accuracy", right, epochs, percent=True)]
    if len(sides) == 2:
        apart = Line("apart", "|numpy - torch|", x, numbers([point["largest_difference"] for point in curve]))
        drawn.append(chart("Difference of the loss, step by step", [difference(curve, x)], epochs, log=True))
        drawn.append(chart("Largest difference of a weight", [apart], epochs, log=True))
    return "".join(drawn)


def difference(curve: list[Mapping[str, Any]], x: np.ndarray) -> Line:
    """Return how far the losses of both sides are apart, at every step of every turn."""
    before = np.concatenate([[0], x[:-1]])
    steps = [numbers(point["loss_differences"]) for point in curve]
    places = [a + (b - a) * np.arange(1, len(of) + 1) / len(of) for a, b, of in zip(before, x, steps, strict=True)]
    return Line("apart", "|numpy - torch|", np.concatenate(places), np.concatenate(steps), dots=True)


def numbers(values: list[float | None]) -> np.ndarray:
    """Make an array; what JSON has no number for is nan."""
    return np.array(values, np.float64)


def confusion(side: str, outcome: Outcome) -> str:
    """Show what was taken for what; mistakes in the accent's colour, the stronger the more there are."""
    count = len(outcome.names)
    counts = np.zeros((count, count), np.int64)
    np.add.at(counts, (outcome.labels, outcome.scores[side].argmax(1)), 1)
    most = max(1, (counts - np.diag(counts.diagonal())).max())
    head = "".join(f"<th>{n}</th>" for n in range(count))
    rows = []
    for is_, row in enumerate(counts):
        cells = []
        for said, number in enumerate(row):
            look = 'class="right"' if is_ == said else f'style="--share: {15 + 75 * number / most:.0f}%"'
            words = f"{number} of {outcome.names[is_]} taken for {outcome.names[said]}"
            cells.append(f'<td {look} title="{escape(words)}">{number}</td>' if number else "<td></td>")
        rows.append(f"<tr><th>{is_}</th>{''.join(cells)}</tr>")
    return (
        f"<figure><figcaption><b>{side}</b> <span>{np.trace(counts):,} right, {counts.sum() - np.trace(counts):,} wrong"
        f'</span></figcaption><table class="confusion"><tr><th></th>{head}</tr>{"".join(rows)}</table></figure>'
    )


def classes(names: list[str]) -> str:
    """Name the classes, where their numbers do not."""
    told = [f"{n} {escape(name)}" for n, name in enumerate(names) if name != str(n)]
    return f"<p>{', '.join(told)}</p>" if told else ""


def mistakes(outcome: Outcome) -> str:
    """Show the images to whose right class the first side gave the least chance."""
    side, *others = outcome.scores
    chances = {name: nc.Softmax(1)(np.nan_to_num(scores)) for name, scores in outcome.scores.items()}
    said = {name: of.argmax(1) for name, of in chances.items()}
    truth = chances[side][np.arange(len(outcome.labels)), outcome.labels]
    wrong = np.flatnonzero(said[side] != outcome.labels)
    shown = []
    for n in wrong[np.argsort(truth[wrong], kind="stable")][:WORST]:
        words = f"taken for <b>{escape(outcome.names[said[side][n]])}</b>, {chances[side][n].max():.0%}"
        words += f"<br>is {escape(outcome.names[outcome.labels[n]])}"
        words += "".join(f"; {other} says {escape(outcome.names[said[other][n]])}" for other in others)
        shown.append(f"<figure>{ink(outcome.images[n], '')}<figcaption>{words}</figcaption></figure>")
    return "".join(shown) or "<p>There is none.</p>"


def times(record: Mapping[str, Any]) -> str:
    """Tell epoch by epoch how it went, and how long it took."""
    sides = record["settings"]["sides"]
    columns = {
        "loss": ".4f",
        "train_accuracy": ".2%",
        "test_accuracy": ".2%",
        "seconds": ".2f",
        "images_per_second": ",.0f",
    }
    groups = "".join(f'<th colspan="{len(sides)}">{name.replace("_", " ")}</th>' for name in columns)
    names = "".join(f"<th>{side}</th>" for side in sides)
    rows = []
    for row in record["epochs"]:
        cells = [f"<td>{spell(row[side][name], form)}</td>" for name, form in columns.items() for side in sides]
        rows.append(f"<tr><th>{row['epoch']:.3g}</th>{''.join(cells)}</tr>")
    return f"<table><tr><th></th>{groups}</tr><tr><th>epoch</th>{names * len(columns)}</tr>{''.join(rows)}</table>"


def spell(value: float | None, form: str) -> str:
    """Write a number, if it is one."""
    return "none" if value is None else f"{value:{form}}"


def table(entries: Mapping[str, Any]) -> str:
    """List names and values, but for what was left out or off."""
    told = {name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in entries.items()}
    rows = [
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{escape(str(value))}</td></tr>"
        for name, value in told.items()
        if value is not None and value is not False
    ]
    return f'<table class="list">{"".join(rows)}</table>'
