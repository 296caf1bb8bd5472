"""Layers of PyTorch that are at odds with themselves or with their definition, put right: only so can they judge."""

import torch
from torch import nn


def one_by_one(kind: type[nn.Module]) -> type[nn.Module]:
    """Let an activation work on one number at a time.

    PyTorch has two loops for these, one for vectors and one for what is left over, and where x is
    NaN their gradients differ: 0 or dy, by the place in the array. Between numbers with gaps there
    are no vectors.
    """

    class OneByOne(kind):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(torch.stack([x, x], -1)[..., 0])

    return OneByOne


class Hardsigmoid(nn.Hardsigmoid):
    """With the right slope: PyTorch rounds 1 / 6 to float32, in float64 too, which is off by 3e-8."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        zero = torch.zeros((), dtype=x.dtype, requires_grad=True)
        (slope,) = torch.autograd.grad(super().forward(zero), zero)
        x = x.clone()  # a step of its own, whose gradient can be mended
        if x.requires_grad:
            x.register_hook(lambda dx: dx * (1 / 6 / slope))
        return super().forward(x)


class InstanceNorm2d(nn.InstanceNorm2d):
    """Taking an empty batch with factors and shifts too: PyTorch looks for its first image, and fails."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.affine or x.shape[:1] != (0,):
            return super().forward(x)
        without = nn.InstanceNorm2d(self.num_features, track_running_stats=self.track_running_stats)
        return without.train(self.training)(x) * self.weight[:, None, None] + self.bias[:, None, None]
