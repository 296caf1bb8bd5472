"""Elementwise equations block by block: large arrays come from memory once, however many steps the equations have."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from .cuts import evenly
from .layout import outermost
from .parallel import split
from .window import Array

BLOCK = 1 << 17  # bytes of one array; some arrays and what stands between the steps stay in the cache together
MANY = 8  # blocks that are worth a thread


def block_by_block(equations: Callable[..., None], first: Array, *others: Array | None) -> None:
    """Call equations, which write into some of their arrays, for corresponding blocks of arrays of one shape.

    Blocks are views, cut as the first array lies in memory; the others may lie otherwise. None stays None.
    Where a block could be written that another one reads, of an array and its transpose say, there is one block.
    """
    if first.nbytes <= BLOCK or not _apart(first, *others):
        equations(first, *others)
        return
    blocks = list(_blocks(first, others))

    def work(part: slice) -> None:
        for block in blocks[part]:
            equations(*block)

    split(work, len(blocks), MANY)


def _apart(*arrays: Array | None) -> bool:
    """Say whether arrays have one shape and no memory in common."""
    pairs = itertools.combinations([array for array in arrays if array is not None], 2)
    return not any(a.shape != b.shape or np.may_share_memory(a, b) for a, b in pairs)


def _blocks(first: Array, others: tuple[Array | None, ...]) -> Iterator[tuple[Array | None, ...]]:
    """Cut along the axis that is outermost in memory, and each slice along the next one if it must be."""
    if first.nbytes <= BLOCK:
        yield first, *others
        return
    axis = outermost(first)
    side = first.shape[axis]
    for part in evenly(side, max(1, BLOCK * side // first.nbytes)):
        where = (slice(None),) * axis + (part,)
        yield from _blocks(first[where], tuple(None if other is None else other[where] for other in others))
