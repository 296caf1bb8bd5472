"""The layer that is examined, as a row of its own: beside PyTorch's, with the cases and laws that it can be asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

import numpycnn as nc

from .. import laws, registry, wild
from ..laws import Law
from ..measure import draw_cases
from ..mistakes import constructor
from ..pair import Case, Pair
from ..rows.containers import CONTAINERS
from .adapter import Adapter, constructor_arguments, is_required
from .fit import Fit
from .foreign import Foreign, ForeignError

OUR_LAWS = (laws.dtype, *(law for law in laws.LAWS if law is not laws.dtype), laws.refusals)
"""The laws for layers with our contract; dtype first, since it says which dtypes the others can use."""

FOREIGN_LAWS = (
    *(laws.dtype, laws.forward, laws.backward, laws.buffers, laws.untouched),
    *(laws.memory_order, laws.empty_batch, laws.samples, laws.refusals),
)
"""The laws for layers that know nothing of our contract."""

ROWS = {name: pair for name, pair in registry.ROWS.items() if name not in CONTAINERS}
"""What a layer can be held against: all but containers, whose arguments are layers."""

ROOM = 8
"""How much more than ours a foreign layer may round: it may sum one number after the other."""

SAMPLE = 100
"""On how many cases a row is asked what arguments and parameters it has."""


@dataclass(frozen=True)
class Subject:
    """A layer under examination.

    Attributes
    ----------
    kind : type
        Its class.
    pair : Pair
        The layer beside PyTorch's.
    laws : tuple of Law
        Those that it can be asked.
    adapter : Adapter or None
        Its conventions; None if they are ours.
    untried : tuple of str
        Arguments of PyTorch's that it does not take.
    """

    kind: type
    pair: Pair
    laws: tuple[Law, ...]
    adapter: Adapter | None
    untried: tuple[str, ...]


def subject(kind: type, like: str, adapter: Adapter | None) -> Subject:
    """Make a row of a class.

    Raises
    ------
    ValueError, TypeError
        If there is no such row, the class is none, or the adapter does not fit it.
    """
    if not isinstance(kind, type):
        raise TypeError(f"parity.check: expected a class, got {kind!r}")
    if like not in ROWS:
        raise ValueError(f"parity.check: expected one of {', '.join(ROWS)} to hold it against, got {like!r}")
    row = ROWS[like]
    draws = draw_cases(row, SAMPLE, seed=0)
    if any(isinstance(layer, torch.nn.Dropout) for layer in row.theirs(**draws[0].kwargs).modules()):
        own = issubclass(kind, type(row.ours(**draws[0].kwargs)))
        if not own:
            raise ValueError(
                f"parity.check: expected a subclass of numpycnn.{like}, which can be told to drop what PyTorch "
                f"dropped, got {kind.__name__}, which draws random numbers of its own"
            )
    if issubclass(kind, nc.Module):
        if adapter is not None:
            raise ValueError(f"parity.check: expected no adapter for {kind.__name__}, which has our contract, got one")
        return _with_our_contract(kind, row, draws)
    return _foreign(kind, row, draws, adapter or Adapter())


def _with_our_contract(kind: type, row: Pair, draws: list[Case]) -> Subject:
    arguments = _arguments(draws)
    untried = [name for name in arguments if not Adapter().takes(kind, name)]
    pair = replace(row, ours=constructor(row.name, kind))
    if untried:
        fit = Fit(row, lambda name: name not in untried)
        cases = row.cases.map(fit)
        pair = replace(pair, cases=cases, wild=None if row.wild is None else wild.misfits(cases))
    return Subject(kind, pair, OUR_LAWS if row.wild is not None else OUR_LAWS[:-1], None, tuple(untried))


def _foreign(kind: type, row: Pair, draws: list[Case], adapter: Adapter) -> Subject:
    arguments = _arguments(draws)
    modules = [row.theirs(**case.kwargs) for case in draws]
    state = {name for module in modules for name in module.state_dict()}
    learned = {name for module in modules for name, _ in module.named_parameters()}
    always = dict(adapter.always)
    homeless = learned - set(adapter.parameters) - set(adapter.arguments)
    if "bias" in homeless and not adapter.takes(kind, "bias"):
        always["bias"] = False
        learned, state = learned - {"bias"}, state - {"bias"}
    adapter.check(kind, row.name, set(arguments), state, learned)
    arrays = state & set(adapter.arguments)  # the constructor wants these as arrays, not as options
    taken = {name for name in arguments if name not in arrays and name not in always and adapter.takes(kind, name)}
    taken -= {"return_indices"}
    needed = {name for name, each in constructor_arguments(row.ours).items() if is_required(each)}
    fit = Fit(row, (taken | needed).__contains__, always, adapter.square, foreign=True)
    if not _has_modes(kind, row, fit(draws[0]), adapter) and _mode_matters(row, draws):
        fit = replace(fit, modes=False)
    cases = row.cases.map(fit)
    asked = [law for law in FOREIGN_LAWS if law is not laws.backward or adapter.backward]
    if not (state - learned) & set(adapter.parameters):
        asked.remove(laws.buffers)
    if not fit.modes:
        asked.remove(laws.samples)  # which looks at evaluation
    if row.wild is None:
        asked.remove(laws.refusals)
    pair = replace(
        row,
        ours=lambda **kwargs: Foreign(kind, adapter, row, kwargs),
        cases=cases,
        wild=row.wild.map(fit) if row.wild is not None and draws[0].target else wild.misfits(cases),
        ulps=ROOM * row.ulps,
        strict=False,
        differentiable=bool(adapter.backward),
    )
    untried = [name for name in arguments if name not in taken | needed | arrays | set(always)]
    return Subject(kind, pair, tuple(asked), adapter, tuple(untried))


def _arguments(draws: list[Case]) -> list[str]:
    """List the arguments that a row's cases use."""
    return list(dict.fromkeys(name for case in draws for name in case.kwargs))


def _mode_matters(row: Pair, draws: list[Case]) -> bool:
    """Tell whether PyTorch's layer does something else in evaluation."""
    case = next(case for case in draws if np.prod(case.shape) > 0)
    x = torch.rand(case.shape, generator=torch.Generator().manual_seed(0))
    if case.target:
        return False
    outputs = [row.theirs(**case.kwargs).train(mode)(x) for mode in (True, False)]
    first, second = (y[0] if isinstance(y, tuple) else y for y in outputs)
    return isinstance(row.theirs(**case.kwargs), torch.nn.modules.batchnorm._NormBase) or not torch.equal(first, second)


def _has_modes(kind: type, row: Pair, case: Case, adapter: Adapter) -> bool:
    try:
        return hasattr(Foreign(kind, adapter, row, case.kwargs).own, "training")
    except ForeignError:
        return True
