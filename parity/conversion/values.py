"""What flows through a traced forward: arrays by name, what is learned, and whole numbers that a shape gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpycnn as nc


@dataclass(frozen=True)
class Value:
    """An array: the input, or what a node gives."""

    name: str


@dataclass(frozen=True)
class Learned:
    """A parameter or a buffer that forward uses by hand."""

    path: str
    array: nc.Parameter | nc.Buffer


@dataclass(frozen=True)
class Number:
    """A whole number that follows from the input's shape: how it is computed, in words that can be compared."""

    text: str

    def __add__(self, other: Number | int) -> Number:
        return Number(f"({self} + {other})")

    def __sub__(self, other: Number | int) -> Number:
        return Number(f"({self} - {other})")

    def __mul__(self, other: Number | int) -> Number:
        return Number(f"({self} * {other})")

    def __rmul__(self, other: int) -> Number:
        return Number(f"({other} * {self})")

    def __floordiv__(self, other: Number | int) -> Number:
        return Number(f"({self} // {other})")

    def __str__(self) -> str:
        return self.text


Side = Number | int


@dataclass(frozen=True)
class Step:
    """Layers that run one after another.

    Attributes
    ----------
    layers : tuple of Layer
        The layers.
    reads : tuple of Value
        What the first of them reads.
    in_place : bool
        Whether the result is written into the first of these.
    sides : tuple, optional
        The shape of the result, if it is known.
    """

    layers: tuple[nc.Layer, ...]
    reads: tuple[Value, ...]
    in_place: bool = False
    sides: tuple[Side, ...] | None = None


@dataclass(frozen=True)
class Expanded:
    """An array repeated until it has the shape of another: what a product with that one does by itself."""

    value: Value
    like: Value


@dataclass(frozen=True)
class Shape:
    """The shape of an array, which is known once there is one."""

    value: Value


def arrays(argument: Any) -> list[Value]:
    """List the arrays among arguments, in order."""
    if isinstance(argument, Value):
        return [argument]
    if isinstance(argument, list | tuple):
        return [value for part in argument for value in arrays(part)]
    return []
