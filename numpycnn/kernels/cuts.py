"""Ranges cut into slices: into so many, or into slices of at most so many; and what of a range is inside."""

from __future__ import annotations


def shares(count: int, parts: int) -> list[slice]:
    """Cut so many into so many slices, about as long each."""
    return [slice(count * part // parts, count * (part + 1) // parts) for part in range(parts)]


def evenly(count: int, most: int, threads: int = 1) -> list[slice]:
    """Cut so many into as few slices of at most so many as will do, about as long each, and as many for each thread."""
    return shares(count, min(count, -(-count // (most * threads)) * threads))


def pieces(count: int, most: int) -> list[slice]:
    """Cut so many into slices of just so many; the last one has what remains."""
    return [slice(start, min(count, start + most)) for start in range(0, count, most)]


def inside(first: int, count: int, size: int) -> tuple[slice, slice]:
    """Return which of ``count`` places from ``first`` on are among ``size``: counted from the first, and from 0 on."""
    start = max(0, -first)
    stop = max(start, min(count, size - first))
    return slice(start, stop), slice(first + start, first + stop)
