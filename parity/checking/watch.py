"""A limit to the time that a layer may take."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

Watch = Callable[[], AbstractContextManager[None]]
GRACE = 5.0
"""Seconds after its alarm until a layer is given up that does not hear it."""
AGAIN = 0.5
"""Seconds from one alarm to the next."""


@contextmanager
def watched(seconds: float, fatal: bool = False) -> Iterator[None]:
    """Raise TimeoutError after so many seconds; in the main thread only, and where the system has alarms.

    Parameters
    ----------
    seconds : float
        The limit.
    fatal : bool
        Whether the process ends where the alarm is not heard, in a loop outside Python.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"expected an answer within {seconds:g} s, got none")

    def unheard(lost: Any) -> None:
        if not isinstance(lost.exc_value, TimeoutError):
            hook(lost)

    before, hook = signal.signal(signal.SIGALRM, ring), sys.unraisablehook
    # again and again, for Python ignores what is raised while it clears objects away
    sys.unraisablehook = unheard
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - where faulthandler would write to
        if fatal:
            faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=nowhere)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()
            signal.signal(signal.SIGALRM, before)
            sys.unraisablehook = hook
