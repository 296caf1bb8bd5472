"""The numbers that any correct answer gives to the problems that this library exists to solve."""

import numpy as np
import pytest

import numpycnn as nc
from numpycnn import conv2d_num_parameters, output_size, receptive_field
from numpycnn.models import LeNet, LeNet5

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def assert_equal(got, expected):
    np.testing.assert_array_equal(got, expected, strict=isinstance(expected, np.ndarray))


# 1: a convolution; its options are held by the laws, here it is read off by eye


@dtypes
def test_1_a_filter_that_looks_for_edges_finds_them(dtype):
    image = np.array([[0, 0, 5, 5, 5]] * 3, dtype)[None, None]
    layer = nc.Conv2d(1, 1, (1, 2), bias=False, dtype=dtype)
    layer.load_state_dict({"weight": [[[[-1, 1]]]]})
    assert_equal(layer(image), np.array([[0, 5, 0, 0]] * 3, dtype)[None, None])


@dtypes
def test_1_stride_padding_groups_and_bias_by_hand(dtype):
    layer = nc.Conv2d(2, 2, (2, 1), stride=(1, 2), padding=(1, 0), groups=2, dtype=dtype)
    layer.load_state_dict({"weight": [[[[1], [10]]], [[[1], [-1]]]], "bias": [0, 100]})
    x = np.array([[[[1, 2, 3]], [[4, 5, 6]]]], dtype)
    y = layer(x)
    assert_equal(y, np.array([[[[10, 30], [1, 3]], [[96, 94], [104, 106]]]], dtype))
    dx = layer.backward(np.array([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]], dtype))
    assert_equal(dx, np.array([[[[13, 0, 24]], [[2, 0, 2]]]], dtype))
    assert_equal(layer.weight.grad, np.array([[[[3 + 12], [1 + 6]]], [[[28 + 48], [20 + 36]]]], dtype))
    assert_equal(layer.bias.grad, np.array([10, 26], dtype))


# 2: the layer on a small array


@dtypes
def test_2_the_layer_on_a_small_array(dtype):
    layer = nc.Conv2d(1, 2, 3, dtype=dtype)
    layer.load_state_dict(
        {
            "weight": [[[[0, 0, 0], [0, 1, 0], [0, -1, 0]]], [[[0, 0, 0], [0, -1, 1], [0, 0, 0]]]],
            "bias": [0, 0],
        }
    )
    x = np.arange(1, 17).reshape(1, 1, 4, 4).astype(dtype)
    assert_equal(layer(x), np.array([[[[-4, -4], [-4, -4]], [[1, 1], [1, 1]]]], dtype))

    dx = layer.backward(np.array([[[[-4, -4], [10, 11]], [[1, -7], [1, -11]]]], dtype))
    assert_equal(dx, np.array([[[[0, 0, 0, 0], [0, -5, 4, -7], [0, 13, 27, -11], [0, -10, -11, 0]]]], dtype))
    dweight = [
        [[[104, 117, 130], [156, 169, 182], [208, 221, 234]]],
        [[[-74, -90, -106], [-138, -154, -170], [-202, -218, -234]]],
    ]
    assert_equal(layer.weight.grad, np.array(dweight, dtype))
    assert_equal(layer.bias.grad, np.array([13, -16], dtype))


# 3: the output's size

SIZES = [
    ((4, 4), {"kernel_size": 3}, (2, 2)),
    ((6, 6), {"kernel_size": 3, "stride": 2, "padding": 1}, (3, 3)),
    ((28, 28), {"kernel_size": 5}, (24, 24)),
    ((227, 227), {"kernel_size": 11, "stride": 4}, (55, 55)),
    ((224, 224), {"kernel_size": 3, "padding": 1}, (224, 224)),
    ((7, 9), {"kernel_size": (3, 5), "stride": (2, 1), "padding": (0, 2)}, (3, 9)),
    ((10, 12), {"kernel_size": 3, "dilation": (2, 3)}, (6, 6)),
    ((3, 3), {"kernel_size": 3}, (1, 1)),
]


@pytest.mark.parametrize(("size", "window", "expected"), SIZES)
def test_3_output_size_is_told_and_kept(size, window, expected):
    assert output_size(size, **window) == expected
    assert nc.Conv2d(1, 1, **window)(np.zeros((1, 1, *size), np.float32)).shape == (1, 1, *expected)


