"""Large work on threads: NumPy lets other threads run while it copies and multiplies.

One thread unless told otherwise, for two reasons. Work of less than some 100 microseconds a piece is
slower on threads, as all of a LeNet on few images is; kernels split large work only. And the BLAS
below NumPy has threads of its own: let one of the two have them (``OPENBLAS_NUM_THREADS=1`` before
NumPy is imported, then ``set_num_threads``), for both together wait for each other.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import copy_context
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from .cuts import shares

if TYPE_CHECKING:  # imported only where threads are wanted
    from concurrent.futures import ThreadPoolExecutor

Result = TypeVar("Result")
_threads = 1


def set_num_threads(count: int) -> None:
    """Let large work run on so many threads, in the whole process.

    The same number gives the same bits; another one may add up in another order, as in PyTorch.

    Parameters
    ----------
    count : int
        How many, the calling thread among them; 1 at first. BLAS should have one then:
        set ``OPENBLAS_NUM_THREADS=1`` (or what your BLAS calls it) before NumPy is imported.

    Raises
    ------
    TypeError, ValueError
        If it is not an integer, or below 1.

    Examples
    --------
    >>> import numpycnn as nc
    >>> nc.set_num_threads(2)
    >>> nc.get_num_threads()
    2
    >>> nc.set_num_threads(1)
    """
    global _threads
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"set_num_threads: expected an integer, got {count!r}")
    if count < 1:
        raise ValueError(f"set_num_threads: expected at least 1, got {count}")
    _threads = count


def get_num_threads() -> int:
    """Return on how many threads large work may run.

    Examples
    --------
    >>> import numpycnn as nc
    >>> nc.get_num_threads()
    1
    """
    return _threads


def split(work: Callable[[slice], Result], count: int, least: int = 1) -> list[Result]:
    """Do ``work`` on slices that together are all of ``count`` pieces, one slice a thread; results in order.

    Slices have ``least`` pieces or more; there is one where that makes but one, without pieces too. Work must
    not split again: it would wait for a thread that waits for it.
    """
    parts = min(_threads, count // least)
    if parts <= 1:
        return [work(slice(0, count))]
    slices = shares(count, parts)
    pool = _pool(_threads, os.getpid())
    # what NumPy does about overflow belongs to the context, which every thread gets a copy of
    others = [pool.submit(copy_context().run, work, part) for part in slices[1:]]
    try:
        mine = work(slices[0])
    finally:
        for other in others:
            other.exception()  # waits until it is done, well or not
    return [mine, *(other.result() for other in others)]


@lru_cache(maxsize=1)
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Make the pool, a new one in a process that was forked: threads do not come along."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(threads - 1, thread_name_prefix="numpycnn")
