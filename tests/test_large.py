"""Large work, with every threshold as it is: what runs in pieces, and on threads, gives what one thread gives."""

from contextlib import nullcontext

import numpy as np
import pytest

import numpycnn as nc
from numpycnn.kernels.layout import channels_last, laid_out

LARGE = {
    "row by row": (lambda: nc.Conv2d(16, 24, 3, padding=1, rng=0, dtype=float), (4, 16, 121, 130)),
    "unfolded": (lambda: nc.Conv2d(4, 16, 3, (3, 1), dilation=(2, 1), rng=0, dtype=float), (64, 4, 60, 61)),
    "Winograd": (lambda: nc.Conv2d(64, 64, 3, padding=1, rng=0, dtype=float), (2, 64, 57, 62)),
    "Winograd, few tiles": (lambda: nc.Conv2d(200, 300, 3, padding=1, rng=0, dtype=float), (1, 200, 19, 22)),
    "transposed": (lambda: nc.ConvTranspose2d(8, 12, 3, 2, rng=0, dtype=float), (16, 8, 60, 61)),
    "maximum": (lambda: nc.MaxPool2d(2), (8, 32, 113, 90)),
    "overlapping maximum": (lambda: nc.MaxPool2d(3, 2, 1), (8, 32, 113, 90)),
    "overlapping average": (lambda: nc.AvgPool2d(3, 2, 1), (8, 32, 113, 110)),
    "adaptive average": (lambda: nc.AdaptiveAvgPool2d((7, 5)), (8, 32, 113, 90)),
    "batch normalisation": (lambda: nc.BatchNorm2d(32, dtype=float), (8, 32, 113, 90)),
    "rectifier": (nc.ReLU, (8, 32, 113, 90)),
    "linear": (lambda: nc.Linear(1100, 900, rng=0, dtype=float), (300, 1100)),
}


def answers(layer, x, threads):
    """Return what a layer gives, forward and backward, on so many threads."""
    nc.set_num_threads(threads)
    layer.zero_grad()
    y = layer(x)
    dx = layer.backward(np.random.default_rng(1).standard_normal(y.shape))
    return y, dx, *(parameter.grad for parameter in layer.parameters())


@pytest.mark.parametrize(
    "lay", [np.ascontiguousarray, laid_out, channels_last], ids=["images first", "images last", "channels last"]
)
@pytest.mark.parametrize("name", LARGE)
def test_threads_and_layouts_change_nothing_but_rounding(name, lay):
    make, shape = LARGE[name]
    x, layer = np.random.default_rng(0).standard_normal(shape), make()
    expected = answers(layer, x, 1)
    with nc.winograd() if "Winograd" in name else nullcontext():
        got = answers(layer, lay(x) if x.ndim == 4 else np.asfortranarray(x), 2)
    for ours, wanted in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max(), strict=True)
