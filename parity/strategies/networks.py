"""Cases of networks: random ones in words, blocks, models."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ..pair import Case
from .pieces import Strategy, common, some

Spec = tuple[str, dict[str, Any] | list[Any]]
"""A layer in words: its class and its arguments, or for a container the layers in it."""


def network(draw: st.DrawFn, channels: int, depth: int) -> tuple[list[Spec], int]:
    """Draw layers that run one after another and keep (H, W); return them and their output's channels."""
    layers: list[Spec] = []
    for _ in range(draw(st.integers(1, 3))):
        kinds = ["Conv2d", "ReLU", "Tanh", "BatchNorm2d"] + (["Add", "Concat", "Sequential"] if depth else [])
        kind = draw(st.sampled_from(kinds))
        if kind == "Conv2d":
            out = draw(st.integers(1, 3))
            layers.append((kind, {"in_channels": channels, "out_channels": out, "kernel_size": 3, "padding": 1}))
            channels = out
        elif kind == "BatchNorm2d":
            layers.append((kind, {"num_features": channels, "eps": 1.0}))  # a small eps magnifies roundings
        elif kind == "Sequential":
            inner, channels = network(draw, channels, depth - 1)
            layers.append((kind, inner))
        elif kind in ("Add", "Concat"):
            branches, channels = branching(draw, kind, channels, depth - 1)
            layers.append((kind, branches))
        else:
            layers.append((kind, {}))
    return layers, channels


def branching(draw: st.DrawFn, kind: str, channels: int, depth: int) -> tuple[list[Spec], int]:
    """Draw the branches of an Add or a Concat; return them and the output's channels."""
    branches: list[Spec] = []
    widths = []
    for _ in range(draw(st.integers(1, 3))):
        inner, width = network(draw, channels, depth)
        if kind == "Add" and width != channels:
            inner.append(("Conv2d", {"in_channels": width, "out_channels": channels, "kernel_size": 1}))
            width = channels
        branches.append(("Sequential", inner))
        widths.append(width)
    return branches, channels if kind == "Add" else sum(widths)


@st.composite
def container(draw: st.DrawFn, kind: str) -> Case:
    """Random networks of layers and containers inside containers."""
    channels = draw(st.integers(1, 3))
    layers, _ = network(draw, channels, 2) if kind == "Sequential" else branching(draw, kind, channels, 1)
    shape = (draw(st.integers(2, 3)), channels, draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    # smooth values: at a tie of sums that round differently, the two sides' rectifiers may part
    return Case({"layers": layers}, shape, **common(draw, ("normals",)))


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
