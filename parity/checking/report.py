"""What is said of a layer: per law that it holds or the smallest case on which it does not, and what the mistake is."""

from __future__ import annotations

import contextlib
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .. import laws
from ..compare import wrong_entries
from ..pair import Case
from .evidence import Evidence, gather
from .foreign import Foreign
from .naming import Named
from .search import place
from .subject import Subject
from .text import literal, side_by_side, tensor
from .watch import Watch

if TYPE_CHECKING:
    from .check import Outcome, Report

WIDTH = 110
CHANGES = {
    laws.empty_batch: lambda case: replace(case, shape=(0, *case.shape[1:])),
    laws.samples: lambda case: replace(case, training=False),
    laws.buffers: lambda case: replace(case, training=True),
}
"""What these laws change in a case before they run it."""


def render(report: Report) -> str:
    """Return the report as text."""
    subject = report.subject
    lines = [f"{subject.kind.__name__}, held against PyTorch's {subject.pair.name}:", ""]
    width = max(len(outcome.law.__name__) for outcome in report.outcomes)
    first: dict[tuple[type, str], Outcome] = {}
    for outcome in report.outcomes:
        line = f"  {outcome.law.__name__:{width}}  "
        if outcome.error is None:
            lines.append(f"{line}holds   {outcome.count} case{'s' * (outcome.count != 1)}")
            continue
        before = first.setdefault(place(outcome.error), outcome)
        alike = "" if before is outcome else f", as {before.law.__name__} does"
        odd = ", of NaN or infinities" if outcome.case is not None and outcome.case.values == "corners" else ""
        lines.append(f"{line}FAILS   on case {outcome.count}{odd}{alike}")
    if subject.untried:
        takes = f"Not tried, since {subject.kind.__name__} takes no such argument: {', '.join(subject.untried)}."
        lines += ["", *textwrap.wrap(takes, WIDTH)]
    for outcome in first.values():
        lines += ["", *tell(subject, outcome, report.watch)]
    if report.named is not None:
        lines += ["", *textwrap.wrap(sentence(report.named, subject), WIDTH)]
    return "\n".join(lines)


def sentence(named: Named, subject: Subject) -> str:
    """Say what the mistake is, or that it is none that is known."""
    row = subject.pair.name
    if not named.mistakes:
        return f"The mistake has no name: no known mistake in {row}, nor two of them together, behaves like this."
    words = ["; and ".join(mistakes) for mistakes in named.mistakes[:3]]
    return (
        f"It behaves exactly like {row} with this mistake: {'. Or: '.join(words)}. "
        f"({named.cases} cases compared, {named.wrong} of them wrong.)"
    )


def tell(subject: Subject, outcome: Outcome, watch: Watch) -> list[str]:
    """Show how a law fails: in words, on a case to paste, in both sides' answers, and in PyTorch alone."""
    assert outcome.case is not None
    lines = textwrap.wrap(f"{outcome.law.__name__}: {outcome.law.__doc__}", WIDTH)
    words = str(outcome.error).partition("\nexpected\n")[0]
    lines += ["", *(f"    {line}" for line in textwrap.wrap(f"{_kind(outcome)}{words}", WIDTH - 4))]
    call = constructor_call(subject, outcome.case)
    if outcome.law in (laws.refusals, laws.state):
        return [*lines, "", f"The smallest case found: {call}, given x of shape {outcome.case.shape}."]
    case = CHANGES.get(outcome.law, lambda case: case)(outcome.case)
    evidence = gather(subject.pair, case, watch)
    back = outcome.law not in (laws.forward, laws.buffers, laws.samples)
    lines += ["", "The smallest case found:", "", *_indented(to_paste(subject, case, evidence, back))]
    differ = both_answers(subject, case, evidence, back)
    lines += ["", *_indented(differ)] if differ else []
    return [*lines, "", "In PyTorch alone:", "", *_indented(in_torch(subject, case, evidence, back))]


