"""Conversions: a torch module and what it becomes agree; what cannot be converted is named, with its place."""

import copy
from collections import namedtuple
from dataclasses import astuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import (
    convnext,
    densenet,
    efficientnet,
    mnasnet,
    mobilenetv2,
    mobilenetv3,
    regnet,
    resnet,
    shufflenetv2,
    squeezenet,
)
from torchvision.models.googlenet import Inception
from torchvision.models.inception import InceptionA

import numpycnn as nc
from parity import bridge, twins
from parity.bridge import ConversionError, convert
from parity.compare import agree
from parity.conversion import agreement

IMAGES = (3, 4, 6, 5)


def drawn(module, seed=0):
    """Fill a module with numbers that all matter, in float64."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double()
    for name, value in module.state_dict().items():
        if value.dtype.is_floating_point:
            value.copy_(
                torch.randn(value.shape, generator=generator, dtype=torch.float64) / max(1, value[0:1].numel()) ** 0.5
            )
            if name.endswith("running_var"):
                value.abs_().add_(0.5)
    return module


def check(theirs, shape=IMAGES, training=False):
    """Hold a conversion against its original: keys, outputs, gradients, and the buffers afterwards."""
    theirs = drawn(theirs).train(training)
    before = copy.deepcopy(theirs.state_dict())
    ours = convert(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(torch.equal(before[name], value) for name, value in theirs.state_dict().items())
    bridge.replay_dropout(ours, theirs)
    for seed in range(2):  # the second time in the other mode, which the model has learned to follow
        x = np.random.default_rng(seed).standard_normal(shape)
        their_x = torch.from_numpy(x.copy()).requires_grad_()
        their_y = theirs(their_x * 1)  # times 1: some write into what they read
        y = ours(x)
        dy = np.random.default_rng(seed + 2).standard_normal(y.shape)
        their_y.backward(torch.from_numpy(dy))
        agree("y", y, bridge.array(their_y), "float64", 1e4)
        agree("dx", ours.backward(dy), bridge.array(their_x.grad), "float64", 1e4)
        for name, parameter in theirs.named_parameters():
            ours_too = dict(ours.named_parameters())[name]
            assert (parameter.grad is None) == (ours_too.grad is None), name
            if parameter.grad is not None:
                agree(name, ours_too.grad, bridge.array(parameter.grad), "float64", 1e4)
        for name, value in ours.state_dict().items():
            agree(name, value.astype(float), bridge.array(theirs.state_dict()[name].double()), "float64", 1e4)
        theirs.zero_grad()
        ours.zero_grad()
        theirs.train(not theirs.training)
        ours.train(not ours.training)
    return ours


class Conv(nn.Conv2d):
    """A convolution that keeps height and width."""

    def __init__(self, inputs=4, outputs=4):
        super().__init__(inputs, outputs, 3, padding=1)


def forward(function, **modules):
    """Make a module of a forward function, which gets the module and x."""

    class Case(nn.Module):
        def __init__(self):
            super().__init__()
            for name, module in modules.items():
                setattr(self, name, module)

    Case.forward = function
    return Case()


# What a forward may do


def residual(self, x):
    y = self.conv(x)
    y += x
    return functional.relu(y, inplace=True)


def one_relu_for_all(self, x):
    return self.relu(self.second(self.relu(self.first(x))) + self.relu(x))


def one_convolution_twice(self, x):
    return self.conv(torch.tanh(self.conv(x)))


def dense(self, x):
    features = [x]
    for conv in self.convs:
        features.append(conv(torch.cat(features, 1)))
    return torch.cat(features, dim=1)


class Listed(nn.Module):
    """Takes a list, as the layers of torchvision's DenseNet do."""

    def __init__(self, inputs):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(inputs), Conv(inputs, 2)

    def forward(self, inputs):
        return self.conv(torch.relu(self.norm(torch.cat(inputs, 1))))


def of_lists(self, x):
    first = self.one([x])
    return self.two([x, first]) - first


def overwritten(self, x):
    y = self.conv(x)
    z = functional.relu(y, inplace=True)
    return y + z.tanh()  # y is what relu made of it


def overwritten_by_a_module(self, x):
    y = self.conv(x)
    return self.relu(y) + y


def constants(self, x):
    return (1 - (self.conv(x) - 0.5) * 2 / 3) + (-x)


