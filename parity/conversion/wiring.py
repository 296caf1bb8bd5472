"""The recorded steps of a forward, one after another, become nodes of a graph of ours."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import fx, nn

import numpycnn as nc

from .errors import ConversionError
from .shapes import Shapes
from .table import FUNCTIONS
from .trace import OUTSIDE, gives_one_array, names_a_tuple, path_in_model
from .values import Learned, Number, Step, Value, arrays

if TYPE_CHECKING:
    from .convert import Converter

INPUT = Value("x")


class Wiring:
    """The wiring of one module, built as its forward is read.

    Attributes
    ----------
    nodes : dict
        A layer and the names of what it reads for each name, as ``numpycnn.Graph`` takes them.
    shapes : Shapes
        What is known of the shapes of the values.
    training : bool
        The mode of the module in whose forward the present step stands.
    """

    def __init__(self, converter: Converter, module: nn.Module, path: str):
        self.nodes: dict[str, tuple[Any, ...]] = {}
        self.shapes = Shapes()
        self.training = module.training
        self._converter, self._module, self._path = converter, module, path
        self._env: dict[fx.Node, Any] = {}
        self._spoilt: dict[Value, str] = {}  # what a module has written into, and which

    def steps(self, graph: fx.Graph) -> list[nc.Layer]:
        """Return the layers that run one after another: those of a chain, one graph, or a fork at the end."""
        for node in graph.nodes:
            self._env[node] = self._located(node)
        (output,) = (self._env[node] for node in graph.nodes if node.op == "output")
        return self._part(INPUT, output if isinstance(output, tuple) else (output,)) or [nc.Identity()]

    def add(self, name: str, layer: nc.Layer, reads: list[Value]) -> Value:
        """Add a node; return what it gives."""
        while hasattr(nc.Graph, name) or name in self.nodes or name == INPUT.name:
            name += "_"
        self.nodes[name] = (layer, *(read.name for read in reads))
        value = Value(name)
        self.shapes.follow(layer, reads[0], value)
        return value

    def _part(self, start: Value, outputs: tuple[Value, ...]) -> list[nc.Layer]:
        """Return the layers that make outputs of a value; where they part, those after the first serve training."""
        *others, last = outputs
        if not others:
            nodes = self._between(start, last)
            layers, reads = [layer for layer, *_ in nodes.values()], [read for _, *read in nodes.values()]
            if reads == [[name] for name in [INPUT.name, *nodes][:-1]] and len({*map(id, layers)}) == len(layers):
                return layers
            return [nc.Graph(**nodes)]
        fork = self._fork(start, outputs)
        trunk, branch = self._part(fork, tuple(others)), self._part(fork, (last,))
        return [*self._part(start, (fork,)), nc.Auxiliary(*(nc.Sequential(*layers) for layers in (trunk, branch)))]

    def _between(self, start: Value, output: Value) -> dict[str, tuple[Any, ...]]:
        """Pick the nodes that make an output of a value, which they read as their input.

        Raises
        ------
        ValueError
            If it does not suffice.
        """
        wanted = {output.name} - {start.name}
        nodes: dict[str, tuple[Any, ...]] = {}
        for name, (layer, *reads) in reversed(self.nodes.items()):
            if name in wanted:
                nodes[name] = (layer, *(INPUT.name if read == start.name else read for read in reads))
                wanted.update({*reads} - {start.name})
        if INPUT.name in wanted:
            raise ValueError(f"{output.name} does not come from {start.name} alone")
        return dict(reversed(nodes.items()))

    def _fork(self, start: Value, outputs: tuple[Value, ...]) -> Value:
        """Find the value at which the last output leaves the way to the others."""
        for fork in [*map(Value, reversed(self.nodes)), start]:
            try:
                *ways, branch = (self._between(fork, output).keys() for output in outputs)
                self._between(start, fork)
            except ValueError:
                continue
            if not any(branch & way for way in ways):
                return fork
            break
        raise ConversionError(
            self._path, "expected outputs that part one after another, the last one first, each at one array"
        )

    def _located(self, node: fx.Node) -> Any:
        """Take a step; an error says which, and where it stands."""
        stack = list(node.meta.get("nn_module_stack", {}).values()) or [("module", None)]
        inside = stack[-2 if node.op == "call_module" and len(stack) > 1 else -1][0]
        path = path_in_model(self._path, inside)
        self.training = self._module.get_submodule(inside.removeprefix("module").removeprefix(".")).training
        try:
            return self._step(node)
        except ConversionError:
            raise
        except (ValueError, TypeError) as error:
            raise ConversionError(path, f"{error} ({_described(node)})") from error

    def _step(self, node: fx.Node) -> Any:
        args = fx.node.map_arg(node.args, self._env.__getitem__)
        kwargs = fx.node.map_arg(node.kwargs, self._env.__getitem__)
        reads = arrays([*args, *kwargs.values()])
        for value in reads:
            if value in self._spoilt:
                raise ValueError(f"{self._spoilt[value]} has written into what it read, in place")
        if node.op == "placeholder":
            return INPUT
        if node.op == "get_attr":
            return self._learned(node.target)
        if node.op == "output":
            return self._output(args[0])
        if node.op == "call_module":
            return self._module_step(node, args[0])
        return self._function_step(node, args, kwargs, reads)

    def _output(self, output: Any) -> Value | tuple[Value, ...]:
        """Take what forward gives: one array, or several if it is the model's, in training alone."""
        if isinstance(output, Value):
            return output
        several = isinstance(output, tuple) and output and all(isinstance(value, Value) for value in output)
        if several and not self._path and self._module.training and gives_one_array(self._module, self._converter.done):
            return tuple(output)
        raise ValueError(f"expected forward to give one array, got {type(output).__name__}; try module.eval()")

    def _learned(self, target: str) -> Learned:
        path, inside = path_in_model(self._path, target), target.removeprefix("module.")
        if inside.startswith("_tensor_constant"):
            raise ValueError("a tensor is computed that does not depend on the input, which numpycnn would not learn")
        owner, _, name = inside.rpartition(".")
        return Learned(path, self._converter.array(getattr(self._module.get_submodule(owner), name), path))

    def _module_step(self, node: fx.Node, read: Value) -> Value:
        inside = node.target.removeprefix("module.")
        path, module = path_in_model(self._path, node.target), self._module.get_submodule(inside)
        value = self.add(node.name, self._converter.done[path], [read])
        if getattr(module, "inplace", False):
            self._written(read, value)
        elif path in self._converter.writers:
            self._spoilt[read] = path
            self._written(read, read)
        return value

    def _function_step(self, node: fx.Node, args: Any, kwargs: Any, reads: list[Value]) -> Any:
        home = getattr(node.target, "__module__", "")
        if home == "_operator" and all(isinstance(argument, Number | int) for argument in args):  # about sizes
            return node.target(*args)
        if names_a_tuple(node.target):
            return (*args, *kwargs.values())
        if not reads and any(isinstance(argument, Learned) for argument in [*args, *kwargs.values()]):
            raise ValueError("expected weights as they are, got some that are computed from others")
        does = FUNCTIONS.get(node.target) or FUNCTIONS.get(f"{home}.{getattr(node.target, '__name__', '')}")
        if does is None:
            raise ValueError("numpycnn has nothing that does this")
        if "wiring" in inspect.signature(does).parameters:
            does = partial(does, self)
        result = does(*args, **kwargs)
        if isinstance(result, nc.Layer):
            result = [result]
        if isinstance(result, list) and all(isinstance(layer, nc.Layer) for layer in result):
            result = Step(tuple(result), tuple(reads))
        if not isinstance(result, Step):
            return result
        reads = list(result.reads)
        for layer in result.layers:
            layer.training = self.training
            reads = [self.add(node.name, layer, reads)]
        if result.in_place:
            self._written(result.reads[0], reads[0])
        if result.sides is not None:
            self.shapes.know(reads[0], result.sides)
        return reads[0]

    def _written(self, old: Value, new: Value) -> None:
        """From now on whoever reads the old value reads the new one, which was written into it."""
        if old == INPUT:
            self._converter.writers.add(self._path)
        self._env.update({node: new for node, value in self._env.items() if value == old})


def _described(node: fx.Node) -> str:
    """Say which step this is, and which line of whose code."""
    what = node.target if isinstance(node.target, str) else f"{node.target.__module__}.{node.target.__name__}"
    said = f"node {node.name!r}: {node.op} {what}"
    lines = [line.strip() for line in (node.stack_trace or "").splitlines()]
    for place, code in reversed(list(zip(lines[::2], lines[1::2], strict=False))):
        if not any(folder in place for folder in OUTSIDE):
            return f"{said}, {place}: {code}"
    return said
