"""Cases of networks: random ones in words, blocks, models."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ..pair import Case
from .pieces import Strategy, common, some

Spec = tuple[str, dict[str, Any] | list[Any]]
"""A layer in words: its class and its arguments, or for a container the layers in it."""

PLAIN = ["Conv2d", "ReLU", "Tanh", "BatchNorm2d"]


def network(draw: st.DrawFn, channels: int, depth: int) -> tuple[list[Spec], int]:
    """Draw layers that run one after another and keep (H, W); return them and their output's channels."""
    layers: list[Spec] = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from([*PLAIN, "Add", "Concat", "Sequential"] if depth else PLAIN))
        if kind == "Sequential":
            inner, channels = network(draw, channels, depth - 1)
            layers.append((kind, inner))
        elif kind in ("Add", "Concat"):
            branches, channels = branching(draw, kind, channels, depth - 1)
            layers.append((kind, branches))
        else:
            arguments, channels = plain(draw, kind, channels)
            layers.append((kind, arguments))
    return layers, channels


def plain(draw: st.DrawFn, kind: str, channels: int) -> tuple[dict[str, Any], int]:
    """Draw the arguments of a layer that keeps (H, W); return them and its output's channels."""
    if kind == "Conv2d":
        out = draw(st.integers(1, 3))
        return {"in_channels": channels, "out_channels": out, "kernel_size": 3, "padding": 1}, out
    if kind == "BatchNorm2d":
        return {"num_features": channels, "eps": 1.0}, channels  # a small eps magnifies roundings
    return {}, channels


def branching(draw: st.DrawFn, kind: str, channels: int, depth: int) -> tuple[list[Spec], int]:
    """Draw the branches of an Add, a Multiply or a Concat; return them and the output's channels."""
    branches: list[Spec] = []
    widths = []
    for _ in range(draw(st.integers(1, 3))):
        inner, width = network(draw, channels, depth)
        if kind != "Concat" and width != channels:
            inner.append(("Conv2d", {"in_channels": width, "out_channels": channels, "kernel_size": 1}))
            width = channels
        if kind == "Multiply" and draw(st.booleans()):  # rows, columns or both are squeezed into one
            size = draw(st.sampled_from([1, (1, None), (None, 1)]))
            inner.append(("AdaptiveAvgPool2d", {"output_size": size}))
        branches.append(("Sequential", inner))
        widths.append(width)
    return branches, sum(widths) if kind == "Concat" else channels


@st.composite
def container(draw: st.DrawFn, kind: str) -> Case:
    """Random networks of layers and containers inside containers."""
    channels = draw(st.integers(1, 3))
    layers, _ = network(draw, channels, 2) if kind == "Sequential" else branching(draw, kind, channels, 1)
    shape = (draw(st.integers(2, 3)), channels, draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    # smooth values: at a tie of sums that round differently, the two sides' rectifiers may part
    return Case({"layers": layers}, shape, **common(draw, ("normals",)))


@st.composite
def graph(draw: st.DrawFn) -> Case:
    """Random graphs: nodes that read any value before them, sums, concatenations, layers that run again."""
    channels = {"x": draw(st.integers(1, 3))}
    nodes: list[Any] = []
    for index in range(draw(st.integers(1, 5))):
        read, other = (draw(st.sampled_from(sorted(channels))) for _ in range(2))
        again = [node for node in nodes if node[1] in (*PLAIN, "Sequential") and channels[node[3]] == channels[read]]
        kind = draw(st.sampled_from([*PLAIN, "Add", "Concat", "Sequential", *["again"] * 3 * bool(again)]))
        words: Any
        reads = [read]
        if kind == "again":
            words = draw(st.sampled_from(again))[0]
            out = channels[words]
        elif kind == "Sequential":
            words, out = network(draw, channels[read], 0)
        elif kind in ("Add", "Concat"):
            fits = kind == "Concat" or channels[read] == channels[other]
            sizes = {"in_channels": channels[other], "out_channels": channels[read], "kernel_size": 1}
            words, reads = [("Identity", {}), ("Identity", {}) if fits else ("Conv2d", sizes)], [read, other]
            out = channels[read] + (channels[other] if kind == "Concat" else 0)
        else:
            words, out = plain(draw, kind, channels[read])
        nodes.append((f"n{index}", kind, words, *reads))
        channels[f"n{index}"] = out
    unread = sorted(channels.keys() - {read for node in nodes for read in node[3:]})
    if len(unread) > 1:
        nodes.append(("y", "Concat", [("Identity", {}) for _ in unread], *unread))
    shape = (draw(st.integers(2, 3)), channels["x"], draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    return Case({"nodes": nodes}, shape, **common(draw, ("normals",)))


@st.composite
def residual(draw: st.DrawFn) -> Case:
    """Residual blocks on small images."""
    channels = draw(st.integers(1, 3))
    shape = (draw(st.integers(2, 3)), channels, draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    return Case({"channels": channels}, shape, **common(draw, ("normals",)))


@st.composite
def image_model(draw: st.DrawFn, shape: tuple[int, int, int], **options: Strategy[Any]) -> Case:
    """Whole networks on a few images of the size that they are made for."""
    return Case(some(draw, **options), (draw(st.integers(1, 3)), *shape), **common(draw, ("normals",)))


@st.composite
def auxiliary(draw: st.DrawFn) -> Case:
    """A trunk, which learns, and a branch, both random networks; the trunk may end so itself."""
    channels = draw(st.integers(1, 3))
    first, width = plain(draw, "Conv2d", channels)
    rest, width = network(draw, width, 1)
    trunk: list[Spec] = [("Conv2d", first), *rest]
    if draw(st.booleans()):
        trunk.append(("Auxiliary", [("Sequential", network(draw, width, 0)[0]) for _ in range(2)]))
    layers = [("Sequential", trunk), ("Sequential", network(draw, channels, 1)[0])]
    shape = (draw(st.integers(2, 3)), channels, draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    return Case({"layers": layers}, shape, **common(draw, ("normals",)))


@st.composite
def famous(draw: st.DrawFn, *shapes: tuple[int, int, int], batch: int = 2, **options: Strategy[Any]) -> Case:
    """Famous networks on a batch of images of one of the shapes; all options that are given are drawn."""
    kwargs = {name: draw(values) for name, values in options.items()}
    return Case(kwargs, (batch, *draw(st.sampled_from(shapes))), **_deep(draw))


@st.composite
def image_block(draw: st.DrawFn, channels: str, **options: Strategy[Any]) -> Case:
    """Parts of famous networks on small images; all options that are given are drawn, and so many channels."""
    kwargs = {channels: draw(st.integers(1, 4))} | {name: draw(values) for name, values in options.items()}
    shape = (draw(st.integers(2, 3)), kwargs[channels], draw(st.integers(4, 6)), draw(st.integers(4, 6)))
    return Case(kwargs, shape, **_deep(draw))


def _deep(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what every case has, for networks of many rectifiers and maxima: in float64 alone.

    In float32 one of them may round to the other side of its kink, and from there on the gradients
    are those of another network.
    """
    return common(draw, ("normals",)) | {"dtype": "float64", "training": draw(st.sampled_from([True, False]))}