@pytest.mark.parametrize(
    ("size", "window", "expected"),
    [
        ((5, 5), {"kernel_size": 2, "stride": 2}, (2, 2)),
        ((5, 5), {"kernel_size": 2, "stride": 2, "ceil_mode": True}, (3, 3)),
        ((2, 4), {"kernel_size": (1, 3), "stride": (1, 3), "ceil_mode": True}, (2, 2)),
        # a window that would begin in the padding behind the image does not count
        ((3, 3), {"kernel_size": 2, "stride": 2, "padding": 1, "ceil_mode": True}, (2, 2)),
    ],
)
@pytest.mark.parametrize("pool", [nc.MaxPool2d, nc.AvgPool2d], ids=["max", "average"])
def test_3_output_size_serves_poolings_too(pool, size, window, expected):
    assert output_size(size, **window) == expected
    assert pool(**window)(np.zeros((1, 1, *size))).shape == (1, 1, *expected)


def test_3_a_window_that_does_not_fit_is_an_error_that_says_so():
    message = r"a window that fits into \(3, 4\) with .*, got one of kernel_size=\(5, 5\) that spans \(5, 5\)"
    with pytest.raises(ValueError, match=message):
        output_size((3, 4), 5)
    with pytest.raises(ValueError, match=r"spans \(5, 5\)"):
        output_size(4, 3, dilation=2)
    assert output_size((3, 4), 5, padding=1) == (1, 2)


# 4 and 5: pooling


@dtypes
def test_4_max_pooling_by_hand(dtype):
    layer = nc.MaxPool2d(2)
    x = np.array([[1, 2, 8, 7], [3, 4, 5, 6], [9, 9, -1, -2], [9, 9, -3, -4]], dtype)[None, None]
    assert_equal(layer(x), np.array([[[[4, 8], [9, -1]]]], dtype))
    dx = layer.backward(np.array([[[[1, 2], [3, 4]]]], dtype))
    # of the four nines, the first
    assert_equal(dx, np.array([[[[0, 0, 2, 0], [0, 1, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]]], dtype))


def test_4_windows_that_overlap_send_everything_to_a_common_peak():
    layer = nc.MaxPool2d(2, stride=1, return_indices=True)
    y, indices = layer(np.array([[[[0.0, 1, 2], [3, 9, 4], [5, 6, 7]]]]))
    assert_equal(y, np.full((1, 1, 2, 2), 9.0))
    assert_equal(indices, np.full((1, 1, 2, 2), 4))
    dx = layer.backward(np.array([[[[1.0, 10], [100, 1000]]]]))
    assert_equal(dx, np.array([[[[0.0, 0, 0], [0, 1111, 0], [0, 0, 0]]]]))


@dtypes
def test_5_average_pooling_by_hand(dtype):
    layer = nc.AvgPool2d(2)
    x = np.array([[1, 3, 8, 8], [5, 7, 8, 8]], dtype)[None, None]
    assert_equal(layer(x), np.array([[[[4, 8]]]], dtype))
    dx = layer.backward(np.array([[[[4, 12]]]], dtype))
    assert_equal(dx, np.array([[[[1, 1, 3, 3], [1, 1, 3, 3]]]], dtype))


def test_5_padding_counts_or_not():
    x = np.full((1, 1, 2, 2), 4.0)
    assert_equal(nc.AvgPool2d(2, padding=1)(x), np.full((1, 1, 2, 2), 1.0))
    assert_equal(nc.AvgPool2d(2, padding=1, count_include_pad=False)(x), np.full((1, 1, 2, 2), 4.0))
    assert_equal(nc.AvgPool2d(2, divisor_override=1)(x), np.full((1, 1, 1, 1), 16.0))


# 6: smoothing


def test_6_smoothing_there_and_back():
    x = np.arange(24.0).reshape(2, 3, 2, 2)
    layer = nc.Flatten()
    y = layer(x)
    assert_equal(y, np.arange(24.0).reshape(2, 12))
    assert_equal(layer.backward(10 * y), 10 * x)


# 7: learning and estimation

BATCH = 3


def images(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def stations(model, x, act, pool):
    """Send images through a LeNet step by step; return their shape after each step that changes it, and the end."""
    shapes = []
    convolutions = model.conv1, act, pool, model.conv2, act, pool
    matrices = nc.Flatten(), model.fc1, act, model.fc2, act, model.fc3
    for step in convolutions + matrices:
        x = step(x)
        if step is not act:
            shapes.append(x.shape[1:])
    return shapes, x


def test_7_lenet_with_average_pooling_on_32x32():
    model, x = LeNet5(rng=0), images(BATCH, 1, 32, 32)
    shapes, y = stations(model, x, nc.Tanh(), nc.AvgPool2d(2))
    assert shapes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (400,), (120,), (84,), (10,)]
    assert_equal(model(x), y)
    assert model.num_parameters() == 156 + 2_416 + 48_120 + 10_164 + 850 == 61_706


def learn(model, optimizer, x, labels, steps):
    """Train on all samples at once; return the losses."""
    loss, losses = nc.CrossEntropyLoss(), []
    for _ in range(steps):
        optimizer.zero_grad()
        losses.append(float(loss(model(x), labels)))
        model.backward_parameters(loss.backward())
        optimizer.step()
    return losses


def predict(model, x):
    with nc.no_grad():
        return model.eval()(x).argmax(1)


def bars(side):
    """Draw every horizontal and every vertical bar: (2 side, 1, side, side), and which is which."""
    rows = np.eye(side, dtype=np.float32)[:, :, None] * np.ones((1, 1, side), np.float32)
    return np.concatenate([rows, rows.swapaxes(1, 2)])[:, None], np.arange(2 * side) // side


@pytest.mark.parametrize("seed", range(3))
def test_7_a_small_network_learns_to_tell_bars_apart(seed):
    x, labels = bars(8)
    rng = np.random.default_rng(seed)
    model = nc.Sequential(
        nc.Conv2d(1, 6, 3, padding=1, rng=rng), nc.ReLU(), nc.MaxPool2d(2), nc.Flatten(), nc.Linear(96, 2, rng=rng)
    )
    losses = learn(model, nc.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), x, labels, 60)
    assert losses[0] == pytest.approx(np.log(2), abs=0.2)
    assert losses[-1] < losses[0] / 20
    assert_equal(predict(model, x), labels)


