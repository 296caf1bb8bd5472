"""Train LeNet on MNIST in pure NumPy, and its twin in PyTorch beside it.

    python scripts/train_mnist.py

Both start from the same weights and see the same batches in the same order. What parts them is
rounding: with --dtype float64 hardly at all; with float32 until, sooner or later, it lets a ReLU
or a maximum choose otherwise, from where on their weights differ visibly, and neither is better.
They take turns every 16 batches, so that whatever else the machine does slows both alike; the
seconds count the training steps alone. The learning rate falls to 0 along a cosine.

MNIST is downloaded into ./data, once. Where that is not possible, a bundled sample of it
(10,000 training and 2,000 test images) is used. --data takes a folder that holds it already.

For every epoch a line tells the loss and the test accuracy of both sides, their seconds and the
ratio of these, and the largest difference of a weight. A folder below ./runs then holds

    metrics.json          these numbers, the settings, and losses and difference turn by turn
    numpy.npz, torch.npz  the weights, under the names of the model's state dict:
                          model.load_state_dict(numpy.load("numpy.npz"))
    learning_curves.png   loss, accuracy and difference over the epochs

Ctrl-C ends the training early: what was reached by then is evaluated and written (a second one
ends that too). The exit code is 0, or 130 after Ctrl-C, or 2 for a wrong flag or data that cannot
be used.

Needs torch, torchvision, tqdm and matplotlib: pip install -e ".[train]"
"""

import contextlib
import itertools
import math
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a fresh clone will do, nothing installed

from train_flags import Flags, parse_flags, set_threads

if __name__ == "__main__":
    # Here already: NumPy reads its number of threads once, when it is imported, and a wrong flag
    # need not wait for torch. Ctrl-C while the imports run just ends the program, with no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    set_threads(parse_flags(None, __doc__).threads)

import mnist_data
import numpy as np
import torch
import train_report
from tqdm import tqdm

import numpycnn as nc
from parity import bridge, twins

MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels, from 0 to 1
BLOCK = 16  # batches until it is the other side's turn
MODELS = {"lenet": (nc.models.LeNet, twins.LeNet), "lenet5": (nc.models.LeNet5, twins.LeNet5)}
PADDING = {"lenet": 0, "lenet5": 2}  # LeNet-5 takes images of 32x32
OPTIMIZERS = {"sgd": ("SGD", {"momentum": 0.9}), "adam": ("Adam", {}), "adamw": ("AdamW", {})}
Batch = tuple[np.ndarray, np.ndarray]  # images and labels


class Side:
    """What learns: a model, and how it takes a step and answers; one of the two below."""

    model: Any

    def __init__(self) -> None:
        self.start_epoch()

    def start_epoch(self) -> None:
        """Begin a new list of losses, and set the clock to 0."""
        self.losses: list[float] = []
        self.seconds = 0.0

    def learn(self, batches: list[Batch]) -> None:
        """Take a step on each batch, by the clock."""
        start = time.perf_counter()
        self.losses += [self.step(images, labels) for images, labels in batches]
        self.seconds += time.perf_counter() - start

    def step(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Learn from one batch; return its loss."""
        raise NotImplementedError

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Return the logits, (N, 10), and remember nothing."""
        raise NotImplementedError

    def weights(self) -> dict[str, np.ndarray]:
        """Return copies of the weights, by their names in the state dict."""
        return {name: np.asarray(value).copy() for name, value in self.model.state_dict().items()}


class NumpySide(Side):
    """Our network."""

    def __init__(self, flags: Flags, steps: int):
        super().__init__()
        ours, _ = MODELS[flags.model]
        self.model = ours(rng=flags.seed, dtype=flags.dtype)
        self.criterion = nc.CrossEntropyLoss()
        self.optimizer, self.schedule = make_optimizer(nc.optim, self.model, flags, steps)

    def step(self, images: np.ndarray, labels: np.ndarray) -> float:
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(images), labels)
        self.model.backward_parameters(self.criterion.backward())
        self.optimizer.step()
        self.schedule.step()
        return float(loss)

    def scores(self, images: np.ndarray) -> np.ndarray:
        with nc.no_grad():
            return self.model(images)


