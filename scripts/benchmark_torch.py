"""Torch's sides of the benchmark: eager mode, in either layout, with nothing done by the clock that could be before."""

import copy

import numpy as np
import torch
from benchmark_ours import NO_RATE, RATE
from benchmark_stopwatch import Results, Side
from torch import nn

LAYOUTS = {"torch": torch.contiguous_format, "torch channels_last": torch.channels_last}
"""How images, and the weights of convolutions, lie in memory."""


class TorchForward(Side):
    """Inference; y comes in the layout of x."""

    def __init__(self, module: nn.Module, x: np.ndarray, layout: torch.memory_format):
        self.module, self.x = module.to(memory_format=layout), tensor(x, layout)

    def run(self) -> None:
        with torch.inference_mode():
            self.y = self.module(self.x)

    def results(self) -> Results:
        return {"y": array(self.y)}


class TorchBackward(Side):
    """Forward and backward, to dx and the gradient of every parameter; dy comes in the layout of y."""

    def __init__(self, module: nn.Module, x: np.ndarray, dy: np.ndarray, layout: torch.memory_format):
        self.module = module.to(memory_format=layout)
        self.x, self.dy = tensor(x, layout).requires_grad_(), tensor(dy, layout)

    def run(self) -> None:
        self.x.grad = None
        self.module.zero_grad(set_to_none=True)
        self.y = self.module(self.x)
        self.y.backward(self.dy)

    def results(self) -> Results:
        buffers = {name: array(value) for name, value in self.module.named_buffers()}
        return {"y": array(self.y), "dx": array(self.x.grad), **gradients(self.module), **buffers}


class TorchLoss(Side):
    """A loss and its gradient."""

    def __init__(self, criterion: nn.Module, x: np.ndarray, target: np.ndarray):
        self.criterion = criterion
        self.x, self.target = tensor(x).requires_grad_(), tensor(target)

    def run(self) -> None:
        self.x.grad = None
        self.loss = self.criterion(self.x, self.target)
        self.loss.backward()

    def results(self) -> Results:
        return {"loss": array(self.loss), "dx": array(self.x.grad)}


class TorchStep(Side):
    """A step of training; images require no gradient, as is usual, so that torch leaves theirs out."""

    def __init__(self, module: nn.Module, x: np.ndarray, target: np.ndarray, layout: torch.memory_format):
        self.module = module.to(memory_format=layout)
        self.x, self.target = tensor(x, layout), tensor(target)
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9)
        self.start = copy.deepcopy(module.state_dict())
        self.dropout = {layer: layer.p for layer in module.modules() if isinstance(layer, nn.Dropout)}
        for layer in self.dropout:
            layer.p = 0.0

    def settle(self) -> None:
        self.module.load_state_dict(self.start)
        self.start = {}
        self.optimizer = torch.optim.SGD(self.module.parameters(), lr=NO_RATE, momentum=0.9)
        for layer, p in self.dropout.items():
            layer.p = p

    def run(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.loss = self.criterion(self.module(self.x), self.target)
        self.loss.backward()
        self.optimizer.step()

    def results(self) -> Results:
        moved = {name: array(value - self.start[name]) for name, value in self.module.state_dict().items()}
        return {"loss": array(self.loss), **gradients(self.module), **moved}


def tensor(x: np.ndarray, layout: torch.memory_format = torch.contiguous_format) -> torch.Tensor:
    """Copy an array into memory that torch aligns as it likes it, images in this layout."""
    return torch.from_numpy(x).clone(memory_format=layout if x.ndim == 4 else torch.contiguous_format)


def array(tensor: torch.Tensor) -> np.ndarray:
    """Copy a tensor into an array."""
    return tensor.detach().numpy().copy()


def gradients(module: nn.Module) -> Results:
    """Return the gradients of the parameters, by name."""
    return {f"d{name}": array(p.grad) for name, p in module.named_parameters() if p.grad is not None}
