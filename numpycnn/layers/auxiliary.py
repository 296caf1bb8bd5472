"""A branch that is there for training alone: deep layers learn from an answer given halfway up."""

from __future__ import annotations

from typing import Any

from .arrays import Array
from .containers import Container, located
from .errors import ShapeError
from .layer import Layer


class Auxiliary(Container):
    """In training a trunk and a branch on the same input, ``(f(x), g(x))``; in evaluation mode the trunk's ``f(x)``.

    Each output has a loss of its own, and backward takes their gradients as forward gave the
    outputs: in training a tuple. What comes back from the trunk and from the branch is summed, so
    that the layers before learn from both. A trunk may itself end so: its outputs come first
    (Szegedy et al., 2015, section 5, the auxiliary classifiers).

    Parameters
    ----------
    trunk : Layer
        What runs always.
    branch : Layer
        What runs in training beside it.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Auxiliary(nc.Identity(), nc.ReLU())
    >>> layer(np.array([-1.0, 2.0]))
    (array([-1.,  2.]), array([0., 2.]))
    >>> layer.backward((np.array([1.0, 1.0]), np.array([10.0, 10.0])))
    array([ 1., 11.])
    >>> layer.eval()(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """

    def __init__(self, trunk: Layer, branch: Layer):
        super().__init__(trunk, branch)

    @located
    def forward(self, x: Array) -> Any:
        trunk, branch = self.layers
        y: Any = trunk.forward(x)
        outputs = y if isinstance(y, tuple) else (y,)
        if self.training:
            outputs = (*outputs, branch.forward(x))
        self.remember(outputs[-1], len(outputs), self.training)
        return outputs if len(outputs) > 1 else y

    @located
    def backward(self, dy: Any) -> Array:
        trunk, branch = self.layers
        dy, last = self._deal(dy)
        dx = trunk.backward(dy)
        return dx if last is None else dx + branch.backward(last)

    @located
    def backward_parameters(self, dy: Any) -> None:
        trunk, branch = self.layers
        dy, last = self._deal(dy)
        trunk.backward_parameters(dy)
        if last is not None:
            branch.backward_parameters(last)

    def _deal(self, dy: Any) -> tuple[Any, Array | None]:
        """Return the gradient for the trunk, and that for the branch if it ran."""
        gradients = dy if isinstance(dy, tuple) and dy else (dy,)
        if self._memory is not None and len(gradients) != (expected := self._memory[-1][0]):
            raise ShapeError(self, f"expected a dy for each output, {expected} in all, got {len(gradients)}")
        _, branched = self.recall(gradients[-1])
        if not branched:
            return dy, None
        *others, last = gradients
        return tuple(others) if len(others) > 1 else others[0], last
