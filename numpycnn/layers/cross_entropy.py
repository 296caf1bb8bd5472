"""Cross-entropy of scores with the right classes: log-softmax and negative log-likelihood in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.exponentials import exponentials, picked_adjoint
from .arguments import number
from .arrays import Array
from .errors import DtypeError, ShapeError
from .nll_loss import NLLLoss, class_axis
from .softmax import log_softmax, log_softmax_adjoint

Losses = tuple[Array, Any, Callable[[Array], Array]]


class CrossEntropyLoss(NLLLoss):
    """``loss[n] = -sum over c of w[c] q[n, c] log p[n, c]``, where ``p = softmax(x)`` and q is the target.

    x holds scores (logits), (N, C) or (C,) or (N, C, d1, ...). The target is either class indices,
    any integers, (N,) or () or (N, d1, ...), which stand for q = 1 at that class, or q itself,
    probabilities in the shape and dtype of x. For unit weights ``dx = (p - q) dy``: numbers near
    zero are never divided by, since logarithm and softmax are one function.

    The mean divides by the sum of w[t] for indices t, and by the number of samples for
    probabilities. Only x gets a gradient.

    Parameters
    ----------
    weight : array of shape (C,), optional
        The weight of each class, in the dtype of x; 1 by default.
    ignore_index : int
        Samples with this target cost nothing and do not count for the mean; it need not be a
        class. For class indices only.
    reduction : "none", "mean" or "sum"
        What is made of the losses of the samples.
    label_smoothing : float
        In [0, 1]: how much of q is spread evenly over all classes (Szegedy et al., 2016, section 7).

    Attributes
    ----------
    weight : Buffer or None
        w.

    Raises
    ------
    ValueError
        In forward, for shapes that do not match and for a target outside the classes.
    TypeError
        In forward, for a target that is neither integers in the shape of the losses nor
        probabilities in the dtype of x.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> loss = nc.CrossEntropyLoss()
    >>> print(loss(np.array([[100.0, 0.0]]), np.array([1])))
    100.0
    >>> loss.backward(2.0)
    array([[ 2., -2.]])
    """

    def __init__(
        self,
        weight: Array | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.label_smoothing = number("CrossEntropyLoss", "label_smoothing", label_smoothing, 0, 1)

    def forward(self, x: Array, target: Array) -> Array:
        self._check(x, target)
        if target.shape == x.shape:
            losses, total, adjoint = self._of_probabilities(x, target)
        elif self.label_smoothing:
            losses, total, adjoint = self._of_smoothed_labels(x, target)
        else:
            losses, total, adjoint = self._of_labels(x, target)
        return self.reduce(losses, total, x.dtype, adjoint)

    def backward(self, dy: Array | float = 1.0) -> Array:
        dlosses, dtype, adjoint = self.reduce_adjoint(dy)
        return np.asarray(adjoint(dlosses), dtype)

    # The three kinds of targets: each returns the losses, what the mean divides by, and the way back

    def _of_labels(self, x: Array, target: Array) -> Losses:
        """Compute what everybody uses, one right class a sample, without the logarithm of every p."""
        labels, axis = self._read(x, target), class_axis(x)
        e, total, log_total = exponentials(x, axis)
        log_p = x[labels.at] - log_total

        def adjoint(dlosses: Array) -> Array:
            return picked_adjoint(e, total, log_p, labels.at, labels.weigh(dlosses), axis)

        return labels.weigh(-log_p), labels.total, adjoint

    def _of_smoothed_labels(self, x: Array, target: Array) -> Losses:
        """Share each sample out: between its class and, evenly, all of them."""
        labels, axis, smoothing = self._read(x, target), class_axis(x), self.label_smoothing
        log_p = log_softmax(np.asarray(x, np.float64), axis)
        spread = np.where(labels.keep, -self._weigh(log_p).mean(axis), 0)

        def adjoint(dlosses: Array) -> Array:
            dspread = smoothing / x.shape[axis] * np.where(labels.keep, dlosses, 0)
            dlog_p = (1 - smoothing) * labels.pick_adjoint(dlosses, x.shape, np.float64)
            return log_softmax_adjoint(dlog_p - self._weigh(np.expand_dims(dspread, axis)), log_p, axis)

        return (1 - smoothing) * labels.pick(log_p) + smoothing * spread, labels.total, adjoint

    def _of_probabilities(self, x: Array, target: Array) -> Losses:
        """Take q as it comes; in float64, so that the results alone round."""
        self._check_probabilities(x, target)
        axis, smoothing = class_axis(x), self.label_smoothing
        q = self._weigh((1 - smoothing) * np.asarray(target, np.float64) + smoothing / x.shape[axis])
        log_p = log_softmax(np.asarray(x, np.float64), axis)

        def adjoint(dlosses: Array) -> Array:
            return log_softmax_adjoint(-q * np.expand_dims(np.full(losses.shape, dlosses), axis), log_p, axis)

        losses = -(q * log_p).sum(axis)
        return losses, losses.size, adjoint

    def _weigh(self, q: Array) -> Array:
        """Multiply by the weight of each class."""
        if self.weight is None:
            return q
        return q * self.weight.data.reshape(-1, *[1] * (q.ndim - class_axis(q) - 1))

    def _check_probabilities(self, x: Array, target: Array) -> None:
        if not np.issubdtype(target.dtype, np.floating):
            raise DtypeError(
                self,
                f"expected a target in the shape of x to hold probabilities of dtype {x.dtype}, got "
                f"{target.dtype}; class indices come without the axis of the classes",
            )
        self.check_target_dtype(target, x)
        if self.ignore_index >= 0:
            raise ShapeError(
                self, f"expected class indices where ignore_index={self.ignore_index} is given, got probabilities"
            )
