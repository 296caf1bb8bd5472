"""Curves as SVG, whose colours the page decides: they are classes of its style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT = 440, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 428, 10, 226  # of what the axes enclose
FEW = 1000  # dots, which then are large
DOTS = 12_000  # of a line; more would be a large file and the same picture
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Line:
    """What is drawn: numbers over epochs, connected, or as dots where they scatter; the look is a class of the page."""

    look: str
    name: str
    x: np.ndarray
    y: np.ndarray
    dots: bool = False


@dataclass(frozen=True)
class Scale:
    """Where a number stands on an axis, which may be logarithmic."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the places of numbers."""
        low, high, values = (np.log10(v) if self.log else v for v in (self.low, self.high, values))
        return self.start + (values - low) * ((self.end - self.start) / (high - low))

    def ticks(self) -> list[float]:
        """Return a few round numbers."""
        if not self.log or self.high < 10 * self.low:
            step = round_step((self.high - self.low) / 5)
            return [n * step for n in range(math.ceil(self.low / step), math.floor(self.high / step + 1e-9) + 1)]
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        every = math.ceil((last - first) / 7)
        factors = (1, 2, 5) if last - first < 3 else (1,)
        found = [factor * 10.0**n for n in range(first, last + 1, every) for factor in factors]
        return [tick for tick in found if self.low * 0.999 <= tick <= self.high * 1.001]


def chart(title: str, lines: Sequence[Line], epochs: float, log: bool = False, percent: bool = False) -> str:
    """Draw lines over the epochs, with what they are called above them."""
    shown = [finite(line, log) for line in lines]
    values = np.concatenate([line.y for line in shown])
    legend = "".join(f'<span class="key {line.look}">{escape(line.name)}</span>' for line in lines)
    head = f"<figcaption><b>{escape(title)}</b> {legend}</figcaption>"
    if not len(values):
        return f"<figure>{head}<p>There is no finite number to draw.</p></figure>"
    x, y = Scale(0, epochs, LEFT, RIGHT), scale(values, log)
    drawing = "".join([*grid(x, y, percent), *(drawn(line, x, y) for line in shown)])
    words = escape(f"{title}, by epoch")
    return f'<figure>{head}<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">{drawing}</svg></figure>'


def finite(line: Line, log: bool) -> Line:
    """Leave out what cannot be drawn, and of very many dots some."""
    kept = np.flatnonzero(np.isfinite(line.y) & ((line.y > 0) | (not log)))
    kept = kept[:: math.ceil(len(kept) / DOTS) or 1]
    return Line(line.look, line.name, line.x[kept], line.y[kept], line.dots)


def scale(values: np.ndarray, log: bool) -> Scale:
    """Return the vertical axis on which these numbers have room."""
    low, high = float(values.min()), float(values.max())
    if log:
        return Scale(low / 1.3, high * 1.3, BOTTOM, TOP, log)
    margin = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
    return Scale(low - margin, high + margin, BOTTOM, TOP)


def grid(x: Scale, y: Scale, percent: bool) -> list[str]:
    """Draw lines at round numbers, and write these."""
    found = []
    for tick, place in zip(y.ticks(), y(np.array(y.ticks())), strict=True):
        found.append(f'<path class="grid" d="M{LEFT} {place:.1f}H{RIGHT}"/>')
        found.append(f'<text x="{LEFT - 7}" y="{place + 4:.1f}" text-anchor="end">{spelled(tick, y, percent)}</text>')
    for tick, place in zip(x.ticks(), x(np.array(x.ticks())), strict=True):
        found.append(f'<text x="{place:.1f}" y="{BOTTOM + 18}" text-anchor="middle">{tick:g}</text>')
    found.append(f'<text x="{RIGHT}" y="{HEIGHT - 2}" text-anchor="end">epoch</text>')
    return found


def spelled(tick: float, axis: Scale, percent: bool) -> str:
    """Write a number at an axis."""
    if percent:
        return f"{100 * tick:.{max(0, -math.floor(math.log10(100 * (axis.high - axis.low) / 5)))}f} %"
    power = math.floor(math.log10(tick) + 1e-9) if axis.log else 0
    if abs(power) <= 2:
        return f"{tick:.6g}"
    factor = f"{tick / 10.0**power:.3g}"
    return ("" if factor == "1" else f"{factor}·") + "10" + str(power).translate(SUPERSCRIPTS)


def drawn(line: Line, x: Scale, y: Scale) -> str:
    """Draw a line, or dots; a line of few points has both."""
    places = [f"{a:.1f} {b:.1f}" for a, b in zip(x(line.x), y(line.y), strict=True)]
    found = ""
    if not line.dots:
        found += f'<polyline class="{line.look}" points="{" ".join(places)}"/>'
    if line.dots or len(places) <= 30:
        dots = "".join(f"M{place}h0" for place in places)
        look = "mark" if not line.dots else "fine" if len(places) > FEW else "few"
        found += f'<path class="{line.look} {look}" d="{dots}"/>'
    return found


def round_step(length: float) -> float:
    """Return the next of 1, 2, 5, 10, ... that is not shorter."""
    power = 10.0 ** math.floor(math.log10(length))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= length * (1 - 1e-9))
