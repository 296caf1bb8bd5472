"""Mistakes: images at another size, and transposed convolutions, which make them larger."""

from dataclasses import replace

import numpy as np

import numpycnn as nc
from numpycnn.kernels.resample import linear_taps

from ..laws import backward, forward, refusals, state
from .mistake import plant, reading

# Transposed convolution


@plant("the weight is laid out (out, in), as a convolution's", "ConvTranspose2d", state, crash=RuntimeError)
class LaidOutAsAConvolution(nc.ConvTranspose2d):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.weight.data = self.weight.data.swapaxes(0, 1)


@plant("the filter is flipped: a convolution with padding in its place", "ConvTranspose2d", forward, says="y:")
class FlippedTransposed(nc.ConvTranspose2d):
    def forward(self, x):
        with reading(self.weight, self.weight.data[..., ::-1, ::-1]):
            return super().forward(x)


@plant("the output padding goes in front", "ConvTranspose2d", forward, says="y:")
class OutputPaddingInFront(nc.ConvTranspose2d):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        padding = tuple((p - more, p) for p, more in zip(self.padding, self.output_padding, strict=True))
        self._window = replace(self._window, padding=padding)


@plant("the output padding is ignored", "ConvTranspose2d", forward, says="y: expected shape")
class OutputPaddingIgnored(nc.ConvTranspose2d):
    def __init__(self, *, output_padding=0, **kwargs):
        super().__init__(**kwargs)


@plant("the gradient of the weight is that of the convolution with x and dy exchanged", "ConvTranspose2d", backward)
class ExchangedForTheWeight(nc.ConvTranspose2d):
    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad = np.ascontiguousarray(self.weight.grad[..., ::-1, ::-1])
        return dx


@plant("an output padding that is too large is left out", "ConvTranspose2d", refusals, says="ours takes it")
class AnyOutputPadding(nc.ConvTranspose2d):
    def __init__(self, *, output_padding=0, **kwargs):
        try:
            super().__init__(**kwargs, output_padding=output_padding)
        except ValueError:
            super().__init__(**kwargs)


# Resizing


@plant("the nearest pixel is rounded to, not down to", "Upsample", forward, says="y:")
class RoundsToTheNearest(nc.Upsample):
    def _taps(self, length, steps, axis):
        if self.mode != "nearest":
            return super()._taps(length, steps, axis)
        index = np.round(np.arange(steps) * length / steps).astype(int)
        return [(np.minimum(index, length - 1), None)]


@plant("a factor counts as the sizes' quotient", "Upsample", forward, says="y:")
class FactorFromTheSizes(nc.Upsample):
    def _taps(self, length, steps, axis):
        factors, self.scale_factor = self.scale_factor, None
        taps = super()._taps(length, steps, axis)
        self.scale_factor = factors
        return taps


@plant("the corners are aligned, asked for or not", "Upsample", forward, says="y:")
class AlwaysAligned(nc.Upsample):
    def _taps(self, length, steps, axis):
        aligned = linear_taps(length, steps, None, True)
        return aligned if self.mode == "bilinear" else super()._taps(length, steps, axis)


@plant("the two neighbours' shares are exchanged", "Upsample", forward, says="y:")
class SharesExchanged(nc.Upsample):
    def _taps(self, length, steps, axis):
        taps = super()._taps(length, steps, axis)
        if len(taps) < 2:
            return taps
        (low, one), (high, other) = taps
        return [(low, other), (high, one)]


@plant("a pixel that was copied several times gets the last gradient", "Upsample", backward, says="dx:")
class LastGradient(nc.Upsample):
    def backward(self, dy):
        rows, columns, size = self.recall(dy)
        dx = np.zeros((*dy.shape[:2], *size), dy.dtype)
        for row, a in rows:
            for column, b in columns:
                weighted = dy if a is None else dy * a[:, None].astype(dy.dtype) * b.astype(dy.dtype)
                dx[..., row[:, None], column] += weighted
        return dx


@plant("sides that nothing is left of are taken for one", "Upsample", refusals, says="ours takes it")
class LeavesOneAtLeast(nc.Upsample):
    def _sides(self, x):
        if self.size is not None:
            return self.size
        return tuple(max(1, int(side * factor)) for side, factor in zip(x.shape[2:], self.scale_factor, strict=True))
