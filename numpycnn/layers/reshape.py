"""The same numbers in another shape: any, one axis cut into several, an axis of length 1 more or less."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .arguments import integer
from .arrays import Array
from .axes import axis_of
from .errors import ShapeError
from .layer import Layer


class Reshaping(Layer):
    """Gives x another shape, and the gradient that of x."""

    def forward(self, x: Array) -> Array:
        self.check_array(x)
        y = x.reshape(self.new_shape(x))
        self.remember(y, x.shape)
        return y

    def backward(self, dy: Array) -> Array:
        (shape,) = self.recall(dy)
        return dy.reshape(shape)

    def new_shape(self, x: Array) -> tuple[int, ...]:
        """Return the shape that x gets."""
        raise NotImplementedError(f"{type(self).__name__} defines no new_shape")

    def fill(self, sizes: tuple[int, ...], count: int, x: Array) -> tuple[int, ...]:
        """Put what is left of a count in the place of -1."""
        known = math.prod(size for size in sizes if size != -1)
        if count == known and -1 not in sizes:
            return sizes
        if -1 not in sizes or known == 0 or count % known:
            raise ShapeError(self, f"expected {count} numbers to fill {sizes}, got x of shape {x.shape}")
        return tuple(count // known if size == -1 else size for size in sizes)


class Reshape(Reshaping):
    """The numbers of x in row-major order, in a given shape.

    For images, ``Flatten`` and ``Unflatten`` are safer: they keep the samples of a batch apart,
    whatever their number and size.

    Parameters
    ----------
    shape : sequence of int
        The shape of y. One side may be -1: what is left.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.Reshape((-1, 2))(np.array([1.0, 2.0, 3.0, 4.0]))
    array([[1., 2.],
           [3., 4.]])
    """

    def __init__(self, shape: Sequence[int]):
        self.shape = _sizes("Reshape", "shape", shape)

    def new_shape(self, x: Array) -> tuple[int, ...]:
        return self.fill(self.shape, x.size, x)

    def __repr__(self) -> str:
        return f"Reshape({self.shape})"


class Unflatten(Reshaping):
    """One axis cut into several, in row-major order: the inverse of ``Flatten``.

    Parameters
    ----------
    dim : int
        The axis; negative ones count from the back.
    unflattened_size : sequence of int
        What it is cut into. One side may be -1: what is left.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.Unflatten(1, (3, -1))(np.zeros((2, 12, 5))).shape
    (2, 3, 4, 5)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]):
        self.dim = integer("Unflatten", "dim", dim)
        self.unflattened_size = _sizes("Unflatten", "unflattened_size", unflattened_size)
        if not self.unflattened_size:
            raise ValueError("Unflatten: expected unflattened_size to be one number or more, got none")

    def new_shape(self, x: Array) -> tuple[int, ...]:
        axis = axis_of(self, x, self.dim)
        return *x.shape[:axis], *self.fill(self.unflattened_size, x.shape[axis], x), *x.shape[axis + 1 :]

    def __repr__(self) -> str:
        return f"Unflatten({self.dim}, {self.unflattened_size})"


class Unsqueeze(Reshaping):
    """An axis of length 1 is put in.

    Parameters
    ----------
    dim : int
        Where it stands in y; negative ones count from the back.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.Unsqueeze(-1)(np.zeros((2, 3))).shape
    (2, 3, 1)
    """

    def __init__(self, dim: int):
        self.dim = integer("Unsqueeze", "dim", dim)

    def new_shape(self, x: Array) -> tuple[int, ...]:
        axis = axis_of(self, x, self.dim, x.ndim + 1)
        return *x.shape[:axis], 1, *x.shape[axis:]


class Squeeze(Reshaping):
    """An axis is left out if its length is 1; else nothing happens.

    Parameters
    ----------
    dim : int
        The axis; negative ones count from the back.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.Squeeze(-1)(np.zeros((2, 3, 1))).shape
    (2, 3)
    """

    def __init__(self, dim: int):
        self.dim = integer("Squeeze", "dim", dim)

    def new_shape(self, x: Array) -> tuple[int, ...]:
        axis = axis_of(self, x, self.dim, max(x.ndim, 1))  # a scalar has one axis, as in PyTorch
        return x.shape if x.shape[axis : axis + 1] != (1,) else (*x.shape[:axis], *x.shape[axis + 1 :])


def _sizes(owner: str, name: str, value: Sequence[int]) -> tuple[int, ...]:
    """Parse the sides of a shape, of which one may be -1."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"{owner}: expected {name} to be a sequence of ints, got {value!r}")
    sizes = tuple(integer(owner, name, size, -1) for size in value)
    if sizes.count(-1) > 1:
        raise ValueError(f"{owner}: expected {name} with one -1 at most, got {value!r}")
    return sizes
