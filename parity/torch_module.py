"""Any layer, loss or model of ours as a module of torch: in networks with torch's layers, under torch's optimizers.

>>> import numpycnn as nc
>>> import torch
>>> from parity.torch_module import TorchModule
>>> ours = nc.Conv2d(1, 4, 3, padding=1, rng=0)
>>> model = torch.nn.Sequential(TorchModule(ours), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(256, 10))
>>> optimizer = torch.optim.Adam(model.parameters())
>>> loss = torch.nn.functional.cross_entropy(model(torch.ones(2, 1, 8, 8)), torch.tensor([3, 1]))
>>> loss.backward()
>>> before = ours.weight.data.copy()
>>> optimizer.step()
>>> bool((ours.weight.data != before).all())  # torch moved our weight
True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import torch
from torch import nn

import numpycnn as nc

from .compare import one_or_all
from .remembered import exchange, is_plain, pack, unpack


class TorchModule(nn.Module):
    """A module of torch that runs ours, forward and back.

    Its parameters and buffers are torch's, on the memory of ours: an optimizer's step and a loaded state dict are seen
    by both. The keys of the state dict are ours, which are torch's. Gradients go to the tensors' ``grad`` and leave
    ``Parameter.grad`` alone. Inputs, outputs and gradients are handed over without a copy, but for outputs that are the
    input, such as Identity's: torch must not take them for its own memory.

    Each forward takes what ours remembers along, so that a module may run several times before it runs back, and
    back several times with ``retain_graph``. Where torch needs no gradients, ours remembers nothing. A gradient of a
    gradient is refused: our backward is no graph.

    From here on torch owns the arrays: change the dtype by ``module.double()``, and replace layers in ours before it is
    wrapped. Hooks on modules below this one do not run, for ours calls its layers itself.

    Parameters
    ----------
    ours : Layer or Loss
        What to run; for a loss the module takes (x, target).

    Raises
    ------
    TypeError
        For tensors of another dtype, and for what is no tensor.
    ValueError
        For tensors on another device, for a target that requires a gradient, and for what ours refuses.
    """

    def __init__(self, ours: nc.Module, *, _known: dict[int, Any] | None = None):
        super().__init__()
        if not isinstance(ours, nc.Module):
            raise TypeError(f"TorchModule: expected a layer, a loss or a model of numpycnn, got {type(ours).__name__}")
        known = {} if _known is None else _known  # what stands at two places is one, here as there
        self.ours = ours
        self.training = ours.training
        for name, own in vars(ours).items():
            if isinstance(own, nc.Parameter) and not name.startswith("_"):
                tensor = torch.from_numpy(own.data)
                self.register_parameter(name, known.setdefault(id(own), nn.Parameter(tensor)))
            elif isinstance(own, nc.Buffer) and not name.startswith("_"):
                self.register_buffer(name, known.setdefault(id(own), torch.from_numpy(own.data)))
        for name, child in ours.named_children():
            if id(child) not in known:
                known[id(child)] = TorchModule(child, _known=known)
            self.add_module(name, known[id(child)])

    def forward(self, x: torch.Tensor, *targets: torch.Tensor) -> Any:
        """Run ours on the memory of the tensors."""
        owned = self._share()
        self._check(x, owned)
        for target in targets:
            if isinstance(target, torch.Tensor) and target.requires_grad:
                raise ValueError(f"{self.ours!r}: expected a target that needs no gradient, got one that requires it")
        learned = {own: tensor for own, tensor in owned.items() if isinstance(own, nc.Parameter)}
        arrays = [self._array("a target", target) for target in targets]
        tensors = x, *learned.values()
        if torch.is_grad_enabled() and nc.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
            return _Run.apply(self, [*learned], arrays, *tensors)
        with nc.no_grad():
            return self._call(x, arrays)

    def train(self, mode: bool = True) -> Self:
        """Set the mode of ours too."""
        self.ours.train(mode)
        return super().train(mode)

    def _call(self, x: torch.Tensor, targets: list[np.ndarray]) -> Any:
        array = self._array("x", x)
        buffers = [(own, own.data) for _, own in self.ours.named_arrays() if isinstance(own, nc.Buffer)]
        outputs = self.ours(array, *targets)
        for own, data in buffers:
            if own.data is not data:  # a layer that makes its buffers anew
                data[...], own.data = own.data, data
        several = isinstance(outputs, tuple)
        return tuple(_tensor(output, array) for output in outputs) if several else _tensor(outputs, array)

    def _share(self) -> dict[nc.Parameter | nc.Buffer, torch.Tensor]:
        """Let ours work on the tensors, wherever torch has put them by now; return which stands for which."""
        owned = {}
        for module in (module for module in self.modules() if isinstance(module, TorchModule)):
            for name, own in vars(module.ours).items():
                if isinstance(own, nc.Parameter | nc.Buffer) and not name.startswith("_"):
                    owned[own] = getattr(module, name)
                    own.data = self._array(name, owned[own])
        return owned

    def _check(self, x: Any, owned: dict[nc.Parameter | nc.Buffer, torch.Tensor]) -> None:
        """Raise unless x is a tensor of the dtype that ours works in."""
        self._array("x", x)
        floats = [tensor.dtype for tensor in owned.values() if tensor.is_floating_point()]
        for dtype in floats[:1]:
            if x.dtype != dtype:
                raise TypeError(
                    f"{self.ours!r}: expected x of dtype {dtype}, as its own tensors are, got {x.dtype}; convert x, "
                    f"x.to({dtype}), or the module, module.to({x.dtype})"
                )
        if x.dtype not in (torch.float32, torch.float64):
            raise TypeError(f"{self.ours!r}: expected x of dtype torch.float32 or torch.float64, got {x.dtype}")

    def _array(self, name: str, tensor: Any) -> np.ndarray:
        """Return an array on the memory of a tensor."""
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{self.ours!r}: expected {name} to be a tensor, got {type(tensor).__name__}")
        if tensor.device.type != "cpu" or tensor.layout != torch.strided:
            where = f"{tensor.layout} on {tensor.device}"
            raise ValueError(f"{self.ours!r}: expected {name} to be a dense tensor on the CPU, got {where}")
        if tensor.dtype in (torch.float16, torch.bfloat16):
            raise TypeError(f"{self.ours!r}: expected {name} of dtype float32 or float64, got {tensor.dtype}")
        return tensor.detach().numpy()

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Self:
        """Move or convert all tensors, as ``to`` and ``double`` do; refused before anything is, or ours follows."""
        self._array("the module", fn(torch.zeros(1)))
        super()._apply(fn, recurse)
        self._share()
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Share memory again after a copy."""
        super().__setstate__(state)
        self._share()

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, nn.Module) and name in self._modules:
            raise TypeError(
                f"TorchModule: expected layers to be replaced in the numpycnn model before it is wrapped, "
                f"got another {name!r}"
            )
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"TorchModule({self.ours!r})"


