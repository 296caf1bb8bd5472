"""A training that ran away says where: in which step, at which learning rate, in which layer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ..layers.arrays import Array
from ..layers.grad_mode import no_grad
from ..layers.layer import Layer
from ..layers.module import Module


class DivergedError(ArithmeticError):
    """A number of a training became inf or nan; the text says which, where, and at which learning rate.

    Attributes
    ----------
    step : int
        The step that was not finished, from 1; the weights are those of the step before.
    lr : float
        Its learning rate.
    place : str
        What is the first not to be finite: an input, the output of a layer, a gradient.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.Sequential(nc.ReLU(), nc.Linear(2, 2, rng=0))
    >>> model[1].weight.data[0, 0] = np.inf
    >>> optimizer = nc.optim.SGD(model.parameters(), lr=0.1)
    >>> pairs = [(np.ones((1, 2), np.float32), np.array([1]))]
    >>> try:
    ...     next(nc.training.fit(model, nc.CrossEntropyLoss(), optimizer, pairs))
    ... except nc.training.DivergedError as error:
    ...     print(error)
    expected a finite loss, got nan in step 1, at a learning rate of 0.1; the first that is not finite is the
    output of 1: Linear(2, 2), whose weight is not finite either
    """

    def __init__(self, what: str, value: float, step: int, lr: float, place: str):
        super().__init__(what, value, step, lr, place)
        self.step, self.lr, self.place = step, lr, place

    def __str__(self) -> str:
        what, value, step, lr, place = self.args
        return (
            f"expected {what}, got {value} in step {step}, at a learning rate of {lr:g}; "
            f"the first that is not finite is {place}"
        )


def bad_output(model: Layer, x: Array) -> str:
    """Say what is the first not to be finite when a copy of the model sees x once more."""
    if not np.isfinite(x).all():
        return "the input"
    model, found = copy.deepcopy(model), []

    def watched(module: Module, forward: Callable[[Array], Array]) -> Callable[[Array], Array]:
        def run(x: Array) -> Array:
            y = forward(x)
            if not np.isfinite(y).all():
                found.append(module)
            return y

        return run

    for module in model.modules():
        if isinstance(module, Layer):
            vars(module)["forward"] = watched(module, module.forward)
    with no_grad():
        model(x)
    if not found:
        return "the loss itself: all layers have finite outputs"
    paths = {id(module): path for path, module in model.named_modules()}
    layer = found[0]  # a layer is through before what it is part of
    path = paths.get(id(layer))
    text = f"the output of {path}: {layer!r}" if path else f"the output of {layer!r}"
    bad = [name for name, array in layer.named_arrays() if not np.isfinite(array.data).all()]
    return f"{text}, whose {bad[0]} is not finite either" if bad else text


def bad_gradient(model: Layer) -> str:
    """Say which gradient is the first not to be finite, from the loss backwards."""
    bad = [name for name, parameter in model.named_parameters() if not _finite(parameter.grad)]
    return f"the gradient of {bad[-1]}" if bad else "the sum of their squares"


def _finite(grad: Any) -> bool:
    return grad is None or bool(np.isfinite(grad).all())
