"""Networks as declarations: what they are made of, and nothing else."""

from .alexnet import AlexNet, alexnet
from .alexnet_2012 import AlexNet2012, alexnet_2012
from .googlenet import GoogLeNet, GoogLeNetOutputs, googlenet
from .inception import BasicConv2d, Inception, InceptionAux
from .lenet import LeNet, LeNet5
from .resnet import ResNet, resnet18, resnet34, resnet50, resnet101, resnet152
from .resnet_blocks import BasicBlock, Bottleneck
from .squeezenet import Fire, SqueezeNet, squeezenet1_0, squeezenet1_1
from .vgg import VGG, vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn

__all__ = [
    "VGG",
    "AlexNet",
    "AlexNet2012",
    "BasicBlock",
    "BasicConv2d",
    "Bottleneck",
    "Fire",
    "GoogLeNet",
    "GoogLeNetOutputs",
    "Inception",
    "InceptionAux",
    "LeNet",
    "LeNet5",
    "ResNet",
    "SqueezeNet",
    "alexnet",
    "alexnet_2012",
    "googlenet",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "squeezenet1_0",
    "squeezenet1_1",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]
