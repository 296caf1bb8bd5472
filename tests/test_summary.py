"""A summary tells the truth about every layer and model there is, and leaves them as they were."""

import contextlib
import copy
import re

import anatomies
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings

import numpycnn as nc
from numpycnn.anatomy.cost import multiply_adds
from numpycnn.anatomy.flow import follow, sees
from numpycnn.anatomy.geometry import Step, geometry
from numpycnn.anatomy.receptive_field import ReceptiveField, Span
from numpycnn.anatomy.table import memory
from parity import registry, slim, twins


class Net(nc.Block):
    """Names in another order than the wiring, containers in both, and steps that have no name."""

    def __init__(self):
        self.head = nc.Linear(8, 3)
        self.features = nc.Sequential(nc.Conv2d(2, 4, 3, padding=1), nc.BatchNorm2d(4), nc.ReLU())
        self.short = nc.Conv2d(2, 4, 1, bias=False)
        self.route(
            nc.Add(self.features, self.short),
            nc.Concat(nc.Sequential(nc.Dropout(0.5), nc.AdaptiveAvgPool2d(1)), nc.AdaptiveMaxPool2d(1)),
            nc.Flatten(),
            self.head,
        )


LAYERS_AND_MODELS = [*registry.LAYERS.values(), *registry.MODELS.values()]
PUBLIC = [kind for kind in vars(nc).values() if isinstance(kind, type) and issubclass(kind, nc.Layer)]


def arrays(y):
    return y if isinstance(y, tuple) else (y,)


# Every layer and model


@pytest.mark.parametrize("pair", LAYERS_AND_MODELS, ids=lambda pair: pair.name)
def test_shapes_and_memory_are_those_of_forward(pair):
    @settings(max_examples=3 if pair.name in registry.MODELS else settings.default.max_examples)
    @given(pair.cases)
    def holds(case):
        assume(1 <= len(case.shape) <= 4)
        model = pair.ours(**case.kwargs).to(case.dtype).train(case.training)
        shape = case.shape if len(case.shape) % 2 == 0 else (1, *case.shape)
        x = np.ones(shape, "float32" if not model.state_dict() else case.dtype)
        try:
            ys = arrays(copy.deepcopy(model).eval()(x))
        except nc.LayerError as error:
            with pytest.raises(type(error)):
                nc.summary(model, case.shape)
            return
        if not case.batched or shape != case.shape:  # axis 0 need not be samples
            with contextlib.suppress(nc.ShapeError):
                assert nc.summary(model, case.shape).layers[-1].output_shape == ys[0].shape
            return
        told = nc.summary(model, case.shape)
        assert told.layers[-1].output_shape == ys[0].shape
        assert told.layers[-1].memory == sum(y.nbytes for y in ys)
        idle = sum(layer[1].num_parameters() for layer in model.modules() if isinstance(layer, nc.Auxiliary))
        assert told.parameters == sum(layer.parameters for layer in told.layers) + idle == model.num_parameters()

    holds()


@pytest.mark.parametrize("kind", sorted(set(PUBLIC) - {nc.Layer}, key=lambda kind: kind.__name__))
def test_every_kind_of_layer_has_a_rule(kind):
    """The default rules are for the layers of others: an entry may see all, and costs nothing."""
    rules = [rule.dispatch(kind) is not rule.dispatch(nc.Layer) for rule in (geometry, sees, follow)]
    assert any(rules), f"register {kind.__name__} in numpycnn.anatomy: geometry, sees or follow (and multiply_adds)"


@pytest.mark.parametrize("name", [name for name in nc.models.__all__ if name.islower()])
def test_multiply_adds_of_famous_networks_are_those_of_torchs_counter(name):
    side = {"alexnet_2012": 227, "inception_v3": 299}.get(name, 224)
    ours = getattr(nc.models, name)(rng=slim.Zeros())
    with torch.device("meta"):  # shapes alone, there too
        theirs = twins.maker(name)().eval()
        assert 2 * nc.summary(ours, (2, 3, side, side)).multiply_adds == anatomies.flops(theirs, (2, 3, side, side))


@pytest.mark.parametrize(("name", "size", "jump", "padding"), [("alexnet", 195, 32, 66), ("vgg16", 212, 32, 90)])
def test_fields_of_famous_networks(name, size, jump, padding):
    """Those of Araujo et al., 2019; whose AlexNet has no padding in the first layer, torchvision's has two pixels."""
    told = nc.summary(getattr(nc.models, name)(rng=slim.Zeros()), (3, 224, 224))
    (last,) = [row for row in told.layers if row.path == "avgpool"]
    assert last.receptive_field == ReceptiveField(*2 * [Span(size, jump, -padding)])


