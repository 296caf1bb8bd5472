"""The LeNet that comes with the repository, trained on MNIST; or one of your own."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

import numpycnn as nc

WEIGHTS = Path(__file__).resolve().parent / "weights" / "lenet.npz"
SCALE = nc.transforms.Normalize((0.1307,), (0.3081,))  # mean and deviation of MNIST's training pixels


def trained_lenet(path: Path = WEIGHTS) -> nc.models.LeNet:
    """Return LeNet in evaluation mode, with the weights of a file that train_mnist.py wrote.

    Raises
    ------
    ValueError
        If the file cannot be read, or holds something else.
    """
    model = nc.models.LeNet()
    try:
        with np.load(path, allow_pickle=False) as file:
            model.load_state_dict(dict(file))
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: expected LeNet's weights, as train_mnist.py writes them; {error}") from error
    return model.eval()


def network_input(look: np.ndarray) -> np.ndarray:
    """Bring a digit as MNIST shows it, (28, 28) of 0 to 1, to what LeNet was trained on, (1, 1, 28, 28)."""
    return SCALE(look.astype(np.float32)[None, None])


def probabilities(model: nc.Layer, look: np.ndarray) -> np.ndarray:
    """Return how likely each digit is, (10,), for one as MNIST shows it, (28, 28) of 0 to 1."""
    with nc.no_grad():
        return nc.Softmax(0)(model(network_input(look))[0])