def test_7_two_layers_learn_what_one_cannot():
    x, labels = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0])
    line = nc.Linear(2, 2, rng=0)
    learn(line, nc.optim.Adam(line.parameters(), lr=0.05), x, labels, 200)
    assert (predict(line, x) != labels).any()
    model = nc.Sequential(nc.Linear(2, 8, rng=0), nc.Tanh(), nc.Linear(8, 2, rng=1))
    learn(model, nc.optim.Adam(model.parameters(), lr=0.05), x, labels, 200)
    assert_equal(predict(model, x), labels)


def test_7_a_line_is_fitted_to_points():
    x = images(40, 3).astype(np.float64)
    target = x @ np.array([[2.0], [-1.0], [0.5]]) + 3
    model, loss = nc.Linear(3, 1, rng=0, dtype=np.float64), nc.MSELoss()
    optimizer = nc.optim.SGD(model.parameters(), lr=0.2)
    for _ in range(300):
        optimizer.zero_grad()
        loss(model(x), target)
        model.backward_parameters(loss.backward())
        optimizer.step()
    np.testing.assert_allclose(model.weight.data, [[2.0, -1.0, 0.5]], rtol=1e-9)
    np.testing.assert_allclose(model.bias.data, [3.0], rtol=1e-9)


# 8: LeNet on MNIST; the training itself is scripts/train_mnist.py


def test_8_lenet_on_28x28():
    model, x = LeNet(rng=0), images(BATCH, 1, 28, 28)
    shapes, y = stations(model, x, nc.ReLU(), nc.MaxPool2d(2))
    assert shapes == [(6, 24, 24), (6, 12, 12), (16, 8, 8), (16, 4, 4), (256,), (120,), (84,), (10,)]
    assert_equal(model(x), y)


def test_8_lenet_counts_its_parameters():
    model = LeNet()
    parts = [model.conv1, model.conv2, model.fc1, model.fc2, model.fc3]
    assert [part.num_parameters() for part in parts] == [156, 2_416, 30_840, 10_164, 850]
    assert model.num_parameters() == 44_426


def test_8_lenet_learns_ten_pictures_by_heart():
    x, labels = images(10, 1, 28, 28), np.random.default_rng(1).permutation(10)
    model = LeNet(rng=0)
    losses = learn(model, nc.optim.SGD(model.parameters(), lr=0.05, momentum=0.9), x, labels, 40)
    assert losses[0] == pytest.approx(np.log(10), abs=0.2)
    assert losses[-1] < 0.01
    assert_equal(predict(model, x), labels)


