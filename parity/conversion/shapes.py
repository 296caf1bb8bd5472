"""What is known of shapes while there is no array yet: enough to read a view as layers."""

from __future__ import annotations

import numpycnn as nc

from .values import Number, Side, Step, Value


class Shapes:
    """The sides of values, as far as they are known: all of them after a view, else the first, which layers keep."""

    def __init__(self) -> None:
        self._known: dict[Value, list[Side]] = {}
        self._batch: dict[Value, Value] = {}  # the value that first had this batch

    def side(self, value: Value, axis: int) -> Side:
        """Return the length of an axis."""
        if value in self._known:
            return self._known[value][axis]
        if axis == 0:
            return Number(f"batch of {self._batch.get(value, value).name}")
        return Number(f"{value.name}[{axis}]")

    def axes(self, value: Value) -> int:
        """Return the number of axes."""
        if value not in self._known:
            raise ValueError("expected an array of which forward has said how many axes it has, by a view")
        return len(self._known[value])

    def follow(self, layer: nc.Layer, read: Value, value: Value) -> None:
        """Note what a layer does to the shape of what it reads."""
        if read in self._known and hasattr(layer, "dims"):  # Permute
            self._known[value] = [self._known[read][dim] for dim in layer.dims]
        else:
            self._batch[value] = self._batch.get(read, read)

    def know(self, value: Value, sides: tuple[Side, ...]) -> None:
        """Note the whole shape of a value."""
        self._known[value] = list(sides)

    def view(self, value: Value, target: list[Side]) -> Step:
        """Read a view as layers: sides that stay in front and at the back, and what is merged or cut between them."""
        if not any(isinstance(side, Number) for side in target):
            return Step((nc.Reshape(target),), (value,))
        source = self._source(value, target)
        front = 0
        while front < min(len(target), len(source or target)) and target[front] == self.side(value, front):
            front += 1
        back = 0
        while source and back < min(len(target), len(source)) - front and target[-1 - back] == source[-1 - back]:
            back += 1
        middle = [-1 if isinstance(side, Number) else side for side in target[front : len(target) - back]]
        if front == 0 or not middle or middle.count(-1) > 1:
            raise ValueError(f"expected a view that keeps the batch and has one side to be found, got {target}")
        layers: list[nc.Layer] = []
        sides = tuple(Number(f"rest of {value.name}") if side == -1 else side for side in target)
        if source is None or len(source) - front - back != 1:
            layers.append(nc.Flatten(front, -1 - back))
        if len(middle) > 1:
            layers.append(nc.Unflatten(front, middle))
        return Step(tuple(layers), (value,), sides=sides)

    def _source(self, value: Value, target: list[Side]) -> list[Side] | None:
        """List the sides of a value; the last one of the target may be its last one, and say how many there are."""
        axes = {Number(f"{value.name}[{axis}]"): axis + 1 for axis in range(1, 9)}
        if value in self._known:
            return self._known[value]
        return [self.side(value, axis) for axis in range(axes[target[-1]])] if target[-1] in axes else None
