"""A model in words and back: what it is made of, as JSON has it, without the classes that wired it.

A layer is told by its class and its constructor's arguments, a container by what is in it, a block by its names and
its wiring. What was told before is told by its path, so that what is shared stays shared.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from .arrays import Array
from .containers import Block, Container
from .errors import LayerError
from .graph import Graph
from .layer import Layer
from .module import Module
from .parameter import Buffer, Parameter

Words = dict[str, Any]
Role = type[Parameter] | type[Buffer]
ROLES: dict[str, Role] = {"Parameter": Parameter, "Buffer": Buffer}
OUR_OWN = {"Layer", "Module"}  # bases, of which nothing is built
UNTOLD = {"rng", "dtype"}  # arguments; what became of them is in the arrays
REFUSALS = (LayerError, ValueError, TypeError, KeyError, AttributeError, MemoryError, OverflowError, RecursionError)


class StructureError(Exception):
    """A model cannot be told in words, or words make no model."""


def told(model: Layer) -> Words:
    """Tell a model in words.

    Raises
    ------
    StructureError
        If a layer is none of ours: nobody could build it again.
    """
    return _Teller().layer(model, "")


def built(words: Any, state: Mapping[str, Array]) -> Layer:
    """Build a model from words and the entries of its state dict, which become its arrays.

    Raises
    ------
    StructureError
        If the words are not understood, or do not fit the arrays.
    """
    model = _Builder(state).layer(words, "")
    names = {name for name, _ in model.named_arrays()}
    if names != state.keys():
        raise StructureError(f"expected the arrays {sorted(names - state.keys())}, got {sorted(state.keys() - names)}")
    return model


def kinds() -> dict[str, type[Layer]]:
    """List the classes that words may name: our public layers, and nothing else."""
    public = import_module("numpycnn")
    named = {name: getattr(public, name) for name in public.__all__ if name not in OUR_OWN}
    return {name: kind for name, kind in named.items() if isinstance(kind, type) and issubclass(kind, Layer)}


def arguments(kind: type[Layer]) -> list[str]:
    """List the constructor's arguments that are told; what a container takes by position are the layers in it."""
    by_position = () if issubclass(kind, Container) else (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
    told = (inspect.Parameter.KEYWORD_ONLY, *by_position)
    parameters = inspect.signature(kind).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind in told and parameter.name not in UNTOLD]


def join(path: str, name: str) -> str:
    """Return the path of what has a name in what has a path."""
    return f"{path}.{name}" if path else name


class _Teller:
    """Knows what has been told already."""

    def __init__(self) -> None:
        self._layers: dict[int, str] = {}
        self._arrays: dict[int, str] = {}
        self._kinds = kinds()

    def layer(self, layer: Module, path: str) -> Words:
        if id(layer) in self._layers:
            return {"at": self._layers[id(layer)]}
        self._layers[id(layer)] = path
        kind = self._kind(layer, path)
        words: Words = {"kind": kind}
        names = arguments(self._kinds[kind])
        if names:
            words["arguments"] = {name: _argument(name, getattr(layer, name), path) for name in names}
        self._tell_arrays(layer, path, words)
        if children := dict(layer.named_children()):
            words["layers"] = {name: self.layer(child, join(path, name)) for name, child in children.items()}
        if isinstance(layer, Graph):
            words["reads"] = {name: list(reads) for name, reads in layer._reads.items()}
        if isinstance(layer, Block) and "_route" in vars(layer):
            route = join(path, "_route")
            words["route"] = [self.layer(step, join(route, str(n))) for n, step in enumerate(layer._route.layers)]
        return words

    def _kind(self, layer: Module, path: str) -> str:
        """Name the public class that a layer is of; one that changes what it does is of none."""
        public = {kind: name for name, kind in self._kinds.items()}
        above = type(layer).__mro__
        for index, kind in enumerate(above):
            if kind in public:
                changed = {name for sub in above[:index] for name in vars(sub) if not name.startswith("__")}
                if changed & {*dir(kind)}:
                    break
                return public[kind]
        raise StructureError(f"expected layers of numpycnn, got {type(layer).__name__} as {path or 'the model'}")

    def _tell_arrays(self, layer: Module, path: str, words: Words) -> None:
        """Tell the arrays of a block, which no constructor makes, and the ones that were met before."""
        own = {name: value for name, value in vars(layer).items() if isinstance(value, Parameter | Buffer)}
        shared = {name: self._arrays[id(value)] for name, value in own.items() if id(value) in self._arrays}
        for name, value in own.items():
            self._arrays.setdefault(id(value), join(path, name))
        if own and isinstance(layer, Block):
            words["arrays"] = {name: type(value).__name__ for name, value in own.items()}
        if shared:
            words["shared"] = shared


