"""Rows: losses."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from hypothesis import strategies as st
from torch import nn

import numpycnn as nc

from .. import ours, strategies
from ..pair import Pair
from .table import EXPONENTIAL, SUMS, table


def _weighted(loss: Callable[..., nn.Module], **kwargs: Any) -> nn.Module:
    """Build a loss whose class weights come as a list, which a case can print."""
    if kwargs.get("weight") is not None:
        kwargs["weight"] = torch.tensor(kwargs["weight"], dtype=torch.float64)
    return loss(**kwargs)


LOSSES = table(
    Pair(
        "CrossEntropyLoss",
        ours.constructor("CrossEntropyLoss"),
        partial(_weighted, nn.CrossEntropyLoss),
        strategies.classification(("indices", "probabilities"), label_smoothing=st.sampled_from([0.1, 1.0])),
        strategies.classification(("indices", "outside")),
        reason=EXPONENTIAL,
    ),
    Pair(
        "NLLLoss",
        ours.constructor("NLLLoss"),
        partial(_weighted, nn.NLLLoss),
        strategies.classification(),
        strategies.classification(("indices", "outside")),
        reason=SUMS,
    ),
    Pair("MSELoss", nc.MSELoss, nn.MSELoss, strategies.regression(), reason=SUMS),
)
