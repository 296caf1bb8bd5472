"""Convolutional networks written by hand in NumPy, every piece held against PyTorch.

Layers, losses and containers carry PyTorch's names (``numpycnn.Conv2d``), optimizers are in
``numpycnn.optim``, networks in ``numpycnn.models``, what trains them in ``numpycnn.training``, data
augmentation in ``numpycnn.transforms``. Importing needs NumPy and nothing else.
"""

from . import models, optim, training, transforms
from .anatomy.receptive_field import receptive_field
from .anatomy.summary import summary
from .kernels.parallel import get_num_threads, set_num_threads
from .kernels.switch import is_winograd_enabled, winograd
from .layers.adaptive_pool import AdaptiveAvgPool2d, AdaptiveMaxPool2d
from .layers.affine import Affine
from .layers.auxiliary import Auxiliary
from .layers.batchnorm import BatchNorm2d
from .layers.branches import Add, Concat, Multiply
from .layers.containers import Block, Sequential
from .layers.conv import Conv2d
from .layers.conv_transpose import ConvTranspose2d
from .layers.cross_entropy import CrossEntropyLoss
from .layers.dropout import Dropout, Dropout2d, StochasticDepth
from .layers.elu import ELU, Softplus
from .layers.errors import DtypeError, LayerError, ShapeError, StateError
from .layers.files import ModelFileError, fixed_input, load
from .layers.flatten import Flatten, Identity
from .layers.gated import GELU, SiLU
from .layers.grad_mode import is_grad_enabled, no_grad
from .layers.graph import Graph
from .layers.groupnorm import GroupNorm
from .layers.hard import Hardsigmoid, Hardswish, Hardtanh, ReLU6
from .layers.instancenorm import InstanceNorm2d
from .layers.layer import Layer
from .layers.layernorm import LayerNorm
from .layers.linear import Linear
from .layers.local_response_norm import LocalResponseNorm
from .layers.loss import Loss
from .layers.mean import Mean
from .layers.module import Module
from .layers.mse_loss import MSELoss
from .layers.nll_loss import NLLLoss
from .layers.pad import Pad
from .layers.parameter import Buffer, Parameter
from .layers.parts import Chunk, Select, Slice
from .layers.permute import ChannelShuffle, Permute
from .layers.pool import AvgPool2d, MaxPool2d
from .layers.relu import LeakyReLU, PReLU, ReLU
from .layers.reshape import Reshape, Squeeze, Unflatten, Unsqueeze
from .layers.scale import Scale
from .layers.sigmoid import Sigmoid, Tanh
from .layers.sizes import conv2d_num_parameters, output_size
from .layers.softmax import LogSoftmax, Softmax
from .layers.upsample import Upsample

__version__ = "0.1.0"

__all__ = [
    "ELU",
    "GELU",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "Add",
    "Affine",
    "Auxiliary",
    "AvgPool2d",
    "BatchNorm2d",
    "Block",
    "Buffer",
    "ChannelShuffle",
    "Chunk",
    "Concat",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout2d",
    "DtypeError",
    "Flatten",
    "Graph",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "InstanceNorm2d",
    "Layer",
    "LayerError",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LogSoftmax",
    "Loss",
    "MSELoss",
    "MaxPool2d",
    "Mean",
    "ModelFileError",
    "Module",
    "Multiply",
    "NLLLoss",
    "PReLU",
    "Pad",
    "Parameter",
    "Permute",
    "ReLU",
    "ReLU6",
    "Reshape",
    "Scale",
    "Select",
    "Sequential",
    "ShapeError",
    "SiLU",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softplus",
    "Squeeze",
    "StateError",
    "StochasticDepth",
    "Tanh",
    "Unflatten",
    "Unsqueeze",
    "Upsample",
    "conv2d_num_parameters",
    "fixed_input",
    "get_num_threads",
    "is_grad_enabled",
    "is_winograd_enabled",
    "load",
    "models",
    "no_grad",
    "optim",
    "output_size",
    "receptive_field",
    "set_num_threads",
    "summary",
    "training",
    "transforms",
    "winograd",
]
