"""The contract of every loss: one number that says how wrong a prediction is, and which way it gets smaller."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arguments import choice
from .arrays import Array
from .errors import DtypeError
from .module import Module

REDUCTIONS = ("none", "mean", "sum")


class Loss(Module):
    """A function of a prediction x and a target, with its derivative with respect to x.

    ``forward(x, target)`` returns the loss in the dtype of x: a NumPy scalar, or with
    ``reduction="none"`` an array with the loss of each sample. ``backward(dy)`` returns dx.

    Parameters
    ----------
    reduction : "none", "mean" or "sum"
        What is made of the losses of the samples.
    """

    def __init__(self, *, reduction: str = "mean"):
        self.reduction = choice(type(self).__name__, "reduction", reduction, REDUCTIONS)

    def forward(self, x: Array, target: Array) -> Array:
        """Return the loss of predicting x where target is right."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def backward(self, dy: Array | float = 1.0) -> Array:
        """Return the gradient with respect to x, given the one with respect to the loss: a number, or its shape."""
        raise NotImplementedError(f"{type(self).__name__} defines no backward")

    def __call__(self, x: Array, target: Array) -> Array:
        return self.forward(x, target)

    def reduce(self, losses: Array, total: Any, dtype: np.dtype[Any], *values: Any) -> Array:
        """Make one of many: ``y = sum of losses / total`` for the mean; remember the values for backward.

        The losses come in float64, so that y, in the dtype of x, is rounded once.
        """
        total = total or np.nan  # the mean of nothing
        y = losses if self.reduction == "none" else losses.sum()
        if self.reduction == "mean":
            y = y / total
        y = y.astype(dtype)
        self.remember(y, total, dtype, *values)
        return y

    def reduce_adjoint(self, dy: Array | float) -> tuple[Any, ...]:
        """Return the gradient towards the losses, in float64, the dtype of x, and the remembered values.

        The gradient has the shape of the losses, or none if it is the same for all.
        """
        if isinstance(dy, np.generic):  # a NumPy scalar, as forward returns
            dy = np.asarray(dy)
        elif isinstance(dy, int | float) and self._memory is not None:
            dy = np.asarray(dy, self._memory[1])  # Python's numbers have no dtype to disagree with
        total, *values = self.recall(dy)  # type: ignore[arg-type]
        dlosses = np.asarray(dy, np.float64)
        if self.reduction == "mean":
            dlosses = dlosses / total
        return dlosses, *values

    def check_target_dtype(self, target: Array, x: Array) -> None:
        """Raise unless a target of numbers has the dtype of x."""
        self.check_array(target, "target")
        if target.dtype != x.dtype:
            raise DtypeError(
                self,
                f"expected a target of the dtype of x, {x.dtype}, got {target.dtype}; "
                f"convert it: target.astype(np.{x.dtype})",
            )
