"""Arrays as text: to paste, and two of them side by side with the wrong entries marked."""

from __future__ import annotations

import numpy as np

SMALL = 64
"""How many numbers an array may have to be shown whole; of a larger one, the first part that is wrong is shown."""


def literal(array: np.ndarray) -> str:
    """Write an array as NumPy's own constructor call, every bit of it."""
    array = np.asarray(array)
    if not array.size:
        return f"np.zeros({array.shape}, np.{array.dtype})"
    return f"np.array({_lists(array)}, np.{array.dtype})"


def tensor(array: np.ndarray) -> str:
    """Write an array as a tensor, numbers as float64."""
    array = np.asarray(array)
    kind = "float64" if array.dtype.kind == "f" else str(array.dtype)
    if not array.size:
        return f"torch.zeros({array.shape}, dtype=torch.{kind})"
    return f"torch.tensor({_lists(array)}, dtype=torch.{kind})"


def _lists(array: np.ndarray) -> str:
    """Write nested lists; NaN and infinities as the names that NumPy and torch have for them."""
    return repr(array.tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")


def side_by_side(name: str, expected: np.ndarray, got: np.ndarray, wrong: np.ndarray) -> list[str]:
    """Lay two arrays of one shape next to each other, matrix by matrix, with a star at what is wrong."""
    lines = []
    for index in np.ndindex(expected.shape[:-2]):
        if not wrong[index].any() and (lines or expected.size > SMALL):
            continue
        if lines and expected.size > SMALL:
            break
        title = name + (str(list(index)) if index else "")
        matrices = [np.atleast_2d(array[index]) for array in (expected, got, wrong)]
        left = _cells(matrices[0], np.zeros_like(matrices[2]))
        right = _cells(matrices[1], matrices[2])
        width = max(len("expected"), *(len(row) for row in left))
        pad = " " * len(title)
        lines.append(f"{title}  {'expected':{width}}   got")
        lines += [f"{pad}  {a:{width}}   {b}" for a, b in zip(left, right, strict=True)]
    return lines


def _cells(matrix: np.ndarray, marked: np.ndarray) -> list[str]:
    words = [[f"{value:.6g}" + ("*" if mark else " ") for value, mark in zip(*row, strict=True)]
             for row in zip(matrix, marked, strict=True)]  # fmt: skip
    width = max(len(word) for row in words for word in row)
    return ["".join(word.rjust(width + 1) for word in row) for row in words]
