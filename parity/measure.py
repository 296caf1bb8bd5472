"""How far apart the two sides are, measured: ours in float32 and float64, torch in float32, all against the judge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import hypothesis
import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings

from . import bridge, registry
from .compare import distance, named, scale
from .laws import Law, check, rates, steps
from .pair import Case, Pair
from .run import Run

LEAST = 0.01
"""Errors below this many units count as this many in the ratio: both sides are right to the last bit."""


@dataclass
class Errors:
    """The largest error of a side so far, in units of eps x largest reference entry; and of each case."""

    forward: float = 0.0
    backward: float = 0.0
    cases: list[float] = field(default_factory=list)

    def add(self, forward: float, backward: float) -> None:
        """Take one more case."""
        self.forward, self.backward = max(self.forward, forward), max(self.backward, backward)
        self.cases.append(max(forward, backward))


@dataclass
class Measured:
    """One row of the table.

    Attributes
    ----------
    name : str
        The row.
    cases : int
        How many cases were run.
    ours64, ours32, torch32 : Errors
        The errors of ours in float64 and float32, and of torch in float32; of no cases for what has no such passes.
    allowed : float
        The pair's tolerance, in the same units.
    exact : bool
        Whether on whole numbers every bit must agree.
    failure : str
        What went wrong first; empty if nothing did.
    """

    name: str
    cases: int
    allowed: float
    exact: bool
    ours64: Errors = field(default_factory=Errors)
    ours32: Errors = field(default_factory=Errors)
    torch32: Errors = field(default_factory=Errors)
    failure: str = ""

    @property
    def ratio(self) -> float | None:
        """The geometric mean, over the cases, of our float32 error by torch's; below 1 ours is nearer the truth."""
        pairs = zip(self.ours32.cases, self.torch32.cases, strict=True)
        logs = [math.log(max(ours, LEAST) / max(theirs, LEAST)) for ours, theirs in pairs]
        return math.exp(sum(logs) / len(logs)) if logs else None

    @property
    def verdict(self) -> str:
        """What the row comes to, in a word."""
        return "FAILS" if self.failure else "equal" if self.exact else "agrees"

    def as_dict(self) -> dict[str, Any]:
        """Return all that is known, for JSON."""
        return asdict(self) | {"ratio": self.ratio, "verdict": self.verdict}


def draw_cases(pair: Pair, count: int, seed: int) -> list[Case]:
    """Draw cases of a row; the same seed gives the same."""
    cases: list[Case] = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(pair.cases)
    def collect(case: Case) -> None:
        cases.append(case)

    collect()
    return cases


def number_of_cases(pair: Pair, count: int) -> int:
    """Return how many cases a row gets where an ordinary one gets so many: five at least, if there are."""
    return min(count, max(5, count // pair.cost))


def measure(pair: Pair, count: int, seed: int) -> Iterator[Measured]:
    """Run a row on its cases, fewer of them the more each costs; yield the row as it stands after each."""
    row = Measured(pair.name, 0, pair.ulps, pair.exact is not None)
    tables: list[tuple[dict[str, Pair], Law]] = [(registry.OPTIMIZERS, steps), (registry.SCHEDULES, rates)]
    law = next((law for table, law in tables if pair.name in table), None)
    for case in draw_cases(pair, number_of_cases(pair, count), seed):
        row.cases += 1
        try:
            if law is not None:
                check(law, pair, case)
            else:
                _measure_case(row, pair, case)
        except AssertionError as error:
            row.failure = row.failure or str(error)
        yield row


def _measure_case(row: Measured, pair: Pair, case: Case) -> None:
    """Hold one case to the tolerance as it was drawn, then measure it on normals, which round everywhere."""
    check(forward_and_backward, pair, case)
    for errors, dtype in ((row.ours64, "float64"), (row.ours32, "float32")):
        run = Run(pair, replace(case, values="normals", dtype=dtype))
        run.backward()
        outputs = [run.outputs[name] for name in run.their_differentiable()]
        errors.add(*_errors(run, outputs, [run.dx, *(ours for ours, _ in run.gradients().values())]))
    row.torch32.add(*_torch_errors(run))


def forward_and_backward(pair: Pair, case: Case) -> None:
    """The output and all gradients are PyTorch's."""
    run = Run(pair, case)
    run.agree_forward()
    run.backward()
    run.agree_backward()


def _torch_errors(run: Run) -> tuple[float, float]:
    """Run torch in float32 on what the judge ran on; with equal seeds both drop the same."""
    module = run.pair.theirs(**run.case.kwargs).float().train(run.case.training)
    bridge.to_torch(bridge.twins(run.pair, run.case)[0], module)
    x = run.their_x.detach().float().requires_grad_()
    extra = [target.float() if target.is_floating_point() else target for target in map(bridge.tensor, run.extra)]
    torch.manual_seed(run.case.seed)
    outputs = named(module(x, *extra))
    ys = [outputs[name] for name in run.their_differentiable()]
    torch.autograd.backward(ys, [bridge.tensor(dy).float() for dy in run.dys])
    gradients = [x.grad, *(p.grad for name, p in module.named_parameters() if name in run.gradients())]
    return _errors(run, map(bridge.array, ys), map(bridge.array, gradients))


def _errors(run: Run, outputs: Iterable[np.ndarray], gradients: Iterable[np.ndarray]) -> tuple[float, float]:
    """Measure outputs and gradients by the judge's: the worst error of each."""
    judges = [run.their_x.grad, *(theirs for _, theirs in run.gradients().values())]
    return _worst(run, outputs, run.their_differentiable().values()), _worst(run, gradients, judges)


def _worst(run: Run, results: Iterable[np.ndarray], judges: Iterable[torch.Tensor]) -> float:
    eps = float(np.finfo(run.case.dtype).eps)
    return max(
        float(distance(np.asarray(result), judge).max(initial=0)) / (eps * scale(judge))
        for result, judge in zip(results, map(bridge.array, judges), strict=True)
    )
