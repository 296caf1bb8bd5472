"""Which algorithm runs, the one that rounds more, and threads: the same answers however they are come by."""

import itertools
import multiprocessing
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numpycnn as nc
from numpycnn.kernels import correlate, parallel, product, rows, tiles, unfold, winograd
from numpycnn.kernels.adaptive import AdaptiveWindow
from numpycnn.kernels.avg_pool import avg_pool, avg_pool_adjoint
from numpycnn.kernels.channels import add_to_channels, channel_sums
from numpycnn.kernels.layout import PAGE, channels_are_last, channels_last, laid_out
from numpycnn.kernels.max_pool import max_pool, max_pool_adjoint
from numpycnn.kernels.window import Window

seeds = st.integers(0, 99)
PADDED = Window((3, 3), padding=((1, 1), (1, 1)))


@st.composite
def tiled(draw):
    """Draw a window that Winograd's algorithm takes, and an image that it fits in."""
    kernel = draw(st.tuples(st.integers(2, 5), st.integers(2, 5)))
    padding = tuple(draw(st.tuples(st.integers(0, taps - 1), st.integers(0, taps - 1))) for taps in kernel)
    size = tuple(max(taps - sum(sides), draw(st.integers(1, 17))) for taps, sides in zip(kernel, padding, strict=True))
    return Window(kernel, padding=padding), size


@given(tiled(), st.integers(1, 3), st.sampled_from([(1, 3), (3, 3), (1, 40)]), st.sampled_from([1, 7, 64]), seeds)
def test_winograd_is_the_definition_but_for_rounding(drawn, groups, sides, most, seed):
    (window, size), (n, filters), rng = drawn, sides, np.random.default_rng(seed)
    x, weight = rng.normal(size=(n, 2 * groups, *size)), rng.normal(size=(filters * groups, 2, *window.kernel))
    dy = rng.normal(size=(n, filters * groups, *window.output_size(size)))
    assert winograd.accepts(window)
    with pytest.MonkeyPatch.context() as patch:
        for name, times in (("TILES", 1), ("BLOCK", 2), ("SOME", 1), ("TAPS", 1)):
            patch.setattr(winograd, name, times * most)
        patch.setattr(product, "UNPACKED", 20 * most)
        results = answers(winograd, x, weight, dy, window, groups)
    for got, expected in zip(results, answers(rows, x, weight, dy, window, groups), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * max(1, np.abs(expected).max()))


def answers(algorithm, x, weight, dy, window, groups):
    """Run all three correlations."""
    return (
        algorithm.correlate(x, weight, window, groups),
        algorithm.correlate_weight(x, dy, window, groups),
        algorithm.correlate_input(dy, weight, window, groups, x.shape[2:]),
    )


@pytest.mark.parametrize(
    "window",
    [
        Window((1, 3)),
        Window((3, 6)),
        Window((3, 3), stride=(1, 2)),
        Window((3, 3), dilation=(2, 1)),
        Window((3, 2), padding=((0, 0), (0, 2))),
    ],
)
def test_winograd_does_not_take_what_it_cannot_do(window):
    assert not winograd.accepts(window)


@pytest.mark.parametrize(
    ("outputs", "weight", "expected", "allowed"),
    [
        ((2, 64, 56, 56), (64, 64, 3, 3), rows, winograd),
        ((1, 512, 14, 14), (512, 512, 3, 3), unfold, unfold),
        ((8, 512, 14, 14), (512, 512, 3, 3), rows, winograd),
        ((1, 64, 224, 224), (64, 3, 3, 3), rows, rows),
        ((1, 16, 8, 8), (16, 6, 3, 3), rows, rows),
    ],
)
def test_the_algorithm_is_chosen_by_shape_and_winograd_only_if_allowed(outputs, weight, expected, allowed):
    assert correlate.algorithm(PADDED, outputs, weight, 1) is expected
    with nc.winograd():
        assert correlate.algorithm(PADDED, outputs, weight, 1) is allowed


def test_the_switch_is_off_by_default_and_this_threads_alone():
    elsewhere = []
    assert not nc.is_winograd_enabled()
    with nc.winograd(), nc.winograd():
        thread = threading.Thread(target=lambda: elsewhere.append(nc.is_winograd_enabled()))
        thread.start()
        thread.join()
        assert nc.winograd()(nc.is_winograd_enabled)()
    assert elsewhere == [False]
    assert not nc.is_winograd_enabled()


