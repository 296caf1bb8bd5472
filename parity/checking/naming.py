"""Naming a mistake: the catalogue's broken layers, held beside a failing one on the same cases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import registry
from ..compare import agree
from ..laws import Law
from ..mistakes import CATALOGUE, Planted, constructor
from ..pair import Case, Pair
from .evidence import Answers, answers
from .search import failure
from .watch import Watch

LEAST = 3
"""On how many cases a layer must be wrong for its mistake to be named: fewer may agree by chance."""


@dataclass(frozen=True)
class Named:
    """What explains a failure.

    Attributes
    ----------
    mistakes : tuple of tuple of str
        Each a mistake, or two together, in words, that behaves in every case as the layer does.
    cases, wrong : int
        On how many cases they were compared, those of all laws together, and on how many the layer is wrong.
    """

    mistakes: tuple[tuple[str, ...], ...]
    cases: int
    wrong: int


def name_mistake(
    pair: Pair, cases: Sequence[Case], failed: Sequence[tuple[Law, Sequence[Case]]], watch: Watch
) -> Named:
    """Look for mistakes that explain all that a layer does.

    Parameters
    ----------
    pair : Pair
        The layer beside PyTorch's.
    cases : sequence of Case
        On these the answers are compared.
    failed : sequence of (Law, sequence of Case)
        The laws that it breaks, each with cases, on some of which it does: an explanation breaks it on the same.
    watch : Watch
        Limits the time that the layer may take for one case.
    """
    golden = registry.ALL[pair.name]
    cases, mine, wrong = _compared(pair, golden, cases, watch)
    order = sorted(range(len(cases)), key=lambda index: not wrong[index])  # where it is wrong, few agree with it
    broken = [[failure(law, pair, case, watch) is not None for case in tried] for law, tried in failed]
    telling = sum(wrong) + sum(map(sum, broken))
    compared = len(cases) + sum(map(len, broken))

    def explains(candidate: Pair) -> bool:
        return all(_equal(mine[i], answers(candidate, cases[i]), golden, cases[i]) for i in order) and all(
            (failure(law, candidate, case, watch) is not None) == fails
            for (law, tried), verdicts in zip(failed, broken, strict=True)
            for case, fails in zip(tried, verdicts, strict=True)
        )

    known = [planted for planted in CATALOGUE if planted.row == pair.name] if telling >= LEAST else []
    for candidates in (_single(known), _pairs(known)):
        found = {
            frozenset(words): words
            for words, ours in candidates
            if explains(replace(golden, ours=ours, strict=pair.strict, differentiable=pair.differentiable))
        }
        if found:
            return Named(tuple(found.values()), compared, telling)
    return Named((), compared, telling)


def _compared(
    pair: Pair, golden: Pair, cases: Sequence[Case], watch: Watch
) -> tuple[list[Case], list[Answers], list[bool]]:
    """Return cases, the layer's answers to them, and where they are wrong."""
    rows = []
    for case in cases:
        with watch():
            mine = answers(pair, case)
        rows.append((case, mine, not _equal(mine, answers(golden, case), golden, case)))
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def _equal(mine: Answers, other: Answers, golden: Pair, case: Case) -> bool:
    """Tell whether two layers answer alike; what only the other has, a gradient perhaps, is not compared."""
    if mine.get("raises") != other.get("raises"):
        return False
    return all(name in other and _same(value, other[name], golden, case) for name, value in mine.items())


def _same(mine: Any, other: Any, golden: Pair, case: Case) -> bool:
    if not isinstance(mine, np.ndarray | np.generic) or not isinstance(other, np.ndarray | np.generic):
        return type(mine) is type(other)  # what is no array, or tells that it raised
    if mine.dtype.kind != "f":
        return bool(np.array_equal(mine, other))
    try:
        agree("", mine, np.asarray(other, np.float64), str(mine.dtype), 4 * golden.ulps)
    except AssertionError:
        return False
    return mine.dtype == other.dtype


def _single(known: Sequence[Planted]) -> Iterator[tuple[tuple[str, ...], Callable[..., Any]]]:
    for planted in known:
        yield (planted.bug,), planted.ours


def _pairs(known: Sequence[Planted]) -> Iterator[tuple[tuple[str, ...], Callable[..., Any]]]:
    """Put two mistakes into one layer, where that can be done."""
    for one, two in itertools.permutations(known, 2):
        try:
            both = type("Both", (one.kind, two.kind), {})
        except TypeError:
            continue
        yield (one.bug, two.bug), constructor(one.row, both)
