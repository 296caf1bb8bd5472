"""Famous networks made small enough for a test where they leave room for it; without torch, for both sides.

Most of AlexNet and VGG is in the matrices at their end, which no argument makes smaller. These are
replaced by small ones, as one does to train a network on for other classes; all else is as the
constructors made it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import numpycnn as nc

HIDDEN = 6
"""The length of the vectors between two small matrices."""

Stages = Sequence[Sequence[int]]
"""What each convolution of each stage of a VGG gives: ``[[64], [128, 128]]``."""


class Zeros(np.random.Generator):
    """A Generator that gives zeros, at once: what is drawn with it is going to be loaded or replaced."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Return zeros."""
        return np.zeros(size)

    normal = uniform


def network(kind: Callable[..., Any], features: int, *layers: nc.Layer, **options: Any) -> nc.Layer:
    """Build one of our networks with small matrices, the first of them for so many features."""
    model = kind(*layers, **options, rng=Zeros())
    shrink(model.classifier, nc.Linear, features)
    return model


def shrink(classifier: Any, linear: Callable[[int, int], Any], features: int) -> None:
    """Put small matrices into a classifier, ours or theirs; the number of classes stays."""
    matrices = [index for index, layer in enumerate(classifier) if hasattr(layer, "in_features")]
    widths = [features, *[HIDDEN] * (len(matrices) - 1), classifier[matrices[-1]].out_features]
    for index, width, following in zip(matrices, widths, widths[1:], strict=False):
        classifier[index] = linear(width, following)


def residual_block(kind: Any, world: Any, inplanes: int, planes: int, stride: int = 1, **options: Any) -> Any:
    """Build a residual block, ours or theirs, with a convolution as its short cut where shapes differ."""
    wide = planes * kind.expansion
    if stride != 1 or inplanes != wide:
        convolution = world.Conv2d(inplanes, wide, 1, stride, bias=False)
        options["downsample"] = world.Sequential(convolution, world.BatchNorm2d(wide))
    return kind(inplanes, planes, stride, **options)


def blank(kind: Callable[..., Any], **options: Any) -> nc.Layer:
    """Build one of our networks without drawing anything."""
    return kind(**options, rng=Zeros())


def resnet(kind: Callable[..., Any], block: str, **options: Any) -> nc.Layer:
    """Build our ResNet of blocks by their name."""
    return kind(getattr(nc.models, block), rng=Zeros(), **options)


def narrow(blocks: Sequence[Any], linear: Callable[[int, int], Any]) -> list[Callable[..., Any]]:
    """Let GoogLeNet's blocks, ours or theirs, have an eighth of the channels that they are asked for."""
    conv, inception, auxiliary = blocks

    def narrow_conv(channels: int, filters: int, **options: Any) -> Any:
        return conv(channels if channels == 3 else channels // 8, filters // 8, **options)

    def narrow_auxiliary(channels: int, num_classes: int, **options: Any) -> Any:
        block = auxiliary(channels, num_classes, conv_block=narrow_conv, **options)
        block.fc1, block.fc2 = linear(128 // 8 * 4 * 4, HIDDEN), linear(HIDDEN, num_classes)
        return block

    return [narrow_conv, partial(inception, conv_block=narrow_conv), narrow_auxiliary]


def googlenet(kind: Callable[..., Any], num_classes: int, **options: Any) -> nc.Layer:
    """Build our GoogLeNet of few channels."""
    blocks = narrow((nc.models.BasicConv2d, nc.models.Inception, nc.models.InceptionAux), nc.Linear)
    model = kind(num_classes, blocks=blocks, **options, rng=Zeros())
    model.fc = nc.Linear(1024 // 8, num_classes)
    return model


def vgg(kind: Callable[..., Any], stages: Stages, batch_norm: bool, **options: Any) -> nc.Layer:
    """Build our VGG of small stages."""
    return network(kind, 7 * 7 * stages[-1][-1], vgg_features(nc, stages, batch_norm), **options)


def vgg_features(world: Any, stages: Stages, batch_norm: bool) -> Any:
    """Build the stages of a VGG, ours or theirs."""
    layers = []
    channels = 3
    for stage in stages:
        for width in stage:
            # a normalisation takes a bias before it out again: its gradient would be rounding alone
            layers.append(world.Conv2d(channels, width, 3, padding=1, bias=not batch_norm))
            layers += [world.BatchNorm2d(width), world.ReLU()] if batch_norm else [world.ReLU()]
            channels = width
        layers.append(world.MaxPool2d(2))
    return world.Sequential(*layers)
