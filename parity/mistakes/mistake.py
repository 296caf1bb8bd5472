"""What a planted bug is: one of our layers with one mistake in it, and the laws that must notice it.

The bugs themselves are in the files beside this one, each a subclass of a few lines under a decorator that
enters it into the catalogue. Many were found in hand-written layers; the rest are what a hand that
writes this library could slip into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

import numpycnn as nc

from .. import ours, registry
from ..laws import Law
from ..pair import Pair


@dataclass(frozen=True)
class Planted:
    """One bug.

    Attributes
    ----------
    bug : str
        What is wrong, in words.
    row : str
        The row of the registry that it is planted in.
    kind : type
        Our class with the bug in it.
    laws : tuple of Law
        Those that must fail.
    says : str
        What their report must contain: the place where it hurts.
    crash : type of Exception, optional
        For a bug that is a crash: what it raises. All others are caught by a comparison.
    """

    bug: str
    row: str
    kind: type[nc.Module]
    laws: tuple[Law, ...]
    says: str = ""
    crash: type[Exception] | None = None

    @property
    def ours(self) -> Callable[..., nc.Module]:
        """What builds the broken layer from a case's arguments."""
        return constructor(self.row, self.kind)

    @property
    def pair(self) -> Pair:
        """The row, with the bug in it."""
        return replace(registry.ALL[self.row], ours=self.ours)


CATALOGUE: list[Planted] = []


def plant(bug: str, row: str, *laws: Law, says: str = "", crash: type[Exception] | None = None) -> Callable[..., Any]:
    """Enter the decorated class into the catalogue; the class stays as it is."""

    def enter(broken: type[nc.Module]) -> type[nc.Module]:
        CATALOGUE.append(Planted(bug, row, broken, laws, says, crash))
        return broken

    return enter


def constructor(row: str, broken: type[nc.Module]) -> Callable[..., nc.Module]:
    """Return what builds a class from a case's arguments, as our side of the row does."""
    if issubclass(broken, nc.Sequential | nc.Add | nc.Multiply | nc.Concat | nc.Auxiliary):
        return lambda layers: broken(*ours.network(row, layers))
    if issubclass(broken, nc.Graph):
        return partial(ours.graph, graph=broken)
    if issubclass(broken, nc.models.LeNet5):
        return lambda activation="Tanh": broken(activation=getattr(nc, activation))
    sound = registry.ALL[row].ours
    if isinstance(sound, partial) and isinstance(sound.args[0], type):
        return partial(sound.func, broken, *sound.args[1:])
    return broken


@contextmanager
def reading(own: nc.Parameter | nc.Buffer, instead: np.ndarray) -> Iterator[None]:
    """Let a layer read other values in the place of its own for a moment."""
    before, own.data = own.data, instead
    try:
        yield
    finally:
        own.data = before
