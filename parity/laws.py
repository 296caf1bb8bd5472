"""What every pair must obey: each law once, a plain function of a pair and a case."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch

import numpycnn as nc

from . import bridge
from .compare import agree
from .pair import LARGE, Case, Draw, Pair

Law = Callable[[Pair, Case], None]
REFUSALS = (ValueError, TypeError, RuntimeError, IndexError, AssertionError)  # torch's, the last by way of assert


def check(law: Law, pair: Pair, case: Case) -> None:
    """Hold a pair to a law on one case; on failure say how to run this very case again."""
    try:
        law(pair, case)
    except Exception as error:
        raise AssertionError(
            f"{pair.name} breaks the law {law.__name__!r}: {law.__doc__}\n{type(error).__name__}: {error}\n\n"
            f"Paste this to run the case alone:\n\n"
            f"    from parity import laws, registry\n"
            f"    from parity.pair import Case\n"
            f"    case = {case!r}\n"
            f"    laws.{law.__name__}(registry.ALL[{pair.name!r}], case)\n"
        ) from error


class Run:
    """Both sides of a case with equal weights, after a forward pass on equal input."""

    def __init__(
        self,
        pair: Pair,
        case: Case,
        layout: Callable[[np.ndarray], np.ndarray] = np.asarray,
        mode: Callable[[], AbstractContextManager[None]] = nullcontext,
    ):
        self.pair, self.case, self.layout = pair, case, layout
        self.ours, self.theirs, self.draw = bridge.twins(pair, case)
        self.exact = pair.exact is not None and case.values == "integers"
        torch.manual_seed(case.seed)
        self.forward(mode)

    def forward(self, mode: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """Draw an input and run both sides on it, theirs first: what it drops, ours repeats."""
        self.x = self.layout(self.draw.array(self.case.shape))
        self.extra = (self.layout(self.draw.target(self.case.shape)),) if self.case.target else ()
        self.their_x = bridge.tensor(self.x, requires_grad=True)
        self.their_y, *self.their_indices = _tuple(self.theirs(self.their_x, *map(bridge.tensor, self.extra)))
        with mode():
            self.y, *self.indices = _tuple(self.ours(self.x, *self.extra))

    def backward(self) -> None:
        """Draw an upstream gradient, never one of ones (it would hide a flipped one), and run both sides back."""
        shape = tuple(self.their_y.shape)
        assert np.shape(self.y) == shape, f"y: expected shape {shape}, got {np.shape(self.y)}"
        self.dy = self.layout(self.draw.array(shape, large=False))
        self.their_y.backward(bridge.tensor(self.dy))
        if self.pair.differentiable:
            self.dx = self.ours.backward(self.dy)

    def gradients(self) -> dict[str, tuple[np.ndarray | None, torch.Tensor | None]]:
        """Return the gradient of each parameter, ours and theirs."""
        if not self.pair.differentiable:
            return {}
        theirs = dict(self.theirs.named_parameters())
        return {name: (p.grad, theirs[name].grad) for name, p in self.ours.named_parameters()}

    def agree(self, what: str, ours: Any, theirs: torch.Tensor | None) -> None:
        """Hold one of our arrays against the judge's."""
        assert theirs is not None, f"{what}: torch has none"
        order = LARGE if self.case.values == "large" else 1.0
        agree(what, ours, bridge.array(theirs), self.case.dtype, self.pair.ulps, self.exact, order)

    def agree_buffers(self) -> None:
        """Hold the state dict, buffers included, against the judge's."""
        theirs = self.theirs.state_dict()
        for name, value in self.ours.state_dict().items():
            if value.dtype.kind == "f":
                self.agree(name, value, theirs[name])
            else:
                np.testing.assert_array_equal(value, bridge.array(theirs[name]), name)

    def agree_backward(self) -> None:
        """Hold all gradients against the judge's."""
        if self.pair.differentiable:
            self.agree("dx", self.dx, self.their_x.grad)
        for name, (ours, theirs) in self.gradients().items():
            self.agree(f"gradient of {name}", ours, theirs)


