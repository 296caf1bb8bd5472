"""numpycnn held against PyTorch: the promise as a table, the laws it must obey, and the judge."""

from typing import Any

__all__ = ["Adapter", "check", "law_tests"]


def __getattr__(name: str) -> Any:
    """Import what examines layers only when it is asked for: it needs hypothesis, which training goes without."""
    if name in __all__:
        from . import checking

        return getattr(checking, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
