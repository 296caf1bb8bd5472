"""Cases of layers on features, of norms, and of functions of each number."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from ..pair import Case
from .pieces import FINITE_OR_NAN, Strategy, common, image_shape, shapes, some

NOT_ALONE = st.tuples(st.integers(1, 4), st.integers(2, 4)) | st.tuples(st.integers(2, 4), st.integers(1, 4))


@st.composite
def linear(draw: st.DrawFn) -> Case:
    """Matrices on the last of one to four axes."""
    features = draw(st.integers(1, 6))
    kwargs = {"in_features": features, "out_features": draw(st.integers(1, 6)), **some(draw, bias=st.booleans())}
    shape = (*draw(st.lists(st.integers(1, 4), max_size=3)), features)
    return Case(kwargs, shape, batched=len(shape) > 1, **common(draw))


@st.composite
def elementwise(draw: st.DrawFn, **options: Strategy[Any]) -> Case:
    """Functions of single numbers, on arrays of any shape."""
    shape = draw(shapes(0))
    return Case(some(draw, **options), shape, batched=len(shape) > 0, **common(draw))


@st.composite
def prelu(draw: st.DrawFn) -> Case:
    """Learned slopes, one for all numbers or one a channel."""
    shape = draw(shapes(0))
    kwargs = some(draw, num_parameters=st.just(shape[1] if len(shape) > 1 else 1), init=st.sampled_from([0.0, -1.5]))
    return Case(kwargs, shape, batched=len(shape) > 0, **common(draw))


@st.composite
def along_axis(draw: st.DrawFn) -> Case:
    """Functions along one axis, counted from either end."""
    shape = draw(shapes())
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    apart = dim % len(shape) != 0
    return Case({"dim": dim}, shape, batched=len(shape) > 1 and apart, independent=apart, **common(draw))


@st.composite
def scale(draw: st.DrawFn) -> Case:
    """Learned factors that are repeated along some axes, or have fewer; none of them along the batch."""
    shape = draw(shapes())
    sides = shape[draw(st.integers(1, len(shape))) :]
    kwargs = {"shape": [draw(st.sampled_from([1, side])) for side in sides]}
    return Case(kwargs | some(draw, init=st.sampled_from([0.0, -1.5])), shape, **common(draw))


@st.composite
def images(draw: st.DrawFn, **options: Strategy[Any]) -> Case:
    """Layers that take images of any size, in a batch."""
    return Case(some(draw, **options), draw(shapes(4, 4)), **common(draw))


@st.composite
def stochastic_depth(draw: st.DrawFn) -> Case:
    """Branches dropped for each sample or for all."""
    kwargs = {"p": draw(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])), "mode": draw(st.sampled_from(["row", "batch"]))}
    return Case(kwargs, draw(shapes()), **common(draw))


@st.composite
def batch_norm(draw: st.DrawFn) -> Case:
    """Batch normalisation; at least two numbers a channel, as training needs."""
    channels = draw(st.integers(1, 4))
    kwargs = {
        "num_features": channels,
        **some(
            draw,
            eps=st.sampled_from([1e-3, 1e-5]),
            momentum=st.sampled_from([None, 0.0, 0.3, 1.0]),
            affine=st.booleans(),
            track_running_stats=st.booleans(),
        ),
    }
    shape = (draw(st.integers(2, 4)), channels, draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    independent = kwargs.get("track_running_stats", True)
    return Case(kwargs, shape, independent=independent, **common(draw))


@st.composite
def local_response_norm(draw: st.DrawFn) -> Case:
    """Response normalisation over odd and even numbers of channels, fewer than there are and more."""
    kwargs = {
        "size": draw(st.integers(1, 6)),
        **some(
            draw,
            alpha=st.sampled_from([1e-4, 0.5]),
            beta=st.sampled_from([0.5, 0.75, 2.0]),
            k=st.sampled_from([1.0, 2.0]),
        ),
    }
    shape = draw(shapes(3, 5))
    return Case(kwargs, shape, **common(draw))


@st.composite
def instance_norm(draw: st.DrawFn) -> Case:
    """Instance normalisation; at least two pixels, as training needs, of one image or several."""
    channels = draw(st.integers(1, 4))
    kwargs = {
        "num_features": channels,
        **some(
            draw,
            eps=st.sampled_from([1e-3, 1e-5]),
            momentum=st.sampled_from([None, 0.0, 0.3, 1.0]),
            affine=st.just(True),
            track_running_stats=st.just(True),
        ),
    }
    return Case(kwargs, **image_shape(draw, channels, *draw(NOT_ALONE)), **common(draw))


@st.composite
def group_norm(draw: st.DrawFn) -> Case:
    """Group normalisation, from one group to as many as there are channels; without pixels too."""
    groups = draw(st.integers(1, 3))
    channels = groups * draw(st.integers(1, 3))
    kwargs = {"num_groups": groups, "num_channels": channels}
    shape = (draw(st.integers(1, 3)), channels, *draw(shapes(0, 3)))
    if math.prod(shape) == groups:
        shape = (2, *shape[1:])
    kwargs |= some(draw, eps=st.sampled_from([1e-3, 1e-5]), affine=st.booleans())
    # PyTorch's formula subtracts an infinite gradient from itself, the definition does not
    alone = math.prod(shape[1:]) == groups  # a sample by itself would be refused
    return Case(kwargs, shape, independent=not alone, **common(draw, FINITE_OR_NAN))


@st.composite
def layer_norm(draw: st.DrawFn) -> Case:
    """Layer normalisation over the last one to three axes, up to all of them."""
    shape = draw(shapes())
    sides = shape[-draw(st.integers(1, min(3, len(shape)))) :]
    apart = len(sides) < len(shape)
    kwargs = {
        "normalized_shape": sides[0] if len(sides) == 1 and draw(st.booleans()) else list(sides),
        **some(draw, eps=st.sampled_from([1e-3, 1e-5]), elementwise_affine=st.booleans(), bias=st.booleans()),
    }
    # infinite gradients: as in group_norm
    return Case(kwargs, shape, batched=apart, independent=apart, **common(draw, FINITE_OR_NAN))
