"""Many threads, long trainings, large images, numbers that run away: the same bits, no memory lost, nothing corrupted.

Each is short here; ``same_bits(60)`` and ``growth(10_000)`` are the long versions.
"""

import gc
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import numpycnn as nc
from numpycnn.training import Batches, Checkpoints, DivergedError, fit


def same_bits(seconds, threads=8):
    """Predict with one model in many threads for a while; return how many predictions were made, and wrong."""
    model = nc.models.LeNet(rng=0).eval()
    batches = [np.random.default_rng(seed).standard_normal((3, 1, 28, 28), np.float32) for seed in range(threads)]
    with nc.no_grad():
        alone = [model(x).tobytes() for x in batches]
    end, start = time.monotonic() + seconds, threading.Barrier(threads)

    def predict(first):
        start.wait(30)
        made = wrong = 0
        with nc.no_grad():
            while time.monotonic() < end or not made:
                number = (first + made) % threads
                made, wrong = made + 1, wrong + (model(batches[number]).tobytes() != alone[number])
        return made, wrong

    with ThreadPoolExecutor(threads) as pool:
        return tuple(map(sum, zip(*pool.map(predict, range(threads)), strict=True)))


def test_eight_threads_predict_the_bits_of_one():
    made, wrong = same_bits(1.5)
    assert made >= 8 and wrong == 0


def trained(seed, steps=25):
    """Train a small network with everything that has a state; return its weights."""
    rng = np.random.default_rng(seed)
    model = nc.Sequential(
        *(nc.Conv2d(1, 4, 3, rng=rng), nc.BatchNorm2d(4), nc.ReLU(), nc.MaxPool2d(2)),
        *(nc.Flatten(), nc.Dropout(0.3, rng=rng), nc.Linear(36, 3, rng=rng)),
    )
    x, target = rng.standard_normal((64, 1, 8, 8), np.float32), rng.integers(0, 3, 64)
    optimizer = nc.optim.Adam(model.parameters(), lr=0.01)
    batches = Batches(x, target, 16, augment=nc.transforms.RandomCrop(8, padding=1), rng=rng)
    for step in fit(model, nc.CrossEntropyLoss(), optimizer, batches, epochs=steps):
        if step.number == steps:
            break
    return b"".join(value.tobytes() for value in model.state_dict().values())


def test_two_trainings_in_two_threads_are_those_one_after_the_other():
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(trained, range(2))) == [trained(0), trained(1)]


def growth(steps):
    """Train so many steps; return by how many bytes what is in use has grown since the first tenth of them."""
    rng = np.random.default_rng(0)
    model = nc.models.LeNet(rng=rng)
    optimizer = nc.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    batches = Batches(rng.standard_normal((8, 1, 28, 28), np.float32), rng.integers(0, 10, 8), 2, rng=rng)
    used = []
    tracemalloc.start()
    try:
        for step in fit(model, nc.CrossEntropyLoss(), optimizer, batches, epochs=steps):
            if step.number in (steps // 10, steps):
                gc.collect()
                used.append(tracemalloc.get_traced_memory()[0])
            if step.number == steps:
                return used[1] - used[0]
    finally:
        tracemalloc.stop()


def test_a_training_does_not_grow():
    assert growth(300) < 30_000  # one LeNet's gradients alone have 180,000


def peak(function):
    """Return what a call yields, and the bytes that it needs at most besides."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        answer = function()
        return answer, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("channels", "filters", "side"), [(64, 64, 112), (256, 256, 28), (512, 512, 14)])
@pytest.mark.parametrize("winograd", [False, True])
def test_convolutions_of_vgg16_need_little_besides_their_activations(channels, filters, side, winograd):
    layer = nc.Conv2d(channels, filters, 3, padding=1, rng=0)
    x = np.ones((2, channels, side, side), np.float32)
    with nc.winograd() if winograd else nc.no_grad():
        y, forward = peak(lambda: layer(x))
    layer(x)
    with nc.winograd() if winograd else nc.no_grad():
        dx, backward = peak(lambda: layer.backward(np.ones_like(y)))
    made = layer.weight.data.nbytes + layer.bias.data.nbytes  # the gradients
    scratch = 90e6 if winograd else 40e6  # as the README says; x may be copied into the order that the layer works in
    assert max(forward - y.nbytes - x.nbytes, backward - dx.nbytes - y.nbytes - made) < scratch


@pytest.mark.parametrize("dilation", [1, 2])
def test_ten_times_the_batch_needs_at_most_ten_times_the_memory(dilation):
    layer = nc.Conv2d(16, 16, 3, padding=dilation, dilation=dilation, rng=0)
    needed = {}
    for batch in (4, 40):
        x = np.ones((batch, 16, 56, 56), np.float32)
        with nc.no_grad():
            needed[batch] = peak(lambda x=x: layer(x))[1]
    assert needed[40] < 10.5 * needed[4]
    assert needed[40] < 2 * x.nbytes + 36e6 < 9 * x.nbytes  # which a whole matrix of windows would need alone


def test_a_training_that_runs_away_leaves_its_last_good_checkpoint(tmp_path):
    rng = np.random.default_rng(0)
    model = nc.Sequential(nc.Linear(2, 8, rng=rng), nc.ReLU(), nc.Linear(8, 2, rng=rng))
    optimizer = nc.optim.SGD(model.parameters(), lr=0.1)
    batches = Batches(rng.standard_normal((32, 2), np.float32), rng.integers(0, 2, 32), 8, rng=rng)
    parts, checkpoints = {"model": model, "optimizer": optimizer, "batches": batches}, Checkpoints(tmp_path)
    with pytest.raises(DivergedError, match=r"in step 6, at a learning rate of 1e\+38; .* the output of 0: Linear"):
        for step in fit(model, nc.CrossEntropyLoss(), optimizer, batches, epochs=9):
            if step.number == 5:
                model[0].weight.data[0, 0] = np.nan  # what a step at such a rate may leave
                optimizer.param_groups[0]["lr"] = 1e38
                continue
            checkpoints.save(parts, step.number)
            good = model.state_dict()
    assert checkpoints.load(parts) == checkpoints.paths[-1] == tmp_path / "step-00000004.npz"
    np.testing.assert_equal(model.state_dict(), good)
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert [step.number for step in fit(model, nc.CrossEntropyLoss(), optimizer, batches, epochs=2)] == [5, 6, 7, 8]
