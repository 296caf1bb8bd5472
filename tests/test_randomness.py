"""Randomness: by the keyword ``rng`` alone, and in distribution PyTorch's."""

import numpy as np
import pytest
import torch
from small_net import Net, draw
from torch import nn

import numpycnn as nc
from numpycnn.models import LeNet

# The keyword

RANDOM = [
    lambda rng: nc.Linear(20, 30, rng=rng),
    lambda rng: nc.Conv2d(2, 3, 5, rng=rng),
    lambda rng: LeNet(rng=rng),
    lambda rng: nc.models.LeNet5(rng=rng),
]


def weights(module):
    return np.concatenate([parameter.data.ravel() for parameter in module.parameters()])


@pytest.mark.parametrize("build", RANDOM, ids=["Linear", "Conv2d", "LeNet", "LeNet5"])
def test_rng_is_none_a_seed_or_a_generator(build):
    np.testing.assert_array_equal(weights(build(7)), weights(build(7)))
    np.testing.assert_array_equal(weights(build(7)), weights(build(np.random.default_rng(7))))
    assert (weights(build(7)) != weights(build(8))).any()
    assert (weights(build(None)) != weights(build(None))).any()
    generator = np.random.default_rng(7)
    first, second = build(generator), build(generator)
    np.testing.assert_array_equal(weights(first), weights(build(7)))
    assert (weights(first) != weights(second)).any(), "the generator that was passed on did not advance"


def test_no_two_layers_of_a_model_begin_alike():
    first, *others = [parameter.data.ravel()[:4].tolist() for parameter in LeNet(rng=0).parameters()]
    assert first not in others


def test_both_dtypes_begin_with_the_same_numbers():
    np.testing.assert_array_equal(weights(LeNet(rng=0)), weights(LeNet(rng=0, dtype=np.float64)).astype(np.float32))


def test_no_global_seed_is_read_or_moved():
    np.random.seed(0)  # noqa: NPY002 - the very thing that must not matter
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    Net()(draw(2, 2, 5, 4))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    first = weights(LeNet())
    np.random.seed(0)  # noqa: NPY002
    assert (first != weights(LeNet())).any()


def test_dropout_draws_a_new_mask_each_time_and_repeats_them_from_its_seed():
    first, second, x = nc.Dropout(rng=3), nc.Dropout(rng=3), np.ones(50)
    masks = [first(x), first(x)]
    assert (masks[0] != masks[1]).any()
    np.testing.assert_array_equal([second(x), second(x)], masks)


# The initial values are PyTorch's in distribution

INITIAL = {
    "Linear": (lambda make, **rng: make(50, 8192, **rng), 50),
    "Conv2d": (lambda make, **rng: make(6, 8192, (3, 5), **rng), 6 * 15),
    "ConvTranspose2d": (lambda make, **rng: make(2, 8192, (3, 5), **rng), 8192 * 15),
    "grouped Conv2d": (lambda make, **rng: make(8, 8192, (2, 3), groups=4, **rng), 2 * 6),
}


@pytest.mark.parametrize("name", ["weight", "bias"])
@pytest.mark.parametrize("kind", INITIAL)
def test_initial_values_are_distributed_as_torchs(kind, name):
    build, fan_in = INITIAL[kind]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = getattr(build(getattr(nn, kind.split()[-1])), name).detach().numpy()
    ours = getattr(build(getattr(nc, kind.split()[-1]), rng=0), name).data
    assert ours.shape == theirs.shape
    bound = np.float32(1 / np.sqrt(fan_in))
    for values in (ours, theirs):
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.998 * bound
        assert abs(values.mean()) < 0.03 * bound
        assert values.var() == pytest.approx(bound**2 / 3, rel=0.05)
    assert ours.var() == pytest.approx(theirs.var(), rel=0.05)
    assert largest_gap(ours.ravel(), theirs.ravel()) < 0.03


def largest_gap(a, b):
    """Return the largest difference of two empirical distributions (Kolmogorov and Smirnov's statistic)."""
    at = np.concatenate([a, b])
    shares = [np.searchsorted(np.sort(values), at, "right") / len(values) for values in (a, b)]
    return np.abs(shares[0] - shares[1]).max()