# 10: output size and parameters of layers

LAYERS = [
    # a row each: input, filters, stride; output and parameters
    ((144, 144, 3), 6, 1, (142, 142, 6), 168),
    ((60, 60, 24), 48, 1, (58, 58, 48), 10_416),
    ((20, 20, 10), 20, 2, (9, 9, 20), 1_820),
]


@pytest.mark.parametrize(("given", "filters", "stride", "expected", "parameters"), LAYERS)
def test_10_sizes_and_parameters_of_layers(given, filters, stride, expected, parameters):
    height, width, channels = given
    assert (*output_size((height, width), 3, stride), filters) == expected
    assert conv2d_num_parameters(channels, filters, 3) == parameters
    layer = nc.Conv2d(channels, filters, 3, stride)
    assert layer.num_parameters() == parameters
    assert layer(np.zeros((1, channels, height, width), np.float32)).shape == (1, *expected[2:], *expected[:2])
    (told,) = nc.summary(layer, (channels, height, width)).layers
    assert (told.output_shape, told.parameters) == ((1, *expected[2:], *expected[:2]), parameters)


def test_10_what_the_floor_leaves_over_is_not_covered():
    layer = nc.Conv2d(10, 20, 3, stride=2, rng=0)
    x = images(1, 10, 20, 20)
    y = layer(x)
    dx = layer.backward(np.ones_like(y))
    assert (dx[:, :, -1] == 0).all()
    assert (dx[:, :, :, -1] == 0).all()
    assert (dx[:, :, :-1, :-1] != 0).all()


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"groups": 2}, {"groups": 4, "bias": False}])
def test_10_parameters_are_counted_as_they_are_built(options):
    for kernel in (1, 3, (2, 5)):
        assert conv2d_num_parameters(4, 8, kernel, **options) == nc.Conv2d(4, 8, kernel, **options).num_parameters()


# 11: the size of filters


@pytest.mark.parametrize(("large", "layers", "stacked", "single"), [(5, 2, 18, 25), (7, 3, 27, 49)])
def test_11_small_filters_see_what_a_large_one_sees_with_fewer_weights(large, layers, stacked, single):
    assert receptive_field(*layers * [3]) == receptive_field(large)
    for channels in (1, 8, 64):
        convolutions = [nc.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(layers)]
        stack = nc.summary(nc.Sequential(*convolutions), (channels, 14, 14))
        alone = nc.summary(nc.Conv2d(channels, channels, large, padding=large // 2, bias=False), (channels, 14, 14))
        assert (stack.parameters, alone.parameters) == (stacked * channels**2, single * channels**2)
        assert (stack.multiply_adds, alone.multiply_adds) == (196 * stack.parameters, 196 * alone.parameters)
        assert stack.layers[-1].receptive_field == alone.layers[-1].receptive_field


def test_11_a_filter_of_one_pixel_mixes_channels_and_makes_the_next_one_cheap():
    told = nc.summary(nc.Conv2d(256, 64, 1, bias=False), (256, 28, 28))
    assert told.layers[0].output_shape == (1, 64, 28, 28)
    assert told.layers[0].receptive_field.size == (1, 1)
    assert (told.parameters, told.multiply_adds) == (256 * 64, 256 * 64 * 28**2)
    narrow = [nc.Conv2d(256, 64, 1, bias=False), nc.Conv2d(64, 64, 3, padding=1, bias=False)]
    narrow = nc.summary(nc.Sequential(*narrow, nc.Conv2d(64, 256, 1, bias=False)), (256, 28, 28))
    wide = nc.summary(nc.Conv2d(256, 256, 3, padding=1, bias=False), (256, 28, 28))
    assert (narrow.parameters, wide.parameters) == (69_632, 589_824)
    assert narrow.layers[-1].receptive_field == wide.layers[-1].receptive_field
    x = images(1, 256, 2, 3)
    filters = nc.Conv2d(256, 64, 1, bias=False, rng=0)
    each_pixel = np.einsum("oc,nchw->nohw", filters.weight.data[:, :, 0, 0], x)
    np.testing.assert_allclose(filters(x), each_pixel, rtol=1e-4, atol=1e-5)
