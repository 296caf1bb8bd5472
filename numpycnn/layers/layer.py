"""The contract of every layer: forward, and backward, which is its derivative."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from .arrays import Array
from .module import Module


class Layer(Module):
    """A function of one array with its derivative.

    ``forward(x)`` returns y and remembers what the derivative needs; ``backward(dy)`` consumes it,
    adds to the parameters' ``grad`` and returns dx. Neither writes into what it was given, nor
    later into what it returned. What forward remembers of x and y is not copied: do not write into
    them before backward.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> class Square(nc.Layer):
    ...     def forward(self, x):
    ...         self.check_array(x)
    ...         y = x * x
    ...         self.remember(y, x)
    ...         return y
    ...
    ...     def backward(self, dy):
    ...         (x,) = self.recall(dy)
    ...         return 2 * x * dy
    >>> layer = Square()
    >>> layer(np.array([1.0, 2.0, 3.0]))
    array([1., 4., 9.])
    >>> layer.backward(np.array([1.0, 10.0, 100.0]))
    array([  2.,  40., 600.])
    """

    def forward(self, x: Array) -> Array:
        """Return the layer's output for x."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to x, given the one with respect to the output."""
        raise NotImplementedError(f"{type(self).__name__} defines no backward")

    def backward_parameters(self, dy: Array) -> None:
        """Do as backward does, but for dx: enough for a whole model in training, and less work."""
        self.backward(dy)

    def save(
        self, path: str | os.PathLike[str], *, input_shape: Sequence[int] | None = None, output: Any = None
    ) -> None:
        """Write structure and weights to one file, whole or not at all; ``numpycnn.load`` reads it.

        Needs the extra ``numpycnn-parity[save]``. The weights in it are a state dict that PyTorch loads
        too, by ``safetensors.torch.load_file``.

        Parameters
        ----------
        path : path
            The file, by custom ``*.safetensors``; one that is there is replaced.
        input_shape : sequence of int, optional
            Keep with the model what it gives in evaluation mode for ``fixed_input(input_shape)``, so
            that whoever loads it sees whether it still does.
        output : array, optional
            What it is to give then, if another one has said so; by default it is run.

        Raises
        ------
        ValueError
            If there is a layer of one's own in the model, which nobody could build again.
        """
        from .files import save  # which builds on all layers

        save(self, path, input_shape, output)

    def __call__(self, x: Array) -> Array:
        return self.forward(x)
