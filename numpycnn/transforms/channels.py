"""Arguments that are one number for all channels, or one for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..layers.arguments import number
from ..layers.arrays import Array

Numbers = float | Sequence[float] | Array


def numbers(owner: str, name: str, values: Numbers) -> float | tuple[float, ...]:
    """Parse one number, or several."""
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray) or np.ndim(values) == 0:
        return number(owner, name, values, -np.inf)  # type: ignore[arg-type]  # which it finds out itself
    if not len(values):
        raise ValueError(f"{owner}: expected {name} to be a number, or one for each channel, got {values!r}")
    return tuple(number(owner, name, value, -np.inf) for value in values)


def each(owner: Any, name: str, values: float | tuple[float, ...], images: Array) -> Array:
    """Let one number per channel meet images: a number or (C,) -> (1 or C, 1, 1), in the dtype of the images."""
    array = np.array(values, images.dtype).reshape(-1, 1, 1)
    if len(array) not in (1, images.shape[1]):
        raise ValueError(
            f"{owner!r}: expected images of {len(array)} channels, as {name} has so many numbers, "
            f"got images of shape {images.shape}"
        )
    return array
