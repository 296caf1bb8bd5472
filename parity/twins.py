"""PyTorch modules that nobody ships: twins of our containers, of Scale and LeNet, with the same state-dict keys."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torchvision
from torch import nn
from torch.nn import functional
from torchvision.models.googlenet import BasicConv2d, Inception, InceptionAux

from . import ours, slim


class LeNet(nn.Module):
    """The twin of ``numpycnn.models.LeNet``: 28x28, ReLU, max pooling."""

    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(256, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.relu(self.fc1(x.flatten(1)))
        x = torch.relu(self.fc2(x))
        return self.fc3(x)


class LeNet5(nn.Module):
    """The twin of ``numpycnn.models.LeNet5``: 32x32, average pooling."""

    def __init__(self, num_classes: int = 10, activation: Callable[[], nn.Module] = nn.Tanh):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)
        self.activation = activation()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.avg_pool2d(self.activation(self.conv1(x)), 2)
        x = nn.functional.avg_pool2d(self.activation(self.conv2(x)), 2)
        x = self.activation(self.fc1(x.flatten(1)))
        x = self.activation(self.fc2(x))
        return self.fc3(x)


class AlexNet2012(nn.Module):
    """The twin of ``numpycnn.models.AlexNet2012``."""

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 96, 11, 4), nn.ReLU(), nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU()),
            *(nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
            *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        )
        self.classifier = nn.Sequential(
            *(nn.Linear(256 * 6 * 6, 4096), nn.ReLU(), nn.Dropout(dropout)),
            *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(dropout)),
            nn.Linear(4096, num_classes),
        )

        learned = [layer for layer in self.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        for index, layer in enumerate(learned):
            nn.init.normal_(layer.weight, 0, 0.01)
            nn.init.constant_(layer.bias, 1 if index in (1, 3, 4, 5, 6) else 0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x).flatten(1))


class Add(nn.Module):
    """The twin of ``numpycnn.Add``: the sum of branches on one input, or on one each."""

    def __init__(self, *branches: nn.Module):
        super().__init__()
        for index, branch in enumerate(branches):
            self.add_module(str(index), branch)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return sum(self.outputs(*inputs))

    def outputs(self, *inputs: torch.Tensor) -> list[torch.Tensor]:
        """Run the branches."""
        branches = list(self.children())
        each = inputs * len(branches) if len(inputs) == 1 else inputs
        return [branch(x) for branch, x in zip(branches, each, strict=True)]


class Multiply(Add):
    """The twin of ``numpycnn.Multiply``."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return functools.reduce(torch.mul, self.outputs(*inputs))


class Concat(Add):
    """The twin of ``numpycnn.Concat``."""

    def __init__(self, *branches: nn.Module, dim: int = 1):
        super().__init__(*branches)
        self.dim = dim

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return torch.cat(self.outputs(*inputs), self.dim)


class Auxiliary(nn.Module):
    """The twin of ``numpycnn.Auxiliary``."""

    def __init__(self, trunk: nn.Module, branch: nn.Module):
        super().__init__()
        self.add_module("0", trunk)
        self.add_module("1", branch)

    def forward(self, x: torch.Tensor) -> Any:
        trunk, branch = self.children()
        y = trunk(x)
        if not self.training:
            return y
        return (*(y if isinstance(y, tuple) else (y,)), branch(x))


class Graph(nn.Module):
    """The twin of ``numpycnn.Graph``: a module a node, run in order."""

    def __init__(self, **nodes: Any):
        super().__init__()
        self.reads = {name: reads for name, (_, *reads) in nodes.items()}
        for name, (module, *_) in nodes.items():
            self.add_module(name, module)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {"x": x}
        for name, reads in self.reads.items():
            x = values[name] = getattr(self, name)(*(values[read] for read in reads))
        return x


class Scale(nn.Module):
    """The twin of ``numpycnn.Scale``."""

    def __init__(self, shape: Sequence[int], init: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.full(shape, init))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * x


