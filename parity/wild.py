"""Cases that may be invalid: valid ones with one thing changed, an argument or the input's shape.

One thing only, so that nothing else hides whether it is refused. What ours refuses by intent while
torch takes it stays out: no channels at all; windows of a dilated pooling that see nothing but
padding (where torch reads out of bounds); adaptive averages to 1x1 (for which torch takes the mean,
of whatever it gets).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from . import strategies
from .pair import Case
from .strategies import PADDING_MODES

Strategy = st.SearchStrategy


@st.composite
def nearly(draw: st.DrawFn, cases: Strategy[Case], **faults: Strategy[Any]) -> Case:
    """Draw a valid case, and change an argument or the shape of the input to what may be wrong."""
    case = replace(draw(cases), values="normals", dtype="float64")
    if draw(st.booleans()):
        return replace(case, shape=draw(_other_shape(case.shape)))
    what = draw(st.sampled_from(sorted(faults)))
    return replace(case, kwargs={**case.kwargs, what: draw(faults[what])})


@st.composite
def misfits(draw: st.DrawFn, cases: Strategy[Case]) -> Case:
    """Draw a valid case, and change the shape of the input, but to no empty one."""
    case = replace(draw(cases), values="normals", dtype="float64")
    return replace(case, shape=draw(_other_shape(case.shape, least=1)))


@st.composite
def _other_shape(draw: st.DrawFn, shape: tuple[int, ...], least: int = 0) -> tuple[int, ...]:
    """Draw a shape with one side changed, an axis less, or one more."""
    axis = draw(st.integers(0, max(0, len(shape) - 1)))
    before, side, after = shape[:axis], shape[axis : axis + 1], shape[axis + 1 :]
    least = max(least, int(axis == len(shape) - 3))  # of channels there is one at least
    changed = st.sampled_from([least, 1, *(max(least, length + step) for length in side for step in (-1, 1))]).map(
        lambda n: (n,)
    )
    return (*before, *draw(changed | changed | st.sampled_from([(), (*side, 2)])), *after)


def _sides(low: int, high: int) -> Strategy[Any]:
    one = st.integers(low, high)
    return one | st.tuples(one, one) | st.tuples(one, one, one)


def conv2d() -> Strategy[Case]:
    """Convolutions that may not fit."""
    return nearly(
        strategies.conv2d(),
        in_channels=st.integers(1, 6),
        out_channels=st.integers(1, 6),
        kernel_size=_sides(0, 7),
        stride=_sides(0, 3),
        padding=strategies.sides(-1, 6) | st.sampled_from(["same", "valid", "full"]),
        dilation=_sides(0, 4),
        groups=st.integers(0, 4),
        padding_mode=st.sampled_from([*PADDING_MODES, "mirror"]),
    )


def conv_transpose2d() -> Strategy[Case]:
    """Transposed convolutions of which nothing may be left."""
    return nearly(
        strategies.conv_transpose2d(),
        in_channels=st.integers(1, 6),
        out_channels=st.integers(1, 6),
        kernel_size=_sides(0, 5),
        stride=_sides(0, 3),
        padding=_sides(-1, 5),
        output_padding=_sides(-1, 3),
        dilation=_sides(0, 4),
        groups=st.integers(0, 4),
        padding_mode=st.sampled_from(PADDING_MODES),
    )


def upsample() -> Strategy[Case]:
    """Sizes and factors that may be none, or leave nothing; alignments of corners that are copied."""
    return nearly(
        strategies.upsample(modes=("bilinear",)),
        size=st.none() | _sides(-1, 3),
        scale_factor=st.none() | st.sampled_from([-1.0, 0.0, 0.1, 0.5, (2.0, 0.2), (1.0, 2.0, 3.0)]),
        mode=st.sampled_from(["nearest", "bilinear"]),
        align_corners=st.sampled_from([None, True, False]),
    )


def pool2d(cases: Strategy[Case], **faults: Strategy[Any]) -> Strategy[Case]:
    """Poolings that may not fit."""
    return nearly(cases, kernel_size=_sides(-1, 7), stride=_sides(0, 4), padding=_sides(-1, 3), **faults)


def adaptive_pool2d() -> Strategy[Case]:
    """Adaptive poolings of any size but 1."""
    side = st.sampled_from([-1, 0, 2, 3, 9])
    sizes = side | st.tuples(side, side) | st.tuples(side, side, side)
    return nearly(strategies.adaptive_pool2d(least=2), output_size=sizes)


def linear() -> Strategy[Case]:
    """Matrices whose features may not match."""
    return nearly(strategies.linear(), in_features=st.integers(-1, 6), out_features=st.integers(-1, 3))


def along_axis() -> Strategy[Case]:
    """Axes that may not be there."""
    return nearly(strategies.along_axis(), dim=st.integers(-5, 5))


def flatten() -> Strategy[Case]:
    """Axes that may not be there, or come in the wrong order."""
    return nearly(strategies.flatten(), start_dim=st.integers(-5, 5), end_dim=st.integers(-5, 5))


def unflatten() -> Strategy[Case]:
    """Axes that may not be there, or be cut into what does not fill them."""
    sizes = st.lists(st.integers(-2, 4), min_size=1, max_size=3).map(tuple)
    return nearly(strategies.unflatten(), dim=st.integers(-5, 5), unflattened_size=sizes)


def reshape() -> Strategy[Case]:
    """Shapes that may be of more numbers, or fewer."""
    return nearly(strategies.reshape(), shape=st.lists(st.integers(-2, 4), max_size=4).map(tuple))


def unsqueeze() -> Strategy[Case]:
    """Axes that may be too far out."""
    return nearly(strategies.unsqueeze(), dim=st.integers(-6, 6))


def squeeze() -> Strategy[Case]:
    """Axes that may not be there."""
    return nearly(strategies.squeeze(), dim=st.integers(-5, 5))


def pad() -> Strategy[Case]:
    """Borders of axes that may not be there, or not be long enough to be cut."""
    return nearly(strategies.pad(), pad=st.lists(st.integers(-4, 2), max_size=10).map(tuple))


def select() -> Strategy[Case]:
    """Axes and places that may not be there."""
    return nearly(strategies.select(), dim=st.integers(-5, 5), index=st.integers(-6, 6))


def slices() -> Strategy[Case]:
    """Axes that may not be there, steps that lead nowhere."""
    return nearly(strategies.slices(), dim=st.integers(-5, 5), step=st.integers(-1, 2))


def chunk() -> Strategy[Case]:
    """Axes and parts that may not be there."""
    faults = {"dim": st.integers(-5, 5), "chunks": st.integers(-1, 6), "index": st.integers(0, 4)}
    return nearly(strategies.chunk(), **faults)


def mean() -> Strategy[Case]:
    """Axes that may not be there, or come twice."""
    axis = st.integers(-5, 5)
    return nearly(strategies.mean(), dim=axis | st.lists(axis, min_size=1, max_size=3).map(tuple))


def dropout() -> Strategy[Case]:
    """Probabilities that may be none."""
    return nearly(strategies.elementwise(), p=st.sampled_from([-0.1, 0.0, 1.0, 1.1]))


def prelu() -> Strategy[Case]:
    """Slopes that may be too many or too few."""
    return nearly(strategies.prelu(), num_parameters=st.sampled_from([-1, 1, 2, 3, 4]))


def hardtanh() -> Strategy[Case]:
    """Bounds that may be the wrong way round."""
    bound = st.sampled_from([-2, -1, 0.5, 1, 3])
    return nearly(strategies.elementwise(), min_val=bound, max_val=bound)


def gelu() -> Strategy[Case]:
    """Approximations that nobody knows."""
    return nearly(strategies.elementwise(), approximate=st.sampled_from(["none", "tanh", "erf", ""]))


def stochastic_depth() -> Strategy[Case]:
    """Probabilities that may be none, modes that nobody knows, samples without a batch."""
    probabilities = st.sampled_from([-0.1, 0.0, 1.0, 1.1])
    return nearly(strategies.stochastic_depth(), p=probabilities, mode=st.sampled_from(["row", "batch", "rows", ""]))


def permute() -> Strategy[Case]:
    """Axes that may not be there, or may be there twice."""
    twice = strategies.permute().map(lambda case: replace(case, kwargs={"dims": [*case.kwargs["dims"], 0]}))
    return nearly(strategies.permute(), dims=st.lists(st.integers(-5, 4), max_size=5)) | twice


def channel_shuffle() -> Strategy[Case]:
    """Groups that may not divide the channels."""
    return nearly(strategies.channel_shuffle(), groups=st.integers(-1, 5))


def with_parameters(case: Case) -> Case:
    """Return a case with factors and shifts; without them torch does not look at the number of channels."""
    kwargs = {name: value for name, value in case.kwargs.items() if name != "affine"}
    return replace(case, kwargs=kwargs | {"affine": True})


def batch_norm() -> Strategy[Case]:
    """Channels that may not match, batches with a single number to learn from."""
    return nearly(strategies.batch_norm().map(with_parameters), num_features=st.integers(1, 6))


def instance_norm() -> Strategy[Case]:
    """Channels that may not match, images of a single pixel."""
    cases = strategies.instance_norm().map(with_parameters)
    single = cases.map(lambda case: replace(case, shape=(*case.shape[:-2], 1, 1)))
    return nearly(cases, num_features=st.integers(1, 6)) | single


def group_norm() -> Strategy[Case]:
    """Channels that may not match or not be divisible, groups of a single number."""
    cases = strategies.group_norm().map(with_parameters)
    return nearly(cases, num_groups=st.integers(1, 5), num_channels=st.integers(1, 6))


def layer_norm() -> Strategy[Case]:
    """Lengths that may not match."""
    sides = st.lists(st.integers(1, 5), max_size=5) | st.sampled_from([-1, 1, 2, 3, 4, 5])
    return nearly(strategies.layer_norm(), normalized_shape=sides)


def local_response_norm() -> Strategy[Case]:
    """Sizes and shapes that may be too small."""
    return nearly(strategies.local_response_norm(), size=st.integers(-1, 6))
