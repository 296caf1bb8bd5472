"""The flags of the training script; without NumPy, which must not be imported before its threads are set."""

import argparse
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

LEARNING_RATES = {"sgd": 0.02, "adam": 0.001, "adamw": 0.001}

Flags = argparse.Namespace


def parse_flags(argv: Sequence[str] | None, manual: str) -> Flags:
    """Read the flags; a wrong one ends the program with a sentence and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="train_mnist.py", description=manual, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    whole, positive = number(int, 1, "a whole number of at least 1"), number(float, 1e-12, "a number above 0")
    flag = parser.add_argument
    flag("--epochs", type=whole, default=5, help="how often every training image is seen (default: 5)")
    flag("--batch-size", type=whole, default=64, help="images in a step (default: 64)")
    flag("--optimizer", choices=LEARNING_RATES, default="sgd", help="sgd has a momentum of 0.9 (default: sgd)")
    flag("--lr", type=positive, help="learning rate at the start (default: 0.02 for sgd, else 0.001)")
    flag("--model", choices=["lenet", "lenet5"], default="lenet", help="which network (default: lenet)")
    flag("--dtype", choices=["float32", "float64"], default="float32", help="of weights and pixels (default: float32)")
    flag("--side", choices=["numpy", "torch", "both"], default="both", help="what to train (default: both)")
    flag("--threads", type=whole, default=1, help="of each side; more than are free slow both down (default: 1)")
    flag("--seed", type=number(int, 0, "a whole number of at least 0"), default=0, help="(default: 0)")
    flag("--limit", type=whole, metavar="N", help="take the first N training and N test images only")
    flag("--data", type=Path, metavar="FOLDER", help="what holds MNIST/raw/ (default: download into ./data)")
    flag("--out", type=Path, metavar="FOLDER", help="where results go (default: ./runs/, by date and time)")
    flags = parser.parse_args(argv)
    flags.sides = ["numpy", "torch"] if flags.side == "both" else [flags.side]
    flags.lr = flags.lr or LEARNING_RATES[flags.optimizer]
    return flags


def number(kind: type[int] | type[float], least: float, words: str) -> Callable[[str], float]:
    """Return what argparse reads a number with."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value < math.inf:
            raise argparse.ArgumentTypeError(f"expected {words}, got {text!r}")
        return value

    return read


def set_threads(count: int) -> None:
    """Tell the libraries below NumPy, whichever it was built with, how many threads to use."""
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = str(count)
    os.environ["VECLIB_MAXIMUM_THREADS"] = str(count)
