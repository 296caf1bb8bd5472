"""Cases of layers that move numbers about or take parts of an array."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from ..pair import Case
from .pieces import Strategy, common, shapes, some


@st.composite
def flatten(draw: st.DrawFn) -> Case:
    """Runs of axes, folded; the batch too where the arguments say so."""
    shape = draw(shapes())
    axes = len(shape)
    kwargs = {}
    start = 1 if axes > 1 else 0
    if axes == 1 or draw(st.booleans()):
        start = draw(st.integers(0, axes - 1))
        kwargs["start_dim"] = draw(st.sampled_from([start, start - axes]))
    if draw(st.booleans()):
        stop = draw(st.integers(start, axes - 1))
        kwargs["end_dim"] = draw(st.sampled_from([stop, stop - axes]))
    return Case(kwargs, shape, batched=start > 0, **common(draw))


@st.composite
def unflatten(draw: st.DrawFn) -> Case:
    """Axes cut into up to three, of which one may be left open."""
    shape = list(draw(shapes()))
    dim, sizes = draw(st.integers(0, len(shape) - 1)), list(draw(shapes(1, 3)))
    shape[dim] = math.prod(sizes)
    kwargs = {"dim": draw(st.sampled_from([dim, dim - len(shape)])), "unflattened_size": _open(draw, sizes)}
    return Case(kwargs, tuple(shape), batched=dim > 0, **common(draw))


@st.composite
def reshape(draw: st.DrawFn) -> Case:
    """Any shape of as many numbers, one side of which may be left open; samples may mix."""
    shape = draw(shapes(0))
    sides = draw(st.permutations(shape))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(sides)))
        if draw(st.booleans()):
            sides[place:place] = [1]
        else:
            sides[place : place + 2] = [math.prod(sides[place : place + 2])]
    return Case({"shape": _open(draw, sides)}, shape, batched=False, **common(draw))


@st.composite
def unsqueeze(draw: st.DrawFn) -> Case:
    """Axes put in anywhere, counted from either end."""
    shape = draw(shapes(0))
    dim = draw(st.integers(0, len(shape)))
    kwargs = {"dim": draw(st.sampled_from([dim, dim - len(shape) - 1]))}
    return Case(kwargs, shape, batched=dim > 0 and len(shape) > 0, **common(draw))


@st.composite
def squeeze(draw: st.DrawFn) -> Case:
    """Axes of length 1, or longer ones, counted from either end."""
    shape = list(draw(shapes()))
    dim = draw(st.integers(0, len(shape) - 1))
    shape[dim] = draw(st.sampled_from([1, 1, shape[dim]]))
    kwargs = {"dim": draw(st.sampled_from([dim, dim - len(shape)]))}
    return Case(kwargs, tuple(shape), batched=dim > 0, **common(draw))


@st.composite
def pad(draw: st.DrawFn) -> Case:
    """Borders along some of the last axes, sometimes negative ones; something is always left."""
    shape = draw(shapes())
    borders: list[int] = []
    for side in reversed(shape[draw(st.integers(0, len(shape))) :]):
        before = draw(st.integers(1 - side, 2))
        borders += [before, draw(st.integers(1 - side - min(before, 0), 2))]
    kwargs = {"pad": tuple(borders), **some(draw, value=st.sampled_from([-1.0, 0.0, 3.0]))}
    return Case(kwargs, shape, batched=len(borders) < 2 * len(shape), **common(draw))


@st.composite
def select(draw: st.DrawFn) -> Case:
    """One place of one axis, both counted from either end."""
    kwargs, shape, dim = _along(draw)
    kwargs["index"] = draw(st.integers(-shape[dim], shape[dim] - 1))
    return Case(kwargs, shape, batched=dim > 0, **common(draw))


@st.composite
def slices(draw: st.DrawFn) -> Case:
    """Slices of one axis; they may reach beyond it, or take nothing."""
    kwargs, shape, dim = _along(draw)
    kwargs |= some(draw, start=st.integers(-6, 6), end=st.integers(-6, 6) | st.none(), step=st.integers(1, 3))
    return Case(kwargs, shape, batched=dim > 0, **common(draw))


@st.composite
def chunk(draw: st.DrawFn) -> Case:
    """One of up to four parts of an axis, which may be left shorter."""
    kwargs, shape, dim = _along(draw)
    chunks = draw(st.integers(1, 4))
    there = math.ceil(shape[dim] / math.ceil(shape[dim] / chunks))
    kwargs |= {"chunks": chunks, "index": draw(st.integers(0, there - 1))}
    if dim == 0 and draw(st.booleans()):
        del kwargs["dim"]
    return Case(kwargs, shape, batched=dim > 0, **common(draw))


@st.composite
def mean(draw: st.DrawFn, **options: Strategy[Any]) -> Case:
    """Means over one or two axes, counted from either end."""
    shape = draw(shapes())
    axes = len(shape)
    dims = draw(st.lists(st.integers(0, axes - 1), min_size=1, max_size=2, unique=True))
    ends = tuple(draw(st.sampled_from([dim, dim - axes])) for dim in dims)
    dim = ends[0] if len(ends) == 1 and draw(st.booleans()) else ends
    apart = 0 not in dims
    return Case({"dim": dim, **some(draw, **options)}, shape, batched=apart, independent=apart, **common(draw))


def _along(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[int, ...], int]:
    """Draw an axis, as an argument; return the shape and the axis too."""
    shape = draw(shapes())
    dim = draw(st.integers(0, len(shape) - 1))
    return {"dim": draw(st.sampled_from([dim, dim - len(shape)]))}, shape, dim


def _open(draw: st.DrawFn, sizes: list[int]) -> tuple[int, ...]:
    """Leave one of the sizes open, or none."""
    place = draw(st.integers(0, len(sizes)))
    return tuple(-1 if index == place else size for index, size in enumerate(sizes))


@st.composite
def permute(draw: st.DrawFn) -> Case:
    """Axes in every order, counted from either end; the batch goes first again more often than not."""
    shape = draw(shapes(0))
    axes = list(range(len(shape)))
    first = axes[:1] if draw(st.booleans()) else []
    order = first + draw(st.permutations(axes[len(first) :]))
    apart = order[:1] == [0]
    dims = [draw(st.sampled_from([axis, axis - len(shape)])) for axis in order]
    return Case({"dims": dims}, shape, batched=apart, independent=apart, **common(draw))


@st.composite
def channel_shuffle(draw: st.DrawFn) -> Case:
    """Groups of channels, dealt; groups of one channel, and one group, among them."""
    groups = draw(st.integers(1, 4))
    batch, *rest = draw(shapes(2, 4))
    return Case({"groups": groups}, (batch, groups * draw(st.integers(1, 4)), *rest), **common(draw))
