"""Data augmentation, under torchvision's names (``torchvision.transforms.v2``): each image gets a choice of its own."""

from .affine import RandomAffine
from .compose import Compose
from .crop import CenterCrop, RandomCrop
from .flip import RandomHorizontalFlip
from .normalize import Normalize
from .pad import Pad
from .pca_color_shift import PCAColorShift
from .transform import Transform

__all__ = [
    "CenterCrop",
    "Compose",
    "Normalize",
    "PCAColorShift",
    "Pad",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "Transform",
]
