"""PyTorch's default initialisations, drawn from a NumPy Generator."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .layer import Array, Parameter, float_dtype

Seed = int | np.random.Generator | np.random.SeedSequence | np.random.BitGenerator | None
"""What ``numpy.random.default_rng`` takes: None, a seed or a Generator (SPEC 7 of Scientific Python)."""


def uniform(shape: tuple[int, ...], fan_in: int, rng: Seed, dtype: npt.DTypeLike) -> Parameter:
    """Draw a parameter from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), PyTorch's default for weights and biases.

    It is He's uniform initialisation with the gain of a leaky ReLU of slope sqrt(5): the bound
    sqrt(6 / ((1 + 5) fan_in)) (He et al., 2015, section 2.2).

    Parameters
    ----------
    shape : tuple of int
        The parameter's shape.
    fan_in : int
        How many inputs one output sums over; 0 gives zeros, as there is nothing to sum.
    rng : None, int or Generator
        Where the numbers come from.
    dtype : dtype
        float32 or float64.
    """
    bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0.0
    values: Array = np.random.default_rng(rng).uniform(-bound, bound, shape)
    return Parameter(values.astype(float_dtype(dtype)))
