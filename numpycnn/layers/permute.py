"""Another order, without arithmetic: of the axes, or of the channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arguments import integer
from .arrays import Array
from .errors import ShapeError
from .layer import Layer


class Permute(Layer):
    """Put the axes in another order: axis i of y is axis ``dims[i]`` of x; torchvision.ops has it under this name.

    Parameters
    ----------
    dims : sequence of int
        Each axis of x once; negative ones count from the back.

    Raises
    ------
    ValueError
        In forward, if x has other axes.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Permute((0, 2, 3, 1))  # the channels go last
    >>> layer(np.ones((2, 3, 4, 5))).shape
    (2, 4, 5, 3)
    >>> layer.backward(np.ones((2, 4, 5, 3))).shape
    (2, 3, 4, 5)
    """

    def __init__(self, dims: Sequence[int]):
        if not isinstance(dims, Sequence) or isinstance(dims, str):
            raise TypeError(f"Permute: expected dims to be a sequence of axes, got {dims!r}")
        self.dims = tuple(integer("Permute", "dims", axis) for axis in dims)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        axes = [axis + x.ndim if axis < 0 else axis for axis in self.dims]
        if sorted(axes) != list(range(x.ndim)):
            raise ShapeError(self, f"expected x whose axes are those of dims, got shape {x.shape}")
        y = x.transpose(axes)
        self.remember(y, np.argsort(axes))
        return y

    def backward(self, dy: Array) -> Array:
        (places,) = self.recall(dy)
        return dy.transpose(places)


class ChannelShuffle(Layer):
    """Deal the channels of x like cards: ``y[:, i groups + g] = x[:, g C / groups + i]``.

    So that the next grouped convolution sees something of each group of the last one (Zhang et al.,
    2018, section 3.1). Input is (N, C, L), (N, C, H, W), ...

    Parameters
    ----------
    groups : int
        How many groups the channels are in.

    Raises
    ------
    ValueError
        In forward, for x of fewer than three axes, or channels that cannot be divided into the groups.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.ChannelShuffle(2)
    >>> layer(np.arange(6.0).reshape(1, 6, 1)).ravel()
    array([0., 3., 1., 4., 2., 5.])
    >>> layer.backward(np.arange(6.0).reshape(1, 6, 1)).ravel()
    array([0., 2., 4., 1., 3., 5.])
    """

    def __init__(self, groups: int):
        self.groups = integer("ChannelShuffle", "groups", groups, 1)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        if x.ndim < 3 or x.shape[1] % self.groups:
            raise ShapeError(
                self, f"expected x of shape (N, C, ...) with C divisible by groups={self.groups}, got shape {x.shape}"
            )
        y = _dealt(x, self.groups, x.shape[1] // self.groups)
        self.remember(y)
        return y

    def backward(self, dy: Array) -> Array:
        self.recall(dy)
        return _dealt(dy, dy.shape[1] // self.groups, self.groups)


def _dealt(x: Array, groups: int, each: int) -> Array:
    """Take the first channel of each group, then the second of each, ..."""
    if not x.shape[1]:  # no channels can be in any number of groups
        return x.copy()
    return x[:, np.arange(groups * each).reshape(groups, each).T.ravel()]
