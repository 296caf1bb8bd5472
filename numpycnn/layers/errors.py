"""The errors of layers: sentences with the values in them, and the place in the model where it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .module import Module


class LayerError(Exception):
    """A layer cannot do what it was asked; catch it, or the built-in kind that it also is.

    Attributes
    ----------
    module : Module
        The layer that complains.
    path : str
        Where it stands in the model that was called, as in the state dict: ``"features.3"``.
        Containers fill it in while the error passes through them; empty for a layer on its own. A
        layer that has no name, in the wiring of a block, is found under the name of the block.
    """

    def __init__(self, module: Module, message: str):
        super().__init__(message)
        self.module = module
        self.path = ""
        self._named = module  # the layer, or what it is found under

    def pass_through(self, container: Module) -> None:
        """Say where in this container it happened."""
        paths = {id(module): path for path, module in container.named_modules()}
        if id(self._named) not in paths:
            self._named = container
        self.path = paths[id(self._named)]

    def __reduce__(self) -> tuple[Any, ...]:
        """Be copied and sent to other processes whole."""
        return type(self), (self.module, self.args[0]), vars(self)

    def __str__(self) -> str:
        place = f"in {self.path}: " if self.path else ""
        return f"{place}{self.module!r}: {self.args[0]}"


class ShapeError(LayerError, ValueError):
    """An array has the wrong shape, or values that the layer cannot take."""


class DtypeError(LayerError, TypeError):
    """An argument is no array of the dtype that the layer works in."""


class StateError(LayerError, RuntimeError):
    """The call came at the wrong time: a backward without its forward."""
