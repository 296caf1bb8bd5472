"""What hand-written layers get wrong, each in its smallest case: the wrong answer and the right one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import numpycnn as nc
from parity.mistakes import average_poolings, convolutions, layers, losses, max_poolings, rectifiers


@dataclass(frozen=True)
class Line:
    """One line of the table: ``answer(broken)`` is ``wrong``, ``answer(ours)`` is ``right``."""

    wrong_with: str
    ours: type
    broken: type
    answer: Callable[[type], Any]
    wrong: Any
    right: Any


@dataclass(frozen=True)
class Refusal:
    """An answer that is an error of this kind with these words in it."""

    kind: type[Exception]
    words: str


# Questions that are asked of more than one line


def convolve(kind, x, weight, **options):
    """Build a convolution without bias from its weight (O, C, KH, KW); return it and its output."""
    filters, channels, *kernel = np.shape(weight)
    layer = kind(in_channels=channels, out_channels=filters, kernel_size=tuple(kernel), bias=False, **options)
    layer.load_state_dict({"weight": weight})
    return layer, layer(np.asarray(x, np.float32))


def border(kind):
    return convolve(kind, np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3)), padding=1)[1][0, 0]


def weight_gradient_with_a_border(kind):
    layer, y = convolve(kind, np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3)), padding=1)
    layer.backward(np.ones_like(y))
    return layer.weight.grad[0, 0]


def problem_2(kind):
    weight = np.zeros((2, 1, 3, 3))
    weight[0, 0, 1, 1], weight[0, 0, 2, 1] = 1, -1
    weight[1, 0, 1, 1], weight[1, 0, 1, 2] = -1, 1
    return convolve(kind, np.arange(1, 17).reshape(1, 1, 4, 4), weight)[1][0]


def equal_sides(kind):
    x = np.arange(27).reshape(1, 3, 3, 3)
    return convolve(kind, x, x)[1].item()


def pool_back(kind, x, dy=None, **options):
    """Return dx for an image of one channel; dy is 1 unless given."""
    layer = kind(**options)
    y = layer(np.array(x, float)[None])
    return layer.backward(np.ones_like(y) if dy is None else np.array(dy, float)[None])[0]


PEAK = [[0, 0, 0], [0, 9, 0], [0, 0, 0]]


def at_the_peak(kind):
    return pool_back(kind, PEAK, kernel_size=2, stride=1)[1, 1]


def rows_with_a_gradient(kind):
    dx = pool_back(kind, np.arange(25).reshape(5, 5), kernel_size=2, stride=3)
    return np.flatnonzero(dx.any(1))


def average_of_integers(kind):
    layer = kind(kernel_size=2)
    layer(np.array([[[1, 2], [3, 4]]]))
    return layer.backward(np.ones((1, 1, 1)))


def chain_of_two(kind, first, second, ones):
    """Chain two layers of one weight each, 2 and 3, on x = 5; return dx and both gradients."""
    network = nc.Sequential(kind(**first), kind(**second))
    for layer, weight in zip(network, (2, 3), strict=True):
        layer.load_state_dict({"weight": np.full(ones, weight)})
    network(np.full(ones, 5, np.float32))
    dx = network.backward(np.ones(ones, np.float32))
    return [dx.item(), *(parameter.grad.item() for parameter in network.parameters())]


def chain_of_matrices(kind):
    options = {"in_features": 1, "out_features": 1, "bias": False}
    return chain_of_two(kind, options, options, (1, 1))


def chain_of_convolutions(kind):
    options = {"in_channels": 1, "out_channels": 1, "kernel_size": 1, "bias": False}
    return chain_of_two(kind, options, options, (1, 1, 1, 1))


def given_gradient_after_relu(kind):
    layer, dy = kind(), np.array([5.0, 7.0])
    layer(np.array([-1.0, 1.0]))
    layer.backward(dy)
    return dy


def slope_at_zero(kind):
    layer = kind()
    layer(np.zeros(1))
    return layer.backward(np.ones(1))


def cross_entropy(kind, logits, labels):
    return round(float(kind()(np.array(logits, float), np.array(labels))), 4)


def gradient_of_twice_the_loss(kind):
    loss = kind()
    loss(np.zeros((1, 2)), np.array([0]))
    return loss.backward(2.0)[0]


# The table

CORNERS = [[4, 6, 4], [6, 9, 6], [4, 6, 4]]

TABLE = [
    Line(
        "weight laid out (KH, KW, C, O), sliced as if (C, KH, KW, O)",
        nc.Conv2d,
        convolutions.SlicedInAnotherOrder,
        problem_2,
        [[[0, 0], [0, 0]], [[12, 12], [12, 12]]],
        [[[-4, -4], [-4, -4]], [[1, 1], [1, 1]]],
    ),
    Line(
        "the same, silent where C = KH = KW",
        nc.Conv2d,
        convolutions.SlicedInAnotherOrder,
        equal_sides,
        5265,
        6201,
    ),
    Line(
        "padding given and ignored",
        nc.Conv2d,
        convolutions.PaddingIgnored,
        border,
        [[9, 0, 0], [0, 0, 0], [0, 0, 0]],
        CORNERS,
    ),
    Line(
        "the unpadded input kept for backward",
        nc.Conv2d,
        convolutions.UnpaddedKept,
        weight_gradient_with_a_border,
        np.ones((3, 3)),
        CORNERS,
    ),
    Line(
        "1-channel x, 3-channel weight broadcast",
        nc.Conv2d,
        convolutions.ChannelsBroadcast,
        lambda kind: convolve(kind, np.ones((1, 1, 3, 3)), np.ones((1, 3, 3, 3)))[1].item(),
        27,
        Refusal(ValueError, "expected 3 input channels, got 1"),
    ),
    Line(
        "kernel larger than the input",
        nc.Conv2d,
        convolutions.EmptyOutput,
        lambda kind: convolve(kind, np.ones((1, 1, 3, 3)), np.ones((1, 1, 5, 5)))[1].shape,
        (1, 1, 0, 0),
        Refusal(ValueError, "a window of (5, 5) fits into"),
    ),
    Line(
        "one mask for overlapping windows, counted twice",
        nc.MaxPool2d,
        max_poolings.MaskCountsTwice,
        at_the_peak,
        16,
        4,
    ),
    Line(
        "a window's gradient leaks to its neighbour's maximum",
        nc.MaxPool2d,
        max_poolings.MaskLeaks,
        lambda kind: pool_back(kind, [[1, 2, 3]], [[10, 1]], kernel_size=(1, 2), stride=1),
        [[0, 11, 1]],
        [[0, 10, 1]],
    ),
    Line(
        "every tie gets the gradient",
        nc.MaxPool2d,
        max_poolings.EveryTie,
        lambda kind: pool_back(kind, np.ones((2, 2)), kernel_size=2),
        [[1, 1], [1, 1]],
        [[1, 0], [0, 0]],
    ),
    Line(
        "positions from the kernel size instead of the stride",
        nc.MaxPool2d,
        max_poolings.KernelForStride,
        rows_with_a_gradient,
        [1, 3],
        [1, 4],
    ),
    Line("= where += is needed", nc.MaxPool2d, max_poolings.Assigns, at_the_peak, 1, 4),
    Line(
        "integer input gives an integer gradient buffer",
        nc.AvgPool2d,
        average_poolings.IntegersTaken,
        average_of_integers,
        Refusal(TypeError, "Cannot cast"),
        Refusal(TypeError, "got int64; convert it: x.astype(np.float32)"),
    ),
    Line(
        "Linear returns (dx, dW, db) while the network chains dx",
        nc.Linear,
        layers.ReturnsAllGradients,
        chain_of_matrices,
        Refusal(TypeError, "expected dy to be a NumPy array, got tuple"),
        [6, 15, 10],
    ),
    Line(
        "Conv2d returns (dx, dW, db) while the network chains dx",
        nc.Conv2d,
        convolutions.ReturnsAllGradients,
        chain_of_convolutions,
        Refusal(TypeError, "expected dy to be a NumPy array, got tuple"),
        [6, 15, 10],
    ),
    Line(
        "writes into the gradient that it was given",
        nc.ReLU,
        rectifiers.WritesIntoGradient,
        given_gradient_after_relu,
        [0, 7],
        [5, 7],
    ),
    Line("gradient 1 at exactly 0", nc.ReLU, rectifiers.SlopeAtZero, slope_at_zero, [1], [0]),
    Line(
        "log(y + 1e-7) instead of log-sum-exp",
        nc.CrossEntropyLoss,
        losses.LogarithmOfSum,
        lambda kind: cross_entropy(kind, [[100, 0]], [1]),
        16.1181,
        100,
    ),
    Line(
        "the upstream gradient ignored",
        nc.CrossEntropyLoss,
        losses.UpstreamIgnored,
        gradient_of_twice_the_loss,
        [-0.5, 0.5],
        [-1, 1],
    ),
    Line(
        "integer labels broadcast as one-hot",
        nc.CrossEntropyLoss,
        losses.LabelsAsOneHot,
        lambda kind: cross_entropy(kind, [[2, 1, 0], [0, 2, 1], [1, 0, 2]], [0, 1, 2]),
        4.2228,
        0.4076,
    ),
    Line(
        "float32 in, float64 out",
        nc.Identity,
        layers.WidensEverything,
        lambda kind: str(kind()(np.ones(1, np.float32)).dtype),
        "float64",
        "float32",
    ),
    Line(
        "maxima padded with 0",
        nc.MaxPool2d,
        max_poolings.PaddedWithZeros,
        lambda kind: kind(kernel_size=2, padding=1)(np.full((1, 2, 2), -1.0))[0],
        [[0, 0], [0, 0]],
        [[-1, -1], [-1, -1]],
    ),
    Line(
        "average pooling with ceil_mode dividing by the wrong count",
        nc.AvgPool2d,
        average_poolings.SameCountForAll,
        lambda kind: kind(kernel_size=(1, 3), stride=(1, 3), ceil_mode=True)(np.full((1, 2, 4), 3.0))[0],
        [[3, 1], [3, 1]],
        [[3, 3], [3, 3]],
    ),
    Line(
        "a crash for kernel (3, 1) with padding (1, 0)",
        nc.MaxPool2d,
        max_poolings.FillsByMinusZero,
        lambda kind: kind(kernel_size=(3, 1), stride=1, padding=(1, 0))(np.array([[[1.0, 4.0], [2.0, 3.0]]]))[0],
        Refusal(ValueError, "could not broadcast"),
        [[2, 4], [2, 4]],
    ),
    Line(
        "MaxPool2d((2, 2)) refused",
        nc.MaxPool2d,
        max_poolings.TupleRefused,
        lambda kind: kind((2, 2))(np.array([[[1.0, 4.0], [2.0, 3.0]]]))[0],
        Refusal(TypeError, "got (2, 2)"),
        [[4]],
    ),
    Line(
        "a geometry refused that does not divide exactly",
        nc.MaxPool2d,
        max_poolings.ExactOnly,
        lambda kind: kind(kernel_size=2)(np.arange(9.0).reshape(1, 3, 3))[0],
        Refusal(ValueError, "exactly"),
        [[4]],
    ),
    Line(
        "tied maxima sent to another element once padding is on",
        nc.MaxPool2d,
        max_poolings.LastOfTiesInHardWindows,
        lambda kind: pool_back(kind, np.ones((2, 2)), kernel_size=4, padding=1),
        [[0, 0], [0, 1]],
        [[1, 0], [0, 0]],
    ),
    Line(
        "a window of only -inf",
        nc.MaxPool2d,
        max_poolings.OnlyMinusInfinity,
        lambda kind: kind(kernel_size=2, return_indices=True)(np.full((1, 2, 2), -np.inf))[1].item(),
        -1,
        0,
    ),
    Line(
        "a window with a NaN",
        nc.MaxPool2d,
        max_poolings.PassesOverNaN,
        lambda kind: kind(kernel_size=(1, 2))(np.array([[[1.0, np.nan]]])).item(),
        1,
        np.nan,
    ),
]
