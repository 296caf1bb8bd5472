"""Cases of losses."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ..pair import Case
from .pieces import Strategy, common, shapes, some

REDUCTIONS = st.sampled_from(["sum", "none"])


@st.composite
def classification(draw: st.DrawFn, targets: tuple[str, ...] = ("indices",), **options: Strategy[Any]) -> Case:
    """Losses on classes: one sample, a batch, a batch of maps; weighted, with labels to ignore."""
    classes = draw(st.integers(1, 6))
    rest = draw(st.lists(st.integers(1, 3), max_size=2))
    batched = draw(st.booleans()) or bool(rest)
    shape = (draw(st.integers(1, 4)), classes, *rest) if batched else (classes,)
    target = draw(st.sampled_from(targets))
    kwargs = some(draw, reduction=REDUCTIONS, **options)
    if target == "indices":
        kwargs |= some(draw, ignore_index=st.integers(-2, classes))
    if draw(st.booleans()):
        weights = st.sampled_from([0.0, 0.25, 0.5, 1.0, 3.0])
        kwargs["weight"] = draw(st.lists(weights, min_size=classes, max_size=classes))
    independent = kwargs.get("reduction", "mean") == "none"
    return Case(kwargs, shape, target, batched=batched, independent=independent, **common(draw))


@st.composite
def regression(draw: st.DrawFn) -> Case:
    """Losses between arrays of equal shape."""
    shape = draw(shapes(0))
    kwargs = some(draw, reduction=REDUCTIONS)
    independent = kwargs.get("reduction", "mean") == "none"
    return Case(kwargs, shape, "values", batched=len(shape) > 0, independent=independent, **common(draw))
