"""The sides of the benchmark: ours, torch's, and the plain loops that both are a fast way to write."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from benchmark_stopwatch import Side
from torch import nn

import numpycnn as nc
from parity import bridge

LAYOUTS = {"torch": torch.contiguous_format, "torch channels_last": torch.channels_last}
RATE, NO_RATE = 0.02, 1e-9  # the learning rate while the steps are compared, and by the clock


# A layer, or a network: its answer alone


class OurForward(Side):
    """Inference; the layer remembers nothing."""

    def __init__(self, layer: nc.Layer, x: np.ndarray):
        self.layer, self.x = layer, x

    def run(self) -> None:
        with nc.no_grad():
            self.y = self.layer(self.x)

    def results(self) -> dict[str, np.ndarray]:
        return {"y": self.y}


class TorchForward(Side):
    """Inference in torch's fastest mode; weights and x are in the wanted layout beforehand, y comes in it."""

    def __init__(self, module: nn.Module, x: np.ndarray, layout: torch.memory_format):
        self.module = module.to(memory_format=layout)
        self.x = laid_out(x, layout)

    def run(self) -> None:
        with torch.inference_mode():
            self.y = self.module(self.x)

    def results(self) -> dict[str, np.ndarray]:
        return {"y": bridge.array(self.y)}


# A layer, and the way back through it


class OurBackward(Side):
    """Forward and backward; what comes back is dx and the gradient of every parameter."""

    def __init__(self, layer: nc.Layer, x: np.ndarray, dy: np.ndarray):
        self.layer, self.x, self.dy = layer, x, dy

    def run(self) -> None:
        self.layer.zero_grad()
        self.y = self.layer(self.x)
        self.dx = self.layer.backward(self.dy)

    def results(self) -> dict[str, np.ndarray]:
        return {"y": self.y, "dx": self.dx, **our_gradients(self.layer), **our_buffers(self.layer)}


class TorchBackward(Side):
    """The same in torch; x requires a gradient, dy comes in the layout of y."""

    def __init__(self, module: nn.Module, x: np.ndarray, dy: np.ndarray, layout: torch.memory_format):
        self.module = module.to(memory_format=layout)
        self.x, self.dy = laid_out(x, layout).requires_grad_(), laid_out(dy, layout)

    def run(self) -> None:
        self.x.grad = None
        self.module.zero_grad(set_to_none=True)
        self.y = self.module(self.x)
        self.y.backward(self.dy)

    def results(self) -> dict[str, np.ndarray]:
        found = {"y": bridge.array(self.y), "dx": bridge.array(self.x.grad), **torch_gradients(self.module)}
        return found | {name: bridge.array(value) for name, value in self.module.named_buffers()}


# A loss, and the way back through it


class OurLoss(Side):
    """The loss and its gradient."""

    def __init__(self, criterion: nc.Loss, x: np.ndarray, target: np.ndarray):
        self.criterion, self.x, self.target = criterion, x, target

    def run(self) -> None:
        self.loss = self.criterion(self.x, self.target)
        self.dx = self.criterion.backward()

    def results(self) -> dict[str, np.ndarray]:
        return {"loss": np.asarray(self.loss), "dx": self.dx}


class TorchLoss(Side):
    """The same in torch."""

    def __init__(self, criterion: nn.Module, x: np.ndarray, target: np.ndarray):
        self.criterion = criterion
        self.x, self.target = torch.from_numpy(x).requires_grad_(), torch.from_numpy(target)

    def run(self) -> None:
        self.x.grad = None
        self.loss = self.criterion(self.x, self.target)
        self.loss.backward()

    def results(self) -> dict[str, np.ndarray]:
        return {"loss": bridge.array(self.loss), "dx": bridge.array(self.x.grad)}


# A step of training: forward, loss, backward, and SGD with momentum
#
# By the clock the learning rate is next to nothing. The same batch thousands of times would else
# lead to gradients of 0 and momenta that shrink below the smallest normal number, on which
# processors are slow: that is not how training goes.


