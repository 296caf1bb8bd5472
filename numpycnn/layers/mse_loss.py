"""The mean squared error: how far numbers are from what they should be."""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .errors import ShapeError
from .loss import Loss


class MSELoss(Loss):
    """``loss = (x - target)^2``, elementwise, its mean or its sum; ``dx = 2 (x - target) dloss``.

    x and target have the same shape, any, and the same dtype; PyTorch, with a warning, also
    broadcasts them. Only x gets a gradient.

    Parameters
    ----------
    reduction : "none", "mean" or "sum"
        What is made of the squares.

    Raises
    ------
    ValueError
        In forward, if the shapes differ.
    TypeError
        In forward, if the dtypes differ.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> loss = nc.MSELoss()
    >>> print(loss(np.array([1.0, 5.0]), np.array([1.0, 2.0])))
    4.5
    >>> loss.backward(2.0)
    array([0., 6.])
    """

    def forward(self, x: Array, target: Array) -> Array:
        self.check_array(x)
        self.check_target_dtype(target, x)
        if target.shape != x.shape:
            raise ShapeError(self, f"expected a target of the shape of x, {x.shape}, got {target.shape}")
        difference = np.subtract(x, target, dtype=np.float64)
        return self.reduce(difference * difference, difference.size, x.dtype, x, target)

    def backward(self, dy: Array | float = 1.0) -> Array:
        dlosses, dtype, x, target = self.reduce_adjoint(dy)
        return np.asarray(2 * np.subtract(x, target, dtype=np.float64) * dlosses, dtype)
