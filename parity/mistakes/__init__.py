"""The catalogue of mistakes, a file to a family: what hand-written layers get wrong, planted into ours."""

from . import (
    activations,
    algorithms,
    convolution_gradients,
    convolutions,
    dropouts,
    layers,
    losses,
    models,
    moves,
    networks,
    normalisations,
    optimizers,
    pooling_gradients,
    poolings,
    rectifiers,
    resampling,
)
from .mistake import CATALOGUE, Planted, constructor

__all__ = [
    "CATALOGUE",
    "Planted",
    "activations",
    "algorithms",
    "constructor",
    "convolution_gradients",
    "convolutions",
    "dropouts",
    "layers",
    "losses",
    "models",
    "moves",
    "networks",
    "normalisations",
    "optimizers",
    "pooling_gradients",
    "poolings",
    "rectifiers",
    "resampling",
]
