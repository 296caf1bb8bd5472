"""Initial values, drawn from a NumPy Generator: PyTorch's default, and the rules that models set in its place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .arguments import addressable
from .arrays import Array, float_dtype
from .parameter import Parameter

Seed = int | np.random.Generator | np.random.SeedSequence | np.random.BitGenerator | None
"""What ``numpy.random.default_rng`` takes: None, a seed or a Generator (SPEC 7 of Scientific Python)."""

PIECE = 1 << 16


def generator(rng: Seed) -> np.random.Generator:
    """Parse an argument ``rng``: a Generator is taken as it is, a seed makes one."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(f"expected rng to be None, a seed of at least 0 or a Generator, got {rng!r}") from None


class Blank(np.random.Generator):
    """A Generator that gives zeros, at once: for layers whose values their model is going to draw by its own rule."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Return zeros, whatever the bounds."""
        return np.zeros(size)


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
    addressable("Parameter", "weights", shape)
    parameter = Parameter(np.zeros(shape, float_dtype(dtype)))
    drawn = generator(rng)
    _fill(parameter, lambda count: drawn.uniform(-bound, bound, count))
    return parameter


def normal(parameter: Parameter, std: float, rng: np.random.Generator) -> None:
    """Draw a parameter anew, in place, from N(0, std^2)."""
    _fill(parameter, lambda count: rng.normal(0, std, count))


def kaiming_normal(weight: Parameter, rng: np.random.Generator) -> None:
    """Draw a convolution's weight anew, in place, from N(0, 2 / fan_out), fan_out being O KH KW.

    Rectifiers pass half of what comes; the 2 makes up for it, so that gradients keep their size on
    the way back (He et al., 2015, section 2.2, the backward case).
    """
    filters, _, height, width = weight.data.shape
    normal(weight, math.sqrt(2 / (filters * height * width)), rng)


def kaiming_uniform(weight: Parameter, rng: np.random.Generator) -> None:
    """Draw a convolution's weight anew, in place, from U(-b, b) with b = sqrt(6 / fan_in), fan_in being C KH KW.

    The variance is 2 / fan_in: the activations keep their size on the way through rectifiers (He et
    al., 2015, section 2.2, the forward case).
    """
    bound = math.sqrt(6 / math.prod(weight.data.shape[1:]))
    _fill(weight, lambda count: rng.uniform(-bound, bound, count))


def zeros(parameter: Parameter | None) -> None:
    """Set a parameter to 0, in place; None, a bias that is not there, stays so."""
    if parameter is not None:
        parameter.data[...] = 0


def _fill(parameter: Parameter, draw: Callable[[int], Array]) -> None:
    """Fill a parameter piece by piece: drawn as a whole, in float64, it would take up to three times its memory."""
    values = parameter.data.reshape(-1)
    for start in range(0, values.size, PIECE):
        piece = values[start : start + PIECE]
        piece[...] = draw(piece.size)
