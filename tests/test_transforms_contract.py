"""What transforms draw, what they keep to, and what they refuse."""

import math

import numpy as np
import pytest

import numpycnn as nc

# What is drawn


def test_draws_are_spread_as_promised():
    crops = nc.transforms.RandomCrop((4, 6), padding=(1, 2)).draw((30000, 3, 2, 5), rng=0)
    for name, places in (("top", 3), ("left", 2)):
        counts = np.bincount(crops[name], minlength=places)
        assert len(counts) == places
        np.testing.assert_allclose(counts, 30000 / places, rtol=0.05)
    assert abs(np.corrcoef(crops["top"], crops["left"])[0, 1]) < 0.03
    flips = nc.transforms.RandomHorizontalFlip(0.2).draw((30000, 3, 2, 5), rng=0)["flip"]
    np.testing.assert_allclose(flips.mean(), 0.2, rtol=0.05)
    alpha = nc.transforms.PCAColorShift(np.ones(3), np.eye(3)).draw((30000, 3, 2, 5), rng=0)["alpha"]
    np.testing.assert_allclose(np.cov(alpha.T), 0.01 * np.eye(3), atol=3e-4)
    np.testing.assert_allclose(alpha.mean(0), 0, atol=3e-3)


@pytest.mark.parametrize(
    ("arguments", "name", "low", "high"),
    [
        ({"degrees": 10}, "angle", -10, 10),
        ({"degrees": (20, 40)}, "angle", 20, 40),
        ({"degrees": 0, "translate": (0.5, 0.25)}, "translate", [-4, -1], [4, 1]),
        ({"degrees": 0, "scale": (0.5, 3)}, "scale", 0.5, 3),
        ({"degrees": 0, "shear": 5}, "shear", [-5, 0], [5, 0]),
        ({"degrees": 0, "shear": (1, 3)}, "shear", [1, 0], [3, 0]),
        ({"degrees": 0, "shear": (1, 3, -7, 5)}, "shear", [1, -7], [3, 5]),
    ],
)
def test_motions_fill_their_ranges(arguments, name, low, high):
    drawn = nc.transforms.RandomAffine(**arguments).draw((3000, 3, 4, 8), rng=0)
    rest = {"angle": 0, "translate": 0, "scale": 1, "shear": 0}
    assert {key for key, values in drawn.items() if (values != rest[key]).any()} == {name}
    for at, end in ((drawn[name].min(0), low), (drawn[name].max(0), high)):
        np.testing.assert_allclose(at, end, atol=0.01 * np.max(np.subtract(high, low)))
    assert (drawn["translate"] % 1 == 0).all()
    assert (drawn[name].min(0) >= low).all() and (drawn[name].max(0) <= high).all()
    np.testing.assert_allclose(drawn[name].mean(0), np.add(low, high) / 2, atol=0.03 * np.max(np.subtract(high, low)))


TRANSFORMS = [
    nc.transforms.Pad(2),
    nc.transforms.CenterCrop(3),
    nc.transforms.Normalize(1, 2),
    nc.transforms.RandomCrop(5, padding=2),
    nc.transforms.RandomHorizontalFlip(),
    nc.transforms.RandomAffine(20, (0.2, 0.2), interpolation="bilinear"),
    nc.transforms.PCAColorShift(np.ones(2), np.eye(2)),
]
each = pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda transform: type(transform).__name__)


@each
def test_a_seed_decides_everything_and_a_generator_goes_on(transform):
    images = np.random.default_rng(0).standard_normal((8, 2, 5, 5))
    first = transform(images, rng=3)
    np.testing.assert_array_equal(transform(images, rng=3), first)
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(transform(images, rng=rng), first)
    random = bool(transform.draw(images.shape))
    assert (transform(images, rng=rng) != first).any() == random
    assert (transform(images[:1].repeat(8, 0), rng=0).std(0) > 1e-12).any() == random  # each image has its own


def test_compose_draws_from_one_generator_in_turn():
    images = np.random.default_rng(0).standard_normal((8, 2, 5, 5)).astype(np.float32)
    rng = np.random.default_rng(1)
    expected = images
    for transform in TRANSFORMS:
        expected = transform(expected, rng=rng)
    np.testing.assert_array_equal(nc.transforms.Compose(TRANSFORMS)(images, rng=1), expected, strict=True)


