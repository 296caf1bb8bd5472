"""Convert a network of torchvision into one file that ``numpycnn.load`` opens without PyTorch.

    python scripts/convert_torch.py resnet18 --weights DEFAULT           trained by torchvision, downloaded
    python scripts/convert_torch.py resnet18 --state mine.pth --classes 10    your own weights: .pth or .safetensors
    python scripts/convert_torch.py resnet18                             drawn at random

Beside structure and weights the file holds what PyTorch gives for a fixed input: whoever loads the file sees whether
the same comes out there. For a network that is not torchvision's, the two calls in ``main`` do the same.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import urllib.error
import warnings
from pathlib import Path

import torch
import torchvision
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a fresh clone will do, nothing installed

import numpycnn as nc
from parity.bridge import ConversionError, convert


class RefusalError(Exception):
    """What was asked for cannot be done; the text says why."""


def network(name: str, weights: str | None, state: Path | None, classes: int | None) -> nn.Module:
    """Build a network of torchvision with the weights that are asked for."""
    options = {} if classes is None else {"num_classes": classes}
    torch.manual_seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of how GoogLeNet will begin one day
            module = torchvision.models.get_model(name, weights=weights, **options)
    except (urllib.error.URLError, KeyError, ValueError) as error:
        raise RefusalError(
            f"expected a network of torchvision and weights that it has, got {name}, {weights}: {error}"
        ) from None
    if state is not None:
        try:
            module.load_state_dict(read(state))
        except (RuntimeError, TypeError) as error:
            raise RefusalError(f"expected a state dict of {name}, got {state}: {error}") from None
    return module.eval()


def read(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict; nothing in the file is run."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise RefusalError(f"expected a file of arrays alone, got {path}: {error}") from None
    except OSError as error:
        raise RefusalError(f"expected a state dict, got {path}: {error}") from None


def main(arguments: list[str] | None = None) -> int:
    """Convert, save, and load once for a proof."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", help="as torchvision names it: resnet18, mobilenet_v3_small, ...")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--weights", metavar="NAME", help="torchvision's: DEFAULT, IMAGENET1K_V1, ...")
    source.add_argument("--state", type=Path, metavar="FILE", help="a state dict, .pth or .safetensors")
    parser.add_argument("--classes", type=int, metavar="N", help="how many outputs, if not those of ImageNet")
    parser.add_argument("--side", type=int, default=224, help="of the images it is proven on (default: %(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: NETWORK.safetensors")
    options = parser.parse_args(arguments)
    output = options.output or Path(f"{options.network}.safetensors")
    shape = (1, 3, options.side, options.side)
    try:
        module = network(options.network, options.weights, options.state, options.classes)
        with torch.no_grad():
            logits = module(torch.from_numpy(nc.fixed_input(shape)))
        convert(module).save(output, input_shape=shape, output=logits)
        model = nc.load(output)
    except (RefusalError, ConversionError, nc.ModelFileError) as error:
        print(error, file=sys.stderr)
        return 1
    size = output.stat().st_size / 1e6
    print(f"{output}: {size:.1f} MB, {model.num_parameters():,} parameters; numpycnn gives what PyTorch gives")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
