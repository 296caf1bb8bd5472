"""What a forward of ours remembers, as tensors that torch can keep: it guards them against changes, and frees them."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

import numpycnn as nc

Memories = list[tuple[nc.Module, Any]]
"""Modules, and what is in the slot of each."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where an array was; which of the tensors it is."""

    index: int


def exchange(memories: Memories) -> Memories:
    """Put what was remembered into the modules' slots; return what was there."""
    before = [(module, module._memory) for module, _ in memories]
    for module, memory in memories:
        module._memory = memory
    return before


def pack(memories: Any, owners: Sequence[torch.Tensor]) -> tuple[Any, list[torch.Tensor]]:
    """Return the memories with places instead of arrays, and the tensors, on the same memory, that belong there.

    An array that lies in the memory of one of the owners becomes a view of it, so that torch sees when it is changed.
    """
    tensors: list[torch.Tensor] = []

    def put(value: Any) -> Any:
        if not isinstance(value, np.ndarray) or not is_plain(value):
            return value
        tensors.append(_tensor(value, owners))
        return Place(len(tensors) - 1)

    return _each(memories, put), tensors


def unpack(memories: Any, tensors: Sequence[torch.Tensor]) -> Any:
    """Return the memories with the arrays in their places again."""

    def take(value: Any) -> Any:
        return tensors[value.index].detach().numpy() if isinstance(value, Place) else value

    return _each(memories, take)


def is_plain(array: np.ndarray) -> bool:
    """Tell whether torch can work on the memory of an array as it lies."""
    return array.flags.writeable and array.dtype.kind in "fib" and all(step >= 0 for step in array.strides)


def _tensor(array: np.ndarray, owners: Sequence[torch.Tensor]) -> torch.Tensor:
    for owner in owners:
        owned = owner.detach().numpy()
        if np.may_share_memory(array, owned) and array.dtype == owned.dtype:
            start = array.ctypes.data - owner.untyped_storage().data_ptr()
            steps = [step // array.itemsize for step in array.strides]
            return owner.detach().as_strided(array.shape, steps, start // array.itemsize)
    return torch.from_numpy(array)


def _each(value: Any, do: Callable[[Any], Any]) -> Any:
    """Do something to everything in nested tuples, lists, dicts and dataclasses; return them made anew."""
    if isinstance(value, Place | type):
        return do(value)
    if isinstance(value, tuple | list):
        return type(value)([_each(item, do) for item in value])
    if isinstance(value, dict):
        return {key: _each(item, do) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        anew = copy.copy(value)
        for field in dataclasses.fields(value):
            object.__setattr__(anew, field.name, _each(getattr(value, field.name), do))
        return anew
    return do(value)