@pytest.mark.parametrize("algorithm", [rows, unfold, winograd])
def test_threads_do_all_of_the_work_once(algorithm, monkeypatch):
    for module in (tiles, unfold, winograd):
        monkeypatch.setattr(module, "SCRATCH", 2000)
    for name in ("CACHE", "LARGE"):
        monkeypatch.setattr(tiles, name, 2000)
    monkeypatch.setattr(winograd, "BLOCK", 64)
    monkeypatch.setattr(winograd, "TILES", 16)
    monkeypatch.setattr(winograd, "SOME", 2)
    tiles.plan.cache_clear()
    monkeypatch.setattr(unfold, "LEAST", 2)
    rng = np.random.default_rng(0)
    x, weight, dy = (rng.normal(size=shape) for shape in ((3, 8, 19, 23), (10, 4, 3, 3), (3, 10, 19, 23)))
    alone = answers(algorithm, x, weight, dy, PADDED, 2)
    for count in (2, 3, 5):
        nc.set_num_threads(count)
        for got, expected in zip(answers(algorithm, x, weight, dy, PADDED, 2), alone, strict=True):
            np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@given(st.tuples(*[st.integers(0, 9)] * 4), st.integers(1, 200), st.booleans(), seeds)
def test_matrices_multiplied_piece_by_piece_are_what_they_are_as_a_whole(shape, most, turned, seed):
    (stack, rows, inner, columns), rng = shape, np.random.default_rng(seed)
    left, right = rng.integers(-9, 9, (stack, rows, inner)), rng.integers(-9, 9, (1, inner, columns))
    y = np.full((stack, columns, rows) if turned else (stack, rows, columns), np.nan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product, "UNPACKED", most)
        product.multiply(left.astype(float), right.astype(float), y.swapaxes(1, 2) if turned else y)
    np.testing.assert_array_equal(y.swapaxes(1, 2) if turned else y, left @ right)


@given(st.integers(0, 40), st.integers(1, 9), st.integers(1, 7))
def test_pieces_are_dealt_out_in_order_none_twice(count, least, many):
    nc.set_num_threads(many)
    parts = parallel.split(lambda part: list(range(count))[part], count, least)
    assert [piece for part in parts for piece in part] == list(range(count))
    assert len(parts) <= many
    assert len(parts) == 1 or min(map(len, parts)) >= least


def test_what_fails_on_a_thread_is_raised_when_all_are_done():
    nc.set_num_threads(3)
    done = []

    def work(part):
        if part.start == 1:
            raise ValueError("expected better")
        done.append(part.start)

    with pytest.raises(ValueError, match="expected better"):
        parallel.split(work, 3)
    assert sorted(done) == [0, 2]


def test_overflow_is_as_quiet_on_threads_as_on_one():
    nc.set_num_threads(2)
    with np.errstate(over="ignore"):
        parallel.split(lambda part: np.float32(3e38) * np.float32(10), 2)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        parallel.split(lambda part: np.float32(3e38) * np.float32(10) if part.start else None, 2)


def forked(answer):
    answer.put(sum(parallel.split(lambda part: part.stop - part.start, 10)))


# newer Pythons warn of this very case
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_that_was_forked_has_threads_of_its_own():
    nc.set_num_threads(2)
    assert parallel.split(lambda part: part.start, 2) == [0, 1]
    context = multiprocessing.get_context("fork")
    answer = context.SimpleQueue()
    process = context.Process(target=forked, args=(answer,))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert answer.get() == 10


@pytest.mark.parametrize(("count", "error"), [(0, ValueError), (-1, ValueError), (1.0, TypeError), (True, TypeError)])
def test_a_number_of_threads_is_refused(count, error):
    with pytest.raises(error, match=r"expected .* got"):
        nc.set_num_threads(count)
    assert nc.get_num_threads() == 1


@pytest.mark.parametrize("lay", [laid_out, np.ascontiguousarray, channels_last])
@pytest.mark.parametrize(
    "window",
    [
        Window((2, 3), (2, 3)),
        Window((2, 2), (3, 2)),
        Window((3, 2), (2, 1), ((1, 1), (0, 1))),
        Window((3, 5), (2, 3), ((1, 1), (0, 2)), (2, 1)),
        AdaptiveWindow((5, 4)),
    ],
)
def test_poolings_piece_by_piece_and_on_threads_are_the_same(window, lay, monkeypatch):
    rng = np.random.default_rng(0)
    x = lay(rng.integers(-3, 4, (3, 5, 14, 13)).astype(float))
    x[0, 0, 3, 3:6] = np.nan

    def results():
        y, mean = max_pool(x, window), avg_pool(x, window, 4)
        dy = lay(np.random.default_rng(1).integers(-9, 9, y.shape).astype(float))
        return y, mean, max_pool_adjoint(dy, x, y, window), avg_pool_adjoint(dy, window, 4, x.shape[2:])

    whole = results()
    for wide, numbers in itertools.product((1, 96), (1, 300, 1500)):
        monkeypatch.setattr("numpycnn.kernels.planes.WIDE", wide)
        monkeypatch.setattr("numpycnn.kernels.walk.PIECE", numbers)
        for count in (1, 2, 7):
            nc.set_num_threads(count)
            for got, expected in zip(results(), whole, strict=True):
                np.testing.assert_array_equal(got, expected, strict=True)