class OurStep(Side):
    """A step of ours. The gradient of the images is computed too, if the model computes it."""

    def __init__(self, model: nc.Layer, x: np.ndarray, target: np.ndarray):
        self.model, self.x, self.target = model, x, target
        self.criterion = nc.CrossEntropyLoss()
        self.start = model.state_dict()
        self.optimizer = nc.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)

    def settle(self) -> None:
        self.model.load_state_dict(self.start)
        self.optimizer = nc.optim.SGD(self.model.parameters(), lr=NO_RATE, momentum=0.9)

    def run(self) -> None:
        self.optimizer.zero_grad()
        self.loss = self.criterion(self.model(self.x), self.target)
        self.model.backward(self.criterion.backward())
        self.optimizer.step()

    def results(self) -> dict[str, np.ndarray]:
        weights = moved(self.start, self.model.state_dict())
        return {"loss": np.asarray(self.loss), **our_gradients(self.model), **weights}


class TorchStep(Side):
    """A step of torch's. Images require no gradient, as is usual, so torch leaves theirs out."""

    def __init__(self, module: nn.Module, x: np.ndarray, target: np.ndarray, layout: torch.memory_format):
        self.module = module.to(memory_format=layout)
        self.x, self.target = laid_out(x, layout), torch.from_numpy(target)
        self.criterion = nn.CrossEntropyLoss()
        self.start = self._weights()
        self.optimizer = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9)

    def settle(self) -> None:
        bridge.load_state(self.module, self.start)
        self.optimizer = torch.optim.SGD(self.module.parameters(), lr=NO_RATE, momentum=0.9)

    def run(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.loss = self.criterion(self.module(self.x), self.target)
        self.loss.backward()
        self.optimizer.step()

    def results(self) -> dict[str, np.ndarray]:
        weights = moved(self.start, self._weights())
        return {"loss": bridge.array(self.loss), **torch_gradients(self.module), **weights}

    def _weights(self) -> dict[str, np.ndarray]:
        return {name: bridge.array(value) for name, value in self.module.state_dict().items()}


# The definition


class LoopsForward(Side):
    """A convolution as the formula has it: a loop for each index, and Python's own numbers."""

    def __init__(self, layer: nc.Conv2d, x: np.ndarray):
        assert layer.stride == (1, 1) and layer.padding == (0, 0) and layer.groups == 1
        assert layer.bias is not None
        self.x, self.weight, self.bias = x.tolist(), layer.weight.data.tolist(), layer.bias.data.tolist()
        self.kernel = layer.kernel_size

    def run(self) -> None:
        x, w, (kh, kw) = self.x, self.weight, self.kernel
        oh, ow = len(x[0][0]) - kh + 1, len(x[0][0][0]) - kw + 1
        self.y = [[[[0.0] * ow for _ in range(oh)] for _ in w] for _ in x]
        for n in range(len(x)):
            for o in range(len(w)):
                for i in range(oh):
                    for j in range(ow):
                        total = self.bias[o]
                        for c in range(len(x[n])):
                            for p in range(kh):
                                for q in range(kw):
                                    total += w[o][c][p][q] * x[n][c][i + p][j + q]
                        self.y[n][o][i][j] = total

    def results(self) -> dict[str, np.ndarray]:
        return {"y": np.array(self.y, np.float32)}


# What they share


def laid_out(x: np.ndarray, layout: torch.memory_format) -> torch.Tensor:
    """Make a tensor of an array, images in this layout; where it is the array's own they share their memory."""
    tensor = torch.from_numpy(x)
    return tensor.contiguous(memory_format=layout) if tensor.ndim == 4 else tensor


def our_gradients(layer: nc.Layer) -> dict[str, np.ndarray]:
    """Return the gradients of the parameters, by name."""
    return {f"d{name}": parameter.grad for name, parameter in layer.named_parameters() if parameter.grad is not None}


def our_buffers(layer: nc.Layer) -> dict[str, np.ndarray]:
    """Return the buffers, by name."""
    return {name: value.data for name, value in layer.named_arrays() if isinstance(value, nc.Buffer)}


def torch_gradients(module: nn.Module) -> dict[str, np.ndarray]:
    """Return the gradients of the parameters, by name."""
    return {f"d{name}": bridge.array(p.grad) for name, p in module.named_parameters() if p.grad is not None}


def moved(start: Mapping[str, np.ndarray], end: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return how far each entry of a state dict has moved, by its name."""
    return {name: end[name] - start[name] for name in start}
