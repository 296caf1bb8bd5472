"""When to stop: when it has not become better for a while."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..layers.arguments import integer, mapping, number, real


class EarlyStop:
    """Tell, score by score, whether to stop: none of the last ``patience`` was better than the best before.

    Parameters
    ----------
    patience : int
        How many scores that are no better it takes.
    min_delta : float
        By how much a score must be higher than the best to be better.

    Attributes
    ----------
    best : float
        The highest score so far; -inf before the first.
    waited : int
        How many scores came after it.

    Examples
    --------
    >>> import numpycnn as nc
    >>> stop = nc.training.EarlyStop(patience=2)
    >>> [stop(accuracy) for accuracy in (0.8, 0.9, 0.9, 0.85)]
    [False, False, False, True]
    """

    def __init__(self, patience: int, min_delta: float = 0.0):
        self.patience = integer("EarlyStop", "patience", patience, 1)
        self.min_delta = number("EarlyStop", "min_delta", min_delta, 0)
        self.best = -math.inf
        self.waited = 0

    def __call__(self, score: float) -> bool:
        """Take note of a score, the higher the better; return whether to stop. A nan is never better."""
        score = real("EarlyStop", "score", score)
        if score > self.best + self.min_delta:
            self.best, self.waited = float(score), 0
        else:
            self.waited += 1
        return self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return the best score and how long ago it was."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to where a state dict was made."""
        mapping("cannot load into EarlyStop", "a state", state_dict)
        if set(state_dict) != {"best", "waited"}:
            raise ValueError(
                f"cannot load into EarlyStop: expected 'best' and 'waited', got {sorted(map(str, state_dict))}"
            )
        best = number("EarlyStop", "best", state_dict["best"], -math.inf)
        self.best, self.waited = best, integer("EarlyStop", "waited", state_dict["waited"], 0)

    def __repr__(self) -> str:
        delta = f", min_delta={self.min_delta!r}" if self.min_delta else ""
        return f"EarlyStop({self.patience}{delta})"
