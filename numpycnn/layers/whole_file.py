"""Files that are there whole or not at all: whoever is killed while writing leaves the old one behind."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path, draft: str) -> Iterator[Path]:
    """Yield the path of a draft beside the file, to be written; it takes the file's place once it is on the disk.

    Parameters
    ----------
    path : Path
        The file. It stays as it was if something is raised.
    draft : str
        The name of the draft; always the same one, so that what a killed process left behind is written over.
    """
    beside = path.with_name(draft)
    try:
        yield beside
        _sync(beside, os.O_RDWR)
        beside.replace(path)
        if hasattr(os, "O_DIRECTORY"):  # Windows syncs no folders
            _sync(path.parent, os.O_DIRECTORY)
    finally:
        beside.unlink(missing_ok=True)


def _sync(path: Path, flags: int) -> None:
    """Wait until a file, or the names in a folder, have reached the disk."""
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