def forward(pair: Pair, case: Case) -> None:
    """The output is PyTorch's, and so are the indices where they are asked for."""
    run = Run(pair, case)
    run.agree("y", run.y, run.their_y)
    for ours, theirs in zip(run.indices, run.their_indices, strict=True):
        assert ours.dtype == np.int64, f"indices: expected dtype int64, got {ours.dtype}"
        np.testing.assert_array_equal(ours, bridge.array(theirs), "indices")


def backward(pair: Pair, case: Case) -> None:
    """The gradients towards the input and every parameter are PyTorch's."""
    run = Run(pair, case)
    run.backward()
    run.agree_backward()


def buffers(pair: Pair, case: Case) -> None:
    """After three forward passes in training mode the buffers are PyTorch's."""
    run = Run(pair, replace(case, training=True))
    run.forward()
    run.forward()
    run.agree_buffers()


def state(pair: Pair, case: Case) -> None:
    """The state dict has PyTorch's keys, order and shapes, and loads both ways."""
    ours, theirs, _ = bridge.twins(pair, case)
    mine, judge = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(judge), f"expected the keys {list(judge)}, got {list(mine)}"
    for name, value in mine.items():
        assert value.shape == tuple(judge[name].shape), f"{name}: expected {judge[name].shape}, got {value.shape}"
        np.testing.assert_array_equal(value, bridge.array(judge[name]), f"{name} on its way to torch")
    fresh = pair.ours(**case.kwargs).to(case.dtype)
    fresh.load_state_dict(judge)
    for name, value in fresh.state_dict().items():
        assert value.dtype == mine[name].dtype, f"{name}: expected dtype {mine[name].dtype}, got {value.dtype}"
        np.testing.assert_array_equal(value, mine[name], f"{name} on its way back")


def dtype(pair: Pair, case: Case) -> None:
    """Float32 stays float32, and float64 stays float64, in everything."""
    for own in ("float32", "float64"):
        run = Run(pair, replace(case, dtype=own))
        run.backward()
        arrays = {"y": run.y} | ({"dx": run.dx} if pair.differentiable else {})
        arrays |= {f"gradient of {name}": ours for name, (ours, _) in run.gradients().items()}
        arrays |= {name: value for name, value in run.ours.state_dict().items() if value.dtype.kind == "f"}
        for name, value in arrays.items():
            assert value.dtype == own, f"{name}: expected dtype {own}, got {value.dtype}"


def mixing(pair: Pair, case: Case) -> None:
    """Arrays of another dtype, or of whole numbers, are refused, and the refusal says how to mend it."""
    run = Run(pair, case)
    run.backward()
    other = "float32" if case.dtype == "float64" else "float64"
    if run.ours.parameters():
        refused("x of another dtype", lambda: run.ours(run.x.astype(other), *run.extra), TypeError, ".astype(")
    whole = np.zeros(case.shape, np.int64)
    refused("x of integers", lambda: run.ours(whole, *run.extra), TypeError, ".astype(")
    run.forward()
    refused("dy of another dtype", lambda: run.ours.backward(run.dy.astype(other)), TypeError, ".astype(")


def untouched(pair: Pair, case: Case) -> None:
    """Neither pass writes into what it was given, nor into what an earlier call returned."""
    run = Run(pair, case, _read_only)
    run.backward()
    arrays = [run.x, *run.extra, run.y, *run.indices, run.dy, *([run.dx] if pair.differentiable else [])]
    copies = copy.deepcopy(arrays)
    run.forward()
    run.backward()
    for now, then in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(now, then)


