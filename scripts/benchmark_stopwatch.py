"""The stopwatch: sides that do the same work, compared before they are timed, and timed in turns."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Results = dict[str, np.ndarray]
"""What came of a run, by names that all sides share."""


class Side:
    """One way to do a piece of work."""

    def run(self) -> None:
        """Do the work once, and keep what came of it."""
        raise NotImplementedError

    def results(self) -> Results:
        """Return what came of the last run."""
        raise NotImplementedError

    def settle(self) -> None:
        """Get ready for the clock, once the results are compared."""


@dataclass(frozen=True)
class Work:
    """A row of the table to come.

    Attributes
    ----------
    name : str
        What is done.
    sides : callable
        Makes the sides, by name; the first one is ours, the others are what it is measured by.
    tags : tuple of str
        The geometric means that the row takes part in.
    compared_runs : int
        After how many runs the results are compared.
    tolerance : float
        How far they may be apart, relative to the largest entry.
    as_a_whole : bool
        Whether that is said of an array as a whole: of its length, as a vector, in place of each entry.
    point : (str, int), optional
        Where the row stands in the picture: the column, and the abscissa.
    """

    name: str
    sides: Callable[[], dict[str, Side]]
    tags: tuple[str, ...] = ()
    compared_runs: int = 1
    tolerance: float = 1e-4
    as_a_whole: bool = False
    point: tuple[str, int] | None = None

    def measure(self, clock: "Clock") -> "Measured":
        """Compare the sides, then time them."""
        sides = self.sides()
        if clock.twice:
            sides |= {f"{name} again": side for name, side in self.sides().items()}
        row = Measured(self.name, "ms", self.tags, self.point)
        try:
            row.differences = compare(
                sides, self.compared_runs, self.tolerance, np.linalg.norm if self.as_a_whole else largest
            )
        except DisagreementError as error:
            row.failure = str(error)
            return row
        row.blocks = {name: [1e3 * seconds for seconds in blocks] for name, blocks in clock.time(sides).items()}
        return row


@dataclass
class Measured:
    """A row of the table.

    Attributes
    ----------
    work : str
        What was done.
    unit : str
        What the numbers are: "ms" or "MB".
    tags : tuple of str
        The geometric means that the row takes part in.
    point : (str, int), optional
        Where the row stands in the picture: the column, and the abscissa.
    blocks : dict
        For each side, ours first, a number for each round.
    differences : dict
        How far the results of each other side were from ours, relative to the largest entry.
    failure : str
        Why there are no numbers; empty if there are.
    others : float, optional
        How many cores other processes kept busy meanwhile, where that is known.
    """

    work: str
    unit: str
    tags: tuple[str, ...] = ()
    point: tuple[str, int] | None = None
    blocks: dict[str, list[float]] = field(default_factory=dict)
    differences: dict[str, float] = field(default_factory=dict)
    failure: str = ""
    others: float | None = None

    def median(self, side: str) -> float:
        """Return the median of a side's rounds."""
        return float(np.median(self.blocks[side]))

    def pairs(self) -> list[tuple[str, str]]:
        """List who is measured by whom: the first side by each other; each side by itself where it is there twice."""
        if not self.blocks:
            return []
        first, *others = self.blocks
        twice = [(name, f"{name} again") for name in self.blocks if f"{name} again" in self.blocks]
        return twice or [(first, other) for other in others]

    def ratios(self, side: str, rival: str) -> np.ndarray:
        """Return the ratio of two sides in each round."""
        return np.array(self.blocks[side]) / np.array(self.blocks[rival])

    def as_dict(self) -> dict[str, Any]:
        """Return all that is known, for JSON."""
        medians = {side: self.median(side) for side in self.blocks}
        ratios = [
            {"of": side, "to": rival, "median": float(np.median(r)), "least": float(r.min()), "most": float(r.max())}
            for side, rival in self.pairs()
            for r in [self.ratios(side, rival)]
        ]
        return vars(self) | {"medians": medians, "ratios": ratios}


@dataclass(frozen=True)
class Clock:
    """How the sides take turns.

    In each round every side has a block of its own: first it runs unwatched until it is warm, then
    by the clock. Warm means that its data is in the cache again and that the threads of the side
    before, which spin for a while in the hope of more work, sleep. Every other round goes through
    the sides backwards, so that a machine that slows down slows all alike.

    Attributes
    ----------
    rounds : int
        How many blocks each side has.
    seconds : float
        How long a block lasts at least; it holds at least one run.
    warm : float
        How long a side runs before each block at least; once at least.
    twice : bool
        Whether every side is there twice and is measured by itself, which shows what the numbers are worth.
    tick : callable
        Called after each block.
    """

    rounds: int
    seconds: float
    warm: float
    twice: bool = False
    tick: Callable[[], Any] = lambda: None

    def time(self, sides: Mapping[str, Side]) -> dict[str, list[float]]:
        """Return the seconds of a run, for each side and round: the mean of a block."""
        for side in sides.values():
            side.settle()
        gc.collect()
        gc.freeze()  # what was there before need not be looked through again and again while the clock runs
        blocks: dict[str, list[float]] = {name: [] for name in sides}
        for turn in self._turns(list(sides)):
            run_for(self.warm, sides[turn])
            blocks[turn].append(run_for(self.seconds, sides[turn]))
            self.tick()
        gc.unfreeze()
        return blocks

    def _turns(self, names: Sequence[str]) -> Iterator[str]:
        for index in range(self.rounds):
            yield from names if index % 2 == 0 else reversed(names)


def run_for(seconds: float, side: Side) -> float:
    """Run a side again and again for so long, once at least; return the seconds of one run."""
    runs, elapsed = 0, 0.0
    start = time.perf_counter()
    while elapsed < seconds or not runs:
        side.run()
        runs += 1
        elapsed = time.perf_counter() - start
    return elapsed / runs


class DisagreementError(Exception):
    """Two sides did not do the same; the text says where they differ."""


def largest(x: np.ndarray) -> float:
    """Return the largest entry, its sign left out."""
    return float(np.abs(x).max(initial=0))


def compare(
    sides: Mapping[str, Side], runs: int, tolerance: float, size: Callable[[np.ndarray], Any] = largest
) -> dict[str, float]:
    """Run all sides and hold their results to those of the first.

    Returns
    -------
    dict
        For each other side the largest difference, relative to the size of the array that it is in.

    Raises
    ------
    DisagreementError
        If two sides differ by more than the tolerance, or in what they return at all.
    """
    ours: Results = {}
    differences = {}
    for name, side in sides.items():
        for _ in range(runs):
            side.run()
        theirs = side.results()
        if not ours:
            first, ours = name, theirs
            continue
        if ours.keys() != theirs.keys():
            raise DisagreementError(f"{first} returns {', '.join(ours)}, and {name} {', '.join(theirs)}")
        by_array = {key: difference(ours[key], theirs[key], size) for key in ours}
        for key, value in by_array.items():
            if not value <= tolerance:
                what = "largest entry" if size is largest else "whole"
                raise DisagreementError(
                    f"{key} of {first} and {name} differ by {value:.2g} of the {what}, "
                    f"more than the {tolerance:g} that rounding may explain"
                )
        differences[name] = max(by_array.values())
    return differences


def difference(ours: np.ndarray, theirs: np.ndarray, size: Callable[[np.ndarray], Any] = largest) -> float:
    """Return the size of the difference relative to that of theirs; inf for other shapes, NaN and infinities."""
    if ours.shape != theirs.shape or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return np.inf
    whole, apart = size(theirs.ravel()), size((ours - theirs).ravel())
    return float(apart / whole if whole else apart)
