"""What an output sees of the input: the arithmetic of receptive fields, one axis at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..layers.arguments import IntPair, pair
from ..layers.layer import Layer
from .geometry import Step, Steps, geometry

NUMBERS = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
"""What a window is told by, and the least that each may be."""


@dataclass(frozen=True, slots=True)
class Span:
    """What the outputs of a layer see along one axis of the input: ``i`` sees ``size`` pixels from ``offset + i jump``.

    Attributes
    ----------
    size : int
        How many pixels one output sees, those in the padding counted; holes between them too.
    jump : int or None
        How far the field moves from one output to the next; 0 where all outputs see the same. None
        where the fields differ in more than their place: size and offset are then those of all
        outputs together, and no output sees more.
    offset : int
        The first pixel that output 0 sees; negative in the padding before the image.
    """

    size: int = 1
    jump: int | None = 1
    offset: int = 0

    def through(self, step: Step) -> Span:
        """Return what the outputs of a sliding window see, if its inputs see this."""
        if self.jump is None:
            return self
        return Span(
            self.size + (step.kernel - 1) * step.dilation * self.jump,
            self.jump * step.stride,
            self.offset - step.padding * self.jump,
        )

    def all_of(self, length: int) -> Span:
        """Return what so many outputs see together, as each does behind a layer that looks at all of them."""
        return replace(self, size=self.size + (length - 1) * (self.jump or 0), jump=0)

    def at_most(self, length: int) -> Span:
        """Return what is left to say behind a layer of which no more is known: no output sees more than all see."""
        return replace(self.all_of(length), jump=None)

    def pixels(self, index: int) -> range:
        """Return the pixels from the first to the last that one output sees, those in the padding included."""
        first = self.offset + index * (self.jump or 0)
        return range(first, first + self.size)

    def covers(self, length: int) -> bool:
        """Tell whether all outputs see the same, and that is the whole of an image of this length."""
        return self.jump == 0 and self.offset <= 0 and self.offset + self.size >= length


def join(spans: Sequence[Span], lengths: Sequence[int]) -> Span:
    """Return what is seen by outputs that are put together from branches, each with so many outputs.

    Where all branches move alike it is the span of all of them: the largest, if they are aligned.
    """
    if len(set(lengths)) > 1 or len({span.jump for span in spans}) > 1:
        # the one output of a branch is there for all outputs of the others, so its field does not move
        spans = [span.all_of(1) if length == 1 else span for span, length in zip(spans, lengths, strict=True)]
    alike = len({span.jump for span in spans}) == 1
    parts = spans if alike else [span.all_of(length) for span, length in zip(spans, lengths, strict=True)]
    first, last = min(span.offset for span in parts), max(span.offset + span.size for span in parts)
    whole = Span(last - first, parts[0].jump, first)
    return whole if alike or whole in spans else whole.at_most(1)


class ReceptiveField(NamedTuple):
    """What the outputs of a layer see of the image, along its height and along its width.

    Attributes
    ----------
    height, width : Span
        Each with its size, jump and offset.
    """

    height: Span = Span()
    width: Span = Span()

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns that one output sees."""
        return self.height.size, self.width.size

    @property
    def jump(self) -> tuple[int | None, int | None]:
        """How far the field moves down from row to row of the outputs, and right from column to column."""
        return self.height.jump, self.width.jump

    @property
    def offset(self) -> tuple[int, int]:
        """The first row and the first column that the first output sees."""
        return self.height.offset, self.width.offset

    def __repr__(self) -> str:
        return f"ReceptiveField(size={self.size}, jump={self.jump}, offset={self.offset})"


def receptive_field(*steps: Layer | IntPair | Sequence[IntPair]) -> ReceptiveField:
    """Return what one output of windows that follow one another sees of the input.

    With kernel k, stride s, padding p and dilation d of each window in turn::

        size   += (k - 1) d jump        from 1
        offset -= p jump                from 0
        jump   *= s                     from 1

    so that output i sees ``size`` pixels from ``offset + i jump`` on (Araujo, Norris and Sim,
    "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019, whose effective
    stride and padding are jump and -offset). ``numpycnn.summary`` finds it for every layer of a
    network, branches included.

    Parameters
    ----------
    *steps : Layer, int or tuple
        From the input on. A convolution, a pooling or an elementwise layer; or
        (kernel_size, stride, padding, dilation) of a window, of which what is left out at the end
        is 1, 0 and 1, each a number or (height, width); or the kernel size alone, as a number.

    Raises
    ------
    ValueError
        If a window is out of range, or the field of a layer is not that of a window.

    Examples
    --------
    Two windows of 3x3 see what one of 5x5 sees, with 18 C^2 weights instead of 25 C^2; one of 1x1 sees
    a pixel, and costs a ninth of one of 3x3.

    >>> from numpycnn import conv2d_num_parameters, receptive_field
    >>> receptive_field(3, 3) == receptive_field(5)
    True
    >>> 2 * conv2d_num_parameters(64, 64, 3, bias=False), conv2d_num_parameters(64, 64, 5, bias=False)
    (73728, 102400)
    >>> receptive_field(1).size, conv2d_num_parameters(64, 64, 1, bias=False)
    ((1, 1), 4096)

    The first two layers of ResNet, a convolution and a pooling.

    >>> import numpycnn as nc
    >>> receptive_field((7, 2, 3), nc.MaxPool2d(3, stride=2, padding=1))
    ReceptiveField(size=(11, 11), jump=(4, 4), offset=(-5, -5))
    """
    field = ReceptiveField()
    for step in steps:
        windows = _windows(step)
        field = ReceptiveField(*(span.through(window) for span, window in zip(field, windows, strict=True)))
    return field


def _windows(step: Layer | IntPair | Sequence[IntPair]) -> Steps:
    """Parse a step: a layer, or the numbers of a window, on each axis."""
    if isinstance(step, Layer):
        windows = geometry(step)
        if windows is None:
            raise ValueError(
                "receptive_field: expected layers that look through a window, or at each entry alone, "
                f"got {step!r}; numpycnn.summary says what any layer of a network sees"
            )
        return windows
    numbers = list(step) if isinstance(step, Sequence) else [step]
    if not 1 <= len(numbers) <= len(NUMBERS) or isinstance(step, str):
        raise ValueError(
            f"receptive_field: expected layers, kernel sizes or (kernel_size, stride, padding, dilation), got {step!r}"
        )
    sides = [
        pair("receptive_field", name, number, least)
        for (name, least), number in zip(NUMBERS.items(), numbers, strict=False)
    ]
    height, width = (Step(*axis) for axis in zip(*sides, strict=True))
    return height, width
