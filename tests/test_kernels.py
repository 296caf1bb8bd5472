"""Kernels against their definitions, written out as plain loops; adjoints against what an adjoint is."""

import math
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numpycnn as nc
from numpycnn.kernels import correlate, layout, product, rows, tiles, unfold
from numpycnn.kernels.adaptive import AdaptiveWindow, adaptive_window
from numpycnn.kernels.avg_pool import avg_pool, avg_pool_adjoint
from numpycnn.kernels.erf import FAR, NEAR, erf
from numpycnn.kernels.layout import BLOCK, as_rows
from numpycnn.kernels.max_pool import max_pool, max_pool_adjoint, max_positions
from numpycnn.kernels.pad import MODES, pad, pad_adjoint
from numpycnn.kernels.rectify import relu, relu_adjoint
from numpycnn.kernels.resample import linear_taps, nearest_taps, resample, resample_adjoint
from numpycnn.kernels.window import Window


@st.composite
def windows(draw, dilated=True):
    """Draw a window and the size of an image that it fits, the padding different on all four sides."""
    axis = st.tuples(
        st.integers(1, 4),  # kernel
        st.integers(1, 4),  # stride
        st.tuples(st.integers(0, 3), st.integers(0, 3)),  # padding
        st.integers(1, 3) if dilated else st.just(1),  # dilation
        st.integers(0, 8),  # room
    )
    (kh, sh, ph, dh, rh), (kw, sw, pw, dw, rw) = draw(axis), draw(axis)
    ceil_mode = draw(st.booleans())
    if ceil_mode:  # which only poolings have, whose padding is at most half a window
        ph, pw = (tuple(min(p, k // 2) for p in sides) for k, sides in ((kh, ph), (kw, pw)))
    size = tuple(max(1, (k - 1) * d + 1 - sum(p) + room) for k, p, d, room in ((kh, ph, dh, rh), (kw, pw, dw, rw)))
    return Window((kh, kw), (sh, sw), (ph, pw), (dh, dw), ceil_mode), size


def integers(seed, *shape):
    """Draw small whole numbers: sums are exact, ties and zeros are there."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(float)


def output_side(size, kernel, stride, padding, dilation, ceil_mode):
    """Count the positions of a window one by one."""
    before, after = padding
    span = (kernel - 1) * dilation + 1
    count = 0
    while True:
        start = count * stride - before
        if ceil_mode:  # it may stick out, but neither start behind the image nor follow one that stuck out or touched
            there = start < size and start + span - stride < size + after
        else:
            there = start + span <= size + after
        if not there:
            return count
        count += 1


def seen(window, size):
    """List who sees whom: ((i, j), (a, b), (h, w)) for all taps inside the image."""
    oh, ow = window.output_size(size)
    for i in range(oh):
        for j in range(ow):
            for a in range(window.kernel[0]):
                for b in range(window.kernel[1]):
                    h = i * window.stride[0] + a * window.dilation[0] - window.padding[0][0]
                    w = j * window.stride[1] + b * window.dilation[1] - window.padding[1][0]
                    if 0 <= h < size[0] and 0 <= w < size[1]:
                        yield (i, j), (a, b), (h, w)


@given(windows())
def test_output_size_counts_positions(drawn):
    window, size = drawn
    expected = tuple(
        output_side(*axis, window.ceil_mode)
        for axis in zip(size, window.kernel, window.stride, window.padding, window.dilation, strict=True)
    )
    assert window.output_size(size) == expected


@given(windows(), st.integers(0, 99))
def test_gather_is_its_definition_and_scatter_its_adjoint(drawn, seed):
    window, size = drawn
    x = integers(seed, 2, 3, *size)
    gathered = window.gather(x)
    expected = np.zeros_like(gathered)
    for (i, j), (a, b), (h, w) in seen(window, size):
        expected[:, :, a, b, i, j] = x[:, :, h, w]
    np.testing.assert_array_equal(gathered, expected)
    other = integers(seed + 1, *gathered.shape)
    assert (gathered * other).sum() == (x * window.scatter(other, size)).sum()


@given(windows(), st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.integers(0, 99))
def test_correlation_and_its_adjoints_are_their_definitions(drawn, groups, channels, filters, seed):
    window, size = drawn
    x = integers(seed, 2, groups * channels, *size)
    weight = integers(seed + 1, groups * filters, channels, *window.kernel)
    dy = integers(seed + 2, 2, groups * filters, *window.output_size(size))
    y, dweight, dx = np.zeros_like(dy), np.zeros_like(weight), np.zeros_like(x)
    for o in range(groups * filters):
        for c in range(channels):
            at = o // filters * channels + c
            for (i, j), (a, b), (h, w) in seen(window, size):
                y[:, o, i, j] += weight[o, c, a, b] * x[:, at, h, w]
                dweight[o, c, a, b] += (dy[:, o, i, j] * x[:, at, h, w]).sum()
                dx[:, at, h, w] += weight[o, c, a, b] * dy[:, o, i, j]
    for algorithm in accepting(window):
        np.testing.assert_array_equal(algorithm.correlate(x, weight, window, groups), y)
        np.testing.assert_array_equal(algorithm.correlate_weight(x, dy, window, groups), dweight)
        np.testing.assert_array_equal(algorithm.correlate_input(dy, weight, window, groups, size), dx)
    chosen = correlate.algorithm(window, dy.shape, weight.shape, groups)
    assert chosen is algorithm, "not the fastest that takes the window"
    if algorithm is rows:
        assert lies_row_by_row(rows.correlate(x, weight, window, groups))
        assert lies_row_by_row(rows.correlate_input(dy, weight, window, groups, size))


def accepting(window):
    """List the algorithms that take a window, the fastest last: that by rows, if they follow one another."""
    return [unfold] if window.dilation[0] > 1 and window.kernel[0] > 1 else [unfold, rows]


def lies_row_by_row(images):
    """Tell whether images lie as the kernels want them, so that none has to copy what another has made."""
    return np.shares_memory(as_rows(images), images) or images.size == 0


@given(windows(), st.integers(0, 99))
def test_pooling_is_its_definition(drawn, seed):
    window, size = drawn
    if not window.sees_everywhere(size):
        window = Window(window.kernel)
        size = tuple(max(pair) for pair in zip(size, window.kernel, strict=True))
    check_pooling(window, size, list(seen(window, size)), seed)


@given(
    st.tuples(st.integers(1, 7), st.integers(1, 7)), st.tuples(st.integers(0, 7), st.integers(0, 7)), st.integers(0, 99)
)
def test_adaptive_pooling_is_its_definition(size, steps, seed):
    spans = [
        [range(math.floor(i * n / m), math.ceil((i + 1) * n / m)) for i in range(m)]
        for n, m in zip(size, steps, strict=True)
    ]
    pairs = [
        ((i, j), None, (h, w))
        for i, rows in enumerate(spans[0])
        for j, cols in enumerate(spans[1])
        for h in rows
        for w in cols
    ]
    check_pooling(AdaptiveWindow(steps), size, pairs, seed)
    window = adaptive_window(size, steps)
    check_pooling(window, size, pairs, seed)
    no_rest = all(m and n % m == 0 for n, m in zip(size, steps, strict=True))
    assert isinstance(window, Window if no_rest else AdaptiveWindow)


def check_pooling(window, size, pairs, seed):
    """Hold both poolings and their adjoints against the list of who sees whom."""
    x = integers(seed, 2, 3, *size)
    steps = window.output_size(size)
    dy = integers(seed + 1, 2, 3, *steps)
    total, spread, dx = np.zeros_like(dy), np.zeros_like(x), np.zeros_like(x)
    best = np.full_like(dy, -np.inf)
    where = np.zeros(dy.shape, int)
    for (i, j), _, (h, w) in pairs:
        total[..., i, j] += x[..., h, w]
        spread[..., h, w] += dy[..., i, j] / 4
        for n, c in np.ndindex(2, 3):
            if x[n, c, h, w] > best[n, c, i, j]:
                best[n, c, i, j], where[n, c, i, j] = x[n, c, h, w], h * size[1] + w
    for n, c, i, j in np.ndindex(*dy.shape):
        dx[n, c, where[n, c, i, j] // size[1], where[n, c, i, j] % size[1]] += dy[n, c, i, j]
    y = max_pool(x, window)
    np.testing.assert_array_equal(y, best)
    np.testing.assert_array_equal(max_positions(x, y, window), where)
    np.testing.assert_array_equal(max_pool_adjoint(dy, x, y, window), dx)
    np.testing.assert_array_equal(avg_pool(x, window, 4), total / 4)
    np.testing.assert_array_equal(avg_pool_adjoint(dy, window, 4, size), spread)
    results = y, max_pool_adjoint(dy, x, y, window), avg_pool(x, window, 4), avg_pool_adjoint(dy, window, 4, size)
    assert all(result.flags.c_contiguous or lies_row_by_row(result) for result in results)


@given(st.sampled_from(sorted(MODES)), st.integers(1, 5), st.integers(1, 5), st.data(), st.integers(0, 99))
def test_padding_copies_and_folds_back(mode, height, width, data, seed):
    def sides(size):
        most = {"reflect": size - 1, "circular": size, "replicate": 6}[mode]
        return data.draw(st.tuples(st.integers(0, most), st.integers(0, most)))

    def source(i, size):
        """Where the border takes row i from."""
        if mode == "replicate":
            return min(max(i, 0), size - 1)
        if mode == "circular":
            return i % size
        return -i if i < 0 else 2 * (size - 1) - i if i >= size else i

    padding = sides(height), sides(width)
    x = integers(seed, 2, 3, height, width)
    padded = pad(x, padding, mode)
    expected = np.empty((2, 3, height + sum(padding[0]), width + sum(padding[1])))
    for i, j in np.ndindex(*expected.shape[2:]):
        expected[:, :, i, j] = x[:, :, source(i - padding[0][0], height), source(j - padding[1][0], width)]
    np.testing.assert_array_equal(padded, expected)
    dy = integers(seed + 1, *padded.shape)
    assert (padded * dy).sum() == (x * pad_adjoint(dy, padding, mode)).sum()


@contextmanager
def scratch_of(algorithm, numbers):
    """Let an algorithm cut its work as if it had so little scratch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles if algorithm is rows else algorithm, "SCRATCH", numbers)
        patch.setattr(tiles, "CACHE", numbers)
        patch.setattr(tiles, "LONGEST", max(1, numbers // 40))
        patch.setattr(tiles, "SHORTEST", 1 + numbers % 50)  # of more multiplications, the scratch says how long
        for module in (tiles, product):
            patch.setattr(module, "UNPACKED", 900)
        patch.setattr(tiles, "LARGE", numbers)
        tiles.plan.cache_clear()
        yield
    tiles.plan.cache_clear()


@given(windows(), st.integers(1, 3), st.integers(1, 400), st.integers(0, 99))
def test_what_does_not_fit_the_scratch_is_cut_into_pieces(drawn, groups, scratch, seed):
    window, size = drawn
    x, weight = integers(seed, 3, 2 * groups, *size), integers(seed + 1, groups, 2, *window.kernel)
    dy = integers(seed + 2, 3, groups, *window.output_size(size))
    for algorithm in accepting(window):
        results = []
        for numbers in (scratch, 1 << 20):
            with scratch_of(algorithm, numbers):
                y = algorithm.correlate(x, weight, window, groups)
                dweight = algorithm.correlate_weight(x, dy, window, groups)
                results.append((y, dweight, algorithm.correlate_input(dy, weight, window, groups, size)))
        for pieces, whole in zip(*results, strict=True):
            np.testing.assert_array_equal(pieces, whole)


@given(windows(), st.integers(0, 9), st.integers(1, 400))
def test_pieces_hold_every_output_once_and_fit_the_scratch(drawn, count, scratch):
    window, size = drawn
    seen = np.zeros((count, 1, *window.output_size(size)), int)
    with scratch_of(unfold, scratch):
        for outputs, inputs, part in unfold._pieces((count, 3, *size), window):
            seen[outputs] += 1
            columns = part.gather(np.zeros((count, 3, *size))[inputs])
            assert columns.shape[-2:] == seen[outputs].shape[-2:]
            (images, _, rows), (height, width) = outputs, seen.shape[2:]
            row = 3 * window.kernel[0] * window.kernel[1] * width
            one_row = columns.shape[0] == columns.shape[-2] == 1
            assert one_row or columns.size <= scratch
            if rows.stop < height:
                assert columns.size + row > scratch, "another row would fit"
            elif rows.start == 0 and images.stop < count:
                assert columns.size + height * row > scratch, "another image would fit"
    assert (seen == 1).all()


@given(windows(), st.integers(1, 9), st.integers(0, 99))
def test_strips_see_what_the_whole_window_sees(drawn, count, seed):
    window, size = drawn
    x = integers(seed, 2, 3, *size)
    strips = [part.gather(x[:, :, inputs]) for _, inputs, part in window.strips(size, count)]
    np.testing.assert_array_equal(np.concatenate(strips, axis=-2), window.gather(x), strict=True)


image_sides = st.tuples(st.integers(0, 20), st.integers(0, 20))


@given(
    image_sides,
    st.integers(0, 30),
    st.integers(1, 9),
    st.integers(1, 400),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.booleans(),
)
def test_tiles_hold_every_output_once_in_pieces_that_fit_the_scratch(
    size, n, lines, matrix, taps, stride, threads, by_strips
):
    for scratch in (1, 37, 600, 1 << 20):
        with scratch_of(rows, scratch):
            seen = np.zeros((*size, n), int)
            strips = tiles.plan(size, n, lines, matrix, taps, stride, threads, by_strips)
            for tile in tiles.each(strips):
                place = seen[tile.rows, tile.columns, tile.images]
                place += 1
                flat = np.zeros(seen.shape[1] * n, int)
                flat[tile.piece] = 1
                box = np.zeros(seen.shape[1:], int)
                box[tile.columns, tile.images] = 1
                np.testing.assert_array_equal(flat.reshape(box.shape), box)
                length, count = tile.piece.stop - tile.piece.start, tile.rows.stop - tile.rows.start
                assert length <= max(1, scratch // (lines * taps))
                assert count == 1 or ((count - 1) * stride + taps) * lines * length <= scratch
            assert (seen == 1).all()
            parts, most = (strips, size[0]) if by_strips else (tiles.each(strips), math.prod(size))
            assert len(parts) >= min(threads, most) or math.prod(size) * n * lines <= scratch


@pytest.mark.parametrize("window", [Window((200, 190), (200, 190)), AdaptiveWindow((1, 1))])
def test_the_average_of_a_large_window_rounds_little(window):
    x = np.random.default_rng(0).normal(size=(2, 3, 200, 190)).astype(np.float32)
    error = np.abs(avg_pool(x, window, 200 * 190) - x.mean((2, 3), np.float64)[..., None, None])
    assert error.max() < 8 * np.finfo(np.float32).eps


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 0, 3, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_rectifier_and_its_adjoint_lie_as_their_input(order, dtype):
    x = integers(0, 3, 40, 5, 70).astype(dtype).transpose(order)
    assert x.size > BLOCK
    y = relu(x)
    np.testing.assert_array_equal(y, np.maximum(x, 0), strict=True)
    dy = integers(1, *x.shape).astype(dtype)
    dx = relu_adjoint(dy, y)
    np.testing.assert_array_equal(dx, np.where(x > 0, dy, 0), strict=True)
    assert x.strides == y.strides == dx.strides


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_error_function_is_right_to_two_ulps(dtype):
    sizes = np.concatenate([np.linspace(0, 7, 5000), 10.0 ** np.arange(-300, 300, 5), [NEAR, FAR, np.inf]])
    with np.errstate(all="ignore"):  # of what is too large or too small for float32
        sizes = np.unique(sizes.astype(dtype))
    x = np.concatenate([sizes, -sizes, np.nextafter(sizes, dtype(1))])
    expected = np.array([math.erf(number) for number in x])
    error = np.abs(erf(x) - expected) / np.spacing(np.abs(expected).astype(dtype))
    assert erf(x).dtype == dtype
    assert error.max() <= 2
    np.testing.assert_array_equal(erf(x), -erf(-x))
    np.testing.assert_array_equal(erf(np.array([np.nan, np.inf, -np.inf], dtype)), np.array([np.nan, 1, -1], dtype))


def test_the_error_function_keeps_shape_and_order_whatever_the_layout():
    x = np.random.default_rng(0).normal(size=(40, 50, 41))  # more numbers than one block
    expected = erf(x.reshape(-1)).reshape(x.shape)
    for way in (x, x.transpose(2, 0, 1), x[::-2, :, ::3]):
        y = erf(way)
        assert y.shape == way.shape
    np.testing.assert_array_equal(erf(x.transpose(2, 0, 1)), expected.transpose(2, 0, 1))
    np.testing.assert_array_equal(erf(x[::-2, :, ::3]), expected[::-2, :, ::3])
    assert erf(np.array(0.5)).shape == ()


sides = st.integers(1, 7)


@given(sides, sides, sides, sides, st.sampled_from(["nearest", "edges", "corners"]), st.integers(0, 99))
def test_resampling_is_its_definition_and_its_adjoint_an_adjoint(height, width, oh, ow, way, seed):
    def place(i, size, steps):
        """Say between which pixels output i lies."""
        if way == "nearest":
            return i * size // steps
        if way == "corners":
            return i * (size - 1) / (steps - 1) if steps > 1 else 0.0
        return min(max((i + 0.5) * size / steps - 0.5, 0.0), size - 1.0)

    def taps(size, steps):
        return nearest_taps(size, steps, None) if way == "nearest" else linear_taps(size, steps, None, way == "corners")

    x = integers(seed, 2, 3, height, width)
    expected = np.zeros((2, 3, oh, ow))
    for i, j, h, w in np.ndindex(oh, ow, height, width):
        shares = [max(0, 1 - abs(at - pixel)) for at, pixel in ((place(i, height, oh), h), (place(j, width, ow), w))]
        expected[..., i, j] += shares[0] * shares[1] * x[..., h, w]
    rows, columns = taps(height, oh), taps(width, ow)
    y = resample(x, rows, columns)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-14)
    dy = integers(seed + 1, *y.shape)
    dx = resample_adjoint(dy, rows, columns, (height, width))
    assert (y * dy).sum() == pytest.approx((x * dx).sum(), abs=1e-11)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5), st.randoms(use_true_random=False), st.booleans())
def test_merged_is_reshape_and_back_whatever_the_layout(shape, random, every_other):
    order = random.sample(range(len(shape)), len(shape))
    sides = [shape[axis] * (1 + every_other) for axis in order]
    x = np.random.default_rng(0).random(sides)[(slice(None, None, 1 + every_other),) * len(shape)]
    x = x.transpose(np.argsort(order))
    flat = (len(x), math.prod(shape[1:]))
    np.testing.assert_array_equal(layout.merged(x, flat), x.reshape(flat), strict=True)
    np.testing.assert_array_equal(layout.merged(layout.merged(x, flat), x.shape), x, strict=True)


def test_samples_stay_side_by_side_from_the_images_to_the_last_layer_and_back():
    images = layout.as_images(np.random.default_rng(0).random((2, 3, 5, 8)))
    vectors = layout.merged(images, (8, 30))
    layer = nc.Linear(30, 4, rng=0, dtype=float)
    scores = layer(vectors)
    back = layout.merged(layer.backward(scores), images.shape)
    assert vectors.T.flags.c_contiguous and scores.T.flags.c_contiguous and back.strides[0] == back.itemsize


def test_few_samples_become_columns_where_filters_are_columns():
    x, weight = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(4, 3)
    y = product.product(x, weight.T, "A")
    assert y.flags.f_contiguous and not y.flags.c_contiguous
    np.testing.assert_array_equal(y, x @ weight.T)


@pytest.mark.parametrize("lay", [np.ascontiguousarray, np.asfortranarray])
def test_the_gradient_of_a_weight_lies_as_the_weight_however_samples_lie(lay):
    layer = nc.Linear(30, 4, rng=0)
    layer(lay(np.ones((8, 30), np.float32)))
    layer.backward(lay(np.ones((8, 4), np.float32)))
    assert layer.weight.grad.flags.c_contiguous
