"""The famous networks as their papers have them, each on a few lines, to be counted.

The networks of ``numpycnn.models`` follow torchvision, whose weights they load, and which here and
there differs from the papers. Nothing is drawn here: all weights are zeros.
"""

from __future__ import annotations

from functools import partial

import numpycnn as nc
from parity import slim

Conv2d = partial(nc.Conv2d, rng=slim.Zeros())
Linear = partial(nc.Linear, rng=slim.Zeros())
Pool = partial(nc.MaxPool2d, 3, stride=2)


def alexnet() -> nc.Sequential:
    """Build AlexNet: two columns for two GPUs, which are ``groups=2`` (section 3.5)."""
    norm = partial(nc.LocalResponseNorm, 5, alpha=5e-4, k=2)  # the paper's alpha, times the 5 that ours is divided by
    return nc.Sequential(
        *(Conv2d(3, 96, 11, stride=4, padding=2), nc.ReLU(), norm(), Pool()),
        *(Conv2d(96, 256, 5, padding=2, groups=2), nc.ReLU(), norm(), Pool()),
        *(Conv2d(256, 384, 3, padding=1), nc.ReLU()),
        *(Conv2d(384, 384, 3, padding=1, groups=2), nc.ReLU()),
        *(Conv2d(384, 256, 3, padding=1, groups=2), nc.ReLU(), Pool()),
        *(nc.Flatten(), Linear(9216, 4096), nc.ReLU(), nc.Dropout()),
        *(Linear(4096, 4096), nc.ReLU(), nc.Dropout()),
        Linear(4096, 1000),
    )


def vgg16() -> nc.Sequential:
    """Build configuration D (table 1)."""
    layers: list[nc.Layer] = []
    channels = 3
    for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(depth):
            layers += [Conv2d(channels, width, 3, padding=1), nc.ReLU()]
            channels = width
        layers.append(nc.MaxPool2d(2))
    layers += [nc.Flatten(), Linear(25088, 4096), nc.ReLU(), nc.Dropout()]
    layers += [Linear(4096, 4096), nc.ReLU(), nc.Dropout(), Linear(4096, 1000)]
    return nc.Sequential(*layers)


def inception(channels: int, one: int, narrow3: int, three: int, narrow5: int, five: int, pooled: int) -> nc.Concat:
    """Build an inception module: four looks at the same, side by side (section 4, figure 2b)."""
    return nc.Concat(
        nc.Sequential(Conv2d(channels, one, 1), nc.ReLU()),
        nc.Sequential(Conv2d(channels, narrow3, 1), nc.ReLU(), Conv2d(narrow3, three, 3, padding=1), nc.ReLU()),
        nc.Sequential(Conv2d(channels, narrow5, 1), nc.ReLU(), Conv2d(narrow5, five, 5, padding=2), nc.ReLU()),
        nc.Sequential(nc.MaxPool2d(3, stride=1, padding=1), Conv2d(channels, pooled, 1), nc.ReLU()),
    )


def googlenet() -> nc.Sequential:
    """Build GoogLeNet, as it answers: without the classifiers that help it to learn (table 1)."""
    pool = partial(Pool, ceil_mode=True)
    return nc.Sequential(
        *(Conv2d(3, 64, 7, stride=2, padding=3), nc.ReLU(), pool(), nc.LocalResponseNorm(5)),
        *(Conv2d(64, 64, 1), nc.ReLU(), Conv2d(64, 192, 3, padding=1), nc.ReLU(), nc.LocalResponseNorm(5), pool()),
        *(inception(192, 64, 96, 128, 16, 32, 32), inception(256, 128, 128, 192, 32, 96, 64), pool()),
        *(inception(480, 192, 96, 208, 16, 48, 64), inception(512, 160, 112, 224, 24, 64, 64)),
        *(inception(512, 128, 128, 256, 24, 64, 64), inception(512, 112, 144, 288, 32, 64, 64)),
        *(inception(528, 256, 160, 320, 32, 128, 128), pool()),
        *(inception(832, 256, 160, 320, 32, 128, 128), inception(832, 384, 192, 384, 48, 128, 128)),
        *(nc.AdaptiveAvgPool2d(1), nc.Flatten(), nc.Dropout(0.4), Linear(1024, 1000)),
    )


def bottleneck(channels: int, width: int, stride: int = 1) -> nc.Sequential:
    """Build a residual block of three convolutions; where the shape changes, the short cut is one too (figure 5)."""
    wide = 4 * width
    same = channels == wide and stride == 1
    short_cut = nc.Identity() if same else nc.Sequential(conv_norm(channels, wide, 1, stride))
    residual = nc.Sequential(
        *(conv_norm(channels, width, 1, stride), nc.ReLU()),
        *(conv_norm(width, width, 3), nc.ReLU()),
        conv_norm(width, wide, 1),
    )
    return nc.Sequential(nc.Add(residual, short_cut), nc.ReLU())


def conv_norm(channels: int, filters: int, kernel: int, stride: int = 1) -> nc.Sequential:
    """Build a convolution and the normalisation behind it."""
    conv = Conv2d(channels, filters, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nc.Sequential(conv, nc.BatchNorm2d(filters))


def resnet(depths: tuple[int, ...]) -> nc.Sequential:
    """Build a ResNet of bottlenecks, so many in each stage; the first of a stage has its stride (table 1)."""
    layers: list[nc.Layer] = [conv_norm(3, 64, 7, 2), nc.ReLU(), Pool(padding=1)]
    channels = 64
    for width, depth in zip((64, 128, 256, 512), depths, strict=True):
        for index in range(depth):
            layers.append(bottleneck(channels, width, 2 if index == 0 and width > 64 else 1))
            channels = 4 * width
    return nc.Sequential(*layers, nc.AdaptiveAvgPool2d(1), nc.Flatten(), Linear(channels, 1000))
