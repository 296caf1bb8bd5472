"""Formulas slab by slab: every number once, whatever the layout; in float64, one rounding."""

import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numpycnn as nc
from numpycnn.kernels import layout, slabs
from numpycnn.kernels.channels import channel_sums
from numpycnn.layers.standardize import moments


@st.composite
def arrays(draw):
    """Draw an array of float32 in any layout, with gaps, backwards, or of no numbers."""
    shape = draw(st.lists(st.integers(0, 5), max_size=4))
    order = draw(st.permutations(range(len(shape))))
    numbers = np.random.default_rng(draw(st.integers(0, 99))).standard_normal([2 * shape[axis] for axis in order])
    return numbers.astype(np.float32)[
        tuple(slice(None, None, draw(st.sampled_from([2, -2]))) for _ in order)
    ].transpose(np.argsort(order))


@given(arrays(), st.integers(1, 30))
def test_slabs_are_small_and_cover_everything_once(x, most):
    counts = np.zeros(x.shape, int)
    with mock.patch.object(slabs, "SLAB", most):
        for slab in slabs._slabs(x):
            counts[slab] += 1
            assert x[slab].size <= most
    assert (counts == 1).all()


@given(arrays(), st.integers(1, 30))
def test_formulas_are_rounded_once(x, most):
    other, wide = -x[..., ::-1] if x.ndim else -x, x.astype(float)
    with mock.patch.object(slabs, "SLAB", most):
        y = slabs.rounded_once(lambda a, b: (a / 3 + 1) * b, x, other)
        np.testing.assert_array_equal(y, ((wide / 3 + 1) * other).astype(np.float32), strict=True)
        y = slabs.evaluate(lambda a, b: (a / 3 + 1) * b, x, other.astype(float))
        np.testing.assert_array_equal(y, (x / 3 + 1) * other, strict=True)


@given(arrays(), st.integers(1, 30), st.sets(st.integers(0, 3)), st.sets(st.integers(0, 3)))
def test_repeated_arrays_and_sums_along_axes_are_numpys(x, most, repeated, along):
    side = np.random.default_rng(1).random([1 if axis in repeated else side for axis, side in enumerate(x.shape)])
    axes, wide = tuple(axis for axis in along if axis < x.ndim), x.astype(float)
    with mock.patch.object(slabs, "SLAB", most):
        y = slabs.rounded_once(lambda a, b, c: a * b + c, x, side, np.array(2.0))
        sums = slabs.total(lambda a, b, c: a * b + c, axes, wide, side, np.array(2.0))
    np.testing.assert_array_equal(y, (wide * side + 2).astype(np.float32), strict=True)
    expected = np.asarray((wide * side + 2).sum(axes, keepdims=True))
    np.testing.assert_allclose(sums, expected, rtol=1e-12, atol=1e-12, strict=True)


@pytest.mark.parametrize("axes", [(0, 2, 3), (2, 3), (1,), (3, 0)])
@pytest.mark.parametrize("layout", [np.asarray, np.asfortranarray], ids=["rows first", "columns first"])
def test_a_total_of_many_numbers_rounds_little(axes, layout):
    x = layout(np.random.default_rng(0).random((60, 50, 40, 30), np.float32) + 9)
    sums = slabs.total(lambda x: x, axes, x)
    expected = x.sum(axes, np.float64, keepdims=True)
    assert sums.shape == expected.shape
    assert sums.dtype == np.float64
    assert np.abs(sums / expected - 1).max() < 4 * np.finfo(np.float32).eps


def test_several_totals_at_once_are_the_same_one_by_one():
    x = np.random.default_rng(0).standard_normal((3, 40, 50, 60)).astype(np.float32)
    both = slabs.totals(lambda x, c: (x, x * c), (0, 2), x, np.array(3.0))
    for got, formula in zip(both, (lambda x: x, lambda x: x * np.float32(3)), strict=True):
        np.testing.assert_array_equal(got, slabs.total(formula, (0, 2), x), strict=True)


def test_what_the_mean_loses_in_float32_the_bias_takes_up():
    x = np.random.default_rng(0).standard_normal((8, 3, 20, 30)).astype(np.float32) + np.float32(3000)
    wide = x.astype(float)
    mean, var = wide.mean((0, 2, 3), keepdims=True), wide.var((0, 2, 3), keepdims=True)
    error = np.abs(nc.BatchNorm2d(3)(x) - (wide - mean) / np.sqrt(var + 1e-5)).max()
    assert error < 16 * np.finfo(np.float32).eps


