"""Mistakes: adaptive poolings."""

import numpycnn as nc

from ..laws import forward, refusals
from .mistake import plant


def even(layer, x):
    """Return the kernel and stride that one often sees: the stride is H // OH, the kernel what is left."""
    outs = [side if out is None else out for out, side in zip(layer.output_size, x.shape[-2:], strict=True)]
    stride = tuple(max(1, side // out) for out, side in zip(outs, x.shape[-2:], strict=True))
    kernel = tuple(max(1, n - (out - 1) * s) for n, out, s in zip(x.shape[-2:], outs, stride, strict=True))
    return kernel, stride


@plant("all windows have the same size and step", "AdaptiveMaxPool2d", forward, says="y:")
class EvenMaxima(nc.AdaptiveMaxPool2d):
    def forward(self, x):
        super().forward(x)
        return nc.MaxPool2d(*even(self, x), return_indices=self.return_indices).forward(x)


@plant("all windows have the same size and step", "AdaptiveAvgPool2d", forward, says="y:")
class EvenAverages(nc.AdaptiveAvgPool2d):
    def forward(self, x):
        super().forward(x)
        return nc.AvgPool2d(*even(self, x)).forward(x)


@plant("None for a side of the output means 1", "AdaptiveAvgPool2d", forward, says="y: expected shape")
class NoneIsOne(nc.AdaptiveAvgPool2d):
    def __init__(self, output_size):
        super().__init__(output_size)
        self.output_size = tuple(side or 1 for side in self.output_size)


@plant("a refusal does not say what came", "AdaptiveAvgPool2d", refusals, says="says not what was expected")
class RefusesWithoutValues(nc.AdaptiveAvgPool2d):
    def forward(self, x):
        try:
            return super().forward(x)
        except nc.ShapeError as error:
            raise nc.ShapeError(self, "wrong shape") from error
