"""The whole promise as a table: every public layer, loss, model and optimizer beside its PyTorch twin."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import nn

import numpycnn as nc

from . import strategies, twins, wild
from .pair import Pair

YES, NO = st.just(True), st.just(False)  # for options that are left out half of the time


def _table(*pairs: Pair) -> dict[str, Pair]:
    return {pair.name: pair for pair in pairs}


def _weighted(loss: Any, convert: Any) -> Any:
    """Let a loss take its class weights as a list, which a case can print."""
    return lambda weight=None, **kwargs: loss(weight=None if weight is None else convert(weight), **kwargs)


def _judge_weights(weight: Sequence[float]) -> torch.Tensor:
    return torch.tensor(weight, dtype=torch.float64)


SUMS = "sums in another order than torch's"
MOVES = "numbers are moved, not computed"
EXPONENTIAL = "exponentials and logarithms, each right to an ulp or two"
QUOTIENTS = "a step divides by the root of a sum of squares, which may be small"
DIVISIBLE = 705_600
"""A multiple of every count that an average is taken over: the products of two numbers up to 8."""

LAYERS = _table(
    Pair("Conv2d", nc.Conv2d, nn.Conv2d, strategies.conv2d(), wild.conv2d(), exact=1, reason=SUMS),
    Pair(
        "MaxPool2d",
        nc.MaxPool2d,
        nn.MaxPool2d,
        strategies.pool2d(dilated=True, return_indices=YES, ceil_mode=YES),
        wild.pool2d(strategies.pool2d(dilated=False, ceil_mode=YES)),
        exact=1,
        reason="forward picks; backward sums where windows overlap",
    ),
    Pair(
        "AvgPool2d",
        nc.AvgPool2d,
        nn.AvgPool2d,
        strategies.pool2d(
            dilated=False,
            ceil_mode=YES,
            count_include_pad=NO,
            divisor_override=st.sampled_from([-2, 1, 3, 8]),
        ),
        wild.pool2d(strategies.pool2d(dilated=False, ceil_mode=YES), divisor_override=st.integers(-1, 1)),
        exact=DIVISIBLE,
        reason=SUMS,
    ),
    Pair(
        "AdaptiveMaxPool2d",
        nc.AdaptiveMaxPool2d,
        nn.AdaptiveMaxPool2d,
        strategies.adaptive_pool2d(return_indices=YES),
        wild.adaptive_pool2d(),
        exact=1,
        reason="forward picks; backward sums where windows overlap",
    ),
    Pair(
        "AdaptiveAvgPool2d",
        nc.AdaptiveAvgPool2d,
        nn.AdaptiveAvgPool2d,
        strategies.adaptive_pool2d(),
        wild.adaptive_pool2d(),
        exact=DIVISIBLE,
        reason=SUMS,
    ),
    Pair("Linear", nc.Linear, nn.Linear, strategies.linear(), wild.linear(), exact=1, reason=SUMS),
    Pair("Flatten", nc.Flatten, nn.Flatten, strategies.flatten(), wild.flatten(), exact=1, reason=MOVES),
    Pair("Identity", nc.Identity, nn.Identity, strategies.elementwise(), exact=1, reason=MOVES),
    Pair(
        "Dropout",
        nc.Dropout,
        nn.Dropout,
        strategies.elementwise(p=st.sampled_from([0.0, 0.2, 0.9, 1.0])),
        wild.dropout(),
        reason="one product with 1 / (1 - p), on torch's own mask",
    ),
    Pair(
        "BatchNorm2d",
        nc.BatchNorm2d,
        nn.BatchNorm2d,
        strategies.batch_norm(),
        wild.batch_norm(),
        ulps=4096,
        reason="a channel of nearly equal numbers is divided by sqrt(eps), which magnifies its roundings",
    ),
    Pair(
        "LocalResponseNorm",
        nc.LocalResponseNorm,
        nn.LocalResponseNorm,
        strategies.local_response_norm(),
        wild.local_response_norm(),
        ulps=32,
        reason="a sum of squares, a power and a quotient",
    ),
    Pair("ReLU", nc.ReLU, nn.ReLU, strategies.elementwise(), exact=1, reason=MOVES),
    Pair(
        "LeakyReLU",
        nc.LeakyReLU,
        nn.LeakyReLU,
        strategies.elementwise(negative_slope=st.sampled_from([-0.5, 0.0, 0.2, 1.5])),
        reason="one product",
    ),
    Pair("Sigmoid", nc.Sigmoid, nn.Sigmoid, strategies.elementwise(), reason=EXPONENTIAL),
    Pair("Tanh", nc.Tanh, nn.Tanh, strategies.elementwise(), reason=EXPONENTIAL),
    Pair("Softmax", nc.Softmax, nn.Softmax, strategies.along_axis(), wild.along_axis(), reason=EXPONENTIAL),
    Pair("LogSoftmax", nc.LogSoftmax, nn.LogSoftmax, strategies.along_axis(), wild.along_axis(), reason=EXPONENTIAL),
    *(
        Pair(
            kind,
            partial(twins.ours, kind),
            partial(twins.theirs, kind),
            strategies.container(kind),
            ulps=1 << 14,
            reason="up to a dozen layers after one another, batch normalisation among them",
        )
        for kind in ("Sequential", "Add", "Concat")
    ),
    Pair(
        "Block",
        twins.OurResidual,
        twins.Residual,
        strategies.residual(),
        ulps=1024,
        reason="convolutions before a batch normalisation, whose division magnifies their roundings",
    ),
)

LOSSES = _table(
    Pair(
        "CrossEntropyLoss",
        _weighted(nc.CrossEntropyLoss, np.array),
        _weighted(nn.CrossEntropyLoss, _judge_weights),
        strategies.classification(("indices", "probabilities"), label_smoothing=st.sampled_from([0.1, 1.0])),
        strategies.classification(("indices", "outside")),
        reason=EXPONENTIAL,
    ),
    Pair(
        "NLLLoss",
        _weighted(nc.NLLLoss, np.array),
        _weighted(nn.NLLLoss, _judge_weights),
        strategies.classification(),
        strategies.classification(("indices", "outside")),
        reason=SUMS,
    ),
    Pair("MSELoss", nc.MSELoss, nn.MSELoss, strategies.regression(), reason=SUMS),
)

MODELS = _table(
    Pair(
        "LeNet",
        nc.models.LeNet,
        twins.LeNet,
        strategies.image_model((1, 28, 28), num_classes=st.integers(1, 12)),
        ulps=4096,
        reason="five layers of weights of order 1 magnify each other's roundings",
    ),
    Pair(
        "LeNet5",
        partial(twins.lenet5, nc),
        partial(twins.lenet5, twins),
        strategies.image_model((1, 32, 32), activation=st.sampled_from(["Tanh", "Sigmoid", "ReLU"])),
        ulps=4096,
        reason="five layers of weights of order 1 magnify each other's roundings",
    ),
)

_adam = {
    # nearly no memory of squares makes steps that turn on the last bit of a gradient: not below 0.9
    "betas": st.tuples(st.sampled_from([0.0, 0.5, 0.9]), st.sampled_from([0.9, 0.999])),
    "eps": st.sampled_from([1e-8, 1e-3]),
    "amsgrad": YES,
}

OPTIMIZERS = _table(
    Pair(
        "SGD",
        nc.optim.SGD,
        torch.optim.SGD,
        strategies.optimizer(momentum=st.sampled_from([0.9, 0.5]), dampening=st.sampled_from([0.5]), nesterov=YES),
        reason="a few roundings a step, six steps",
    ),
    Pair("Adam", nc.optim.Adam, torch.optim.Adam, strategies.optimizer(**_adam), ulps=256, reason=QUOTIENTS),
    Pair("AdamW", nc.optim.AdamW, torch.optim.AdamW, strategies.optimizer(**_adam), ulps=256, reason=QUOTIENTS),
)

_gamma = st.sampled_from([0.1, 0.5, 1.0])

SCHEDULES = _table(
    Pair(
        "StepLR",
        nc.optim.lr_scheduler.StepLR,
        torch.optim.lr_scheduler.StepLR,
        strategies.schedule(step_size=st.integers(1, 7), gamma=_gamma),
    ),
    Pair(
        "MultiStepLR",
        nc.optim.lr_scheduler.MultiStepLR,
        torch.optim.lr_scheduler.MultiStepLR,
        strategies.schedule(milestones=st.lists(st.integers(0, 20), max_size=5), gamma=_gamma),
    ),
    Pair(
        "CosineAnnealingLR",
        nc.optim.lr_scheduler.CosineAnnealingLR,
        torch.optim.lr_scheduler.CosineAnnealingLR,
        strategies.schedule(T_max=st.integers(1, 12), eta_min=st.sampled_from([0.0, 0.01])),
    ),
)

ROWS = LAYERS | LOSSES | MODELS
"""Every row that ``laws.LAWS`` hold for; optimizers and schedules have laws of their own."""

ALL = ROWS | OPTIMIZERS | SCHEDULES
"""The whole promise."""
