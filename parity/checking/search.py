"""The smallest case on which a law fails: hypothesis shrinks it, then the numbers in its arrays are made simple."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from ..laws import Law
from ..pair import Case, Pair
from .watch import Watch

PATIENCE = 10.0
"""Seconds after the first failure for smaller cases to be found."""


class Search:
    """Hold a pair to a law on many cases; keep the smallest that fails.

    Attributes
    ----------
    count : int
        How many cases the law was held to, until the first failure.
    case : Case or None
        The smallest that fails, its arrays with it where they could be made simpler.
    error : Exception or None
        What the law says of it.
    """

    def __init__(self, law: Law, pair: Pair, cases: SearchStrategy[Case], count: int, seed: int, watch: Watch):
        self.law, self.pair, self.watch = law, pair, watch
        self.count = 0
        self.case: Case | None = None
        self.error: Exception | None = None
        self._until = math.inf

        @hypothesis.seed(seed)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(cases)
        def holds(case: Case) -> None:
            self._try(case)

        try:
            holds()
        except hypothesis.errors.Flaky:  # it failed once, and not again: the layer is not a function of its input
            pass
        except Exception:
            assert self.error is not None  # the law's, the last one of which is that of the smallest case
        if self.case is not None and not isinstance(self.error, TimeoutError):
            self._simplify()

    def _try(self, case: Case) -> None:
        """Run the law once; raise what it raises, unless it is too late to look for smaller cases."""
        if self.error is None:
            self.count += 1
        elif time.monotonic() > self._until and repr(case) != repr(self.case):
            return
        error = failure(self.law, self.pair, case, self.watch)
        if error is not None:
            if self.error is None:
                self._until = time.monotonic() + PATIENCE
            self.case, self.error = case, error
            raise error

    def _simplify(self) -> None:
        """Replace arrays by zeros, and numbers by 0 or 1, as long as the law fails in the same place."""
        assert self.case is not None
        arrays: list[Any] = []
        case = replace(self.case, arrays=arrays)
        error = failure(self.law, self.pair, case, self.watch)
        if error is None or place(error) != place(self.error):
            return
        until = time.monotonic() + PATIENCE
        for index, simpler in _simpler(arrays):
            if time.monotonic() > until:
                break
            trial = replace(case, arrays=[*arrays[:index], simpler, *arrays[index + 1 :]])
            found = failure(self.law, self.pair, trial, self.watch)
            if found is not None and place(found) == place(self.error):
                arrays[index], error = simpler, found
        self.case, self.error = case, error


def failure(law: Law, pair: Pair, case: Case, watch: Watch) -> Exception | None:
    """Return what the law says against a case; None if it holds."""
    try:
        with watch():
            law(pair, case)
    except Exception as error:
        return error
    return None


def place(error: Exception | None) -> tuple[type, str]:
    """Say where it went wrong: the kind of error, and what stands before the colon."""
    return type(error), str(error).partition(":")[0]


def _simpler(arrays: list[Any]) -> Iterator[tuple[int, np.ndarray]]:
    """Propose simpler arrays, one at a time, each made of what the list holds by then."""
    for index, array in enumerate(arrays):
        if array.dtype.kind == "f":
            yield index, np.zeros_like(array)
            yield index, np.asarray(np.rint(np.nan_to_num(array)))
    for index in range(len(arrays)):
        if arrays[index].dtype.kind != "f":
            continue
        for at in np.ndindex(arrays[index].shape):
            for value in (0.0, 1.0):
                if arrays[index][at] in (0.0, value):
                    continue
                simpler = np.array(arrays[index])
                simpler[at] = value
                yield index, simpler