@pytest.mark.parametrize("algorithm", [rows, unfold, winograd])
@pytest.mark.parametrize(("count", "size"), [(2, (24, 20)), (40, (24, 20)), (2, (120, 80))])
def test_the_scratch_is_bounded_whatever_batch_and_image(algorithm, count, size, monkeypatch):
    numbers = 1 << 12
    monkeypatch.setattr(tiles if algorithm is rows else algorithm, "SCRATCH", numbers)
    monkeypatch.setattr(tiles, "CACHE", numbers)
    monkeypatch.setattr(winograd, "BLOCK", numbers // winograd.TILE**2)
    monkeypatch.setattr(winograd, "TILES", 16)
    tiles.plan.cache_clear()
    rng = np.random.default_rng(0)
    lay = channels_last if algorithm is winograd else laid_out
    x, weight = lay(rng.normal(size=(count, 6, *size))), rng.normal(size=(5, 6, 3, 3))
    dy = lay(rng.normal(size=(count, 5, *size)))
    for correlation in (
        lambda: algorithm.correlate(x, weight, PADDED, 1),
        lambda: algorithm.correlate_weight(x, dy, PADDED, 1),
        lambda: algorithm.correlate_input(dy, weight, PADDED, 1, size),
    ):
        correlation()
        tracemalloc.start()
        result = correlation()
        peak = tracemalloc.get_traced_memory()[1] - result.nbytes
        tracemalloc.stop()
        assert peak < 8 * numbers * x.itemsize, "more than some copies of the scratch"
    tiles.plan.cache_clear()


@pytest.mark.parametrize("lay", [np.array, laid_out, channels_last, np.asfortranarray, lambda x: x[::-1]])
def test_numbers_meet_their_channels_on_threads_however_images_lie(lay, monkeypatch):
    monkeypatch.setattr("numpycnn.kernels.channels.LARGE", 1)
    monkeypatch.setattr("numpycnn.kernels.layout.FEW", 1)
    x = np.arange(6.0 * 4 * 7 * 5).reshape(6, 4, 7, 5)
    numbers = np.array([1.0, 20.0, 300.0, 4000.0])
    for count in (1, 2, 9):
        nc.set_num_threads(count)
        y = lay(x.copy())
        expected = y + numbers[:, None, None]
        add_to_channels(y, numbers)
        np.testing.assert_array_equal(y, expected, strict=True)
        np.testing.assert_array_equal(channel_sums(y), expected.sum((0, 2, 3)), strict=True)


def test_rows_are_laid_out_on_threads_as_by_one(monkeypatch):
    monkeypatch.setattr("numpycnn.kernels.layout.LARGE", 1)
    x = np.random.default_rng(0).normal(size=(3, 4, 7, 5))
    for count in (1, 2, 9):
        nc.set_num_threads(count)
        for images in (x, x[::-1, :, :, ::2], laid_out(x), x[:0]):
            for lay, order in ((laid_out, (2, 1, 3, 0)), (channels_last, (2, 0, 3, 1))):
                np.testing.assert_array_equal(lay(images), images, strict=True)
                assert lay(images).transpose(order).flags.c_contiguous


@pytest.mark.parametrize("operation", [nc.MaxPool2d, nc.AvgPool2d])
def test_what_pools_images_leaves_them_as_they_lie(operation):
    layer = operation(3, 2, 1)
    x = channels_last(np.random.default_rng(0).normal(size=(3, 4, 7, 6)))
    y = layer(x)
    assert channels_are_last(y)
    assert channels_are_last(layer.backward(np.ones_like(y)))


@pytest.mark.parametrize("numbers", [1, 700, 5000, 1 << 16])
@pytest.mark.parametrize(("large", "count"), [(1, 2), (1 << 19, 1)])
def test_images_that_crowd_the_cache_are_laid_out_all_the_same(numbers, large, count, monkeypatch):
    monkeypatch.setattr("numpycnn.kernels.layout.LARGE", large)
    monkeypatch.setattr("numpycnn.kernels.layout.SPACED", numbers)
    nc.set_num_threads(count)
    x = np.random.default_rng(0).normal(size=(17, 4, 16, 16))
    assert x.strides[0] % PAGE == 0
    for images in (x, x[::-1, 1:, ::2, 3:], np.broadcast_to(x[:1], x.shape)):
        np.testing.assert_array_equal(laid_out(images), images, strict=True)
        assert laid_out(images).transpose(2, 1, 3, 0).flags.c_contiguous
