"""What cases are put together from: sides, shapes, options, dtypes, values."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ..pair import VALUES

Strategy = st.SearchStrategy
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(["float64", "float32"])
FINITE_OR_NAN = ("integers", "normals", "large", "nan")
"""Values for layers in which an infinity becomes NaN, or stays, by PyTorch's way to compute alone."""


def sides(low: int, high: int) -> Strategy[Any]:
    """Draw a number for each of the two axes; sometimes one for both, as an int."""
    one = st.integers(low, high)
    return one | st.tuples(one, one)


def both(value: int | tuple[int, int]) -> tuple[int, int]:
    """Spell a number for both axes out."""
    return value if isinstance(value, tuple) else (value, value)


def common(draw: st.DrawFn, values: tuple[str, ...] = (*VALUES, "corners")) -> dict[str, Any]:
    """Draw what every case has."""
    return {
        "dtype": draw(dtypes),
        "values": draw(st.sampled_from(values)),
        "training": draw(st.booleans()),
        "seed": draw(seeds),
    }


def some(draw: st.DrawFn, **optional: Strategy[Any]) -> dict[str, Any]:
    """Draw a value for each optional argument, or leave it to its default."""
    return {name: draw(values) for name, values in optional.items() if draw(st.booleans())}


def image_side(
    draw: st.DrawFn, kernel: int, stride: int, padding: int, dilation: int, least: int = 1, rest: int = 0
) -> int:
    """Draw an image's side from the number of windows that fit along it, with a rest that no window covers."""
    windows = draw(st.integers(1, 4))
    rest = draw(st.integers(min(rest, stride - 1), stride - 1))
    return max(least, (windows - 1) * stride + (kernel - 1) * dilation + 1 - 2 * padding + rest)


def image_shape(draw: st.DrawFn, channels: int, height: int, width: int) -> dict[str, Any]:
    """Draw a batch of images, or sometimes one image without a batch."""
    batched = draw(st.integers(0, 3)) < 3
    shape = (channels, height, width)
    return {"shape": (draw(st.integers(1, 3)), *shape) if batched else shape, "batched": batched}


def shapes(least: int = 1, most: int = 4) -> Strategy[tuple[int, ...]]:
    """Draw shapes of small sides."""
    return st.lists(st.integers(1, 5), min_size=least, max_size=most).map(tuple)
