"""Constructor arguments are parsed once, at the door: behind it there are only ints, floats and tuples."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import SupportsFloat, SupportsIndex

IntPair = int | Sequence[int]


def integer(owner: str, name: str, value: SupportsIndex, minimum: int) -> int:
    """Parse a whole number of at least the minimum; NumPy's integers are taken too."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{owner}: expected {name} to be an int, got {value!r}") from None
    if number < minimum:
        raise ValueError(f"{owner}: expected {name} >= {minimum}, got {value!r}")
    return number


def pair(owner: str, name: str, value: IntPair, minimum: int) -> tuple[int, int]:
    """Parse one whole number, or one for each of the axes (height, width)."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != 2:
            raise ValueError(f"{owner}: expected {name} to be an int or (height, width), got {value!r}")
        height, width = value
    else:
        height = width = value
    try:
        return integer(owner, name, height, minimum), integer(owner, name, width, minimum)
    except TypeError:
        raise TypeError(f"{owner}: expected {name} to be an int or (height, width), got {value!r}") from None


def number(owner: str, name: str, value: SupportsFloat, low: float, high: float = float("inf")) -> float:
    """Parse a number in [low, high]."""
    try:
        parsed = float("" if isinstance(value, str) else value)
    except (TypeError, ValueError):
        raise TypeError(f"{owner}: expected {name} to be a number, got {value!r}") from None
    if not low <= parsed <= high:
        raise ValueError(f"{owner}: expected {name} in [{low}, {high}], got {value!r}")
    return parsed
