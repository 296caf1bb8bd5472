"""Rotations, shifts, stretches and slants: what a photograph taken from elsewhere would show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..kernels.sample import bilinear, nearest
from ..layers.arguments import choice, number
from ..layers.arrays import Array
from ..layers.init import Seed, generator
from .channels import Numbers, each, numbers
from .transform import Choice, Transform, image_shape

INTERPOLATIONS = {"nearest": nearest, "bilinear": bilinear}
MOST = 1e6  # no angle, factor or centre needs more; its inverse bounds factors from below


class RandomAffine(Transform):
    """Rotate, shift, scale and shear each image by random amounts.

    A point p of an image goes to ``R(angle) Sy Sx scale (p - center) + center + translate``, where R
    is the rotation, clockwise as images are seen, ``Sy = [[1, 0], [-tan(shear_y), 1]]`` and
    ``Sx = [[1, -tan(shear_x)], [0, 1]]``. The other way about, every pixel of the result is looked
    up where it comes from. Coordinates are (x, y), x to the right and y down.

    Parameters
    ----------
    degrees : float or (float, float)
        The range of the angle; a number d stands for (-d, d).
    translate : (float, float), optional
        The largest shifts, as parts of width and height, in [0, 1]; shifts are whole pixels.
    scale : (float, float), optional
        The range of the factor.
    shear : float, (float, float) or (float, float, float, float), optional
        The range of shear_x in degrees, and that of shear_y; a number d stands for (-d, d).
    interpolation : "nearest" or "bilinear"
        What is seen between the pixels.
    fill : float or sequence of float
        What is seen outside the image: one number, or one for each channel.
    center : (float, float), optional
        x and y of the point that stays, counted in pixels from the image's upper left corner; its middle by default.

    Raises
    ------
    ValueError
        For arguments out of range; in the call, for images with another number of channels than fill.

    Notes
    -----
    ``draw`` gives ``angle`` (N,) in degrees, ``translate`` (N, 2) in pixels, ``scale`` (N,) and
    ``shear`` (N, 2) in degrees.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> images = np.array([[[[0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]]])
    >>> nc.transforms.RandomAffine((90, 90))(images)
    array([[[[0., 1., 0.],
             [0., 2., 0.],
             [0., 3., 0.]]]])
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: str = "nearest",
        fill: Numbers = 0,
        center: Sequence[float] | None = None,
    ):
        self.degrees, self.translate, self.scale, self.shear = degrees, translate, scale, shear
        self.interpolation = choice("RandomAffine", "interpolation", interpolation, INTERPOLATIONS)
        self.fill, self.center = numbers("RandomAffine", "fill", fill), center
        self._translate = (0.0, 0.0) if translate is None else _several("translate", translate, 0, 1, 2)
        angles = _angles("degrees", degrees, 2)
        scales = (1.0, 1.0) if scale is None else _ranges("scale", scale, 1 / MOST, MOST, 2)
        shears = (0.0, 0.0, 0.0, 0.0) if shear is None else (*_angles("shear", shear, 2, 4), 0.0, 0.0)[:4]
        self._ranges = np.array([*angles, *scales, *shears]).reshape(4, 2)  # angle, scale, shear_x, shear_y
        self._center = None if center is None else _several("center", center, -MOST, MOST, 2)

    def draw(self, shape: tuple[int, ...], rng: Seed = None) -> Choice:
        n, _, height, width = image_shape(self, shape)
        drawn = generator(rng)
        low, high = self._ranges.T
        angle, scale, *shear = drawn.uniform(low, high, (n, 4)).T
        shift = drawn.uniform(-1, 1, (n, 2)) * self._translate * (width, height)
        return {"angle": angle, "translate": np.rint(shift), "scale": scale, "shear": np.stack(shear, 1)}

    def _apply(self, images: Array, choice: Choice) -> Array:
        if any((np.abs(drawn) > MOST).any() for drawn in choice.values()) or (np.abs(choice["scale"]) < 1 / MOST).any():
            raise ValueError(
                f"{self!r}: expected choices in [-{MOST:g}, {MOST:g}] and scales of 1e-6 or more, got others"
            )
        height, width = images.shape[2:]
        center = self._center or (width / 2, height / 2)
        center_x, center_y = center[0] - 0.5, center[1] - 0.5  # the middle of the first pixel is the point 0, 0
        a, b, c, d = _way_back(choice["angle"], choice["shear"], choice["scale"])
        dx = np.arange(width) - center_x - choice["translate"][:, :1]  # N W
        dy = np.arange(height) - center_y - choice["translate"][:, 1:]  # N H
        columns = _grid(b * dy + center_x, a * dx, images)
        rows = _grid(d * dy + center_y, c * dx, images)
        return INTERPOLATIONS[self.interpolation](images, rows, columns, each(self, "fill", self.fill, images))


def _way_back(angle: Array, shear: Array, scale: Array) -> tuple[Array, Array, Array, Array]:
    """Return a, b, c, d with ``[[a, b], [c, d]] = (R Sy Sx scale)^-1``, each (N, 1)."""
    angle, scale = np.radians(angle)[:, None], scale[:, None]
    shear_x, shear_y = np.tan(np.radians(shear[:, :1])), np.tan(np.radians(shear[:, 1:]))
    cos, sin = np.cos(angle), np.sin(angle)
    c, d = shear_y * cos - sin, shear_y * sin + cos
    a, b = cos + shear_x * c, sin + shear_x * d
    return a / scale, b / scale, c / scale, d / scale


def _grid(down: Array, across: Array, images: Array) -> Array:
    """Add what changes from row to row to what changes from column to column: (N, H), (N, W) -> (N, H, W)."""
    grid: Array = down.astype(images.dtype)[:, :, None] + across.astype(images.dtype)[:, None, :]
    return grid


def _several(name: str, values: Sequence[float], low: float, high: float, *lengths: int) -> tuple[float, ...]:
    """Parse a sequence of numbers in [low, high], of one of the lengths."""
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise TypeError(f"RandomAffine: expected {name} to be a sequence of numbers, got {values!r}")
    if len(values) not in lengths:
        count = " or ".join(map(str, lengths))
        raise ValueError(f"RandomAffine: expected {name} to be a sequence of {count} numbers, got {values!r}")
    return tuple(number("RandomAffine", name, value, low, high) for value in values)


def _ranges(name: str, values: Sequence[float], low: float, high: float, *lengths: int) -> tuple[float, ...]:
    """Parse ranges: the lower and the upper end of each."""
    parsed = _several(name, values, low, high, *lengths)
    if any(lower > upper for lower, upper in zip(parsed[::2], parsed[1::2], strict=True)):
        raise ValueError(f"RandomAffine: expected {name} from low to high, got {values!r}")
    return parsed


def _angles(name: str, values: float | Sequence[float], *lengths: int) -> tuple[float, ...]:
    """Parse ranges of angles; one number is how far to both sides."""
    if isinstance(values, Sequence):
        return _ranges(name, values, -MOST, MOST, *lengths)
    most = number("RandomAffine", name, values, 0, MOST)
    return -most, most
