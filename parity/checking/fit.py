"""Cases for a foreign layer: those of the row, mended until they ask only for what the layer takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..pair import Case, Pair

SIZES = ("kernel_size", "stride", "padding", "dilation", "output_size", "output_padding")
FURTHER = 24
"""By how much an image may have to grow for the windows of a mended case to fit."""


@dataclass(frozen=True)
class Fit:
    """Makes a case one that a layer takes: built, not rejected.

    Attributes
    ----------
    pair : Pair
        The row.
    takes : callable
        Tells whether the constructor takes an argument.
    always : mapping
        Arguments that are the same in every case.
    square : bool
        Whether sizes are single numbers.
    foreign : bool
        Whether there is always a batch, padding is never a word, and classes are labels of a batch (N, C).
    modes : bool
        Whether the layer knows of evaluation; else it is always training.
    """

    pair: Pair
    takes: Callable[[str], bool]
    always: Mapping[str, Any] = field(default_factory=dict)
    square: bool = False
    foreign: bool = False
    modes: bool = True

    def __call__(self, case: Case) -> Case:
        """Mend a case."""
        kwargs = {name: value for name, value in case.kwargs.items() if self.takes(name)} | dict(self.always)
        if self.foreign and isinstance(kwargs.get("padding"), str):
            kwargs.pop("padding")
        if self.square:
            kwargs = {name: max(v) if isinstance(v, tuple) and name in SIZES else v for name, v in kwargs.items()}
        case = replace(case, kwargs=kwargs, training=case.training or not self.modes)
        if self.foreign and not case.batched:
            case = replace(case, shape=(1, *case.shape), batched=True)
        if case.target:
            case = replace(case, independent=case.independent and kwargs.get("reduction") == "none")
            if self.foreign and case.target != "values":
                outside = case.target == "outside"
                case = replace(case, shape=case.shape[:2], target="outside" if outside else "indices")
        return next((grown for grown in _grown(case) if self._runs(grown)), case)

    def _runs(self, case: Case) -> bool:
        """Tell whether our own layer takes the case, which also refuses what crashes torch."""
        if case.target:
            return True
        try:
            self.pair.ours(**case.kwargs)(np.zeros(case.shape, np.float32))
        except (ValueError, TypeError):
            return False
        return True


def _grown(case: Case) -> list[Case]:
    """List the case and the same one on larger and larger images."""
    if len(case.shape) < 4:
        return [case]
    *front, height, width = case.shape
    return [replace(case, shape=(*front, height + more, width + more)) for more in range(FURTHER)]
