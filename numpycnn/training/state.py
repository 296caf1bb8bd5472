"""The state of whatever takes part in a training: taken out, and put back, so that nothing tells the two apart."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..layers.module import Module

Parts = Mapping[str, Any]


def take(parts: Parts) -> dict[str, Any]:
    """Return the state of each part, and its type's name."""
    return {name: {"type": type(part).__name__, "state": _take(name, part)} for name, part in parts.items()}


def put(parts: Parts, states: Mapping[str, Any]) -> None:
    """Put states back into the parts; all or nothing.

    Raises
    ------
    ValueError
        If a part has no state there, or that of something else.
    """
    before = copy.deepcopy(take(parts))
    try:
        for name, part in parts.items():
            if name not in states:
                raise ValueError(f"expected a part {name!r}, got {sorted(states)}")
            saved, kind = states[name], type(part).__name__
            if saved["type"] != kind:
                raise ValueError(f"expected {name!r} to be of type {kind}, got {saved['type']}")
            _put(part, saved["state"])
    except Exception as error:
        for name, part in parts.items():
            _put(part, before[name]["state"])
        raise ValueError(str(error)) from error


def _take(name: str, part: Any) -> Any:
    match part:
        case Module():
            return {
                "modules": [type(module).__name__ for module in part.modules()],
                "arrays": part.state_dict(),
                "generators": [generator.bit_generator.state for generator in _generators(part)],
            }
        case np.random.Generator():
            return part.bit_generator.state
        case dict() | list():
            return part
        case _ if hasattr(part, "state_dict") and hasattr(part, "load_state_dict"):
            return part.state_dict()
    raise TypeError(
        f"expected {name!r} to be a module, a Generator, a dict, a list, or to have state_dict and load_state_dict, "
        f"got {type(part).__name__}"
    )


def _put(part: Any, state: Any) -> None:
    match part:
        case Module():
            _put_module(part, state)
        case np.random.Generator():
            part.bit_generator.state = state
        case dict():
            part.clear()
            part.update(state)
        case list():
            part[:] = state
        case _:
            part.load_state_dict(state)


def _put_module(module: Module, state: Mapping[str, Any]) -> None:
    own, other = [type(inner).__name__ for inner in module.modules()], state["modules"]
    for index, (ours, theirs) in enumerate(itertools.zip_longest(own, other, fillvalue="nothing")):
        if ours != theirs:
            raise ValueError(f"expected a model whose module {index} is {ours}, got {theirs}")
    for name, array in module.named_arrays():
        saved = state["arrays"].get(name)
        if saved is not None and saved.dtype != array.data.dtype:
            raise ValueError(f"expected {name} of dtype {array.data.dtype}, got {saved.dtype}")
    module.load_state_dict(state["arrays"])
    for generator, saved in zip(_generators(module), state["generators"], strict=True):
        generator.bit_generator.state = saved


def _generators(module: Module) -> Iterator[np.random.Generator]:
    """Yield what the layers draw from: dropout's masks, for one."""
    for inner in module.modules():
        for value in vars(inner).values():
            if isinstance(value, np.random.Generator):
                yield value
