"""A folder of checkpoints, from which a training that was killed goes on as if it never had been."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import numpy as np

from ..layers.arguments import file_path, integer, real
from ..layers.module import Module
from . import archive
from .archive import CheckpointError
from .state import Parts, put, take


class Checkpoints:
    """The last states of a training, and its best one, in a folder.

    A checkpoint holds everything that decides how the training goes on: hand over all of it, as a
    dict of parts. A part is a module (with the state of the generators that its layers draw from),
    an optimizer, a schedule, ``Batches``, an ``EarlyStop``, a Generator, a dict or list of numbers
    and texts (metrics so far), or anything else with ``state_dict`` and ``load_state_dict``.

    At every instant all files named ``step-*.npz`` are whole: each is written under another name,
    flushed to the disk, and renamed. One process may write into a folder at a time.

    Parameters
    ----------
    folder : path
        Where they are; made with the first.
    keep : int
        How many of the last ones are kept, at least 1; the best one is kept besides.

    Raises
    ------
    CheckpointError
        In ``save`` and ``load``, with a sentence; nothing is changed then.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> x, target = np.eye(6, dtype=np.float32), np.arange(6) % 2
    >>> def train(folder, steps):
    ...     model, criterion = nc.Linear(6, 2, rng=0), nc.CrossEntropyLoss()
    ...     optimizer = nc.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    ...     batches = nc.training.Batches(x, target, 2, rng=0)
    ...     parts = {"model": model, "optimizer": optimizer, "batches": batches}
    ...     checkpoints = nc.training.Checkpoints(folder)
    ...     checkpoints.load(parts)  # does nothing in an empty folder
    ...     for step in nc.training.fit(model, criterion, optimizer, batches, epochs=5):
    ...         checkpoints.save(parts, step.number)
    ...         if step.number == steps:
    ...             break
    ...     return model.weight.data
    >>> with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
    ...     whole = train(one, steps=15)
    ...     _ = train(other, steps=7)
    ...     resumed = train(other, steps=15)
    >>> np.array_equal(resumed, whole)
    True
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int = 3):
        self.folder = file_path("Checkpoints", "folder", folder)
        self.keep = integer("Checkpoints", "keep", keep, 1)
        self._ours = False  # whether what is in the folder was loaded or saved by us

    @property
    def paths(self) -> list[Path]:
        """The files, in the order of their steps."""
        found = [path for path in self.folder.glob("step-*.npz") if re.fullmatch(r"step-\d+", path.stem)]
        return sorted(found, key=_number)

    @property
    def best(self) -> Path | None:
        """The file of the highest score, the first of them if several have it; None if no score was saved."""
        scored = [(path, archive.peek(path).get("score")) for path in self.paths]
        scores = {path: score for path, score in scored if score is not None and not math.isnan(score)}
        return max(scores, key=lambda path: scores[path], default=None)

    def save(self, parts: Parts, number: int, score: float | None = None) -> Path:
        """Write a checkpoint, then delete those that are no longer kept.

        Parameters
        ----------
        parts : dict
            All that takes part, by names of your choice.
        number : int
            Which step it was; it makes the file's name.
        score : float, optional
            How good it is, the higher the better.

        Returns
        -------
        Path
            The file.
        """
        score = None if score is None else real("Checkpoints", "score", score)
        path = self.folder / f"step-{integer('Checkpoints', 'number', number, 0):08}.npz"
        there = self.paths
        if there and not self._ours:
            raise CheckpointError(
                f"cannot write {path}: expected an empty folder or a run that was loaded from it, got {there[-1].name} "
                "of another run; load it, or take another folder"
            )
        for name, part in parts.items():
            if isinstance(part, Module) and (bad := _not_finite(part)):
                raise CheckpointError(
                    f"cannot write {path}: expected finite numbers, got {bad} of {name}; {self._last()}"
                )
        tree = {"number": number, "score": score, "parts": take(parts)}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            archive.write(path, tree)
        except OSError as error:
            raise CheckpointError(f"cannot write {path}: {error.strerror}; {self._last()}") from error
        self._ours = True
        kept = {*self.paths[-self.keep :], self.best}
        for old in self.paths:
            if old not in kept:
                old.unlink()
        return path

    def load(self, parts: Parts, path: str | os.PathLike[str] | None = None) -> Path | None:
        """Put a checkpoint back into the parts; all or nothing.

        Parameters
        ----------
        parts : dict
            What was saved, under the same names.
        path : path, optional
            A certain file, of which then some of the parts will do: ``load({"model": model}, checkpoints.best)``.
            By default the newest of the folder, from which the training goes on.

        Returns
        -------
        Path or None
            The file; None if the folder has none.
        """
        newest = path is None
        if path is None:
            if not self.paths:
                return None
            path = self.paths[-1]
        path = file_path("Checkpoints", "path", path)
        try:
            states = archive.read(path)["parts"]
            if newest and set(states) != set(parts):
                raise ValueError(f"expected the parts {sorted(parts)}, got {sorted(states)}")
            put(parts, states)
        except ValueError as error:
            raise CheckpointError(f"{path}: is of another training: {error}") from error
        except CheckpointError as error:
            raise CheckpointError(f"{error}; {self._older(path)}") from error
        self._ours = self._ours or newest
        return path

    def _last(self) -> str:
        return f"{self.paths[-1].name} stays the last" if self.paths else "there is none before it"

    def _older(self, path: Path) -> str:
        """Offer another file in the place of one that cannot be read."""
        for other in reversed([other for other in self.paths if _number(other) < _number(path)]):
            try:
                archive.read(other)
            except CheckpointError:
                continue
            return f"{other.name} before it is whole: delete {path.name} to go on from there"
        return "no older one is whole"


def _number(path: Path) -> int:
    return int(path.stem.removeprefix("step-"))


def _not_finite(module: Module) -> str:
    """Name the first array that holds inf or nan, if one does."""
    for name, array in module.named_arrays():
        if not np.isfinite(array.data).all():
            return f"{array.data[~np.isfinite(array.data)][0]} in {name}"
    return ""
