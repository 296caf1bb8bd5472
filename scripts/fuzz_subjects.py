"""What is fuzzed: every public class and function, with arguments that are right, and shapes that it takes."""

from __future__ import annotations

from typing import Any

import numpy as np

import numpycnn as nc

Right = dict[str, list[Any]]
IMAGES = [(2, 4, 6, 5), (4, 6, 5), (1, 4, 9, 9), (0, 4, 6, 5)]
ANY = [(2, 4, 6, 5), (3, 4), (5,), (), (0, 3), (2, 3, 4)]
DTYPE = [np.float32, np.float64, "float32"]
TYPED: Right = {"dtype": DTYPE}
DRAWN: Right = {"dtype": DTYPE, "rng": [0, np.random.default_rng(0)]}
BLOCK: Right = {"inplanes": [4], "planes": [4], "stride": [1, 2], "groups": [1], "base_width": [64], "dilation": [1]}
NORM: Right = {"eps": [1e-5], "affine": [True, False], **TYPED}
FLAGS: Right = {"ceil_mode": [False, True]}

LAYERS: dict[str, tuple[Right, list[tuple[int, ...]]]] = {
    "AdaptiveAvgPool2d": ({"output_size": [2, (1, 3), (None, 2)]}, IMAGES),
    "AdaptiveMaxPool2d": ({"output_size": [2, (1, 3), (None, 2)], "return_indices": [False]}, IMAGES),
    "Affine": ({"scale": [2.0], "shift": [1.0]}, ANY),
    "AvgPool2d": (
        {"kernel_size": [2, (3, 2)], "stride": [None, 1, 2], "padding": [0, 1], **FLAGS}
        | {"count_include_pad": [True, False], "divisor_override": [None, 3]},
        IMAGES,
    ),
    "BatchNorm2d": (
        {"num_features": [4], "momentum": [0.1, None], "track_running_stats": [True, False], **NORM},
        IMAGES,
    ),
    "ChannelShuffle": ({"groups": [2, 4]}, IMAGES),
    "Chunk": ({"chunks": [2, 3], "index": [0, 1], "dim": [0, 1, -1]}, ANY),
    "Conv2d": (
        {"in_channels": [4], "out_channels": [2, 6], "kernel_size": [1, 3, (3, 2)], "stride": [1, 2], **DRAWN}
        | {"padding": [0, 1, "same", (1, 2)], "dilation": [1, 2], "groups": [1, 2], "bias": [True, False]}
        | {"padding_mode": ["zeros", "reflect", "replicate", "circular"]},
        IMAGES,
    ),
    "ConvTranspose2d": (
        {"in_channels": [4], "out_channels": [2, 6], "kernel_size": [1, 3, (3, 2)], "stride": [1, 2], **DRAWN}
        | {"padding": [0, 1], "output_padding": [0, 1], "groups": [1, 2], "bias": [True, False], "dilation": [1, 2]}
        | {"padding_mode": ["zeros"]},
        IMAGES,
    ),
    "Dropout": ({"p": [0.5, 0.0, 1.0], "rng": [0]}, ANY),
    "Dropout2d": ({"p": [0.5, 0.0, 1.0], "rng": [0]}, IMAGES),
    "ELU": ({"alpha": [1.0, 2.0]}, ANY),
    "Flatten": ({"start_dim": [1, 0], "end_dim": [-1]}, ANY),
    "GELU": ({"approximate": ["none", "tanh"]}, ANY),
    "GroupNorm": ({"num_groups": [2], "num_channels": [4], **NORM}, IMAGES),
    "Hardsigmoid": ({}, ANY),
    "Hardswish": ({}, ANY),
    "Hardtanh": ({"min_val": [-1.0], "max_val": [1.0]}, ANY),
    "Identity": ({}, ANY),
    "InstanceNorm2d": (
        {"num_features": [4], "momentum": [0.1, None], "track_running_stats": [True, False], **NORM},
        IMAGES,
    ),
    "LayerNorm": (
        {
            "normalized_shape": [5, (6, 5), [5]],
            "eps": [1e-5],
            "elementwise_affine": [True, False],
            "bias": [True, False],
        }
        | TYPED,
        [*IMAGES, (3, 5)],
    ),
    "LeakyReLU": ({"negative_slope": [0.01]}, ANY),
    "Linear": (
        {"in_features": [5], "out_features": [3, 0], "bias": [True, False], **DRAWN},
        [(2, 5), (5,), (0, 5), (2, 3, 5)],
    ),
    "LocalResponseNorm": ({"size": [3, 4], "alpha": [1e-4], "beta": [0.75], "k": [1.0]}, IMAGES),
    "LogSoftmax": ({"dim": [0, 1, -1]}, ANY),
    "MaxPool2d": (
        {"kernel_size": [2, (3, 2)], "stride": [None, 1, 2], "padding": [0, 1], "dilation": [1, 2], **FLAGS}
        | {"return_indices": [False]},
        IMAGES,
    ),
    "Mean": ({"dim": [0, (1, 2), -1], "keepdim": [False, True]}, ANY),
    "PReLU": ({"num_parameters": [1, 4], "init": [0.25], **TYPED}, ANY),
    "Pad": ({"pad": [(1, 2), (1, -1, 0, 2)], "value": [0.0, 1.0]}, ANY),
    "Permute": ({"dims": [(1, 0), (0, 2, 3, 1), (2, 1, 0)]}, ANY),
    "ReLU": ({}, ANY),
    "ReLU6": ({}, ANY),
    "Reshape": ({"shape": [(-1,), (12,), (0, 3), (2, -1)]}, ANY),
    "Scale": ({"shape": [(5,), (4, 1, 1), ()], "init": [1.0], **TYPED}, ANY),
    "Select": ({"dim": [0, 1, -1], "index": [0, -1]}, ANY),
    "SiLU": ({}, ANY),
    "Sigmoid": ({}, ANY),
    "Slice": ({"dim": [0, 1], "start": [0, 1, -2], "end": [None, 3], "step": [1, 2]}, ANY),
    "Softmax": ({"dim": [0, 1, -1]}, ANY),
    "Softplus": ({"beta": [1.0], "threshold": [20.0]}, ANY),
    "Squeeze": ({"dim": [0, -1]}, ANY),
    "StochasticDepth": ({"p": [0.5, 0.0, 1.0], "mode": ["row", "batch"], "rng": [0]}, ANY),
    "Tanh": ({}, ANY),
    "Unflatten": ({"dim": [0, 1, -1], "unflattened_size": [(2, 2), (2, -1), (-1,)]}, ANY),
    "Unsqueeze": ({"dim": [0, 1, -1]}, ANY),
    "Upsample": (
        {"size": [None, 3, (2, 7)], "scale_factor": [None, 2, (1.5, 2.0)], "mode": ["nearest", "bilinear"]}
        | {"align_corners": [None, True]},
        IMAGES,
    ),
}

