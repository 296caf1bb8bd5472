"""Any picture of a digit as MNIST would show it; with NumPy alone.

MNIST's digits are light on dark, fitted into 20x20 pixels without changing their proportions, smoothed by that, and
placed in 28x28 so that their centre of mass is in the middle (http://yann.lecun.com/exdb/mnist/). A network that has
seen nothing else reads others better once they look alike.
"""

from __future__ import annotations

import numpy as np

SIDE, FIT = 28, 20
CONTRAST = 16  # of 255, the least between a digit and what is behind it
FAINT = 0.1  # of the strongest ink, what does not count when the digit's borders are looked for


def as_mnist(grey: np.ndarray) -> np.ndarray:
    """Return a picture as MNIST would show it.

    Parameters
    ----------
    grey : ndarray
        (H, W), numbers from 0, black, to 255, white: one digit, dark on light or light on dark.

    Returns
    -------
    ndarray
        (28, 28), float32, from 0, the background, to 1, the ink.

    Raises
    ------
    ValueError
        If nothing stands out from the background, which is what most of the picture's border shows.

    Examples
    --------
    >>> seven = np.full((200, 300), 255)
    >>> seven[50:60, 100:160] = seven[50:150, 150:160] = 0
    >>> look = as_mnist(seven)
    >>> look.shape, look.any(0).sum(), look.any(1).sum()
    ((28, 28), 12, 20)
    """
    digit = cropped(ink(grey.astype(np.float32)))
    height, width = digit.shape
    scale = FIT / max(height, width)
    rows, columns = (resampling(length, max(1, round(length * scale))) for length in (height, width))
    digit = rows @ digit @ columns.T
    return centred(digit / digit.max())


def ink(grey: np.ndarray) -> np.ndarray:
    """Tell digit and background apart, (H, W) -> (H, W): how much ink there is, 0 to 1."""
    border = np.concatenate([grey[0], grey[:, -1], grey[-1, ::-1], grey[::-1, 0]])  # once around
    paper = np.median(border)
    dark = paper - grey.min() > grey.max() - paper
    away, around = (paper - grey, paper - border) if dark else (grey - paper, border - paper)
    if away.max() < CONTRAST:
        raise ValueError(f"expected a digit on a plain background, got shades of {grey.min():.0f} to {grey.max():.0f}")
    grain, shadow = 5 * np.median(np.abs(np.diff(border))), np.quantile(around, 0.9)
    away = np.maximum(0, away - min(grain + max(0, shadow), away.max() / 2))
    return away / away.max()


def cropped(digit: np.ndarray) -> np.ndarray:
    """Cut off what is empty on all four sides."""
    rows, columns = (np.flatnonzero((digit > FAINT).any(axis)) for axis in (1, 0))
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def resampling(old: int, new: int) -> np.ndarray:
    """Return the matrix, (new, old), that brings a row of pixels to a new length.

    It interpolates where it enlarges; where it shrinks, a new pixel is a mean of all that it covers,
    weighted by a triangle.
    """
    step = old / new
    places, centres = np.arange(old) + 0.5, (np.arange(new)[:, None] + 0.5) * step
    weights = np.maximum(0, 1 - np.abs(places - centres) / max(1, step))
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def centred(digit: np.ndarray) -> np.ndarray:
    """Place a digit of at most 20x20 in 28x28, its centre of mass as near to the middle as whole pixels allow."""
    picture = np.zeros((SIDE, SIDE), np.float32)
    starts = []
    for axis, length in enumerate(digit.shape):
        mass = digit.sum(1 - axis)
        centre = (mass @ np.arange(length)) / mass.sum()
        starts.append(int(np.clip(round(SIDE // 2 - centre), 0, SIDE - length)))
    top, left = starts
    picture[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return picture
