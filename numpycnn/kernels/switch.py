"""Switches that every thread has for itself, and the one that says which algorithms are allowed."""

import threading
from contextlib import ContextDecorator
from types import TracebackType
from typing import ClassVar


class Depth(threading.local):
    """How often the thread that asks has entered, and not yet left."""

    inside = 0


class Switch(ContextDecorator):
    """A ``with`` block, or a decorator, in which something is otherwise, for this thread alone; they may be nested.

    Attributes
    ----------
    depth : Depth
        What a switch counts in; every switch has its own.
    """

    depth: ClassVar[Depth]

    @classmethod
    def is_on(cls) -> bool:
        """Tell whether this thread is inside."""
        return cls.depth.inside > 0

    def __enter__(self) -> None:
        self.depth.inside += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.depth.inside -= 1


class winograd(Switch):  # noqa: N801 - a switch, named as no_grad is
    """Convolutions inside, forward and backward, may run Winograd's algorithm, in this thread only.

    Usable as a decorator too. It is faster for filters of 2 to 5 taps a side without stride, on many
    channels and large images, and leaves all others as they are. Off by default since it rounds
    more than the definition does, and a NaN or an infinity spreads to its neighbours, up to 5
    pixels away.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> layer = nc.Conv2d(64, 64, 3, padding=1)
    >>> x = np.ones((1, 64, 56, 56), np.float32)
    >>> with nc.winograd(), nc.no_grad():
    ...     y = layer(x)
    >>> y.shape
    (1, 64, 56, 56)
    """

    depth = Depth()


def is_winograd_enabled() -> bool:
    """Tell whether convolutions called by this thread may run Winograd's algorithm.

    Examples
    --------
    >>> is_winograd_enabled()
    False
    """
    return winograd.is_on()
