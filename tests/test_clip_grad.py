"""Clipping of gradients, beside PyTorch's: what is returned, what becomes of the gradients, what is refused."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import numpycnn as nc

NORMS = st.sampled_from([2.0, 1.0, math.inf, 3.0, 0.5, 0.0, -math.inf, -1.0])
SHAPES = st.lists(st.lists(st.integers(1, 6), max_size=3).map(tuple), max_size=4)


def both_sides(shapes, dtype, seed, corner=None):
    """Make parameters with a gradient, and one without; ours and torch's with the same numbers."""
    rng = np.random.default_rng(seed)
    ours, theirs = [nc.Parameter(np.zeros(3, dtype))], [torch.zeros(3, requires_grad=True)]
    for shape in shapes:
        grad = np.asarray(rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 4), dtype)
        if corner is not None:
            grad.flat[-1] = corner
        ours.append(nc.Parameter(np.zeros(shape, dtype)))
        ours[-1].grad = grad.copy()
        theirs.append(torch.from_numpy(np.zeros(shape, dtype)).requires_grad_())
        theirs[-1].grad = torch.from_numpy(grad)
    return ours, theirs


def assert_same_grads(ours, theirs, dtype):
    for parameter, leaf in zip(ours[1:], theirs[1:], strict=True):
        assert parameter.grad.dtype == dtype
        np.testing.assert_allclose(parameter.grad, leaf.grad.numpy(), rtol=64 * np.finfo(dtype).eps)
    assert ours[0].grad is None


@given(
    shapes=SHAPES,
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 999),
    norm_type=NORMS,
    max_norm=st.sampled_from([0.0, 1e-3, 1.0, 1e6]),
    corner=st.sampled_from([None, None, 0.0, math.inf, math.nan]),
)
def test_clipping_by_norm_is_torchs(shapes, dtype, seed, norm_type, max_norm, corner):
    ours, theirs = both_sides(shapes, dtype, seed, corner)
    grads = [parameter.grad for parameter in ours]
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    total = nc.optim.clip_grad_norm_(iter(ours), max_norm, norm_type)
    assert total.dtype == expected.numpy().dtype and total.shape == ()
    np.testing.assert_allclose(total, expected.numpy(), rtol=64 * np.finfo(dtype).eps)
    assert_same_grads(ours, theirs, dtype)
    assert all(parameter.grad is grad for parameter, grad in zip(ours, grads, strict=True)), "not in place"


@given(
    shapes=SHAPES.filter(bool),  # torch fails where there is none
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 999),
    clip_value=st.sampled_from([0.0, 0.1, 1.0, 1e6]),
    corner=st.sampled_from([None, 0.0, -math.inf, math.nan]),
)
def test_clipping_by_value_is_torchs(shapes, dtype, seed, clip_value, corner):
    ours, theirs = both_sides(shapes, dtype, seed, corner)
    grads = [parameter.grad for parameter in ours]
    torch.nn.utils.clip_grad_value_(theirs, clip_value)
    assert nc.optim.clip_grad_value_(ours, clip_value) is None
    assert_same_grads(ours, theirs, dtype)
    assert all(parameter.grad is grad for parameter, grad in zip(ours, grads, strict=True)), "not in place"


@pytest.mark.parametrize("corner", [math.inf, math.nan])
def test_a_norm_that_is_not_finite_is_an_error_if_asked(corner):
    ours, theirs = both_sides([(2, 3), (4,)], np.float32, 0, corner)
    before = [parameter.grad.copy() for parameter in ours[1:]]
    with pytest.raises(RuntimeError):
        torch.nn.utils.clip_grad_norm_(theirs, 1.0, error_if_nonfinite=True)
    with pytest.raises(RuntimeError, match=f"expected gradients of a finite norm, got {corner}"):
        nc.optim.clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    np.testing.assert_equal([parameter.grad for parameter in ours[1:]], before)


def test_one_parameter_alone_is_taken():
    parameter = nc.Parameter(np.zeros(2))
    parameter.grad = np.array([30.0, -40.0])
    assert nc.optim.clip_grad_norm_(parameter, 5.0) == 50
    np.testing.assert_allclose(parameter.grad, [3.0, -4.0], rtol=1e-6)
    nc.optim.clip_grad_value_(parameter, 3.5)
    np.testing.assert_allclose(parameter.grad, [3.0, -3.5], rtol=1e-6)


@pytest.mark.parametrize("clip", [nc.optim.clip_grad_norm_, nc.optim.clip_grad_value_])
@pytest.mark.parametrize(
    ("parameters", "limit", "words"),
    [
        (nc.Linear(2, 2), 1.0, r"expected model.parameters\(\), got a Linear itself"),
        ([np.zeros(2)], 1.0, "expected Parameters, got ndarray as number 0"),
        (None, 1.0, "expected parameters, got None"),
        ([], "much", "expected (max_norm|clip_value) to be a number, got 'much'"),
        ([], math.nan, r"expected (max_norm|clip_value) in \[-inf, inf\], got nan"),
    ],
)
def test_what_cannot_be_is_refused(clip, parameters, limit, words):
    with pytest.raises((TypeError, ValueError), match=words):
        clip(parameters, limit)
