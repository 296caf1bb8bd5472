"""Between the two worlds: arrays and tensors, equal weights, replayed randomness."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torchvision.ops import StochasticDepth

import numpycnn as nc

from .conversion import ConversionError, convert
from .ours import Replay, random_layers
from .pair import Case, Draw, Pair

__all__ = ["ConversionError", "array", "convert", "from_torch", "replay_dropout", "tensor", "to_torch", "twins"]


def tensor(array: np.ndarray, requires_grad: bool = False) -> torch.Tensor:
    """Copy an array into a tensor, floating-point numbers as float64, the judge's dtype."""
    array = np.asarray(array)
    dtype = np.float64 if array.dtype.kind == "f" else array.dtype
    return torch.from_numpy(np.array(array, dtype, order="C")).requires_grad_(requires_grad)


def array(tensor: torch.Tensor) -> np.ndarray:
    """Copy a tensor into an array of the same dtype."""
    return tensor.detach().numpy().copy()


def to_torch(layer: nc.Module, module: nn.Module) -> None:
    """Copy all parameters and buffers of ours into their torch twin; strict, in the twin's dtype."""
    module.load_state_dict({name: torch.from_numpy(value) for name, value in layer.state_dict().items()})


def from_torch(module: nn.Module, layer: nc.Module) -> None:
    """Copy all parameters and buffers of a torch module into ours; strict, in our dtype."""
    layer.load_state_dict(module.state_dict())


def axes_drawn_for(layer: nn.Module) -> int | None:
    """Count the leading axes along which torch draws anew, all others being dropped together; None: along all."""
    if isinstance(layer, StochasticDepth):
        return 1 if layer.mode == "row" else 0
    return 2 if isinstance(layer, nn.Dropout2d) else None


def replay_dropout(ours: nc.Module, theirs: nn.Module) -> None:
    """Let ours repeat the dropout of theirs from now on; each forward of theirs must come before that of ours.

    What torch dropped is read off as the derivative of its output, so the input must require a gradient.
    """
    their_layers = [
        layer for layer in theirs.modules() if isinstance(layer, nn.Dropout | nn.Dropout2d | StochasticDepth)
    ]
    for our_layer, their_layer in zip(random_layers(ours), their_layers, strict=True):
        our_layer._rng = replay = Replay()

        def record(
            layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor, replay: Replay = replay
        ) -> None:
            if layer.training:
                (slope,) = torch.autograd.grad(output, inputs[0], torch.ones_like(output), retain_graph=True)
                kept = array(slope) != 0
                drawn = axes_drawn_for(layer)
                together = () if drawn is None else tuple(range(drawn, kept.ndim))
                replay.kept.append(kept.any(together, keepdims=True))

        their_layer.register_forward_hook(record)


def twins(pair: Pair, case: Case) -> tuple[nc.Module, nn.Module, Draw]:
    """Build both sides of a case with equal weights, and the source of its further arrays."""
    draw = Draw(case, pair.exact or 1)
    ours = pair.ours(**case.kwargs).to(case.dtype).train(case.training)
    theirs = pair.theirs(**case.kwargs).double().train(case.training)
    ours.load_state_dict({name: draw.state(name, value) for name, value in ours.state_dict().items()})
    to_torch(ours, theirs)
    replay_dropout(ours, theirs)
    return ours, theirs, draw
