"""Our side of every row, built from the row's name and a case's arguments; without torch, so that it runs alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import RLock
from typing import Any
from unittest.mock import patch

import numpy as np

import numpycnn as nc
from numpycnn.kernels import winograd

from . import slim

Node = tuple[Any, ...]
"""A node of a graph in words: its name, the class of its layer, its arguments, and the names of what it reads.

For a container the arguments are the layers in it; ``"again"`` in the place of a class, with the name
of an earlier node, is the layer of that node once more.
"""


LOCK = RLock()  # what pays is asked of the kernel's module, by all threads


@contextmanager
def by_winograd() -> Iterator[None]:
    """Run Winograd's algorithm wherever it can be done, on small cases too, where it does not pay."""
    with LOCK, nc.winograd(), patch.object(winograd, "pays", lambda *_: True):
        yield


class WinogradConv2d(nc.Conv2d):
    """A convolution by Winograd's algorithm, there and back."""

    forward = by_winograd()(nc.Conv2d.forward)
    backward = by_winograd()(nc.Conv2d.backward)
    backward_parameters = by_winograd()(nc.Conv2d.backward_parameters)


class Residual(nc.Block):
    """A block whose route uses its names in another order than the state dict."""

    def __init__(self, channels: int):
        self.bn = nc.BatchNorm2d(channels, eps=0.1)
        self.conv1 = nc.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nc.Conv2d(channels, channels, 1)
        self.route(
            nc.Add(nc.Sequential(self.conv1, nc.ReLU(), self.conv2), nc.Identity()),
            self.bn,
            nc.ReLU(),
        )


def network(kind: str, layers: list[Any]) -> nc.Layer:
    """Build one of our containers from words: ``("Add", [("ReLU", {}), ("Sequential", [...])])``."""
    return getattr(nc, kind)(*(network(k, a) if isinstance(a, list) else getattr(nc, k)(**a) for k, a in layers))


def graph(nodes: list[Node], graph: type[nc.Graph] = nc.Graph) -> nc.Graph:
    """Build a graph from words."""
    return graph(**in_words(nodes, lambda kind, a: network(kind, a) if isinstance(a, list) else getattr(nc, kind)(**a)))


def in_words(nodes: list[Node], make: Callable[[str, Any], Any]) -> dict[str, tuple[Any, ...]]:
    """Build the layers of the nodes of a graph."""
    built: dict[str, tuple[Any, ...]] = {}
    for name, kind, words, *reads in nodes:
        built[name] = (built[words][0] if kind == "again" else make(kind, words), *reads)
    return built


def lenet5(activation: str = "Tanh") -> nc.Layer:
    """Build LeNet-5; the activation by its name, which both sides share."""
    return nc.models.LeNet5(activation=getattr(nc, activation))


def weighted(loss: Callable[..., nc.Loss], **kwargs: Any) -> nc.Loss:
    """Build a loss whose class weights come as a list, which a case can print."""
    if kwargs.get("weight") is not None:
        kwargs["weight"] = np.array(kwargs["weight"])
    return loss(**kwargs)


IN_WORDS: dict[str, Callable[..., nc.Module]] = {
    "WinogradConv2d": WinogradConv2d,
    "Sequential": partial(network, "Sequential"),
    "Add": partial(network, "Add"),
    "Multiply": partial(network, "Multiply"),
    "Concat": partial(network, "Concat"),
    "Auxiliary": partial(network, "Auxiliary"),
    "Graph": graph,
    "Block": Residual,
    "LeNet5": lenet5,
    "AlexNet": partial(slim.network, nc.models.AlexNet, 256 * 6 * 6),
    "AlexNet2012": partial(slim.network, nc.models.AlexNet2012, 256),
    "BasicBlock": partial(slim.residual_block, nc.models.BasicBlock, nc),
    "Bottleneck": partial(slim.residual_block, nc.models.Bottleneck, nc),
    "GoogLeNet": partial(slim.googlenet, nc.models.GoogLeNet),
    "ResNet": partial(slim.resnet, nc.models.ResNet),
    "SqueezeNet": partial(slim.blank, nc.models.SqueezeNet),
    "VGG": partial(slim.vgg, nc.models.VGG),
    "CrossEntropyLoss": partial(weighted, nc.CrossEntropyLoss),
    "NLLLoss": partial(weighted, nc.NLLLoss),
}
"""The rows whose arguments are not our constructor's own."""


def constructor(row: str) -> Callable[..., nc.Module]:
    """Return what builds our side of a row from a case's arguments.

    Raises
    ------
    ValueError
        If there is no such layer, loss or model.
    """
    layers = {name: kind for name, kind in vars(nc).items() if isinstance(kind, type) and issubclass(kind, nc.Module)}
    built = layers | {name: getattr(nc.models, name) for name in nc.models.__all__} | IN_WORDS
    if row not in built:
        raise ValueError(f"expected a layer, a loss or a model of numpycnn {nc.__version__}, got {row!r}")
    return built[row]


class Replay(np.random.Generator):
    """A Generator whose ``random`` gives what makes our dropout drop exactly what torch's dropped."""

    def __init__(self, *kept: np.ndarray) -> None:
        super().__init__(np.random.PCG64(0))
        self.kept = list(kept)

    def random(self, size: Any = None, *_: Any, **__: Any) -> np.ndarray:
        """Return 1 for what is kept and 0 for what is dropped, in the order of torch's forward passes."""
        kept = self.kept.pop(0)
        assert kept.shape == size, f"torch dropped from {kept.shape}, ours from {size}"
        return kept.astype(np.float64)


def random_layers(module: nc.Module) -> list[nc.Module]:
    """List the layers that draw anew in every forward, in the order of ``modules()``."""
    return [layer for layer in module.modules() if "_rng" in vars(layer)]