class _Run(torch.autograd.Function):
    """A call of ours as a node of torch's graph."""

    @staticmethod
    def forward(ctx: Any, module: TorchModule, learned: list[nc.Parameter], targets: list[np.ndarray], *tensors: Any):
        x, *parameters = tensors
        before = exchange([(layer, None) for layer in module.ours.modules()])
        try:
            outputs = module._call(x, targets)
        finally:
            memories = exchange(before)
        several = outputs if isinstance(outputs, tuple) else (outputs,)
        ctx.mark_non_differentiable(*(output for output in several if not output.is_floating_point()))
        ctx.ours, ctx.learned = module.ours, learned
        ctx.memories, arrays = pack(memories, (x, *several))
        ctx.save_for_backward(*parameters, *arrays)
        return outputs

    @staticmethod
    def backward(ctx: Any, *dys: torch.Tensor):
        upstream = [dy.detach().numpy() for dy in dys if dy.is_floating_point()]
        saved, count = ctx.saved_tensors, len(ctx.learned)
        wants_x, *wanted = ctx.needs_input_grad[3:]
        own = [(parameter, parameter.data, parameter.grad) for parameter in ctx.learned]
        before = exchange(unpack(ctx.memories, saved[count:]))
        try:
            for parameter, tensor in zip(ctx.learned, saved[:count], strict=True):
                parameter.data, parameter.grad = tensor.detach().numpy(), None
            run = ctx.ours.backward if wants_x else ctx.ours.backward_parameters
            dx = run(one_or_all(upstream))
            gradients = [parameter.grad if want else None for parameter, want in zip(ctx.learned, wanted, strict=True)]
        finally:
            exchange(before)
            for parameter, data, grad in own:
                parameter.data, parameter.grad = data, grad
        found = [None if gradient is None else _tensor(gradient, *upstream) for gradient in (dx, *gradients)]
        if torch.is_grad_enabled():  # create_graph: whoever differentiates these again must hear of it
            found = [
                None if gradient is None else _Once.apply(ctx.ours, gradient.requires_grad_()) for gradient in found
            ]
        return None, None, None, *found


class _Once(torch.autograd.Function):
    """A gradient that has none of its own: to differentiate it is refused, not taken for zero."""

    @staticmethod
    def forward(ctx: Any, ours: nc.Module, gradient: torch.Tensor) -> torch.Tensor:
        ctx.ours = ours
        return gradient

    @staticmethod
    def backward(ctx: Any, *_: Any) -> None:
        raise RuntimeError(
            f"{ctx.ours!r}: expected to be differentiated once, got a gradient to be differentiated again; "
            f"a backward in NumPy leaves no graph for that"
        )


def _tensor(array: Any, *given: np.ndarray) -> torch.Tensor:
    """Return a tensor on the memory of an array that ours made; a copy if it is that of what ours was given."""
    array = np.asarray(array)
    its_own = is_plain(array) and not any(np.may_share_memory(array, other) for other in given)
    return torch.from_numpy(array if its_own else array.copy())
