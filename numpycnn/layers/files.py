"""A model in one file, structure and weights: opened again without its Python class, and without running anything.

The file is a safetensors file, whose tensors are the state dict: PyTorch loads it as such. Its metadata hold the
structure, if wanted what the model gives for a fixed input, and the SHA-256 of all that.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .arguments import file_path, shape_of
from .arrays import Array, float_dtype
from .errors import LayerError
from .grad_mode import no_grad
from .layer import Layer
from .structure import StructureError, built, told
from .whole_file import whole_file

FORMAT, VERSION = "numpycnn model", 1
NEAR = {"float32": 1e-3, "float64": 1e-9}
"""How far an output may be from the one that was saved, in units of its largest entry: machines sum in other orders."""


class ModelFileError(ValueError):
    """A file holds no model that can be loaded; the text says what was expected, and what is there instead.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpycnn as nc
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "net.safetensors")
    ...     nc.ReLU().save(path)
    ...     _ = path.write_bytes(path.read_bytes()[:-1])
    ...     try:
    ...         nc.load(path)
    ...     except nc.ModelFileError as error:
    ...         print(str(error).partition("net.safetensors: ")[2].partition(", got")[0])
    expected a safetensors file that is whole
    """


def save(
    model: Layer, path: str | os.PathLike[str], input_shape: Sequence[int] | None = None, output: Any = None
) -> None:
    """Do what ``Layer.save`` says."""
    path = file_path("save", "path", path)
    if input_shape is not None:
        input_shape = shape_of("save", "input_shape", input_shape)
    write = _safetensors("numpy").save_file
    try:
        metadata = {
            "format": FORMAT,
            "version": str(VERSION),
            "library": import_module("numpycnn").__version__,
            "structure": json.dumps(told(model)),
        }
    except StructureError as error:
        raise ValueError(f"cannot save {type(model).__name__}: {error}") from error
    if input_shape is not None:
        y = _run(model, input_shape) if output is None else np.asarray(output)
        if isinstance(y, tuple):
            raise ValueError(f"cannot save {type(model).__name__}: expected one output for input_shape, got {len(y)}")
        metadata["proof"] = json.dumps({"input_shape": list(input_shape), "output": y.tolist()})
    state = model.state_dict()
    metadata["sha256"] = _digest(metadata, state)
    with whole_file(path, f".{path.name}.draft") as draft:
        draft.touch()
        mode = draft.stat().st_mode
        write(state, draft, metadata)
        draft.chmod(mode)  # whoever may read other new files may read this one: safetensors lets nobody


def load(path: str | os.PathLike[str], *, check: bool = True) -> Layer:
    """Read a model that ``Layer.save`` wrote; nothing in the file is run, and its Python class is not needed.

    Needs the extra ``numpycnn-parity[save]``.

    Parameters
    ----------
    path : path
        The file.
    check : bool
        Whether to run the model on the fixed input, if the file says what must come out.

    Returns
    -------
    Layer
        The model, in evaluation mode. Blocks of all kinds come back as ``Block``, with the same names and wiring.

    Raises
    ------
    ModelFileError
        If the file is damaged, or none of these; is of a later version; or its model gives another output.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpycnn as nc
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "lenet.safetensors")
    ...     nc.models.LeNet(rng=0).save(path, input_shape=(1, 1, 28, 28))
    ...     model = nc.load(path)
    >>> list(model.state_dict())[:2]
    ['conv1.weight', 'conv1.bias']
    """
    path = file_path("load", "path", path)
    if path.is_dir():
        raise ModelFileError(f"{path}: expected a file, got a folder")
    metadata, state = _read(path)
    try:
        model = built(json.loads(metadata.get("structure", "")), state).eval()
        if check and "proof" in metadata:
            _prove(model, **json.loads(metadata["proof"]))
    except (StructureError, LayerError, ValueError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path}: {error}") from error
    return model


def fixed_input(shape: Sequence[int], dtype: npt.DTypeLike = np.float32) -> Array:
    """Return numbers in [-1, 1) that follow from their positions alone: the same everywhere, in both dtypes.

    Parameters
    ----------
    shape : sequence of int
        The shape.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> import numpycnn as nc
    >>> nc.fixed_input((2, 2))
    array([[-1.        ,  0.23606789],
           [-0.5278641 ,  0.7082039 ]], dtype=float32)
    """
    shape = shape_of("fixed_input", "shape", shape)
    hashed = np.arange(math.prod(shape), dtype=np.uint64) * np.uint64(2654435761) % np.uint64(1 << 32)
    numbers = (hashed >> np.uint64(8)).astype(float_dtype(dtype)) / 2**23 - 1  # 24 bits: exact in float32 too
    return numbers.reshape(shape)


def _read(path: Path) -> tuple[dict[str, str], dict[str, Array]]:
    """Return a file's metadata and arrays, once they are known to be whole."""
    safetensors = _safetensors()
    try:
        with safetensors.safe_open(path, "np") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise ModelFileError(
                    f"{path}: expected a model with its structure, as model.save writes it, got a safetensors file "
                    f"with {len(file.keys())} arrays alone; build the model, and load them with load_state_dict"
                )
            if metadata.get("version") != str(VERSION):
                raise ModelFileError(
                    f"{path}: expected version {VERSION} of the format, got {metadata.get('version')}, "
                    f"written by numpycnn {metadata.get('library')}"
                )
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except safetensors.SafetensorError as error:
        raise ModelFileError(
            f"{path}: expected a safetensors file that is whole, got one that is not: {error}"
        ) from None
    told = metadata.pop("sha256", "none")
    if told != (right := _digest(metadata, state)):
        raise ModelFileError(f"{path}: is damaged: expected the checksum {told}, got {right} of what it holds")
    return metadata, state


def _digest(metadata: Mapping[str, str], state: Mapping[str, Array]) -> str:
    """Hash all that a file says."""
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(state):
        digest.update(f"{name} {state[name].dtype.str} {state[name].shape}".encode())
        digest.update(state[name].data)
    return digest.hexdigest()


def _prove(model: Layer, input_shape: Sequence[int], output: Any) -> None:
    """Hold a model to an output."""
    y = _run(model, input_shape)
    expected = np.asarray(output, y.dtype)
    if y.shape != expected.shape:
        raise ValueError(f"expected an output of shape {expected.shape}, got {y.shape}")
    error = float(np.abs(y - expected).max(initial=0) / np.abs(expected).max(initial=np.finfo(y.dtype).tiny))
    if not error <= NEAR[str(y.dtype)]:
        raise ValueError(
            f"expected the output that was saved with the model, got one that differs from it by {error:.1e} of its "
            f"largest entry; load(..., check=False) does not look"
        )


def _run(model: Layer, shape: Sequence[int]) -> Array:
    """Return what a model gives, in evaluation mode, for the fixed input in its dtype."""
    parameters = model.parameters()
    modes = {module: module.training for module in model.modules()}
    x = fixed_input(shape, parameters[0].data.dtype if parameters else np.float32)
    try:
        with no_grad():
            y: Array = model.eval().forward(x)
            return y
    finally:
        for module, mode in modes.items():
            module.training = mode


def _safetensors(part: str = "") -> Any:
    """Import what reads and writes the files: the one thing here that does not come with Python or NumPy."""
    try:
        return import_module(f"safetensors.{part}" if part else "safetensors")
    except ImportError as error:
        raise ImportError("models are saved by safetensors: pip install 'numpycnn-parity[save]'") from error
