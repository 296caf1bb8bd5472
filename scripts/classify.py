"""Classify images with a network in a file, with NumPy, safetensors and Pillow alone: no PyTorch anywhere.

    pip install numpycnn-parity[save,images]
    python scripts/classify.py resnet18.safetensors cat.jpg --labels imagenet.txt
    python scripts/classify.py lenet.safetensors seven.png --side 28

The shorter side of an image is brought to the network's side, and the middle cut out; a network for one channel sees
grey images. Numbers are brought to the scale of the training images: those of ImageNet for three channels, and of
MNIST for one, unless others are given.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import numpycnn as nc

SCALES = {3: ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), 1: ((0.1307,), (0.3081,))}
"""Mean and deviation of the pixels, in [0, 1], of the images that one trains on: of ImageNet, and of MNIST."""


def read(path: Path, channels: int, side: int) -> np.ndarray:
    """Read the middle of an image, (1, C, side, side), with numbers in [0, 1]."""
    with Image.open(path) as file:
        image = file.convert("L" if channels == 1 else "RGB")
    scale = side / min(image.size)
    width, height = (max(side, round(length * scale)) for length in image.size)
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
    return nc.transforms.CenterCrop(side)(np.atleast_3d(pixels).transpose(2, 0, 1)[None])


def main(arguments: list[str] | None = None) -> int:
    """Print the likeliest classes of each image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a file that model.save wrote")
    parser.add_argument("images", type=Path, nargs="+", help="whatever Pillow reads")
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="the classes' names, one a line; else their numbers"
    )
    parser.add_argument(
        "--side", type=int, default=224, help="of the images that the network sees (default: %(default)s)"
    )
    parser.add_argument(
        "--mean", type=float, nargs="+", metavar="M", help="of the training images' pixels, a channel each"
    )
    parser.add_argument("--std", type=float, nargs="+", metavar="S", help="their deviation")
    parser.add_argument(
        "--top", type=int, default=5, metavar="N", help="how many classes to show (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        model = nc.load(options.model)
    except (OSError, nc.ModelFileError) as error:
        print(error, file=sys.stderr)
        return 1
    channels = model.parameters()[0].data.shape[1]
    mean, std = SCALES.get(channels, SCALES[3])
    normalize = nc.transforms.Normalize(options.mean or mean, options.std or std)
    for path in options.images:
        with nc.no_grad():
            scores = model(normalize(read(path, channels, options.side)))[0]
        probabilities = nc.Softmax(0)(scores)
        names = options.labels.read_text(encoding="utf-8").splitlines() if options.labels else range(len(scores))
        print(path)
        for index in np.argsort(-probabilities, kind="stable")[: options.top]:
            print(f"  {probabilities[index]:7.2%}  {names[index]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