class TorchSide(Side):
    """Its twin, which begins with our weights."""

    def __init__(self, flags: Flags, steps: int):
        super().__init__()
        ours, theirs = MODELS[flags.model]
        self.model = theirs().to(getattr(torch, flags.dtype))
        bridge.load_state(self.model, ours(rng=flags.seed, dtype=flags.dtype).state_dict())
        self.criterion = torch.nn.CrossEntropyLoss()
        self.optimizer, self.schedule = make_optimizer(torch.optim, self.model, flags, steps)

    def step(self, images: np.ndarray, labels: np.ndarray) -> float:
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(torch.from_numpy(images)), torch.from_numpy(labels))
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return loss.item()

    def scores(self, images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return self.model(torch.from_numpy(images)).numpy()


SIDES = {"numpy": NumpySide, "torch": TorchSide}


def make_optimizer(library: Any, model: Any, flags: Flags, steps: int) -> tuple[Any, Any]:
    """Return an optimizer and its schedule, from ``numpycnn.optim`` or ``torch.optim``: they share all names."""
    name, settings = OPTIMIZERS[flags.optimizer]
    optimizer = getattr(library, name)(model.parameters(), lr=flags.lr, **settings)
    return optimizer, library.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the page; return the exit code."""
    flags = parse_flags(argv, __doc__)
    torch.set_num_threads(flags.threads)
    try:
        digits = mnist_data.load(flags.data).first(flags.limit)
        folder = make_folder(flags.out)
        steps = math.ceil(len(digits.train_images) / flags.batch_size)
        sides = {name: SIDES[name](flags, flags.epochs * steps) for name in flags.sides}
        record = train_report.new_record(flags, digits)
        print(f"{record['title']}\n\n{train_report.header(flags.sides)}", flush=True)
        train(sides, digits, flags, record)
        train_report.write(folder, record, {name: side.weights() for name, side in sides.items()})
    except (mnist_data.DataError, OSError) as error:
        print(f"train_mnist.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted before all was written.", file=sys.stderr)
        return 130
    print(f"\n{train_report.summary(record)} Files in {folder}")
    return 130 if record["interrupted"] else 0


def train(sides: Mapping[str, Side], digits: mnist_data.Digits, flags: Flags, record: train_report.Record) -> None:
    """Teach all sides the same, and print and record what comes of it."""
    count = len(digits.train_images)
    steps = math.ceil(count / flags.batch_size)
    shuffle = np.random.default_rng([flags.seed, 1])  # another stream than the one that made the weights
    bar = {"bar_format": "{desc} {bar} {percentage:3.0f} %, {remaining} left", "leave": False, "disable": None}
    with noted_interrupt() as interrupted, np.errstate(all="ignore"):  # a NaN in the table will say it, as torch's
        for epoch in range(flags.epochs):
            for side in sides.values():
                side.start_epoch()
            turns = blocks(shuffle.permutation(count), digits, flags)
            for batches in tqdm(turns, f"epoch {epoch + 1}", math.ceil(steps / BLOCK), **bar):
                for side in sides.values():
                    side.learn(batches)
                seen = epoch + len(side.losses) / steps
                losses = {name: float(np.mean(side.losses[-len(batches) :])) for name, side in sides.items()}
                record["curve"].append({"epoch": seen, **losses, **apart(sides)})
                if interrupted.is_set():
                    break
            record["epochs"].append({"epoch": seen, **evaluate(sides, digits, flags), **apart(sides)})
            print(train_report.line(record["epochs"][-1], flags.sides), flush=True)
            if interrupted.is_set():
                record["interrupted"] = True
                break


def evaluate(sides: Mapping[str, Side], digits: mnist_data.Digits, flags: Flags) -> dict[str, Any]:
    """Return how each side did in this epoch."""
    results = {}
    for name, side in sides.items():
        right = 0
        for part in np.array_split(np.arange(len(digits.test_images)), math.ceil(len(digits.test_images) / 1000)):
            answers = side.scores(normalised(digits.test_images[part], flags)).argmax(1)
            right += int((answers == digits.test_labels[part]).sum())
        accuracy = right / len(digits.test_images)
        results[name] = {"loss": float(np.mean(side.losses)), "test_accuracy": accuracy, "seconds": side.seconds}
    return results


def apart(sides: Mapping[str, Side]) -> dict[str, float]:
    """Return how far two sides are apart; nothing for a side alone."""
    if len(sides) < 2:
        return {}
    ours, theirs = (side.weights() for side in sides.values())
    return {"largest_difference": float(np.max([np.abs(ours[name] - theirs[name]).max() for name in ours]))}


def blocks(order: np.ndarray, digits: mnist_data.Digits, flags: Flags) -> Iterator[list[Batch]]:
    """Yield the training images in this order, in batches, and so many of these as make a turn."""
    size = flags.batch_size
    for start in range(0, len(order), BLOCK * size):
        chosen = order[start : start + BLOCK * size]
        images, labels = normalised(digits.train_images[chosen], flags), digits.train_labels[chosen]
        yield [(images[i : i + size], labels[i : i + size]) for i in range(0, len(chosen), size)]


def normalised(images: np.ndarray, flags: Flags) -> np.ndarray:
    """Make bytes into what a model takes: (N, 28, 28) -> (N, 1, H, W), mean 0 and standard deviation 1."""
    margin = PADDING[flags.model]
    images = np.pad(images[:, None], [(0, 0), (0, 0), (margin, margin), (margin, margin)])
    return (images.astype(flags.dtype) / 255 - MEAN) / STD


def make_folder(wanted: Path | None) -> Path:
    """Make the folder for the results; by date and time, and never one that is there, unless it is told."""
    if wanted is not None:
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted
    now = time.strftime("%Y-%m-%d_%H-%M-%S")
    for suffix in itertools.chain([""], (f"_{n}" for n in itertools.count(2))):
        with contextlib.suppress(FileExistsError):
            folder = Path("runs", now + suffix)
            folder.mkdir(parents=True)
            return folder


@contextlib.contextmanager
def noted_interrupt() -> Iterator[threading.Event]:
    """Turn Ctrl-C into an event, so that no step is left half done; a second Ctrl-C interrupts at once."""
    event = threading.Event()

    def note(*_: Any) -> None:
        event.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
