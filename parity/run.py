"""Both sides of a case at once: what every law looks at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch

from . import bridge
from .compare import agree, named, one_or_all
from .pair import LARGE, Case, Pair


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
        self.their_outputs = named(self.theirs(self.their_x, *map(bridge.tensor, self.extra)))
        with mode():
            self.outputs = named(self.ours(self.x, *self.extra))

    def backward(self) -> None:
        """Draw upstream gradients, and run both sides back."""
        self.their_backward()
        if self.pair.differentiable:
            self.dx = self.ours.backward(one_or_all(self.dys))

    def their_backward(self) -> None:
        """Draw an upstream gradient for each output, never one of ones (it would hide a flipped one), for theirs."""
        self.dys = []
        for name, theirs in self.their_differentiable().items():
            shape, got = tuple(theirs.shape), np.shape(self.outputs.get(name))
            assert got == shape, f"{name}: expected shape {shape}, got {got}"
            self.dys.append(self.layout(self.draw.array(shape, large=False)))
        torch.autograd.backward(list(self.their_differentiable().values()), list(map(bridge.tensor, self.dys)))

    def their_differentiable(self) -> dict[str, torch.Tensor]:
        """Return their outputs, but for indices."""
        return {name: output for name, output in self.their_outputs.items() if name != "indices"}

    def gradients(self) -> dict[str, tuple[np.ndarray | None, torch.Tensor | None]]:
        """Return the gradient of each parameter, ours and theirs; not of those that took no part on either side."""
        if not self.pair.differentiable:
            return {}
        theirs = {name: p.grad for name, p in self.theirs.named_parameters()}
        ours = {name: p.grad for name, p in self.ours.named_parameters()}
        return {name: (ours[name], theirs[name]) for name in ours if ours[name] is not None or theirs[name] is not None}

    def agree(self, what: str, ours: Any, theirs: torch.Tensor | None) -> None:
        """Hold one of our arrays against the judge's."""
        assert theirs is not None, f"{what}: torch has none"
        order = LARGE if self.case.values == "large" else 1.0
        agree(what, ours, bridge.array(theirs), self.case.dtype, self.pair.ulps, self.exact, order)

    def agree_forward(self) -> None:
        """Hold all outputs against the judge's."""
        expected, got = list(self.their_outputs), list(self.outputs)
        assert got == expected, f"expected the outputs {expected}, got {got}"
        for name, theirs in self.their_outputs.items():
            if name == "indices":
                np.testing.assert_array_equal(self.outputs[name], bridge.array(theirs), name)
            else:
                self.agree(name, self.outputs[name], theirs)

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
