"""A training that is made to be killed: run as a program, it goes on from its last checkpoint, and tells how it ended.

    python tests/killed_training.py FOLDER          train, or go on; print the digest of everything at the end
    python tests/killed_training.py FOLDER KILLS    kill such trainings so often, and compare with one left alone

Everything with a state takes part: batch normalisation, dropout, Adam, a schedule, augmentation, shuffling, metrics.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

import numpycnn as nc
from numpycnn.training import Batches, Checkpoints, EarlyStop, archive, evaluate, fit, state

EPOCHS = 4


def make(seed=0):
    """Make all that takes part in a training."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 3, 90)
    x = (target[:, None, None, None] + rng.standard_normal((90, 1, 8, 8))).astype(np.float32)
    model = nc.Sequential(
        *(nc.Conv2d(1, 4, 3, rng=rng), nc.BatchNorm2d(4), nc.ReLU(), nc.MaxPool2d(2)),
        *(nc.Flatten(), nc.Dropout(0.3, rng=rng), nc.Linear(36, 16, rng=rng), nc.ReLU()),
        *(nc.Dropout(0.2, rng=7), nc.Linear(16, 3, rng=rng)),
    )
    optimizer = nc.optim.Adam(model.parameters(), lr=0.01, amsgrad=True)
    schedule = nc.optim.lr_scheduler.MultiStepLR(optimizer, [20, 40, 40], gamma=0.5)
    batches = Batches(x, target, 8, augment=lambda x, rng: x + 0.1 * rng.random(x.shape, np.float32), rng=rng)
    return {
        "model": model,
        "optimizer": optimizer,
        "schedule": schedule,
        "batches": batches,
        "stop": EarlyStop(100),
        "noise": np.random.default_rng(8),
        "metrics": {"losses": [], "accuracies": []},
    }


def train(folder, every=1, steps=None):
    """Train to the end, or so many steps, from the last checkpoint in the folder if there is one; return the parts."""
    parts = make()
    model, batches, metrics = parts["model"], parts["batches"], parts["metrics"]
    checkpoints, criterion = Checkpoints(folder, keep=2), nc.CrossEntropyLoss()
    checkpoints.load(parts)
    options = {"epochs": EPOCHS, "schedule": parts["schedule"], "max_norm": 2.0}
    for step in fit(model, criterion, parts["optimizer"], batches, **options):
        metrics["losses"].append(step.loss + parts["noise"].random())
        score = None
        if step.last:
            score = evaluate(model, criterion, batches.x, batches.target).accuracy
            metrics["accuracies"].append(score)
            parts["stop"](score)
        if step.number % every == 0:
            checkpoints.save(parts, step.number, score)
        if step.number == steps:
            break
    return parts


def digest(parts):
    """Return one line about all that a training has become, to the last bit."""
    with tempfile.TemporaryDirectory() as folder:
        archive.write(path := Path(folder, "end.npz"), state.take(parts))
        return path.read_bytes()[-64:].decode()


def kill_often(folder, kills, rng):
    """Kill a training so often, at any moment; return the digest of what it became, and how often we met what."""
    met = {"kills": 0, "amid a write": 0, "finished before": 0}
    command = [sys.executable, __file__, str(folder)]
    while met["kills"] < kills:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "begins\n"
            time.sleep(rng.uniform(0, 0.25))
            process.kill()
            rest = process.stdout.read()
        if rest:  # it was through: once more from the beginning
            met["finished before"] += 1
            shutil.rmtree(folder)
            continue
        met["kills"] += 1
        met["amid a write"] += Path(folder, ".draft.npz").exists()
        for path in Checkpoints(folder).paths:
            archive.read(path)  # or an error: every file is whole at every instant
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()[-1], met


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    if len(sys.argv) == 2:
        print("begins", flush=True)
        print(digest(train(folder)))
    else:
        alone = digest(train(folder / "alone", every=1000))
        last, met = kill_often(folder / "killed", int(sys.argv[2]), random.Random())
        print(", ".join(f"{count} {what}" for what, count in met.items()))
        print("the same bits as without" if last == alone else f"other bits: {last}, alone {alone}")
        sys.exit(last != alone)
