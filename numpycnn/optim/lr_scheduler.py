"""Learning rates that change from epoch to epoch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..layers.arguments import integer, number
from .optimizer import Optimizer
from .scheduler import LRScheduler

__all__ = ["CosineAnnealingLR", "LRScheduler", "MultiStepLR", "StepLR"]


class StepLR(LRScheduler):
    """Multiply the rates by gamma every ``step_size`` epochs.

    ``lr <- gamma lr`` in the epochs step_size, 2 step_size, ...

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    step_size : int
        How many epochs lie between two changes, at least 1.
    gamma : float
        The factor, at least 0.

    Examples
    --------
    >>> import numpycnn as nc
    >>> optimizer = nc.optim.SGD(nc.Linear(2, 2).parameters(), lr=1.0)
    >>> schedule = nc.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(5):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     schedule.step()
    1.0
    1.0
    0.5
    0.5
    0.25
    """

    step_size: int
    gamma: float

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1):
        super().__init__(optimizer, {"step_size": step_size, "gamma": gamma})

    def parse(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "step_size": integer("StepLR", "step_size", options["step_size"], 1),
            "gamma": number("StepLR", "gamma", options["gamma"], 0),
        }

    def get_lr(self) -> list[float]:
        now = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return [group["lr"] * (self.gamma if now else 1) for group in self.optimizer.param_groups]


class MultiStepLR(LRScheduler):
    """Multiply the rates by gamma in certain epochs.

    ``lr <- gamma^n lr`` in an epoch that is n times among the milestones.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    milestones : iterable of int
        The epochs, in any order; one that is there twice counts twice.
    gamma : float
        The factor, at least 0.

    Examples
    --------
    >>> import numpycnn as nc
    >>> optimizer = nc.optim.SGD(nc.Linear(2, 2).parameters(), lr=1.0)
    >>> schedule = nc.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 3, 3], gamma=0.5)
    >>> for epoch in range(4):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     schedule.step()
    1.0
    0.5
    0.5
    0.125
    """

    milestones: Counter[int]
    gamma: float

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1):
        super().__init__(optimizer, {"milestones": milestones, "gamma": gamma})

    def parse(self, options: Mapping[str, Any]) -> dict[str, Any]:
        milestones = options["milestones"]
        if not isinstance(milestones, Iterable) or isinstance(milestones, str | bytes | np.ndarray):
            raise TypeError(f"MultiStepLR: expected milestones to be a list of ints, got {milestones!r}")
        # A state dict has them counted already; Counter takes both.
        try:
            counted = Counter(milestones)
        except TypeError:  # of lists in it, say
            raise TypeError(f"MultiStepLR: expected milestones to be ints, got {milestones!r}") from None
        return {
            "milestones": Counter({integer("MultiStepLR", "a milestone", m, 0): n for m, n in counted.items()}),
            "gamma": number("MultiStepLR", "gamma", options["gamma"], 0),
        }

    def get_lr(self) -> list[float]:
        factor = self.gamma ** self.milestones[self.last_epoch]
        return [group["lr"] * factor for group in self.optimizer.param_groups]


class CosineAnnealingLR(LRScheduler):
    """Let the rates fall along half a wave of the cosine, from the initial ones to ``eta_min``.

    Undisturbed, the rate in epoch t is::

        lr(t) = eta_min + (initial_lr - eta_min) (1 + cos(pi t / T_max)) / 2

    After epoch T_max it rises again, and so on. It is made from the one before it by

        lr <- eta_min + (lr - eta_min) (1 + cos(pi t / T_max)) / (1 + cos(pi (t - 1) / T_max))

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    T_max : int
        How many epochs the way down takes, at least 1.
    eta_min : float
        The lowest rate, at least 0.

    References
    ----------
    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, equation 5
    (without the restarts).

    Examples
    --------
    >>> import numpycnn as nc
    >>> optimizer = nc.optim.SGD(nc.Linear(2, 2).parameters(), lr=1.0)
    >>> schedule = nc.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
    >>> for epoch in range(5):
    ...     print(round(optimizer.param_groups[0]["lr"], 6))
    ...     schedule.step()
    1.0
    0.75
    0.25
    0.0
    0.25
    """

    T_max: int
    eta_min: float

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0):
        super().__init__(optimizer, {"T_max": T_max, "eta_min": eta_min})

    def parse(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "T_max": integer("CosineAnnealingLR", "T_max", options["T_max"], 1),
            "eta_min": number("CosineAnnealingLR", "eta_min", options["eta_min"], 0),
        }

    def get_lr(self) -> list[float]:
        t, T, low = self.last_epoch, self.T_max, self.eta_min
        lrs = [group["lr"] for group in self.optimizer.param_groups]
        if t == 0:
            return lrs
        if t % (2 * T) == (T + 1) % (2 * T):
            # One epoch past the lowest point, where the ratio would divide by 0: the first step up
            # is taken from the formula at the top.
            rise = (1 - math.cos(math.pi / T)) / 2
            return [lr + (base - low) * rise for lr, base in zip(lrs, self.base_lrs, strict=True)]
        ratio = (1 + math.cos(math.pi * t / T)) / (1 + math.cos(math.pi * (t - 1) / T))
        return [low + (lr - low) * ratio for lr in lrs]
