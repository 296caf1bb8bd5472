"""Convert torchvision's convolutional classifiers and hold each against its original: ``parity/NETWORKS.md``.

    python scripts/convert_networks.py                   # all of them; the largest takes 16 GB of memory
    python scripts/convert_networks.py resnet18 vgg11    # these, whose lines are written anew

Each network runs in evaluation mode and in training mode, on one thread. The table is written after each.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import torch
import torchvision

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that a fresh clone will do, nothing installed
from parity.conversion import agreement  # noqa: E402

TABLE = ROOT / "parity" / "NETWORKS.md"
BEGIN, END = "<!-- python scripts/convert_networks.py -->", "<!-- end of the table -->"
NO_CONVOLUTIONS = ("vit_", "swin_", "maxvit")  # transformers
OPTIONS = {name: {"init_weights": False} for name in ("googlenet", "inception_v3")}  # which take minutes
NEAR = 1e-9
SIDE = {"inception_v3": 299}  # its auxiliary classifier sees nothing else
"""The side of the images, if not 64."""


def networks() -> list[str]:
    """List the names of torchvision's classifiers that are made of convolutions."""
    return [
        name
        for name in torchvision.models.list_models(module=torchvision.models)
        if not name.startswith(NO_CONVOLUTIONS)
    ]


def build(name: str) -> torch.nn.Module:
    """Build a network as its constructor makes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of initial values, which are drawn anew
        return torchvision.models.get_model(name, weights=None, **OPTIONS.get(name, {}))


def measure(name: str) -> str:
    """Hold one network against its original in both modes; return its line of the table."""
    parameters = sum(parameter.numel() for parameter in build(name).parameters())
    side = SIDE.get(name, 64)
    errors: list[float] = []
    for training in (False, True):
        found = agreement(build(name), (2, 3, side, side), training)  # which alone holds the network
        errors += [found.forward, found.backward, found.parameters, *([found.state] if training else [])]
    return line(name, parameters, errors)


def line(name: str, parameters: int, errors: list[float]) -> str:
    """Write a network's line of the table."""
    cells = [name, f"{parameters:,}", *(f"{error:.0e}" for error in errors)]
    return f"| {' | '.join(cells)} | {'agrees' if max(errors) <= NEAR else 'DIFFERS'} |"


def enter(new: str, table: Path = TABLE) -> None:
    """Put a line into the table, in alphabetical order, in the place of the one with its name."""
    text = table.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    rows, after = rest.split(END)
    heading, rule, *lines = rows.strip().splitlines()
    named = {row.split("|")[1].strip(): row for row in [*lines, new]}
    body = "\n".join([heading, rule, *(named[name] for name in sorted(named))])
    table.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Measure the networks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="as torchvision names them; all by default")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.networks if name not in networks()]:
        parser.error(f"expected networks of torchvision that are made of convolutions, got {', '.join(unknown)}")
    torch.set_num_threads(1)
    differ = 0
    for name in options.networks or networks():
        new = measure(name)
        print(new, flush=True)
        enter(new)
        differ += "DIFFERS" in new
    return differ


if __name__ == "__main__":
    raise SystemExit(main())
