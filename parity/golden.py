"""The folder of golden vectors: how it is written, whole or not at all, and how it is read; GOLDEN.md describes it."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

FORMAT, VERSION, MANIFEST = "numpycnn golden vectors", 1, "manifest.json"
DTYPES = ("float32", "float64")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the only date in the archives, so that equal arrays make equal files


class GoldenError(ValueError):
    """The folder is not what the manifest says, or not of this format."""


@dataclass(frozen=True)
class Entry:
    """One case in one dtype, as the manifest has it.

    Attributes
    ----------
    row, name : str
        The layer, and what is special about the case.
    dtype : str
        Of the input, the parameters and the upstream gradient, and of what is to be compared.
    training : bool
        The mode.
    arguments : dict
        The constructor's.
    tolerance : dict
        The arrays to be compared, and how far each entry may be from the judge's.
    file, bytes, sha256 : str, int, str
        Where the arrays are, and what the file must be.
    """

    row: str
    name: str
    dtype: str
    training: bool
    arguments: dict[str, Any]
    tolerance: dict[str, float]
    file: str = ""
    bytes: int = 0
    sha256: str = ""


KINDS = {"row": str, "name": str, "dtype": str, "training": bool, "arguments": dict, "tolerance": dict} | {
    "file": str,
    "bytes": int,
    "sha256": str,
}


def write(folder: Path, header: Mapping[str, Any], cases: Iterable[tuple[Entry, Mapping[str, np.ndarray]]]) -> int:
    """Write a folder of cases and return how many; it appears once all of it is there.

    Raises
    ------
    GoldenError
        If something of this name is there already.
    """
    if folder.exists():
        raise GoldenError(f"expected a folder that is not there yet, got {folder}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        whole = Path(scratch, folder.name)
        whole.mkdir()
        entries = [_write_case(whole, entry, arrays) for entry, arrays in cases]
        manifest = {"format": FORMAT, "version": VERSION, **header, "cases": [asdict(entry) for entry in entries]}
        (whole / MANIFEST).write_text(json.dumps(manifest, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        try:
            whole.rename(folder)
        except OSError as error:
            raise GoldenError(f"expected a folder that is not there yet, got {folder}: {error.strerror}") from None
    return len(entries)


def _write_case(folder: Path, entry: Entry, arrays: Mapping[str, np.ndarray]) -> Entry:
    """Write the arrays of a case, stored one after another; return its entry with the file's hash."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            little = np.asarray(array).astype(array.dtype.newbyteorder("<"), order="C")
            np.lib.format.write_array(member, little, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), member.getvalue())
    file = _file(entry)
    (folder / entry.row).mkdir(exist_ok=True)
    (folder / file).write_bytes(content.getvalue())
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    return Entry(**{**asdict(entry), "file": file, "bytes": len(content.getvalue()), "sha256": sha256})


def _file(entry: Entry) -> str:
    return f"{entry.row}/{entry.name}-{entry.dtype}.npz"


def read(folder: Path) -> list[Entry]:
    """Read the manifest and hold every file to it, before anything is run.

    Raises
    ------
    GoldenError
        If the folder is of another format or version, or anything in it is missing, added or changed.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GoldenError(f"expected a {MANIFEST} in {folder}, got {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise GoldenError(f"expected {folder / MANIFEST} to say 'format': {FORMAT!r}, got another file")
    if manifest.get("version") != VERSION:
        raise GoldenError(f"expected version {VERSION} of the format in {folder}, got {manifest.get('version')!r}")
    try:
        entries = [_entry(case) for case in manifest["cases"]]
    except (KeyError, TypeError) as error:
        raise GoldenError(f"expected the entries of {folder / MANIFEST} to be as GOLDEN.md says, got {error}") from None
    if not entries:
        raise GoldenError(f"expected at least one case in {folder / MANIFEST}, got none")
    for entry in entries:
        _content(folder, entry)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.npz")}
    if stray := sorted(there - {entry.file for entry in entries}):
        raise GoldenError(f"expected no .npz in {folder} that the manifest does not list, got {', '.join(stray)}")
    return entries


def _entry(case: dict[str, Any]) -> Entry:
    """Parse an entry of the manifest; a TypeError says what is wrong."""
    entry = Entry(**case)
    for name, kinds in KINDS.items():
        value = getattr(entry, name)
        if not isinstance(value, kinds) or (isinstance(value, bool) and name != "training"):
            raise TypeError(f"{name}: {value!r}")
    if entry.dtype not in DTYPES:
        raise TypeError(f"dtype: {entry.dtype!r}")
    if not all(isinstance(bound, int | float) and bound >= 0 for bound in entry.tolerance.values()):
        raise TypeError(f"tolerance: {entry.tolerance!r}")
    if not re.fullmatch(r"\w+/[\w-]+", f"{entry.row}/{entry.name}") or entry.file != _file(entry):
        raise TypeError(f"file: {entry.file!r} for {entry.row!r}, {entry.name!r}, {entry.dtype}")
    return entry


def load(folder: Path, entry: Entry) -> dict[str, np.ndarray]:
    """Load the arrays of a case.

    Raises
    ------
    GoldenError
        If the file is not the one of the manifest, is no archive of arrays, or lacks one that is to be compared.
    """
    try:
        with np.load(io.BytesIO(_content(folder, entry)), allow_pickle=False) as archive:
            arrays = dict(archive)
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise GoldenError(f"expected an archive of arrays in {folder / entry.file}, got {error}") from None
    if missing := sorted({"x", "dy", *entry.tolerance} - set(arrays)):
        raise GoldenError(f"expected {', '.join(missing)} in {folder / entry.file}, got {', '.join(arrays)}")
    return arrays


def _content(folder: Path, entry: Entry) -> bytes:
    """Read a file of the folder, and hold it to its entry."""
    try:
        content = (folder / entry.file).read_bytes()
    except OSError as error:
        raise GoldenError(f"expected the file {entry.file} in {folder}, got {error.strerror}") from None
    if len(content) != entry.bytes:
        raise GoldenError(f"expected {entry.bytes} bytes in {folder / entry.file}, got {len(content)}")
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != entry.sha256:
        raise GoldenError(f"expected {folder / entry.file} with the sha256 {entry.sha256}, got {sha256}")
    return content
