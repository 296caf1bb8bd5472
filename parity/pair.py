"""One row of the promise: our class, PyTorch's, and the cases on which they must agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # training beside torch goes without hypothesis
    from hypothesis.strategies import SearchStrategy

CORNERS = ([np.nan], [-np.inf], [np.nan, np.inf, -np.inf, 0.0, -0.0])
LARGE = 300.0  # the order of large values, beyond what exp can take in float32
VALUES = ("integers", "normals", "large", "corners")


@dataclass(frozen=True)
class Case:
    """One example. Its repr is Python: paste it to run the same example again.

    Attributes
    ----------
    kwargs : dict
        The constructor's arguments, for both sides.
    shape : tuple of int
        The input's shape.
    target : tuple, optional
        For losses: the kind of target, "indices", "probabilities", "values", or, which is refused, "outside":
        indices of which one is no class.
    dtype : str
        What ours runs in; the judge always runs in float64.
    values : str
        What arrays are drawn from: small "integers" (ties, zeros), "normals", "large" ones (beyond
        what exp can take in float32), "corners" (a few or many NaN, infinities and zeros among
        normals), or "nan" (NaN alone).
    training : bool
        The mode of both sides.
    batched : bool
        Whether the first axis of the input is a batch.
    independent : bool
        Whether, in evaluation mode, no sample of the batch sees another.
    seed : int
        Where all arrays come from.
    arrays : list, optional
        The first arrays, which are then not drawn; those that are drawn after them are appended. So a run with
        an empty list records its arrays, and a run with that list repeats them.
    """

    kwargs: Mapping[str, Any]
    shape: tuple[int, ...]
    target: str | None = None
    dtype: str = "float64"
    values: str = "normals"
    training: bool = True
    batched: bool = True
    independent: bool = True
    seed: int = 0
    arrays: list[Any] | None = None

    def __repr__(self) -> str:
        default = Case({}, ())
        parts = [f"{dict(self.kwargs)!r}", f"{self.shape!r}"]
        parts += [f"{k}={v!r}" for k, v in vars(self).items() if k not in ("kwargs", "shape") and v != vars(default)[k]]
        return f"Case({', '.join(parts)})"


@dataclass(frozen=True)
class Pair:
    """One row of the promise.

    Attributes
    ----------
    name : str
        Ours, as ``numpycnn`` exports it.
    ours, theirs : callable
        The two constructors; they take the same keyword arguments.
    cases : strategy
        Valid cases.
    wild : strategy, optional
        Cases that may be invalid: both sides must refuse the same ones.
    exact : int, optional
        On multiples of this whole number all results are whole numbers small enough to be exact,
        and both sides must agree bit for bit. None: they always round.
    ulps : float
        How far apart the two may be, in units of eps x the largest reference entry.
    reason : str
        Why that many.
    strict : bool
        Whether ours must refuse exactly what torch refuses, by a sentence; else it need only refuse as much.
    differentiable : bool
        Whether ours has a backward.
    cost : int
        How many ordinary cases one of this row takes as long as: laws are held to that many times fewer.
    """

    name: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    cases: SearchStrategy[Case]
    wild: SearchStrategy[Case] | None = None
    exact: int | None = None
    ulps: float = 16
    reason: str = "a few roundings, none amplified"
    strict: bool = True
    differentiable: bool = True
    cost: int = 1

    def __repr__(self) -> str:
        return f"Pair({self.name})"


@dataclass
class Draw:
    """The arrays of a case, each drawn in turn from its seed."""

    case: Case
    grid: int = 1
    rng: np.random.Generator = field(init=False)
    count: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.case.seed)

    def array(self, shape: tuple[int, ...], corners: bool = True, large: bool = True) -> np.ndarray:
        """Draw values as the case says, in its dtype; corners and large ones only if they may be there."""
        return self._given(shape, lambda: self._array(shape, corners, large))

    def _given(self, shape: tuple[int, ...], draw: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the next array that the case brings along; or draw it, and let the case keep it."""
        arrays, index = self.case.arrays, self.count
        self.count += 1
        if arrays is None:
            return draw()
        if index == len(arrays):
            arrays.append(draw())
        given = np.array(arrays[index])
        return given.astype(self.case.dtype if given.dtype.kind == "f" else given.dtype).reshape(shape)

    def _array(self, shape: tuple[int, ...], corners: bool, large: bool) -> np.ndarray:
        if self.case.values == "integers":
            return np.asarray(self.grid * self.rng.integers(-3, 4, shape), self.case.dtype)
        values = np.asarray(self.rng.standard_normal(shape))
        if self.case.values == "large" and large:
            values = LARGE * values
        if self.case.values in ("corners", "nan") and corners:
            kinds = CORNERS[self.rng.integers(len(CORNERS))] if self.case.values == "corners" else [np.nan]
            there = self.rng.random(shape) < self.rng.choice([0.2, 0.9])
            values = np.where(there, self.rng.choice(kinds, shape), values)
        return np.asarray(values, self.case.dtype)

    def state(self, name: str, like: np.ndarray) -> np.ndarray:
        """Draw an entry of the state dict: variances are positive; counts, and weights of classes, stay as they are."""
        if like.dtype.kind != "f" or self.case.target:
            return like
        values = self.array(like.shape, corners=False, large=False)
        return np.abs(values) + 0.5 if name.endswith("running_var") else values

    def target(self, shape: tuple[int, ...]) -> np.ndarray:
        """Draw what a loss compares its input with."""
        axis = 0 if len(shape) == 1 else 1
        indices = self.case.target in ("indices", "outside")
        return self._given(shape[:axis] + shape[axis + 1 :] if indices else shape, lambda: self._target(shape))

    def _target(self, shape: tuple[int, ...]) -> np.ndarray:
        kwargs, kind = self.case.kwargs, self.case.target
        if kind == "values":
            return self._array(shape, corners=True, large=True)
        axis = 0 if len(shape) == 1 else 1
        if kind == "probabilities":
            weights = self.rng.random(shape) + 1e-3
            return (weights / weights.sum(axis, keepdims=True)).astype(self.case.dtype)
        labels = np.asarray(self.rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :]))
        if kind == "outside":
            labels[tuple(0 for _ in labels.shape)] = self.rng.choice([-1, shape[axis]])
            return labels
        ignored = self.rng.random(labels.shape) < 0.35
        return np.where(ignored, kwargs.get("ignore_index", -100), labels) if "ignore_index" in kwargs else labels
