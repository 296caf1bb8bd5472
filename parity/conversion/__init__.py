"""From a PyTorch module to a model of ours: traced, wired anew from our layers, with the same names and numbers."""

from . import functions, moves
from .agreement import Agreement, agreement
from .convert import convert
from .errors import ConversionError

__all__ = ["Agreement", "ConversionError", "agreement", "convert", "functions", "moves"]