MODELS: dict[str, tuple[Right, list[tuple[int, ...]]]] = {
    "LeNet": ({"num_classes": [3], **DRAWN}, [(2, 1, 28, 28)]),
    "LeNet5": ({"num_classes": [3], "activation": [nc.Tanh, nc.ReLU], **DRAWN}, [(2, 1, 32, 32)]),
    "BasicBlock": ({**BLOCK, "downsample": [None, nc.Conv2d(4, 4, 1, stride=2)], **DRAWN}, [(2, 4, 6, 6)]),
    "Bottleneck": ({**BLOCK, "downsample": [None, nc.Conv2d(4, 16, 1)], **DRAWN}, [(2, 4, 6, 6)]),
    "BasicConv2d": ({"in_channels": [4], "out_channels": [3], "kernel_size": [3], **DRAWN}, IMAGES),
    "Fire": (
        {"inplanes": [4], "squeeze_planes": [2], "expand1x1_planes": [3], "expand3x3_planes": [3], **DRAWN},
        IMAGES,
    ),
    "Inception": (
        {
            "in_channels": [4],
            "ch1x1": [2],
            "ch3x3red": [2],
            "ch3x3": [2],
            "ch5x5red": [2],
            "ch5x5": [2],
            "pool_proj": [2],
        }
        | {"conv_block": [None], **DRAWN},
        IMAGES,
    ),
    "InceptionAux": (
        {"in_channels": [4], "num_classes": [3], "conv_block": [None], "dropout": [0.7], **DRAWN},
        [(1, 4, 14, 14)],
    ),
}
LARGE: dict[str, Right] = {
    "AlexNet": {"num_classes": [2], "dropout": [0.5]},
    "AlexNet2012": {"num_classes": [2], "dropout": [0.5]},
    "GoogLeNet": {"num_classes": [2], "aux_logits": [False], "transform_input": [False], "init_weights": [False]}
    | {"blocks": [None], "dropout": [0.2], "dropout_aux": [0.7]},
    "ResNet": {"block": [nc.models.BasicBlock], "layers": [(1, 1, 1, 1), [1, 1, 1, 1]], "num_classes": [2]}
    | {"zero_init_residual": [False, True], "groups": [1], "width_per_group": [64]}
    | {"replace_stride_with_dilation": [None], "norm_layer": [None]},
    "SqueezeNet": {"version": ["1_0", "1_1"], "num_classes": [2], "dropout": [0.5]},
    "VGG": {"features": [nc.Identity()], "num_classes": [2], "init_weights": [False], "dropout": [0.5]},
}
"""Networks of many weights: built, with mostly wrong arguments, and not run; by their functions too."""

