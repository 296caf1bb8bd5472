"""The chain rule as structure: a chain of layers, and a block that separates names from wiring."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, overload

from .arrays import Array
from .errors import LayerError, StateError
from .layer import Layer
from .module import Module
from .parameter import Buffer, Parameter

Result = TypeVar("Result")


def located(method: Callable[[Any, Array], Result]) -> Callable[[Any, Array], Result]:
    """Let an error that passes through say where in this container the failing layer stands."""

    @functools.wraps(method)
    def run(self: Container, x: Array) -> Result:
        try:
            return method(self, x)
        except LayerError as error:
            error.pass_through(self)
            raise

    return run


class Container(Layer):
    """A layer made of layers, which are its attributes ``"0"``, ``"1"``, ... in order."""

    def __init__(self, *layers: Layer):
        for index, layer in enumerate(layers):
            setattr(self, str(index), as_layer(self, str(index), layer))

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return [child for child in vars(self).values() if isinstance(child, Layer)]

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, index: int) -> Layer:
        try:
            return self.layers[operator.index(index)]
        except (IndexError, TypeError) as error:
            kind = type(error)
            raise kind(f"{type(self).__name__}: expected an index of {len(self)} layers, got {index!r}") from None

    def __setitem__(self, index: int, layer: Layer) -> None:
        name = [name for name, _ in self.named_children()][index]
        setattr(self, name, as_layer(self, name, layer))

    def __repr__(self) -> str:
        return tree(self)


class Sequential(Container):
    """One layer after another: ``y = f_n(... f_1(x))``.

    Backward runs through the layers in reverse. Indexing gives and replaces layers.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.Sequential(nc.Flatten(), nc.Linear(4, 2, rng=0))
    >>> model(np.ones((3, 2, 2), np.float32)).shape
    (3, 2)
    >>> list(model.state_dict())
    ['1.weight', '1.bias']
    """

    @overload
    def __getitem__(self, index: int) -> Layer: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Layer:
        """Return a layer, or for a slice the same layers as a Sequential of their own."""
        return Sequential(*self.layers[index]) if isinstance(index, slice) else super().__getitem__(index)

    @located
    def forward(self, x: Array) -> Array:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    @located
    def backward(self, dy: Array) -> Array:
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    @located
    def backward_parameters(self, dy: Array) -> None:
        layers = self.layers
        for layer in reversed(layers[1:]):
            dy = layer.backward(dy)
        for layer in layers[:1]:
            layer.backward_parameters(dy)


class Block(Layer):
    """A network whose names and wiring are two things.

    The public attributes, set first, are the names: they make the state dict, in PyTorch's order.
    Then ``self.route(...)`` says, in containers, how data flows through them; layers without
    parameters may be created right there. Setting a named layer or array anew replaces it in the wiring.

    Examples
    --------
    >>> import numpycnn as nc
    >>> class Residual(nc.Block):
    ...     def __init__(self, channels):
    ...         self.conv = nc.Conv2d(channels, channels, 3, padding=1)
    ...         self.route(nc.Add(self.conv, nc.Identity()), nc.ReLU())
    >>> list(Residual(8).state_dict())
    ['conv.weight', 'conv.bias']
    """

    _route: Sequential

    def route(self, *steps: Layer) -> None:
        """Wire the block: the steps run one after another."""
        route = Sequential(*steps)
        named = {id(array) for _, array in self.named_arrays()}
        for path, array in route.named_arrays():
            if id(array) not in named:
                raise ValueError(
                    f"{type(self).__name__}: expected every layer with state to be an attribute, "
                    f"got {path}, a step of the route with no public name"
                )
        self._route = route

    @located
    def forward(self, x: Array) -> Array:
        if "_route" not in vars(self):
            raise StateError(self, "expected self.route(...) in __init__ to say how data flows, got no call of it")
        return self._route.forward(x)

    @located
    def backward(self, dy: Array) -> Array:
        return self._route.backward(dy)

    @located
    def backward_parameters(self, dy: Array) -> None:
        self._route.backward_parameters(dy)

    def __setattr__(self, name: str, value: Any) -> None:
        old = vars(self).get(name)
        if isinstance(old, Layer) and "_route" in vars(self) and name != "_route":
            _replace(self._route, old, as_layer(self, name, value))
        if isinstance(old, Parameter | Buffer) and "_route" in vars(self):
            self._replace_array(name, old, value)
        super().__setattr__(name, value)

    def _replace_array(self, name: str, old: Parameter | Buffer, new: Any) -> None:
        """Put the new array wherever a layer of the wiring that has no name works with the old one."""
        if type(new) is not type(old):
            kinds = type(old).__name__, type(new).__name__
            raise TypeError(f"{type(self).__name__}: expected a {kinds[0]} as {name!r}, got {kinds[1]}")
        named = {id(module) for _, module in self.named_modules()}
        for module in self._route.modules():
            for key, value in list(vars(module).items()):
                if value is old and id(module) not in named:
                    setattr(module, key, new)

    def __repr__(self) -> str:
        return tree(self)


def as_layer(owner: Layer, name: str, value: Any) -> Layer:
    """Raise unless the value can stand as a layer under this name."""
    if not isinstance(value, Layer):
        raise TypeError(f"{type(owner).__name__}: expected a layer as {name!r}, got {type(value).__name__}")
    return value


def _replace(container: Module, old: Layer, new: Layer) -> None:
    """Put the new layer wherever the old one stands below the container."""
    for name, child in list(vars(container).items()):
        if child is old:
            setattr(container, name, new)
        elif isinstance(child, Container):
            _replace(child, old, new)


def tree(module: Module, label: Callable[[str], str] = str) -> str:
    """Show a module as its children, each with its name or what is to be said instead."""
    lines = [f"    ({label(name)}): {child!r}".replace("\n", "\n    ") for name, child in module.named_children()]
    return "\n".join([f"{type(module).__name__}(", *lines, ")"]) if lines else f"{type(module).__name__}()"
