"""How a layer with other conventions than ours is spoken to: declared, not programmed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from .place import Place


@dataclass(frozen=True)
class Adapter:
    """What another layer calls things, and how it lays them out; what is left out is as in PyTorch.

    Parameters
    ----------
    arguments : mapping
        PyTorch's arguments of the constructor to theirs: ``{"kernel_size": "k"}``. An argument that the
        layer does not take is left out of the cases. ``"weight"`` and ``"bias"`` may be there too, where
        the constructor wants arrays.
    always : mapping
        Arguments that only PyTorch gets, for what the layer does anyway: ``{"bias": False}``.
    square : bool
        Whether kernel sizes, strides and the like are single numbers.
    images : "NCHW" or "NHWC"
        The layout of images.
    one_hot : bool
        For losses: whether labels are rows of 0 with a 1 for the class.
    parameters : mapping
        PyTorch's parameters and buffers to theirs, with their layouts: ``{"weight": "W:HWIO"}``; a path
        of attributes and keys, then the letters of the axes: output, input, height, width, and 1.
    gradients : mapping
        Where backward leaves the gradients: ``{"weight": "dW"}``; in the parameter's layout unless it says so.
    returns : sequence of str
        What backward returns, in order: ``("x", "weight", "bias")``.
    forward, backward : str
        The names of the methods; ``backward=""`` for a layer that has none.

    Examples
    --------
    >>> from parity import Adapter
    >>> adapter = Adapter(arguments={"kernel_size": "k"}, parameters={"weight": "W:HWIO"}, gradients={"weight": "dW"})
    >>> adapter.parameters["weight"].layout
    'HWIO'
    """

    arguments: Mapping[str, str] = field(default_factory=dict)
    always: Mapping[str, Any] = field(default_factory=dict)
    square: bool = False
    images: str = "NCHW"
    one_hot: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    gradients: Mapping[str, Any] = field(default_factory=dict)
    returns: Sequence[str] = ("x",)
    forward: str = "forward"
    backward: str = "backward"

    def __post_init__(self) -> None:
        for name in ("arguments", "always", "parameters", "gradients"):
            if not isinstance(getattr(self, name), Mapping):
                raise TypeError(f"Adapter: expected {name} to be a mapping, got {getattr(self, name)!r}")
        if self.images not in ("NCHW", "NHWC"):
            raise ValueError(f"Adapter: expected images to be 'NCHW' or 'NHWC', got {self.images!r}")
        if not isinstance(self.returns, list | tuple) or list(self.returns).count("x") != 1:
            raise ValueError(f"Adapter: expected returns to name what backward returns, x once, got {self.returns!r}")
        for table in ("parameters", "gradients"):
            places = {name: Place.parse(name, text) for name, text in getattr(self, table).items()}
            object.__setattr__(self, table, places)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Adapter:
        """Build an adapter from what a TOML file says, refusing what is no field of it."""
        unknown = sorted(set(table) - {entry.name for entry in fields(cls)})
        if unknown:
            known = ", ".join(entry.name for entry in fields(cls))
            raise ValueError(f"Adapter: expected some of {known}, got {', '.join(unknown)}")
        return cls(**table)

    def place_of_gradient(self, name: str) -> Place | None:
        """Say where backward leaves the gradient of a parameter; None if it returns it, or the parameter has it."""
        place = self.gradients.get(name)
        if place is not None and not place.layout and name in self.parameters:
            return Place(place.path, self.parameters[name].layout)
        return place

    def takes(self, kind: type, argument: str) -> bool:
        """Tell whether the constructor of a class takes what PyTorch calls so."""
        own = constructor_arguments(kind)
        return self.arguments.get(argument, argument) in own or any(
            each.kind is each.VAR_KEYWORD for each in own.values()
        )

    def check(self, kind: type, row: str, arguments: set[str], state: set[str], learned: set[str]) -> None:
        """Raise unless the adapter fits both the class and what PyTorch's layer has.

        Parameters
        ----------
        kind : type
            The foreign class.
        row : str
            What PyTorch calls such a layer.
        arguments, state, learned : set of str
            The arguments that PyTorch's constructor takes; its parameters and buffers; the parameters alone.
        """
        mine = f"{kind.__name__}, which is held against {row}"
        for what, names, known in (
            ("arguments", self.arguments, arguments | state),
            ("always", self.always, arguments),
            ("parameters", self.parameters, state),
            ("gradients", self.gradients, state),
            ("returns", self.returns, state | {"x"}),
        ):
            unknown = sorted(set(names) - known)
            if unknown:
                raise ValueError(
                    f"{what} of the adapter of {mine}: expected some of {', '.join(sorted(known)) or 'none at all'}, "
                    f"got {', '.join(unknown)}"
                )
        own = constructor_arguments(kind)
        for theirs in self.arguments.values():
            if not (theirs in own or any(each.kind is each.VAR_KEYWORD for each in own.values())):
                raise ValueError(
                    f"arguments of the adapter of {mine}: expected arguments of its constructor "
                    f"({', '.join(own) or 'it has none'}), got {theirs!r}"
                )
        known = {self.arguments.get(name, name) for name in arguments} | set(self.arguments.values())
        for name, argument in own.items():
            if is_required(argument) and name not in known:
                raise ValueError(
                    f"{mine}: expected to know every argument that its constructor needs, got {name!r}; "
                    f"say what PyTorch calls it: arguments={{'...': '{name}'}}"
                )
        homeless = learned - set(self.gradients) - set(self.returns)
        if self.backward and homeless:
            raise ValueError(
                f"{mine}: expected to know where backward leaves the gradient of {', '.join(sorted(homeless))}: "
                f"gradients={{'{min(homeless)}': 'd...'}} or returns=('x', '{min(homeless)}')"
            )
        for method in filter(None, (self.forward, self.backward)):
            if not callable(getattr(kind, method, None)):
                raise ValueError(f"{mine}: expected a method {method!r}, got a class that has none")


def constructor_arguments(kind: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the arguments of a constructor by their names."""
    return inspect.signature(kind).parameters


def is_required(argument: inspect.Parameter) -> bool:
    """Tell whether an argument has to be given."""
    return argument.default is argument.empty and argument.kind not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)
