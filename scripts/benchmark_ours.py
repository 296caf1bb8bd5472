"""Our sides of the benchmark, and the plain loops that all others are a fast way to write; without torch."""

import numpy as np
from benchmark_stopwatch import Results, Side

import numpycnn as nc

RATE, NO_RATE = 0.02, 1e-9
"""The learning rate while steps are compared, and by the clock.

The same batch, thousands of times, would lead to gradients of 0 and momenta that shrink below the
smallest normal number, on which processors are slow; that is not how training goes.
"""


class OurForward(Side):
    """Inference: the layer remembers nothing."""

    def __init__(self, layer: nc.Layer, x: np.ndarray):
        self.layer, self.x = layer, x

    def run(self) -> None:
        with nc.no_grad():
            self.y = self.layer(self.x)

    def results(self) -> Results:
        return {"y": self.y}


class OurBackward(Side):
    """Forward and backward, to dx and the gradient of every parameter."""

    def __init__(self, layer: nc.Layer, x: np.ndarray, dy: np.ndarray):
        self.layer, self.x, self.dy = layer, x, dy

    def run(self) -> None:
        self.layer.zero_grad()
        self.y = self.layer(self.x)
        self.dx = self.layer.backward(self.dy)

    def results(self) -> Results:
        buffers = {name: value.data for name, value in self.layer.named_arrays() if isinstance(value, nc.Buffer)}
        return {"y": self.y, "dx": self.dx, **gradients(self.layer), **buffers}


class OurLoss(Side):
    """A loss and its gradient."""

    def __init__(self, criterion: nc.Loss, x: np.ndarray, target: np.ndarray):
        self.criterion, self.x, self.target = criterion, x, target

    def run(self) -> None:
        self.loss = self.criterion(self.x, self.target)
        self.dx = self.criterion.backward()

    def results(self) -> Results:
        return {"loss": np.asarray(self.loss), "dx": self.dx}


class OurStep(Side):
    """A step of training: forward, cross-entropy, backward without that of the images, SGD with momentum."""

    def __init__(self, model: nc.Layer, x: np.ndarray, target: np.ndarray):
        self.model, self.x, self.target = model, x, target
        self.criterion = nc.CrossEntropyLoss()
        self.optimizer = nc.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
        self.start = model.state_dict()
        self.dropout = {layer: layer.p for layer in model.modules() if isinstance(layer, nc.Dropout)}
        for layer in self.dropout:
            layer.p = 0.0  # while the results are compared: no two sides drop the same

    def settle(self) -> None:
        self.model.load_state_dict(self.start)
        self.start = {}
        self.optimizer = nc.optim.SGD(self.model.parameters(), lr=NO_RATE, momentum=0.9)
        for layer, p in self.dropout.items():
            layer.p = p

    def run(self) -> None:
        self.optimizer.zero_grad()
        self.loss = self.criterion(self.model(self.x), self.target)
        self.model.backward_parameters(self.criterion.backward())
        self.optimizer.step()

    def results(self) -> Results:
        moved = {name: value - self.start[name] for name, value in self.model.state_dict().items()}
        return {"loss": np.asarray(self.loss), **gradients(self.model), **moved}


class Winograd(Side):
    """Another side of ours, where convolutions may run Winograd's algorithm."""

    def __init__(self, side: Side):
        self.side, self.settle, self.results = side, side.settle, side.results

    def run(self) -> None:
        with nc.winograd():
            self.side.run()


class PlainLoops(Side):
    """A convolution as its formula has it: a loop for each index, and Python's own numbers."""

    def __init__(self, layer: nc.Conv2d, x: np.ndarray):
        assert layer.stride == layer.dilation == (1, 1) and layer.padding == (0, 0) and layer.groups == 1
        assert layer.bias is not None
        self.x, self.weight, self.bias = x.tolist(), layer.weight.data.tolist(), layer.bias.data.tolist()
        self.sizes = (*x.shape, *layer.weight.data.shape)

    def run(self) -> None:
        x, w = self.x, self.weight
        N, C, H, W, O, _, KH, KW = self.sizes  # noqa: E741
        OH, OW = H - KH + 1, W - KW + 1
        self.y = [[[[0.0] * OW for _ in range(OH)] for _ in range(O)] for _ in range(N)]
        for n in range(N):
            for o in range(O):
                for i in range(OH):
                    for j in range(OW):
                        total = self.bias[o]
                        for c in range(C):
                            for a in range(KH):
                                for b in range(KW):
                                    total += w[o][c][a][b] * x[n][c][i + a][j + b]
                        self.y[n][o][i][j] = total

    def results(self) -> Results:
        return {"y": np.array(self.y, np.float32)}


def gradients(layer: nc.Layer) -> Results:
    """Return the gradients of the parameters, by name."""
    return {f"d{name}": parameter.grad for name, parameter in layer.named_parameters() if parameter.grad is not None}
