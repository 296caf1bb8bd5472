"""Batches: which ones come, that a state brings them back, and what is refused."""

import itertools

import numpy as np
import pytest
from small_training import data, small_model, train

from numpycnn.training import Batches, Stream


def flip(x, rng):
    return np.where(rng.random((len(x), 1, 1, 1)) < 0.5, x, x[..., ::-1])


def pairs_equal(first, second):
    return all(np.array_equal(a, c) and np.array_equal(b, d) for (a, b), (c, d) in itertools.zip_longest(first, second))


@pytest.mark.parametrize(("drop_last", "sizes"), [(False, [4, 4, 2]), (True, [4, 4])])
@pytest.mark.parametrize("shuffle", [False, True])
def test_an_epoch_has_every_sample_once(drop_last, sizes, shuffle):
    x, target = np.arange(10.0) * 2, np.arange(10)
    batches = Batches(x, target, 4, shuffle=shuffle, drop_last=drop_last, rng=0)
    epochs = [[t for _, t in batches] for _ in range(3)]
    for epoch in epochs:
        assert [len(t) for t in epoch] == sizes and len(batches) == len(sizes)
        seen = np.concatenate(epoch)
        assert len(set(seen)) == sum(sizes) and set(seen) <= set(target)
        assert (np.array_equal(seen, target[: sum(sizes)])) is not shuffle
    assert len({tuple(np.concatenate(epoch)) for epoch in epochs}) == (3 if shuffle else 1)
    assert all(np.array_equal(a, 2.0 * t) for a, t in batches)


def test_the_seed_decides_order_and_augmentation():
    x, target = data()
    epochs = {seed: [list(Batches(x, target, 8, augment=flip, rng=seed)) for _ in range(2)] for seed in (0, 1)}
    assert pairs_equal(*epochs[0])
    assert not pairs_equal(epochs[0][0], epochs[1][0])
    drawn = [Batches(x, target, 8, augment=flip, rng=np.random.default_rng(5)) for _ in range(2)]
    assert pairs_equal(*drawn)


def test_augmentation_meets_the_inputs_alone_and_is_drawn_anew_for_every_batch_and_epoch():
    drawn = []

    def note(x, rng):
        drawn.append(rng.random())
        return x + 0.5

    x, target = np.arange(6.0), np.arange(6)
    batches = Batches(x, target, 2, shuffle=False, augment=note, rng=0)
    for _ in range(2):
        for a, t in batches:
            assert np.array_equal(a, t + 0.5)
    assert len(set(drawn)) == 6
    assert np.array_equal(x, np.arange(6.0))


@pytest.mark.parametrize("make", [
    lambda: Batches(*data(20), 4, augment=flip, rng=3),
    lambda: Stream([(number, -number) for number in range(5)]),
    lambda: Stream(iter_anew()),
], ids=["Batches", "Stream of a list", "Stream without a length"])  # fmt: skip
@pytest.mark.parametrize("stop", [1, 4, 5, 6, 10, 13])
def test_from_a_state_it_goes_on_as_if_never_stopped(make, stop):
    def forever(source):
        while True:
            yield from source

    whole, halted, resumed = make(), make(), make()
    expected = list(itertools.islice(forever(whole), 15))
    assert len(list(itertools.islice(forever(halted), stop))) == stop
    resumed.load_state_dict(halted.state_dict())
    assert (resumed.epoch, resumed.position, resumed.steps) == (stop // 5, stop % 5, stop)
    assert pairs_equal(expected[stop:], list(itertools.islice(forever(resumed), 15 - stop)))
    assert pairs_equal(expected[stop:], list(itertools.islice(forever(halted), 15 - stop)))


class iter_anew:  # noqa: N801 - a loader that does not know how long it is
    def __iter__(self):
        for number in range(5):
            yield number, -number


def test_a_state_brings_its_seed_along():
    first, second = (Batches(*data(20), 4, rng=rng) for rng in (None, 1))
    second.load_state_dict(first.state_dict())
    assert pairs_equal(first, second)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Batches(*data(24), 4), "expected inputs=20, got inputs=24"),
        (Batches(*data(20), 5), "expected batch_size=4, got batch_size=5"),
        (Batches(*data(20), 4, shuffle=False), "expected shuffle=True, got shuffle=False"),
        (Batches(*data(20), 4, drop_last=True), "expected drop_last=False, got drop_last=True"),
        (Stream([]), "expected the keys"),
    ],
)
def test_the_state_of_other_batches_is_refused(other, words):
    batches = Batches(*data(20), 4, rng=0)
    next(iter(batches))
    before = batches.state_dict()
    with pytest.raises(ValueError, match=f"cannot load into Batches: .*{words}"):
        batches.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match="expected epoch to be an int, got 'one'"):
        batches.load_state_dict({**before, "position": 2, "epoch": "one"})
    assert batches.state_dict() == before


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (([1, 2], np.arange(2), 1), {}, TypeError, r"expected x to be an array of at least one axis, got \[1, 2\]"),
        ((np.arange(3), np.arange(2), 1), {}, ValueError, "expected a target for each of 3 inputs, got 2"),
        ((np.arange(3), np.arange(3), 0), {}, ValueError, "expected batch_size >= 1, got 0"),
        ((np.arange(3), np.arange(3), 4), {"drop_last": True}, ValueError, "at least one batch of 4, got 3 inputs"),
        ((np.zeros(0), np.zeros(0), 4), {}, ValueError, "at least one batch of 4, got 0 inputs"),
        ((np.arange(3), np.arange(3), 1), {"augment": "flip"}, TypeError, "expected augment to be a function"),
    ],
)
def test_batches_that_cannot_be_are_refused(arguments, options, error, words):
    with pytest.raises(error, match=f"Batches: .*{words}"):
        Batches(*arguments, **options)


def test_what_yields_nothing_is_refused():
    with pytest.raises(TypeError, match="Stream: expected an iterable of pairs, got int"):
        Stream(3)
    with pytest.raises(ValueError, match="expected more than 0 pairs in epoch 1, got 0; a generator serves one epoch"):
        train(small_model(), (pair for pair in Batches(*data(), 20)))
    stream = Stream([1, 2])
    stream.load_state_dict({"epoch": 0, "position": 2, "steps": 2})
    with pytest.raises(ValueError, match="expected more than 2 pairs in epoch 0, got 2"):
        next(iter(stream))