def parts(self, x):
    left, right = self.conv(x).chunk(2, dim=1)
    return torch.cat([left * 2, right[:, :, :], x[:, ::2], torch.unsqueeze(x[:, 0], 1), x[:, 1:2, None][:, :, 0]], 1)


def corners(self, x):
    return self.conv(x)[:, :, ::2, 1:]


def means(self, x):
    return self.linear(x.mean([2, 3])) + torch.mean(x, (-1, -2)) + x.mean(dim=-1, keepdim=True).mean((2, 3))


def flat(self, x):
    x = functional.max_pool2d(self.conv(x), 2)
    return self.linear(x.view(x.size(0), -1))


def flat_by_number(self, x):
    return self.linear(functional.avg_pool2d(x, 2).reshape(-1, 24))


def flat_by_shape(self, x):
    n, c = x.shape[0], x.shape[1]
    return self.linear(torch.flatten(x.reshape(n, c, -1), 1)).view(n, 3, 1, -1)


def squeeze_and_excite(self, x):
    n, c, _, _ = x.size()
    y = functional.adaptive_avg_pool2d(x, 1).view(n, c)
    y = torch.sigmoid(self.second(torch.relu(self.first(y)))).view(n, c, 1, 1)
    return x * y


def squeeze_and_expand(self, x):
    y = functional.avg_pool2d(self.conv(x), (6, 5)).squeeze(3).squeeze(-1)
    return x * torch.sigmoid(y).view(y.size(0), -1, 1, 1).expand_as(x)


def padded(self, x):  # as in the short cuts of a ResNet for CIFAR
    short = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 2))
    return self.pad(short) + functional.pad(x, (1, 2, 1, 1, 1, 2), value=1)


def scaled_in_place(self, x):
    y = self.conv(x)
    y *= torch.sigmoid(x)
    y.mul_(y.mean((2, 3), keepdim=True)).sub_(x)
    return y / 2


def enlarged(self, x):
    y = functional.conv_transpose2d(self.up(x), self.conv.weight, None, 2, 1)
    return functional.interpolate(y, size=(7, 5), mode="bilinear", align_corners=False)


def shuffle(self, x):
    n, c, h, w = x.shape
    x = x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous()
    return self.conv(x.view(n, c, h, w))


def last_axis(self, x):
    x = self.linear(x.permute(0, 2, 3, 1))
    x = functional.layer_norm(x, (4,), self.norm.weight, self.norm.bias, 0.1).permute(0, 3, 1, 2)
    return x * self.scale + x


def by_hand(self, x):
    y = functional.conv2d(x, self.conv.weight, None, 1, 1)
    return functional.linear(y.flatten(1), self.linear.weight, self.linear.bias)


def with_defaults(self, x, scale=2.0, *rest, residual=True):
    return self.conv(x) * scale + x if residual else x


def half_used(self, x):
    return self.used(x)


FORWARDS = {
    "sums": forward(residual, conv=Conv()),
    "one module at several places": forward(one_relu_for_all, first=Conv(), second=Conv(), relu=nn.ReLU()),
    "weights used twice": forward(one_convolution_twice, conv=nn.Sequential(Conv(), nn.BatchNorm2d(4))),
    "lists of arrays": forward(dense, convs=nn.ModuleList([Conv(4, 2), Conv(6, 2), Conv(8, 2)])),
    "modules that take lists": forward(of_lists, one=Listed(4), two=Listed(6)),
    "in place": forward(overwritten, conv=Conv()),
    "in place by a module": forward(overwritten_by_a_module, conv=Conv(), relu=nn.ReLU(inplace=True)),
    "constants": forward(constants, conv=Conv()),
    "parts": forward(parts, conv=Conv()),
    "corners": forward(corners, conv=Conv()),
    "means": forward(means, linear=nn.Linear(4, 4)),
    "views": forward(flat, conv=Conv(), linear=nn.Linear(24, 3)),
    "views by numbers": forward(flat_by_number, linear=nn.Linear(24, 3)),
    "views by shapes": forward(flat_by_shape, linear=nn.Linear(120, 6)),
    "squeeze and excitation": forward(squeeze_and_excite, first=nn.Linear(4, 2), second=nn.Linear(2, 4)),
    "squeeze and expand": forward(squeeze_and_expand, conv=Conv()),
    "products in place": forward(scaled_in_place, conv=Conv()),
    "borders": forward(padded, pad=nn.Sequential(nn.ZeroPad2d((2, 1, 2, 1)), nn.ConstantPad2d(1, 3.0))),
    "other sizes": forward(
        enlarged, conv=nn.ConvTranspose2d(4, 2, 3, stride=2, bias=False), up=nn.Upsample(scale_factor=2)
    ),
    "channel shuffle": forward(shuffle, conv=Conv()),
    "other axes": forward(
        last_axis, linear=nn.Linear(4, 4), norm=nn.LayerNorm(4), scale=nn.Parameter(torch.ones(4, 1, 1))
    ),
    "parameters by hand": forward(by_hand, conv=nn.Conv2d(4, 2, 3, bias=False), linear=nn.Linear(60, 3)),
    "arguments with defaults": forward(with_defaults, conv=Conv()),
    "what is not used": forward(half_used, idle=forward(residual, conv=Conv()), used=Conv(), lstm=nn.LSTM(2, 3)),
    "nothing": forward(lambda self, x: x),
    "a route with dropout": nn.Sequential(
        Conv(), nn.Dropout(0.5), forward(residual, conv=nn.Sequential(Conv(), nn.Dropout()))
    ),
}


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("case", FORWARDS)
def test_what_a_forward_may_do(case, training):
    check(copy.deepcopy(FORWARDS[case]), training=training)


