"""Cases that may be invalid: arguments a little out of range, images too small, axes too few or too many.

What ours refuses by intent while torch takes it stays out: no channels at all, a zero-sized
convolution kernel that is only built, windows of a dilated pooling that see nothing but padding
(where torch reads out of bounds), adaptive averages to 1x1 (for which torch takes the mean, of whatever
it gets), and whatever else is wrong with a batch that is empty (which torch then may not look at).
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .pair import Case
from .strategies import PADDING_MODES, some

Strategy = st.SearchStrategy


def _sides(low: int, high: int, but: int | None = None) -> Strategy[Any]:
    one = st.sampled_from([side for side in range(low, high + 1) if side != but])
    return one | st.tuples(one, one) | st.tuples(one, one, one)


def _images(draw: st.DrawFn, channels: int) -> tuple[int, ...]:
    """Draw an image's shape, now and then with an axis too few or too many, or a side of no length."""
    n, width = draw(st.integers(0, 2)), draw(st.integers(1, 6))
    height = draw(st.integers(0 if n else 1, 6))
    c = max(1, channels + draw(st.sampled_from([0, 0, 0, 1]))) if n * height else channels
    return draw(st.sampled_from([(n, c, height, width)] * 4 + [(c, height, width), (height, width), (1, 1, c, 2, 2)]))


@st.composite
def conv2d(draw: st.DrawFn) -> Case:
    """Convolutions that may not fit."""
    kwargs = {
        "in_channels": draw(st.integers(1, 4)),
        "out_channels": draw(st.integers(1, 4)),
        "kernel_size": draw(_sides(0, 4)),
        **some(
            draw,
            stride=_sides(0, 3),
            padding=_sides(-1, 5) | st.sampled_from(["same", "valid", "full"]),
            dilation=_sides(0, 3),
            groups=st.integers(0, 3),
            padding_mode=st.sampled_from([*PADDING_MODES, "mirror"]),
        ),
    }
    return Case(kwargs, _images(draw, kwargs["in_channels"]), seed=draw(st.integers(0, 9)))


@st.composite
def pool2d(draw: st.DrawFn, **options: Strategy[Any]) -> Case:
    """Poolings that may not fit; dilation is left to the valid cases."""
    kwargs = {"kernel_size": draw(_sides(-1, 4)), **some(draw, stride=_sides(0, 3), padding=_sides(-1, 3), **options)}
    return Case(kwargs, _images(draw, draw(st.integers(1, 3))), seed=draw(st.integers(0, 9)))


@st.composite
def adaptive_pool2d(draw: st.DrawFn) -> Case:
    """Adaptive poolings of any size."""
    return Case({"output_size": draw(_sides(-1, 4, but=1))}, _images(draw, 2), seed=draw(st.integers(0, 9)))


@st.composite
def linear(draw: st.DrawFn) -> Case:
    """Matrices whose features may not match."""
    kwargs = {"in_features": draw(st.integers(-1, 3)), "out_features": draw(st.integers(-1, 3))}
    return Case(kwargs, tuple(draw(st.lists(st.integers(0, 3), max_size=3))))


@st.composite
def along_axis(draw: st.DrawFn) -> Case:
    """Axes that may not be there."""
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=4)))
    return Case({"dim": draw(st.integers(-5, 5))}, shape)


@st.composite
def flatten(draw: st.DrawFn) -> Case:
    """Axes that may not be there, or come in the wrong order."""
    kwargs = some(draw, start_dim=st.integers(-5, 5), end_dim=st.integers(-5, 5))
    return Case(kwargs, tuple(draw(st.lists(st.integers(0, 3), max_size=4))))


@st.composite
def dropout(draw: st.DrawFn) -> Case:
    """Probabilities that may be none; in evaluation mode, where nothing is drawn."""
    return Case({"p": draw(st.sampled_from([-0.1, 0.0, 0.5, 1.0, 1.1, float("nan")]))}, (2, 3), training=False)


@st.composite
def batch_norm(draw: st.DrawFn) -> Case:
    """Channels that may not match, batches with a single number to learn from."""
    kwargs = {"num_features": draw(st.integers(1, 3)), **some(draw, track_running_stats=st.booleans())}
    shape = _images(draw, kwargs["num_features"])
    small = draw(st.booleans())
    return Case(kwargs, (1, kwargs["num_features"], 1, 1) if small else shape, training=draw(st.booleans()))


@st.composite
def local_response_norm(draw: st.DrawFn) -> Case:
    """Sizes and shapes that may be too small."""
    return Case({"size": draw(st.integers(-1, 4))}, tuple(draw(st.lists(st.integers(1, 3), max_size=5))))
