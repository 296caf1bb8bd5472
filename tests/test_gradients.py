"""A second judge, which knows nothing of torch: gradients are slopes, measured on the forward pass by a ruler."""

import copy

import numpy as np
import pytest

import numpycnn as nc
from numpycnn import (
    ELU,
    GELU,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    Add,
    Affine,
    Auxiliary,
    AvgPool2d,
    BatchNorm2d,
    ChannelShuffle,
    Chunk,
    Concat,
    Conv2d,
    ConvTranspose2d,
    CrossEntropyLoss,
    Dropout,
    Dropout2d,
    Flatten,
    Graph,
    GroupNorm,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Identity,
    InstanceNorm2d,
    LayerNorm,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    LogSoftmax,
    MaxPool2d,
    Mean,
    MSELoss,
    Multiply,
    NLLLoss,
    Pad,
    Permute,
    PReLU,
    ReLU,
    ReLU6,
    Reshape,
    Scale,
    Select,
    Sequential,
    Sigmoid,
    SiLU,
    Slice,
    Softmax,
    Softplus,
    Squeeze,
    StochasticDepth,
    Tanh,
    Unflatten,
    Unsqueeze,
    Upsample,
)
from numpycnn.models import LeNet, LeNet5

# The ruler is the central difference of fourth order. It errs by step^4 / 30 of the fifth derivative
# and by the outputs' rounding over the step: with 1e-4 by 1e-12 or so, where a plain difference gets
# to 1e-10 at its best step of 1e-5. A thousand times that is allowed, for steep functions.
STEP, BOUND = 1e-4, 1e-9
# In a network a long step would cross the kinks of rectifiers and maxima; a short one rounds more.
SHORT_STEP, WIDE_BOUND = 1e-6, 1e-7

IMAGES = (2, 3, 5, 4)


class Cell(nc.Block):
    """Names apart from wiring, branches in branches."""

    def __init__(self, channels):
        self.norm = BatchNorm2d(2 * channels)
        self.conv1 = Conv2d(channels, channels, 3, padding=1)
        self.conv2 = Conv2d(channels, channels, 1)
        self.route(
            Concat(
                Add(Sequential(self.conv1, Tanh(), self.conv2), Identity()),
                Sequential(Sigmoid(), AvgPool2d(3, stride=1, padding=1)),
            ),
            self.norm,
            Tanh(),
        )


SHORT = Identity(), Identity()
TWICE = Sequential(Conv2d(3, 3, 1), Tanh())  # stands at two nodes of a graph

