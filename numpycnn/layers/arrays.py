"""What arrays a layer works with: plain ones of NumPy, in float32 or float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
OTHER_ARITHMETIC = (np.ma.MaskedArray, np.matrix)  # arrays to whom sums and products are something else


def float_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Parse a dtype argument, at the door.

    Raises
    ------
    TypeError
        If it is neither float32 nor float64.
    """
    if dtype is None:  # which NumPy takes for float64
        raise TypeError("expected dtype float32 or float64, got None")
    try:
        parsed = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError):
        raise TypeError(f"expected dtype float32 or float64, got {dtype!r}") from None
    if parsed not in FLOATS:
        raise TypeError(f"expected dtype float32 or float64, got {parsed}")
    return parsed
