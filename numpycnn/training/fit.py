"""The training loop: one function that is read in a minute, and replaced where it does not fit."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..layers.arguments import integer, number
from ..layers.arrays import Array
from ..layers.layer import Layer
from ..layers.loss import Loss
from ..optim.clip_grad import clip_grad_norm_
from ..optim.lr_scheduler import LRScheduler
from ..optim.optimizer import Optimizer
from .batches import Pair, Source, Stream
from .diverged import DivergedError, bad_gradient, bad_output


@dataclass(frozen=True, repr=False)
class Step:
    """What a step of a training was.

    Attributes
    ----------
    number : int
        Which step it was, from 1.
    epoch : int
        In which epoch, from 1.
    last : bool
        Whether it was the last of its epoch.
    x, target, scores : ndarray
        The batch, and what the model made of it.
    loss : float
        How wrong that was.
    lr : float
        The learning rate, that of the first group.
    norm : float or None
        The norm of all gradients before it was clipped; None if it was not asked for.
    seconds : float
        How long the step took; not the making of the batch.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.Linear(2, 3, rng=0)
    >>> optimizer = nc.optim.SGD(model.parameters(), lr=0.1)
    >>> pairs = [(np.ones((4, 2), np.float32), np.array([0, 1, 2, 2]))]
    >>> for step in nc.training.fit(model, nc.CrossEntropyLoss(), optimizer, pairs, epochs=2):
    ...     print(step, step.accuracy)
    Step(number=1, epoch=1, last=True, loss=1.17, lr=0.1) 0.5
    Step(number=2, epoch=2, last=True, loss=1.16, lr=0.1) 0.5
    """

    number: int
    epoch: int
    last: bool
    x: Array
    target: Array
    scores: Array
    loss: float
    lr: float
    norm: float | None
    seconds: float

    @property
    def accuracy(self) -> float:
        """How many of the batch had their highest score at the target, 0 to 1."""
        return float((self.scores.argmax(1) == self.target).mean())

    def __repr__(self) -> str:
        return f"Step(number={self.number}, epoch={self.epoch}, last={self.last}, loss={self.loss:.3g}, lr={self.lr:g})"


def fit(
    model: Layer,
    criterion: Loss,
    optimizer: Optimizer,
    batches: Source | Iterable[Pair],
    *,
    epochs: int = 1,
    schedule: LRScheduler | None = None,
    max_norm: float | None = None,
) -> Iterator[Step]:
    """Train a model; every step is taken when the iterator is asked for it.

    Whoever iterates says what is done between the steps: print, evaluate, save, ``break``. Nothing
    is done if nobody iterates.

    Parameters
    ----------
    model : Layer
        What learns. It is set to training mode whenever it is found in evaluation mode.
    criterion : Loss
        What is made small; it yields one number.
    optimizer : Optimizer
        What moves the parameters.
    batches : Batches, Stream or iterable of (x, target)
        What is learned from. Training goes on where Batches and Stream stand; anything else is
        gone through from its beginning, once an epoch.
    epochs : int
        How often all batches are seen in all, those that ``batches`` was gone through before among them.
    schedule : LRScheduler, optional
        What changes the learning rate; it is moved after every *step*, so its options count steps.
    max_norm : float, optional
        Where to clip the norm of all gradients, see ``optim.clip_grad_norm_``.

    Yields
    ------
    Step
        What was done.

    Raises
    ------
    DivergedError
        If the loss, or the norm of the gradients where it is clipped, is inf or nan; the weights
        are not moved then.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(256, 2)).astype(np.float32)
    >>> target = (x[:, 0] > x[:, 1]).astype(int)
    >>> model, criterion = nc.Linear(2, 2, rng=rng), nc.CrossEntropyLoss()
    >>> optimizer = nc.optim.SGD(model.parameters(), lr=0.5)
    >>> batches = nc.training.Batches(x, target, 32, rng=rng)
    >>> for step in nc.training.fit(model, criterion, optimizer, batches, epochs=3):
    ...     if step.last:
    ...         print(step.epoch, f"{nc.training.evaluate(model, criterion, x, target).accuracy:.0%}")
    1 100%
    2 100%
    3 100%
    """
    for name, value, kind in (
        ("model", model, Layer),
        ("criterion", criterion, Loss),
        ("optimizer", optimizer, Optimizer),
        ("schedule", schedule, LRScheduler | None),
    ):
        if not isinstance(value, kind):
            wanted = kind.__name__ if isinstance(kind, type) else "LRScheduler"
            raise TypeError(f"fit: expected {name} to be of type {wanted}, got {type(value).__name__}")
    if criterion.reduction == "none":
        raise ValueError("fit: expected a criterion that yields one number, got one of reduction='none'")
    epochs = integer("fit", "epochs", epochs, 0)
    if max_norm is not None:
        max_norm = number("fit", "max_norm", max_norm, 0)
    source = batches if isinstance(batches, Source) else Stream(batches)
    return _steps(model, criterion, optimizer, source, epochs, schedule, max_norm)


def _steps(
    model: Layer,
    criterion: Loss,
    optimizer: Optimizer,
    batches: Source,
    epochs: int,
    schedule: LRScheduler | None,
    max_norm: float | None,
) -> Iterator[Step]:
    while (epoch := batches.epoch) < epochs:
        for pair in batches:
            if not isinstance(pair, Sequence) or len(pair) != 2:
                raise TypeError(f"fit: expected pairs of input and target, got {pair!r} as number {batches.steps}")
            x, target = pair
            start = time.perf_counter()
            number, lr, norm = batches.steps, float(optimizer.param_groups[0]["lr"]), None
            if not model.training:
                model.train()
            optimizer.zero_grad()
            scores = model(x)
            loss = float(criterion(scores, target))
            if not math.isfinite(loss):
                raise DivergedError("a finite loss", loss, number, lr, bad_output(model, x))
            model.backward_parameters(criterion.backward())
            if max_norm is not None:
                norm = float(clip_grad_norm_(model.parameters(), max_norm))
                if not math.isfinite(norm):
                    raise DivergedError("gradients of a finite norm", norm, number, lr, bad_gradient(model))
            optimizer.step()
            if schedule is not None:
                schedule.step()
            seconds = time.perf_counter() - start
            yield Step(number, epoch + 1, batches.position == 0, x, target, scores, loss, lr, norm, seconds)
