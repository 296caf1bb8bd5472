"""What a careless caller may hand over: arrays in odd dress, arrays of the wrong kind, and what is no array."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

FLOATS = (np.float32, np.float64)
HUGE = [2**31, 2**40, 2**62, 2**63, 10**30, -(2**63)]
JUNK = [
    *(None, True, False, -1, 0, 1, 2, 3, 7, *HUGE, 2.5, -0.5, 0.0, -0.0, 1e-300, 1e300),
    *(float("nan"), float("inf"), -float("inf"), 1j, "3", "", "mean", "float16", "\0", b"x"),
    *((), (1,), (2, 3), (1, 2, 3), (1, -1), (2, "3"), (0.5, 0.9), (2**62, 2**62), [2, 2], [1.5], [[1, 2], [3, 4]]),
    *({}, {"a": 1}, {1}, {"params": None}, object(), Ellipsis, slice(1), range(2), len, int, np.float64, np.float16),
    *(np.int64(2), np.uint8(2), np.float32(1.5), np.float64("nan"), np.bool_(True), np.datetime64("2020-01-01")),
    *(
        np.array(2),
        np.array(0.5),
        np.array([2, 2]),
        np.array([0.5, 0.5]),
        np.array([]),
        np.array([None]),
        np.ones((2, 2)),
    ),
]
"""Arguments that are mostly wrong; those that are right where they stand are welcome too."""

WRONG_DTYPES = ["float16", "longdouble", "complex64", "complex128", "int8", "int64", "uint8", "bool", "object", "U3"]
WRONG_DTYPES += ["S2", "M8[s]", "m8[s]", "V4", ">f4", ">f8", [("a", "f4"), ("b", "f8")]]
DRESSES = ["plain", "read-only", "strided", "backwards", "transposed", "unaligned", "broadcast", "memmap", "subclass"]


class Own(np.ndarray):
    """A subclass that changes nothing."""


def some(rng: np.random.Generator, values: Sequence[Any]) -> Any:
    """Choose one of several values, as it is."""
    return values[rng.integers(len(values))]


def numbers(rng: np.random.Generator, shape: Sequence[int], dtype: Any) -> Any:
    """Draw numbers: mostly normals, now and then huge, tiny, equal, or not finite."""
    x = rng.standard_normal(tuple(shape)).astype(dtype)
    match rng.integers(12):
        case 0:
            x *= x.dtype.type(1e30)
        case 1:
            x *= x.dtype.type(1e-30)
        case 2:
            x[...] = 1
        case 3 if x.size:
            x.reshape(-1)[rng.integers(x.size)] = some(rng, [np.nan, np.inf, -np.inf])
    return x


def dressed(rng: np.random.Generator, x: Any) -> Any:
    """Return the same numbers as an array that lies in memory in another way, or is of a subclass."""
    match some(rng, DRESSES):
        case "read-only":
            x.flags.writeable = False
        case "strided" if x.ndim:
            wide = np.full((*x.shape[:-1], 2 * x.shape[-1]), np.nan, x.dtype)
            wide[..., ::2] = x
            x = wide[..., ::2]
        case "backwards" if x.ndim:
            x = np.array(x[::-1])[::-1]
        case "transposed":
            x = np.array(x.T, order="C").T
        case "unaligned":
            raw = np.zeros(x.nbytes + 1, np.uint8)
            raw[1:] = np.frombuffer(x.tobytes(), np.uint8)
            x = raw[1:].view(x.dtype).reshape(x.shape)
        case "broadcast" if x.ndim and x.shape[0]:
            x = np.broadcast_to(x[:1], x.shape)
        case "memmap" if x.size:
            with tempfile.TemporaryFile() as file:
                mapped = np.memmap(file, x.dtype, "w+", shape=x.shape)
            mapped[...] = x
            x = mapped
        case "subclass":
            x = x.view(Own)
    return x


def wrong(rng: np.random.Generator, shape: Sequence[int]) -> Any:
    """Return what is no array of float32 or float64 of this shape."""
    match rng.integers(6):
        case 0:
            return some(rng, JUNK)
        case 1:
            return rng.standard_normal(tuple(shape)).tolist()
        case 2:
            return np.zeros(tuple(shape), some(rng, WRONG_DTYPES))
        case 3:
            return np.ma.masked_array(rng.standard_normal(tuple(shape)), rng.random(tuple(shape)) < 0.3)
        case 4:
            return np.asmatrix(rng.standard_normal((3, 3)))
        case _:
            return numbers(rng, other_shape(rng, shape), some(rng, FLOATS))


def other_shape(rng: np.random.Generator, shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape that is a little different."""
    sides = list(shape)
    axis = int(rng.integers(len(sides) + 1))
    match rng.integers(4):
        case 0:
            sides[axis : axis + 1] = []
        case 1:
            sides.insert(axis, int(rng.integers(4)))
        case 2:
            sides[axis : axis + 1] = [0]
        case _:
            sides[axis : axis + 1] = [int(rng.integers(1, 9))]
    return tuple(sides[:6])


def array(rng: np.random.Generator, shape: Sequence[int], dtype: Any, spoil: float = 0.15) -> Any:
    """Return an array that is right, in some dress; or, as often as is said, something else."""
    if rng.random() < spoil:
        return wrong(rng, shape)
    return dressed(rng, numbers(rng, shape, dtype))


def spoiled(rng: np.random.Generator, right: dict[str, Any], share: float = 0.6) -> dict[str, Any]:
    """Choose an argument of each list; often replace one or two of them by junk, leave one out, or add one."""
    chosen = {name: some(rng, values) for name, values in right.items() if values}
    while chosen and rng.random() < share:
        chosen[some(rng, list(chosen))] = some(rng, JUNK)
        share /= 2
    if chosen and rng.random() < 0.03:
        del chosen[some(rng, list(chosen))]
    if rng.random() < 0.02:
        chosen["nobody_knows"] = 1
    return chosen
