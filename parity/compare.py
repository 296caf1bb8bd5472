"""The tolerance rule, in one place, and what is said when it is broken."""

from __future__ import annotations

from typing import Any

import numpy as np


def agree(
    what: str, ours: Any, theirs: np.ndarray, dtype: str, ulps: float, exact: bool = False, order: float = 1.0
) -> None:
    """Raise AssertionError unless ours is theirs, but for rounding.

    The error may be ``ulps * eps * scale``: eps of the dtype that ours ran in, the scale the
    largest finite entry of theirs, but at least the order of the arrays that were drawn: below that
    a result is small by cancellation, and its error is that of what cancelled. NaN and the
    infinities must stand in the same places. With ``exact`` every bit must agree (-0 and 0 being
    one number).

    Parameters
    ----------
    what : str
        What is compared, for the report.
    ours, theirs : ndarray
        The two; theirs is the judge, in float64.
    dtype : str
        The dtype that ours must have.
    ulps : float
        The tolerance.
    exact : bool
        Whether there is none.
    order : float
        The order of the arrays that were drawn.
    """
    if not isinstance(ours, np.ndarray | np.generic):
        raise AssertionError(f"{what}: expected an array, got {type(ours).__name__}")
    if ours.dtype != dtype:
        raise AssertionError(f"{what}: expected dtype {dtype}, got {ours.dtype}")
    if ours.shape != theirs.shape:
        raise AssertionError(f"{what}: expected shape {theirs.shape}, got {ours.shape}")
    ours = np.asarray(ours)
    error, bound = distance(ours, theirs), 0.0 if exact else allowed(theirs, dtype, ulps, order)
    wrong = ~(error <= bound)
    if wrong.any():
        worst = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
        at = f" at {tuple(map(int, worst))}" if worst else ""
        raise AssertionError(
            f"{what}: {wrong.sum()} of {wrong.size} entries differ by more than {bound:.3g}; the worst{at}: "
            f"expected {theirs[worst].item()!r}, got {ours[worst].item()!r}{_both(ours, theirs, wrong)}"
        )


def named(outputs: Any) -> dict[str, Any]:
    """Name what a forward returned: "y", and if there is more "y/1", ..., or what a pooling adds, "indices"."""
    first, *others = outputs if isinstance(outputs, tuple) else (outputs,)
    whole = ["int" in str(getattr(other, "dtype", "")) for other in others]
    names = ["indices" if integers else f"y/{index}" for index, integers in enumerate(whole, 1)]
    return {"y": first} | dict(zip(names, others, strict=True))


def one_or_all(values: list[Any]) -> Any:
    """Return upstream gradients as a backward takes them: an array, or a tuple of as many as there are outputs."""
    return tuple(values) if len(values) > 1 else values[0]


def allowed(theirs: np.ndarray, dtype: str, ulps: float, order: float = 1.0) -> float:
    """Return how far from the judge's an entry may be."""
    return float(ulps * np.finfo(dtype).eps * scale(theirs, order))


def wrong_entries(ours: np.ndarray, theirs: np.ndarray, dtype: str, ulps: float) -> np.ndarray:
    """Say for every entry whether it is wrong; both of one shape."""
    return ~(distance(ours, theirs) <= allowed(theirs, dtype, ulps))


def distance(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return ``|ours - theirs|`` in float64; 0 where both are the same infinity or NaN, inf where only one is."""
    ours = ours.astype(np.float64)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    finite = np.isfinite(ours) & np.isfinite(theirs)
    error = np.full(ours.shape, np.inf)
    error[finite] = np.abs(ours[finite] - theirs[finite])
    error[same] = 0
    return error


def scale(theirs: np.ndarray, order: float = 1.0) -> float:
    """Return the largest finite entry, at least the order of what was drawn: what errors are measured by."""
    return float(np.max(np.abs(theirs), where=np.isfinite(theirs), initial=order))


def _both(ours: np.ndarray, theirs: np.ndarray, wrong: np.ndarray) -> str:
    """Show both arrays, while they are small enough to be read."""
    if ours.size > 64:
        return ""
    return f"\nexpected\n{theirs}\ngot\n{ours}\nwrong\n{wrong.astype(int)}"
