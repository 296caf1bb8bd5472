"""Transforms against torchvision's, given the same choices; the colour shift against its definition."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torchvision.transforms import v2

import numpycnn as nc
from numpycnn.transforms.pad import MODES

side = st.integers(1, 7)
few = st.integers(0, 3)
seeds = st.integers(0, 2**32 - 1)
paddings = few | st.tuples(few, few) | st.tuples(few, few, few, few)
sizes = side | st.tuples(side, side)
LAYOUTS = [(0, 1, 2, 3), (2, 1, 3, 0), (3, 2, 1, 0)]  # the order of the axes in memory


@st.composite
def batches(draw):
    """Draw images, N C H W, a few or none, rectangular, in some order in memory; nobody may write to them."""
    shape = np.array([draw(few), draw(st.integers(1, 4)), draw(side), draw(side)])
    layout = draw(st.sampled_from(LAYOUTS))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    numbers = np.random.default_rng(draw(seeds)).standard_normal(shape[list(layout)]).astype(dtype)
    images = numbers.transpose(np.argsort(layout))
    images.flags.writeable = False
    return images


def fills(channels):
    number = st.floats(-2, 2, width=32)
    return number | st.tuples(*[number] * channels)


def tensors(images):
    """Copy each image into a batch of one, as torchvision draws one choice for a batch."""
    return [torch.from_numpy(np.array(image[None])) for image in images]


def stack(tensors, like):
    """Stack batches of one; of none, there is only the dtype."""
    return torch.cat(tensors).numpy() if tensors else like


def same(ours, theirs):
    """Hold to theirs, bit for bit; the shape of an empty batch has no twin."""
    assert ours.dtype == theirs.dtype
    if len(theirs):
        np.testing.assert_array_equal(ours, theirs, strict=True)
    else:
        assert len(ours) == 0 and ours.ndim == 4


def both_or_neither(ours, theirs):
    """Call both; return what they return, or None if both refuse, ours in a sentence."""
    try:
        theirs = theirs()
    except (ValueError, TypeError, RuntimeError, IndexError):
        with pytest.raises((ValueError, TypeError), match=r"(?s)expected .* got"):
            ours()
        return None
    return ours(), theirs


# The same choice on both sides


@given(batches(), paddings, st.sampled_from(MODES), st.data())
def test_pad(images, padding, mode, data):
    fill = data.draw(fills(images.shape[1] + data.draw(st.sampled_from([0, 0, 0, 1]))))
    assume(len(images))  # torch pads no empty batch by reflection
    done = both_or_neither(
        lambda: nc.transforms.Pad(padding, fill, mode)(images),
        lambda: stack([v2.Pad(padding, fill, mode)(image) for image in tensors(images)], images),
    )
    if done:
        same(*done)


@given(batches(), sizes)
def test_center_crop(images, size):
    same(
        nc.transforms.CenterCrop(size)(images), stack([v2.CenterCrop(size)(image) for image in tensors(images)], images)
    )


@given(batches(), sizes, st.none() | paddings, st.booleans(), st.sampled_from(MODES), seeds)
def test_random_crop(images, size, padding, if_needed, mode, seed):
    assume(len(images))
    arguments = (size, padding, if_needed, 0.5, mode)
    transform, theirs = nc.transforms.RandomCrop(*arguments), v2.RandomCrop(*arguments)

    def crop():
        choice = transform.draw(images.shape, seed)
        assert all(choice[name].shape == (len(images),) for name in ("top", "left"))
        params = [
            theirs.make_params([image]) | {"top": int(top), "left": int(left), "needs_crop": True}
            for image, top, left in zip(tensors(images), choice["top"], choice["left"], strict=True)
        ]
        cut = map(theirs.transform, tensors(images), params)
        return stack(list(cut), images)

    def refuse():
        theirs.make_params(tensors(images)[:1])
        theirs(tensors(images)[0])

    if both_or_neither(lambda: transform(images, rng=seed), refuse):
        same(transform(images, rng=seed), crop())


@given(batches(), seeds)
def test_random_horizontal_flip(images, seed):
    transform = nc.transforms.RandomHorizontalFlip()
    flip = transform.draw(images.shape, seed)["flip"]
    theirs = [v2.RandomHorizontalFlip(float(p))(image) for image, p in zip(tensors(images), flip, strict=True)]
    same(transform(images, rng=seed), stack(theirs, images))


@given(batches(), st.data())
def test_normalize(images, data):
    one_or_each = st.sampled_from([1, images.shape[1]])
    mean = data.draw(one_or_each.flatmap(lambda count: st.lists(st.floats(-3, 3), min_size=count, max_size=count)))
    std = data.draw(one_or_each.flatmap(lambda count: st.lists(st.floats(0.01, 3), min_size=count, max_size=count)))
    theirs = stack([v2.Normalize(mean, std)(image) for image in tensors(images)], images)
    same(nc.transforms.Normalize(mean, std)(images), theirs)


def interval(low, high):
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(sorted)


whole = st.sampled_from([-180, -90, -45, 0, 30, 45, 90, 180])
ANGLES = interval(-200, 200) | whole.map(lambda angle: (angle, angle)) | st.floats(0, 360)
SHEARS = (
    st.none()
    | st.floats(0, 45)
    | interval(-45, 45)
    | st.tuples(interval(-45, 45), interval(-45, 45)).map(lambda both: [*both[0], *both[1]])
)


@st.composite
def motions(draw):
    """Draw arguments of RandomAffine, among them those that put points halfway between two pixels."""
    return {
        "degrees": draw(ANGLES),
        "translate": draw(st.none() | st.tuples(st.floats(0, 0.6), st.floats(0, 0.6))),
        "scale": draw(st.none() | st.just((2, 2)) | interval(0.5, 2)),
        "shear": draw(SHEARS),
        "center": draw(st.none() | st.tuples(st.floats(-3, 9), st.floats(-3, 9))),
    }


def their_affine(images, choice, shift=(0.0, 0.0), **arguments):
    """Apply each image's choice by torchvision."""
    theirs = v2.RandomAffine(**arguments)
    done = []
    for n, image in enumerate(tensors(images)):
        params = {name: values[n].tolist() for name, values in choice.items()}
        params["translate"] = [by + more for by, more in zip(params["translate"], shift, strict=True)]
        done.append(theirs.transform(image, params))
    return stack(done, images)


