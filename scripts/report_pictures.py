"""Small pictures inside a page: digits, filters, feature maps; black ink on nothing, which a dark page inverts."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
from feature_maps import Stage
from matplotlib.image import imsave

import numpycnn as nc

ABOVE, BELOW = (217, 119, 43), (47, 111, 190)  # the colours of weights: above 0 orange, below 0 blue


def picture(rgba: np.ndarray, words: str) -> str:
    """Return an image, (H, W, 4) of bytes, as an element of a page."""
    file = io.BytesIO()
    imsave(file, rgba, format="png")
    data = base64.b64encode(file.getvalue()).decode()
    height, width = rgba.shape[:2]
    return f'<img src="data:image/png;base64,{data}" width="{width}" height="{height}" alt="{escape(words)}">'


def ink(strength: np.ndarray, words: str) -> str:
    """Return a picture of ink, (H, W) from 0, none, to 255."""
    return picture(np.dstack([np.zeros((*strength.shape, 3), np.uint8), strength.astype(np.uint8)]), words)


def filters(model: nc.Layer) -> str:
    """Show the filters of the first convolution, each channel by itself, all on one scale."""
    weight = next(layer for layer in model.modules() if isinstance(layer, nc.Conv2d)).weight.data
    size = np.where(np.isfinite(weight), np.abs(weight), 0)
    strength = size / (size.max() or 1)
    colours = np.where(weight[..., None] > 0, np.uint8(ABOVE), np.uint8(BELOW))
    rgba = np.concatenate([colours, (255 * strength[..., None]).round().astype(np.uint8)], axis=-1)
    tiles = [picture(of, f"Filter {n + 1}") for n, channels in enumerate(rgba) for of in channels]
    return f'<div class="maps colours" style="--wide: 84px">{"".join(tiles)}</div>'


def feature_maps(stages: list[Stage]) -> str:
    """Show what comes out of each layer, a card each."""
    return "".join(
        f'<section class="card{"" if stage.output.ndim == 3 else " vector"}">'
        f"<h3>{escape(stage.name)} <span>{stage.size}</span></h3>{maps(stage)}</section>"
        for stage in stages
    )


def maps(stage: Stage) -> str:
    """Show the maps of a layer; a vector is folded."""
    strength = stage.brightness
    if strength.ndim == 1:
        columns = next((length for length in (30, 28, 10) if not strength.size % length), strength.size)
        return f'<div class="folded" style="--wide: {12 * columns}px">{ink(strength.reshape(-1, columns), "")}</div>'
    tiles = "".join(ink(of, f"Map {n + 1}") for n, of in enumerate(strength))
    return f'<div class="maps" style="--wide: {np.clip(13 + 5.5 * strength.shape[2], 48, 145):g}px">{tiles}</div>'
