"""The rows of the benchmark: what is timed, in which shapes."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import benchmark_onnx
import numpy as np
import torch
import torchvision
from benchmark_ours import OurBackward, OurForward, OurLoss, OurStep, PlainLoops, Winograd
from benchmark_stopwatch import Side, Work
from benchmark_torch import LAYOUTS, TorchBackward, TorchForward, TorchLoss, TorchStep
from torch import nn

import numpycnn as nc
from parity import twins

Make = Callable[[Any], Any]
"""Makes a layer or a network, given ``numpycnn`` or ``torch.nn``, which share their names."""
Batches = Sequence[int] | None
Sides = Iterator[tuple[str, Side]]


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


def lenet(batches: Batches) -> Iterator[Work]:
    """LeNet as a whole: a step of training, and inference."""
    for batch in batches or (1, 16, 64, 256, 1024):
        yield lenet_training(batch)
    for batch in batches or (1, 16, 64, 256, 1024):
        yield Work(f"LeNet inference, batch {batch}", partial(forward_sides, make_lenet, (batch, 1, 28, 28)))


def lenet_training(batch: int, **settings: Any) -> Work:
    """Return the row of LeNet's step."""
    sides = partial(step_sides, make_lenet, (batch, 1, 28, 28), 10)
    return training(f"LeNet training step, batch {batch}", sides, compared_runs=2, **settings)


def training(name: str, sides: Callable[..., Sides], **settings: Any) -> Work:
    """Return the row of a step of training, compared in float64.

    In float32 rounding moves some rectifiers over their kink, and entries of a gradient jump: in ResNet18 those
    of PyTorch's own two layouts are 0.13 of the largest apart.
    """
    return Work(name, sides, proof=partial(sides, dtype=np.float64), tolerance=1e-9, **settings)


def layers(batches: Batches) -> Iterator[Work]:
    """Convolutions of well-known networks; at the end one of them as plain loops, which is not in the means."""
    for batch in batches or (1,):
        for passes, make_sides in (("forward", forward_sides), ("forward+backward", backward_sides)):
            for conv in CONVS:
                small = (conv.kernel, conv.stride) == (3, 1)
                kinds = ["all shapes", "3x3 stride 1"] if small else ["all shapes"]
                sides = partial(make_sides, conv.make, (batch, conv.in_channels, conv.size, conv.size))
                what = f"batch {batch}, {passes}"
                yield Work(f"{conv}, {what}", sides, tuple(f"{kind}, {what}" for kind in kinds))
                if small:
                    tag = f"3x3 stride 1, Winograd, {what}"
                    yield Work(f"{conv}, Winograd, {what}", partial(with_winograd, sides), (tag,))
    yield Work(f"{CONVS[0]}, batch 1, forward, in plain loops", plain_loops)


def ops(batches: Batches) -> Iterator[Work]:
    """Layers that are no convolutions, and the cross-entropy; forward and backward."""
    for batch in batches or (8,):
        images = batch, 64, 112, 112
        for kind in ("MaxPool2d", "AvgPool2d"):
            for arguments, sizes in (((2,), images), ((3, 2, 1), images), ((2,), (8 * batch, 6, 24, 24))):
                yield op(kind, arguments, sizes, "pooling")
        yield op("ReLU", (), images)
        yield op("BatchNorm2d", (64,), images)
    for features in (4096, 9216):
        for batch in batches or (8, 256):
            yield op("Linear", (features, 4096), (batch, features))
    for classes in (10, 1000):
        for batch in batches or (256,):
            sides = partial(loss_sides, batch, classes)
            yield Work(f"CrossEntropyLoss on {batch}x{classes}", sides)


def op(kind: str, arguments: tuple[int, ...], shape: tuple[int, ...], *tags: str) -> Work:
    """Return the row of a layer, by its name."""
    name = f"{kind}({', '.join(map(str, arguments))}) on {'x'.join(map(str, shape))}"
    return Work(name, partial(backward_sides, lambda library: getattr(library, kind)(*arguments), shape), tags)


