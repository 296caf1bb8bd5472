"""The contract of every transform: what is left to chance is drawn first, then it is applied."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..layers.arguments import mapping, shape_of
from ..layers.arrays import FLOATS, OTHER_ARITHMETIC, Array
from ..layers.init import Seed

Choice = Mapping[str, Array]
"""What was left to chance: arrays whose first axis is that of the images."""


KINDS = {"b": "b", "i": "iu", "u": "iu", "f": "fiu"}
"""Of what kind the numbers of a choice may be, for each kind that draw gives."""


class Transform:
    """A function from a batch of images to a batch of images, some of it left to chance.

    ``transform(images, rng=rng)`` takes images of shape (N, C, H, W) in float32 or float64 and
    returns images of the same dtype. Every image gets a choice of its own (torchvision draws one for
    the whole batch). A transform holds no state and never writes to the images that it is given.

    The call is two steps, which can be taken one by one: ``choice = draw(images.shape, rng)`` and
    ``apply(images, choice)``. So the same choice can meet other images: masks, or other frames.

    Examples
    --------
    One of your own defines what it leaves to chance, and what it does with it:

    >>> import numpy as np
    >>> import numpycnn as nc
    >>> class RandomInvert(nc.transforms.Transform):
    ...     def draw(self, shape, rng=None):
    ...         return {"sign": np.random.default_rng(rng).choice([-1, 1], shape[0])}
    ...
    ...     def _apply(self, images, choice):
    ...         return images * choice["sign"].astype(images.dtype)[:, None, None, None]
    >>> RandomInvert()(np.ones((4, 1, 1, 1)), rng=0).ravel()
    array([ 1.,  1.,  1., -1.])
    """

    def __call__(self, images: Array, rng: Seed = None) -> Array:
        """Draw a choice for each image and apply it.

        Parameters
        ----------
        images : array of shape (N, C, H, W)
            float32 or float64.
        rng : None, int or Generator
            Where the choices come from. A Generator goes on from batch to batch; a seed would begin
            anew with each.
        """
        self._check(images)
        return self._applied(images, self.draw(images.shape, rng))

    def draw(self, shape: tuple[int, ...], rng: Seed = None) -> Choice:
        """Draw what is left to chance, for images of such a shape; here: nothing."""
        return {}

    def apply(self, images: Array, choice: Choice) -> Array:
        """Transform images as was chosen for each of them."""
        self._check(images)
        mapping(repr(self), "a choice", choice)
        for name, drawn in self.draw(images.shape, 0).items():
            self._check_choice(name, choice.get(name), np.asarray(drawn), len(images))
        return self._applied(images, choice)

    def _applied(self, images: Array, choice: Choice) -> Array:
        with np.errstate(all="ignore"):  # NaN and infinities pass through without a word, as in PyTorch
            return self._apply(images, choice)

    def _apply(self, images: Array, choice: Choice) -> Array:
        """Do what ``apply`` promises, once the images are checked."""
        raise NotImplementedError(f"{type(self).__name__} defines no _apply")

    def _check_choice(self, name: str, choice: Any, like: Array, count: int) -> None:
        """Raise unless something could have been drawn, by its kind, shape and being finite."""
        shape = getattr(choice, "shape", None)
        if not isinstance(choice, np.ndarray) or choice.dtype.kind not in KINDS[like.dtype.kind]:
            kind = getattr(choice, "dtype", type(choice).__name__)
            raise TypeError(f"{self!r}: expected {name!r} to be an array like those that draw gives, got {kind}")
        if shape != like.shape or not np.isfinite(choice).all():
            numbers = "" if np.isfinite(choice).all() else ", not all finite"
            raise ValueError(
                f"{self!r}: expected a choice for each of {count} images, {name!r} of shape {like.shape} and finite, "
                f"got {len(choice) if choice.ndim else 'one number'}, of shape {shape}{numbers}"
            )

    def _check(self, images: Any) -> None:
        """Raise unless images are a batch of float32 or float64."""
        if not isinstance(images, np.ndarray):
            raise TypeError(f"{self!r}: expected images to be a NumPy array, got {type(images).__name__}")
        if isinstance(images, OTHER_ARITHMETIC):
            raise TypeError(f"{self!r}: expected images to be a plain array, got a {type(images).__name__}")
        if images.dtype not in FLOATS:
            raise TypeError(
                f"{self!r}: expected images of dtype float32 or float64, got {images.dtype}; "
                "convert them: images.astype(np.float32)"
            )
        if images.ndim != 4:
            raise ValueError(f"{self!r}: expected images of shape (N, C, H, W), got {images.shape}")

    def __repr__(self) -> str:
        """Show the constructor call, without what is at its default."""
        shown = []
        for name, argument in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name)
            if argument.default is inspect.Parameter.empty:
                shown.append(repr(value))
            elif value != argument.default:
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


def image_shape(owner: Transform, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Parse the shape of images, (N, C, H, W)."""
    sides = shape_of(repr(owner), "shape", shape)
    if len(sides) != 4:
        raise ValueError(f"{owner!r}: expected images of shape (N, C, H, W), got {shape}")
    return sides
