"""Rows: losses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import nn

import numpycnn as nc

from .. import strategies
from ..pair import Pair
from .table import EXPONENTIAL, SUMS, table


def _weighted(loss: Any, convert: Any) -> Any:
    """Let a loss take its class weights as a list, which a case can print."""
    return lambda weight=None, **kwargs: loss(weight=None if weight is None else convert(weight), **kwargs)


def _judge_weights(weight: Sequence[float]) -> torch.Tensor:
    return torch.tensor(weight, dtype=torch.float64)


LOSSES = table(
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
