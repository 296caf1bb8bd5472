"""The steps of a module's forward, recorded by torch.fx; modules that are converted already are single steps."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn

import numpycnn as nc

from .errors import ConversionError

OUTSIDE = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
"""Folders whose lines are not those of the module that is converted."""


def trace(module: nn.Module, path: str, done: Mapping[str, nc.Layer | ConversionError]) -> fx.Graph:
    """Record what the forward of a module does to one array.

    Raises
    ------
    ConversionError
        If it cannot be recorded; most often since its forward asks for a value or a shape to decide what to do.
    """
    tracer = Tracer(path, done)
    return tracer.trace(Called(module))


def gives_one_array(module: nn.Module, done: Mapping[str, nc.Layer | ConversionError]) -> bool:
    """Tell whether a whole model gives a single array in evaluation mode."""
    modes = {part: part.training for part in module.modules()}
    try:
        graph = trace(module.eval(), "", done)
    finally:
        for part, training in modes.items():
            part.training = training
    (output,) = (node.args[0] for node in graph.nodes if node.op == "output")
    return isinstance(output, fx.Node) and not names_a_tuple(output.target)


def names_a_tuple(target: Any) -> bool:
    """Tell whether what a step calls is a named tuple's class, which puts values together."""
    return isinstance(target, type) and issubclass(target, tuple)


def path_in_model(path: str, inside: str) -> str:
    """Return the path in the whole model of what stands inside ``Called``, which has a path itself."""
    return ".".join(part for part in (path, inside.removeprefix("module").removeprefix(".")) if part)


class Called(nn.Module):
    """A module, called with one array: whatever else its forward takes is at its default."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor) -> Any:
        return self.module(x)


class Tracer(fx.Tracer):
    """Records; steps into what has not been converted as a whole."""

    record_stack_traces = True

    def __init__(self, path: str, done: Mapping[str, nc.Layer | ConversionError]):
        super().__init__()
        self._path, self._done = path, done
        self._whole = False

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return self._whole

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        inside = self.path_of_module(m)
        path = path_in_model(self._path, inside)
        made = self._done.get(path) if inside != "module" else None
        if (
            isinstance(made, ConversionError)
            and type(m).__module__.startswith("torch.nn.")
            and not len([*m.children()])
        ):
            raise made
        self._whole = isinstance(made, nc.Layer) and len(args) == 1 and isinstance(args[0], fx.Proxy) and not kwargs
        try:
            return super().call_module(m, forward, args, kwargs)
        except ConversionError:
            raise
        except Exception as error:
            frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(OUTSIDE)]
            place = "".join(f" ({frame.filename}:{frame.lineno}: {frame.line})" for frame in frames[-1:])
            raise ConversionError(path, f"its forward cannot be traced: {error}{place}") from error
