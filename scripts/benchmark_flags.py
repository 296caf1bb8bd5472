"""The flags of the benchmark; without NumPy, which must not be imported before its threads are set."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from train_flags import number

SUITES = ("lenet", "layers", "ops", "nets", "memory", "scaling")

Flags = argparse.Namespace


def parse_flags(argv: Sequence[str] | None, manual: str) -> Flags:
    """Read the flags; a wrong one ends the program with a sentence and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="benchmark.py", description=manual, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    whole, seconds = number(int, 1, "a whole number of at least 1"), number(float, 0, "a number of at least 0")
    flag = parser.add_argument
    flag("suites", nargs="*", type=suite, metavar="SUITE", help=f"{', '.join(SUITES)} (default: lenet)")
    flag("--threads", type=whole, default=2, help="on each side (default: 2)")
    flag("--batch", type=whole, nargs="+", metavar="N", help="images at a time (default: as the suite has it)")
    flag("--only", metavar="TEXT", help="take the rows alone whose name holds this")
    flag("--rounds", type=whole, default=7, help="how many blocks each side is timed for (default: 7)")
    flag("--seconds", type=seconds, default=0.2, help="how long a block lasts at least (default: 0.2)")
    flag("--warm", type=seconds, default=0.15, help="how long a side runs before each block (default: 0.15)")
    flag("--malloc", choices=["keep", "plain"], default="keep", help="whether freed memory is kept (default: keep)")
    flag("--twice", action="store_true", help="measure each side by itself: how steady is the stopwatch?")
    flag("--markdown", action="store_true", help="print the table as Markdown")
    flag("--picture", type=Path, default="scaling.png", metavar="FILE", help="of scaling (default: scaling.png)")
    flag("--json", type=Path, metavar="FILE", help="write all numbers there too")
    flags = parser.parse_args(argv)
    flags.suites = list(dict.fromkeys(flags.suites)) or ["lenet"]
    return flags


def suite(text: str) -> str:
    """Read the name of a suite."""
    if text not in SUITES:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(SUITES)}, got {text!r}")
    return text
