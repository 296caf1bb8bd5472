"""Mistakes: convolutions whose geometry or whose way back is nearly right."""

from dataclasses import replace

import numpy as np

import numpycnn as nc
from numpycnn.layers.conv import UNPADDED
from numpycnn.layers.images import as_batch

from ..laws import backward, forward
from .mistake import plant, reading

# Geometry


@plant("the padding is left out, so that the output is smaller", "Conv2d", forward, crash=ValueError)
class PaddingLeftOut(nc.Conv2d):
    def __init__(self, *, padding=0, **kwargs):
        super().__init__(**kwargs)


@plant("the padding is taken as (width, height)", "Conv2d", forward, crash=ValueError)
class PaddingSwapped(nc.Conv2d):
    def __init__(self, *, padding=0, **kwargs):
        super().__init__(**kwargs, padding=padding[::-1] if isinstance(padding, tuple) else padding)


@plant("all of the padding is at the end", "Conv2d", forward, says="y:")
class PaddedAtTheEnd(nc.Conv2d):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if self._border == UNPADDED:
            sides = tuple((0, sum(side)) for side in self._window.padding)
            self._window = replace(self._window, padding=sides)


@plant("input and output channels are swapped, which as many of both allow", "Conv2d", forward, says="y:")
class ChannelsSwapped(nc.Conv2d):
    def forward(self, x):
        weight = self.weight.data
        with reading(self.weight, weight.swapaxes(0, 1) if weight.shape[0] == weight.shape[1] else weight):
            return super().forward(x)


@plant("the bias is forgotten", "Conv2d", forward, says="y:")
class BiasForgotten(nc.Conv2d):
    def forward(self, x):
        if self.bias is None:
            return super().forward(x)
        with reading(self.bias, np.zeros_like(self.bias.data)):
            return super().forward(x)


# The way back


@plant("dx is made with the filter as it stands, instead of turned by half a circle", "Conv2d", backward, says="dx:")
class FilterNotTurned(nc.Conv2d):
    def backward(self, dy):
        with reading(self.weight, self.weight.data[..., ::-1, ::-1]):
            return super().backward(dy)


@plant("in dx the gradients of overlapping windows are assigned instead of added", "Conv2d", backward, says="dx:")
class AssignsWindows(nc.Conv2d):
    def backward(self, dy):
        dx = super().backward(dy)
        if self._border != UNPADDED:
            return dx
        (top, bottom), (left, right) = self._window.padding
        height, width = dx.shape[-2:]
        wide = np.zeros((*dx.shape[:-2], top + height + bottom, left + width + right), dx.dtype)
        for i, j in np.ndindex(dy.shape[-2:]):
            rows, cols = (
                np.s_[at * step : at * step + extent : apart]
                for at, step, extent, apart in zip(
                    (i, j), self.stride, self._window.extent(), self.dilation, strict=True
                )
            )
            wide[..., rows, cols] = self._spread(as_batch(dy)[:, :, i, j]).reshape(wide[..., rows, cols].shape)
        return wide[..., top : top + height, left : left + width]

    def _spread(self, dy):
        """Return what one output (N, O) sends to its window (N, C, KH, KW)."""
        weight = self.weight.data
        groups = [
            slice(g * len(weight) // self.groups, (g + 1) * len(weight) // self.groups) for g in range(self.groups)
        ]
        return np.concatenate([np.tensordot(dy[:, group], weight[group], 1) for group in groups], 1)


@plant("the gradient of the weight is flipped", "Conv2d", backward, says="gradient of weight:")
class FlippedWeightGradient(nc.Conv2d):
    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad = self.weight.grad[..., ::-1, ::-1].copy()
        return dx


@plant("the gradient of the bias is a mean over the batch", "Conv2d", backward, says="gradient of bias:")
class BiasGradientAveraged(nc.Conv2d):
    def backward(self, dy):
        dx = super().backward(dy)
        if self.bias is not None:
            self.bias.grad /= len(as_batch(dy))
        return dx


@plant("the gradient of the bias is a mean over the output's pixels", "Conv2d", backward, says="gradient of bias:")
class BiasGradientOfPixels(nc.Conv2d):
    def backward(self, dy):
        dx = super().backward(dy)
        if self.bias is not None:
            self.bias.grad /= np.prod(dy.shape[-2:])
        return dx


@plant("the gradient of the bias is one number for all filters", "Conv2d", backward, says="gradient of bias:")
class BiasGradientOfAllFilters(nc.Conv2d):
    def backward(self, dy):
        dx = super().backward(dy)
        if self.bias is not None:
            self.bias.grad[:] = dy.sum()
        return dx


@plant("all gradients are divided by the batch once more", "Conv2d", backward)
class EverythingAveraged(nc.Conv2d):
    def backward(self, dy):
        return super().backward(dy / np.asarray(len(as_batch(dy)), dy.dtype))


@plant("the gradients are those of the first sample", "Conv2d", backward)
class GradientsOfOneSample(nc.Conv2d):
    def backward(self, dy):
        first = dy.copy()
        if first.ndim == 4:
            first[1:] = 0
        return super().backward(first)
