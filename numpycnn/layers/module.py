"""What layers, losses and models share: what they own, their modes, and what they remember from forward."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from .arrays import FLOATS, OTHER_ARITHMETIC, Array, float_dtype
from .errors import DtypeError, ShapeError, StateError
from .grad_mode import is_grad_enabled
from .parameter import Buffer, Parameter

SHAPES = ("shape", "normalized_shape")  # arguments whose sides are not one number for both axes of an image


class Module:
    """What layers, losses and models share: owned arrays, modes, and one slot of memory.

    An attribute is its registration: the state dict walks the public attributes in the order in
    which they were set, own arrays first, then children. Attributes with a leading underscore hold
    no state.
    """

    def __init_subclass__(cls) -> None:
        """Let NaN and infinities pass through every forward and backward without a word, as in PyTorch."""
        super().__init_subclass__()
        for name in ("forward", "backward", "backward_parameters"):
            if name in vars(cls):
                setattr(cls, name, np.errstate(all="ignore")(vars(cls)[name]))

    training: bool = True
    _memory: tuple[tuple[int, ...], np.dtype[Any], tuple[Any, ...]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Be copied and pickled without what forward remembered: it belongs to a call, not to the layer."""
        return {name: value for name, value in vars(self).items() if name != "_memory"}

    # What it owns

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the name and the module of each direct child, in order."""
        for name, value in list(vars(self).items()):
            if isinstance(value, Module) and not name.startswith("_"):
                yield name, value

    def children(self) -> list[Module]:
        """List the direct children, in order."""
        return [child for _, child in self.named_children()]

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, those without a public name (a block's wiring) among them."""
        seen: set[int] = set()

        def walk(module: Module) -> Iterator[Module]:
            if id(module) not in seen:
                seen.add(id(module))
                yield module
                for value in list(vars(module).values()):
                    if isinstance(value, Module):
                        yield from walk(value)

        return walk(self)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield this module and all below it, each with its path (``"features.3"``; itself: ``""``)."""
        yield prefix, self
        for name, child in self.named_children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def named_arrays(self) -> Iterator[tuple[str, Parameter | Buffer]]:
        """Yield each parameter and buffer with its path, in the order of the state dict."""
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, Parameter | Buffer) and not name.startswith("_"):
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield each parameter with its path; one that is shared appears once, under its first path."""
        seen: set[int] = set()
        for name, value in self.named_arrays():
            if isinstance(value, Parameter) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def parameters(self) -> list[Parameter]:
        """List the parameters, as an optimizer takes them."""
        return [parameter for _, parameter in self.named_parameters()]

    def num_parameters(self) -> int:
        """Count the learned numbers.

        Examples
        --------
        >>> import numpycnn
        >>> numpycnn.Conv2d(3, 6, 3).num_parameters()
        168
        """
        return sum(parameter.data.size for parameter in self.parameters())

    # State

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters and buffers under PyTorch's keys, in PyTorch's order."""
        return {name: value.data.copy() for name, value in self.named_arrays()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy values into the parameters and buffers, in place; all or nothing.

        Parameters
        ----------
        state : mapping of str to array
            The keys of ``state_dict()``, no more, no fewer. Anything that ``np.asarray`` takes is
            an array: the ``state_dict()`` of a torch module is one such mapping. Values are
            converted to the dtype of this module.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a shape differs; nothing is loaded then.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"cannot load into {type(self).__name__}: expected a mapping, got {type(state).__name__}")
        own = dict(self.named_arrays())
        problems = [f"missing {key!r}" for key in own if key not in state]
        problems += [f"unknown {key!r}" for key in state if key not in own]
        values = {}
        for key in (key for key in own if key in state):
            try:
                values[key] = np.asarray(state[key])
            except (TypeError, ValueError, RuntimeError) as error:  # the last one is torch's
                problems.append(f"{key!r} is no array: {error}")
        for key, value in values.items():
            if value.shape != own[key].data.shape:
                problems.append(f"{key!r} has shape {value.shape}, expected {own[key].data.shape}")
            wanted = "iu" if own[key].data.dtype.kind == "i" else "fiu"
            if value.dtype.kind not in wanted:
                kind = "integers" if wanted == "iu" else "numbers"
                problems.append(f"{key!r} has dtype {value.dtype}, expected {kind}")
        if problems:
            raise ValueError(f"cannot load into {type(self).__name__}: " + "; ".join(problems))
        with np.errstate(all="ignore"):  # what is too large for float32 becomes inf
            for key, value in values.items():
                own[key].data[...] = value

    def to(self, dtype: npt.DTypeLike) -> Self:
        """Convert all floating-point parameters and buffers, in place; gradients and memories are dropped.

        Parameters
        ----------
        dtype : dtype
            ``numpy.float32`` or ``numpy.float64``.
        """
        dtype = float_dtype(dtype)
        for _, value in self.named_arrays():
            if value.data.dtype in FLOATS:
                value.data = value.data.astype(dtype)
                if isinstance(value, Parameter):
                    value.grad = None
        for module in self.modules():
            module._memory = None
        return self

    # Modes

    def train(self, mode: bool = True) -> Self:
        """Set training mode, here and in all modules below: dropout drops, batch norm uses the batch."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode: ``train(False)``."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters():
            parameter.grad = None

    # Memory: the one slot between forward and backward

    def remember(self, y: Any, *values: Any) -> None:
        """Keep what backward needs, and the shape and dtype of the result; nothing under ``no_grad``."""
        if is_grad_enabled():
            self._memory = (y.shape, y.dtype, values)

    def recall(self, dy: Array) -> tuple[Any, ...]:
        """Check the upstream gradient, then take out what forward remembered."""
        if self._memory is None:
            raise StateError(
                self, "backward needs a forward before it, outside no_grad, and each forward serves one backward only"
            )
        shape, dtype, values = self._memory
        self.check_array(dy, "dy")
        if dy.shape != shape:
            raise ShapeError(self, f"expected dy of the output's shape {shape}, got {dy.shape}")
        self.check_dtype(dy, dtype, "dy")
        self._memory = None
        return values

    # Input checks

    def check_array(self, x: Any, name: str = "x") -> None:
        """Raise unless x is an array of float32 or float64."""
        if not isinstance(x, np.ndarray | np.generic):  # NumPy makes scalars of arrays without axes
            raise DtypeError(self, f"expected {name} to be a NumPy array, got {type(x).__name__}")
        if isinstance(x, OTHER_ARITHMETIC):
            raise DtypeError(self, f"expected {name} to be a plain array, got a {type(x).__name__}; see np.asarray")
        if x.dtype not in FLOATS:
            raise DtypeError(
                self,
                f"expected {name} of dtype float32 or float64, got {x.dtype}; convert it: {name}.astype(np.float32)",
            )

    def check_dtype(self, x: Array, dtype: np.dtype[Any], name: str = "x") -> None:
        """Raise unless x has the dtype that the layer works in."""
        if x.dtype != dtype:
            raise DtypeError(
                self,
                f"expected {name} of dtype {dtype}, got {x.dtype}; convert the array with "
                f"{name}.astype(np.{dtype}), or the layer with layer.to(np.{x.dtype})",
            )

    def check_channels(self, x: Array, axis: int, expected: int, what: str = "input channels") -> None:
        """Raise unless x has the expected number of channels (or features) on an axis."""
        if x.shape[axis] != expected:
            raise ShapeError(self, f"expected {expected} {what}, got {x.shape[axis]} in x of shape {x.shape}")

    # Looks

    def __repr__(self) -> str:
        """Show the constructor call, without what is at its default."""
        shown = []
        for name, argument in inspect.signature(type(self)).parameters.items():
            value = _shown(name, getattr(self, name, argument.default))
            if argument.default is inspect.Parameter.empty:
                shown.append(repr(value))
            elif value != _shown(name, self._default(name, argument.default)):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _default(self, name: str, default: Any) -> Any:
        """Return the value that leaving an argument out comes to."""
        return default


def _shown(name: str, value: Any) -> Any:
    """Fold a parsed argument back into its shortest spelling."""
    if name == "bias":
        return value is not None and value is not False
    if isinstance(value, tuple) and len(value) > 1 and len(set(value)) == 1 and name not in SHAPES:
        return value[0]
    return value
