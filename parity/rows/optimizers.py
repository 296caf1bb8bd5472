"""Rows: optimizers and learning-rate schedules."""

import torch
from hypothesis import strategies as st

import numpycnn as nc

from .. import strategies
from ..pair import Pair
from .table import table

QUOTIENTS = "a step divides by the root of a sum of squares, which may be small"

_adam = {
    # nearly no memory of squares makes steps that turn on the last bit of a gradient: not below 0.9
    "betas": st.tuples(st.sampled_from([0.0, 0.5, 0.9]), st.sampled_from([0.9, 0.999])),
    "eps": st.sampled_from([1e-8, 1e-3]),
    "amsgrad": st.just(True),
}

OPTIMIZERS = table(
    Pair(
        "SGD",
        nc.optim.SGD,
        torch.optim.SGD,
        strategies.optimizer(
            momentum=st.sampled_from([0.9, 0.5]), dampening=st.sampled_from([0.5]), nesterov=st.just(True)
        ),
        reason="a few roundings a step, six steps",
    ),
    Pair("Adam", nc.optim.Adam, torch.optim.Adam, strategies.optimizer(**_adam), ulps=256, reason=QUOTIENTS),
    Pair("AdamW", nc.optim.AdamW, torch.optim.AdamW, strategies.optimizer(**_adam), ulps=256, reason=QUOTIENTS),
)

_gamma = st.sampled_from([0.1, 0.5, 1.0])

SCHEDULES = table(
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
