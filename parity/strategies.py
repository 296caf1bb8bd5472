"""Cases, drawn by hypothesis: built backwards from the output's size, so that none has to be rejected."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .pair import VALUES, Case

Strategy = st.SearchStrategy
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")
REDUCTIONS = st.sampled_from(["sum", "none"])
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(["float64", "float32"])


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


@st.composite
def conv2d(draw: st.DrawFn) -> Case:
    """Convolutions: every argument, groups up to depthwise; a padding mode mostly has something to fill."""
    groups = draw(st.integers(1, 3))
    kwargs = {
        "in_channels": groups * draw(st.integers(1, 2)),
        "out_channels": groups * draw(st.integers(1, 2)),
        "kernel_size": draw(sides(1, 4)),
        "groups": groups,
        **some(draw, bias=st.booleans(), dilation=sides(1, 3), padding_mode=st.sampled_from(PADDING_MODES[1:])),
    }
    kernel, dilation = both(kwargs["kernel_size"]), both(kwargs.get("dilation", 1))
    filled = "padding_mode" in kwargs
    padding = draw(sides(1 if filled else 0, 2) | st.sampled_from(["same", "valid"]))
    stride = (1, 1)
    if padding != "same" and draw(st.booleans()):
        kwargs["stride"] = draw(sides(1, 3))
        stride = both(kwargs["stride"])
    if padding == "same":
        around = tuple(d * (k - 1) for d, k in zip(dilation, kernel, strict=True))
        pads = tuple(total // 2 for total in around)
        far = tuple(total - total // 2 for total in around)
    else:
        pads = far = both(0 if padding == "valid" else padding)
    if padding != 0 or draw(st.booleans()):
        kwargs["padding"] = padding
    mode = kwargs.get("padding_mode", "zeros")
    height, width = (
        image_side(draw, k, s, p, d, least={"reflect": q + 1, "circular": q}.get(mode, 0) or 1)
        for k, s, p, d, q in zip(kernel, stride, pads, dilation, far, strict=True)
    )
    return Case(kwargs, **image_shape(draw, kwargs["in_channels"], height, width), **common(draw))


@st.composite
def pool2d(draw: st.DrawFn, dilated: bool, **options: Strategy[Any]) -> Case:
    """Poolings over sliding windows: overlapping, with gaps, padded, sticking out."""
    side = st.sampled_from([1, 2, 2, 3, 3, 4])  # what is 1 has neither padding nor overlap
    kwargs = {"kernel_size": draw(side | st.tuples(side, side)), **some(draw, stride=sides(1, 4), **options)}
    kernel = both(kwargs["kernel_size"])
    stride = both(kwargs.get("stride", kernel))
    dilation = (1, 1)
    if dilated and draw(st.booleans()):
        kwargs["dilation"] = draw(sides(1, 3))
        dilation = both(kwargs["dilation"])
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    if padding != (0, 0):
        kwargs["padding"] = padding
    # a side of at least the dilation: below it a window may see only padding, which crashes torch's backward
    rest = int("ceil_mode" in kwargs)  # then there should be one
    height, width = (
        image_side(draw, k, s, p, d, least=d, rest=rest)
        for k, s, p, d in zip(kernel, stride, padding, dilation, strict=True)
    )
    return Case(kwargs, **image_shape(draw, draw(st.integers(1, 3)), height, width), **common(draw))


@st.composite
def adaptive_pool2d(draw: st.DrawFn, least: int = 1, **options: Strategy[Any]) -> Case:
    """Adaptive poolings: dividing exactly or not, enlarging too."""
    side = st.integers(least, 5)
    size = draw(side | st.tuples(side | st.none(), side | st.none()))
    kwargs = {"output_size": size, **some(draw, **options)}
    height, width = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    return Case(kwargs, **image_shape(draw, draw(st.integers(1, 3)), height, width), **common(draw))


@st.composite
def linear(draw: st.DrawFn) -> Case:
    """Matrices on the last of one to four axes."""
    features = draw(st.integers(1, 6))
    kwargs = {"in_features": features, "out_features": draw(st.integers(1, 6)), **some(draw, bias=st.booleans())}
    shape = (*draw(st.lists(st.integers(1, 4), max_size=3)), features)
    return Case(kwargs, shape, batched=len(shape) > 1, **common(draw))


def shapes(least: int = 1, most: int = 4) -> Strategy[tuple[int, ...]]:
    """Draw shapes of small sides."""
    return st.lists(st.integers(1, 5), min_size=least, max_size=most).map(tuple)


@st.composite
def elementwise(draw: st.DrawFn, **options: Strategy[Any]) -> Case:
    """Functions of single numbers, on arrays of any shape."""
    shape = draw(shapes(0))
    return Case(some(draw, **options), shape, batched=len(shape) > 0, **common(draw))


@st.composite
def along_axis(draw: st.DrawFn) -> Case:
    """Functions along one axis, counted from either end."""
    shape = draw(shapes())
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    apart = dim % len(shape) != 0
    return Case({"dim": dim}, shape, batched=len(shape) > 1 and apart, independent=apart, **common(draw))


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


@st.composite
def optimizer(draw: st.DrawFn, **options: Strategy[Any]) -> Case:
    """Options of an optimizer, for parameters of some shape."""
    kwargs = some(draw, lr=st.sampled_from([0.0, 1e-3, 0.5]), weight_decay=st.sampled_from([0.0, 0.1]), **options)
    if kwargs.get("nesterov"):
        kwargs |= {"momentum": 0.9, "dampening": 0}
    return Case(kwargs, draw(shapes(0, 3)), dtype=draw(dtypes), seed=draw(seeds))


@st.composite
def schedule(draw: st.DrawFn, **options: Strategy[Any]) -> Case:
    """Arguments of a learning-rate schedule; all those that are given are drawn."""
    return Case({name: draw(values) for name, values in options.items()}, ())
