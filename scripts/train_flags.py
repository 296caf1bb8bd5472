"""The flags of the training script; without NumPy, which must not be imported before its threads are set."""

import argparse
import json
import math
import os
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

PRESETS = Path(__file__).resolve().parent / "presets"
LEARNING_RATES = {"sgd": 0.02, "adam": 0.001, "adamw": 0.001}
DEFAULTS = {
    "dataset": "mnist",
    "model": "lenet",
    "epochs": 5,
    "batch_size": 64,
    "optimizer": "sgd",
    "lr": None,
    "weight_decay": 0.0,
    "rotate": 0.0,
    "shift": 0,
    "scale": 0.0,
    "flip": False,
    "dtype": "float32",
    "side": "both",
    "threads": 1,
    "seed": 0,
    "limit": None,
    "data": None,
}
OF_THE_CALL = {"preset": None, "config": None, "resume": None, "out": None, "quiet": False, "json": False}
WITH_RESUME = {"resume", "quiet", "json", "data"}

Flags = argparse.Namespace


def parse_flags(argv: Sequence[str] | None, manual: str) -> Flags:
    """Read the flags, and the files that they name; a wrong one ends the program with a sentence and exit code 2."""
    parser = make_parser(manual)
    given = parser.parse_args(argv)
    if "resume" in given:
        if others := sorted(set(vars(given)) - WITH_RESUME):
            spelled = ", ".join(f"--{name.replace('_', '-')}" for name in others)
            parser.error(f"--resume goes on with the settings of that run; leave out {spelled}")
        files, given.out = [given.resume / "config.toml"], given.resume
    else:
        files = [PRESETS / f"{given.preset}.toml"] if "preset" in given else []
        files += [given.config] if "config" in given else []
    settings = {**DEFAULTS, **OF_THE_CALL}
    for path in files:
        settings.update(vars(parser.parse_args(read_config(path, parser))))
    flags = argparse.Namespace(**settings | vars(given))
    flags.sides = ["numpy", "torch"] if flags.side == "both" else [flags.side]
    flags.lr = flags.lr or LEARNING_RATES[flags.optimizer]
    return flags


def make_parser(manual: str) -> argparse.ArgumentParser:
    """Return what reads the flags; it leaves those out that are not given."""
    parser = argparse.ArgumentParser(
        prog="train_mnist.py",
        description=manual,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    whole, natural = number(int, 1, "a whole number of at least 1"), number(int, 0, "a whole number of at least 0")
    positive, size = number(float, 1e-12, "a number above 0"), number(float, 0, "a number of at least 0")
    flag = parser.add_argument_group("what is trained").add_argument
    flag("--preset", choices=sorted(path.stem for path in PRESETS.glob("*.toml")), help="settings that go far")
    flag("--config", type=Path, metavar="FILE", help="settings from a TOML file, named as the flags; flags overrule it")
    flag("--dataset", choices=["mnist", "fashion-mnist"], help="(default: mnist)")
    flag("--model", choices=["lenet", "lenet5", "convnet"], help="which network (default: lenet)")
    flag("--epochs", type=whole, help="how often every training image is seen (default: 5)")
    flag("--batch-size", type=whole, help="images in a step (default: 64)")
    flag("--optimizer", choices=LEARNING_RATES, help="sgd has a momentum of 0.9 (default: sgd)")
    flag("--lr", type=positive, help="learning rate at the start (default: 0.02 for sgd, else 0.001)")
    flag("--weight-decay", type=size, help="(default: 0)")
    flag("--dtype", choices=["float32", "float64"], help="of weights and pixels (default: float32)")
    flag("--side", choices=["numpy", "torch", "both"], help="what to train (default: both)")
    flag("--threads", type=whole, help="of each side; more than are free slow both down (default: 1)")
    flag("--seed", type=natural, help="(default: 0)")
    flag = parser.add_argument_group("how training images are varied, each anew every time").add_argument
    flag("--rotate", type=size, metavar="DEGREES", help="at most so far, to both sides (default: 0)")
    flag("--shift", type=natural, metavar="PIXELS", help="at most so far, to all sides (default: 0)")
    flag("--scale", type=number(float, 0, "a number of 0 to 0.9", 0.9), help="by 1 - SCALE to 1 + SCALE (default: 0)")
    flag("--flip", action="store_true", help="left and right, half of them")
    flag = parser.add_argument_group("where from, where to").add_argument
    flag("--limit", type=whole, metavar="N", help="take the first N training and N test images only")
    flag(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="holds MNIST/raw/ or FashionMNIST/raw/ (default: ./data)",
    )
    flag("--out", type=Path, metavar="FOLDER", help="where results go (default: ./runs/, by date and time)")
    flag("--resume", type=Path, metavar="FOLDER", help="go on with the run in this folder, with its settings")
    flag("--quiet", action="store_true", help="print errors alone")
    flag("--json", action="store_true", help="print a line of JSON for the start, each epoch and the end")
    return parser


def number(kind: type[int] | type[float], least: float, words: str, most: float = math.inf) -> Callable[[str], float]:
    """Return what argparse reads a number with."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (least <= value <= most and value < math.inf):
            raise argparse.ArgumentTypeError(f"expected {words}, got {text!r}")
        return value

    return read


def read_config(path: Path, parser: argparse.ArgumentParser) -> list[str]:
    """Read a TOML file of settings, as the flags that they stand for."""
    try:
        with path.open("rb") as file:
            settings = tomllib.load(file)
    except (OSError, ValueError) as error:  # ValueError: no TOML, or no text
        parser.error(f"cannot read {path}: {error}")
    flags = []
    for name, value in settings.items():
        known = name.replace("-", "_") in DEFAULTS
        if not known or not isinstance(value, str | int | float) or (name == "flip") is not isinstance(value, bool):
            parser.error(f"{path}: expected a setting of those that --help lists, got {name} = {value!r}")
        if value is not False:
            flags += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return flags


def write_config(path: Path, flags: Flags) -> None:
    """Write the settings of a run, so that ``--config`` repeats it and ``--resume`` goes on with it."""
    settings = {name.replace("_", "-"): getattr(flags, name) for name in DEFAULTS}
    lines = [f"{name} = {json.dumps(value, default=str)}" for name, value in settings.items() if value is not None]
    path.write_text("\n".join(["# The settings of this run, as --config takes them.", *lines, ""]), encoding="utf-8")


def set_threads(count: int) -> None:
    """Tell the libraries below NumPy, whichever it was built with, how many threads to use."""
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = str(count)
    os.environ["VECLIB_MAXIMUM_THREADS"] = str(count)
