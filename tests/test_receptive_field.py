"""What an output is said to see of the image is what experiments find: by its gradient, and by NaN around its field."""

import re
from collections import Counter

import anatomies
import numpy as np
import pytest
from hypothesis import given, settings

import numpycnn as nc
from numpycnn.anatomy import flow, sight, summary
from numpycnn.anatomy.geometry import geometry
from numpycnn.anatomy.receptive_field import ReceptiveField, Span, join

# Experiments


def seen(field, at):
    """Return the first and the last row, and column, that an output is said to see."""
    return tuple((span.pixels(i)[0], span.pixels(i)[-1]) for span, i in zip(field, at, strict=True))


def inside(outer, inner):
    return all(a <= c and d <= b for (a, b), (c, d) in zip(outer, inner, strict=True))


def check_gradients(net):
    """Hold the field to the pixels towards which an output has a gradient; say whether to each pixel."""
    model = net.ours()
    last = nc.summary(model, net.shape).layers[-1]
    field, sizes = last.receptive_field, last.output_shape[2:]
    for at in ((0, 0), (sizes[0] - 1, sizes[1] - 1)):  # at the border some of the field is padding
        found = anatomies.gradient_probe(model, net.shape, at)
        assert found is None or inside(seen(field, at), found), f"output {at}"
    if None in field.jump:
        return "varies"
    places = [anatomies.interior(*axis) for axis in zip(field, net.shape[2:], sizes, strict=True)]
    if not all(places):
        return "larger than the image"
    at = tuple(place[len(place) // 2] for place in places)
    found = anatomies.gradient_probe(model, net.shape, at)
    if 0 in field.jump and net.padded:  # where fields do not move, they do not tell which window is in the padding
        assert found is None or inside(seen(field, at), found), f"output {at}"
        return "at rest"
    assert found == seen(field, at), f"output {at}"
    return "exact"


def check_nan(net):
    """Hold the field to the pixels that make an output NaN if they are: to layers without a gradient everywhere too."""
    model = net.ours()
    last = nc.summary(model, net.shape).layers[-1]
    field, sizes = last.receptive_field, last.output_shape[2:]
    places = [anatomies.interior(*axis) for axis in zip(field, net.shape[2:], sizes, strict=True)]
    if {None, 0} & {*field.jump} or not all(places):
        return "not tried"
    at = tuple(place[0] for place in places)
    (top, bottom), (left, right) = seen(field, at)
    x = np.random.default_rng(1).standard_normal(net.shape)
    around = np.full_like(x, np.nan)
    around[..., top : bottom + 1, left : right + 1] = x[..., top : bottom + 1, left : right + 1]
    assert np.isfinite(model(around)[:, :, *at]).all(), f"output {at} sees something outside"
    for row, column in ((top, slice(None)), (bottom, slice(None)), (slice(None), left), (slice(None), right)):
        edge = x.copy()
        edge[..., row, column] = np.nan
        assert np.isnan(model(edge)[:, :, *at]).any(), f"output {at} sees nothing of {row, column}"
    return "exact"


def check_flops(net):
    """Hold the multiply-adds to torch's counter."""
    model = net.ours()
    assert 2 * nc.summary(model, net.shape).multiply_adds == anatomies.flops(net.theirs(), net.shape)
    return "exact"


CHECKS = {
    check_gradients: anatomies.nets(("Add", "Add", "Concat", "Linear")),
    check_nan: anatomies.nets(("MaxPool2d", "MaxPool2d", "Tanh", "LeakyReLU", "LocalResponseNorm", "Dropout")),
    check_flops: anatomies.nets(("Linear",)),
}


def hold(check):
    """Try a check on as many networks as the profile says; return how each ended."""
    ends = Counter([check(anatomies.UNALIGNED)])

    @settings(max_examples=settings.default.max_examples // (3 if check is check_flops else 1))  # torch's is slow
    @given(CHECKS[check])
    def holds(net):
        ends[check(net)] += 1

    holds()
    return ends


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_random_networks(check):
    ends = hold(check)
    assert ends["exact"] > ends.total() / 3, ends


# Mistakes: each check finds those that are made where it looks

RIGHT = {
    "size": lambda span, step: (step.kernel - 1) * step.dilation * span.jump,
    "offset": lambda span, step: step.padding * span.jump,
    "jump": lambda span, step: span.jump * step.stride,
}


def window(**wrong):
    """Return ``Span.through`` with a mistake in it."""

    def through(span, step):
        if span.jump is None:
            return span
        more, less, jump = ((RIGHT | wrong)[name](span, step) for name in ("size", "offset", "jump"))
        return Span(span.size + more, jump, span.offset - less)

    return Span, "through", through


def joined(wrong):
    return flow, "join", wrong


def counted(wrong):
    right = summary.multiply_adds
    return summary, "multiply_adds", lambda layer, x, y: wrong(right(layer, x, y), layer, x, y)


MISTAKES = {
    "the jump grows before the size": (check_gradients, window(size=lambda a, w: (w.kernel - 1) * a.jump * w.stride)),
    "taps are counted in pixels of the input": (check_gradients, window(size=lambda a, w: (w.kernel - 1) * w.dilation)),
    "dilation is left out": (check_gradients, window(size=lambda a, w: (w.kernel - 1) * a.jump)),
    "a window is one larger": (check_gradients, window(size=lambda a, w: w.kernel * w.dilation * a.jump)),
    "padding is left out": (check_gradients, window(offset=lambda a, w: 0)),
    "padding is counted in pixels of the input": (check_gradients, window(offset=lambda a, w: w.padding)),
    "padding is dilated": (check_gradients, window(offset=lambda a, w: w.padding * w.dilation * a.jump)),
    "strides add up": (check_gradients, window(jump=lambda a, w: a.jump + w.stride - 1)),
    "strides are left out": (check_nan, window(jump=lambda a, w: a.jump)),
    "height and width are swapped": (check_nan, (sight, "geometry", lambda layer: geometry(layer)[::-1])),
    "of the branches the first counts": (check_gradients, joined(lambda spans, lengths: spans[0])),
    "of the branches the largest counts": (check_gradients, joined(lambda spans, _: max(spans, key=lambda a: a.size))),
    "sizes of branches are added": (
        check_nan,
        joined(lambda spans, _: Span(sum(a.size for a in spans), spans[0].jump, min(a.offset for a in spans))),
    ),
    "a matrix sees no more than a window": (check_gradients, (Span, "all_of", lambda span, length: span)),
    "groups are left out": (check_flops, counted(lambda n, layer, x, y: n * getattr(layer, "groups", 1))),
    "the batch is left out": (check_flops, counted(lambda n, layer, x, y: n // x[0])),
    "biases are counted": (check_flops, counted(lambda n, layer, x, y: n + bool(n) * y[1])),
    "the input's pixels are counted": (check_flops, counted(lambda n, layer, x, y: n // max(y[-1], 1) * x[-1])),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake, monkeypatch):
    check, change = MISTAKES[mistake]
    monkeypatch.setattr(*change)
    with pytest.raises(AssertionError), anatomies.first_failure():
        hold(check)


# Numbers


@pytest.mark.parametrize(
    ("steps", "size", "jump", "padding"),
    [
        # Araujo et al., 2019, table of modern networks: what its last feature map sees
        ([(11, 4), (3, 2), (5, 1, 2), (3, 2), *[(3, 1, 1)] * 3, (3, 2)], 195, 32, 64),  # alexnet_v2
        ([*[(3, 1, 1)] * 2, (2, 2)] * 2 + [*[(3, 1, 1)] * 3, (2, 2)] * 3, 212, 32, 90),  # vgg_16
        # by hand
        ([3, 3], 5, 1, 0),
        ([3, 3, 3], 7, 1, 0),
        ([(3, 1, 2, 2), (1, 3), (2, 1, 1)], 8, 3, 5),
        ([], 1, 1, 0),
    ],
)
def test_known_fields(steps, size, jump, padding):
    assert nc.receptive_field(*steps) == ReceptiveField(*2 * [Span(size, jump, -padding)])


def test_the_two_sides_are_two():
    step = ((3, 5), (2, 1), (1, 0), (1, 2))
    expected = ReceptiveField(Span(7, 4, -3), Span(17, 1, 0))
    assert nc.receptive_field(step, step) == expected
    assert nc.receptive_field(*2 * [nc.Conv2d(1, 1, *step)]) == expected
    assert (expected.size, expected.jump, expected.offset) == ((7, 17), (4, 1), (-3, 0))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nc.Conv2d(1, 1, 4, padding="same"), Span(4, 1, -1)),  # the odd row is at the end
        (nc.Conv2d(1, 1, 3, padding="valid", dilation=2), Span(5, 1, 0)),
        (nc.Conv2d(1, 1, 3, padding=2, padding_mode="circular"), Span(3, 1, -2)),
        (nc.MaxPool2d(3, 2, padding=1, dilation=2, ceil_mode=True), Span(5, 2, -1)),
        (nc.AvgPool2d(2), Span(2, 2, 0)),
        (nc.BatchNorm2d(3), Span()),
        (nc.LocalResponseNorm(5), Span()),
    ],
    ids=repr,
)
def test_layers_are_steps_too(layer, expected):
    assert nc.receptive_field(layer) == ReceptiveField(expected, expected)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (nc.Flatten(), "expected layers that look through a window, or at each entry alone, got Flatten()"),
        (nc.BatchNorm2d(2, track_running_stats=False), "got BatchNorm2d(2, track_running_stats=False)"),
        (0, "expected kernel_size >= 1, got 0"),
        ((3, 0), "expected stride >= 1, got 0"),
        ((3, 1, -1), "expected padding >= 0, got -1"),
        ((3, 1, 1, (1, 0)), "expected dilation >= 1, got 0"),
        ((3, 1, 1, 1, 1), "got (3, 1, 1, 1, 1)"),
        ((), "got ()"),
        ("3", "got '3'"),
    ],
    ids=repr,
)
def test_what_is_no_window_is_refused(step, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        nc.receptive_field(3, step)


def test_a_kernel_of_no_number_is_refused():
    with pytest.raises(TypeError, match=re.escape("expected kernel_size to be an int or (height, width), got 3.0")):
        nc.receptive_field(3.0)


ALL = "all", "all"
ALL_6 = Span(6, 0, 0)  # what is behind a global pooling of six pixels


@pytest.mark.parametrize(
    ("spans", "lengths", "expected"),
    [
        ([Span(3, 2, -1), Span(1, 2, 0)], [4, 4], Span(3, 2, -1)),  # aligned: the largest
        ([Span(3, 2, -1), Span(2, 2, 1)], [4, 4], Span(4, 2, -1)),  # not aligned: larger than the largest
        ([Span(), Span(6, 0, 0)], [6, 6], ALL_6),
        ([Span(), Span(6, 1, 0)], [6, 1], ALL_6),  # one output for all
        ([Span(3, 1, -1), ALL_6], [6, 6], Span(8, None, -1)),  # at the border one sees more
        ([Span(), Span(3, 2, 0)], [3, 3], Span(7, None, 0)),
        ([Span(), Span(3, 2, 0)], [1, 1], Span(3, 0, 0)),
        ([Span(5, None, 0), Span(5, None, 1)], [3, 3], Span(6, None, 0)),
    ],
)
def test_branches_join(spans, lengths, expected):
    assert join(spans, lengths) == expected
    assert join(spans[::-1], lengths[::-1]) == expected


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        # on an image of 12 x 8
        ([nc.Flatten()], ALL),
        ([nc.Flatten(2)], ALL),
        ([nc.Flatten(2, 2)], ReceptiveField()),
        (
            [nc.Conv2d(1, 1, 2, stride=3), nc.Flatten(), nc.Linear(12, 5), nc.Softmax(-1)],
            (Span(11, 0, 0), Span(8, 0, 0)),
        ),
        ([nc.Linear(8, 5)], (Span(), Span(8, 0, 0))),
        ([nc.Softmax(1)], ReceptiveField()),
        ([nc.LogSoftmax(2)], (Span(12, 0, 0), Span())),
        ([nc.Softmax(-1)], (Span(), Span(8, 0, 0))),
        ([nc.AdaptiveAvgPool2d(1)], ALL),
        ([nc.AdaptiveMaxPool2d((4, None))], (Span(3, 3, 0), Span())),
        ([nc.AdaptiveAvgPool2d((8, 12))], (Span(12, None, 0), Span(8, None, 0))),
        ([nc.AdaptiveAvgPool2d(5), nc.ReLU(), nc.Flatten()], ALL),
        ([nc.AdaptiveAvgPool2d(1), nc.AdaptiveAvgPool2d(7)], ALL),
        ([nc.BatchNorm2d(1, track_running_stats=False)], ALL),
        ([nc.InstanceNorm2d(1), nc.AvgPool2d(2)], ALL),
        ([nc.InstanceNorm2d(1, track_running_stats=True)], ReceptiveField()),
        ([nc.GroupNorm(1, 1)], ALL),
        ([nc.LayerNorm(8)], (Span(), "all")),
        ([nc.Permute((0, 2, 3, 1)), nc.LayerNorm(1)], ReceptiveField()),
        # axes that move
        (
            [nc.Permute((0, 2, 3, 1)), nc.Linear(1, 4), nc.Permute((0, 3, 2, 1)), nc.MaxPool2d((2, 3))],
            (Span(3, 3), Span(2, 2)),
        ),
        ([nc.Permute((0, 1, 3, 2)), nc.Linear(12, 4)], ("all", Span())),
        ([nc.Unflatten(1, (1, 1)), nc.Flatten(1, 2), nc.AvgPool2d((3, 2))], (Span(3, 3), Span(2, 2))),
        ([nc.Reshape((-1, 12, 8)), nc.Unsqueeze(1), nc.AvgPool2d((3, 2))], (Span(3, 3), Span(2, 2))),
        ([nc.Reshape((-1, 1, 8, 12))], ALL),
        ([nc.Slice(2, 3, None, 2), nc.Chunk(2, 1, 3), nc.AvgPool2d((2, 1))], (Span(3, 4, 3), Span(1, 1, 4))),
        ([nc.Select(2, -1), nc.Unsqueeze(2)], (Span(1, 0, 11), Span())),
        ([nc.Select(1, 0), nc.Slice(1, 2), nc.Unsqueeze(1), nc.AvgPool2d(2)], (Span(2, 2, 2), Span(2, 2))),
        ([nc.Pad((1, 2, -3, 0)), nc.AvgPool2d((2, 3))], (Span(2, 2, 3), Span(3, 3, -1))),
        ([nc.Squeeze(1), nc.Pad((0, 1, 2, 0)), nc.Unsqueeze(1)], (Span(1, 1, -2), Span())),
        ([nc.Mean((2, 3))], ALL),
        ([nc.AvgPool2d(2), nc.Mean(2), nc.Unsqueeze(1), nc.MaxPool2d((1, 2))], ("all", Span(4, 4))),
        ([nc.Mean(-1, keepdim=True), nc.Mean(1)], (Span(), "all")),
        (
            [nc.Multiply(nc.Conv2d(1, 1, 3, padding=1), nc.Sequential(nc.Mean((2, 3)), nc.Reshape((-1, 1, 1, 1))))],
            (Span(14, None, -1), Span(10, None, -1)),
        ),
        ([nc.Multiply(nc.Identity(), nc.AdaptiveAvgPool2d(1))], ALL),
        # branches
        ([nc.Concat(nc.Identity(), nc.ReLU(), dim=2)], (Span(12, None, 0), Span())),
        ([nc.Concat(nc.Identity(), nc.AdaptiveAvgPool2d((12, 1)), dim=-1)], (Span(), Span(8, None, 0))),
    ],
    ids=repr,
)
def test_what_is_no_window_sees(layers, expected):
    everything = Span(12, 0, 0), Span(8, 0, 0)
    sides = [everything[side] if expected[side] == "all" else expected[side] for side in (0, 1)]
    assert nc.summary(nc.Sequential(*layers), (1, 12, 8)).layers[-1].receptive_field == ReceptiveField(*sides)