def _argument(name: str, value: Any, path: str) -> Any:
    """Spell an argument in JSON; of a bias it is told whether there is one."""
    if inspect.ismethod(value):  # PReLU's num_parameters: what it counts is what was asked for
        value = value()
    if name == "bias":
        return value is not None and value is not False
    if isinstance(value, tuple | list):
        return [_argument(name, part, path) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise StructureError(f"expected arguments that are numbers, texts or lists, got {value!r} as {join(path, name)}")


class _Builder:
    """Builds layers, and knows those that are built."""

    def __init__(self, state: Mapping[str, Array]):
        self._state = state
        self._layers: dict[str, Layer] = {}
        self._arrays: dict[str, Parameter | Buffer] = {}
        self._kinds = kinds()

    def layer(self, words: Any, path: str) -> Layer:
        """Build a layer; whatever hinders it is said with its place."""
        try:
            return self._layer(words, path)
        except REFUSALS as error:
            reason = f"{type(error).__name__}: {error}" if isinstance(error, KeyError | AttributeError) else error
            raise StructureError(f"{path or 'the model'}: {reason}") from error

    def _layer(self, words: Words, path: str) -> Layer:
        if list(words) == ["at"]:
            return self._layers[words["at"]]
        kind = words["kind"]
        if kind not in self._kinds:
            raise ValueError(f"expected a layer that this version of numpycnn has, got {kind!r}")
        layer = self._make(self._kinds[kind], words, path)
        self._layers[path] = layer
        return layer

    def _make(self, kind: type[Layer], words: Words, path: str) -> Layer:
        if unknown := words.keys() - {"kind", "arguments", "arrays", "shared", "layers", "reads", "route"}:
            raise ValueError(f"expected nothing but what this version of numpycnn knows, got {sorted(unknown)}")
        given = dict(words.get("arguments", {}))
        if unknown := given.keys() - {*arguments(kind)}:
            raise ValueError(f"expected arguments of {kind.__name__}, got {sorted(unknown)}")
        if issubclass(kind, Block):
            return self._block(words, path)
        layers = {name: self.layer(child, join(path, name)) for name, child in words.get("layers", {}).items()}
        if issubclass(kind, Graph):
            return kind(**{name: (layer, *words["reads"][name]) for name, layer in layers.items()})
        if issubclass(kind, Container):
            return _named(kind(*layers.values(), **given), layers)
        if {"rng", "dtype"} <= inspect.signature(kind).parameters.keys():
            given["rng"] = Zeros()
        layer = kind(**given)
        for name, value in list(layer.named_arrays()):
            array = self._array(words.get("shared", {}).get(name, join(path, name)), type(value))
            if array.data.shape != value.data.shape or array.data.dtype.kind != value.data.dtype.kind:
                raise ValueError(f"expected {name} like {value!r}, got {array!r}")
            setattr(layer, name, array)
        return layer

    def _block(self, words: Words, path: str) -> Block:
        block = Block()
        for name, kind in words.get("arrays", {}).items():
            key = words.get("shared", {}).get(name, join(path, name))
            setattr(block, _free(block, name), self._array(key, ROLES[kind]))
        for name, child in words.get("layers", {}).items():
            setattr(block, _free(block, name), self.layer(child, join(path, name)))
        if "route" in words:
            route = join(path, "_route")
            block.route(*(self.layer(step, join(route, str(index))) for index, step in enumerate(words["route"])))
        return block

    def _array(self, key: str, kind: Role) -> Parameter | Buffer:
        """Make an entry of the state dict an array of the model, once."""
        if key not in self._arrays:
            if key not in self._state:
                raise ValueError(f"expected an array {key!r}, got none of this name")
            self._arrays[key] = kind(self._state[key])
        if not isinstance(self._arrays[key], kind):
            raise ValueError(f"expected {key!r} to be a {kind.__name__} everywhere, got {self._arrays[key]!r}")
        return self._arrays[key]


class Zeros(np.random.Generator):
    """Gives zeros where initial values are drawn, which takes no time: the file's values take their place."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return np.zeros(size)


def _named(container: Container, layers: Mapping[str, Layer]) -> Container:
    """Give the layers of a container the names that they had."""
    for name, _ in list(container.named_children()):
        delattr(container, name)
    for name, layer in layers.items():
        setattr(container, _free(container, name), layer)
    return container


def _free(owner: Layer, name: str) -> str:
    """Refuse a name that would hide something of the layer itself."""
    if name.startswith("_") or hasattr(owner, name):
        raise ValueError(f"expected a name that is free for it, got {name!r}")
    return name
