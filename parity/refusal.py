"""Who refuses what: ours and torch's side of a pair, or a single call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import bridge
from .pair import Case, Draw, Pair

REFUSALS = (ValueError, TypeError, RuntimeError, IndexError, AssertionError)  # torch's, the last by way of assert


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