# Each layer with a shape of input that it takes; shapes are rectangular, so that no axis passes for another.
LAYERS = [
    (Conv2d(3, 2, 3), IMAGES),
    (Conv2d(3, 2, 3), (3, 5, 4)),
    (Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2)), IMAGES),
    (Conv2d(4, 6, (2, 3), groups=2, bias=False), (2, 4, 4, 5)),
    (Conv2d(3, 6, 2, groups=3, stride=2), (2, 3, 5, 5)),
    (Conv2d(3, 2, (2, 3), padding="same", dilation=2), IMAGES),
    (Conv2d(3, 2, 3, padding="valid"), IMAGES),
    (Conv2d(3, 2, 3, padding=(2, 1), padding_mode="reflect"), IMAGES),
    (Conv2d(3, 2, 3, padding=(3, 2), padding_mode="replicate", stride=2), IMAGES),
    (Conv2d(3, 2, 3, padding=(2, 3), padding_mode="circular", groups=1), IMAGES),
    (Conv2d(3, 2, (4, 3), padding="same", padding_mode="reflect"), IMAGES),
    (ConvTranspose2d(3, 2, 3), IMAGES),
    (ConvTranspose2d(3, 2, 2), (3, 3, 4)),
    (ConvTranspose2d(3, 4, (3, 2), (2, 3), (1, 0), (1, 2), bias=False), (2, 3, 2, 3)),
    (ConvTranspose2d(4, 2, (2, 3), 1, 1, (1, 0), groups=2, dilation=(3, 2)), (2, 4, 2, 3)),
    (Upsample((7, 9)), IMAGES),
    (Upsample(scale_factor=(0.5, 1.7)), IMAGES),
    (Upsample(scale_factor=1.7, mode="bilinear"), IMAGES),
    (Upsample((3, 9), mode="bilinear", align_corners=True), IMAGES),
    (MaxPool2d(2), IMAGES),
    (MaxPool2d(2), (3, 5, 4)),
    (MaxPool2d(3, stride=1, padding=1), IMAGES),
    (MaxPool2d((3, 2), stride=(1, 2), padding=(1, 0), ceil_mode=True), (2, 3, 5, 5)),
    (MaxPool2d(2, stride=1, dilation=(2, 1), return_indices=True), IMAGES),
    (MaxPool2d(2, stride=3), (1, 2, 5, 7)),
    (AvgPool2d(2), IMAGES),
    (AvgPool2d((2, 3), stride=1), (3, 5, 4)),
    (AvgPool2d(3, stride=2, padding=1), IMAGES),
    (AvgPool2d(3, stride=2, padding=1, count_include_pad=False), IMAGES),
    (AvgPool2d((1, 3), ceil_mode=True), (1, 2, 2, 4)),
    (AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), (2, 1, 4, 6)),
    (AvgPool2d(2, stride=1, divisor_override=3), IMAGES),
    (AdaptiveMaxPool2d(1), IMAGES),
    (AdaptiveMaxPool2d((3, 3)), (2, 2, 5, 7)),
    (AdaptiveMaxPool2d((None, 2), return_indices=True), (3, 5, 3)),
    (AdaptiveAvgPool2d(1), IMAGES),
    (AdaptiveAvgPool2d((3, 5)), (2, 2, 4, 7)),
    (AdaptiveAvgPool2d((7, None)), (2, 5, 3)),
    (Linear(4, 3), (5, 4)),
    (Linear(4, 3), (4,)),
    (Linear(4, 3, bias=False), (2, 3, 4)),
    (Flatten(), IMAGES),
    (Flatten(0, 1), IMAGES),
    (Flatten(start_dim=-2), IMAGES),
    (Unflatten(1, (2, -1)), (2, 6, 3)),
    (Reshape((3, -1)), (2, 6)),
    (Unsqueeze(-2), (2, 3)),
    (Squeeze(1), (2, 1, 3)),
    (Squeeze(-1), (2, 3)),
    (Pad((1, 2)), (2, 3)),
    (Pad((0, 1, -1, 2, 1, 0), -0.5), IMAGES),
    (Select(1, -1), IMAGES),
    (Slice(2, 1, -1, 2), (2, 2, 6, 3)),
    (Slice(1), IMAGES),
    (Chunk(2, 0, dim=1), IMAGES),
    (Chunk(2, 1), (5, 2)),
    (Mean((2, 3)), IMAGES),
    (Mean(-1, keepdim=True), IMAGES),
    (Affine(-0.5, 2.0), (3, 4)),
    (Identity(), (2, 3)),
    (Dropout(0.4, rng=0), (4, 5)),
    (Dropout(0.4, rng=0).eval(), (4, 5)),
    (Dropout2d(0.4, rng=0), IMAGES),
    (StochasticDepth(0.4, "row", rng=0), (5, 2)),
    (StochasticDepth(0.4, "batch", rng=0), (5, 2)),
    (Scale((3, 1, 1)), IMAGES),
    (Scale((1, 4)), (2, 3, 4)),
    (Scale(()), (2, 3)),
    (Permute((0, 2, 3, 1)), IMAGES),
    (Permute([-1, 0, -2]), (2, 3, 4)),
    (ChannelShuffle(2), (2, 6, 1, 2)),
    (BatchNorm2d(3), IMAGES),
    (BatchNorm2d(3).eval(), IMAGES),
    (BatchNorm2d(3, affine=False), IMAGES),
    (BatchNorm2d(3, affine=False).eval(), IMAGES),
    (BatchNorm2d(3, eps=0.1, momentum=None, track_running_stats=False), IMAGES),
    (BatchNorm2d(3, track_running_stats=False).eval(), IMAGES),
    (InstanceNorm2d(3), IMAGES),
    (InstanceNorm2d(3, affine=True), (3, 5, 4)),
    (InstanceNorm2d(3, affine=True, track_running_stats=True).eval(), IMAGES),
    (GroupNorm(2, 4), (2, 4, 2, 3)),
    (GroupNorm(2, 4), (2, 4)),
    (GroupNorm(1, 3, eps=0.1, affine=False), (2, 3, 4)),
    (LayerNorm(4), IMAGES),
    (LayerNorm((3, 5, 4)), IMAGES),
    (LayerNorm((5, 4), bias=False), IMAGES),
    (LayerNorm(4, eps=0.1, elementwise_affine=False), (4,)),
    (LocalResponseNorm(3, alpha=0.5), (2, 5, 2, 3)),
    (LocalResponseNorm(2, alpha=0.5, beta=0.5, k=2.0), (2, 5, 2, 3)),
    (LocalResponseNorm(4, alpha=0.5), (2, 3, 4)),
    (LocalResponseNorm(7, alpha=0.5), (2, 3, 2, 2)),
    (ReLU(), (3, 4)),
    (LeakyReLU(), (3, 4)),
    (LeakyReLU(-0.5), (2, 1, 3)),
    (PReLU(), (3, 4)),
    (PReLU(), ()),
    (PReLU(3), IMAGES),
    (Hardtanh(), (3, 7)),  # what is apart goes to 1.3 here
    (Hardtanh(-0.25, 2.0), (3, 7)),
    (ReLU6(), (10, 10)),  # to 6.2
    (Hardsigmoid(), (6, 10)),  # to 3.7
    (Hardswish(), (6, 10)),
    (ELU(), (3, 4)),
    (ELU(0.5), (2, 1, 3)),
    (Softplus(), (3, 4)),
    (Softplus(2.0, 1.0), (3, 7)),
    (Softplus(-1), ()),
    (SiLU(), (3, 4)),
    (GELU(), (5, 7)),
    (GELU("tanh"), (5, 7)),
    (Sigmoid(), (3, 4)),
    (Sigmoid(), ()),
    (Tanh(), (3, 4)),
    (Softmax(1), (3, 4)),
    (Softmax(-3), IMAGES),
    (Softmax(0), (4,)),
    (LogSoftmax(1), (3, 4)),
    (LogSoftmax(2), IMAGES),
    (Sequential(), (2, 3)),
    (Sequential(Conv2d(3, 2, 2), BatchNorm2d(2), Sigmoid(), AvgPool2d(2), Flatten(), Linear(4, 3)), IMAGES),
    (Add(Identity(), Conv2d(3, 3, 3, padding=1), Sequential(Conv2d(3, 3, 1), Tanh())), IMAGES),
    (Multiply(Identity(), Conv2d(3, 3, 1), Tanh()), (2, 3, 2, 3)),
    (Multiply(Identity(), Sequential(AdaptiveAvgPool2d(1), Conv2d(3, 3, 1), Sigmoid())), IMAGES),
    (Multiply(AdaptiveAvgPool2d((1, None)), AdaptiveAvgPool2d((None, 1))), IMAGES),
    (Concat(Conv2d(3, 2, 1), Identity(), Sequential(Tanh(), Conv2d(3, 4, 3, padding=1))), IMAGES),
    (Concat(Tanh(), AvgPool2d((1, 3), stride=1), dim=-1), IMAGES),
    (Add(Concat(Tanh(), Add(Sigmoid(), Identity()), dim=0), Concat(Identity(), Identity(), dim=0)), (2, 3)),
    (Graph(a=(Conv2d(3, 3, 1), "x"), b=(Tanh(), "a"), y=(Add(*SHORT), "x", "b")), IMAGES),
    (Graph(a=(TWICE, "x"), b=(Sigmoid(), "a"), c=(TWICE, "b"), y=(Concat(*SHORT, Tanh()), "a", "c", "b")), IMAGES),
    (Auxiliary(Conv2d(3, 2, 1), Sequential(Tanh(), Conv2d(3, 3, 2))), IMAGES),
    (Auxiliary(Auxiliary(Tanh(), Sigmoid()), Conv2d(3, 1, 3)), IMAGES),
    (Auxiliary(Tanh(), Sigmoid()).eval(), (2, 3)),
    (Cell(2), (2, 2, 3, 4)),
    (Sequential(Cell(1), Cell(2)), (2, 1, 3, 4)),
    (Sequential(Cell(1), Dropout(0.3, rng=1), Add(Cell(2), Concat(Identity(), Tanh()))), (2, 1, 3, 4)),
]

