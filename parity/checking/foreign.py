"""A foreign layer behind our contract: what an adapter says, done, so that the laws can be asked of it."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import numpycnn as nc

from .. import bridge
from ..pair import Pair
from .adapter import Adapter, constructor_arguments, is_required
from .place import AXES, Place

TO_NHWC, TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


class ForeignError(RuntimeError):
    """The foreign layer raised; the error that it raised is the cause."""


class Foreign(nc.Module):
    """A layer or loss of any make, spoken to as an adapter says.

    Its state dict is PyTorch's; before each forward the values are laid into the foreign layer, after
    each backward the gradients are fetched from there.

    Parameters
    ----------
    kind : type
        The foreign class.
    adapter : Adapter
        Its conventions.
    pair : Pair
        What it is held against.
    kwargs : mapping
        PyTorch's arguments.
    """

    def __init__(self, kind: type, adapter: Adapter, pair: Pair, kwargs: Mapping[str, Any]):
        theirs = pair.theirs(**kwargs)
        learned = {name for name, _ in theirs.named_parameters()}
        self._adapter, self._axes = adapter, {}
        for name, value in theirs.state_dict().items():
            data = bridge.array(value)
            self._axes[name] = "IOHW" if pair.name == "ConvTranspose2d" and data.ndim == 4 else AXES.get(data.ndim, "")
            setattr(self, name, nc.Parameter(data) if name in learned else nc.Buffer(data))
        self.arguments = self._constructor(kind, theirs, kwargs)
        self.own = call("the constructor", kind, **self.arguments)
        list(self._state())  # refuses a layout that does not fit

    def _constructor(self, kind: type, theirs: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the foreign constructor gets: options, arrays, and PyTorch's defaults for what it insists on."""
        names = self._adapter.arguments
        takes = [name for name in kwargs if name not in self._adapter.always and self._adapter.takes(kind, name)]
        given = {names.get(name, name): kwargs[name] for name in takes}
        for name, own in self.named_arrays():
            if name in names:
                given[names[name]] = self._place(name).there(own.data, self._axes[name])
        theirs_of = {mine: name for name, mine in names.items()}
        for name, argument in constructor_arguments(kind).items():
            if is_required(argument) and name not in given and hasattr(theirs, theirs_of.get(name, name)):
                given[name] = getattr(theirs, theirs_of.get(name, name))
        return given

    def _state(self) -> Iterator[tuple[Place, np.ndarray]]:
        """Yield where each parameter goes, and each buffer that the layer has, laid out as the layer has it."""
        for name, own in self.named_arrays():
            if isinstance(own, nc.Parameter) or name in self._adapter.parameters:
                yield self._place(name), self._place(name).there(own.data, self._axes[name])

    def laid_out(self) -> list[tuple[str, np.ndarray]]:
        """List what is set in the foreign layer, each with the Python that says where."""
        return [(_spell(self.own, place.path), value) for place, value in self._state()]

    def _place(self, name: str) -> Place:
        return self._adapter.parameters.get(name, Place((name,)))

    def forward(self, x: np.ndarray, *extra: np.ndarray) -> np.ndarray:
        for place, value in self._state():
            call(f"setting {place}", place.write, self.own, value)
        if hasattr(self.own, "training"):
            self.own.training = self.training
        targets = [_one_hot(x, target) if self._adapter.one_hot else target for target in extra]
        y = call("forward", getattr(self.own, self._adapter.forward), self.images(x), *targets)
        if extra and isinstance(y, float):
            y = np.asarray(y, x.dtype)
        for name, own in self.named_arrays():
            if isinstance(own, nc.Buffer) and name in self._adapter.parameters:
                own.data = self._fetch(self._place(name), name)
            elif name == "num_batches_tracked" and self.training:
                own.data = own.data + 1  # which hardly anybody else counts
        y = self._result("y", y)
        self.remember(y)
        return y

    __call__ = forward

    def backward(self, dy: np.ndarray) -> np.ndarray:
        self.recall(dy)
        names = self._adapter.returns
        returned = call("backward", getattr(self.own, self._adapter.backward), self.images(dy))
        if len(names) == 1:
            returned = (returned,)
        if not isinstance(returned, tuple | list) or len(returned) != len(names):
            raise AssertionError(f"backward: expected it to return {', '.join(names)}, got {_kind(returned)}")
        results = dict(zip(names, returned, strict=True))
        for name, own in self.named_parameters():
            place = self._adapter.place_of_gradient(name)
            if name in results:
                layout = Place(("what backward returns",), self._place(name).layout)
                own.add_grad(self._laid_out(layout, name, results[name]))
            else:
                assert place is not None  # the adapter was checked
                own.add_grad(self._fetch(place, name, "gradient of "))
        return self._result("dx", results["x"])

    def _fetch(self, place: Place, name: str, what: str = "") -> np.ndarray:
        return self._laid_out(place, name, call(f"reading {what}{name}", place.read, self.own), what)

    def _laid_out(self, place: Place, name: str, array: Any, what: str = "gradient of ") -> np.ndarray:
        """Return what stands somewhere in the foreign layer in PyTorch's layout."""
        if not isinstance(array, np.ndarray | np.generic):
            raise AssertionError(f"{what}{name}: expected an array at {place}, got {_kind(array)}")
        try:
            return place.back(array, self._axes[name])
        except AssertionError as error:
            raise AssertionError(f"{what}{name}: {error}") from None

    def images(self, x: np.ndarray) -> np.ndarray:
        """Lay images out as the foreign layer has them; what was contiguous and read-only stays so."""
        if self._adapter.images == "NCHW" or x.ndim != 4:
            return x
        moved = x.transpose(TO_NHWC)
        if x.flags.c_contiguous:
            moved = moved.copy()
            moved.setflags(write=x.flags.writeable)
        return moved

    def _result(self, what: str, y: Any) -> np.ndarray:
        """Return the foreign layer's output in PyTorch's layout."""
        if not isinstance(y, np.ndarray | np.generic):
            raise AssertionError(f"{what}: expected an array, got {_kind(y)}")
        return y.transpose(TO_NCHW) if self._adapter.images == "NHWC" and y.ndim == 4 else y


def _one_hot(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Spell labels out: 1 for the class, 0 for all others."""
    return np.asarray(labels[:, None] == np.arange(x.shape[1])).astype(x.dtype)


def call(what: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call something foreign; what it raises becomes a ForeignError that says where it happened."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of NaN and of the mean of nothing
            return function(*args, **kwargs)
    except TimeoutError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]
        place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
        raise ForeignError(f"{what} raised {type(error).__name__}: {error}{place}") from error


def _spell(layer: Any, path: tuple[str, ...]) -> str:
    """Write a path of attributes and keys as Python does."""
    words = ""
    for step in path:
        words += f"[{step!r}]" if isinstance(layer, Mapping) else f".{step}"
        layer = layer.get(step) if isinstance(layer, Mapping) else getattr(layer, step, None)
    return words[1:]


def _kind(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return type(value).__name__
