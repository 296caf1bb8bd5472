"""A part of an array along one axis: one place, every so many from here to there, one of several equal parts."""

from __future__ import annotations

import numpy as np

from .arguments import integer
from .arrays import Array
from .axes import axis_of
from .errors import ShapeError
from .layer import Layer


class Taking(Layer):
    """Takes a part of x; what is not taken has no gradient."""

    def __init__(self, dim: int):
        self.dim = integer(type(self).__name__, "dim", dim)

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        axis = axis_of(self, x, self.dim)
        taken = (*[slice(None)] * axis, self.part(x, x.shape[axis]))
        y = x[taken]
        self.remember(y, x.shape, taken)
        return y

    def backward(self, dy: Array) -> Array:
        shape, taken = self.recall(dy)
        dx = np.zeros(shape, dy.dtype)
        dx[taken] = dy
        return dx

    def part(self, x: Array, length: int) -> int | slice:
        """Say what is taken of an axis of this length."""
        raise NotImplementedError(f"{type(self).__name__} defines no part")


class Select(Taking):
    """What stands at one place of an axis, without the axis: ``y = x[:, index]`` for ``dim = 1``.

    Parameters
    ----------
    dim : int
        The axis; negative ones count from the back.
    index : int
        The place; negative ones count from the end.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Select(1, 2)
    >>> layer(np.array([[1.0, 2.0, 3.0]]))
    array([3.])
    >>> layer.backward(np.array([10.0]))
    array([[ 0.,  0., 10.]])
    """

    def __init__(self, dim: int, index: int):
        super().__init__(dim)
        self.index = integer("Select", "index", index)

    def part(self, x: Array, length: int) -> int:
        if not -length <= self.index < length:
            raise ShapeError(self, f"expected x with a place {self.index} on axis {self.dim}, got shape {x.shape}")
        return self.index


class Slice(Taking):
    """Every ``step``-th place of an axis from ``start`` to before ``end``: for ``dim = 1``, ``x[:, start:end:step]``.

    Parameters
    ----------
    dim : int
        The axis; negative ones count from the back.
    start, end : int
        Negative ones count from the end; what lies outside is not there. No end is the axis's.
    step : int
        At least 1.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Slice(1, 1, step=2)
    >>> layer(np.array([[1.0, 2.0, 3.0, 4.0]]))
    array([[2., 4.]])
    >>> layer.backward(np.array([[10.0, 100.0]]))
    array([[  0.,  10.,   0., 100.]])
    """

    def __init__(self, dim: int, start: int = 0, end: int | None = None, step: int = 1):
        super().__init__(dim)
        self.start = integer("Slice", "start", start)
        self.end = None if end is None else integer("Slice", "end", end)
        self.step = integer("Slice", "step", step, 1)

    def part(self, x: Array, length: int) -> slice:
        return slice(self.start, self.end, self.step)


class Chunk(Taking):
    """One of the parts that ``torch.chunk`` cuts an axis into: of equal length, rounded up, but for the last.

    Parameters
    ----------
    chunks : int
        How many parts are asked for; there are fewer, if rounding up leaves nothing for the last.
    index : int
        Which of them is y.
    dim : int
        The axis; negative ones count from the back.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.Chunk(2, 1, dim=1)(np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]))
    array([[4., 5.]])
    """

    def __init__(self, chunks: int, index: int, dim: int = 0):
        super().__init__(dim)
        self.chunks = integer("Chunk", "chunks", chunks, 1)
        self.index = integer("Chunk", "index", index, 0)

    def part(self, x: Array, length: int) -> slice:
        size = -(-length // self.chunks)
        there = -(-length // size) if size else self.chunks
        if self.index >= there:
            raise ShapeError(self, f"expected x to give {self.index + 1} parts or more, got shape {x.shape}")
        return slice(self.index * size, (self.index + 1) * size)
