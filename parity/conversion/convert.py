"""A module becomes a model of ours, part by part: torch's own by their names, all others by tracing their forward."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import numpycnn as nc

from .errors import ConversionError
from .trace import trace
from .wiring import Wiring

ELSEWHERE = {"inplace", "device", "dtype", "bias"}
"""Arguments of torch's layers that say nothing of what they compute, or that the arrays say."""

SPELLED: dict[type[nn.Module], Callable[[Any], nc.Layer]] = {
    nn.ZeroPad2d: lambda module: nc.Pad(module.padding),
    nn.ConstantPad2d: lambda module: nc.Pad(module.padding, module.value),
}
"""Torch's layers that have another name here."""


def convert(module: nn.Module) -> nc.Layer:
    """Turn a PyTorch module into a model of ours: the same names, numbers, mode and results, forward and backward.

    The model needs numpycnn alone. A module of ``torch.nn`` or ``torchvision.ops`` becomes the layer of its name; any
    other is traced with ``torch.fx``, and what its forward does becomes a ``Block`` whose wiring is a chain or a
    ``Graph``. Children keep their places, so that the state dict has the same keys in the same order.

    Parameters
    ----------
    module : torch.nn.Module
        A function of one array, in float32 or float64; it is not changed. One that gives further arrays in training,
        those of auxiliary classifiers, has to be in training mode for the model to give them too.

    Raises
    ------
    ConversionError
        If something that the module does has no counterpart here; it says what, and where it stands.

    Examples
    --------
    >>> from torch import nn
    >>> from parity.bridge import convert
    >>> class Residual(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.conv = nn.Conv2d(4, 4, 3, padding=1)
    ...
    ...     def forward(self, x):
    ...         return nn.functional.relu(self.conv(x) + x)
    >>> convert(nn.Sequential(nn.Conv2d(3, 4, 1), Residual()))
    Sequential(
        (0): Conv2d(3, 4, 1)
        (1): Block(
            (conv): Conv2d(4, 4, 3, padding=1)
        )
    )
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"expected a torch.nn.Module, got {type(module).__name__}")
    return Converter().layer(module, "")


class Converter:
    """One conversion: what has become of each module so far, and of each array, which several may share."""

    def __init__(self) -> None:
        self.done: dict[str, nc.Layer | ConversionError] = {}
        self.writers: set[str] = set()  # modules, made of others, that write into what they read
        self._arrays: dict[int, nc.Parameter | nc.Buffer] = {}

    def layer(self, module: nn.Module, path: str) -> nc.Layer:
        """Convert a module, the ones below it first."""
        for hooks in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"):
            if getattr(module, hooks, None):
                raise ConversionError(path, f"expected a module without hooks, got {hooks[1:]} of {_kind(module)}")
        for name, child in _children(module):
            try:
                self.done[_join(path, name)] = self.layer(child, _join(path, name))
            except ConversionError as error:  # which matters if the module turns out to be needed whole
                self.done[_join(path, name)] = error
        if type(module).forward is nn.Sequential.forward:
            layer: nc.Layer = self._chain(module, path)
        elif type(module) in SPELLED:
            layer = SPELLED[type(module)](module)
        elif is_torchs_own(module):
            layer = self._leaf(module, path)
        else:
            layer = self._block(module, path)
        layer.training = module.training
        return layer

    def array(self, tensor: torch.Tensor, path: str) -> nc.Parameter | nc.Buffer:
        """Copy a parameter or a buffer; one that was met before is the same array again."""
        if id(tensor) not in self._arrays:
            data = tensor.detach().cpu().numpy().copy() if tensor.dtype != torch.bfloat16 else None
            learned = isinstance(tensor, nn.Parameter)
            if data is None or not (data.dtype in ("float32", "float64") or (data.dtype.kind in "iu" and not learned)):
                raise ConversionError(path, f"expected numbers of float32 or float64, got {tensor.dtype}")
            self._arrays[id(tensor)] = nc.Parameter(data) if learned else nc.Buffer(data)
        return self._arrays[id(tensor)]

    def _chain(self, module: nn.Module, path: str) -> nc.Sequential:
        chain = nc.Sequential()
        for name, _ in _children(module):
            made = self.done[_join(path, name)]
            if isinstance(made, ConversionError):
                raise made
            _name(chain, name, made, path)
        for name, child in _children(module):
            if getattr(child, "inplace", False) or _join(path, name) in self.writers:
                self.writers.add(path)
            if not isinstance(child, nn.Identity | nn.Dropout | nn.Flatten):
                break
        return chain

    def _leaf(self, module: nn.Module, path: str) -> nc.Layer:
        """Build the layer of the same name with the same arguments, and give it the same numbers."""
        kind = getattr(nc, type(module).__name__, None)
        if not (isinstance(kind, type) and issubclass(kind, nc.Layer)):
            raise ConversionError(path, f"numpycnn has no layer {_kind(module)}")
        ours, theirs = (inspect.signature(side).parameters for side in (kind, type(module)))
        for name in theirs.keys() - ours.keys() - ELSEWHERE:
            if getattr(module, name, theirs[name].default) != theirs[name].default:
                raise ConversionError(path, f"numpycnn's {kind.__name__} has no {name!r}, got {module}")
        known = [name for name in ours if name in theirs and hasattr(module, name)]
        try:
            layer = kind(**{name: _argument(getattr(module, name)) for name in known})
        except (ValueError, TypeError) as error:
            raise ConversionError(path, str(error)) from error
        arrays = _arrays(module)
        if [name for name, _ in layer.named_arrays()] != list(arrays):
            raise ConversionError(
                path, f"numpycnn's {kind.__name__} has other arrays than {list(arrays)}, got {module}"
            )
        for name, tensor in arrays.items():
            setattr(layer, name, self.array(tensor, _join(path, name)))
        return layer

    def _block(self, module: nn.Module, path: str) -> nc.Block:
        """Give a block the names of a module, and the wiring of its forward."""
        block = self._names(module, path)
        wiring = Wiring(self, module, path)
        block.route(*wiring.steps(trace(module, path, self.done)))
        return block

    def _names(self, module: nn.Module, path: str) -> nc.Block:
        """Hold what a module holds, under the same names."""
        block = nc.Block()
        block.training = module.training
        for name, tensor in _arrays(module).items():
            _name(block, name, self.array(tensor, _join(path, name)), path)
        for name, child in _children(module):
            made = self.done[_join(path, name)]
            _name(block, name, made if isinstance(made, nc.Layer) else self._names(child, _join(path, name)), path)
        return block


def is_torchs_own(module: nn.Module) -> bool:
    """Tell whether a module is one of those that are known by their names."""
    home = type(module).__module__
    return home.startswith("torch.nn.") or (home.startswith("torchvision.ops.") and hasattr(nc, type(module).__name__))


def _children(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """List the children, one with two names twice."""
    return [(name, child) for name, child in module._modules.items() if child is not None]


def _arrays(module: nn.Module) -> dict[str, torch.Tensor]:
    """List what a module itself adds to the state dict."""
    held = {name: buffer for name, buffer in module._buffers.items() if name not in module._non_persistent_buffers_set}
    return {name: tensor for name, tensor in {**module._parameters, **held}.items() if tensor is not None}


def _argument(value: Any) -> Any:
    """Spell what torch keeps of an argument as our constructor takes it: a bias is wanted or not."""
    return True if isinstance(value, torch.Tensor) else value


def _name(owner: nc.Layer, name: str, value: Any, path: str) -> None:
    if name.startswith("_") or hasattr(type(owner), name):
        raise ConversionError(_join(path, name), f"expected a name that is free for it, got {name!r}")
    setattr(owner, name, value)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _kind(module: nn.Module) -> str:
    return f"{type(module).__module__}.{type(module).__qualname__}"
