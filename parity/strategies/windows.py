"""Cases of layers whose windows slide over images; built backwards from the output's size."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ..pair import Case
from .pieces import FINITE_OR_NAN, Strategy, both, common, image_shape, image_side, sides, some

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


@st.composite
def conv2d(draw: st.DrawFn) -> Case:
    """Convolutions: every argument, groups up to depthwise; a padding mode mostly has something to fill."""
    kwargs = _filters(draw, padding_mode=st.sampled_from(PADDING_MODES[1:]))
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
def winograd_conv2d(draw: st.DrawFn) -> Case:
    """Convolutions that Winograd's algorithm can do, without stride or dilation, most of some channels and tiles.

    No infinities and no NaN: they spread to the whole tile.
    """
    groups = draw(st.sampled_from([1, 1, 2]))
    kernel = both(draw(sides(2, 5)))
    channels = st.sampled_from([16, 17, 16, 8])
    kwargs = {
        "in_channels": groups * draw(channels),
        "out_channels": groups * draw(channels),
        "kernel_size": kernel,
        "groups": groups,
        **some(draw, bias=st.booleans()),
    }
    padding = draw(st.sampled_from(["same", "valid"]) | st.tuples(*(st.integers(0, taps - 1) for taps in kernel)))
    kwargs["padding"] = padding
    size = (draw(st.integers(16, 24) | st.integers(1, 24)) for _ in kernel)
    shape = kwargs["in_channels"], *(max(side, taps) for side, taps in zip(size, kernel, strict=True))
    batch = draw(st.sampled_from([4, 5, 1]))
    return Case(kwargs, (batch, *shape), **common(draw, values=("integers", "normals", "large")))


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
def conv_transpose2d(draw: st.DrawFn) -> Case:
    """Transposed convolutions: every argument, groups up to depthwise; the padding leaves something."""
    kwargs = _filters(draw, stride=sides(1, 3), padding=sides(0, 2))
    kernel, dilation, stride, padding = (
        both(kwargs.get(name, default))
        for name, default in (("kernel_size", 1), ("dilation", 1), ("stride", 1), ("padding", 0))
    )
    if draw(st.booleans()):
        kwargs["output_padding"] = tuple(
            draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)
        )
    height, width = (
        max(1, -(-(2 * p - d * (k - 1)) // s) + 1) + draw(st.integers(0, 3))  # from there on something is left
        for k, s, p, d in zip(kernel, stride, padding, dilation, strict=True)
    )
    return Case(kwargs, **image_shape(draw, kwargs["in_channels"], height, width), **common(draw))


@st.composite
def upsample(draw: st.DrawFn, modes: tuple[str, ...] = ("nearest", "bilinear")) -> Case:
    """Images made larger or smaller, to a size or by factors, that divide exactly or not."""
    mode = draw(st.sampled_from(modes))
    kwargs: dict[str, Any] = {} if mode == "nearest" else {"mode": mode, **some(draw, align_corners=st.booleans())}
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    if draw(st.booleans()):
        kwargs["size"] = draw(sides(1, 9))
    else:
        factor = st.sampled_from([1.0, 1.3, 1.5, 2.0, 2.7, 3.0])
        smaller = st.sampled_from([0.4, 0.5, 1.0])
        factors = (draw(factor if side < 3 else factor | smaller) for side in (height, width))
        kwargs["scale_factor"] = draw(factor) if draw(st.booleans()) else tuple(factors)
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 3)), height, width)
    # a share of 0 makes NaN of an infinity, and whether a share is 0 is a matter of its last bit
    values = FINITE_OR_NAN if mode == "bilinear" else (*FINITE_OR_NAN, "corners")
    return Case(kwargs, shape, **common(draw, values))


def _filters(draw: st.DrawFn, **options: Strategy[Any]) -> dict[str, Any]:
    """Draw what a convolution of either kind has, groups up to depthwise, and some of the options."""
    groups = draw(st.integers(1, 3))
    return {
        "in_channels": groups * draw(st.integers(1, 2)),
        "out_channels": groups * draw(st.integers(1, 2)),
        "kernel_size": draw(sides(1, 4)),
        "groups": groups,
        **some(draw, bias=st.booleans(), dilation=sides(1, 3), **options),
    }
