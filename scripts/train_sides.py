"""What learns, in NumPy and in PyTorch: two sides with the same words, which begin with the same weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from train_flags import Flags

import numpycnn as nc
from numpycnn.training import Step, Stream, fit, predict
from parity import bridge, twins

OPTIMIZERS = {"sgd": ("SGD", {"momentum": 0.9}), "adam": ("Adam", {}), "adamw": ("AdamW", {})}
CHUNK = 1000  # images that are judged at once


def convnet(world: Any, **options: Any) -> Any:
    """Three convolutions with batch normalisation, from ``numpycnn`` or ``torch.nn``: they share all names."""

    def conv(channels: int, filters: int) -> tuple[Any, ...]:
        layer = world.Conv2d(channels, filters, 3, padding=1, bias=False, **options)
        return layer, world.BatchNorm2d(filters), world.ReLU()

    return world.Sequential(
        *(*conv(1, 16), world.MaxPool2d(2)),
        *(*conv(16, 32), world.MaxPool2d(2)),
        *(*conv(32, 64), world.Flatten(), world.Linear(64 * 7 * 7, 10, **options)),
    )


MODELS: dict[str, tuple[Callable[..., Any], Callable[[], Any]]] = {
    "lenet": (nc.models.LeNet, twins.LeNet),
    "lenet5": (nc.models.LeNet5, twins.LeNet5),
    "convnet": (lambda rng: convnet(nc, rng=rng), lambda: convnet(torch.nn)),
}


class Side:
    """What learns: a model, and how it takes steps and answers; one of the two below.

    Attributes
    ----------
    model, optimizer, schedule
        Of the world that the side is from.
    tally : dict
        What came of the epoch so far: ``"losses"``, how many ``"images"`` were seen, how many were
        ``"right"`` then, and the ``"seconds"`` of the steps alone.
    """

    model: Any
    optimizer: Any
    schedule: Any

    def __init__(self) -> None:
        self.tally: dict[str, Any] = {}
        self.start_epoch()

    def start_epoch(self) -> None:
        """Begin to count anew."""
        self.tally.update(losses=[], images=0, right=0, seconds=0.0)

    def steps(self, batches: Any, epochs: int) -> Iterator[Step]:
        """Take a step for each batch."""
        raise NotImplementedError

    def scores(self, images: np.ndarray, prepare: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the logits of prepared images, (N, 10), in evaluation mode."""
        raise NotImplementedError

    def parts(self) -> dict[str, Any]:
        """Return all that has a state, as a checkpoint takes it."""
        return {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule, "tally": self.tally}

    def note(self, step: Step) -> None:
        """Count a step."""
        self.tally["losses"].append(step.loss)
        self.tally["images"] += len(step.target)
        self.tally["right"] += int((step.scores.argmax(1) == step.target).sum())
        self.tally["seconds"] += step.seconds

    def learn(self, turn: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Take a step on each of these batches."""
        for step in self.steps(Stream(turn), 1):
            self.note(step)

    def metrics(self) -> dict[str, float]:
        """Return what came of the epoch so far; a loss is the mean of the steps, with the weights of their time."""
        images, seconds = self.tally["images"], self.tally["seconds"]
        return {
            "loss": float(np.mean(self.tally["losses"])),
            "train_accuracy": self.tally["right"] / images,
            "seconds": seconds,
            "images_per_second": images / seconds,
        }

    def weights(self) -> dict[str, np.ndarray]:
        """Return copies of the weights, by their names in the state dict."""
        return {name: np.asarray(value).copy() for name, value in self.model.state_dict().items()}


class NumpySide(Side):
    """Our network."""

    def __init__(self, flags: Flags, steps: int):
        super().__init__()
        self.model = our_model(flags)
        self.criterion = nc.CrossEntropyLoss()
        self.optimizer, self.schedule = make_optimizer(nc.optim, self.model, flags, steps)

    def steps(self, batches: Any, epochs: int) -> Iterator[Step]:
        return fit(self.model, self.criterion, self.optimizer, batches, epochs=epochs, schedule=self.schedule)

    def scores(self, images: np.ndarray, prepare: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return predict(self.model, images, batch_size=CHUNK, prepare=prepare)


class TorchSide(Side):
    """Its twin, which begins with our weights."""

    def __init__(self, flags: Flags, steps: int):
        super().__init__()
        self.model = MODELS[flags.model][1]().to(getattr(torch, flags.dtype))
        bridge.to_torch(our_model(flags), self.model)
        self.criterion = torch.nn.CrossEntropyLoss()
        self.optimizer, self.schedule = make_optimizer(torch.optim, self.model, flags, steps)

    def steps(self, batches: Any, epochs: int) -> Iterator[Step]:
        """Do what ``numpycnn.training.fit`` does, in torch's words."""
        while (epoch := batches.epoch) < epochs:
            for x, target in batches:
                start, lr = time.perf_counter(), self.optimizer.param_groups[0]["lr"]
                self.optimizer.zero_grad()
                scores = self.model(torch.from_numpy(x))
                loss = self.criterion(scores, torch.from_numpy(target))
                loss.backward()
                self.optimizer.step()
                self.schedule.step()
                number, value, seconds = batches.steps, loss.item(), time.perf_counter() - start
                answers = scores.detach().numpy()
                yield Step(number, epoch + 1, batches.position == 0, x, target, answers, value, lr, None, seconds)

    def scores(self, images: np.ndarray, prepare: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        self.model.eval()
        with torch.no_grad():
            chunks = [prepare(images[start : start + CHUNK]) for start in range(0, len(images), CHUNK)]
            answers = [self.model(torch.from_numpy(chunk)).numpy() for chunk in chunks]
        self.model.train()
        return np.concatenate(answers)

    def parts(self) -> dict[str, Any]:
        return {name: part if name == "tally" else InArrays(part) for name, part in super().parts().items()}


SIDES = {"numpy": NumpySide, "torch": TorchSide}


class InArrays:
    """Something of torch's whose state is in arrays here, so that a checkpoint takes it."""

    def __init__(self, part: Any):
        self.part = part

    def state_dict(self) -> Any:
        """Return its state, tensors copied into arrays."""
        return converted(self.part.state_dict(), torch.Tensor, bridge.array)

    def load_state_dict(self, state: Any) -> None:
        """Put a state back, tensors made of its arrays."""
        self.part.load_state_dict(converted(state, np.ndarray, torch.from_numpy))


def converted(tree: Any, kind: type, convert: Callable[[Any], Any]) -> Any:
    """Convert everything of a kind in a tree of dicts and lists."""
    if isinstance(tree, kind):
        return convert(tree)
    if isinstance(tree, Mapping):
        return {key: converted(value, kind, convert) for key, value in tree.items()}
    return [converted(value, kind, convert) for value in tree] if isinstance(tree, list) else tree


def our_model(flags: Flags) -> nc.Layer:
    """Return our network, its weights drawn from the seed."""
    return MODELS[flags.model][0](rng=np.random.default_rng(flags.seed)).to(flags.dtype)


def make_optimizer(library: Any, model: Any, flags: Flags, steps: int) -> tuple[Any, Any]:
    """Return an optimizer and its schedule, from ``numpycnn.optim`` or ``torch.optim``: they share all names."""
    name, settings = OPTIMIZERS[flags.optimizer]
    optimizer = getattr(library, name)(model.parameters(), lr=flags.lr, weight_decay=flags.weight_decay, **settings)
    return optimizer, library.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
