"""How each public thing is fuzzed: a play makes it, and does with it what one does with such a thing."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_judge import MEMORY, Judge
from fuzz_layers import damaged, play_containers, play_layer, play_loss, same_as_plain
from fuzz_subjects import FUNCTIONS, LARGE, LAYERS, LOSSES, MODELS, OPTIMIZERS, SCHEDULES, TRANSFORMS, Right
from fuzz_values import FLOATS, JUNK, array, numbers, some, spoiled, wrong

import numpycnn as nc

Rng = np.random.Generator
NEAR = {"float32": 1e-3, "float64": 1e-9}


# Optimizers


def play_optimizer(kind: Any, right: Right, rng: Rng, judge: Judge) -> None:
    """Step with gradients that may not fit, load states that may not be."""
    model = nc.Sequential(nc.Linear(3, 2, rng=0), nc.PReLU())
    own = model.parameters()
    params = some(rng, [own, own, own, [{"params": own[:2], "lr": some(rng, JUNK)}, {"params": own[2]}], model, *JUNK])
    done, optimizer = judge(kind, params, **spoiled(rng, right))
    if not done:
        return
    judge(repr, optimizer)
    for _ in range(2):
        for parameter in own:
            parameter.grad = array(rng, parameter.data.shape, np.float32, spoil=0.1)
            parameter.grad = parameter.grad if isinstance(parameter.grad, np.ndarray) else None
        if rng.random() < 0.3:
            limits = {"max_norm": [1.0], "norm_type": [2.0, math.inf, 1], "error_if_nonfinite": [False, True]}
            for parameter in own:  # which clipping writes into
                parameter.grad = None if parameter.grad is None else numbers(rng, parameter.data.shape, np.float32)
            judge(nc.optim.clip_grad_norm_, some(rng, [own, own, own[0], *JUNK]), **spoiled(rng, limits))
            judge(nc.optim.clip_grad_value_, some(rng, [own, own, own[0], *JUNK]), some(rng, [1.0, *JUNK]))
        if rng.random() < 0.2:
            optimizer.param_groups[0][some(rng, list(right))] = some(rng, JUNK)
        judge(optimizer.step, keeps=model)
    saved = some(rng, [optimizer.state_dict(), some(rng, JUNK)])
    if isinstance(saved, dict) and "param_groups" in saved:
        group = saved["param_groups"][0]
        group[some(rng, list(group))] = some(rng, JUNK)
        for values in saved["state"].values():
            values[some(rng, [*values, "step"])] = some(rng, JUNK)
        if rng.random() < 0.2:
            saved[some(rng, list(saved))] = some(rng, JUNK)
    judge(optimizer.load_state_dict, saved, keeps=model)
    judge(optimizer.add_param_group, some(rng, [*JUNK, {"params": nc.Parameter(np.ones(2))}, {"params": own}]))
    judge(optimizer.zero_grad)


def play_schedule(kind: Any, right: Right, rng: Rng, judge: Judge) -> None:
    """Move rates, load states that may not be."""
    optimizer = nc.optim.SGD([nc.Parameter(np.ones(2))], lr=0.1)
    done, schedule = judge(kind, optimizer if rng.random() < 0.95 else some(rng, JUNK), **spoiled(rng, right))
    if not done:
        return
    judge(repr, schedule)
    for _ in range(4):
        judge(schedule.step)
    saved = schedule.state_dict()
    saved[some(rng, list(saved))] = some(rng, JUNK)
    judge(schedule.load_state_dict, some(rng, [saved, saved, some(rng, JUNK)]))


# Everything else


def play_model(kind: Callable[..., Any], right: Right, rng: Rng, judge: Judge) -> None:
    """Build a large network with an argument that is probably wrong."""
    judge.memory = 1 << 30  # of VGG's weights alone 480 MB
    judge(kind, **spoiled(rng, {**right, "rng": [0], "dtype": [np.float32]}, share=1.0))
    judge.memory = MEMORY


def play_transform(kind: Any, right: Right, rng: Rng, judge: Judge) -> None:
    """Transform images, or what are none."""
    done, transform = judge(kind, **spoiled(rng, right))
    if not done:
        return
    judge(repr, transform)
    shape = some(rng, [(2, 4, 6, 5), (2, 4, 6, 5), (1, 4, 9, 9), (0, 4, 6, 5), (2, 1, 1, 1)])
    images, seed = array(rng, shape, some(rng, FLOATS)), int(rng.integers(99))
    done, y = judge(transform, images, seed if rng.random() < 0.9 else some(rng, JUNK))
    if done and rng.random() < 0.5:
        done, y = judge(transform, images, seed)
        if done:
            same_as_plain(transform, lambda plain: transform(plain, seed), images, y, judge)
    if not isinstance(transform, nc.transforms.Transform):  # a Compose calls, and draws nothing itself
        return
    judge(transform.draw, some(rng, [shape, *JUNK]), seed)
    done, choice = judge(transform.draw, shape, seed)
    if done and choice:
        judge(transform.apply, images, {**choice, some(rng, list(choice)): wrong(rng, (2,))})


def play_function(function: Callable[..., Any], right: Right, rng: Rng, judge: Judge) -> None:
    """Call a function."""
    for _ in range(4):
        judge(function, **spoiled(rng, right))


def play_field(rng: Rng, judge: Judge) -> None:
    """Ask what is seen, through windows and layers."""
    steps = [some(rng, [3, (3, 2), (3, 2, 1, 1), ((3, 2), 1), nc.ReLU(), nc.MaxPool2d(2), *JUNK]) for _ in range(3)]
    judge(nc.receptive_field, *steps)
    judge(nc.summary, some(rng, [nc.ReLU(), nc.models.LeNet(rng=0), *JUNK]), some(rng, [(1, 28, 28), *JUNK]))
    judge(nc.load, some(rng, JUNK) if rng.random() < 0.5 else Path("nothing.safetensors"))
    judge(nc.set_num_threads, some(rng, JUNK))
    judge(nc.get_num_threads)
    nc.set_num_threads(1)
    with nc.no_grad(), nc.winograd():
        judge(nc.is_grad_enabled)
        judge(nc.is_winograd_enabled)
    judge(nc.winograd, some(rng, JUNK))


def play_training(rng: Rng, judge: Judge) -> None:
    """Make batches, train, evaluate, stop, save."""
    x, target = array(rng, (6, 3), np.float32), rng.integers(0, 2, 6)
    right = {"batch_size": [2, 4], "shuffle": [True, False], "drop_last": [False, True], "augment": [None], "rng": [0]}
    done, batches = judge(
        nc.training.Batches, x, target if rng.random() < 0.9 else wrong(rng, (6,)), **spoiled(rng, right)
    )
    model, criterion = nc.Linear(3, 2, rng=0), nc.CrossEntropyLoss()
    optimizer = nc.optim.SGD(model.parameters(), lr=0.1)
    if done:
        saved = batches.state_dict()
        saved[some(rng, list(saved))] = some(rng, JUNK)
        judge(batches.load_state_dict, some(rng, [saved, saved, *JUNK]))
        options = spoiled(rng, {"epochs": [1, 2], "schedule": [None], "max_norm": [None, 1.0]}, share=0.3)
        done, steps = judge(
            nc.training.fit, model, criterion, optimizer, some(rng, [batches, batches, *JUNK]), **options
        )
        for _ in range(3 * done):
            done, _ = judge(next, steps, None)
    parts = [model, criterion, x, target]
    if rng.random() < 0.3:
        parts[rng.integers(4)] = some(rng, JUNK)
    options = spoiled(rng, {"batch_size": [256, 4], "prepare": [None]}, share=0.3)
    if callable(options.get("prepare")):
        del options["prepare"]  # whatever it makes is the caller's own
    judge(nc.training.evaluate, *parts, **options)
    judge(nc.training.predict, parts[0], parts[2], **options)
    judge(nc.training.Stream, some(rng, JUNK))
    done, stop = judge(nc.training.EarlyStop, **spoiled(rng, {"patience": [2], "min_delta": [0.0]}))
    if done:
        judge(stop, some(rng, [0.5, *JUNK]))
        judge(stop.load_state_dict, some(rng, [{"best": some(rng, JUNK), "waited": some(rng, JUNK)}, *JUNK]))
    with tempfile.TemporaryDirectory() as folder:
        done, checkpoints = judge(nc.training.Checkpoints, folder if rng.random() < 0.9 else some(rng, JUNK[:8]))
        if done and rng.random() < 0.5:
            parts = {"model": model, "optimizer": optimizer, "more": some(rng, [[1], {}, *JUNK])}
            done, path = judge(checkpoints.save, parts, some(rng, [1, 1, *JUNK]), some(rng, [None, 0.5, *JUNK]))
            if done and Path(folder) in path.parents:
                damaged(path, rng)
                judge(checkpoints.load, parts, keeps=model)


def _plays() -> dict[str, tuple[Callable[[Rng, Judge], None], float]]:
    """List the plays, each with how often it is played in a round."""
    plays: dict[str, tuple[Callable[[Rng, Judge], None], float]] = {}
    for name, (right, shapes) in LAYERS.items():
        plays[name] = partial(play_layer, getattr(nc, name), right, shapes), 1
    for name, (right, shapes) in MODELS.items():
        plays[name] = partial(play_layer, getattr(nc.models, name), right, shapes), 0.1
    for name, right in LARGE.items():
        plays[name] = partial(play_model, getattr(nc.models, name), right), 0.03
    for name in nc.models.__all__:
        if name.islower():
            plays[name] = partial(play_model, getattr(nc.models, name), {"num_classes": [2], "dropout": []}), 0.003
    for room, table, play in (
        (nc, LOSSES, play_loss),
        (nc.optim, OPTIMIZERS, play_optimizer),
        (nc.optim.lr_scheduler, SCHEDULES, play_schedule),
        (nc.transforms, TRANSFORMS, play_transform),
        (nc, FUNCTIONS, play_function),
    ):
        prefix = "transforms." if room is nc.transforms else ""
        plays |= {prefix + name: (partial(play, getattr(room, name), right), 1) for name, right in table.items()}
    return plays | {"containers": (play_containers, 1), "fields": (play_field, 1), "training": (play_training, 1)}


PLAYS = _plays()