@given(arrays(), st.sets(st.integers(0, 3)), st.sampled_from([1, 8, 1 << 12]), st.integers(1, 3))
def test_what_is_spread_meets_its_model_as_before(model, repeated, long, fewest):
    shape = [1 if axis in repeated else side for axis, side in enumerate(model.shape)]
    x = np.random.default_rng(0).random(shape)
    with mock.patch.multiple(layout, FEW=1, LONG=long, ROWS=fewest):
        row = layout.spread(x, model)
    np.testing.assert_array_equal(np.broadcast_to(row, model.shape), np.broadcast_to(x, model.shape), strict=True)
    assert row.size <= max(x.size, model.size // fewest)


def test_what_is_spread_makes_loops_long():
    images = layout.as_images(np.zeros((19, 5, 30, 8)))
    row = layout.spread(np.arange(5.0).reshape(1, 5, 1, 1), images)
    assert row.shape == (8, 5, 1, 30) and layout.as_rows(row).base is not None
    for alone in (np.ones(()), np.ones((8, 5, 19, 1)), np.ones((1, 1, 1, 1))):
        assert np.shares_memory(layout.spread(alone, images), alone)


@pytest.mark.parametrize("run", [1, 40, 2000])
@pytest.mark.parametrize("axes", [(0, 2, 3), (2, 3), (1,), (3, 0), ()])
@pytest.mark.parametrize("lay", [np.asarray, layout.laid_out, layout.channels_last])
def test_a_total_is_that_of_all_numbers_however_many_are_summed_in_float32(axes, run, lay):
    x = lay(np.random.default_rng(0).standard_normal((30, 8, 50, 40)).astype(np.float32))
    with mock.patch.multiple(slabs, RUN=run, FEW=run // 4), mock.patch.object(slabs, "SLAB", 100_000):
        sums, squares = slabs.totals(lambda x: [x, (x, x)], axes, x)
    wide = x.astype(float)
    np.testing.assert_allclose(sums, wide.sum(axes, keepdims=True), rtol=0, atol=1e-4, strict=True)
    np.testing.assert_allclose(squares, (wide**2).sum(axes, keepdims=True), rtol=1e-6, atol=0, strict=True)


@pytest.mark.parametrize("value", [100.1, 1e15])
def test_a_constant_channel_is_normalised_to_nothing(value):
    x = layout.as_images(np.full((128, 16, 64, 4), value, np.float32))
    mean, var = moments(x, (0, 2, 3))
    assert np.abs(mean / np.float64(np.float32(value)) - 1).max() < 4 * np.finfo(np.float32).eps
    assert (var < (1e-6 * value) ** 2).all()


def test_a_variance_is_right_where_the_mean_is_none_of_the_numbers_of_float32():
    x = (2.0**23 + np.random.default_rng(0).integers(0, 2, (4, 3, 30, 50))).astype(np.float32)
    mean, var = moments(x, (0, 2, 3))
    np.testing.assert_allclose(mean - 2**23, x.astype(float).mean((0, 2, 3), keepdims=True) - 2**23, rtol=1e-6)
    np.testing.assert_allclose(var, x.astype(float).var((0, 2, 3), keepdims=True), rtol=1e-6)


def test_the_mean_of_something_infinite_is_infinite():
    x = np.ones((2, 3, 4, 5), np.float32)
    x[0, 1, 2, 3] = np.inf
    with np.errstate(invalid="ignore"):
        mean, var = moments(x, (0, 2, 3))
    np.testing.assert_array_equal(mean.ravel(), [1, np.inf, 1])
    np.testing.assert_array_equal(var.ravel(), [0, np.nan, 0])


def test_what_norms_take_is_some_slabs_whatever_the_image():
    peaks = []
    for side in (64, 128):
        x = layout.as_images(np.random.default_rng(0).standard_normal((side, 64, 64, 4)).astype(np.float32))
        layer, dy = nc.BatchNorm2d(64), x.copy()
        tracemalloc.start()
        y = layer(x)
        dx = layer.backward(dy)
        peaks.append(tracemalloc.get_traced_memory()[1] - y.nbytes - dx.nbytes)
        tracemalloc.stop()
    assert max(peaks) < 1.2 * min(peaks)
    assert max(peaks) < 5 * slabs.SLAB * x.itemsize


def test_the_sum_of_a_channel_rounds_little():
    x = np.random.default_rng(0).random((1, 2, 50_000, 3), np.float32) + 9
    sums = channel_sums(x)
    assert sums.dtype == np.float32
    assert np.abs(sums / x.sum((0, 2, 3), np.float64) - 1).max() < 4 * np.finfo(np.float32).eps
