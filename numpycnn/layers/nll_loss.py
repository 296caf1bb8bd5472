"""The negative log-likelihood: how surprised log-probabilities are by the class that came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .arguments import integer
from .arrays import FLOATS, Array
from .errors import DtypeError, ShapeError
from .loss import Loss
from .parameter import Buffer


@dataclass(slots=True)
class Labels:
    """Class indices, read: one entry for each sample, in the shape of the losses."""

    at: tuple[Array, ...]  # where in the scores t stands, 0 where ignored
    keep: Array  # False where ignored
    weight: Array | None  # w[t] in float64; None if it is 1 for all and none is ignored
    total: Any  # sum of w[t] over those that are not ignored

    def weigh(self, values: Array) -> Array:
        """Multiply what each sample has by w[t]; 0 where ignored, whatever it has."""
        return np.asarray(values) if self.weight is None else np.where(self.keep, self.weight * values, 0)

    def pick(self, x: Array) -> Array:
        """Return ``-w[t] x[t]`` of each sample, 0 where ignored."""
        return self.weigh(-np.asarray(x[self.at], np.float64))

    def pick_adjoint(self, dlosses: Array, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Send the gradient of each sample's loss to the one entry that was picked."""
        dx = np.zeros(shape, dtype)
        dx[self.at] = self.weigh(-dlosses)
        return dx


class NLLLoss(Loss):
    """``loss[n] = -w[t[n]] x[n, t[n]]``; the mean is ``sum of loss / sum of w[t]``.

    x holds log-probabilities, (N, C) or (C,) or (N, C, d1, ...); target the indices of the right
    classes, any integers, (N,) or () or (N, d1, ...). Only x gets a gradient.

    Parameters
    ----------
    weight : array of shape (C,), optional
        The weight of each class, in the dtype of x; 1 by default.
    ignore_index : int
        Samples with this target cost nothing and do not count for the mean; it need not be a class.
    reduction : "none", "mean" or "sum"
        What is made of the losses of the samples.

    Attributes
    ----------
    weight : Buffer or None
        w.

    Raises
    ------
    ValueError
        In forward, for shapes that do not match and for a target outside the classes.
    TypeError
        In forward, for a target that is no array of integers.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> loss = nc.NLLLoss()
    >>> x = np.log([[0.5, 0.5], [0.25, 0.75]])
    >>> print(loss(x, np.array([0, 1])).round(4))
    0.4904
    >>> loss.backward()
    array([[-0.5,  0. ],
           [ 0. , -0.5]])
    """

    def __init__(self, weight: Array | None = None, *, ignore_index: int = -100, reduction: str = "mean"):
        super().__init__(reduction=reduction)
        owner = type(self).__name__
        self.ignore_index = integer(owner, "ignore_index", ignore_index)
        self.weight: Buffer | None = None
        if weight is not None:
            if not isinstance(weight, np.ndarray) or weight.dtype not in FLOATS:
                raise TypeError(f"{owner}: expected weight to be an array of float32 or float64, got {weight!r}")
            if weight.ndim != 1:
                raise ValueError(f"{owner}: expected weight of shape (C,), got {weight.shape}")
            self.weight = Buffer(weight.copy())

    def forward(self, x: Array, target: Array) -> Array:
        self._check(x, target)
        labels = self._read(x, target)
        return self.reduce(labels.pick(x), labels.total, x.dtype, x.shape, labels)

    def backward(self, dy: Array | float = 1.0) -> Array:
        dlosses, dtype, shape, labels = self.reduce_adjoint(dy)
        dx: Array = labels.pick_adjoint(dlosses, shape, dtype)
        return dx

    def _read(self, x: Array, target: Array) -> Labels:
        """Parse class indices, once checked."""
        self._check_labels(x, target)
        keep = np.asarray(target != self.ignore_index)
        kept = np.count_nonzero(keep)
        index = (target if kept == keep.size else np.where(keep, target, 0)).astype(np.intp)
        at = [np.arange(side).reshape(-1, *[1] * (index.ndim - axis - 1)) for axis, side in enumerate(index.shape)]
        at.insert(class_axis(x), index)
        if self.weight is None and kept == keep.size:
            return Labels(tuple(at), keep, None, kept)
        weight = np.asarray(keep if self.weight is None else np.where(keep, self.weight.data[index], 0), np.float64)
        return Labels(tuple(at), keep, weight, weight.sum())

    def _check(self, x: Array, target: Array) -> None:
        self.check_array(x)
        if x.ndim == 0:
            raise ShapeError(self, "expected x of shape (C,), (N, C) or (N, C, d1, ...), got a scalar")
        if x.shape[class_axis(x)] == 0:
            raise ShapeError(self, f"expected x with at least one class, got shape {x.shape}")
        if self.weight is not None:
            self.check_channels(x, class_axis(x), len(self.weight.data), "classes, as many as there are weights")
            self.check_dtype(x, self.weight.data.dtype)
        if not isinstance(target, np.ndarray | np.generic):  # labels[0] is a np.generic
            raise DtypeError(self, f"expected target to be a NumPy array, got {type(target).__name__}")

    def _check_labels(self, x: Array, target: Array) -> None:
        axis = class_axis(x)
        shape = x.shape[:axis] + x.shape[axis + 1 :]
        integers = target.dtype.kind in "iu"
        if not integers or target.shape != shape:
            raise (ShapeError if integers else DtypeError)(
                self,
                f"expected class indices as target, integers of shape {shape} for x of shape {x.shape}, "
                f"got {target.dtype} of shape {target.shape}",
            )
        classes = x.shape[axis]
        wrong = (target < 0) | (target >= classes)
        if np.count_nonzero(wrong) and (wrong := wrong & (target != self.ignore_index)).any():
            where = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise ShapeError(
                self,
                f"expected class indices from 0 to {classes - 1}, or ignore_index={self.ignore_index}, "
                f"got {target[where]} at target[{', '.join(map(str, where)) or '()'}]",
            )


def class_axis(x: Array) -> int:
    """Say which axis of the scores holds the classes."""
    return 0 if x.ndim == 1 else 1