def test_batches_are_augmented_by_a_transform_as_it_is():
    images = np.random.default_rng(0).standard_normal((8, 2, 5, 5))
    batches = nc.training.Batches(images, np.arange(8), 4, augment=nc.transforms.Compose(TRANSFORMS), rng=0)
    assert [x.shape for x, _ in batches] == [(4, 2, 5, 5)] * 2


@each
def test_nan_and_infinity_pass_without_a_word(transform):
    images = np.full((5, 5, 2, 3), [np.nan, np.inf, -np.inf], np.float32).T
    done = transform(images, rng=0)
    assert done.dtype == np.float32
    assert not np.isfinite(done[:, :, 2, 2]).any()


# What is refused


@pytest.mark.parametrize(
    ("call", "got"),
    [
        ("Pad(-1)", "-1"),
        ("Pad(1.5)", "1.5"),
        ("Pad((1, 2, 3))", "(1, 2, 3)"),
        ('Pad("1")', "'1'"),
        ('Pad(1, padding_mode="mirror")', "'mirror'"),
        ("Pad(1, fill=())", "()"),
        ('Pad(1, fill="red")', "'red'"),
        ("CenterCrop(0)", "0"),
        ("CenterCrop((1, 2, 3))", "(1, 2, 3)"),
        ("RandomCrop(0)", "0"),
        ("RandomCrop(5)(images)", "(2, 3, 4, 5)"),
        ('RandomCrop(4, padding=4, padding_mode="reflect")(images)', "(2, 3, 4, 5)"),
        ("RandomHorizontalFlip(2)", "2"),
        ("RandomHorizontalFlip()(images[0])", "(3, 4, 5)"),
        ("RandomHorizontalFlip()(images.tolist())", "list"),
        ('RandomHorizontalFlip()(images.astype("uint8"))', "uint8"),
        ('RandomHorizontalFlip().apply(images, {"flip": array([True])})', "1"),
        ("Normalize(0, 0)", "0"),
        ("Normalize((0, 0), 1)(images)", "(2, 3, 4, 5)"),
        ("Normalize(0, 1e-60)(images)", "1e-60"),
        ("RandomAffine(-5)", "-5"),
        ("RandomAffine((5, -5))", "(5, -5)"),
        ("RandomAffine((5,))", "(5,)"),
        ('RandomAffine("5")', "'5'"),
        ("RandomAffine(inf)", "inf"),
        ("RandomAffine(0, translate=0.5)", "0.5"),
        ("RandomAffine(0, translate=(0.5, 2))", "2"),
        ("RandomAffine(0, scale=(0, 1))", "0"),
        ("RandomAffine(0, scale=(2, 1))", "(2, 1)"),
        ("RandomAffine(0, shear=(1, 2, 3))", "(1, 2, 3)"),
        ('RandomAffine(0, interpolation="cubic")', "'cubic'"),
        ("RandomAffine(0, center=1)", "1"),
        ("RandomAffine(0, fill=(1, 2))(images)", "(2, 3, 4, 5)"),
        ("PCAColorShift([1, 2], [[1, 0]])", "(1, 2)"),
        ("PCAColorShift([1, 2], [[1, 0], [0, 1]], -1)", "-1"),
        ("PCAColorShift([1, 2], [[1, 0], [0, 1]])(images)", "(2, 3, 4, 5)"),
        ("PCAColorShift.fit(images[0])", "(3, 4, 5)"),
        ("PCAColorShift.fit(images[:0])", "(0, 3, 4, 5)"),
        ('PCAColorShift.fit(images.astype("uint8"))', "uint8"),
        ("Compose([])", "[]"),
        ("Compose(Pad(1))", "Pad(1)"),
        ("Compose([3])", "[3]"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(call, got):
    names = vars(nc.transforms) | {"images": np.ones((2, 3, 4, 5), np.float32), "array": np.array, "inf": math.inf}
    with pytest.raises((ValueError, TypeError)) as caught:
        eval(call, names)
    message = str(caught.value)
    assert "expected " in message and got in message.partition("got ")[2], message


def test_a_repr_is_the_call():
    for transform in [*TRANSFORMS[:-1], nc.transforms.Compose(TRANSFORMS[:2]), nc.transforms.Pad((1, 2), (0.5, 1))]:
        assert repr(eval(repr(transform), vars(nc.transforms))) == repr(transform)
    assert repr(nc.transforms.RandomCrop(28, padding=4)) == "RandomCrop((28, 28), padding=4)"
