"""Conversions: a torch module and what it becomes agree, whatever its forward does."""

import copy
from dataclasses import astuple

import numpy as np
import pytest
import torch
from conversions import IMAGES, Conv, check, forward
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
from parity import twins
from parity.bridge import convert
from parity.conversion import agreement

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