def test_a_graph_is_followed_along_its_wires():
    """Each node reads what it names; a sum or concatenation has a branch for each of them."""
    model = nc.Graph(
        a=(nc.Conv2d(1, 2, 3, padding=1), "x"),
        b=(nc.Concat(nc.Conv2d(2, 1, (5, 1), padding=(2, 0)), nc.AvgPool2d((1, 3), 1, (0, 1))), "a", "x"),
        c=(nc.Conv2d(2, 2, 3, padding=1), "b"),
        d=(nc.Add(nc.Identity(), nc.ReLU(), nc.Identity()), "a", "c", "a"),
    )
    told = nc.summary(model, (1, 12, 12))
    assert [(row.path, row.receptive_field.size) for row in told.layers] == [
        *[("a", (3, 3)), ("b.0", (7, 3)), ("b.1", (1, 3)), ("b", (7, 3)), ("c", (9, 5))],
        *[("d.0", (3, 3)), ("d.1", (9, 5)), ("d.2", (3, 3)), ("d", (9, 5))],
    ]
    assert told.parameters == sum(row.parameters for row in told.layers) == model.num_parameters()
    field = told.layers[-1].receptive_field
    assert anatomies.gradient_probe(anatomies.positive(model), (1, 1, 12, 12), (6, 6)) == ((2, 10), (4, 8))
    assert [(span.pixels(6)[0], span.pixels(6)[-1]) for span in field] == [(2, 10), (4, 8)]
    model.b = nc.Concat(nc.Conv2d(1, 1, 1), nc.Identity())
    with pytest.raises(nc.ShapeError, match=re.escape("in b.0: Conv2d(1, 1, 1): expected 1 input channels, got 2")):
        nc.summary(model, (1, 12, 12))


def test_a_transposed_convolution_sees_as_the_probe_says_and_costs_what_torchs_counter_says():
    model = nc.Sequential(nc.ConvTranspose2d(1, 1, (3, 2), padding=(1, 0), dilation=(1, 2)), nc.Conv2d(1, 1, 3))
    field = nc.summary(model, (1, 9, 9)).layers[-1].receptive_field
    assert anatomies.gradient_probe(anatomies.positive(model), (1, 1, 9, 9), (3, 3)) == ((2, 6), (1, 5))
    assert [(span.pixels(3)[0], span.pixels(3)[-1]) for span in field] == [(2, 6), (1, 5)]
    arguments = {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "stride": 2, "groups": 2, "padding": 1}
    told = nc.summary(nc.ConvTranspose2d(**arguments), (2, 4, 5, 6))
    assert told.layers[0].receptive_field.height.jump is None
    assert 2 * told.multiply_adds == anatomies.flops(torch.nn.ConvTranspose2d(**arguments), (2, 4, 5, 6))


# The model is left alone


def test_the_model_is_left_as_it_was():
    model, x = Net(), np.random.default_rng(0).standard_normal((2, 2, 6, 7)).astype(np.float32)
    model.features.eval()
    alone, dy = copy.deepcopy(model), np.ones((2, 3), np.float32)
    for net in (model, alone):
        net.backward(np.zeros_like(net(x)))
    model(x)
    alone(x)
    attributes = [dict(vars(module)) for module in model.modules()]
    nc.summary(model, (5, 2, 9, 12))
    assert all(vars(module) == then for module, then in zip(model.modules(), attributes, strict=True))
    np.testing.assert_array_equal(model.backward(dy), alone.backward(dy))  # what forward remembered is there too
    for (name, ours), (_, theirs) in zip(model.named_arrays(), alone.named_arrays(), strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data, name)
        if isinstance(ours, nc.Parameter):
            np.testing.assert_array_equal(ours.grad, theirs.grad, name)


def test_not_even_meanwhile_is_it_changed():
    class Spy(nc.Layer):
        def forward(self, x):
            notes.append((x.shape, self.training, model.training, spy.training, nc.is_grad_enabled()))
            return x

    notes, spy = [], Spy()
    model = nc.Sequential(nc.Conv2d(3, 8, 3), spy)
    nc.summary(model, (7, 3, 9, 9))
    assert notes == [((0, 8, 7, 7), False, True, True, False)]
    assert nc.is_grad_enabled()


# What it says