def nets(batches: Batches) -> Iterator[Work]:
    """AlexNet, VGG16 and ResNet18: inference, and a step of training; each with Winograd's algorithm too."""
    for our_name, torch_name in (("alexnet", "alexnet"), ("vgg16", "vgg16"), ("resnet18", "resnet18")):
        make = partial(make_network, our_name, torch_name)
        for batch in batches or (1, 8):
            shape = batch, 3, 224, 224
            for what, row, sides in (
                ("inference", partial(Work, tolerance=1e-3), partial(forward_sides, make, shape)),
                ("training step", training, partial(step_sides, make, shape, 1000)),
            ):
                yield row(f"{our_name} {what}, batch {batch}", sides)
                yield row(f"{our_name} {what}, Winograd, batch {batch}", partial(with_winograd, sides))


# How the sides of a row are made: all from the same numbers, one after the other


def forward_sides(make: Make, shape: tuple[int, ...]) -> Sides:
    """Make the sides of inference."""
    ours, theirs = pair(make)
    x = draw(shape)
    yield "ours", OurForward(ours.eval(), x)
    for name, layout in layouts(shape).items():
        yield name, TorchForward(theirs().eval(), x, layout)
    if benchmark_onnx.INSTALLED:
        yield "onnxruntime", benchmark_onnx.OnnxForward(theirs(), x)


def backward_sides(make: Make, shape: tuple[int, ...]) -> Sides:
    """Make the sides of a layer forward and backward."""
    ours, theirs = pair(make)
    x = draw(shape)
    with nc.no_grad():
        dy = draw(make(nc)(x).shape, seed=1)
    yield "ours", OurBackward(ours, x, dy)
    for name, layout in layouts(shape).items():
        yield name, TorchBackward(theirs(), x, dy, layout)


def loss_sides(batch: int, classes: int) -> Sides:
    """Make the sides of the cross-entropy."""
    x, target = draw((batch, classes)), draw_labels(batch, classes)
    yield "ours", OurLoss(nc.CrossEntropyLoss(), x, target)
    yield "torch", TorchLoss(nn.CrossEntropyLoss(), x, target)


def step_sides(make: Make, shape: tuple[int, ...], classes: int, dtype: type[np.floating] = np.float32) -> Sides:
    """Make the sides of a step of training."""
    ours, theirs = pair(make, dtype)
    x, target = draw(shape).astype(dtype), draw_labels(shape[0], classes)
    yield "ours", OurStep(ours, x, target)
    for name, layout in layouts(shape).items():
        yield name, TorchStep(theirs(), x, target, layout)


def with_winograd(make_sides: Callable[..., Sides], **settings: Any) -> Sides:
    """Make the same sides, ours with Winograd's algorithm."""
    for name, side in make_sides(**settings):
        yield name, Winograd(side) if name == "ours" else side


def plain_loops() -> Sides:
    """Make the sides of LeNet's first convolution, and the definition beside them."""
    ours, theirs = pair(CONVS[0].make)
    x = draw((1, 1, 28, 28))
    yield "ours", OurForward(ours, x)
    yield "torch", TorchForward(theirs(), x, LAYOUTS["torch"])
    yield "plain loops", PlainLoops(ours, x)


def pair(make: Make, dtype: type[np.floating] = np.float32) -> tuple[Any, Callable[[], nn.Module]]:
    """Make ours, and what makes torch's with the same weights: the same ones each time."""
    torch.manual_seed(0)
    module, ours = make(nn).to(getattr(torch, dtype.__name__)), make(nc).to(dtype)
    ours.load_state_dict(module.state_dict())
    return ours, partial(copy.deepcopy, module)


def make_lenet(library: Any) -> Any:
    """Make LeNet, which torch does not ship."""
    return nc.models.LeNet() if library is nc else twins.LeNet()


def make_network(our_name: str, torch_name: str, library: Any) -> Any:
    """Make a network that torchvision ships; with one answer, which has one loss."""
    options = {"aux_logits": False, "init_weights": True} if torch_name == "googlenet" else {}
    if library is nc:
        return getattr(nc.models, our_name)(**options)
    return torchvision.models.get_model(torch_name, weights=None, **options)


def layouts(shape: tuple[int, ...]) -> dict[str, torch.memory_format]:
    """Return the layouts to try: only images can be channels_last."""
    return {name: layout for name, layout in LAYOUTS.items() if name == "torch" or len(shape) == 4}


def draw(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Draw normals."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def draw_labels(count: int, classes: int) -> np.ndarray:
    """Draw class indices."""
    return np.random.default_rng(2).integers(0, classes, count)
