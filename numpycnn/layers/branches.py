"""Branches that run side by side and meet again: their sum, their product, or their outputs one beside the other."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from .arguments import integer
from .arrays import Array
from .broadcast import sum_to
from .containers import Container, located
from .errors import ShapeError
from .layer import Layer


class Branches(Container):
    """Layers side by side, all on one input, or in a ``Graph`` each on its own, whose outputs are joined.

    A kind of branches says how outputs are joined, and how the upstream gradient is dealt to them.
    """

    def __init__(self, *branches: Layer):
        if not branches:
            raise ValueError(f"{type(self).__name__}: expected at least one branch, got none")
        super().__init__(*branches)

    def join(self, outputs: list[Array]) -> Array:
        """Make one array of what the branches gave."""
        raise NotImplementedError(f"{type(self).__name__} defines no join")

    def deal(self, dy: Array) -> list[Array]:
        """Return the gradient with respect to each branch's output."""
        raise NotImplementedError(f"{type(self).__name__} defines no deal")

    @located
    def forward(self, x: Array) -> Array:
        return self.forward_each([x] * len(self))

    @located
    def backward(self, dy: Array) -> Array:
        return functools.reduce(np.add, self.backward_each(dy))

    @located
    def backward_parameters(self, dy: Array) -> None:
        for branch, part in zip(self.layers, self.deal(dy), strict=True):
            branch.backward_parameters(part)

    def forward_each(self, inputs: Sequence[Array]) -> Array:
        """Run each branch on an input of its own."""
        return self.join([branch.forward(x) for branch, x in zip(self.layers, inputs, strict=True)])

    def backward_each(self, dy: Array) -> list[Array]:
        """Return the gradient with respect to each branch's input."""
        return [branch.backward(part) for branch, part in zip(self.layers, self.deal(dy), strict=True)]


class Add(Branches):
    """The sum of branches that all see the same input: ``y = f_1(x) + ... + f_n(x)``.

    Every branch gets the whole upstream gradient; what comes back is summed. With ``Identity`` as
    one branch this is the residual connection (He et al., 2016, equation 1).

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.Add(nc.Identity(), nc.ReLU())(np.array([-1.0, 2.0]))
    array([-1.,  4.])
    """

    def join(self, outputs: list[Array]) -> Array:
        if len({y.shape for y in outputs}) > 1:
            raise ShapeError(self, f"expected branches of one shape, to be added, got {[y.shape for y in outputs]}")
        return functools.reduce(np.add, outputs)

    def deal(self, dy: Array) -> list[Array]:
        return [dy] * len(self)


class Multiply(Branches):
    """The product of branches that all see the same input: ``y = f_1(x) * ... * f_n(x)``.

    A branch whose output has sides of 1 is repeated along them. Each branch gets the upstream
    gradient times what the others gave, summed over what it was repeated for. With ``Identity`` as
    one branch, and another that looks at whole channels, (N, C, 1, 1), this is squeeze and
    excitation (Hu et al., 2018, equation 4).

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Multiply(nc.Identity(), nc.AdaptiveAvgPool2d(1))
    >>> layer(np.array([[[1.0, 3.0]]]))
    array([[[2., 6.]]])
    >>> layer.backward(np.array([[[1.0, 0.0]]]))
    array([[[2.5, 0.5]]])
    """

    def join(self, outputs: list[Array]) -> Array:
        shapes = [y.shape for y in outputs]
        if len(set(map(len, shapes))) > 1 or any(len({*sides} - {1}) > 1 for sides in zip(*shapes, strict=True)):
            raise ShapeError(self, f"expected branches of one shape, but for sides of 1, got {shapes}")
        y = functools.reduce(np.multiply, outputs)
        self.remember(y, outputs)
        return y

    def deal(self, dy: Array) -> list[Array]:
        (outputs,) = self.recall(dy)
        parts = []
        for index, y in enumerate(outputs):
            others = outputs[:index] + outputs[index + 1 :]
            parts.append(sum_to(y.shape, dy, *others))
        return parts


class Concat(Branches):
    """Branches that all see the same input, their outputs side by side along an axis.

    Every branch gets its slice of the upstream gradient; what comes back is summed. With the
    channels as the axis this is the inception module (Szegedy et al., 2015, section 4).

    Parameters
    ----------
    *branches : Layer
        What to run.
    dim : int
        The axis; 1, the channels of a batch, by default.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> nc.Concat(nc.Identity(), nc.ReLU())(np.ones((2, 3, 4, 4))).shape
    (2, 6, 4, 4)
    """

    def __init__(self, *branches: Layer, dim: int = 1):
        super().__init__(*branches)
        self.dim = integer("Concat", "dim", dim)

    def join(self, outputs: list[Array]) -> Array:
        if len({self._other_sides(y) for y in outputs}) > 1:
            raise ShapeError(
                self, f"expected branches that agree in shape but for axis {self.dim}, got {[y.shape for y in outputs]}"
            )
        y = np.concatenate(outputs, self.dim)
        self.remember(y, [branch.shape[self.dim] for branch in outputs])
        return y

    def deal(self, dy: Array) -> list[Array]:
        (widths,) = self.recall(dy)
        return np.split(dy, np.cumsum(widths)[:-1], self.dim)

    def _other_sides(self, y: Array) -> tuple[int, ...]:
        if not -y.ndim <= self.dim < y.ndim:
            raise ShapeError(self, f"expected branches with an axis {self.dim}, got one of shape {y.shape}")
        axis = self.dim % y.ndim
        return (*y.shape[:axis], -1, *y.shape[axis + 1 :])