NET = """\
path        kind               output          parameters  multiply-adds     memory  field  jump  offset
features.0  Conv2d             5 x 4 x 9 x 12          76         38,880    8.4 KiB      3     1      -1
features.1  BatchNorm2d        5 x 4 x 9 x 12           8                   8.4 KiB      3     1      -1
features.2  ReLU               5 x 4 x 9 x 12                               8.4 KiB      3     1      -1
short       Conv2d             5 x 4 x 9 x 12           8          4,320    8.4 KiB      1     1       0
            Add                5 x 4 x 9 x 12                               8.4 KiB      3     1      -1
            Dropout            5 x 4 x 9 x 12                               8.4 KiB      3     1      -1
            AdaptiveAvgPool2d  5 x 4 x 1 x 1                               80 bytes    all
            AdaptiveMaxPool2d  5 x 4 x 1 x 1                               80 bytes    all
            Concat             5 x 8 x 1 x 1                              160 bytes    all
            Flatten            5 x 8                                      160 bytes    all
head        Linear             5 x 3                   27            120   60 bytes    all
Net on 5 x 2 x 9 x 12: 119 parameters, 43,320 multiply-adds, 51.2 KiB of outputs in float32"""


def test_the_table():
    told = nc.summary(Net(), (5, 2, 9, 12))
    assert str(told) == repr(told) == NET
    assert (told.parameters, told.multiply_adds) == (119, 43_320)
    assert told.memory == 4 * 5 * (6 * 4 * 9 * 12 + 4 + 4 + 8 + 8 + 3)


def test_the_table_of_two_sides_of_what_varies_and_of_features():
    model = nc.Sequential(nc.Conv2d(1, 1, (3, 1), stride=(2, 1), padding=(1, 0)), nc.AdaptiveAvgPool2d((2, 3)))
    lines = str(nc.summary(model, (1, 6, 4))).splitlines()
    assert lines[1].split()[-9:] == ["3", "x", "1", "2", "x", "1", "-1", "x", "0"]
    assert lines[2].split()[-7:] == ["7", "x", "4", "?", "-1", "x", "0"]
    assert str(nc.summary(nc.Linear(3, 2), (3,))).splitlines()[1].split()[-3:] == ["6", "8", "bytes"]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (3 << 19, "1.5 MiB"), (1 << 52, "4096.0 TiB")],
)
def test_memory_is_told_in_the_unit_that_suits_it(size, text):
    assert memory(size) == text


def test_without_samples_it_is_for_one():
    model = nc.models.LeNet()
    assert nc.summary(model, (1, 28, 28)) == nc.summary(model, [1, 1, 28, 28])
    one, eight = nc.summary(model, (1, 28, 28)), nc.summary(model, (8, 1, 28, 28))
    assert (eight.multiply_adds, eight.memory) == (8 * one.multiply_adds, 8 * one.memory)
    assert eight.parameters == one.parameters
    assert nc.summary(nc.Linear(3, 2), (3,)).layers[0].output_shape == (1, 2)
    assert nc.summary(nc.Linear(3, 2), (7, 3)).layers[0].receptive_field is None


def test_float64_takes_twice_the_memory():
    small, large = nc.summary(Net(), (2, 5, 6)), nc.summary(Net().to(np.float64), (2, 5, 6))
    assert (small.dtype, large.dtype) == ("float32", "float64")
    assert large.memory == 2 * small.memory


def test_a_layer_that_is_used_twice_counts_once():
    layer = nc.Conv2d(2, 2, 3)
    told = nc.summary(nc.Sequential(layer, layer), (2, 9, 9))
    assert [row.parameters for row in told.layers] == [layer.num_parameters(), 0]
    assert [row.path for row in told.layers] == ["0", "0"]
    assert [row.receptive_field.size for row in told.layers] == [(3, 3), (5, 5)]
    assert told.parameters == layer.num_parameters()
    assert told.multiply_adds == 36 * (49 + 25)


def test_what_is_there_for_training_alone_has_no_line():
    head = nc.Sequential(nc.Flatten(), nc.Linear(8, 3))
    told = nc.summary(nc.Sequential(nc.ReLU(), nc.Auxiliary(nc.Conv2d(2, 2, 1), head), nc.ReLU()), (2, 2, 2))
    assert [row.path for row in told.layers] == ["0", "1.0", "2"]
    assert (told.parameters, told.multiply_adds) == (6 + 27, 16)
    assert "33 parameters (27 unused in evaluation), 16 multiply-adds" in str(told)


# Layers of others


class Shift(nc.Layer):
    """Not known to the library."""

    def forward(self, x):
        return x