NETWORKS = [
    (LeNet(num_classes=3), (2, 1, 28, 28)),
    (LeNet5(num_classes=3), (2, 1, 32, 32)),
    (Sequential(Conv2d(3, 4, 3), BatchNorm2d(4), ReLU(), MaxPool2d(2, 1), Flatten(), Linear(8, 3)), (4, 3, 5, 4)),
    (Sequential(LeakyReLU(), Conv2d(3, 2, 3), LocalResponseNorm(2), AdaptiveMaxPool2d(2), Softmax(1)), IMAGES),
]

weights = np.array([0.5, 2.0, 0.25])

# Each loss with a shape of scores and a kind of target.
LOSSES = [
    (CrossEntropyLoss(), (4, 3), "classes"),
    (CrossEntropyLoss(), (3,), "classes"),
    (CrossEntropyLoss(), (2, 3, 2, 1), "classes"),
    (CrossEntropyLoss(reduction="sum"), (4, 3), "classes"),
    (CrossEntropyLoss(reduction="none"), (4, 3), "classes"),
    (CrossEntropyLoss(weights), (4, 3), "classes"),
    (CrossEntropyLoss(weights, reduction="none", label_smoothing=0.2), (2, 3, 4), "classes"),
    (CrossEntropyLoss(label_smoothing=0.3), (4, 3), "classes"),
    (CrossEntropyLoss(label_smoothing=1.0), (4, 3), "classes"),
    (CrossEntropyLoss(ignore_index=1), (6, 3), "classes"),
    (CrossEntropyLoss(weights, ignore_index=0, label_smoothing=0.1), (6, 3), "classes"),
    (CrossEntropyLoss(), (4, 3), "probabilities"),
    (CrossEntropyLoss(), (3,), "probabilities"),
    (CrossEntropyLoss(weights, label_smoothing=0.1), (4, 3), "probabilities"),
    (CrossEntropyLoss(weights, reduction="none"), (2, 3, 2, 2), "probabilities"),
    (CrossEntropyLoss(reduction="sum"), (2, 3, 4), "probabilities"),
    (NLLLoss(), (4, 3), "classes"),
    (NLLLoss(), (3,), "classes"),
    (NLLLoss(weights), (4, 3), "classes"),
    (NLLLoss(weights, ignore_index=2), (6, 3), "classes"),
    (NLLLoss(reduction="none"), (2, 3, 2, 1), "classes"),
    (NLLLoss(reduction="sum"), (4, 3), "classes"),
    (MSELoss(), (2, 3), "numbers"),
    (MSELoss(reduction="sum"), (2, 3), "numbers"),
    (MSELoss(reduction="none"), (2, 3, 4), "numbers"),
    (MSELoss(), (), "numbers"),
]


