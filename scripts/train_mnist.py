"""Train LeNet on MNIST in pure NumPy, and its twin in PyTorch beside it.

    python scripts/train_mnist.py
    python scripts/train_mnist.py --preset mnist              # 12 epochs of shifted, rotated digits
    python scripts/train_mnist.py --preset fashion-mnist
    python scripts/train_mnist.py --config my.toml --seed 3   # settings from a file, named as the flags
    python scripts/train_mnist.py --resume runs/FOLDER        # go on with a run that was ended, or killed

Both start from the same weights and see the same batches in the same order. What parts them is
rounding: with --dtype float64 hardly at all; with float32 until, sooner or later, it lets a ReLU
or a maximum choose otherwise, from where on their weights differ visibly, and neither is better.
They take turns every 16 batches, so that whatever else the machine does slows both alike; the
seconds count the training steps alone. The learning rate falls to 0 along a cosine.

The data are downloaded into ./data, once. Where that is not possible, a bundled sample of MNIST
(10,000 training and 2,000 test images) is used. --data takes a folder that holds them already.

For every epoch a line tells the loss and the test accuracy of both sides, their seconds and the
ratio of these, and the largest difference of a weight. A folder below ./runs then holds

    report.html           a page for the browser that needs nothing else and can be passed on: curves, mistakes,
                          filters, an image on its way through the network, times, settings, the command
    metrics.json          these numbers, the settings, and losses and difference turn by turn
    numpy.npz, torch.npz  the weights, under the names of the model's state dict:
                          model.load_state_dict(numpy.load("numpy.npz"))
    learning_curves.png   loss, accuracy and difference over the epochs
    config.toml           the settings
    checkpoints/          the last epochs and the best: from there --resume goes on, bit for bit

Ctrl-C ends the training early: what was reached by then is evaluated and written, and can be
resumed (a second one ends that too). The exit code is 0, or 1 where a loss became inf or nan or a
checkpoint could not be written or read, or 2 for a wrong flag or data that cannot be used, or 130
after Ctrl-C.

Needs torch, torchvision, tqdm and matplotlib: pip install -e ".[train]"
"""

import contextlib
import itertools
import math
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a fresh clone will do, nothing installed

from train_flags import Flags, parse_flags, set_threads, write_config

if __name__ == "__main__":
    # Here already: NumPy reads its number of threads once, when it is imported, and a wrong flag
    # need not wait for torch. Ctrl-C while the imports run just ends the program, with no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parse_flags(None, __doc__)
    set_threads(1)  # of BLAS; ours are above it

import mnist_data
import numpy as np
import report
import torch
import train_report
from train_images import augmentation, preparation
from train_sides import SIDES, Side, our_model
from whole_file import whole_file

import numpycnn as nc
from numpycnn.training import Batches, CheckpointError, Checkpoints, DivergedError

BLOCK = 16  # batches until it is the other side's turn


