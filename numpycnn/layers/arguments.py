"""Constructor arguments are parsed once, at the door: behind it there are only ints, floats and tuples."""

from __future__ import annotations

import math
import operator
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsFloat, SupportsIndex

IntPair = int | Sequence[int]
LARGEST = 2**31 - 1  # side of a window, as in PyTorch


def integer(
    owner: str, name: str, value: SupportsIndex, minimum: int = -sys.maxsize, maximum: int = sys.maxsize
) -> int:
    """Parse a whole number, of at least the minimum; NumPy's integers are taken too."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{owner}: expected {name} to be an int, got {value!r}") from None
    if number < minimum:
        raise ValueError(f"{owner}: expected {name} >= {minimum}, got {value!r}")
    if abs(number) > maximum:
        raise ValueError(f"{owner}: expected {name} <= {maximum}, got {value!r}")
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
        return integer(owner, name, height, minimum, LARGEST), integer(owner, name, width, minimum, LARGEST)
    except TypeError:
        raise TypeError(f"{owner}: expected {name} to be an int or (height, width), got {value!r}") from None


def number(owner: str, name: str, value: SupportsFloat, low: float, high: float = float("inf")) -> float:
    """Parse a number in [low, high]."""
    parsed = real(owner, name, value)
    if not low <= parsed <= high:
        raise ValueError(f"{owner}: expected {name} in [{low}, {high}], got {value!r}")
    return parsed


def real(owner: str, name: str, value: SupportsFloat) -> float:
    """Parse a number, nan among them."""
    try:
        return float("" if isinstance(value, str | bytes) else value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{owner}: expected {name} to be a number, got {value!r}") from None


def flag(owner: str, name: str, value: Any) -> bool:
    """Parse a yes or a no; whatever Python takes for one will do, but an array that says both."""
    try:
        return bool(value)
    except (TypeError, ValueError):
        raise TypeError(f"{owner}: expected {name} to be True or False, got {value!r}") from None


def choice(owner: str, name: str, value: Any, known: Collection[str]) -> str:
    """Parse a name that is one of several."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{owner}: expected {name} to be one of {tuple(known)}, got {value!r}")
    return value


def shape_of(owner: str, name: str, value: Any, minimum: int = 0) -> tuple[int, ...]:
    """Parse the sides of an array that can be addressed."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise TypeError(f"{owner}: expected {name} to be a sequence of sides, got {value!r}")
    sides = tuple(integer(owner, name, side, minimum) for side in value)
    addressable(owner, name, sides)
    return sides


def addressable(owner: str, name: str, shape: Sequence[int]) -> None:
    """Raise for a shape of more numbers than any machine holds: NumPy's words for it name nobody."""
    if math.prod(side for side in shape if side) >= 1 << 48:
        raise ValueError(f"{owner}: expected {name} of fewer than 2^48 numbers, got shape {tuple(shape)}")


def mapping(owner: str, name: str, value: Any) -> Mapping[Any, Any]:
    """Parse a dict, or what is like one."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{owner}: expected {name} to be a dict, got {value!r}")
    return value


def file_path(owner: str, name: str, value: Any) -> Path:
    """Parse the name of a file or folder."""
    if not isinstance(value, str | os.PathLike) or "\0" in str(value):
        raise TypeError(f"{owner}: expected {name} to be a path, got {value!r}")
    return Path(value)


def maker(owner: str, name: str, value: Any, default: Callable[..., Any]) -> Callable[..., Any]:
    """Parse what makes layers, a class or a function; None stands for the default."""
    if value is None:
        return default
    if not callable(value):
        raise TypeError(f"{owner}: expected {name} to be callable, got {value!r}")
    return value  # type: ignore[no-any-return]