def lenet5(activation: str = "Tanh") -> LeNet5:
    """Build LeNet-5; the activation by its name, which both sides share."""
    return LeNet5(activation=getattr(nn, activation))


FUNCTIONS: dict[str, Callable[..., torch.Tensor]] = {
    "Affine": lambda x, scale=1.0, shift=0.0: x * scale + shift,
    "Chunk": lambda x, chunks, index, dim=0: torch.chunk(x, chunks, dim)[index],
    "Mean": torch.mean,
    "Pad": functional.pad,
    "Reshape": torch.reshape,
    "Select": torch.select,
    "Slice": torch.ops.aten.slice,
    "Squeeze": torch.squeeze,
    "Unsqueeze": torch.unsqueeze,
}
"""What of PyTorch is a function, and a layer here."""


class Called(nn.Module):
    """A function of ``FUNCTIONS`` and its further arguments, as a module."""

    def __init__(self, name: str, *args: Any, **kwargs: Any):
        super().__init__()
        self.name, self.args, self.kwargs = name, args, kwargs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return FUNCTIONS[self.name](x, *self.args, **self.kwargs)


class Residual(nn.Module):
    """The twin of ``parity.ours.Residual``: names apart from wiring."""

    def __init__(self, channels: int):
        super().__init__()
        self.bn = nn.BatchNorm2d(channels, eps=0.1)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.bn(self.conv2(torch.relu(self.conv1(x))) + x))


def theirs(kind: str, layers: list[Any]) -> nn.Module:
    """Build the torch twin from the same words."""
    made_here = {"Add": Add, "Multiply": Multiply, "Concat": Concat, "Auxiliary": Auxiliary}
    make = made_here.get(kind, nn.Sequential)
    return make(*(theirs(k, a) if isinstance(a, list) else getattr(nn, k)(**a) for k, a in layers))


def graph(nodes: list[ours.Node]) -> Graph:
    """Build the torch twin of a graph in words."""
    make = ours.in_words(nodes, lambda kind, a: theirs(kind, a) if isinstance(a, list) else getattr(nn, kind)(**a))
    return Graph(**make)


def unfilled(kind: Callable[..., nn.Module], *arguments: Any, **options: Any) -> nn.Module:
    """Build a module without values, at once: they are going to be loaded."""
    with torch.device("meta"):
        return kind(*arguments, **options).to_empty(device="cpu")


def maker(name: str) -> Callable[..., nn.Module]:
    """Return what builds the network of torch that has this name among ``numpycnn.models``."""
    make = AlexNet2012 if name == "alexnet_2012" else getattr(torchvision.models, name)
    return functools.partial(make, init_weights=True) if name == "googlenet" else make  # it warns unless it is told


def resnet(block: str, **options: Any) -> nn.Module:
    """Build torchvision's ResNet of blocks by their name."""
    return unfilled(torchvision.models.ResNet, getattr(torchvision.models.resnet, block), **options)


def small(kind: Callable[..., Any], features: int, *layers: nn.Module, **options: Any) -> nn.Module:
    """Build a network of torchvision's with small matrices; it has no values yet, they are to be loaded."""
    with torch.device("meta"):
        model = kind(*layers, **options)
    slim.shrink(model.classifier, nn.Linear, features)
    return model.to_empty(device="cpu")


def vgg(stages: slim.Stages, batch_norm: bool, **options: Any) -> nn.Module:
    """Build torchvision's VGG of small stages."""
    stages_of_torch = slim.vgg_features(nn, stages, batch_norm)
    features = 7 * 7 * stages[-1][-1]
    return small(torchvision.models.VGG, features, stages_of_torch, init_weights=False, **options)


def googlenet(num_classes: int, **options: Any) -> nn.Module:
    """Build torchvision's GoogLeNet of few channels."""
    blocks = slim.narrow((BasicConv2d, Inception, InceptionAux), nn.Linear)
    model = unfilled(torchvision.models.GoogLeNet, num_classes, blocks=blocks, init_weights=False, **options)
    model.fc = nn.Linear(1024 // 8, num_classes)
    return model
