"""Cases of optimizers and schedules."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ..pair import Case
from .pieces import Strategy, dtypes, seeds, shapes, some


@st.composite
def optimizer(draw: st.DrawFn, **options: Strategy[Any]) -> Case:
    """Options of an optimizer, for parameters of some shape."""
    kwargs = some(draw, lr=st.sampled_from([0.0, 1e-3, 0.5]), weight_decay=st.sampled_from([0.0, 0.1]), **options)
    if kwargs.get("nesterov"):
        kwargs |= {"momentum": 0.9, "dampening": 0}
    return Case(kwargs, draw(shapes(0, 3)), dtype=draw(dtypes), seed=draw(seeds))


@st.composite
def schedule(draw: st.DrawFn, **options: Strategy[Any]) -> Case:
    """Arguments of a learning-rate schedule; all those that are given are drawn."""
    return Case({name: draw(values) for name, values in options.items()}, ())