def _kind(outcome: Outcome) -> str:
    return "" if isinstance(outcome.error, AssertionError) else f"{type(outcome.error).__name__}: "


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}".rstrip() for line in lines]


def constructor_call(subject: Subject, case: Case) -> str:
    """Spell the call of the layer's constructor, in its own words."""
    kwargs = case.kwargs
    if subject.adapter is not None:
        with contextlib.suppress(Exception):  # where it refuses, what it was asked for is PyTorch's words
            kwargs = subject.pair.ours(**case.kwargs).arguments
    return f"{subject.kind.__name__}({', '.join(f'{name}={value!r}' for name, value in kwargs.items())})"


def to_paste(subject: Subject, case: Case, evidence: Evidence, back: bool) -> list[str]:
    """Write Python that builds the layer and the arrays of a case, laid out as the layer has them."""
    lines = [f"layer = {constructor_call(subject, case)}"]
    if subject.adapter is None:
        if evidence.state:
            lines.append("layer.load_state_dict({")
            lines += [f"    {name!r}: {literal(value)}," for name, value in evidence.state.items()]
            lines.append("})")
        x, dys = evidence.x, evidence.dys
    else:
        layer = subject.pair.ours(**case.kwargs)
        assert isinstance(layer, Foreign)
        layer.to(case.dtype).load_state_dict(evidence.state)
        lines += [f"layer.{spot} = {literal(value)}" for spot, value in layer.laid_out()]
        x, dys = layer.images(evidence.x), [layer.images(dy) for dy in evidence.dys]
    lines.append(f"x = {literal(x)}")
    lines += [f"target = {literal(target)}" for target in evidence.targets]
    return [*lines, *([f"dy = {', '.join(map(literal, dys))}"] if back else [])]


def both_answers(subject: Subject, case: Case, evidence: Evidence, back: bool) -> list[str]:
    """Lay what PyTorch answers and what the layer answers side by side, where they differ."""
    lines: list[str] = []
    for name, expected in evidence.expected.items():
        got = evidence.got.get(name)
        if not back and (name == "dx" or name.startswith("gradient")):
            continue
        if not isinstance(got, np.ndarray | np.generic):
            continue
        got = np.asarray(got)
        if got.shape != expected.shape:
            lines += [f"{name}: expected shape {expected.shape}, got {got.shape}"]
            continue
        wrong = wrong_entries(got, expected, case.dtype, subject.pair.ulps)
        if wrong.any():
            lines += side_by_side(name, expected, got, wrong)
    return lines


def in_torch(subject: Subject, case: Case, evidence: Evidence, back: bool) -> list[str]:
    """Write Python that runs the case in PyTorch alone."""
    module = subject.pair.theirs(**case.kwargs)
    name, origin = type(module).__name__, type(module).__module__
    own = origin.startswith("torch.nn")
    lines = ["import torch", *([] if own else [f"from {origin} import {name}"]), ""]
    arguments = ", ".join(f"{key}={value!r}" for key, value in case.kwargs.items())
    lines.append(
        f"layer = {'torch.nn.' if own else ''}{name}({arguments}).double(){'' if case.training else '.eval()'}"
    )
    if evidence.state:
        lines.append("layer.load_state_dict({")
        lines += [f"    {key!r}: {tensor(value)}," for key, value in evidence.state.items()]
        lines.append("})")
    lines.append(f"x = {tensor(evidence.x)}{'.requires_grad_()' if back else ''}")
    lines += [f"target = {tensor(target)}" for target in evidence.targets]
    indices = ", _" if case.kwargs.get("return_indices") else ""
    lines.append(f"y{indices} = layer(x{', target' if evidence.targets else ''})")
    if not back:
        return [*lines, "print(y)"]
    if len(evidence.dys) == 1:
        lines.append(f"y.backward({tensor(evidence.dys[0])})")
    else:
        lines.append(f"torch.autograd.backward(y, [{', '.join(map(tensor, evidence.dys))}])")
    return [*lines, 'print(y, x.grad, *(p.grad for p in layer.parameters()), sep="\\n")']