def accumulation(pair: Pair, case: Case) -> None:
    """A second backward adds to the gradients; each needs a forward of its own; zero_grad forgets them all."""
    run = Run(pair, case)
    run.backward()
    run.forward()
    run.backward()
    run.agree_backward()
    refused("a backward without a forward", lambda: run.ours.backward(run.dy), RuntimeError, "forward")
    run.ours.zero_grad()
    assert all(parameter.grad is None for parameter in run.ours.parameters()), "zero_grad left a gradient"


def memory_order(pair: Pair, case: Case) -> None:
    """Arrays that lie in memory back to front and with gaps give the same results."""
    run = Run(pair, case, _scattered)
    run.backward()
    run.agree("y", run.y, run.their_y)
    run.agree_backward()


def parameters_only(pair: Pair, case: Case) -> None:
    """Where the input's gradient is not wanted, the parameters' are PyTorch's all the same; for layers."""
    run = Run(pair, case)
    if not isinstance(run.ours, nc.Layer):
        return
    dy = run.draw.array(np.shape(run.y), large=False)
    run.their_y.backward(bridge.tensor(dy))
    run.ours.backward_parameters(dy)
    for name, (ours, theirs) in run.gradients().items():
        run.agree(f"gradient of {name}", ours, theirs)


def empty_batch(pair: Pair, case: Case) -> None:
    """A batch of no samples gives what PyTorch gives, or is refused where PyTorch refuses it."""
    if not case.batched:
        return
    case = replace(case, shape=(0, *case.shape[1:]))
    if refuses_alike(pair, case):
        return
    run = Run(pair, case)
    run.agree("y", run.y, run.their_y)
    run.backward()
    run.agree_backward()


def samples(pair: Pair, case: Case) -> None:
    """In evaluation mode the output for a batch is that for its samples, one by one; for independent samples."""
    if not (case.batched and case.independent):
        return
    run = Run(pair, replace(case, training=False))
    for index, sample in enumerate(run.x):
        alone, *_ = _tuple(run.ours(sample[None], *(target[index][None] for target in run.extra)))
        run.agree(f"sample {index}", alone, run.their_y[index][None])


def no_grad(pair: Pair, case: Case) -> None:
    """Under no_grad, in this thread alone, all is the same but that forward remembers nothing, nor forgets."""
    run = Run(pair, case, mode=nc.no_grad)
    run.agree("y", run.y, run.their_y)
    run.agree_buffers()
    dy = np.asarray(run.y)
    refused("a backward after no_grad", lambda: run.ours.backward(dy), RuntimeError, "forward")
    run.forward()
    elsewhere: list[bool] = []
    with nc.no_grad():
        run.ours.eval()(np.ones_like(run.x), *run.extra)
        thread = threading.Thread(target=lambda: elsewhere.append(nc.is_grad_enabled()))
        thread.start()
        thread.join()
    assert elsewhere == [True], "no_grad reached into another thread"
    run.ours.train(case.training)
    run.backward()
    run.agree_backward()


def refusals(pair: Pair, case: Case) -> None:
    """Both sides refuse the same configurations and inputs, ours by a sentence; what both take agrees."""
    if refuses_alike(pair, case):
        return
    run = Run(pair, case)
    run.agree("y", run.y, run.their_y)


def steps(pair: Pair, case: Case) -> None:
    """Six steps, the rate halved on the way, lead to PyTorch's parameters; without a gradient they stay put."""
    draw = Draw(case)
    start = [draw.array(case.shape) for _ in range(3)]
    ours = [nc.Parameter(value.copy()) for value in start]
    theirs = [bridge.tensor(value, requires_grad=True) for value in start]
    arrays = [parameter.data for parameter in ours]
    optimizers = pair.ours(ours, **case.kwargs), pair.theirs(theirs, **case.kwargs)
    for step in range(6):
        for index, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            gradient = draw.array(case.shape) * np.asarray(1 if step < 2 else 0.1, case.dtype)  # so that means fall
            idle = index == 2 or (index == 1 and step == 3)  # the last one never moves, the second one rests once
            mine.grad, other.grad = (None, None) if idle else (gradient, bridge.tensor(gradient))
        kept = copy.deepcopy([parameter.grad for parameter in ours])
        for optimizer in optimizers:
            if step == 3:
                optimizer.param_groups[0]["lr"] /= 2
            optimizer.step()
        for mine, grad in zip(ours, kept, strict=True):
            np.testing.assert_array_equal(mine.grad, grad, "a gradient after the step")
    for index, (mine, array, other) in enumerate(zip(ours, arrays, theirs, strict=True)):
        assert mine.data is array, f"parameter {index} is another array than before"
        agree(f"parameter {index}", mine.data, bridge.array(other), case.dtype, pair.ulps)