@pytest.mark.parametrize(("theirs", "side"), [(twins.LeNet(), 28), (twins.LeNet5(), 32)], ids=["LeNet", "LeNet5"])
def test_hand_written_networks(theirs, side):
    check(theirs, (2, 1, side, side))


# The families of torchvision's networks, small

SMALL = {
    "resnet": lambda: resnet.ResNet(resnet.Bottleneck, [2, 1, 1, 1], 5, groups=2, width_per_group=8),
    "densenet": lambda: densenet.DenseNet(8, (2, 2), 8, num_classes=5),
    "squeezenet": lambda: squeezenet.squeezenet1_1(num_classes=5),
    "inception": lambda: nn.Sequential(nn.MaxPool2d(4), Inception(3, 2, 2, 4, 2, 4, 4), InceptionA(14, 4)),
    "mobilenet v2": lambda: mobilenetv2.MobileNetV2(5, 0.1, [[1, 16, 1, 1], [6, 24, 2, 2]]),
    "mobilenet v3": lambda: mobilenetv3.MobileNetV3(
        [
            mobilenetv3.InvertedResidualConfig(8, 3, 16, 8, True, "RE", 2, 1, 1),
            mobilenetv3.InvertedResidualConfig(8, 5, 24, 8, True, "HS", 1, 1, 1),
        ],
        32,
        5,
    ),
    "mnasnet": lambda: mnasnet.MNASNet(0.1, 5),
    "shufflenet": lambda: shufflenetv2.ShuffleNetV2([2, 2, 2], [8, 16, 32, 32, 64], 5),
    "regnet": lambda: regnet.RegNet(regnet.BlockParams([2, 1], [16, 32], [8, 8], [1, 1], [2, 2], 0.25), 5, 8),
    "efficientnet": lambda: efficientnet.EfficientNet(
        [
            efficientnet.FusedMBConvConfig(1, 3, 1, 8, 8, 1),
            efficientnet.MBConvConfig(4, 3, 2, 8, 16, 2, 1.0, 1.0),
        ],
        0.2,
        0.5,
        5,
        last_channel=32,
    ),
    "convnext": lambda: convnext.ConvNeXt(
        [convnext.CNBlockConfig(8, 16, 2), convnext.CNBlockConfig(16, None, 1)], 0.5, num_classes=5
    ),
}


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("family", SMALL)
def test_the_networks_of_torchvision(family, training):
    torch.manual_seed(0)
    far = agreement(SMALL[family](), (3, 3, 48, 40), training)
    assert max(astuple(far)) < 1e-9, far


# Outputs for training alone


Outputs = namedtuple("Outputs", ["logits", "second", "first"])


def auxiliary(self, x):
    a = functional.relu(self.conv1(x))
    b = self.conv2(a)
    y = self.head(b * b.mean((2, 3), keepdim=True)).flatten(1)
    return Outputs(y, self.aux2(b).flatten(1), a) if self.training else y


def in_the_other_order(self, x):
    a = self.conv1(x)
    b = self.conv2(a)
    return (self.head(b), self.aux1(a), self.aux2(b)) if self.training else self.head(b)


def crossed(self, x):
    a, b = self.conv1(x), self.conv2(x)
    return (a * 2 + b, a + b) if self.training else a * 2 + b


