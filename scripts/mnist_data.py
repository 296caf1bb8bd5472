"""Where the images come from: a folder that is named, or a download, or, without network, a bundled sample of MNIST.

Whichever it is, ``torchvision.datasets`` reads it. Its classes take any file that is there for a good one, so what lies
on the disk is checked first. Fashion-MNIST has the format of MNIST, file by file.
"""

import contextlib
import gzip
import http.client
import io
import math
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torchvision.datasets import MNIST, FashionMNIST
from whole_file import whole_file

SAMPLE = Path(__file__).resolve().parent / "mnist_sample"
PARTS = {"training": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}  # fmt: skip
FILES = [name for part in PARTS.values() for name in part]


@dataclass(frozen=True)
class Dataset:
    """60,000 training and 10,000 test images of 28x28, ten classes; mean and deviation are those of training pixels."""

    title: str
    kind: type[MNIST]
    megabytes: int
    mean: float
    std: float

    @property
    def raw(self) -> Path:
        """Where torchvision's class looks, below its root."""
        return Path(self.kind.__name__, "raw")


DATASETS = {
    "mnist": Dataset("MNIST", MNIST, 11, 0.1307, 0.3081),
    "fashion-mnist": Dataset("Fashion-MNIST", FashionMNIST, 30, 0.2860, 0.3530),
}


class DataError(Exception):
    """The data cannot be used; the text says which file is at fault, and what to do."""


@dataclass(frozen=True)
class Images:
    """Images, (N, 28, 28) of bytes, and labels, (N,) of 0 to 9, for training and for test; and where they are from."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    source: str

    def first(self, count: int | None) -> "Images":
        """Keep at most so many images of each part."""
        arrays = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return Images(*(array[:count] for array in arrays), self.source)


def load(folder: Path | None = None, downloads: Path = Path("data"), dataset: Dataset = DATASETS["mnist"]) -> Images:
    """Read the images from a folder; without one download them, and where that fails take the sample.

    Parameters
    ----------
    folder : Path, optional
        What holds ``MNIST/raw/`` or ``FashionMNIST/raw/``. Nothing is ever written there.
    downloads : Path
        Where a download is kept, and where, in ``sample``, the sample is unpacked.
    dataset : Dataset
        Which one; only of MNIST there is a sample.

    Raises
    ------
    DataError
        If a file is missing or damaged, or cannot be read or written.
    """
    try:
        if folder is not None:
            check(folder, dataset, f"put {dataset.title}'s own file there, or leave --data out to download it")
            return read(folder, dataset, f"{dataset.title} in {folder}")
        if download(downloads, dataset):
            check(downloads, dataset, "delete it to download it again")
            return read(downloads, dataset, f"{dataset.title} in {downloads}")
        if dataset.kind is not MNIST:
            print(".")
            raise DataError(f"{dataset.title} cannot be downloaded here; name a folder that has it: --data FOLDER")
        print(": using the bundled sample of it.")
        return read(unpack_sample(downloads / "sample"), dataset, "the bundled sample of MNIST")
    except OSError as error:
        raise DataError(f"cannot read or write the data: {error}") from error


def download(root: Path, dataset: Dataset) -> bool:
    """Have a data set below root, from an earlier run or from the network; tell whether it is there."""
    if all((root / dataset.raw / name).is_file() for name in FILES):
        return True
    print(f"Downloading {dataset.title} into {root} ({dataset.megabytes} MB) ...", end=" ", flush=True)
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(15)  # seconds; else a network that does not answer would hold us up for minutes
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            dataset.kind(root, download=True)
    except (OSError, RuntimeError, http.client.HTTPException):  # RuntimeError is torchvision's own
        print("which is not possible here", end="")
        return False
    finally:
        socket.setdefaulttimeout(timeout)
    print("done.")
    return True


def unpack_sample(root: Path) -> Path:
    """Unpack the sample to where torchvision's class will find it below root; return root."""
    raw = DATASETS["mnist"].raw
    (root / raw).mkdir(parents=True, exist_ok=True)
    for name in FILES:
        with whole_file(root / raw / name) as draft:
            draft.write_bytes(gzip.decompress((SAMPLE / raw / f"{name}.gz").read_bytes()))
    return root


def read(root: Path, dataset: Dataset, source: str) -> Images:
    """Read what lies below root by torchvision's class."""
    train, test = dataset.kind(root, train=True), dataset.kind(root, train=False)
    return Images(train.data.numpy(), train.targets.numpy(), test.data.numpy(), test.targets.numpy(), source)


def check(root: Path, dataset: Dataset, remedy: str) -> None:
    """Raise unless all four files are there, whole, and fit each other."""
    for part, (images_name, labels_name) in PARTS.items():
        images, labels = root / dataset.raw / images_name, root / dataset.raw / labels_name
        shape = checked_shape(images, 3, remedy)
        if shape[1:] != (28, 28):
            raise DataError(f"{images} holds images of {shape[1]}x{shape[2]} pixels, expected 28x28; {remedy}")
        count = checked_shape(labels, 1, remedy)[0]
        if count != shape[0]:
            raise DataError(f"{labels} holds {count:,} labels for {shape[0]:,} {part} images; {remedy}")
        if max(labels.read_bytes()[8:]) > 9:
            raise DataError(f"{labels} is damaged: it holds a label above 9; {remedy}")


def checked_shape(path: Path, axes: int, remedy: str) -> tuple[int, ...]:
    """Read the shape that an IDX file of bytes tells in its header, and hold the file's size against it."""
    if not path.is_file():
        packed = path.with_name(f"{path.name}.gz")
        raise DataError(f"{path} is missing; " + (f"unpack it: gunzip -k {packed}" if packed.is_file() else remedy))
    with path.open("rb") as file:
        header = file.read(4 + 4 * axes)
    if len(header) < 4 + 4 * axes or header[:4] != bytes((0, 0, 8, axes)):  # 8 stands for bytes
        raise DataError(f"{path} is damaged: it does not begin as an MNIST file; {remedy}")
    shape = struct.unpack(f">{axes}I", header[4:])
    promised, size = len(header) + math.prod(shape), path.stat().st_size
    if size != promised or 0 in shape:
        raise DataError(f"{path} is damaged: it has {size:,} bytes, and its header says {promised:,}; {remedy}")
    return shape
