"""What a case consists of, and what both sides make of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import bridge, registry
from ..pair import Case, Pair
from ..run import Run
from .watch import Watch

Answers = dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """One case in numbers.

    Attributes
    ----------
    state : dict of str to array
        Parameters and buffers before the forward.
    x : array
        The input.
    dys : list of array
        The upstream gradient of each output.
    targets : tuple of array
        For losses, the target.
    expected, got : dict of str to array
        What PyTorch answers in float64, and what the layer does; what it did not come to is missing.
    """

    state: dict[str, np.ndarray]
    x: np.ndarray
    targets: tuple[np.ndarray, ...]
    dys: list[np.ndarray]
    expected: dict[str, np.ndarray]
    got: Answers


def gather(pair: Pair, case: Case, watch: Watch) -> Evidence:
    """Run both sides of a case; the layer's for as long as the watch lets it."""
    if case.arrays is not None:
        case = replace(case, arrays=list(case.arrays))
    golden = registry.ALL[pair.name]
    state = bridge.twins(golden, case)[0].state_dict()
    run = Run(golden, case)
    run.backward()
    expected = dict(run.their_outputs) | {
        f"{name} after forward": value for name, value in run.theirs.state_dict().items()
    }
    expected |= {"dx": run.their_x.grad} | {f"gradient of {n}": theirs for n, (_, theirs) in run.gradients().items()}
    arrays = {name: bridge.array(value) for name, value in expected.items() if value is not None}
    with watch():
        got = answers(pair, case)
    return Evidence(state, run.x, run.extra, run.dys, arrays, got)


def answers(pair: Pair, case: Case) -> Answers:
    """Return all that a layer answers in a case, by name; ``"raises"`` is there if it raises, true in backward."""
    if case.arrays is not None:
        case = replace(case, arrays=list(case.arrays))
    found: Answers = {}
    try:
        run = Run(pair, case)
        found |= run.outputs | {f"{name} after forward": value for name, value in run.ours.state_dict().items()}
        run.backward()
    except Exception:
        return found | {"raises": "y" in found}
    if pair.differentiable:
        found |= {"dx": run.dx}
    found |= {f"{name} after backward": value for name, value in run.ours.state_dict().items()}
    return found | {f"gradient of {name}": ours for name, (ours, _) in run.gradients().items()}
