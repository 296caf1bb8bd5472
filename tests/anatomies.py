"""Random networks of windows and branches, and probes that find by experiment what an output sees of the image."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import Phase, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

import numpycnn as nc
from parity import ours, twins
from parity.strategies.networks import Spec

ANY = (None, None)
KINDS = ["Conv2d", "Conv2d", "AvgPool2d", "ReLU", "BatchNorm2d"]


@dataclass(frozen=True)
class Net:
    """A network in words, and the input that it is made for."""

    layers: list[Spec]
    shape: tuple[int, ...]

    @property
    def padded(self) -> bool:
        """Whether any of its windows has padding."""
        return re.search(r"'padding': (?!\(0, 0\))", repr(self.layers)) is not None

    def ours(self) -> nc.Layer:
        """Build it."""
        return positive(ours.network("Sequential", self.layers))

    def theirs(self) -> torch.nn.Module:
        """Build the torch twin."""
        return twins.theirs("Sequential", self.layers).eval()


def positive(model: nc.Layer) -> nc.Layer:
    """Return the model with weights of which whatever they let through adds up, and nothing cancels."""
    rng = np.random.default_rng(0)
    state = model.to(np.float64).eval().state_dict().items()
    model.load_state_dict({name: 0.5 + rng.random(v.shape) if v.dtype.kind == "f" else v for name, v in state})
    return model


# Networks, drawn forwards, so that every window fits


@st.composite
def nets(draw: st.DrawFn, kinds: tuple[str, ...] = ()) -> Net:
    """Draw a network: windows of all geometries, branches inside branches; of further kinds too."""
    channels, size = draw(st.integers(1, 2)), (draw(st.integers(12, 30)), draw(st.integers(12, 30)))
    layers, *_ = chain(draw, [*KINDS, "Add", "Concat", *kinds], channels, size, 2, least=2)
    return Net(layers, (draw(st.integers(1, 3)), channels, *size))


def chain(draw, kinds, channels, size, depth, least=1):
    """Draw layers that run one after another; return them with the channels, size and stride that come out."""
    layers, total = [], (1, 1)
    for _ in range(draw(st.integers(least, least + 2))):
        kind = draw(st.sampled_from(kinds if depth else [kind for kind in kinds if kind not in ("Add", "Concat")]))
        strides = (1, 1)
        if kind in ("Add", "Concat"):
            spec, channels, size, strides = branching(draw, kind, kinds, channels, size, depth - 1)
        elif kind in ("Conv2d", "AvgPool2d", "MaxPool2d"):
            strides = draw(st.sampled_from([(1, 1), (2, 2), (1, 2), (2, 1), (1, 3)]))
            spec, channels, size = window(draw, kind, channels, size, strides)
        elif kind == "Linear":
            spec = (kind, {"in_features": size[1], "out_features": draw(st.integers(8, 20))})
            size = size[0], spec[1]["out_features"]
        else:
            options = {"BatchNorm2d": {"num_features": channels}, "LocalResponseNorm": {"size": 2}}
            spec = (kind, options.get(kind, {}))
        layers.append(spec)
        total = total[0] * strides[0], total[1] * strides[1]
    return layers, channels, size, total


def window(draw, kind, channels, size, strides, goal=ANY, out=None):
    """Draw a convolution or pooling; its output's size and channels as they are told, or any."""
    if kind == "Conv2d" and strides == (1, 1) and goal in (ANY, size) and draw(st.booleans()):
        sides = st.tuples(st.integers(1, 4), st.integers(1, 4))
        kwargs = {"kernel_size": draw(sides), "padding": "same", "dilation": draw(sides)}  # even ones are not centred
    else:
        axes = [
            draw(st.sampled_from(geometries(kind, length, stride, end)))
            for length, stride, end in zip(size, strides, goal, strict=True)
        ]
        names = ["kernel_size", "stride", "padding", "dilation"]
        kwargs = dict(zip(names, zip(*axes, strict=True), strict=True))
        size = tuple(outputs(length, *axis) for length, axis in zip(size, axes, strict=True))
    if kind != "Conv2d":
        del kwargs["dilation"]
        return (kind, kwargs), channels, size
    groups = channels if draw(st.booleans()) and (out or channels) % channels == 0 else 1
    out = out or groups * draw(st.integers(1, 2))
    kwargs |= {"in_channels": channels, "out_channels": out, "groups": groups}
    return (kind, kwargs | {"bias": draw(st.booleans())}), out, size


def outputs(length, kernel, stride, padding, dilation):
    """Count the windows that fit along a side; below 1 if there are none."""
    return (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def geometries(kind, length, stride, end):
    """List the windows of a stride that leave so many outputs, or any number of them."""
    found = [
        (kernel, stride, padding, dilation)
        for kernel in (1, 2, 3, 4)
        for padding in (0, 1, 2)
        for dilation in (1, 2, 3)
        if kind == "Conv2d" or (dilation == 1 and 2 * padding <= kernel)
    ]
    found = [axis for axis in found if outputs(length, *axis) >= 1 and end in (None, outputs(length, *axis))]
    padding = max(0, end - length) if end else 0
    return found or [(length + 2 * padding - end + 1, 1, padding, 1)]  # one there is; but it moves otherwise


def branching(draw, kind, kinds, channels, size, depth):
    """Draw branches whose outputs fit together: those after the first keep the size, and end in what fits."""
    first, out, end, strides = chain(draw, kinds, channels, size, depth)
    branches, widths = [("Sequential", first)], [out]
    for _ in range(draw(st.integers(1, 2))):
        layers, width = [], channels
        for _ in range(draw(st.integers(0, 1))):
            layer, width, _ = window(draw, "Conv2d", width, size, (1, 1), size)
            layers += [layer, ("ReLU", {})]
        last, width, _ = window(draw, "Conv2d", width, size, strides, end, out if kind == "Add" else None)
        branches.append(("Sequential", [*layers, last]))
        widths.append(width)
    return (kind, branches), out if kind == "Add" else sum(widths), end, strides


UNALIGNED = Net(
    [
        (
            "Add",
            [
                ("Conv2d", {"in_channels": 1, "out_channels": 1, "kernel_size": 3, "stride": 4}),
                ("Conv2d", {"in_channels": 1, "out_channels": 1, "kernel_size": 2, "stride": 4, "padding": 1}),
            ],
        )
    ],
    (1, 1, 15, 15),
)
"""Two branches of which neither sees all that the other sees, which random ones hardly ever do."""


# Probes


def interior(span, length, count):
    """List the outputs that see no padding."""
    return [i for i in range(count) if span.pixels(i)[0] >= 0 and span.pixels(i)[-1] < length]


def gradient_probe(model, shape, at):
    """Find the rows and columns, from the first to the last, towards which an output has a gradient; None if none."""
    y = model(np.ones((1, *shape[1:])))
    dy = np.zeros_like(y)
    dy[..., *at] = 1
    rows, columns = np.nonzero(model.backward(dy).any((0, 1)))
    return ((rows.min(), rows.max()), (columns.min(), columns.max())) if rows.size else None


def flops(module, shape):
    """Count with torch's counter; two for a multiply-add."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.ones(shape))
    return counter.get_total_flops()


@contextmanager
def first_failure() -> Iterator[None]:
    """Take the cases of the default profile, and stop at the first that fails, as it is."""
    before = settings.default
    settings.register_profile(
        "first failure", settings.get_profile("default"), phases=[Phase.generate], report_multiple_bugs=False
    )
    settings.load_profile("first failure")
    try:
        yield
    finally:
        settings.register_profile("before", before)
        settings.load_profile("before")
