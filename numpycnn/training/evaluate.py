"""What a model says of many inputs, and how good that is: chunk by chunk, nothing remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..layers.arguments import integer
from ..layers.arrays import Array
from ..layers.grad_mode import no_grad
from ..layers.layer import Layer
from ..layers.loss import Loss


class Evaluation(NamedTuple):
    """How good a model is.

    Attributes
    ----------
    loss : float
        What the criterion says of all inputs together.
    accuracy : float
        How many have their highest score at the target, 0 to 1; nan where targets are no classes.

    Examples
    --------
    >>> import numpycnn as nc
    >>> loss, accuracy = nc.training.Evaluation(loss=0.25, accuracy=0.98)
    """

    loss: float
    accuracy: float


def predict(model: Layer, x: Array, *, batch_size: int = 256, prepare: Callable[[Array], Array] | None = None) -> Array:
    """Return what a model, in evaluation mode, makes of many inputs, chunk by chunk.

    The model remembers nothing of it, and its modes are what they were before.

    Parameters
    ----------
    model : Layer
        What predicts.
    x : ndarray
        The inputs, the first axis that of the samples.
    batch_size : int
        How many the model sees at once; this decides how much memory is used.
    prepare : callable, optional
        What makes the model's input of a chunk: ``prepare(x) -> x``.

    Returns
    -------
    ndarray
        The outputs, behind each other.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.models.LeNet(rng=0)
    >>> nc.training.predict(model, np.zeros((300, 1, 28, 28), np.uint8), prepare=lambda x: x / np.float32(255)).shape
    (300, 10)
    """
    _check("predict", model, x, prepare)
    batch_size = integer("predict", "batch_size", batch_size, 1)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            chunks = [x[start : start + batch_size] for start in range(0, max(len(x), 1), batch_size)]
            return np.concatenate([model(prepare(chunk) if prepare else chunk) for chunk in chunks])
    finally:
        for module, training in modes:
            module.training = training


def evaluate(
    model: Layer,
    criterion: Loss,
    x: Array,
    target: Array,
    *,
    batch_size: int = 256,
    prepare: Callable[[Array], Array] | None = None,
) -> Evaluation:
    """Return the loss and the accuracy of a model, in evaluation mode, on many inputs.

    Parameters
    ----------
    model, x, batch_size, prepare
        As in ``predict``.
    criterion : Loss
        What judges; it sees all predictions at once, so its mean is that of all samples.
    target : ndarray
        What is right for each input.

    Returns
    -------
    Evaluation
        ``loss`` and ``accuracy``.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> x, target = np.eye(4, dtype=np.float32), np.array([0, 1, 2, 0])
    >>> nc.training.evaluate(nc.Identity(), nc.CrossEntropyLoss(), x, target).accuracy
    0.75
    """
    _check("evaluate", model, x, prepare)
    if not isinstance(criterion, Loss):
        raise TypeError(f"evaluate: expected criterion to be a Loss, got {criterion!r}")
    if criterion.reduction == "none":
        raise ValueError("evaluate: expected a criterion that yields one number, got one of reduction='none'")
    if not isinstance(target, np.ndarray) or target.ndim == 0:
        raise TypeError(f"evaluate: expected target to be an array of at least one axis, got {target!r}")
    if len(x) != len(target):
        raise ValueError(f"evaluate: expected a target for each of {len(x)} inputs, got {len(target)}")
    scores = predict(model, x, batch_size=batch_size, prepare=prepare)
    with no_grad():
        loss = float(criterion(scores, target))
    classes = target.dtype.kind in "iu" and len(x) > 0
    return Evaluation(loss, float((scores.argmax(1) == target).mean()) if classes else float("nan"))


def _check(owner: str, model: Layer, x: Array, prepare: Callable[[Array], Array] | None) -> None:
    if not isinstance(model, Layer):
        raise TypeError(f"{owner}: expected model to be a Layer, got {model!r}")
    if not isinstance(x, np.ndarray) or x.ndim == 0:
        raise TypeError(f"{owner}: expected x to be an array of at least one axis, got {x!r}")
    if prepare is not None and not callable(prepare):
        raise TypeError(f"{owner}: expected prepare to be a function of x, got {prepare!r}")
