"""The chain rule for any wiring without circles: what chains and branches alone cannot say."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .arrays import Array
from .branches import Branches
from .containers import Container, as_layer, located, tree
from .grad_mode import is_grad_enabled

INPUT = "x"


class Graph(Container):
    """Layers that read each other's outputs by name: a directed graph without circles.

    A node is a layer and the names of what it reads: nodes before it, or ``"x"``, the input; the last
    node gives the output. A node that reads several values is made of as many branches (``Add``,
    ``Concat``), each of which sees one of them. Forward drops a value after its last reader. Backward
    walks from the last node to the first; a value that several read gets the sum of their gradients.
    One layer may stand at several nodes; its parameters collect from all of them.

    Parameters
    ----------
    **nodes : (Layer, str, ...)
        The nodes, in an order in which they can run.

    Raises
    ------
    TypeError
        If a node is not made of a layer and names.
    ValueError
        If a node reads what does not stand before it, if its layer takes another number of values, or
        if nobody reads a value.

    Examples
    --------
    A step of a dense block (Huang et al., 2017, section 3): what each layer gives, all later ones read.

    >>> import numpy as np
    >>> import numpycnn as nc
    >>> model = nc.Graph(
    ...     a=(nc.Conv2d(2, 3, 3, padding=1), "x"),
    ...     b=(nc.Concat(nc.Identity(), nc.ReLU()), "x", "a"),
    ...     c=(nc.Conv2d(5, 3, 3, padding=1), "b"),
    ...     y=(nc.Concat(nc.Identity(), nc.Identity(), nc.Identity()), "x", "a", "c"),
    ... )
    >>> model(np.ones((1, 2, 4, 4), np.float32)).shape
    (1, 8, 4, 4)
    >>> list(model.state_dict())
    ['a.weight', 'a.bias', 'c.weight', 'c.bias']
    """

    def __init__(self, /, **nodes: tuple[Any, ...]):
        if not nodes:
            raise ValueError("Graph: expected at least one node, got none")
        self._reads: dict[str, tuple[str, ...]] = {}
        self._last_reader: dict[str, str] = {}
        for name, node in nodes.items():
            if name == INPUT or name.startswith("_") or hasattr(Graph, name):
                raise ValueError(f"Graph: expected nodes with names that are free, got {name!r}")
            if not isinstance(node, tuple) or len(node) < 2 or not all(isinstance(read, str) for read in node[1:]):
                raise TypeError(f"Graph: expected {name!r} to be (layer, name of what it reads, ...), got {node!r}")
            layer, *reads = node
            for read in reads:
                if read != INPUT and read not in self._reads:
                    raise ValueError(f"Graph: expected {name!r} to read 'x' or a node before it, got {read!r}")
                self._last_reader[read] = name
            self._reads[name] = tuple(reads)
            setattr(self, name, layer)
        self._output = name
        for value in [INPUT, *self._reads][:-1]:
            if value not in self._last_reader:
                raise ValueError(f"Graph: expected every value but the last to be read, got {value!r}, which is not")

    @located
    def forward(self, x: Array) -> Array:
        values, kept = {INPUT: x}, {}
        several = self._at_several_nodes() if is_grad_enabled() else set()
        for name, reads in self._reads.items():
            layer = getattr(self, name)
            inputs = [values[read] for read in reads]
            values[name] = layer.forward(*inputs) if len(reads) == 1 else layer.forward_each(inputs)
            if id(layer) in several:
                kept[name] = [(module, module._memory) for module in layer.modules()]
            for read in {*reads}:
                if self._last_reader[read] == name:
                    del values[read]
        y = values[self._output]
        self.remember(y, kept)
        return y

    @located
    def backward(self, dy: Array) -> Array:
        return self._backward(dy)[INPUT]

    @located
    def backward_parameters(self, dy: Array) -> None:
        self._backward(dy, parameters_only=True)

    def _backward(self, dy: Array, parameters_only: bool = False) -> dict[str, Array]:
        """Return the gradient with respect to the input, under its name, if it is wanted."""
        (kept,) = self.recall(dy)
        gradients = {self._output: dy}
        for name, reads in reversed(self._reads.items()):
            layer, dy = getattr(self, name), gradients.pop(name)
            for module, memory in kept.get(name, []):
                module._memory = memory
            if parameters_only and {*reads} == {INPUT}:
                layer.backward_parameters(dy)
                continue
            parts = [layer.backward(dy)] if len(reads) == 1 else layer.backward_each(dy)
            for read, part in zip(reads, parts, strict=True):
                gradients[read] = gradients[read] + part if read in gradients else part
        return gradients

    def _at_several_nodes(self) -> set[int]:
        """Find the layers that run more than once: what each run remembers must be kept apart."""
        return {layer for layer, nodes in Counter(map(id, self.layers)).items() if nodes > 1}

    def __setattr__(self, name: str, value: Any) -> None:
        if reads := vars(self).get("_reads", {}).get(name):
            as_layer(self, name, value)
            if len(reads) > 1 and not (isinstance(value, Branches) and len(value) == len(reads)):
                raise ValueError(f"Graph: expected {name!r} to have a branch for each of {reads}, got {value!r}")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return tree(self, lambda name: f"{name} <- {', '.join(self._reads[name])}")
