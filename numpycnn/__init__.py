"""Convolutional networks written by hand in NumPy, every piece held against PyTorch.

Layers, losses and containers carry PyTorch's names (``numpycnn.Conv2d``), optimizers are in
``numpycnn.optim``, networks in ``numpycnn.models``. Importing needs NumPy and nothing else.
"""

from .layers.containers import Add, Block, Concat, Sequential
from .layers.conv import Conv2d
from .layers.errors import DtypeError, LayerError, ShapeError, StateError
from .layers.grad_mode import is_grad_enabled, no_grad
from .layers.layer import Buffer, Layer, Module, Parameter
from .layers.linear import Linear
from .layers.relu import ReLU

__version__ = "0.1.0"

__all__ = [
    "Add",
    "Block",
    "Buffer",
    "Concat",
    "Conv2d",
    "DtypeError",
    "Layer",
    "LayerError",
    "Linear",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "ShapeError",
    "StateError",
    "is_grad_enabled",
    "no_grad",
]
