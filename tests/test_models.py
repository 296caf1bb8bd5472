"""The famous networks at their full size: the same declarations as torchvision's, the same initial values."""

import inspect
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import settings

import numpycnn as nc
from parity import laws, registry, slim, twins
from parity.measure import draw_cases

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
import full_size

THOROUGH = settings.default.max_examples >= settings.get_profile("thorough").max_examples
"""Networks of gigabytes are run in the thorough profile alone; their parts are in the laws of both."""

FACTORIES = [name for name in nc.models.__all__ if inspect.isfunction(getattr(nc.models, name))]
every_factory = pytest.mark.parametrize("name", FACTORIES)


# Declarations

ARGUMENTS = (
    *("in_channels", "out_channels", "in_features", "out_features", "num_features", "output_size", "p"),
    *("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode", "ceil_mode", "count_include_pad"),
    *("eps", "momentum", "affine", "track_running_stats", "size", "alpha", "beta", "k"),
)


def arguments(module):
    """List what a layer was built with; one number for both axes is spelt out."""
    found = {name: getattr(module, name) for name in ARGUMENTS if hasattr(module, name)}
    sides = {"kernel_size", "stride", "padding", "dilation", "output_size"} & found.keys()
    return found | {name: found[name] if isinstance(found[name], tuple) else (found[name],) * 2 for name in sides}


@every_factory
def test_a_network_is_declared_as_torchvision_declares_it(name):
    ours = getattr(nc.models, name)(rng=slim.Zeros())
    with torch.device("meta"):
        theirs = twins.maker(name)()
    shapes = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    assert [(key, value.data.shape) for key, value in ours.named_arrays()] == list(shapes.items())
    assert f"{ours.num_parameters():,}" in type(ours).__doc__
    others = dict(theirs.named_modules())
    for path, module in ours.named_modules():
        twin = others.pop(path)
        assert type(module).__name__ == type(twin).__name__, path
        assert arguments(module) == {key: arguments(twin)[key] for key in arguments(module)}, path
    assert {type(twin) for twin in others.values()} <= {torch.nn.ReLU}


# Initial values

LIGHT = ["googlenet", "resnet18", "squeezenet1_1"]


@pytest.mark.parametrize("name", FACTORIES if THOROUGH else LIGHT)
def test_initial_values_are_distributed_as_torchvisions(name):
    ours = getattr(nc.models, name)(rng=0).state_dict()
    torch.manual_seed(0)
    theirs = {key: value.numpy() for key, value in twins.maker(name)().state_dict().items()}
    for key, value in ours.items():
        assert_same_distribution(key, value.ravel(), theirs[key].ravel())


def assert_same_distribution(what, ours, theirs):
    """Compare two samples by their distribution functions (Kolmogorov and Smirnov), once in 1e9 in vain."""
    count = min(ours.size, 100_000)
    ours, theirs = np.sort(ours[:: ours.size // count]), np.sort(theirs[:: theirs.size // count])
    if ours[0] == ours[-1]:
        assert (theirs == ours[0]).all(), what
        return
    below = [np.searchsorted(sample, theirs, "right") / sample.size for sample in (ours, theirs)]
    distance = np.abs(below[0] - below[1]).max()
    assert distance < 3.3 * np.sqrt(2 / ours.size), f"{what}: {distance}"


def test_distributions_are_told_apart():
    rng = np.random.default_rng(0)
    sample = rng.normal(0, 0.01, 100_000)
    assert_same_distribution("", sample, rng.normal(0, 0.01, 100_000))
    for other in (rng.normal(0, 0.011, 100_000), rng.uniform(-0.0173, 0.0173, 100_000), np.zeros(100_000)):
        with pytest.raises(AssertionError):
            assert_same_distribution("", sample, other)
        with pytest.raises(AssertionError):
            assert_same_distribution("", other, sample)


def test_residual_blocks_can_begin_as_their_short_cuts():
    for ours, theirs in (
        (nc.models.BasicBlock, torchvision.models.resnet.BasicBlock),
        (nc.models.Bottleneck, torchvision.models.resnet.Bottleneck),
    ):
        options = {"layers": (1, 1, 1, 1), "num_classes": 2, "zero_init_residual": True}
        state = torchvision.models.ResNet(theirs, **options).state_dict()
        zeros = {key for key, value in state.items() if key.endswith("weight") and not value.any()}
        own = nc.models.ResNet(ours, **options, rng=0).state_dict()
        assert {key for key, value in own.items() if key.endswith("weight") and not value.any()} == zeros != set()


def test_the_normalisation_of_a_resnet_can_be_another():
    norm = partial(nc.BatchNorm2d, eps=0.5)
    model = nc.models.ResNet(nc.models.BasicBlock, (1, 1, 1, 1), norm_layer=norm, dtype=np.float64, rng=slim.Zeros())
    norms = [layer for layer in model.modules() if isinstance(layer, nc.BatchNorm2d)]
    assert [(layer.eps, layer.weight.data.dtype) for layer in norms] == [(0.5, np.float64)] * 12


def test_alexnet_begins_with_the_biases_of_its_paper():
    model = nc.models.alexnet_2012(rng=slim.Zeros())
    biases = [value.data for name, value in model.named_parameters() if name.endswith("bias")]
    assert [set(bias.tolist()) for bias in biases] == [{0}, {1}, {0}, {1}, {1}, {1}, {1}, {0}]


# Refusals


@pytest.mark.parametrize(
    "build",
    [
        lambda: nc.models.BasicBlock(2, 2, groups=2),
        lambda: nc.models.BasicBlock(2, 2, dilation=2),
        lambda: nc.models.ResNet(nc.models.BasicBlock, (1, 1, 1)),
        lambda: nc.models.ResNet(nc.models.BasicBlock, (1, 1, 1, 1), replace_stride_with_dilation=(True, True)),
        lambda: nc.models.SqueezeNet("1.1"),
    ],
)
def test_what_cannot_be_built_is_refused(build):
    with pytest.raises(ValueError, match=r"expected .*, got"):
        build()


def test_an_error_says_where_in_the_network():
    with pytest.raises(
        nc.ShapeError, match=r"^in layer1\.0\.conv1: Conv2d\(64, 64, 3.*expected 64 input channels, got 32"
    ):
        model = nc.models.resnet18(rng=slim.Zeros())
        model.conv1, model.bn1 = nc.Conv2d(3, 32, 7), nc.BatchNorm2d(32)
        model(np.zeros((1, 3, 40, 40), np.float32))


# Numbers


@pytest.mark.parametrize("pair", registry.MODELS.values(), ids=lambda pair: pair.name)
def test_outputs_in_float32_are_near_too(pair):
    for case in draw_cases(pair, 2, 0):
        laws.check(laws.forward, pair, laws.replace(case, dtype="float32"))


@pytest.mark.parametrize("name", FACTORIES if THOROUGH else ["squeezenet1_1"])
def test_at_full_size_every_gradient_is_torchvisions(name):
    errors = full_size.measure(name, batch=1)  # gradients in float64, without kinks in the way: see full_size.py
    assert max(vars(errors["ours f64"]).values()) < 1e-10
    assert errors["ours f32"].output < max(1e-5, 10 * errors["torch f32"].output)