def rates(pair: Pair, case: Case) -> None:
    """Over 40 epochs the learning rates of two groups are PyTorch's, a rate set by hand on the way included."""
    mine = [{"params": [nc.Parameter(np.zeros(2))], "lr": lr} for lr in (1.0, 0.3)]
    other = [{"params": [torch.zeros(2, requires_grad=True)], "lr": lr} for lr in (1.0, 0.3)]
    ours, theirs = nc.optim.SGD(mine), torch.optim.SGD(other)
    our_schedule, their_schedule = pair.ours(ours, **case.kwargs), pair.theirs(theirs, **case.kwargs)
    for epoch in range(40):
        agree(
            f"rates in epoch {epoch}",
            np.array(our_schedule.get_last_lr()),
            np.array(their_schedule.get_last_lr()),
            "float64",
            16,
        )
        if epoch == 25:
            ours.param_groups[1]["lr"] = theirs.param_groups[1]["lr"] = 0.7
        ours.step()
        theirs.step()
        our_schedule.step()
        their_schedule.step()


LAWS: tuple[Law, ...] = (
    forward,
    backward,
    buffers,
    state,
    dtype,
    mixing,
    untouched,
    accumulation,
    parameters_only,
    memory_order,
    empty_batch,
    samples,
    no_grad,
)
"""The laws for valid cases of layers, losses and models; ``refusals`` is for wild ones."""


def refuses_alike(pair: Pair, case: Case) -> bool:
    """Tell whether both sides refuse to be built or to run forward; raise if only one does."""
    x = np.ones(case.shape, case.dtype)
    extra = (Draw(case).target(case.shape),) if case.target else ()
    ours = _refusal(lambda: pair.ours(**case.kwargs).to(case.dtype).train(case.training)(x, *extra))
    theirs = _refusal(
        lambda: pair.theirs(**case.kwargs).double().train(case.training)(bridge.tensor(x), *map(bridge.tensor, extra))
    )
    if ours is None and theirs is None:
        return False
    assert ours is not None, f"torch refuses this, ours takes it: {theirs}"
    if not pair.strict:
        return True
    assert theirs is not None, f"torch takes this, ours refuses it: {ours}"
    assert isinstance(ours, ValueError | TypeError), f"expected ValueError or TypeError, got {ours!r}"
    assert "expected" in str(ours) and "got" in str(ours), f"says not what was expected and what came: {ours}"
    return True


def refused(what: str, call: Callable[[], Any], kind: type[Exception], words: str) -> None:
    """Raise AssertionError unless the call raises this kind of error, with these words in it."""
    error = _refusal(call)
    assert isinstance(error, kind), f"{what}: expected {kind.__name__}, got {error!r}"
    assert words in str(error), f"{what}: expected {words!r} in the message, got {error}"


def _refusal(call: Callable[[], Any]) -> Exception | None:
    try:
        call()
    except REFUSALS as error:
        return error
    return None


def _tuple(outputs: Any) -> tuple[Any, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _scattered(array: np.ndarray) -> np.ndarray:
    """Lay an array out in reverse order of axes, every second number, back to front."""
    wide = np.zeros(tuple(2 * side for side in array.shape), array.dtype, order="F")
    view = wide[(..., *[slice(None, None, -2)] * array.ndim)]
    view[...] = array
    return view
