"""The rows of the benchmark: what is timed, in which shapes."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from benchmark_sides import (
    LAYOUTS,
    LoopsForward,
    OurBackward,
    OurForward,
    OurLoss,
    OurStep,
    TorchBackward,
    TorchForward,
    TorchLoss,
    TorchStep,
)
from benchmark_stopwatch import Side, Work
from torch import nn

import numpycnn as nc
from parity import twins

Make = Callable[[Any], Any]
"""Makes a layer, given ``numpycnn`` or ``torch.nn``: they share their names."""


@dataclass(frozen=True)
class Conv:
    """A convolution of a network, on square images."""

    network: str
    in_channels: int
    out_channels: int
    kernel: int
    size: int
    stride: int = 1
    padding: int = 0
    bias: bool = True

    def make(self, library: Any) -> Any:
        """Make the layer, in either library."""
        channels = self.in_channels, self.out_channels
        return library.Conv2d(*channels, self.kernel, self.stride, self.padding, bias=self.bias)

    def __str__(self) -> str:
        kernel = f"{self.kernel}x{self.kernel}" + (f" s{self.stride}" if self.stride > 1 else "")
        return f"{self.network} {kernel} {self.in_channels}->{self.out_channels} @{self.size}"


vgg = partial(Conv, "VGG16", kernel=3, padding=1)
resnet = partial(Conv, "ResNet", bias=False)
CONVS = [
    Conv("LeNet", 1, 6, 5, 28),
    Conv("LeNet", 6, 16, 5, 12),
    Conv("AlexNet", 3, 64, 11, 224, stride=4, padding=2),
    Conv("AlexNet", 64, 192, 5, 27, padding=2),
    Conv("AlexNet", 192, 384, 3, 13, padding=1),
    Conv("AlexNet", 384, 256, 3, 13, padding=1),
    Conv("AlexNet", 256, 256, 3, 13, padding=1),
    vgg(3, 64, size=224),
    vgg(64, 64, size=224),
    vgg(64, 128, size=112),
    vgg(128, 128, size=112),
    vgg(128, 256, size=56),
    vgg(256, 256, size=56),
    vgg(256, 512, size=28),
    vgg(512, 512, size=28),
    vgg(512, 512, size=14),
    resnet(3, 64, 7, 224, stride=2, padding=3),
    resnet(64, 64, 3, 56, padding=1),
    resnet(64, 128, 3, 56, stride=2, padding=1),
    resnet(128, 128, 3, 56, stride=2, padding=1),
    resnet(256, 256, 3, 14, padding=1),
    resnet(512, 512, 3, 7, padding=1),
    resnet(64, 256, 1, 56),
    resnet(256, 64, 1, 56),
    resnet(256, 512, 1, 56, stride=2),
    resnet(2048, 512, 1, 7),
]


def lenet(batches: Sequence[int] | None) -> Iterator[Work]:
    """LeNet as a whole: a step of training, and inference."""
    for batch in batches or (1, 16, 64, 256, 1024):
        # One max-pool window or ReLU that rounding tips over weighs 1 / batch of a gradient: hence the tolerance.
        sides = partial(lenet_step, batch)
        yield Work(f"LeNet training step, batch {batch}", sides, compared_runs=2, tolerance=1e-3)
    for batch in batches or (1, 16, 64, 256, 1024):
        yield Work(f"LeNet inference, batch {batch}", partial(lenet_inference, batch))


def layers(batches: Sequence[int] | None) -> Iterator[Work]:
    """Convolutions of well-known networks; and one of them as plain loops, which is not in the means."""
    for batch in batches or (1,):
        for backward in (False, True):
            passes = "forward+backward" if backward else "forward"
            for conv in CONVS:
                tags = [f"all shapes, batch {batch}, {passes}"]
                if conv.kernel == 3 and conv.stride == 1:
                    tags.append(f"3x3 stride 1, batch {batch}, {passes}")
                sides = partial(layer_sides, conv.make, (batch, conv.in_channels, conv.size, conv.size), backward)
                yield Work(f"{conv}, batch {batch}, {passes}", sides, tuple(tags))
    yield Work("one image of LeNet's 1st convolution, in plain loops", loops)


def ops(_: Sequence[int] | None) -> Iterator[Work]:
    """Everything but convolutions, forward and backward."""
    images = (8, 64, 112, 112)
    kinds: list[tuple[str, Make, tuple[int, ...]]] = [
        ("MaxPool2d 2x2", lambda library: library.MaxPool2d(2), images),
        ("MaxPool2d 3x3 s2 p1", lambda library: library.MaxPool2d(3, 2, 1), images),
        ("MaxPool2d 2x2", lambda library: library.MaxPool2d(2), (64, 6, 24, 24)),
        ("AvgPool2d 2x2", lambda library: library.AvgPool2d(2), images),
        ("AvgPool2d 3x3 s2 p1", lambda library: library.AvgPool2d(3, 2, 1), images),
        ("AvgPool2d 2x2", lambda library: library.AvgPool2d(2), (64, 6, 24, 24)),
        ("ReLU", lambda library: library.ReLU(), images),
        ("BatchNorm2d", lambda library: library.BatchNorm2d(64), images),
        ("Linear", lambda library: library.Linear(4096, 4096), (8, 4096)),
        ("Linear", lambda library: library.Linear(4096, 4096), (256, 4096)),
        ("Linear", lambda library: library.Linear(9216, 4096), (8, 9216)),
        ("Linear", lambda library: library.Linear(9216, 4096), (256, 9216)),
    ]
    for name, make, shape in kinds:
        result = "->4096" if name == "Linear" else ""
        tags = ("pooling",) if "Pool" in name else ()
        yield Work(f"{name} on {'x'.join(map(str, shape))}{result}", partial(layer_sides, make, shape, True), tags)
    for classes in (10, 1000):
        yield Work(f"CrossEntropyLoss, batch 256, {classes} classes", partial(loss_sides, classes))


def nets(_: Sequence[int] | None) -> Iterator[Work]:
    """Whole networks."""
    yield from ()


SUITES = {"lenet": lenet, "layers": layers, "ops": ops, "nets": nets}


# How the sides of a row are made: all from the same numbers


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    """Draw normals."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def labels(count: int, classes: int) -> np.ndarray:
    """Draw class indices."""
    return np.random.default_rng(count).integers(0, classes, count)


