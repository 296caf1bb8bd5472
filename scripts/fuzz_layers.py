"""How layers, containers and losses are fuzzed: built, run forward and back, loaded, saved."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_judge import Judge
from fuzz_subjects import Right
from fuzz_values import FLOATS, JUNK, array, other_shape, some, spoiled, wrong

import numpycnn as nc

Rng = np.random.Generator
NEAR = {"float32": 1e-3, "float64": 1e-9}


# Layers


def play_layer(kind: type[nc.Layer], right: Right, shapes: list[tuple[int, ...]], rng: Rng, judge: Judge) -> None:
    """Build a layer, run it forward and back, and look at it."""
    done, layer = judge(kind, **spoiled(rng, right))
    if not done:
        return
    judge(repr, layer)
    for _ in range(2):
        pass_through(layer, some(rng, shapes), rng, judge)
    state(layer, rng, judge)


def pass_through(layer: Any, shape: tuple[int, ...], rng: Rng, judge: Judge) -> None:
    """Go forward with an array, and back with another."""
    layer.train(bool(rng.integers(2)))
    own = layer.parameters()
    dtype = own[0].data.dtype if own and rng.random() < 0.9 else some(rng, FLOATS)
    if rng.random() < 0.1:
        shape = other_shape(rng, shape)
    x = array(rng, shape, dtype)
    twin = copy.deepcopy(layer)
    leaf = None if layer.children() else layer  # what stands before a layer that refuses has done its work
    done, y = judge(layer, x, keeps=leaf)
    if not done:
        return
    same_as_plain(twin, twin, x, y, judge)
    first = y[0] if isinstance(y, tuple) else y
    dy = array(rng, first.shape, first.dtype)
    if rng.random() < 0.1:
        judge(layer.backward_parameters, dy, keeps=leaf)
        return
    done, dx = judge(layer.backward, dy, keeps=leaf)
    if done:
        same_as_plain(twin, twin.backward, dy, dx, judge)
        good = isinstance(dx, np.ndarray | np.generic) and dx.shape == np.shape(x) and dx.dtype == np.asarray(x).dtype
        judge.expect(
            good, "a gradient of another shape or dtype", type(layer).__name__, lambda: f"{layer} on {told(x)}"
        )


def same_as_plain(layer: Any, function: Callable[..., Any], x: Any, y: Any, judge: Judge) -> None:
    """Expect an answer to be of the input's dtype, and what the same numbers give as a plain array."""
    if not isinstance(x, np.ndarray | np.generic):
        judge.note("what is no array was answered", type(layer).__name__, f"{layer} on {told(x)}")
        return
    ys, plain = (y if isinstance(y, tuple) else (y,)), np.array(x)
    try:
        expected = function(plain)
    except Exception as error:  # whatever it is, the array that was no plain one passed
        judge.note("a plain array is refused", type(layer).__name__, f"{layer} on {told(x)}: {error}")
        return
    expected = expected if isinstance(expected, tuple) else (expected,)
    second = np.int64 if getattr(layer, "return_indices", False) else x.dtype  # positions of maxima, or another output
    for one, other, dtype in zip(ys, expected, (x.dtype, second), strict=False):
        name = type(layer).__name__
        good = isinstance(one, np.ndarray | np.generic) and one.dtype == dtype and one.dtype.isnative
        judge.expect(good, "an answer of another dtype", name, lambda: f"{layer} on {told(x)}")
        near = NEAR.get(str(plain.dtype), 0)
        with np.errstate(all="ignore"):
            good = np.shape(one) == np.shape(other) and np.allclose(one, other, near, near, equal_nan=True)
        judge.expect(good, "another answer than a plain array gets", name, lambda: f"{layer} on {told(x)}")


def state(layer: Any, rng: Rng, judge: Judge) -> None:
    """Load what may not fit, convert, save."""
    saved = layer.state_dict()
    for key in list(saved):
        if rng.random() < 0.3:
            saved[key] = array(rng, saved[key].shape, np.float32, spoil=0.8)
    if rng.random() < 0.2:
        saved = some(rng, [*JUNK, {**saved, 1: 2}, list(saved)])
    judge(layer.load_state_dict, saved, keeps=layer)
    judge(layer.to, some(rng, [*JUNK, *FLOATS]), keeps=layer)
    judge(layer.train, some(rng, [True, False, *JUNK]))
    if rng.random() < 0.1:
        judge(nc.summary, layer, some(rng, [*JUNK, (1, 4, 6, 5), (4, 9, 9), (5,), (2, 5)]))
        judge(nc.receptive_field, some(rng, [*JUNK, 3, (3, 2)]), layer)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "net.safetensors")
            options = {"input_shape": some(rng, [None, (1, 4, 6, 5), *JUNK])}
            if judge(layer.save, path, **options)[0]:
                damaged(path, rng)
                judge(nc.load, path, check=bool(rng.integers(2)))


