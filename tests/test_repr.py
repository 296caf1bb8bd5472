"""Looks: what a layer shows is the call that makes it."""

import pytest
from small_net import Net

import numpycnn as nc

CALLS = [
    "Conv2d(3, 6, 3)",
    "Conv2d(3, 6, (3, 5), stride=(1, 2), padding=1, dilation=2, groups=3)",
    "Conv2d(3, 6, 3, padding='same', bias=False, padding_mode='reflect')",
    "ConvTranspose2d(3, 6, 3)",
    "ConvTranspose2d(3, 6, (3, 5), stride=(2, 3), padding=1, output_padding=1, groups=3, bias=False, dilation=2)",
    "Upsample(size=7)",
    "Upsample(size=(7, 9), mode='bilinear', align_corners=True)",
    "Upsample(scale_factor=2.0)",
    "Upsample(scale_factor=(1.0, 2.5))",
    "MaxPool2d(2)",
    "MaxPool2d((3, 2), stride=2, padding=1, return_indices=True, ceil_mode=True)",
    "AvgPool2d(2)",
    "AvgPool2d(3, stride=(2, 1), padding=1, count_include_pad=False, divisor_override=4)",
    "AdaptiveAvgPool2d(7)",
    "AdaptiveMaxPool2d((None, 2), return_indices=True)",
    "Linear(256, 120)",
    "Linear(256, 120, bias=False)",
    "Flatten()",
    "Unflatten(1, (2, -1))",
    "Reshape((-1, 400))",
    "Reshape((3, 3))",
    "Unsqueeze(-1)",
    "Squeeze(2)",
    "Pad((1, 1))",
    "Pad((0, 1, 0, 1, -2, -2), value=-1.0)",
    "Select(1, 0)",
    "Slice(1)",
    "Slice(-1, start=1, end=-1, step=2)",
    "Chunk(2, 1)",
    "Chunk(3, 0, dim=1)",
    "Mean(1)",
    "Mean((2, 3), keepdim=True)",
    "Affine()",
    "Affine(scale=0.5, shift=-1.0)",
    "Flatten(start_dim=0, end_dim=2)",
    "Identity()",
    "ReLU()",
    "LeakyReLU()",
    "LeakyReLU(negative_slope=0.2)",
    "PReLU()",
    "PReLU(num_parameters=3, init=0.5)",
    "Hardtanh()",
    "Hardtanh(min_val=0.0, max_val=2.0)",
    "ReLU6()",
    "Hardsigmoid()",
    "Hardswish()",
    "ELU()",
    "ELU(alpha=0.5)",
    "Softplus()",
    "Softplus(beta=2.0, threshold=6.0)",
    "SiLU()",
    "GELU()",
    "GELU(approximate='tanh')",
    "Sigmoid()",
    "Tanh()",
    "Softmax(1)",
    "LogSoftmax(-1)",
    "Dropout()",
    "Dropout(p=0.2)",
    "Dropout2d()",
    "Dropout2d(p=0.2)",
    "StochasticDepth(0.2, 'row')",
    "Permute((0, 2, 3, 1))",
    "ChannelShuffle(2)",
    "Scale((3, 1, 1))",
    "Scale((4, 4), init=0.5)",
    "BatchNorm2d(64)",
    "BatchNorm2d(64, eps=0.001, momentum=None, affine=False, track_running_stats=False)",
    "InstanceNorm2d(64)",
    "InstanceNorm2d(64, eps=0.001, momentum=None, affine=True, track_running_stats=True)",
    "GroupNorm(4, 64)",
    "GroupNorm(4, 64, eps=0.001, affine=False)",
    "LayerNorm((64,))",
    "LayerNorm((7, 7), eps=1e-06, elementwise_affine=False, bias=False)",
    "LocalResponseNorm(5)",
    "LocalResponseNorm(5, alpha=0.0002, beta=0.5, k=2.0)",
    "CrossEntropyLoss()",
    "CrossEntropyLoss(ignore_index=3, reduction='sum', label_smoothing=0.1)",
    "NLLLoss(reduction='none')",
    "MSELoss()",
]


@pytest.mark.parametrize("call", CALLS)
def test_repr_is_the_constructor_call_without_defaults(call):
    assert repr(eval(call, dict(vars(nc)))) == call


def test_every_leaf_has_its_repr_tested():
    composites = {"Layer", "Module", "Loss", "Sequential", "Add", "Multiply", "Concat", "Auxiliary", "Graph", "Block"}
    kinds = {
        name for name in nc.__all__ if isinstance(getattr(nc, name), type) and issubclass(getattr(nc, name), nc.Module)
    }
    assert {call.partition("(")[0] for call in CALLS} == kinds - composites


def test_repr_of_a_network_is_a_tree():
    assert repr(nc.Sequential(nc.Conv2d(1, 2, 3), nc.Add(nc.Identity(), nc.ReLU()))) == (
        "Sequential(\n    (0): Conv2d(1, 2, 3)\n    (1): Add(\n        (0): Identity()\n        (1): ReLU()\n    )\n)"
    )
    assert repr(Net()).startswith(
        "Net(\n    (head): Linear(8, 3)\n    (features): Sequential(\n        (0): Conv2d(2, 4, 3, padding=1)\n"
    )
