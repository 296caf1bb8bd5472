"""Rows: whole networks."""

from functools import partial

import torchvision
from hypothesis import strategies as st
from torch import nn
from torchvision.models.googlenet import BasicConv2d, Inception, InceptionAux

import numpycnn as nc

from .. import ours, slim, strategies, twins
from ..pair import Pair
from .table import table

DEEP = "many layers of weights of order 1 magnify each other's roundings"

_classes = st.integers(1, 5)
_dropout = st.sampled_from([0.4, 0.0])
_few = st.integers(1, 2)
_layers = st.sampled_from([(1, 1, 1, 1), (1, 2, 1, 1), (2, 1, 1, 2)])
_stages = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=3), min_size=1, max_size=3)

_RESIDUAL_IMAGES = ((3, 64, 64), (3, 64, 90))

MODELS = table(
    Pair(
        "LeNet",
        nc.models.LeNet,
        twins.LeNet,
        strategies.image_model((1, 28, 28), num_classes=st.integers(1, 12)),
        ulps=4096,
        reason="five layers of weights of order 1 magnify each other's roundings",
    ),
    Pair(
        "LeNet5",
        ours.constructor("LeNet5"),
        twins.lenet5,
        strategies.image_model((1, 32, 32), activation=st.sampled_from(["Tanh", "Sigmoid", "ReLU"])),
        ulps=4096,
        reason="five layers of weights of order 1 magnify each other's roundings",
    ),
    Pair(
        "AlexNet",
        ours.constructor("AlexNet"),
        partial(twins.small, torchvision.models.AlexNet, 256 * 6 * 6),
        strategies.famous((3, 63, 63), (3, 63, 96), num_classes=_classes, dropout=_dropout),
        ulps=4096,
        reason=DEEP,
        cost=100,
    ),
    Pair(
        "AlexNet2012",
        ours.constructor("AlexNet2012"),
        partial(twins.small, twins.AlexNet2012, 256),
        strategies.famous((3, 67, 67), (3, 67, 70), num_classes=_classes, dropout=_dropout),
        ulps=4096,
        reason=DEEP,
        cost=100,
    ),
    Pair(
        "VGG",
        ours.constructor("VGG"),
        twins.vgg,
        strategies.famous(
            (3, 8, 8), (3, 15, 22), stages=_stages, batch_norm=st.booleans(), num_classes=_classes, dropout=_dropout
        ),
        ulps=1 << 14,
        reason=DEEP,
        cost=25,
    ),
    Pair(
        "BasicBlock",
        ours.constructor("BasicBlock"),
        partial(slim.residual_block, torchvision.models.resnet.BasicBlock, nn),
        strategies.image_block("inplanes", planes=_few, stride=st.integers(1, 2)),
        ulps=1 << 14,
        reason=DEEP,
        cost=5,
    ),
    Pair(
        "Bottleneck",
        ours.constructor("Bottleneck"),
        partial(slim.residual_block, torchvision.models.resnet.Bottleneck, nn),
        strategies.image_block(
            "inplanes",
            planes=_few,
            stride=st.integers(1, 2),
            groups=st.integers(1, 2),
            base_width=st.sampled_from([64, 128]),
            dilation=st.integers(1, 2),
        ),
        ulps=1 << 14,
        reason=DEEP,
        cost=5,
    ),
    Pair(
        "ResNet",
        ours.constructor("ResNet"),
        twins.resnet,
        strategies.famous(
            *_RESIDUAL_IMAGES,
            block=st.just("Bottleneck"),
            layers=_layers,
            num_classes=_classes,
            groups=st.integers(1, 2),
            width_per_group=st.sampled_from([4, 8]),
            replace_stride_with_dilation=st.sampled_from([None, (False, True, True)]),
        )
        | strategies.famous(*_RESIDUAL_IMAGES, block=st.just("BasicBlock"), layers=_layers, num_classes=_classes),
        ulps=1 << 14,
        reason=DEEP,
        cost=100,
    ),
    Pair(
        "Fire",
        nc.models.Fire,
        torchvision.models.squeezenet.Fire,
        strategies.image_block(
            "inplanes",
            squeeze_planes=st.integers(1, 3),
            expand1x1_planes=st.integers(1, 3),
            expand3x3_planes=st.integers(1, 3),
        ),
        ulps=256,
        reason="two layers of weights of order 1, one after the other",
        cost=5,
    ),
    Pair(
        "SqueezeNet",
        ours.constructor("SqueezeNet"),
        partial(twins.unfilled, torchvision.models.SqueezeNet),
        strategies.famous(
            *((3, 66, 51), (3, 58, 64)),
            version=st.sampled_from(["1_0", "1_1"]),
            num_classes=_classes,
            dropout=_dropout,
        ),
        ulps=1 << 14,
        reason=DEEP,
        cost=25,
    ),
    Pair(
        "BasicConv2d",
        nc.models.BasicConv2d,
        BasicConv2d,
        strategies.image_block(
            "in_channels", out_channels=_few, kernel_size=st.integers(1, 3), stride=_few, padding=st.integers(0, 1)
        ),
        ulps=4096,
        reason="a channel of nearly equal numbers is divided by sqrt(eps), which magnifies its roundings",
        cost=5,
    ),
    Pair(
        "Inception",
        nc.models.Inception,
        Inception,
        strategies.image_block(
            "in_channels",
            **{f"ch{kernel}": _few for kernel in ("1x1", "3x3red", "3x3", "5x5red", "5x5")},
            pool_proj=_few,
        ),
        ulps=1 << 14,
        reason=DEEP,
        cost=5,
    ),
    Pair(
        "InceptionAux",
        nc.models.InceptionAux,
        InceptionAux,
        strategies.image_block("in_channels", num_classes=_classes, dropout=_dropout),
        ulps=1 << 14,
        reason=DEEP,
        cost=25,
    ),
    Pair(
        "GoogLeNet",
        ours.constructor("GoogLeNet"),
        twins.googlenet,
        strategies.famous(
            *((3, 64, 64), (3, 68, 90)),
            batch=4,
            num_classes=_classes,
            aux_logits=st.sampled_from([True, False]),
            transform_input=st.booleans(),
            dropout=_dropout,
            dropout_aux=_dropout,
        ),
        ulps=1e6,
        reason="twenty batch normalisations after one another, some of a few numbers that are all but equal",
        cost=50,
    ),
)