def test_a_layer_of_no_known_kind_may_see_all():
    told = nc.summary(nc.Sequential(nc.Conv2d(1, 1, 3, padding=1), Shift(), nc.Conv2d(1, 1, 3)), (1, 8, 9))
    assert told.layers[1].receptive_field == ReceptiveField(Span(10, None, -1), Span(11, None, -1))
    assert told.layers[2].receptive_field == told.layers[1].receptive_field
    assert told.layers[1].multiply_adds == 0


def test_rules_for_it_can_be_registered():
    class Mine(Shift):
        pass

    geometry.register(Mine, lambda layer: (Step(2), Step()))
    multiply_adds.register(Mine, lambda layer, x, y: 10)
    (row,) = nc.summary(Mine(), (1, 8, 9)).layers
    assert (row.receptive_field, row.multiply_adds) == (ReceptiveField(Span(2), Span()), 10)


def test_a_subclass_goes_by_the_rule_of_its_base():
    class Mine(nc.Conv2d):
        pass

    (row,) = nc.summary(Mine(1, 1, 3), (1, 8, 9)).layers
    assert (row.kind, row.receptive_field.size, row.multiply_adds) == ("Mine", (3, 3), 9 * 42)


# Refusals


def test_what_a_layer_refuses_is_said_in_its_words_with_its_place():
    model = nc.Sequential(nc.ReLU(), Net())
    with pytest.raises(nc.ShapeError) as caught:
        nc.summary(model, (3, 9, 12))
    assert str(caught.value).startswith("in 1.features.0: Conv2d(2, 4, 3, padding=1): expected 2 input channels, got 3")
    assert (caught.value.path, caught.value.module) == ("1.features.0", model[1].features[0])
    model[1].route(nc.Add(model[1].features, nc.Identity()))
    with pytest.raises(nc.ShapeError, match=r"(?s)in 1: Add.*: expected branches of one shape") as caught:
        nc.summary(model, (2, 9, 12))
    assert caught.value.module is model[1]._route[0]


def test_a_layer_that_nobody_knows_of_can_refuse_too():
    class Hidden(nc.Layer):
        def forward(self, x):
            return nc.Linear(3, 2)(x)

    with pytest.raises(nc.ShapeError, match="expected 3 features") as caught:
        nc.summary(Hidden(), (4,))
    assert isinstance(caught.value.module, nc.Linear)


@pytest.mark.parametrize(
    ("model", "shape", "kind", "message"),
    [
        (nc.MSELoss(), (3,), TypeError, "summary: expected a layer or a network of layers, got MSELoss"),
        (nc.ReLU(), (), ValueError, "(N, C, H, W), (C, H, W), (N, F) or (F,), got ()"),
        (nc.ReLU(), (1, 2, 3, 4, 5), ValueError, "got (1, 2, 3, 4, 5)"),
        (nc.ReLU(), 28, ValueError, "got 28"),
        (nc.ReLU(), (1, 28.0, 28), TypeError, "summary: expected input_shape to be an int, got 28.0"),
        (nc.ReLU(), (0, 1, 28, 28), ValueError, "summary: expected input_shape >= 1, got 0"),
        (nc.Flatten(0, 2), (3, 4, 4), nc.ShapeError, "samples to stay on axis 0, got y of shape (0, 4) for x of shape"),
        (nc.Reshape((-1, 8)), (3, 4, 4), nc.ShapeError, "expected the samples to stay on axis 0"),
        (nc.Permute((1, 0, 2, 3)), (3, 4, 4), nc.ShapeError, "expected the samples to stay on axis 0"),
        (nc.Slice(-4, 1), (3, 4, 4), nc.ShapeError, "expected the samples to stay on axis 0"),
        (nc.Squeeze(0), (3, 4, 4), nc.ShapeError, "expected the samples to stay on axis 0"),
        (nc.Pad((1, 0) * 4), (3, 4, 4), nc.ShapeError, "expected the samples to stay on axis 0"),
        (nc.Mean(0), (3, 4, 4), nc.ShapeError, "expected the samples to stay on axis 0"),
        (nc.Concat(nc.ReLU(), nc.ReLU(), dim=-4), (1, 4, 4), nc.ShapeError, "expected the samples to stay on axis 0"),
        (nc.Linear(4, 2), (4, 4, 4, 3), nc.ShapeError, "expected 4 features on the last axis, got 3"),
        (nc.Block(), (3,), nc.StateError, "expected self.route(...)"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_refusals(model, shape, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        nc.summary(model, shape)
