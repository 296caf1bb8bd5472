"""Networks as declarations: what they are made of, and nothing else."""

from .lenet import LeNet, LeNet5

__all__ = ["LeNet", "LeNet5"]
