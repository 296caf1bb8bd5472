"""What every pair must obey: each law once, a plain function of a pair and a case."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

import numpycnn as nc

from . import bridge
from .compare import agree, named, one_or_all
from .pair import Case, Draw, Pair
from .refusal import refused, refuses_alike
from .run import Run

Law = Callable[[Pair, Case], None]


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


def forward(pair: Pair, case: Case) -> None:
    """The output is PyTorch's, and so are the indices where they are asked for."""
    run = Run(pair, case)
    run.agree_forward()
    if "indices" in run.outputs:
        assert run.outputs["indices"].dtype == np.int64, f"indices: expected int64, got {run.outputs['indices'].dtype}"


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
        arrays = {name: run.outputs[name] for name in run.their_differentiable()}
        arrays |= {"dx": run.dx} if pair.differentiable else {}
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
    dy = one_or_all([dy.astype(other) for dy in run.dys])
    refused("dy of another dtype", lambda: run.ours.backward(dy), TypeError, ".astype(")


def untouched(pair: Pair, case: Case) -> None:
    """Neither pass writes into what it was given, nor into what an earlier call returned."""
    run = Run(pair, case, _read_only)
    run.backward()
    arrays = [run.x, *run.extra, *run.outputs.values(), *run.dys, *([run.dx] if pair.differentiable else [])]
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
    refused("a backward without a forward", lambda: run.ours.backward(one_or_all(run.dys)), RuntimeError, "forward")
    run.ours.zero_grad()
    assert all(parameter.grad is None for parameter in run.ours.parameters()), "zero_grad left a gradient"


def memory_order(pair: Pair, case: Case) -> None:
    """Arrays that lie in memory back to front and with gaps give the same results."""
    run = Run(pair, case, _scattered)
    run.backward()
    run.agree_forward()
    run.agree_backward()


def parameters_only(pair: Pair, case: Case) -> None:
    """Where the input's gradient is not wanted, the parameters' are PyTorch's all the same; for layers."""
    run = Run(pair, case)
    if not isinstance(run.ours, nc.Layer):
        return
    run.their_backward()
    run.ours.backward_parameters(one_or_all(run.dys))
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
    run.agree_forward()
    run.backward()
    run.agree_backward()


def samples(pair: Pair, case: Case) -> None:
    """In evaluation mode the output for a batch is that for its samples, one by one; for independent samples."""
    if not (case.batched and case.independent):
        return
    run = Run(pair, replace(case, training=False))
    for index, sample in enumerate(run.x):
        alone = named(run.ours(sample[None], *(target[index][None] for target in run.extra)))
        run.agree(f"sample {index}", alone["y"], run.their_outputs["y"][index][None])


def no_grad(pair: Pair, case: Case) -> None:
    """Under no_grad, in this thread alone, all is the same but that forward remembers nothing, nor forgets."""
    run = Run(pair, case, mode=nc.no_grad)
    run.agree_forward()
    run.agree_buffers()
    dys = [np.asarray(run.outputs[name]) for name in run.their_differentiable()]
    refused("a backward after no_grad", lambda: run.ours.backward(one_or_all(dys)), RuntimeError, "forward")
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
    run.agree_forward()


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

MORE = {forward: 4, backward: 4, refusals: 8}
"""On how many times as many cases the laws are tried that see most, or whose cases differ most."""


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _scattered(array: np.ndarray) -> np.ndarray:
    """Lay an array out in reverse order of axes, every second number, back to front."""
    wide = np.zeros(tuple(2 * side for side in array.shape), array.dtype, order="F")
    view = wide[(..., *[slice(None, None, -2)] * array.ndim)]
    view[...] = array
    return view
