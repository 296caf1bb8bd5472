"""The contract of every schedule of learning rates."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

from ..layers.arguments import integer, mapping, number
from .optimizer import Optimizer


class LRScheduler:
    """Something that sets the learning rate of every group of an optimizer, once an epoch.

    A subclass says two things: ``parse``, which options it has and what they may be, and
    ``get_lr``, the new rates. These are made from the rates as they stand, not from the first
    ones, so that two schedules on one optimizer compose and a rate set by hand is kept.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set; the groups note theirs under ``"initial_lr"``, unless one stands there.
    options : dict
        The options, which become attributes.

    Attributes
    ----------
    last_epoch : int
        How often ``step`` was called.
    base_lrs : list of float
        The ``"initial_lr"`` of every group.

    Raises
    ------
    TypeError
        If optimizer is not an Optimizer.
    ValueError
        If an option is out of its range.

    Examples
    --------
    >>> import numpycnn as nc
    >>> from numpycnn.optim.lr_scheduler import CosineAnnealingLR, StepLR
    >>> optimizer = nc.optim.SGD(nc.Linear(2, 2).parameters(), lr=1.0)
    >>> schedules = [StepLR(optimizer, step_size=1, gamma=0.5), CosineAnnealingLR(optimizer, T_max=2)]
    >>> for schedule in schedules:
    ...     schedule.step()
    >>> round(optimizer.param_groups[0]["lr"], 6)
    0.25
    """

    def __init__(self, optimizer: Optimizer, options: Mapping[str, Any]):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__}: expected an Optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        self._options = tuple(options)
        vars(self).update(self.parse(options))
        self.base_lrs: list[float] = []
        self.last_epoch = -1
        self.step()

    # What a subclass says

    def parse(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Pick this schedule's options, checked."""
        raise NotImplementedError(f"{type(self).__name__} defines no parse")

    def get_lr(self) -> list[float]:
        """Return the rate of each group in epoch ``last_epoch``, made from the one that it has."""
        raise NotImplementedError(f"{type(self).__name__} defines no get_lr")

    # What it does

    def step(self) -> None:
        """Go to the next epoch: set the rate of every group."""
        groups = self.optimizer.param_groups
        for group in groups[len(self.base_lrs) :]:  # at the start all of them, later those that were added
            self.base_lrs.append(float(group.setdefault("initial_lr", group["lr"])))
        self.last_epoch += 1
        self._last_lr = [float(lr) for lr in self.get_lr()]
        for group, lr in zip(groups, self._last_lr, strict=True):
            group["lr"] = lr

    def get_last_lr(self) -> list[float]:
        """Return the rates that were set last, one a group."""
        return list(self._last_lr)

    # State

    def state_dict(self) -> dict[str, Any]:
        """Return the options and where in the schedule we are, under PyTorch's keys."""
        names = (*self._options, "base_lrs", "last_epoch", "_last_lr")
        return {name: copy.copy(getattr(self, name)) for name in names}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to where a state dict was made, with its options; all or nothing.

        The rates themselves are the optimizer's: load its state dict too, after this schedule was
        made.

        Parameters
        ----------
        state_dict : mapping
            What ``state_dict()`` returned; that of PyTorch's schedule of the same name is taken too.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or its value cannot be; nothing is loaded then.
        """
        owner = f"cannot load into {type(self).__name__}"
        own = self.state_dict()
        mapping(owner, "a state", state_dict)
        problems = [f"missing {key!r}" for key in own if key not in state_dict]
        # PyTorch's other keys with an underscore are notes about calls in the wrong order.
        problems += [f"unknown {key!r}" for key in state_dict if key not in own and not str(key).startswith("_")]
        if problems:
            raise ValueError(f"{owner}: " + "; ".join(problems))
        try:
            loaded = self.parse(state_dict)
            loaded["last_epoch"] = integer(owner, "last_epoch", state_dict["last_epoch"], 0)
            for name in ("base_lrs", "_last_lr"):
                loaded[name] = [number(owner, name, lr, -math.inf) for lr in state_dict[name]]
                if len(loaded[name]) != len(self.optimizer.param_groups):
                    count = len(self.optimizer.param_groups)
                    raise ValueError(f"{owner}: expected {name} of {count} groups, got {len(loaded[name])}")
        except TypeError as error:
            raise ValueError(f"{owner}: {error}") from error
        vars(self).update(loaded)

    def __repr__(self) -> str:
        options = [f"{name}={getattr(self, name)!r}" for name in self._options]
        return f"{type(self).__name__}({', '.join(options)})"