def twins_of(make: Make) -> tuple[nc.Layer, Callable[[], nn.Module]]:
    """Make our layer, and what makes torch's twins with the same weights: every time the same ones."""
    torch.manual_seed(0)
    module = make(nn)
    ours = make(nc)
    ours.load_state_dict(module.state_dict())
    return ours, partial(copy.deepcopy, module)


def layer_sides(make: Make, shape: tuple[int, ...], backward: bool) -> dict[str, Side]:
    """Make the sides of a layer; channels_last, where the input is images."""
    ours, theirs = twins_of(make)
    x = draw(*shape)
    layouts = {name: layout for name, layout in LAYOUTS.items() if name == "torch" or len(shape) == 4}
    if not backward:
        return {"ours": OurForward(ours, x), **{k: TorchForward(theirs(), x, v) for k, v in layouts.items()}}
    dy = draw(*ours(x).shape, seed=1)
    ours, theirs = twins_of(make)  # anew: that forward has moved the running statistics
    return {"ours": OurBackward(ours, x, dy), **{k: TorchBackward(theirs(), x, dy, v) for k, v in layouts.items()}}


def loss_sides(classes: int) -> dict[str, Side]:
    """Make the sides of the cross-entropy."""
    x, target = draw(256, classes), labels(256, classes)
    return {
        "ours": OurLoss(nc.CrossEntropyLoss(), x, target),
        "torch": TorchLoss(nn.CrossEntropyLoss(), x, target),
    }


def lenet_step(batch: int) -> dict[str, Side]:
    """Make the sides of a step."""
    ours, theirs = twins_of(make_lenet)
    x, target = draw(batch, 1, 28, 28), labels(batch, 10)
    others = {name: TorchStep(theirs(), x, target, layout) for name, layout in LAYOUTS.items()}
    return {"ours": OurStep(ours, x, target), **others}


def lenet_inference(batch: int) -> dict[str, Side]:
    """Make the sides of LeNet's answer."""
    ours, theirs = twins_of(make_lenet)
    x = draw(batch, 1, 28, 28)
    others = {name: TorchForward(theirs().eval(), x, layout) for name, layout in LAYOUTS.items()}
    return {"ours": OurForward(ours.eval(), x), **others}


def make_lenet(library: Any) -> Any:
    """Make LeNet, which torch does not ship."""
    return nc.models.LeNet() if library is nc else twins.LeNet()


def loops() -> dict[str, Side]:
    """Make the sides of a convolution, with the plain loops beside them."""
    ours, theirs = twins_of(CONVS[0].make)
    x = draw(1, 1, 28, 28)
    return {
        "ours": OurForward(ours, x),
        "torch": TorchForward(theirs(), x, LAYOUTS["torch"]),
        "plain loops": LoopsForward(ours, x),
    }
