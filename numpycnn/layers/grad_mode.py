"""Whether forward remembers what backward will need: a switch for each thread, as in PyTorch."""

import threading
from contextlib import ContextDecorator
from types import TracebackType


class _GradMode(threading.local):
    depth = 0  # how many no_grads this thread is in


_mode = _GradMode()


def is_grad_enabled() -> bool:
    """Tell whether layers called by this thread remember for backward.

    Examples
    --------
    >>> is_grad_enabled()
    True
    """
    return _mode.depth == 0


class no_grad(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Forward passes inside remember nothing, in this thread only; usable as a decorator too.

    Independent of training mode: dropout still drops and batch normalisation still learns its
    statistics unless the model is in evaluation mode. Without it, a model that only predicts keeps
    what its last forward remembered.

    Examples
    --------
    >>> import numpycnn
    >>> with numpycnn.no_grad():
    ...     numpycnn.is_grad_enabled()
    False
    """

    def __enter__(self) -> None:
        _mode.depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _mode.depth -= 1
