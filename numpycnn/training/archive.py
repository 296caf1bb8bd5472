"""One file for a tree of numbers, texts and arrays: there whole or not at all, and a single flipped bit is noticed.

The file is an ``.npz``, which ``numpy.load`` opens without pickle. ``checkpoint.json`` in it holds the tree, with a
name in the place of each array, which is an entry of its own. A zip file may end in a comment: ours is the SHA-256 of
all bytes before it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..layers.arrays import Array
from ..layers.whole_file import whole_file

FORMAT = 1
HEAD, MARK, DIGITS = "checkpoint.json", b"sha256:", 64
DRAFT = ".draft.npz"


class CheckpointError(Exception):
    """A checkpoint cannot be written, read or used; the text says which, why, and what is there instead.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpycnn as nc
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "step-1.npz")
    ...     _ = path.write_bytes(b"PK")
    ...     try:
    ...         nc.training.Checkpoints(folder).load({})
    ...     except nc.training.CheckpointError as error:
    ...         print(str(error).replace(folder, "runs"))
    runs/step-1.npz: expected a checkpoint, which ends in its checksum, got 2 bytes that do not; no older one is whole
    """


def write(path: Path, tree: Mapping[str, Any]) -> None:
    """Write a tree of dicts, lists, tuples, numbers, texts and arrays; at every instant the file is the old or the new.

    Raises
    ------
    TypeError
        If there is something else in the tree; nothing is written then.
    OSError
        If it cannot be written; the file is as it was then.
    """
    arrays: dict[str, Array] = {}
    head = {"format": FORMAT, "library": import_module("numpycnn").__version__, "tree": _pack(tree, "", arrays)}
    with whole_file(path, DRAFT) as draft, draft.open("w+b") as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.comment = MARK + bytes(DIGITS)
            with archive.open(HEAD, "w") as entry:
                entry.write(json.dumps(head).encode())
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)
        digest = _digest(file)
        file.seek(-DIGITS, os.SEEK_END)
        file.write(digest)


def read(path: Path) -> dict[str, Any]:
    """Return the tree of a file, once its checksum was found to be right.

    Raises
    ------
    CheckpointError
        If the file was cut off or damaged, is no checkpoint, or one of a later format.
    """
    try:
        with path.open("rb") as file:
            _check(path, file)
            with zipfile.ZipFile(file) as archive:
                head = json.loads(archive.read(HEAD))
                if head["format"] != FORMAT:
                    raise CheckpointError(
                        f"{path}: expected a checkpoint of format {FORMAT}, got format {head['format']}, "
                        f"written by numpycnn {head['library']}"
                    )
                tree: dict[str, Any] = _unpack(head["tree"], archive)
                return tree
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error


def peek(path: Path) -> dict[str, Any]:
    """Return the top of a tree, its arrays left out and the checksum unread; nothing if that cannot be done."""
    with contextlib.suppress(OSError, zipfile.BadZipFile, KeyError, ValueError), zipfile.ZipFile(path) as archive:
        tree: dict[str, Any] = json.loads(archive.read(HEAD))["tree"]
        return tree
    return {}


# The file


def _check(path: Path, file: IO[bytes]) -> None:
    tail = len(MARK) + DIGITS
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - tail))
    found = file.read()
    if len(found) < tail or not found.startswith(MARK):
        raise CheckpointError(
            f"{path}: expected a checkpoint, which ends in its checksum, got {size:,} bytes that do not"
        )
    if (told := found.removeprefix(MARK)) != (right := _digest(file)):
        raise CheckpointError(f"{path}: is damaged: expected the checksum {told!r}, got {right!r} of what it holds")


def _digest(file: IO[bytes]) -> bytes:
    """Hash a file up to where its digest stands."""
    left = file.seek(-DIGITS, os.SEEK_END)
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0:
        chunk = file.read(min(left, 1 << 20))
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest().encode()


# The tree


def _pack(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """Make of a tree what JSON knows; arrays are put aside, and what JSON does not know is marked by a dollar."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item()
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        while name in arrays:  # two paths may be spelled alike
            name += "_"
        arrays[name] = value
        return {"$array": name}
    if isinstance(value, list | tuple):
        parts = [_pack(part, f"{name}/{index}", arrays) for index, part in enumerate(value)]
        return {"$tuple": parts} if isinstance(value, tuple) else parts
    if isinstance(value, Mapping):
        packed = [(key, _pack(part, f"{name}/{key}".lstrip("/"), arrays)) for key, part in value.items()]
        plain = all(isinstance(key, str) and not key.startswith("$") for key in value)
        return dict(packed) if plain else {"$pairs": packed}
    raise TypeError(f"cannot save {name}: expected numbers, texts, arrays, or dicts and lists of them, got {value!r}")


def _unpack(value: Any, archive: zipfile.ZipFile) -> Any:
    match value:
        case {"$array": name}:
            with archive.open(f"{name}.npy") as entry:
                return np.lib.format.read_array(entry, allow_pickle=False)
        case {"$tuple": parts}:
            return tuple(_unpack(part, archive) for part in parts)
        case {"$pairs": pairs}:
            return {key: _unpack(part, archive) for key, part in pairs}
        case dict():
            return {key: _unpack(part, archive) for key, part in value.items()}
        case list():
            return [_unpack(part, archive) for part in value]
        case _:
            return value
