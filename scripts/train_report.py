"""What a training run tells: lines while it runs, and files; all of it from one record, a plain dict."""

import contextlib
import io
import json
import math
import platform
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmark_machine import processor
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from mnist_data import DATASETS, Images
from tqdm import tqdm
from whole_file import whole_file

import numpycnn

Record = dict[str, Any]
TITLES = {"lenet": "LeNet", "lenet5": "LeNet-5", "convnet": "ConvNet"}
VARIATIONS = {"rotate": "rotated", "shift": "shifted", "scale": "scaled", "flip": "flipped"}
LOOKS = {"numpy": {"color": "#e8a25c", "linewidth": 4}, "torch": {"color": "#1f3b63", "linewidth": 1.3}}


def new_record(flags: Namespace, images: Images) -> Record:
    """Begin a record.

    ``"epochs"`` will hold a dict for each epoch: ``"epoch"``, how many were seen by then; for each side ``"loss"``, the
    mean of its steps, ``"train_accuracy"`` in these and ``"test_accuracy"``, 0 to 1, ``"seconds"``, of training alone,
    and ``"images_per_second"``; and, with both sides, ``"largest_difference"`` of a weight. ``"curve"`` will hold a
    dict for each turn, with the mean loss of each side, and with both how far their losses are apart step by step.
    ``"commands"`` will hold what was typed; that of a run that was gone on with, more than once.
    """
    train, test = len(images.train_images), len(images.test_images)
    threads = "1 thread" if flags.threads == 1 else f"{flags.threads} threads"
    varied = "".join(f", {word}" for name, word in VARIATIONS.items() if getattr(flags, name))
    return {
        "title": f"{TITLES[flags.model]}, {flags.dtype}, {flags.optimizer} from lr {flags.lr:g}, batches of "
        f"{flags.batch_size}, seed {flags.seed}, {threads}; {train:,} training images{varied} and {test:,} test images "
        f"of {DATASETS[flags.dataset].title}",
        "settings": {name: str(value) if isinstance(value, Path) else value for name, value in vars(flags).items()},
        "data": {"source": images.source, "train_images": train, "test_images": test},
        "processor": processor(),
        "versions": {
            "python": platform.python_version(),
            **{module.__name__: str(module.__version__) for module in (numpycnn, np, torch)},
        },
        "commands": [],
        "interrupted": False,
        "epochs": [],
        "curve": [],
    }


