"""Where a foreign layer keeps an array, and in what layout: ``"params.W:HWIO"``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

AXES = {4: "OIHW", 2: "OI", 1: "O"}
"""The letters of a parameter's axes in PyTorch's order, by their number: output, input, height, width."""


@dataclass(frozen=True)
class Place:
    """A path to an array, and the letters of its axes.

    Attributes
    ----------
    path : tuple of str
        Attributes, or keys of mappings, one inside the other.
    layout : str
        The letters of `AXES`, in the layer's order, and 1 for an axis of length one; empty: as in PyTorch.
    """

    path: tuple[str, ...]
    layout: str = ""

    @classmethod
    def parse(cls, name: str, text: Any) -> Place:
        """Read ``"path:LAYOUT"``, the place of what PyTorch calls `name`."""
        if not isinstance(text, str) or not re.fullmatch(r"[^\W\d]\w*(\.\w+)*(:[OIHW1]+)?", text):
            raise ValueError(f"Adapter: expected a place such as 'W' or 'params.W:HWIO' for {name!r}, got {text!r}")
        path, _, layout = text.partition(":")
        letters = layout.replace("1", "")
        if layout and sorted(letters) not in map(sorted, AXES.values()):
            raise ValueError(f"Adapter: expected the letters OIHW, OI or O in the layout of {name!r}, got {layout!r}")
        return cls(tuple(path.split(".")), layout)

    def there(self, array: np.ndarray, axes: str) -> np.ndarray:
        """Lay an array with these axes, PyTorch's, out as the layer has it; a copy."""
        if not self.layout:
            return np.array(array)
        if sorted(self.layout.replace("1", "")) != sorted(axes):
            raise ValueError(f"Adapter: expected the letters {axes} for {self}, got {self.layout}")
        moved = array.transpose([axes.index(letter) for letter in self.layout if letter != "1"])
        ones = [at for at, letter in enumerate(self.layout) if letter == "1"]
        for at in ones:
            moved = np.expand_dims(moved, at)
        return np.array(moved, order="C")

    def back(self, array: np.ndarray, axes: str) -> np.ndarray:
        """Lay one of the layer's arrays out as PyTorch has it; a copy."""
        if not self.layout:
            return np.array(array)
        ones = tuple(at for at, letter in enumerate(self.layout) if letter == "1")
        if array.ndim != len(self.layout) or any(array.shape[at] != 1 for at in ones):
            raise AssertionError(f"expected the axes {self.layout} at {self}, got shape {array.shape}")
        letters = self.layout.replace("1", "")
        return np.array(array.squeeze(ones).transpose([letters.index(letter) for letter in axes]))

    def read(self, layer: Any) -> Any:
        """Return what the layer has there."""
        for step in self.path:
            layer = _step(layer, step)
        return layer

    def write(self, layer: Any, array: np.ndarray) -> None:
        """Put an array there."""
        *way, last = self.path
        for step in way:
            layer = _step(layer, step)
        if isinstance(layer, dict):
            layer[last] = array
        else:
            setattr(layer, last, array)

    def __str__(self) -> str:
        return ".".join(self.path)


def _step(holder: Any, name: str) -> Any:
    return holder[name] if isinstance(holder, Mapping) else getattr(holder, name)
