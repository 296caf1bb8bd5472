"""Tell the digit in image files, with NumPy and Pillow alone.

    python scripts/predict.py seven.png
    python scripts/predict.py photos/ --json                        # every PNG and JPEG in a folder
    python scripts/predict.py seven.png --weights runs/FOLDER/numpy.npz

Images may be PNG or JPEG, of any size and colour, dark on light or light on dark, with one digit each, anywhere in the
picture. It is brought to how MNIST would show it, and read by a LeNet whose weights lie in scripts/weights, or by one
that scripts/train_mnist.py has trained.

For each image a line tells the digit and how likely it is by the network's own account, which is about digits: it does
not know that there are other things. With --json the line is an object with "image", "digit", "confidence" and the ten
"probabilities", or with "image" and "error".

A file that cannot be used is named, and the others are read. The exit code is 0; or 1 if there was such a file, or
nothing to read; or 2 for a wrong flag or weights that cannot be used.

Needs Pillow beside NumPy: pip install -e ".[images]"
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a fresh clone will do, nothing installed

import numpy as np
from mnist_look import as_mnist
from PIL import Image, ImageOps, UnidentifiedImageError
from trained_lenet import WEIGHTS, probabilities, trained_lenet

SUFFIXES = {".png", ".jpg", ".jpeg"}
ENOUGH = 1000  # pixels on the shorter side; more cost time and tell nothing


class UnreadableError(Exception):
    """A file cannot be used; the text says why."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the page; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="+", metavar="IMAGE", help="a PNG or JPEG file, or a folder of them")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each image")
    parser.add_argument("--weights", type=Path, metavar="FILE", default=WEIGHTS, help="of a LeNet of your own")
    flags = parser.parse_args(argv)
    try:
        model = trained_lenet(flags.weights)
    except ValueError as error:
        parser.error(str(error))
    code = 0
    for path in files(flags.paths):
        try:
            chances = probabilities(model, as_mnist(read(path)))
        except (UnreadableError, ValueError) as error:
            code = 1
            print(f"predict.py: {path}: {error}", file=sys.stderr)
            told = {"image": str(path), "error": str(error)}
        else:
            digit = int(chances.argmax())
            told = {"image": str(path), "digit": digit, "confidence": float(chances[digit])}
            told["probabilities"] = chances.tolist()
        if flags.json:
            print(json.dumps(told), flush=True)
        elif "digit" in told:
            print(f"{path}  {told['digit']}  {told['confidence']:.1%}", flush=True)
    return code


def files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that are named, and in the place of a folder the images in it; one without any stays."""
    for path in paths:
        inside = path.is_dir() and sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        yield from inside or [path]


def read(path: Path) -> np.ndarray:
    """Read an image as numbers, (H, W), from 0, black, to 255, white.

    Raises
    ------
    UnreadableError
        If it is none, or damaged, or so large that it may be meant to do harm.
    """
    if path.is_dir():
        raise UnreadableError("expected images in this folder, got none that ends in .png, .jpg or .jpeg")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG", "JPEG")) as file:
                return grey(ImageOps.exif_transpose(file))
    except UnidentifiedImageError:
        raise UnreadableError("expected a PNG or JPEG image, got something else") from None
    except FileNotFoundError:
        raise UnreadableError("there is no such file") from None
    except Exception as error:  # for a damaged file Pillow raises whatever its decoders do
        raise UnreadableError(f"cannot be read: {error}") from error


def grey(image: Image.Image) -> np.ndarray:
    """Leave the brightness of an image; what is transparent becomes the opposite of what is not."""
    if image.mode.startswith("I"):  # 16 bits, all of them brightness
        return np.asarray(image, np.float32) / 257
    image = image.convert("RGBA").convert("LA")
    light, opacity = np.moveaxis(np.asarray(image.reduce(max(1, min(image.size) // ENOUGH)), np.float32), 2, 0)
    behind = 255 if (light * opacity).sum() < 128 * opacity.sum() else 0
    return behind + (light - behind) * opacity / 255


if __name__ == "__main__":
    sys.exit(main())
