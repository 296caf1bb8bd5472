"""A summary as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .receptive_field import ReceptiveField

if TYPE_CHECKING:
    from .summary import LayerSummary, Summary

HEADINGS = ("path", "kind", "output", "parameters", "multiply-adds", "memory", "field", "jump", "offset")
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def table(summary: Summary) -> str:
    """Return a line for each layer, and the totals."""
    cells = [HEADINGS, *(_cells(layer, summary.input_shape[-2:]) for layer in summary.layers)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    idle = summary.parameters - sum(layer.parameters for layer in summary.layers)
    learned = f"{summary.parameters:,} parameters" + (f" ({idle:,} unused in evaluation)" if idle else "")
    totals = (
        f"{summary.kind} on {_by(summary.input_shape)}: {learned}, "
        f"{summary.multiply_adds:,} multiply-adds, {memory(summary.memory)} of outputs in {summary.dtype}"
    )
    return "\n".join([*lines, totals])


def memory(size: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {UNITS[unit]}" if unit else f"{size} {UNITS[0]}"


def _cells(layer: LayerSummary, image: tuple[int, ...]) -> tuple[str, ...]:
    field = layer.receptive_field
    seen = ("", "", "") if field is None else _field(field, image)
    return (
        layer.path,
        layer.kind,
        _by(layer.output_shape),
        f"{layer.parameters:,}" if layer.parameters else "",
        f"{layer.multiply_adds:,}" if layer.multiply_adds else "",
        memory(layer.memory),
        *seen,
    )


def _field(field: ReceptiveField, image: tuple[int, ...]) -> tuple[str, str, str]:
    if all(span.covers(length) for span, length in zip(field, image, strict=True)):
        return "all", "", ""
    return _sides(field.size), _sides(field.jump), _sides(field.offset)


def _by(numbers: tuple[int | None, ...]) -> str:
    return " x ".join("?" if number is None else str(number) for number in numbers)


def _sides(numbers: tuple[int | None, int | None]) -> str:
    """Return a number for both sides, or one for each."""
    return _by(numbers[:1] if numbers[0] == numbers[1] else numbers)