def name(case):
    """Name a case by its module, on one line, its mode, and its shape."""
    module, *rest = case
    mode = "" if module.training else ".eval()"
    return f"{' '.join(repr(module).split())}{mode} {' '.join(map(str, rest))}"


def apart(rng, *shape):
    """Draw numbers of which no two, and none and zero, are nearer than any step goes: kinks are not crossed."""
    size = int(np.prod(shape))
    return np.asarray((rng.permutation(size) - size // 2 + 0.5).reshape(shape) / 8)


def drawn(module, rng):
    """Convert a module to float64 and fill it with numbers of order 1; variances are positive."""
    module = copy.deepcopy(module).to(np.float64)
    state = module.state_dict()
    for key, value in state.items():
        if value.dtype.kind == "f" and not isinstance(module, nc.Loss):
            values = rng.standard_normal(value.shape) / np.sqrt(np.prod(value.shape[1:]))
            state[key] = np.abs(values) + 0.5 if key.endswith("running_var") else values
    module.load_state_dict(state)
    return module


def slope(forward, array, direction, dy, step):
    """Measure how fast ``sum(dy * forward())`` grows as an array moves in a direction."""
    start = array.copy()

    def at(steps):
        array[...] = start + steps * step * direction
        return np.array(forward())  # a copy, of what may be a view of the array

    difference = 8 * (at(1) - at(-1)) - (at(2) - at(-2))  # before the sum over y, which would round
    array[...] = start
    return np.sum(dy * difference) / (12 * step)


def directions(shape, rng):
    """Each entry alone while they are few, else eight directions across all of them."""
    size = int(np.prod(shape))
    if size <= 150:
        return np.eye(size).reshape(size, *shape)
    return rng.standard_normal((8, *shape)) / np.sqrt(size)


def assert_slopes(what, gradient, forward, array, dy, rng, step, bound):
    """Hold a gradient against the ruler, in units of the steepest slope."""
    assert gradient.shape == array.shape
    ways = directions(array.shape, rng)
    expected = np.array([slope(forward, array, way, dy, step) for way in ways])
    got = np.array([np.sum(gradient * way) for way in ways])
    error = np.abs(got - expected).max() / max(1, np.abs(expected).max())
    assert error < bound, f"{what}: {error:.1e} off\nexpected {expected}\ngot      {got}"


def outputs(module, x, *target):
    """Run a module; list what it gives, but for indices."""
    y = module(x, *target)
    return [each for each in (y if isinstance(y, tuple) else (y,)) if np.asarray(each).dtype.kind == "f"]


def side_by_side(arrays):
    """Make one vector of all numbers."""
    return np.concatenate([np.ravel(array) for array in arrays])


def check(module, x, rng, *target, step=STEP, bound=BOUND):
    """Hold every gradient of a layer or a loss against the ruler, for a random upstream gradient."""

    @nc.no_grad()
    def forward():
        # of a copy: dropout drops the same again, and nothing is counted twice
        return side_by_side(outputs(copy.deepcopy(module), x, *target))

    copied = copy.deepcopy(module)
    dys = [rng.standard_normal(np.shape(y)) for y in outputs(copied, x, *target)]
    dy = side_by_side(dys)
    dx = copied.backward(tuple(dys) if len(dys) > 1 else dys[0])
    assert_slopes("dx", dx, forward, x, dy, rng, step, bound)
    gradients = {key: parameter.grad for key, parameter in copied.named_parameters()}
    for key, parameter in module.named_parameters():
        assert_slopes(key, gradients[key], forward, parameter.data, dy, rng, step, bound)


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=map(name, LAYERS))
def test_the_gradients_of_a_layer_are_its_slopes(layer, shape):
    rng = np.random.default_rng(0)
    check(drawn(layer, rng), apart(rng, *shape), rng)


@pytest.mark.parametrize(("network", "shape"), NETWORKS, ids=map(name, NETWORKS))
def test_the_gradients_of_a_network_are_its_slopes(network, shape):
    rng = np.random.default_rng(0)
    check(drawn(network, rng), rng.standard_normal(shape), rng, step=SHORT_STEP, bound=WIDE_BOUND)


@pytest.mark.parametrize(("loss", "shape", "kind"), LOSSES, ids=map(name, LOSSES))
def test_the_gradients_of_a_loss_are_its_slopes(loss, shape, kind):
    rng = np.random.default_rng(0)
    axis = 0 if len(shape) == 1 else 1
    target = {
        "classes": lambda: rng.permutation(np.arange(np.prod(shape) // 3) % 3).reshape(
            shape[:axis] + shape[axis + 1 :]
        ),
        "probabilities": lambda: (p := rng.random(shape)) / p.sum(axis, keepdims=True),
        "numbers": lambda: rng.standard_normal(shape),
    }[kind]()
    check(drawn(loss, rng), rng.standard_normal(shape), rng, target)


def test_no_layer_and_no_loss_is_left_out():
    public = {value for value in vars(nc).values() if isinstance(value, type) and issubclass(value, nc.Module)}
    measured = {nc.Block if isinstance(module, nc.Block) else type(module) for module, *_ in LAYERS + LOSSES}
    assert public - measured == {nc.Module, nc.Layer, nc.Loss}


def test_the_ruler_can_say_no():
    class AlmostTanh(Tanh):
        def backward(self, dy):
            return super().backward(dy) * (1 + error)

    rng = np.random.default_rng(0)
    error = 0
    check(AlmostTanh(), rng.standard_normal((3, 4)), rng)
    error = 1e-8
    with pytest.raises(AssertionError, match=r"dx: 1\.0e-08 off"):
        check(AlmostTanh(), rng.standard_normal((3, 4)), rng)
