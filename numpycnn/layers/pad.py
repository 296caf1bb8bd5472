"""A border of one value, along any axes: how networks without learned short cuts add channels, and rows to images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arguments import addressable, integer, number
from .arrays import Array
from .errors import ShapeError
from .layer import Layer


class Pad(Layer):
    """x with places before and after it along its last axes, all of one value; ``torch.nn.functional.pad`` as a layer.

    Parameters
    ----------
    pad : sequence of int
        How many places come before and after x along the last axis, then along the last but one, and
        so on; negative numbers cut off as many.
    value : float
        What stands there.

    Raises
    ------
    ValueError
        If the numbers come not in pairs; in forward, if x has fewer axes than there are pairs, or if more
        is to be cut off than there is.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Pad((1, 0, 0, 1), value=7.0)
    >>> layer(np.array([[1.0, 2.0]]))
    array([[7., 1., 2.],
           [7., 7., 7.]])
    >>> layer.backward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    array([[2., 3.]])
    """

    def __init__(self, pad: Sequence[int], value: float = 0.0):
        if isinstance(pad, str) or not isinstance(pad, Sequence):
            raise TypeError(f"Pad: expected pad to be a sequence of ints, got {pad!r}")
        self.pad = tuple(integer("Pad", "pad", places) for places in pad)
        if len(self.pad) % 2:
            raise ValueError(f"Pad: expected a number before and one after each axis, got {pad!r}")
        self.value = number("Pad", "value", value, -np.inf)

    def borders(self, axes: int) -> list[tuple[int, int]]:
        """Return how many places come before and after x along each of its axes."""
        pairs = list(zip(self.pad[::2], self.pad[1::2], strict=True))
        return [(0, 0)] * (axes - len(pairs)) + pairs[::-1]

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        borders = self.borders(x.ndim)
        if len(borders) > x.ndim or any(
            side + min(before, 0) + min(after, 0) < 0 for side, (before, after) in zip(x.shape, borders, strict=True)
        ):
            raise ShapeError(self, f"expected x with axes that can be padded by {self.pad}, got shape {x.shape}")
        sides = tuple(side + before + after for side, (before, after) in zip(x.shape, borders, strict=True))
        addressable("Pad", "an output", sides)
        y = np.full(sides, self.value, x.dtype)
        inside = tuple(slice(max(0, b), side - max(0, a)) for side, (b, a) in zip(sides, borders, strict=True))
        kept = tuple(slice(max(0, -b), side - max(0, -a)) for side, (b, a) in zip(x.shape, borders, strict=True))
        y[inside] = x[kept]
        self.remember(y, x.shape, inside, kept)
        return y

    def backward(self, dy: Array) -> Array:
        shape, inside, kept = self.recall(dy)
        dx = np.zeros(shape, dy.dtype)
        dx[kept] = dy[inside]
        return dx

    def __repr__(self) -> str:
        return f"Pad({self.pad}{f', value={self.value!r}' if self.value else ''})"
