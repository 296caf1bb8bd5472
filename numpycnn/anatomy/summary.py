"""A network in a table: layer by layer what comes out, what it costs, and what it sees of the image."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..layers.arguments import addressable, integer
from ..layers.arrays import FLOATS
from ..layers.branches import Branches
from ..layers.containers import Block, Container
from ..layers.errors import LayerError
from ..layers.grad_mode import no_grad
from ..layers.layer import Layer
from ..layers.module import Module
from .cost import multiply_adds
from .flow import Flow, follow
from .receptive_field import ReceptiveField
from .table import table


@dataclass(frozen=True)
class LayerSummary:
    """A layer, at one place that data flows through.

    Attributes
    ----------
    path : str
        Its name, as in the state dict; one that has none, in the wiring of a block, goes by the
        name of the block.
    kind : str
        The name of its class.
    output_shape : tuple of int
        The shape of what it gives, samples first.
    parameters : int
        How many numbers it learns, but for those of a layer that stands before it too.
    multiply_adds : int
        How many products it adds up.
    memory : int
        How many bytes its output takes.
    receptive_field : ReceptiveField or None
        What one entry of its output sees of the image; None if the input is none.
    """

    path: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    memory: int
    receptive_field: ReceptiveField | None


@dataclass(frozen=True, repr=False)
class Summary:
    """What ``numpycnn.summary`` returns: printed, a table; to compute with, these attributes.

    Attributes
    ----------
    kind : str
        The name of the model's class.
    input_shape : tuple of int
        The shape of the input, samples first.
    dtype : str
        What the model computes in, "float32" or "float64"; "float32" if it takes both.
    parameters : int
        How many numbers the model learns; what is shared counts once. Those that evaluation does not
        use are among them, but in no line.
    layers : tuple of LayerSummary
        In the order in which data flows.
    """

    kind: str
    input_shape: tuple[int, ...]
    dtype: str
    parameters: int
    layers: tuple[LayerSummary, ...]

    @property
    def multiply_adds(self) -> int:
        """How many products the model adds up."""
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def memory(self) -> int:
        """How many bytes the outputs of all layers take, as if none were let go of before the end."""
        return sum(layer.memory for layer in self.layers)

    def __str__(self) -> str:
        return table(self)

    __repr__ = __str__


def summary(model: Layer, input_shape: Sequence[int]) -> Summary:
    """Tell what a network is made of, layer by layer, without running it.

    An empty batch goes through the network, in evaluation mode: it costs no arithmetic, and every
    layer says by its own forward what it makes of it, or refuses it. The model is left as it is.

    Each layer has a line, and so has each place where branches meet, a sum or a concatenation:

    - parameters: the numbers that it learns, where it stands first;
    - multiply-adds: the products that it adds up, each two floating-point operations. Those of
      convolutions and matrices are counted, those with the zeros of the padding among them;
      everything else counts as none;
    - memory: the bytes of its output;
    - receptive field: what one entry of its output sees of the image, ``size`` pixels from
      ``offset + i jump`` on, padding counted. Where branches meet, it is the span of all that they
      see: the largest field, if they are aligned. Behind ``Flatten`` and global poolings it is
      everything, "all" in the table. Where the fields differ in more than their place, jump is
      None, "?" in the table, and size is that of all of them together.

    A layer of a kind that is not known here costs nothing, and may see everything; to teach it,
    register rules with ``numpycnn.anatomy.geometry.geometry`` and ``numpycnn.anatomy.cost.multiply_adds``.

    Parameters
    ----------
    model : Layer
        A network, or a single layer.
    input_shape : sequence of int
        (N, C, H, W) of images or (N, F) of features; without N for one sample. Shapes,
        multiply-adds and memory are those of the whole batch.

    Returns
    -------
    Summary
        Printed, it is a table. ``layers`` holds its lines, with ``path``, ``kind``,
        ``output_shape``, ``parameters``, ``multiply_adds``, ``memory`` and ``receptive_field``;
        ``parameters``, ``multiply_adds`` and ``memory`` are the totals.

    Raises
    ------
    ValueError
        For a shape out of range, or one that a layer refuses, and where samples are mixed.

    Examples
    --------
    >>> import numpycnn as nc
    >>> summary = nc.summary(nc.models.LeNet(), (1, 28, 28))
    >>> summary
    path   kind       output           parameters  multiply-adds     memory  field  jump  offset
    conv1  Conv2d     1 x 6 x 24 x 24         156         86,400   13.5 KiB      5     1       0
           ReLU       1 x 6 x 24 x 24                              13.5 KiB      5     1       0
           MaxPool2d  1 x 6 x 12 x 12                               3.4 KiB      6     2       0
    conv2  Conv2d     1 x 16 x 8 x 8        2,416        153,600    4.0 KiB     14     2       0
           ReLU       1 x 16 x 8 x 8                                4.0 KiB     14     2       0
           MaxPool2d  1 x 16 x 4 x 4                                1.0 KiB     16     4       0
           Flatten    1 x 256                                       1.0 KiB    all
    fc1    Linear     1 x 120              30,840         30,720  480 bytes    all
           ReLU       1 x 120                                     480 bytes    all
    fc2    Linear     1 x 84               10,164         10,080  336 bytes    all
           ReLU       1 x 84                                      336 bytes    all
    fc3    Linear     1 x 10                  850            840   40 bytes    all
    LeNet on 1 x 1 x 28 x 28: 44,426 parameters, 281,640 multiply-adds, 42.0 KiB of outputs in float32
    >>> summary.multiply_adds
    281640
    >>> summary.layers[3].receptive_field
    ReceptiveField(size=(14, 14), jump=(2, 2), offset=(0, 0))
    """
    if not isinstance(model, Layer):
        raise TypeError(f"summary: expected a layer or a network of layers, got {type(model).__name__}")
    samples, *sides = _shape(input_shape)
    floats = (array.data.dtype for _, array in model.named_arrays() if array.data.dtype in FLOATS)
    dtype = next(floats, np.dtype(np.float32))
    twins: dict[int, Module] = {}
    walk = _Walk(_twin(model, twins), samples)
    try:
        with no_grad():
            walk.visit(walk.model, Flow.of_input(np.zeros((0, *sides), dtype)))
    except LayerError as error:
        originals = (module for module in model.modules() if twins.get(id(module)) is error.module)
        error.module = next(originals, error.module)
        raise
    return Summary(type(model).__name__, (samples, *sides), dtype.name, model.num_parameters(), tuple(walk.rows))


class _Walk:
    """The way through a model, and what is noted on it."""

    def __init__(self, model: Layer, samples: int):
        self.model = model
        self.samples = samples
        self.rows: list[LayerSummary] = []
        self._place = ""
        self._counted: set[int] = set()
        self._paths: dict[int, str] = {}
        for path, module in model.named_modules():
            self._paths.setdefault(id(module), path)

    def visit(self, layer: Layer, *flows: Flow) -> Flow:
        """Follow what flows through a layer, and note what it makes of it, unless layers in it make all of it."""
        outside, self._place = self._place, self._paths.get(id(layer), self._place)
        try:
            after = follow(layer, self.visit, *flows)
        except LayerError as error:
            error.pass_through(layer)
            raise
        if isinstance(layer, Branches) or not isinstance(layer, Block | Container):
            self.rows.append(self._row(layer, flows[0], after))
        self._place = outside
        return after

    def _row(self, layer: Layer, before: Flow, after: Flow) -> LayerSummary:
        own = [] if isinstance(layer, Container) else layer.parameters()
        new = {id(parameter): parameter.data.size for parameter in own if id(parameter) not in self._counted}
        self._counted.update(new)
        x, *ys = ((self.samples, *array.shape[1:]) for array in (before.arrays[0], *after.arrays))
        return LayerSummary(
            self._place,
            type(layer).__name__,
            ys[0],
            sum(new.values()),
            multiply_adds(layer, x, ys[0]),
            sum(math.prod(y) * array.itemsize for y, array in zip(ys, after.arrays, strict=True)),
            after.field,
        )


def _twin(module: Module, twins: dict[int, Module]) -> Any:
    """Copy a module and those in it, but not their arrays, and set the copies to evaluation mode."""
    if id(module) not in twins:
        twin = twins[id(module)] = copy.copy(module)
        inner = {name: value for name, value in vars(module).items() if isinstance(value, Module)}
        vars(twin).update({name: _twin(value, twins) for name, value in inner.items()}, training=False)
    return twins[id(module)]


def _shape(input_shape: Sequence[int]) -> tuple[int, ...]:
    """Parse the input's shape; without samples it is for one."""
    if not isinstance(input_shape, Sequence) or not 1 <= len(input_shape) <= 4:
        raise ValueError(
            f"summary: expected input_shape to be (N, C, H, W), (C, H, W), (N, F) or (F,), got {input_shape!r}"
        )
    shape = tuple(integer("summary", "input_shape", side, 1) for side in input_shape)
    addressable("summary", "input_shape", shape)
    return shape if len(shape) % 2 == 0 else (1, *shape)