def damaged(path: Path, rng: Rng) -> None:
    """Flip a bit, or cut a file off; sometimes neither."""
    data = bytearray(path.read_bytes())
    match rng.integers(3):
        case 0:
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        case 1:
            data = data[: rng.integers(len(data))]
    path.write_bytes(bytes(data))


def play_containers(rng: Rng, judge: Judge) -> None:
    """Wire layers, or what are none."""
    pool = [nc.ReLU(), nc.Conv2d(4, 4, 3, padding=1, rng=0), nc.Identity(), nc.MaxPool2d(2), nc.Flatten(), nc.Sigmoid()]
    pool += [nc.Add(nc.Identity(), nc.Tanh()), nc.AdaptiveAvgPool2d(1)]
    layers = [some(rng, pool if rng.random() < 0.9 else JUNK) for _ in range(rng.integers(4))]
    kind = some(rng, [nc.Sequential, nc.Add, nc.Multiply, nc.Concat, nc.Auxiliary])
    options = {"dim": some(rng, [0, 1, -1, *JUNK])} if kind is nc.Concat else {}
    done, model = judge(kind, *layers, **options)
    if done and layers:  # a chain of nothing gives back whatever it gets
        pass_through(model, (2, 4, 6, 5), rng, judge)
        judge(model.__getitem__, some(rng, JUNK))
    reads = ["x", "a", "b", "c", *JUNK[:4]]
    nodes = {name: (some(rng, pool), some(rng, reads[: 1 + i * 2])) for i, name in enumerate("abc")}
    if rng.random() < 0.3:
        nodes["d"] = some(rng, [*JUNK, (nc.Add(nc.ReLU(), nc.Identity()), "a", "c"), (nc.ReLU(), 3), (3, "a")])
    done, model = judge(nc.Graph, **nodes)
    if done:
        pass_through(model, (2, 4, 6, 5), rng, judge)
    block = nc.Block()
    block.inner = some(rng, pool)
    if rng.random() < 0.8:
        judge(block.route, block.inner, some(rng, pool if rng.random() < 0.5 else JUNK))
    pass_through(block, (2, 4, 6, 5), rng, judge)
    for kind in (nc.Layer, nc.Module, nc.Loss):
        done, thing = judge(kind)
        if hasattr(thing, "forward"):
            judge(thing, *([np.ones(3)] * (1 + (kind is nc.Loss))))


# Losses


def play_loss(kind: type[nc.Loss], right: Right, rng: Rng, judge: Judge) -> None:
    """Judge predictions by targets that are classes, shares or nonsense."""
    done, loss = judge(kind, **spoiled(rng, right, share=0.4))
    if not done:
        return
    judge(repr, loss)
    shape = some(rng, [(3, 4), (4,), (2, 4, 3, 3), (0, 4)])
    x = array(rng, shape, np.float64)
    rows = (*shape[:-3], *shape[-2:]) if len(shape) == 4 else shape[:-1]
    classes = rng.integers(-1 if rng.random() < 0.2 else 0, 5 if rng.random() < 0.2 else 4, rows)
    classes = classes.astype(some(rng, [np.int64, np.int64, np.uint8, np.int32, ">i8", np.uint64]))
    targets = [classes, np.asarray(array(rng, shape, np.float64, 0)), wrong(rng, shape), some(rng, JUNK)]
    target = targets[0 if kind is not nc.MSELoss and rng.random() < 0.6 else rng.integers(len(targets))]
    twin = copy.deepcopy(loss)
    done, y = judge(loss, x, target, keeps=loss)
    if done:
        same_as_plain(twin, lambda plain: twin(plain, target), x, y, judge)
        done, dx = judge(
            loss.backward, *some(rng, [(), (array(rng, y.shape, y.dtype),), (some(rng, JUNK),)]), keeps=loss
        )
        good = not done or (dx.shape == np.shape(x) and dx.dtype == np.asarray(x).dtype)
        judge.expect(good, "a gradient of another shape or dtype", kind.__name__, lambda: f"{loss} on {told(x)}")


def told(x: Any) -> str:
    """Tell an array in short."""
    return f"{type(x).__name__}({getattr(x, 'dtype', '')}, {getattr(x, 'shape', x)}, {getattr(x, 'strides', '')})"
