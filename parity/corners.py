"""The corner cases of each row, by name: what drawing rarely meets, or what a reader of golden vectors looks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .pair import Case

IMAGES, IMAGE, NO_IMAGES = (2, 3, 5, 6), (3, 5, 6), (0, 3, 5, 6)

KINDS = (np.isnan, np.isposinf, np.isneginf, np.isfinite)
TELLING: dict[str, Callable[[np.ndarray, np.ndarray], bool]] = {
    "nan_and_infinities": lambda x, dy: (
        all(of(x).any() for of in KINDS) and (dy.ndim == 0 or np.isinf(dy).mean() > 0.5)
    ),
    "nearly_all_nan": lambda x, dy: np.isnan(x).mean() > 0.8,
    "nearly_all_minus_infinity": lambda x, dy: np.isneginf(x).mean() > 0.8,
}
"""What x and dy must be for a case to deserve its name."""


def _windows(more: dict[str, Any], **kwargs: Any) -> dict[str, Case]:
    """Make what all layers with windows have: an odd image out, odd values, and then some."""
    return {
        "ties_and_zeros": Case(kwargs, IMAGES, values="integers"),
        "nan_and_infinities": Case(kwargs, IMAGES, values="corners"),
        "one_image_without_batch": Case(kwargs, IMAGE, batched=False),
        "empty_batch": Case(kwargs, NO_IMAGES),
        **{name: it if isinstance(it, Case) else Case(kwargs | it, IMAGES) for name, it in more.items()},
    }


def _numbers(**kwargs: Any) -> dict[str, Case]:
    """Make what all functions of numbers have."""
    return {
        "ties_and_zeros": Case(kwargs, (3, 4), values="integers"),
        "nan_and_infinities": Case(kwargs, (3, 5, 4), values="corners"),
        "large_numbers": Case(kwargs, (3, 4), values="large"),
        "one_sample_without_batch": Case(kwargs, (4,)),
        "empty_batch": Case(kwargs, (0, 4)),
    }


def _network(**kwargs: Any) -> dict[str, Case]:
    shape = (2, 2, 3, 4)
    return {"training": Case(kwargs, shape), "evaluation": Case(kwargs, shape, training=False)}


def _classes(**more: Case) -> dict[str, Case]:
    """Make what all losses on classes have."""
    return {
        "weighted": Case({"weight": [0.0, 0.25, 2.0, 3.0]}, (8, 4), "indices"),
        "ignored_labels": Case({"ignore_index": 1}, (6, 4), "indices"),
        "sum": Case({"reduction": "sum"}, (5, 4), "indices"),
        "none": Case({"reduction": "none"}, (5, 4), "indices"),
        "maps": Case({}, (2, 4, 2, 3), "indices"),
        "one_sample_without_batch": Case({}, (4,), "indices", batched=False),
        "one_class": Case({}, (3, 1), "indices"),
        "large_numbers": Case({}, (5, 4), "indices", values="large"),
        "nan_and_infinities": Case({}, (5, 4), "indices", values="corners"),
        "mean_of_an_empty_batch": Case({}, (0, 4), "indices"),
        **more,
    }


_conv = {"in_channels": 3, "out_channels": 4, "kernel_size": (3, 2)}
_inner = ("Sequential", [("Conv2d", {"in_channels": 2, "out_channels": 2, "kernel_size": 3, "padding": 1})])

CORNERS: dict[str, dict[str, Case]] = {
    "Conv2d": _windows(
        {
            "dilation": {"dilation": (2, 3)},
            "stride_with_a_rest": {"stride": (3, 4)},
            "groups": Case(_conv | {"in_channels": 4, "groups": 2}, (2, 4, 5, 6)),
            "depthwise": {"out_channels": 6, "groups": 3},
            "as_many_filters_as_channels": {"out_channels": _conv["in_channels"]},
            "same_with_an_even_kernel": {"kernel_size": (2, 4), "padding": "same"},
            "reflected": {"padding": (2, 1), "padding_mode": "reflect"},
            "replicated": {"padding": (2, 1), "padding_mode": "replicate"},
            "circular": {"padding": (2, 1), "padding_mode": "circular"},
            "padding_of_one_axis": {"padding": (0, 1)},
            "padding_wider_than_the_kernel": {"padding": 4},
            "kernel_as_large_as_the_image": {"kernel_size": (5, 6)},
            "one_by_one": {"kernel_size": 1},
            "no_bias": {"bias": False},
        },
        **_conv,
    ),
    "ConvTranspose2d": _windows(
        {
            "stride": {"stride": (2, 3)},
            "output_padding": {"stride": (3, 2), "output_padding": (2, 1)},
            "output_padding_below_the_dilation": {"dilation": 3, "output_padding": (2, 1)},
            "padding": {"stride": 2, "padding": (2, 1)},
            "depthwise": {"out_channels": 6, "groups": 3},
            "no_bias": {"bias": False},
        },
        **_conv,
    ),
    "Upsample": {
        "nearest": Case({"size": (8, 9)}, IMAGES, values="integers"),
        "nearest_smaller": Case({"size": (2, 4)}, IMAGES),
        "nearest_factors": Case({"scale_factor": (1.3, 2.7)}, IMAGES),
        "bilinear": Case({"size": (8, 3), "mode": "bilinear"}, IMAGES),
        "bilinear_factors": Case({"scale_factor": (1.3, 2.7), "mode": "bilinear"}, IMAGES),
        "aligned_corners": Case({"size": (8, 3), "mode": "bilinear", "align_corners": True}, IMAGES),
        "one_pixel": Case({"size": (2, 3), "mode": "bilinear"}, (1, 2, 1, 1)),
        "nan_and_infinities": Case({"size": (8, 9)}, IMAGES, values="corners"),
        "bilinear_nan": Case({"size": (8, 9), "mode": "bilinear"}, IMAGES, values="nan"),
        "empty_batch": Case({"size": 4}, NO_IMAGES),
    },
    "MaxPool2d": _windows(
        {
            "padded_maxima": {"kernel_size": 2, "stride": 1, "padding": 1},  # negative ones at the corners
            "padding_of_one_axis": {"padding": (0, 1)},
            "padded_ties": Case({"kernel_size": 3, "padding": 1}, IMAGES, values="integers"),
            "nearly_all_nan": Case({"kernel_size": 3, "stride": 1}, IMAGES, values="corners"),
            "nearly_all_minus_infinity": Case({"kernel_size": 3, "stride": 1}, IMAGES, values="corners"),
            "ceil_mode": {"kernel_size": 2, "stride": (2, 3), "ceil_mode": True},
            "dilation": {"dilation": (1, 2), "stride": 1},
            "gaps": {"kernel_size": 1, "stride": (2, 3)},
        },
        kernel_size=3,
        stride=(1, 2),
        return_indices=True,
    ),
    "AvgPool2d": _windows(
        {
            "padding_counted": {"padding": 1},
            "padding_not_counted": {"padding": 1, "count_include_pad": False},
            "ceil_mode": {"stride": 3, "padding": 1, "ceil_mode": True},
            "ceil_mode_padding_not_counted": {"stride": 3, "padding": 1, "ceil_mode": True, "count_include_pad": False},
            "divisor": {"divisor_override": 4},
            "overlapping": {"stride": (2, 1)},
        },
        kernel_size=(2, 3),
    ),
    "AdaptiveMaxPool2d": _windows(
        {"overlapping": {"output_size": (3, 4)}, "enlarged": {"output_size": (7, 8)}, "one": {"output_size": 1}},
        output_size=(2, None),
        return_indices=True,
    ),
    "AdaptiveAvgPool2d": _windows(
        {"overlapping": {"output_size": (3, 4)}, "enlarged": {"output_size": (7, 8)}, "one": {"output_size": 1}},
        output_size=(2, None),
    ),
    "Linear": _numbers(in_features=4, out_features=3)
    | {
        "no_bias": Case({"in_features": 4, "out_features": 3, "bias": False}, (2, 3, 4)),
        "as_many_outputs_as_inputs": Case({"in_features": 4, "out_features": 4}, (5, 4)),
    },
    "Flatten": {
        "images": Case({}, IMAGES),
        "in_the_middle": Case({"start_dim": -3, "end_dim": -2}, IMAGES),
        "batch_and_all": Case({"start_dim": 0}, IMAGES),
        "empty_batch": Case({}, NO_IMAGES),
    },
    "Permute": {
        "channels_last": Case({"dims": [0, 2, 3, 1]}, IMAGES),
        "from_the_back": Case({"dims": [-1, 0, -2]}, (2, 3, 4)),
        "empty_batch": Case({"dims": [0, 2, 3, 1]}, NO_IMAGES),
    },
    "ChannelShuffle": {
        "images": Case({"groups": 2}, (2, 6, 3, 4)),
        "groups_of_one": Case({"groups": 3}, (2, 3, 4)),
    },
    "Identity": _numbers(),
    "Dropout": _numbers(p=0.4)
    | {
        "nothing_dropped": Case({"p": 0.0}, (3, 4)),
        "all_dropped": Case({"p": 1.0}, (3, 4)),
        "evaluation": Case({"p": 0.4}, (3, 4), training=False),
    },
    "Dropout2d": {
        "training": Case({"p": 0.4}, (4, 3, 2, 5)),
        "evaluation": Case({"p": 0.4}, IMAGES, training=False),
    },
    "StochasticDepth": {
        "row": Case({"p": 0.4, "mode": "row"}, (6, 2, 3)),
        "batch": Case({"p": 0.4, "mode": "batch"}, (6, 2, 3)),
        "evaluation": Case({"p": 0.4, "mode": "row"}, (6, 2, 3), training=False),
    },
    "Scale": {
        "channels": Case({"shape": [3, 1, 1]}, IMAGES),
        "columns": Case({"shape": [1, 6], "init": 0.5}, IMAGES),
    },
    "BatchNorm2d": {
        "training": Case({"num_features": 3}, IMAGES),
        "evaluation": Case({"num_features": 3}, IMAGES, training=False),
        "two_numbers_a_channel": Case({"num_features": 3}, (2, 3, 1, 1)),
        "average_of_all_batches": Case({"num_features": 3, "momentum": None}, IMAGES),
        "not_affine": Case({"num_features": 3, "affine": False}, IMAGES),
        "no_running_statistics": Case({"num_features": 3, "track_running_stats": False}, IMAGES, training=False),
        "large_numbers": Case({"num_features": 3}, IMAGES, values="large"),
        "nan_and_infinities": Case({"num_features": 3}, IMAGES, values="corners"),
        "empty_batch": Case({"num_features": 3}, NO_IMAGES),
    },
    "InstanceNorm2d": {
        "images": Case({"num_features": 3}, IMAGES),
        "affine": Case({"num_features": 3, "affine": True}, IMAGES),
        "one_image_without_batch": Case({"num_features": 3, "affine": True}, IMAGE, batched=False),
        "evaluation": Case({"num_features": 3}, IMAGES, training=False),
        "running_statistics": Case({"num_features": 3, "track_running_stats": True}, IMAGES),
        "running_statistics_used": Case({"num_features": 3, "track_running_stats": True}, IMAGES, training=False),
        "large_numbers": Case({"num_features": 3}, IMAGES, values="large"),
    },
    "GroupNorm": {
        "images": Case({"num_groups": 2, "num_channels": 6}, (2, 6, 3, 4)),
        "features": Case({"num_groups": 2, "num_channels": 6}, (3, 6)),
        "one_group": Case({"num_groups": 1, "num_channels": 3}, IMAGES),
        "not_affine": Case({"num_groups": 3, "num_channels": 6, "affine": False}, (2, 6, 3)),
        "empty_batch": Case({"num_groups": 3, "num_channels": 3}, NO_IMAGES),
    },
    "LayerNorm": {
        "features": Case({"normalized_shape": 4}, (3, 4)),
        "images": Case({"normalized_shape": [3, 5, 6]}, IMAGES),
        "no_bias": Case({"normalized_shape": [5, 6], "bias": False}, IMAGES),
        "not_affine": Case({"normalized_shape": 4, "elementwise_affine": False}, (2, 3, 4)),
        "equal_numbers": Case({"normalized_shape": 1}, (3, 1)),
        "large_numbers": Case({"normalized_shape": 4}, (3, 4), values="large"),
        "empty_batch": Case({"normalized_shape": 6}, NO_IMAGES),
    },
    "LocalResponseNorm": _windows(
        {"even_size": {"size": 2}, "wider_than_the_channels": {"size": 7}, "square": {"beta": 2.0, "k": 2.0}},
        size=3,
        alpha=0.5,
    ),
    "ReLU": _numbers(),
    "LeakyReLU": _numbers()
    | {
        f"slope_{name}": Case({"negative_slope": slope}, (3, 4))
        for name, slope in (("below_0", -0.5), ("above_1", 1.5))
    },
    "PReLU": _numbers() | {"channels": Case({"num_parameters": 3}, (2, 3, 4, 3))},
    "Hardtanh": _numbers() | {"other_bounds": Case({"min_val": -0.5, "max_val": 2}, (3, 4), values="integers")},
    "ReLU6": _numbers(),
    "Hardsigmoid": _numbers(),
    "Hardswish": _numbers(),
    "ELU": _numbers() | {"alpha": Case({"alpha": 0.5}, (3, 4), values="integers")},
    "Softplus": _numbers() | {"sharp": Case({"beta": 2.0, "threshold": 2.0}, (3, 4), values="integers")},
    "SiLU": _numbers(),
    "GELU": _numbers() | {"approximate": Case({"approximate": "tanh"}, (3, 4))},
    "Sigmoid": _numbers(),
    "Tanh": _numbers(),
    "Softmax": _numbers(dim=-1) | {"channels": Case({"dim": 1}, IMAGES)},
    "LogSoftmax": _numbers(dim=-1) | {"channels": Case({"dim": 1}, IMAGES)},
    "Sequential": _network(layers=[*_inner[1], ("BatchNorm2d", {"num_features": 2, "eps": 1.0}), ("ReLU", {})]),
    "Add": _network(layers=[("Tanh", {}), _inner, ("Identity", {})]),
    "Multiply": _network(
        layers=[("ReLU", {}), ("Sequential", [*_inner[1], ("AdaptiveAvgPool2d", {"output_size": 1})])]
    ),
    "Concat": _network(layers=[("Conv2d", _conv | {"in_channels": 2, "padding": "same"}), ("Identity", {})]),
    "Graph": _network(
        nodes=[
            ("a", "Sequential", [*_inner[1], ("BatchNorm2d", {"num_features": 2, "eps": 1.0})], "x"),
            ("b", "Add", [("Identity", {}), ("Tanh", {})], "x", "a"),
            ("c", "again", "a", "b"),
            ("y", "Concat", [("Identity", {}), ("ReLU", {}), ("Identity", {})], "a", "c", "b"),
        ]
    ),
    "Block": _network(channels=2),
    "CrossEntropyLoss": _classes(
        smoothed=Case({"label_smoothing": 0.1, "ignore_index": 1}, (8, 4), "indices"),
        probabilities=Case({}, (5, 4), "probabilities"),
        probabilities_smoothed=Case({"label_smoothing": 0.1}, (5, 4), "probabilities"),
    ),
    "NLLLoss": _classes(),
    "MSELoss": {
        "mean": Case({}, (3, 4), "values"),
        "sum": Case({"reduction": "sum"}, (3, 4), "values"),
        "none": Case({"reduction": "none"}, (3, 4), "values"),
        "one_number": Case({}, (), "values", batched=False),
        "large_numbers": Case({}, (3, 4), "values", values="large"),
        "nan_and_infinities": Case({}, (3, 4), "values", values="corners"),
        "mean_of_an_empty_batch": Case({}, (0, 4), "values"),
    },
    "LeNet": {"two_images": Case({}, (2, 1, 28, 28)), "three_classes": Case({"num_classes": 3}, (1, 1, 28, 28))},
    "LeNet5": {"two_images": Case({}, (2, 1, 32, 32)), "rectified": Case({"activation": "ReLU"}, (1, 1, 32, 32))},
}
