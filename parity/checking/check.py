"""Hold any layer to the laws: is it right; if not, on which smallest case; and what is the mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any

import torch
from hypothesis.strategies import SearchStrategy

from .. import laws
from ..laws import Law
from ..measure import draw_cases
from ..pair import VALUES, Case
from .adapter import Adapter
from .naming import Named, name_mistake
from .report import render
from .search import Search, failure
from .subject import Subject, subject
from .watch import Watch, watched


@dataclass(frozen=True)
class Outcome:
    """What came of one law.

    Attributes
    ----------
    law : Law
        The law.
    count : int
        On how many cases it was tried.
    case : Case or None
        The smallest on which it fails.
    error : Exception or None
        How.
    """

    law: Law
    count: int
    case: Case | None = None
    error: Exception | None = None


@dataclass
class Report:
    """What is known of a layer; its ``str`` is for people.

    Attributes
    ----------
    subject : Subject
        The layer.
    outcomes : list of Outcome
        One for each law.
    named : Named or None
        What explains the failures; None if there are none, or if the layer does not even answer in time.
    watch : Watch
        Limits the time that the layer may take when its answers are shown.
    """

    subject: Subject
    watch: Watch
    outcomes: list[Outcome] = field(default_factory=list)
    named: Named | None = None

    @property
    def passed(self) -> bool:
        """Whether every law holds."""
        return not self.failures

    @property
    def failures(self) -> list[Outcome]:
        """The laws that fail."""
        return [outcome for outcome in self.outcomes if outcome.error is not None]

    def __str__(self) -> str:
        return render(self)


class Examination:
    """A layer, ready to be held to one law after the other.

    Parameters
    ----------
    kind : type
        The class: a subclass of ours, or any other.
    like : str
        The row of the registry that it is held against: ``"Conv2d"``.
    adapter : Adapter, optional
        Its conventions, if they are not ours.
    cases : int
        How many cases a law; of those in ``laws.MORE`` more.
    seed : int
        The same seed draws the same cases.
    limit : float
        Seconds that the layer may take for one case.
    fatal : bool
        Whether the process ends where the layer does not hear that its time is over.

    Raises
    ------
    ValueError, TypeError
        If there is no such row, the class is none, or the adapter does not fit it.
    """

    def __init__(
        self,
        kind: type,
        like: str,
        adapter: Adapter | None = None,
        cases: int = 100,
        seed: int = 0,
        limit: float = 10.0,
        fatal: bool = False,
    ):
        if cases < 1:
            raise ValueError(f"parity.check: expected at least one case, got {cases}")
        if not limit > 0:
            raise ValueError(f"parity.check: expected a limit of more than 0 seconds, got {limit}")
        self.count, self.seed, self.watch = cases, seed, partial(watched, limit, fatal)
        self.subject = subject(kind, like, adapter)
        self.report = Report(self.subject, self.watch)

    def hold(self, law: Law) -> Outcome:
        """Hold the layer to a law; what came of it stands in the report too."""
        cases = self._cases(law)
        search = self._search(law, cases)
        if search.case is not None and search.case.values == "corners":
            finite = self._search(law, cases.map(tamed("large")))  # what fails without NaN tells more
            search = search if finite.case is None else finite
        outcome = Outcome(law, search.count, search.case, search.error)
        self.report.outcomes.append(outcome)
        return outcome

    def name(self) -> None:
        """Look for the mistake that explains the failures."""
        failures = self.report.failures
        if not failures or any(isinstance(outcome.error, TimeoutError) for outcome in failures):
            return
        numbers = [outcome for outcome in failures if outcome.law in NUMBERS]
        compared = [case for outcome in numbers for case in self._telling(outcome)]
        # a foreign layer may refuse more than ours, which says nothing of its mistake: only where nothing else tells
        silent = {laws.refusals} if numbers and not self.subject.pair.strict else set()
        others = [(each.law, self._telling(each)) for each in failures if each.law not in {*NUMBERS, *silent}]
        if not numbers:
            compared = list(islice(self._draw(laws.forward, "normals"), COMPARED))
        self.report.named = name_mistake(self.subject.pair, compared, others, self.watch)

    def _telling(self, outcome: Outcome) -> list[Case]:
        """Return cases on which a law that fails is likely to fail again, until it has often enough, and others."""
        assert outcome.case is not None
        told = [outcome.case]
        wrong = 1
        for case in self._draw(outcome.law, outcome.case.values):
            told.append(case)
            wrong += failure(outcome.law, self.subject.pair, case, self.watch) is not None
            if wrong > ENOUGH and len(told) > COMPARED:
                break
        return told

    def _draw(self, law: Law, values: str) -> Iterator[Case]:
        """Draw cases for a law, with values no wilder than these; the rest of them only once the first are used up."""
        pair = replace(self.subject.pair, cases=self._cases(law).map(tamed(values)))
        most = self._count(law, MOST)
        yield from draw_cases(pair, min(COMPARED, most), self.seed)
        yield from draw_cases(pair, most, self.seed + 1)

    def _count(self, law: Law, cases: int) -> int:
        """Return how many cases it takes for this law, if so many for others."""
        return max(1, cases * laws.MORE.get(law, 1) // self.subject.pair.cost)

    def _search(self, law: Law, cases: SearchStrategy[Case]) -> Search:
        return Search(law, self.subject.pair, cases, self._count(law, self.count), self.seed, self.watch)

    def run(self) -> Iterator[Outcome]:
        """Hold the layer to every law, then name the mistake."""
        torch.set_num_threads(1)
        for law in self.subject.laws:
            yield self.hold(law)
        self.name()

    def _cases(self, law: Law) -> SearchStrategy[Case]:
        """Return the cases for a law; in float64 alone once it is known that float32 does not last."""
        pair = self.subject.pair
        cases = pair.wild if law is laws.refusals and pair.wild is not None else pair.cases
        widens = any(outcome.law is laws.dtype for outcome in self.report.failures)
        return cases.map(lambda case: replace(case, dtype="float64")) if widens and law is not laws.dtype else cases


NUMBERS = (laws.dtype, laws.forward, laws.backward)
"""The laws whose failures show in the answers themselves."""

ENOUGH, COMPARED, MOST = 6, 48, 100
"""A failing layer is compared with the catalogue on so many cases where it is wrong, and so many in all; of so many."""


def tamed(kind: str) -> Callable[[Case], Case]:
    """Return what gives cases whose values are wilder than this kind values of this kind."""
    tame = VALUES[: max(2, VALUES.index(kind) + 1)]
    return lambda case: case if case.values in tame else replace(case, values=kind)


def law_tests(kind: type, like: str, adapter: Adapter | None = None, **options: Any) -> type:
    """Make a class of tests of a layer, one a law, for pytest to collect.

    Parameters
    ----------
    kind, like, adapter, **options
        As of `Examination`.

    Returns
    -------
    type
        Give it a name that pytest collects: ``TestMine = law_tests(Mine, "Conv2d")``.

    Examples
    --------
    >>> import numpycnn as nc
    >>> from parity import law_tests
    >>> TestReLU = law_tests(nc.ReLU, "ReLU", cases=5)
    >>> TestReLU().test_forward()
    """
    chosen = subject(kind, like, adapter)

    def test(law: Law) -> Callable[[Any], None]:
        def holds(self: Any) -> None:
            examination = Examination(kind, like, adapter, **options)
            outcome = examination.hold(law)
            examination.name()
            assert outcome.error is None, f"\n\n{examination.report}"

        holds.__doc__ = law.__doc__
        return holds

    methods = {f"test_{law.__name__}": test(law) for law in chosen.laws}
    return type(f"Test{kind.__name__}", (), {"__module__": kind.__module__, **methods})


def check(kind: type, like: str, adapter: Adapter | None = None, **options: Any) -> Report:
    """Hold a layer to all laws that apply to it.

    Parameters
    ----------
    kind, like, adapter, **options
        As of `Examination`.

    Returns
    -------
    Report
        Print it; ``report.passed`` says whether all is well.

    Examples
    --------
    >>> import numpycnn as nc
    >>> from parity import check
    >>> check(nc.ReLU, "ReLU", cases=5).passed
    True
    """
    examination = Examination(kind, like, adapter, **options)
    for _ in examination.run():
        pass
    return examination.report
