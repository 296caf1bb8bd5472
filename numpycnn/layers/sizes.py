"""What a window makes of an image's size, and what it costs in parameters: answers before anything is built."""

from __future__ import annotations

from ..kernels.window import Window
from .arguments import IntPair, flag, integer, pair


def output_size(
    input_size: IntPair,
    kernel_size: IntPair,
    stride: IntPair = 1,
    padding: IntPair = 0,
    dilation: IntPair = 1,
    ceil_mode: bool = False,
) -> tuple[int, int]:
    """Return (OH, OW), the output's rows and columns, of a convolution or pooling.

    ``floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`` on each axis; with
    ``ceil_mode`` the ceiling, but no window begins behind the input (Dumoulin and Visin, 2016,
    relationship 6). Rows and columns that are left over at the end are seen by no window.

    Parameters
    ----------
    input_size : int or (int, int)
        (H, W), or one number for both.
    kernel_size, stride, padding, dilation : int or (int, int)
        As in ``Conv2d`` and ``MaxPool2d``; a pooling's stride is its kernel size unless it says otherwise.
    ceil_mode : bool
        As in ``MaxPool2d``.

    Raises
    ------
    ValueError
        If an argument is out of range, or the window does not fit.

    Examples
    --------
    >>> from numpycnn import output_size
    >>> output_size(144, 3)
    (142, 142)
    >>> output_size((20, 30), (3, 5), stride=2)
    (9, 13)
    >>> output_size((32, 32), 3, padding=1)
    (32, 32)
    """
    size = pair("output_size", "input_size", input_size, 0)
    kernel = pair("output_size", "kernel_size", kernel_size, 1)
    top, left = pair("output_size", "padding", padding, 0)
    window = Window(
        kernel,
        pair("output_size", "stride", stride, 1),
        ((top, top), (left, left)),
        pair("output_size", "dilation", dilation, 1),
        flag("output_size", "ceil_mode", ceil_mode),
    )
    height, width = window.output_size(size)
    if min(height, width) < 1:
        raise ValueError(
            f"output_size: expected a window that fits into {size} with padding={(top, left)}, "
            f"got one of kernel_size={kernel} that spans {window.extent()}"
        )
    return height, width


def conv2d_num_parameters(
    in_channels: int, out_channels: int, kernel_size: IntPair, groups: int = 1, bias: bool = True
) -> int:
    """Return how many numbers a convolution learns: ``O (C / groups) KH KW``, and O more with a bias.

    A pooling learns none.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, groups, bias
        As in ``Conv2d``.

    Raises
    ------
    ValueError
        If an argument is out of range, or the channels cannot be divided into the groups.

    Examples
    --------
    >>> from numpycnn import conv2d_num_parameters
    >>> conv2d_num_parameters(24, 48, 3)
    10416
    """
    owner = "conv2d_num_parameters"
    height, width = pair(owner, "kernel_size", kernel_size, 1)
    groups = integer(owner, "groups", groups, 1)
    channels, filters = (
        integer(owner, "in_channels", in_channels, 1),
        integer(owner, "out_channels", out_channels, 1),
    )
    if channels % groups or filters % groups:
        raise ValueError(f"{owner}: expected channels divisible by groups={groups}, got {channels} and {filters}")
    return filters * (channels // groups * height * width + flag(owner, "bias", bias))
