"""Files that are there whole or not at all, whatever ends the program."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a name beside path to write to; the file takes its place at the end, unless something was raised."""
    draft = path.with_name(f".{os.getpid()}-{path.name}")  # the suffix stays: NumPy and matplotlib go by it
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
