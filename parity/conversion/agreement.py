"""How far a converted network is from its original, when all its numbers matter."""

from __future__ import annotations

import gc
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torchvision.ops import StochasticDepth

from .. import mended
from .convert import convert

NO_GRADIENT = 1e-5
"""By the largest gradient of a network, one that is smaller is none but for rounding: of a bias before a batch norm."""

BATCH = 16
"""How many samples the running statistics are taken of."""


@dataclass(frozen=True)
class Agreement:
    """The largest errors of ours, each in units of the largest entry of what torch gives there.

    Attributes
    ----------
    forward : float
        Of the output; where auxiliary classifiers give others, the worst of them.
    backward : float
        Of the gradient towards the input.
    parameters : float
        Of the gradients towards the parameters, the worst.
    state : float
        Of the state dict afterwards: in training mode, running statistics have moved.
    """

    forward: float
    backward: float
    parameters: float
    state: float


def agreement(theirs: nn.Module, shape: tuple[int, ...], training: bool, seed: int = 0) -> Agreement:
    """Convert a network, and hold all that both sides give for one batch, there and back, against each other.

    In float64. The weights are drawn, so that each has an effect; dropout and stochastic depth are off. What torch
    gives waits on the disk until ours has run, so that the largest networks fit into memory.

    Parameters
    ----------
    theirs : torch.nn.Module
        The network; it is of no use afterwards.
    shape : tuple of int
        The input's.
    training : bool
        The mode of both sides.
    seed : int
        Where the weights, the input and the upstream gradient come from.
    """
    rng = np.random.default_rng(seed)
    x = draw(theirs.double(), rng, shape)
    buffers = {name: buffer.clone() for name, buffer in theirs.named_buffers()}
    _put(theirs, nn.Hardsigmoid, mended.Hardsigmoid)
    their_x = torch.from_numpy(x).requires_grad_()
    output = theirs.train(training)(their_x)
    outputs = output if isinstance(output, tuple) else (output,)
    dys = tuple(rng.standard_normal(output.shape) for output in outputs)
    torch.autograd.backward(outputs, [torch.from_numpy(dy) for dy in dys])
    expected_ys = [output.detach().numpy() for output in outputs]
    _put(theirs, mended.Hardsigmoid, nn.Hardsigmoid)
    with tempfile.TemporaryDirectory() as folder:
        gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
        expected = _on_disk(Path(folder), gradients)
        state = {name: buffer.clone() for name, buffer in theirs.named_buffers()}
        theirs.zero_grad()
        del gradients, output, outputs
        for name, buffer in theirs.named_buffers():
            buffer.copy_(buffers[name])
        ours = convert(theirs)
        del theirs
        gc.collect()  # the tracer of torch.fx refers to itself, and to the network
        y = ours(x)
        dx = ours.backward(dys if isinstance(y, tuple) else dys[0])
        ys = y if isinstance(y, tuple) else (y,)
        got = {name: parameter.grad for name, parameter in ours.named_parameters()}
        arrays = dict(ours.named_arrays())
        floor = NO_GRADIENT * max(np.abs(values).max() for values in expected.values() if values is not None)
        return Agreement(
            max(map(_error, ys, expected_ys)) if len(ys) == len(expected_ys) else math.inf,
            _error(dx, their_x.grad.numpy()),
            max(_error(got[name], values, floor) for name, values in expected.items()),
            max((_error(arrays[name].data, values.numpy()) for name, values in state.items()), default=0.0),
        )


@torch.no_grad()
def draw(module: nn.Module, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Fill a network with numbers of which none is without effect, and switch dropout off; return an input for it.

    Normalisations scale by less than 1, as trained ones do at the end of residual branches, and the running statistics
    are those of a larger batch that begins with the input. Else a network of fifty blocks is chaotic in evaluation
    mode: the last bit of its input decides the first digit of its output, in PyTorch as well.
    """
    for name, parameter in module.named_parameters():
        values = rng.standard_normal(parameter.shape)
        if parameter.ndim > 1:
            values *= math.sqrt(2 / math.prod(parameter.shape[1:]))
        elif name.endswith("weight"):  # of a normalisation
            values = rng.uniform(0.25, 0.75, parameter.shape)
        else:
            values *= 0.1
        parameter.copy_(torch.from_numpy(values))
    module.eval()
    momenta = {layer: layer.momentum for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)}
    for layer in module.modules():
        if isinstance(layer, nn.Dropout | StochasticDepth):
            layer.p = 0.0
        if layer in momenta:
            layer.train().momentum = None  # the running statistics become those of the batch
    batch = rng.standard_normal((BATCH, *shape[1:]))
    module(torch.from_numpy(batch))
    for layer, momentum in momenta.items():
        layer.momentum = momentum
    return batch[: shape[0]].copy()


def _put(module: nn.Module, old: type[nn.Module], new: type[nn.Module]) -> None:
    """Make layers of one kind layers of another."""
    for layer in module.modules():
        if type(layer) is old:
            layer.__class__ = new


def _on_disk(folder: Path, tensors: Mapping[str, torch.Tensor | None]) -> dict[str, np.ndarray | None]:
    """Move tensors to files, and give them back as arrays that are read when they are looked at."""
    arrays: dict[str, np.ndarray | None] = {}
    for index, (name, tensor) in enumerate(tensors.items()):
        if tensor is not None:
            np.save(folder / f"{index}.npy", tensor.detach().numpy())
        arrays[name] = None if tensor is None else np.load(folder / f"{index}.npy", mmap_mode="r")
    return arrays


def _error(got: np.ndarray | None, expected: np.ndarray | None, floor: float = 0.0) -> float:
    """Return the largest difference in units of the largest entry; infinite, if either side lacks numbers."""
    if got is None or expected is None:
        return 0.0 if got is None and expected is None else math.inf
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return math.inf
    error = float(np.abs(got - expected).max() / max(np.abs(expected).max(), floor, np.finfo(float).tiny))
    return math.inf if math.isnan(error) else error
