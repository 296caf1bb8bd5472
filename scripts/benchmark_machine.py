"""The machine that the benchmark runs on: what it is, its memory, and how much of it others take meanwhile."""

import ctypes
import os
import platform
import time
from pathlib import Path


def processor() -> str:
    """Return the processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def keep_memory() -> bool:
    """Let this process keep what it frees, where its C library is GNU's; tell whether it does.

    Else it depends on what lies at the end of the heap whether memory goes back to the system with
    every pass and comes anew, zeroed page by page, with the next: in one process it does, in the
    next it does not, and for small networks that is half of the time.
    """
    libc = ctypes.CDLL(None) if os.name == "posix" else None
    if not hasattr(libc, "mallopt"):
        return False
    trim_threshold, mmap_max, arena_max = -1, -4, -8  # names of options, from malloc.h
    one_heap = libc.mallopt(arena_max, 1)  # for all threads: those of the others are given back at once
    return bool(one_heap and libc.mallopt(trim_threshold, -1) and libc.mallopt(mmap_max, 0))


class Watch:
    """Counts, from now on, the cores that others keep busy.

    Two threads that wait for each other lose a slice of the scheduler's time, some milliseconds,
    at every meeting point if a third one wants a core: torch becomes a hundred times slower then.
    """

    def __init__(self) -> None:
        self.start = self._now()

    def cores(self) -> float | None:
        """Return how many cores others have kept busy on average; None where the system does not tell."""
        if self.start is None or (now := self._now()) is None:
            return None
        clock, busy, own = (after - before for before, after in zip(self.start, now, strict=True))
        return max(0.0, busy - own) / clock

    def _now(self) -> tuple[float, float, float] | None:
        """Return the seconds by the clock, those of all cores that were busy, and those of this process and its own."""
        try:
            with Path("/proc/stat").open(encoding="utf-8") as file:
                user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
        except OSError:
            return None
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        return time.perf_counter(), busy, sum(os.times()[:4])
