"""The catalogue of mistakes, a file to a family: what hand-written layers get wrong, planted into ours."""

from . import (
    activations,
    convolutions,
    dropouts,
    layers,
    losses,
    models,
    moves,
    networks,
    normalisations,
    optimizers,
    poolings,
    rectifiers,
)
from .mistake import CATALOGUE, Planted, constructor

__all__ = [
    "CATALOGUE",
    "Planted",
    "activations",
    "constructor",
    "convolutions",
    "dropouts",
    "layers",
    "losses",
    "models",
    "moves",
    "networks",
    "normalisations",
    "optimizers",
    "poolings",
    "rectifiers",
]
