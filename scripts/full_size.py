"""How near are the famous networks to torchvision's at their full size? Forward and backward, every gradient.

    python scripts/full_size.py                          AlexNet, VGG16, ResNet50 and GoogLeNet, two images
    python scripts/full_size.py vgg19_bn --batch 1

Both sides get the same weights, as the network draws them at first, the same images of 224x224 and
the same upstream gradient, random; they run in training mode, without dropout. The judge is torch in
float64. An error is the largest difference in an array by the array's largest entry, and of all
gradients the worst is shown. (Where all of an array is less than a ten-thousandth of the largest
gradient, that is what its error is measured by: a bias before a normalisation has no gradient but
what rounding leaves.)

In float32 rounding moves a few of the many rectifiers and maxima over their kink, ours and torch's
elsewhere, and the gradients jump: a single rectifier of ResNet18 can move one by a tenth. So they
stand side by side, to show what is to be expected, and it is float64 that judges the gradients.
One network is in memory at a time, and one side of it: VGG16 takes 5 GB.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import numpycnn as nc
from parity import bridge, twins
from parity.compare import named, one_or_all

DEFAULT = ("alexnet", "vgg16", "resnet50", "googlenet")
SIDES = {"alexnet_2012": 227}
"""The sides of images, where it is not 224."""

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Errors:
    """The relative errors of a run: of the output, and the worst of all gradients."""

    output: float
    gradients: float


@dataclass(frozen=True)
class Task:
    """What both sides run: a network by its name, its weights, images and an upstream gradient."""

    name: str
    state: Arrays
    images: np.ndarray
    upstream: list[np.ndarray]


def make_task(name: str, batch: int) -> Task:
    """Draw a task; GoogLeNet has three outputs, all others one."""
    side = SIDES.get(name, 224)
    model = getattr(nc.models, name)(rng=0)
    rng = np.random.default_rng(1)
    images = rng.standard_normal((batch, 3, side, side))
    return Task(name, model.state_dict(), images, [rng.standard_normal((batch, 1000)) for _ in range(3)])


def run_ours(task: Task, dtype: str) -> tuple[Arrays, Arrays]:
    """Run our side; return outputs and gradients."""
    model = getattr(nc.models, task.name)(rng=0).to(dtype)
    model.load_state_dict(task.state)
    for layer in model.modules():
        if isinstance(layer, nc.Dropout):
            layer.p = 0.0
    outputs = named(model(task.images.astype(dtype)))
    dys = [dy.astype(dtype) for dy in task.upstream[: len(outputs)]]
    gradients = {"dx": model.backward(one_or_all(dys))}
    return outputs, gradients | {name: parameter.grad for name, parameter in model.named_parameters()}


def run_theirs(task: Task, dtype: str) -> tuple[Arrays, Arrays]:
    """Run torch's side; return outputs and gradients."""
    model = twins.unfilled(twins.maker(task.name)).to(getattr(torch, dtype))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in task.state.items()})
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    x = torch.from_numpy(task.images.astype(dtype)).requires_grad_()
    outputs = named(model(x))
    dys = [torch.from_numpy(dy.astype(dtype)) for dy in task.upstream[: len(outputs)]]
    torch.autograd.backward(list(outputs.values()), dys)
    gradients = {"dx": x.grad.numpy()} | {name: parameter.grad.numpy() for name, parameter in model.named_parameters()}
    return {name: bridge.array(y) for name, y in outputs.items()}, gradients


def compare(run: tuple[Arrays, Arrays], judge: tuple[Arrays, Arrays]) -> Errors:
    """Measure a run by the judge's."""
    return Errors(*(max(_errors(*sides)) for sides in zip(run, judge, strict=True)))


def _errors(ours: Arrays, theirs: Arrays) -> Iterator[float]:
    assert list(ours) == list(theirs)
    largest = max(float(np.abs(array).max()) for array in theirs.values())
    for name, array in theirs.items():
        scale = max(float(np.abs(array).max()), 1e-4 * largest)
        yield float(np.abs(ours[name] - array).max()) / scale


def measure(name: str, batch: int) -> dict[str, Errors]:
    """Run a network on all sides; return the errors of each."""
    task = make_task(name, batch)
    judge = run_theirs(task, "float64")
    runs = {
        "ours f64": lambda: run_ours(task, "float64"),
        "ours f32": lambda: run_ours(task, "float32"),
        "torch f32": lambda: run_theirs(task, "float32"),
    }
    return {name: compare(run(), judge) for name, run in runs.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the networks that are asked for, and print a line of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=DEFAULT, metavar="NETWORK", help="as torchvision names it")
    parser.add_argument("--batch", type=int, default=2, help="how many images (default: 2)")
    flags = parser.parse_args(argv)
    unknown = [name for name in flags.networks if not (name.islower() and hasattr(nc.models, name))]
    if unknown:
        parser.error(f"no such network: {', '.join(unknown)}")
    print(f"{'output / gradients':12s}" + "".join(f"{side:>20s}" for side in ("ours f64", "ours f32", "torch f32")))
    for name in flags.networks:
        errors = measure(name, flags.batch)
        print(f"{name:18s}" + "".join(f"{e.output:11.1e} /{e.gradients:7.1e}" for e in errors.values()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