@dataclass
class Run:
    """All that belongs to one training."""

    flags: Flags
    images: mnist_data.Images
    batches: Batches
    sides: dict[str, Side]
    record: train_report.Record
    folder: Path
    checkpoints: Checkpoints

    def parts(self) -> dict[str, Any]:
        """Return all that has a state, as a checkpoint takes it."""
        of_sides = [(f"{name}'s {part}", it) for name, side in self.sides.items() for part, it in side.parts().items()]
        return {"batches": self.batches, "record": self.record, **dict(of_sides)}

    def save(self, score: float | None = None) -> None:
        """Write a checkpoint."""
        self.checkpoints.save(self.parts(), self.batches.steps, score)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the page; return the exit code."""
    flags = parse_flags(argv, __doc__)
    torch.set_num_threads(flags.threads)
    nc.set_num_threads(flags.threads)
    speaker = train_report.Speaker(flags)
    problem = None
    try:
        with speaker.aside():
            images = mnist_data.load(flags.data, dataset=mnist_data.DATASETS[flags.dataset]).first(flags.limit)
        run = set_up(flags, images)
        run.record["commands"].append(
            shlex.join(["python", "scripts/train_mnist.py", *(sys.argv[1:] if argv is None else argv)])
        )
        try:
            train(run, speaker)
        except (CheckpointError, DivergedError) as error:
            problem = error
        if run.record["epochs"]:
            write(run)
    except (mnist_data.DataError, OSError) as error:
        return fail(error, 2)
    except CheckpointError as error:
        return fail(error, 1)
    except KeyboardInterrupt:
        return fail("interrupted before all was written", 130)
    if problem:
        return fail(f"{problem}; the last checkpoint: {['none', *run.checkpoints.paths][-1]}", 1)
    speaker.end(run.record, run.folder)
    return 130 if run.record["interrupted"] else 0


def fail(problem: object, code: int) -> int:
    """Say why it ended; return the exit code."""
    print(f"train_mnist.py: {problem}", file=sys.stderr)
    return code


def set_up(flags: Flags, images: mnist_data.Images) -> Run:
    """Make a run, or bring one back to where its last checkpoint was made."""
    rng = np.random.default_rng([flags.seed, 1])  # another stream than the one that made the weights
    augment = augmentation(flags)
    batches = Batches(images.train_images, images.train_labels, flags.batch_size, augment=augment, rng=rng)
    sides = {name: SIDES[name](flags, flags.epochs * len(batches)) for name in flags.sides}
    folder = make_folder(flags.out)
    checkpoints = Checkpoints(folder / "checkpoints")
    run = Run(flags, images, batches, sides, train_report.new_record(flags, images), folder, checkpoints)
    if flags.resume:
        if checkpoints.load(run.parts()) is None:
            raise CheckpointError(f"{checkpoints.folder}: expected a checkpoint to go on from, got none")
    elif checkpoints.paths:
        raise CheckpointError(f"{folder} holds a run: go on with it by --resume {folder}, or take another folder")
    else:
        with whole_file(folder / "config.toml") as draft:
            write_config(draft, flags)
    return run


def train(run: Run, speaker: train_report.Speaker) -> None:
    """Teach all sides the same, and record what comes of it."""
    flags, batches, sides, record = run.flags, run.batches, run.sides, run.record
    leader, *followers = sides.values()
    turn: list[tuple[np.ndarray, np.ndarray]] = []
    speaker.begin(record, flags.epochs * math.ceil(len(batches) / BLOCK))
    with noted_interrupt() as interrupted, np.errstate(all="ignore"):  # a NaN of torch's is told in numbers
        for step in leader.steps(batches, flags.epochs):
            leader.note(step)
            turn.append((step.x, step.target))
            if len(turn) < BLOCK and not step.last:
                continue
            for side in followers:
                side.learn(turn)
            seen = batches.epoch + batches.position / len(batches)
            losses = {name: side.tally["losses"][-len(turn) :] for name, side in sides.items()}
            means = {name: float(np.mean(values)) for name, values in losses.items()}
            record["curve"].append({"epoch": seen, **means, **losses_apart(losses), **apart(sides)})
            speaker.turn(seen, {name: side.metrics() for name, side in sides.items()})
            turn = []
            stop = interrupted.is_set()
            if stop and not step.last:
                run.save()  # before the judgement: it is not part of the training
            if step.last or stop:
                row = {"epoch": seen, **{name: judged(side, run) for name, side in sides.items()}, **apart(sides)}
                record["epochs"].append(row)
                if step.last:
                    for side in sides.values():
                        side.start_epoch()
                    run.save(row[flags.sides[0]]["test_accuracy"])
                speaker.epoch(row)
            if stop:
                record["interrupted"] = True
                break


def write(run: Run) -> None:
    """Write all files but the checkpoints."""
    weights = {name: side.weights() for name, side in run.sides.items()}
    train_report.write(run.folder, run.record, weights)
    model, prepare, images = our_model(run.flags), preparation(run.flags), run.images
    model.load_state_dict(weights[run.flags.sides[0]])
    scores = {name: side.scores(images.test_images, prepare) for name, side in run.sides.items()}
    names = [name.partition(" - ")[0] for name in mnist_data.DATASETS[run.flags.dataset].kind.classes]
    example = prepare(images.test_images[:1])
    outcome = report.Outcome(model.eval(), example, images.test_images, images.test_labels, scores, names)
    report.write(run.folder / "report.html", run.record, outcome)


def judged(side: Side, run: Run) -> dict[str, float]:
    """Return what came of the epoch, and how good the side is now."""
    answers = side.scores(run.images.test_images, preparation(run.flags)).argmax(1)
    return {**side.metrics(), "test_accuracy": float((answers == run.images.test_labels).mean())}


def apart(sides: Mapping[str, Side]) -> dict[str, float]:
    """Return how far two sides are apart; nothing for a side alone."""
    if len(sides) < 2:
        return {}
    ours, theirs = (side.weights() for side in sides.values())
    return {"largest_difference": float(np.max([np.abs(ours[name] - theirs[name]).max() for name in ours]))}


def losses_apart(losses: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Return how far the losses of two sides are apart, step by step; nothing for a side alone."""
    return {"loss_differences": np.abs(np.subtract(*losses.values())).tolist()} if len(losses) == 2 else {}


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
