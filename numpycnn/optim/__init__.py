"""The optimizers, under PyTorch's names; they hold parameters and know nothing of layers."""

from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Optimizer"]
