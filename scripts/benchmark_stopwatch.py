"""The stopwatch: sides that do the same work, compared before they are timed, and timed in turns."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
        Makes the sides, with their names; the first one is ours, the others are what it is measured by.
    tags : tuple of str
        The geometric means that the row takes part in.
    compared_runs : int
        After how many runs the results are compared.
    tolerance : float
        How far they may be apart, relative to the largest entry.
    proof : callable, optional
        Makes the sides that are compared, where these are not the ones that are timed: the same in float64, for
        what is not continuous. In float32 rounding moves rectifiers over their kink, and a gradient jumps.
    point : (str, int), optional
        Where the row stands in the picture: the column, and the abscissa.
    """

    name: str
    sides: Callable[[], Iterable[tuple[str, Side]]]
    tags: tuple[str, ...] = ()
    compared_runs: int = 1
    tolerance: float = 1e-4
    proof: Callable[[], Iterable[tuple[str, Side]]] | None = None
    point: tuple[str, int] | None = None

    def measure(self, clock: "Clock") -> "Measured":
        """Compare the sides, then time them."""
        row = Measured(self.name, "ms", self.tags, self.point)
        try:
            if self.proof:
                row.differences = compare(self.proof(), self.compared_runs, self.tolerance)
            sides = dict(self.sides())
            if clock.twice:
                sides |= {f"{name} again": side for name, side in self.sides()}
            if not self.proof:
                row.differences = compare(sides.items(), self.compared_runs, self.tolerance)
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


def compare(sides: Iterable[tuple[str, Side]], runs: int, tolerance: float) -> dict[str, float]:
    """Run all sides, one after the other, and hold their results to those of the first.

    Returns
    -------
    dict
        For each other side the largest difference, relative to the largest entry of the array that it is in.

    Raises
    ------
    DisagreementError
        If two sides differ by more than the tolerance, or in what they return at all.
    """
    ours: Results = {}
    differences = {}
    for name, side in sides:
        for _ in range(runs):
            side.run()
        theirs = side.results()
        if not ours:
            first, ours = name, theirs
            continue
        if ours.keys() != theirs.keys():
            raise DisagreementError(f"{first} returns {', '.join(ours)}, and {name} {', '.join(theirs)}")
        by_array = {key: difference(ours[key], theirs[key]) for key in ours}
        for key, value in by_array.items():
            if not value <= tolerance:
                raise DisagreementError(
                    f"{key} of {first} and {name} differ by {value:.2g} of the largest entry, "
                    f"more than the {tolerance:g} that rounding may explain"
                )
        differences[name] = max(by_array.values())
    return differences


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference relative to their largest entry; inf for other shapes, NaN and infinities."""
    if ours.shape != theirs.shape or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return np.inf
    largest, apart = np.abs(theirs).max(initial=0), np.abs(ours - theirs).max(initial=0)
    return float(apart / largest if largest else apart)