def simple(self, x):
    a = self.conv1(x)
    return (self.conv2(a), a.mean(1)) if self.training else self.conv2(a)


def answered(self, x):
    y = self.net(x)
    return y[0] if self.training else y


PARTS = ("conv1", "conv2", "head", "aux1", "aux2")


def parted(function):
    return drawn(forward(function, **{name: Conv() for name in PARTS}))


@pytest.mark.parametrize("function", [auxiliary, simple])
@pytest.mark.parametrize("evaluated", [False, True], ids=["train", "train and eval"])
def test_outputs_for_training_alone(function, evaluated):
    theirs = parted(function).train()
    ours = convert(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert theirs.training
    x = np.random.default_rng(0).standard_normal((3, 4, 4, 4))
    their_x = torch.from_numpy(x).requires_grad_()
    ys, their_ys = ours(x), theirs(their_x)
    assert len(ys) == len(their_ys)
    dys = [np.random.default_rng(index).standard_normal(y.shape) for index, y in enumerate(ys)]
    torch.autograd.backward(their_ys, [torch.from_numpy(dy) for dy in dys])
    for index, (y, their_y) in enumerate(zip(ys, their_ys, strict=True)):
        agree(f"y {index}", y, bridge.array(their_y), "float64", 1e4)
    agree("dx", ours.backward(tuple(dys)), bridge.array(their_x.grad), "float64", 1e4)
    for (name, parameter), theirs_too in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert (parameter.grad is None) == (theirs_too.grad is None), name
        if parameter.grad is not None:
            agree(name, parameter.grad, bridge.array(theirs_too.grad), "float64", 1e4)
    if evaluated:
        agree("y", ours.eval()(x), bridge.array(theirs.eval()(their_x)), "float64", 1e4)
        agree("y", convert(theirs).train()(x), bridge.array(theirs(their_x)), "float64", 1e4)  # has seen no other


@pytest.mark.parametrize("function", [in_the_other_order, crossed])
def test_outputs_that_do_not_part_one_after_another_are_refused(function):
    with pytest.raises(ConversionError, match="expected outputs that part one after another, the last one first"):
        convert(parted(function))


def test_several_outputs_are_the_whole_models_alone():
    with pytest.raises(ConversionError, match=r"cannot convert 0: .*expected forward to give one array, got tuple"):
        convert(nn.Sequential(parted(simple)))
    check(forward(answered, net=parted(simple)), training=True)


# What cannot be converted


def decides(self, x):
    return self.conv(x) if x.sum() > 0 else x


def loops_over_a_shape(self, x):
    size = 1
    for side in x.size()[1:]:
        size *= side
    return x.view(-1, size)


def standardised(self, x):
    weight = self.conv.weight - self.conv.weight.mean()
    return functional.conv2d(x, weight)


def two_outputs(self, x):
    return self.conv(x), x


def always_drops(self, x):
    return functional.dropout(x)


def reads_what_was_written(self, x):
    return self.body(x) + x


INSIDE = nn.Sequential(nn.Sequential(Conv()), nn.Sequential(Conv(), forward(lambda self, x: torch.fft.fft(x).real)))
REFUSED = {
    "a layer": (nn.Sequential(Conv(), nn.LSTM(2, 3)), "1", r"numpycnn has no layer torch\.nn\.modules\.rnn\.LSTM"),
    "a function": (
        INSIDE,
        "1.1",
        r"nothing that does this \(node 'fft_fft': .*fft_fft, .*test_convert.py.*torch.fft.fft",
    ),
    "a method": (forward(lambda self, x: x.cumsum(1)), "", r"node 'cumsum': call_method cumsum, .*x\.cumsum\(1\)"),
    "an argument": (nn.Sequential(nn.MaxPool2d((2,))), "0", r"expected kernel_size to be .*got \(2,\)"),
    "an argument of a function": (forward(lambda self, x: functional.softmax(x)), "", r"missing .* 'dim'"),
    "an index": (forward(lambda self, x: x[..., 0]), "", r"as indices, got Ellipsis"),
    "a type of number": (nn.Sequential(Conv().half()), "0.weight", r"float32 or float64, got torch\.float16"),
    "control flow": (nn.Sequential(forward(decides, conv=Conv())), "0", r"control flow.*if x\.sum\(\) > 0 else x"),
    "a loop": (forward(loops_over_a_shape), "", r"test_convert.py:\d+: for side in x\.size"),
    "a computed weight": (
        forward(standardised, conv=Conv()),
        "",
        r"weights as they are, .*self\.conv\.weight\.mean",
    ),
    "a computed constant": (
        forward(lambda self, x: x + torch.ones(4, requires_grad=True).exp().sum()),
        "",
        r"a tensor is computed that does not depend on the input",
    ),
    "two outputs": (forward(two_outputs, conv=Conv()), "", r"one array, got tuple; try module\.eval"),
    "two inputs": (forward(lambda self, x, y: x + y), "", r"missing 1 required positional argument: 'y'"),
    "another mode": (forward(always_drops).eval(), "", r"expected training=False, the mode of its module, got True"),
    "written in place": (
        forward(reads_what_was_written, body=nn.Sequential(nn.Identity(), nn.ReLU(inplace=True), Conv())),
        "",
        r"body has written into what it read",
    ),
    "a hidden name": (forward(lambda self, x: self._conv(x), _conv=Conv()), "_conv", r"a name that is free .*'_conv'"),
    "a taken name": (forward(lambda self, x: self.route(x), route=Conv()), "route", r"a name that is free .*'route'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_converted_is_named(case):
    module, path, message = REFUSED[case]
    with pytest.raises(ConversionError, match=f"(?s)^cannot convert {path or 'the module'}: .*{message}") as caught:
        convert(module)
    assert caught.value.path == path


def test_hooks_are_not_lost_in_silence():
    module = nn.Sequential(Conv())
    module[0].register_forward_hook(lambda module, inputs, output: output * 2)
    with pytest.raises(ConversionError, match=r"cannot convert 0: expected a module without hooks, got forward_hooks"):
        convert(module)


def test_no_module_is_refused():
    with pytest.raises(TypeError, match=r"expected a torch\.nn\.Module, got function"):
        convert(functional.relu)


# What comes out


def test_a_conversion_shares_no_memory_with_its_original():
    theirs = nn.Sequential(Conv(), nn.BatchNorm2d(4))
    ours = convert(theirs)
    for name, value in theirs.state_dict().items():
        value += 1
        assert not np.array_equal(dict(ours.named_arrays())[name].data, value.numpy())


def test_shared_weights_stay_shared():
    theirs = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
    theirs[2].weight = theirs[0].weight
    ours = check(theirs, (2, 3))
    assert ours[0].weight is ours[2].weight
    assert len(ours.parameters()) == 3


def test_a_module_with_two_names_has_both():
    shared = Conv()
    ours = check(nn.Sequential(shared, nn.ReLU(), nn.Sequential(nn.Tanh(), shared)))
    assert ours[0].weight is ours[2][1].weight
    assert ours[0] is not ours[2][1]


def test_each_part_has_the_mode_of_its_original():
    theirs = nn.Sequential(nn.BatchNorm2d(4).eval(), nn.Sequential(nn.Dropout(0.5)))
    theirs.train()
    theirs[0].eval()
    assert [layer.training for layer in convert(theirs).modules()] == [True, False, True, True]


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("drop", [functional.dropout, functional.dropout2d])
def test_dropout_by_hand_follows_the_mode(drop, training):
    theirs = forward(lambda self, x: drop(self.conv(x), 1.0, self.training), conv=Conv()).train(training)
    ours = convert(theirs)
    x = np.ones(IMAGES, np.float32)
    for mode in (training, not training):
        assert ours.train(mode)(x).any() != mode


def test_layers_keep_their_names_and_looks():
    theirs = nn.Sequential()
    theirs.add_module("stem", nn.Conv2d(3, 4, 3, stride=2, bias=False))
    theirs.add_module("act", nn.LeakyReLU(0.2, inplace=True))
    ours = convert(theirs)
    assert repr(ours) == (
        "Sequential(\n    (stem): Conv2d(3, 4, 3, stride=2, bias=False)\n    (act): LeakyReLU(negative_slope=0.2)\n)"
    )
    assert ours.stem.weight.data.dtype == np.float32


def test_an_error_in_a_converted_model_says_where():
    ours = convert(nn.Sequential(Conv(), forward(residual, conv=Conv(4, 2))))
    with pytest.raises(nc.ShapeError, match=r"^in 1: Add"):
        ours(np.zeros(IMAGES, np.float32))
    with pytest.raises(nc.ShapeError, match=r"^in conv: .*expected 4 input channels, got 3"):
        ours[1](np.zeros((1, 3, 4, 4), np.float32))