class Speaker:
    """What is said while it runs: a table above a bar of progress; or lines of JSON; or nothing."""

    def __init__(self, flags: Namespace):
        self.flags = flags
        self.bar = tqdm(disable=True)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Let others print only where it does not mix with what machines read."""
        elsewhere = io.StringIO() if self.flags.quiet else sys.stderr if self.flags.json else sys.stdout
        with contextlib.redirect_stdout(elsewhere):
            yield

    def begin(self, record: Record, turns: int) -> None:
        """Say what is about to happen, and what has happened already if it is gone on with."""
        self.say(f"{record['title']}\n\n{header(self.flags.sides)}", {"event": "start", **record})
        for row in record["epochs"]:
            self.say(line(row, self.flags.sides))
        if not (self.flags.quiet or self.flags.json):
            form = "{desc} {bar} {percentage:3.0f} %, {remaining} left"
            self.bar = tqdm(total=turns, initial=len(record["curve"]), bar_format=form, leave=False, disable=None)

    def turn(self, seen: float, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Move the bar on, which shows how the epoch goes: loss, training accuracy and images a second."""
        parts = [
            f"{side} {now['loss']:.3f} {now['train_accuracy']:.1%} {now['images_per_second']:,.0f}/s"
            for side, now in metrics.items()
        ]
        self.bar.set_description_str(" | ".join([f"epoch {math.ceil(seen)}", *parts]), refresh=False)
        self.bar.update()

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Say how an epoch went."""
        self.say(line(row, self.flags.sides), {"event": "epoch", **row})

    def end(self, record: Record, folder: Path) -> None:
        """Say what came of it."""
        self.bar.close()
        last = {"event": "end", "interrupted": record["interrupted"], "folder": str(folder)}
        self.say(f"\n{summary(record)} Files in {folder}", last)

    def say(self, text: str, event: Mapping[str, Any] | None = None) -> None:
        """Print the text for people, or the event for machines."""
        if self.flags.json:
            text = json.dumps(finite(dict(event or {})), allow_nan=False) if event else ""
        if text and not self.flags.quiet:
            with tqdm.external_write_mode():
                print(text, flush=True)


def header(sides: list[str]) -> str:
    """Return the two lines above the table."""
    groups = " " * 5 + "".join(f"{title:>{11 * len(sides)}}" for title in ("loss", "test accuracy", "seconds"))
    names = "epoch" + "".join(f"{side:>11}" for side in sides) * 3
    if len(sides) == 2:
        groups, names = groups + f"{'':8}{'largest differ-':>18}", names + f"{'ratio':>8}{'ence of a weight':>18}"
    return f"{groups}\n{names}"


def line(row: Mapping[str, Any], sides: list[str]) -> str:
    """Return the line of an epoch."""
    text = f"{round(row['epoch'], 2):<5g}"
    for name, form in (("loss", "11.4f"), ("test_accuracy", "11.2%"), ("seconds", "11.2f")):
        text += "".join(f"{row[side][name]:{form}}" for side in sides)
    if len(sides) == 2:
        text += f"{row['numpy']['seconds'] / row['torch']['seconds']:8.2f}{row['largest_difference']:18.1e}"
    return text


def summary(record: Record) -> str:
    """Return what came of it, in one line."""
    sides, epochs = record["settings"]["sides"], record["epochs"]
    accuracy = {side: epochs[-1][side]["test_accuracy"] for side in sides}
    seconds = {side: sum(row[side]["seconds"] for row in epochs) for side in sides}
    results = " and ".join(f"{side} {accuracy[side]:.2%} in {seconds[side]:.1f} s" for side in sides)
    if len(sides) == 2:
        points = 100 * abs(accuracy["numpy"] - accuracy["torch"])
        results += f" ({points:.2f} points apart, {seconds['numpy'] / seconds['torch']:.2f} times the seconds)"
    state = "Interrupted after" if record["interrupted"] else "Done:"
    reached = f"{round(epochs[-1]['epoch'], 2):g} of {record['settings']['epochs']} epochs"
    return f"{state} {reached}, test accuracy of {results}."


def write(folder: Path, record: Record, weights: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Write ``metrics.json``, ``learning_curves.png``, and the weights of each side as ``numpy.npz``, ``torch.npz``."""
    with whole_file(folder / "metrics.json") as draft:
        draft.write_text(json.dumps(finite(record), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    with whole_file(folder / "learning_curves.png") as draft:
        learning_curves(record).savefig(draft, dpi=150)
    for side, state in weights.items():
        with whole_file(folder / f"{side}.npz") as draft:
            np.savez(draft, **state)


def learning_curves(record: Record) -> Figure:
    """Draw loss and test accuracy over the epochs; with both sides also how far their weights are apart."""
    sides, curve, epochs = record["settings"]["sides"], record["curve"], record["epochs"]
    both = len(sides) == 2
    figure = Figure(figsize=(13.5 if both else 9, 4.3), layout="constrained")
    figure.suptitle(record["title"], fontsize=10, color="#555555")
    panels = figure.subplots(1, 3 if both else 2)

    for side in sides:
        look = {"label": side, **LOOKS[side]}
        panels[0].plot([point["epoch"] for point in curve], [point[side] for point in curve], **look)
        panels[1].plot([row["epoch"] for row in epochs], [row[side]["test_accuracy"] for row in epochs], "o-", **look)
    panels[0].set(title="Training loss", yscale="log", ylabel="cross-entropy")
    panels[1].set(title="Test accuracy")
    panels[1].yaxis.set_major_formatter(PercentFormatter(1.0))
    if both:
        distances = [point["largest_difference"] or math.nan for point in curve]  # 0 has no logarithm
        panels[2].plot([point["epoch"] for point in curve], distances, color="#4b7a3c", linewidth=2)
        panels[2].set(title="Largest difference of a weight", yscale="log", ylabel="|numpy - torch|")
    for panel in panels:
        panel.set(xlabel="epoch", xlim=(0, 1.03 * max(1, epochs[-1]["epoch"])))
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[:2]:
        panel.legend(frameon=False)
    return figure


def finite(value: Any) -> Any:
    """Replace numbers that JSON does not know, NaN and the infinities, by its null."""
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