@given(batches(), motions(), st.data(), seeds)
def test_random_affine_bilinear(images, motion, data, seed):
    arguments = motion | {"interpolation": "bilinear", "fill": data.draw(fills(images.shape[1]))}
    transform = nc.transforms.RandomAffine(**arguments)
    ours = transform(images, rng=seed)
    theirs = their_affine(images, transform.draw(images.shape, seed), **arguments)
    assert ours.dtype == images.dtype and ours.shape == images.shape
    # A point moves by a few roundings of numbers up to 12 sides (scale 1/2, shears of 45 degrees), its value
    # by at most twice the largest number for each pixel that it moves.
    largest = max(np.abs(images).max(initial=0), np.abs(arguments["fill"]).max())
    tolerance = 8 * np.finfo(images.dtype).eps * 12 * (sum(images.shape[2:]) + 9) * 2 * largest
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


@given(batches(), motions(), st.data(), seeds)
def test_random_affine_nearest(images, motion, data, seed):
    arguments = motion | {"fill": data.draw(fills(images.shape[1]))}
    transform = nc.transforms.RandomAffine(**arguments)
    ours = transform(images, rng=seed)
    assert ours.dtype == images.dtype and ours.shape == images.shape
    # Halfway between two pixels rounding decides: any pixel that they show next to the point will do.
    near = 1e-9 if images.dtype == np.float64 else 1e-3
    shifts = [(0.0, 0.0)] + [(near * math.cos(turn), near * math.sin(turn)) for turn in np.arange(0.1, 6.3, 0.4)]
    choice = transform.draw(images.shape, seed)
    theirs = np.array([their_affine(images, choice, shift, **arguments) for shift in shifts])
    assert (ours == theirs).any(0).all()


def test_affine_at_rest_changes_nothing():
    images = np.random.default_rng(0).standard_normal((2, 3, 5, 4))
    for interpolation in ("nearest", "bilinear"):
        np.testing.assert_array_equal(nc.transforms.RandomAffine(0, interpolation=interpolation)(images), images)


def test_what_is_far_outside_sees_nothing_of_the_image():
    images = np.full((1, 1, 2, 3), np.inf)
    for interpolation in ("nearest", "bilinear"):
        far = nc.transforms.RandomAffine(0, interpolation=interpolation, fill=7)
        choice = far.draw(images.shape, 0) | {"translate": np.array([[4.0, 0.0]])}
        np.testing.assert_array_equal(far.apply(images, choice), np.full((1, 1, 2, 3), 7.0))


# The colour shift


def covariance(images):
    """Average the products of how far the channels are from their means, pixel by pixel."""
    pixels = [image[:, h, w] for image in images for h in range(images.shape[2]) for w in range(images.shape[3])]
    mean = sum(pixels) / len(pixels)
    return sum(np.outer(pixel - mean, pixel - mean) for pixel in pixels) / len(pixels)


@given(batches(), seeds)
def test_pca_color_shift_is_its_definition(images, seed):
    images = images.astype(np.float64)
    assume(len(images))
    transform = nc.transforms.PCAColorShift.fit(images)
    values, vectors = transform.eigenvalues, transform.eigenvectors
    np.testing.assert_allclose(covariance(images) @ vectors, values * vectors, atol=1e-12)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(images.shape[1]), atol=1e-12)
    alpha = transform.draw(images.shape, seed)["alpha"]
    expected = images.copy()
    for n, c in np.ndindex(images.shape[:2]):
        expected[n, c] += sum(vectors[c, i] * alpha[n, i] * values[i] for i in range(images.shape[1]))
    np.testing.assert_allclose(transform(images, rng=seed), expected, rtol=0, atol=1e-12)


def test_grey_images_stay_grey():
    grey = np.random.default_rng(0).standard_normal((4, 1, 5, 5)).repeat(3, 1)
    shifted = nc.transforms.PCAColorShift.fit(grey)(grey, rng=0)
    np.testing.assert_allclose(shifted, shifted[:, :1].repeat(3, 1), atol=1e-14)
    assert np.abs(shifted - grey).max() > 0.01