LOSSES: dict[str, Right] = {
    "CrossEntropyLoss": {"weight": [None, np.ones(4)], "ignore_index": [-100, 1], "reduction": ["mean", "sum", "none"]}
    | {"label_smoothing": [0.0, 0.1]},
    "MSELoss": {"reduction": ["mean", "sum", "none"]},
    "NLLLoss": {"weight": [None, np.ones(4)], "ignore_index": [-100, 1], "reduction": ["mean", "sum", "none"]},
}

TRANSFORMS: dict[str, Right] = {
    "CenterCrop": {"size": [3, (2, 7)]},
    "Compose": {"transforms": [[nc.transforms.CenterCrop(3)], [lambda images: images + 1]]},
    "Normalize": {"mean": [0.5, (0.1, 0.2, 0.3, 0.4)], "std": [0.5, [0.1, 0.2, 0.3, 0.4]]},
    "PCAColorShift": {"eigenvalues": [np.ones(4)], "eigenvectors": [np.eye(4)], "std": [0.1]},
    "Pad": {"padding": [1, (1, 2), (1, 2, 3, 0)], "fill": [0, (1, 2, 3, 4)]}
    | {"padding_mode": ["constant", "edge", "reflect", "symmetric"]},
    "RandomAffine": {"degrees": [10, (-5, 90)], "translate": [None, (0.1, 0.2)], "scale": [None, (0.5, 2)]}
    | {
        "shear": [None, 10, (1, 2), (1, 2, 3, 4)],
        "interpolation": ["nearest", "bilinear"],
        "fill": [0],
        "center": [None, (1, 2)],
    },
    "RandomCrop": {"size": [3, (2, 7)], "padding": [None, 1, (1, 2)], "pad_if_needed": [False, True], "fill": [0]}
    | {"padding_mode": ["constant", "edge"]},
    "RandomHorizontalFlip": {"p": [0.5, 0.0, 1.0]},
}

OPTIMIZERS: dict[str, Right] = {
    "SGD": {"lr": [0.1], "momentum": [0, 0.9], "dampening": [0], "weight_decay": [0, 0.1], "nesterov": [False, True]},
    "Adam": {"lr": [0.1], "betas": [(0.9, 0.999)], "eps": [1e-8], "weight_decay": [0, 0.1], "amsgrad": [False, True]},
    "AdamW": {"lr": [0.1], "betas": [(0.9, 0.999)], "eps": [1e-8], "weight_decay": [0, 0.1], "amsgrad": [False, True]},
}
SCHEDULES: dict[str, Right] = {
    "StepLR": {"step_size": [2], "gamma": [0.1]},
    "MultiStepLR": {"milestones": [[1, 3]], "gamma": [0.1]},
    "CosineAnnealingLR": {"T_max": [3], "eta_min": [0.0]},
}

FUNCTIONS: dict[str, Right] = {
    "output_size": {
        "input_size": [9, (9, 8)],
        "kernel_size": [3],
        "stride": [1],
        "padding": [0, 1],
        "dilation": [1],
        **FLAGS,
    },
    "conv2d_num_parameters": {
        "in_channels": [4],
        "out_channels": [2],
        "kernel_size": [3],
        "groups": [1, 2],
        "bias": [True],
    },
    "fixed_input": {"shape": [(2, 3), [4], ()], "dtype": DTYPE},
    "Parameter": {"data": [np.ones(3), np.ones((2, 2), np.float32)]},
    "Buffer": {"data": [np.ones(3), np.array(0)]},
}
