"""Cases, drawn by hypothesis: built backwards from the output's size, so that none has to be rejected."""

from .features import (
    along_axis,
    batch_norm,
    elementwise,
    group_norm,
    images,
    instance_norm,
    layer_norm,
    linear,
    local_response_norm,
    prelu,
    scale,
    stochastic_depth,
)
from .losses import classification, regression
from .moves import channel_shuffle, chunk, flatten, mean, permute, reshape, select, slices, unflatten, unsqueeze
from .networks import auxiliary, container, famous, graph, image_block, image_model, residual
from .optimizers import optimizer, schedule
from .pieces import sides
from .windows import PADDING_MODES, adaptive_pool2d, conv2d, conv_transpose2d, pool2d, upsample

__all__ = [
    "PADDING_MODES",
    "adaptive_pool2d",
    "along_axis",
    "auxiliary",
    "batch_norm",
    "channel_shuffle",
    "chunk",
    "classification",
    "container",
    "conv2d",
    "conv_transpose2d",
    "elementwise",
    "famous",
    "flatten",
    "graph",
    "group_norm",
    "image_block",
    "image_model",
    "images",
    "instance_norm",
    "layer_norm",
    "linear",
    "local_response_norm",
    "mean",
    "optimizer",
    "permute",
    "pool2d",
    "prelu",
    "regression",
    "reshape",
    "residual",
    "scale",
    "schedule",
    "select",
    "sides",
    "slices",
    "stochastic_depth",
    "unflatten",
    "unsqueeze",
    "upsample",
]
