"""Layers as others write them, each right and gone wrong: loops over HWIO, a mask of maxima, NHWC averages."""

import numpy as np

from parity import Adapter

# A convolution in loops: filters HWIO, one number for the kernel's side, gradients left in dW and db


class LoopConv:
    def __init__(self, inputs, filters, k, stride=1, pad=0):
        self.k, self.stride, self.pad = k, stride, pad
        self.W = 0.01 * np.random.default_rng(0).normal(size=(k, k, inputs, filters))
        self.b = np.zeros(filters)

    def windows(self, shape):
        k, s = self.k, self.stride
        for i in range((shape[2] - k) // s + 1):
            for j in range((shape[3] - k) // s + 1):
                yield i, j, np.s_[:, :, i * s : i * s + k, j * s : j * s + k]

    def padded(self, x):
        return np.pad(x, ((0, 0), (0, 0), (self.pad, self.pad), (self.pad, self.pad)))

    def forward(self, x):
        self.x = self.padded(x)
        rows, cols = ((side - self.k) // self.stride + 1 for side in self.x.shape[2:])
        if rows < 1 or cols < 1 or x.shape[1] != self.W.shape[2]:
            raise ValueError(f"filters of shape {self.W.shape} do not fit x of shape {x.shape}")
        y = np.zeros((len(x), self.W.shape[3], rows, cols), x.dtype)
        for i, j, window in self.windows(self.x.shape):
            y[:, :, i, j] = np.einsum("nchw,hwco->no", self.x[window], self.W) + self.b
        return y

    def backward(self, dy):
        dx = np.zeros_like(self.x)
        self.dW, self.db = np.zeros_like(self.W), dy.sum((0, 2, 3))
        for i, j, window in self.windows(self.x.shape):
            self.dW += np.einsum("nchw,no->hwco", self.x[window], dy[:, :, i, j])
            dx[window] += np.einsum("no,hwco->nchw", dy[:, :, i, j], self.W)
        return dx[:, :, self.pad : dx.shape[2] - self.pad, self.pad : dx.shape[3] - self.pad]


LOOP_CONV = Adapter(
    arguments={"in_channels": "inputs", "out_channels": "filters", "kernel_size": "k", "padding": "pad"},
    square=True,
    parameters={"weight": "W:HWIO", "bias": "b"},
    gradients={"weight": "dW", "bias": "db"},
)


class ConvFlipped(LoopConv):
    def forward(self, x):
        self.W = self.W[::-1, ::-1]
        y = super().forward(x)
        self.W = self.W[::-1, ::-1]
        return y


class ConvAveraged(LoopConv):
    def backward(self, dy):
        dx = super().backward(dy)
        self.dW /= len(dy)
        return dx


class ConvAssigns(LoopConv):
    def backward(self, dy):
        full = super().backward(dy)
        dx = np.zeros_like(self.x)
        for i, j, window in self.windows(self.x.shape):
            dx[window] = np.einsum("no,hwco->nchw", dy[:, :, i, j], self.W)
        return dx[:, :, self.pad :, self.pad :][:, :, : full.shape[2], : full.shape[3]]


class ConvPaddingIgnored(LoopConv):
    def padded(self, x):
        return x

    def backward(self, dy):
        pad, self.pad = self.pad, 0
        dx = super().backward(dy)
        self.pad = pad
        return dx


class ConvUnpaddedKept(LoopConv):
    """Forward sees the border, backward does not: the mistake made with a pen that Conv2d's table has."""

    def forward(self, x):
        y = super().forward(x)
        self.bare = x
        return y

    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = np.zeros_like(self.W)
        for i, j, window in self.windows(self.bare.shape):
            self.dW += np.einsum("nchw,no->hwco", self.bare[window], dy[:, :, i, j])
        return dx


class ConvSurprising(LoopConv):
    """Wrong in a way that nobody thought of."""

    def forward(self, x):
        return super().forward(x) + 0.25 * (x.shape[2] > 3)


# A max pooling with a mask: rectangular kernels as (height, width), backward alone with dy


class MaskedMax:
    def __init__(self, size, stride=None):
        self.size, self.stride = size, stride or size

    def _sides(self):
        pair = [v if isinstance(v, tuple) else (v, v) for v in (self.size, self.stride)]
        return *pair[0], *pair[1]

    def chosen(self, window):
        """Mark the first maximum of each window (N, C, KH, KW) in the order of reading; of NaNs the last."""
        flat = window.reshape(*window.shape[:2], window.shape[2] * window.shape[3])
        last_nan = flat.shape[2] - 1 - np.isnan(flat)[..., ::-1].argmax(2)
        at = np.where(np.isnan(flat).any(2), last_nan, flat.argmax(2))
        return (np.arange(flat.shape[2]) == at[..., None]).reshape(window.shape)

    def forward(self, x):
        kh, kw, sh, sw = self._sides()
        self.x = x
        rows, cols = (x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1
        if rows < 1 or cols < 1:
            raise ValueError(f"a window of {kh}x{kw} does not fit x of shape {x.shape}")
        y = np.zeros((*x.shape[:2], rows, cols), x.dtype)
        for i, j in np.ndindex(rows, cols):
            y[:, :, i, j] = x[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw].max((2, 3))
        return y

    def backward(self, dy):
        kh, kw, sh, sw = self._sides()
        dx = np.zeros_like(self.x)
        for i, j in np.ndindex(dy.shape[2:]):
            window = np.s_[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            self.send(dx, window, np.where(self.chosen(self.x[window]), dy[:, :, i, j, None, None], 0))
        return dx

    def send(self, dx, window, share):
        dx[window] += share


MASKED_MAX = Adapter(arguments={"kernel_size": "size"})


class MaxEveryTie(MaskedMax):
    def chosen(self, window):
        return window == window.max((2, 3), keepdims=True)


class MaxLastTie(MaskedMax):
    def chosen(self, window):
        return super().chosen(window[:, :, ::-1, ::-1])[:, :, ::-1, ::-1]


class MaxAssigns(MaskedMax):
    def send(self, dx, window, share):
        dx[window] = share


class MaxSwapped(MaskedMax):
    def _sides(self):
        kh, kw, sh, sw = super()._sides()
        return kw, kh, sw, sh


# Averages over NHWC, which never count the border


class ChannelsLastAverage:
    def __init__(self, k, s, p=0):
        self.k, self.s, self.p = k, s, p

    def count(self, rows, cols):
        return np.pad(np.ones((1, rows, cols, 1)), ((0, 0), (self.p, self.p), (self.p, self.p), (0, 0)))

    def __call__(self, x):
        k, s, p = self.k, self.s, self.p
        self.shape = x.shape
        wide = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
        inside = self.count(*x.shape[1:3])
        rows, cols = ((side - k) // s + 1 for side in wide.shape[1:3])
        if rows < 1 or cols < 1:
            raise ValueError(f"a window of {k}x{k} does not fit x of shape {x.shape}")
        y = np.zeros((len(x), rows, cols, x.shape[3]), x.dtype)
        self.counts = np.zeros((rows, cols), x.dtype)
        for i, j in np.ndindex(rows, cols):
            window = np.s_[:, i * s : i * s + k, j * s : j * s + k]
            self.counts[i, j] = inside[window].sum()
            y[:, i, j] = wide[window].sum((1, 2)) / self.counts[i, j]
        return y

    def grad(self, dy):
        k, s, p = self.k, self.s, self.p
        n, h, w, c = self.shape
        dx = np.zeros((n, h + 2 * p, w + 2 * p, c), dy.dtype)
        for i, j in np.ndindex(dy.shape[1:3]):
            dx[:, i * s : i * s + k, j * s : j * s + k] += (dy[:, i, j] / self.counts[i, j])[:, None, None]
        return dx[:, p : p + h, p : p + w]


CHANNELS_LAST_AVERAGE = Adapter(
    arguments={"kernel_size": "k", "stride": "s", "padding": "p"},
    always={"count_include_pad": False},
    square=True,
    images="NHWC",
    forward="__call__",
    backward="grad",
)


class AverageCountsBorder(ChannelsLastAverage):
    def count(self, rows, cols):
        return np.ones((1, rows + 2 * self.p, cols + 2 * self.p, 1))


class AverageUndividedBack(ChannelsLastAverage):
    def grad(self, dy):
        self.counts = np.ones_like(self.counts)
        return super().grad(dy)


# A loss with backward() alone, and a batch normalisation with its parameters in a dict and a mode


class SoftmaxWithLoss:
    def forward(self, x, t):
        if t.size and not 0 <= t.min() <= t.max() < x.shape[1]:
            raise ValueError(f"no such class: {t}")
        self.t = t
        shifted = x - x.max(1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        self.p = np.exp(logs)
        return -logs[np.arange(len(t)), t].mean()

    def backward(self, dy=1.0):
        dx = self.p.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx * dy / len(self.t)


SOFTMAX_WITH_LOSS = Adapter(always={"reduction": "mean"})


class UpstreamForgotten(SoftmaxWithLoss):
    def backward(self, dy=1.0):
        return super().backward()


class BatchNorm:
    def __init__(self, width, eps=1e-5):
        self.eps, self.momentum, self.training = eps, 0.1, True
        self.params = {"gamma": np.ones(width), "beta": np.zeros(width)}
        self.running = {"mean": np.zeros((1, width, 1, 1)), "var": np.ones((1, width, 1, 1))}

    def forward(self, x):
        if x.ndim != 4 or x.shape[1] != len(self.params["gamma"]):
            raise ValueError(f"cannot normalise x of shape {x.shape}")
        self.count = x.size // x.shape[1]
        if self.training and self.count == 1:
            raise ValueError("one number a channel has no variance")
        mean, var = self.running["mean"], self.running["var"]
        if self.training:
            mean, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
            m, unbiased = self.momentum, var * self.count / (self.count - 1)
            self.running = {
                "mean": ((1 - m) * self.running["mean"] + m * mean).astype(x.dtype),
                "var": ((1 - m) * self.running["var"] + m * unbiased).astype(x.dtype),
            }
        self.scale = 1 / np.sqrt(var + self.eps)
        self.x_hat = (x - mean) * self.scale
        return self.params["gamma"][:, None, None] * self.x_hat + self.params["beta"][:, None, None]

    def backward(self, dy):
        dgamma, dbeta = (dy * self.x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))
        dx = dy
        if self.training:
            dx = dy - (dbeta[:, None, None] + self.x_hat * dgamma[:, None, None]) / dy.dtype.type(self.count)
        return dx * self.scale * self.params["gamma"][:, None, None], dgamma, dbeta


BATCH_NORM = Adapter(
    arguments={"num_features": "width"},
    parameters={
        "weight": "params.gamma",
        "bias": "params.beta",
        "running_mean": "running.mean:1O11",
        "running_var": "running.var:1O11",
    },
    returns=("x", "weight", "bias"),
)
