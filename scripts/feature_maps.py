"""What every layer of a network makes of one image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import numpycnn as nc

JOINED = (nc.ReLU, nc.Tanh, nc.BatchNorm2d)  # they change what stands before them, place by place


class Stage(NamedTuple):
    """A layer, with what belongs to it, and its output: maps, (C, H, W), or features, (F,)."""

    name: str
    output: np.ndarray

    @property
    def size(self) -> str:
        """Say how large the output is."""
        count, *sides = self.output.shape
        return f"{count} maps of {sides[0]}\N{MULTIPLICATION SIGN}{sides[1]}" if sides else f"{count} numbers"

    @property
    def brightness(self) -> np.ndarray:
        """The output from 0 to 255, for a picture: black is 0, or the least number if that is negative."""
        shown = np.where(np.isfinite(self.output), self.output, 0).astype(np.float64)
        least = min(0, shown.min())
        return (255 * (shown - least) / max(shown.max() - least, 1e-300)).round().astype(np.uint8)


def stages(model: nc.Layer, x: np.ndarray) -> list[Stage]:
    """Run a network without branches on a batch of one image, and keep what comes out of its layers on the way.

    An activation or a normalisation counts to the layer before it. What only changes the shape is left out.
    """
    found: list[Stage] = []
    with nc.no_grad():
        for layer in model if isinstance(model, nc.Sequential) else model._route:
            x = layer(x)
            if isinstance(layer, JOINED):
                found[-1] = Stage(f"{found[-1].name}, {type(layer).__name__}", x[0])
            elif not isinstance(layer, nc.Flatten):
                found.append(Stage(repr(layer), x[0]))
    return found
