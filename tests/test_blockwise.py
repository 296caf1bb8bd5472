"""Optimizers go through large arrays block by block: with the same bits as all at once, however arrays lie."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optimizing import every_optimizer

import numpycnn as nc
from numpycnn.kernels import blockwise
from numpycnn.kernels.blockwise import block_by_block
from numpycnn.optim import SGD, Adam, AdamW

LAYOUTS = {
    "as NumPy makes it": lambda x: x.copy(),
    "columns first": np.asfortranarray,
    "other axes first": lambda x: np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1),
    "with gaps": lambda x: np.repeat(np.repeat(x, 2, 0), 3, -1)[::2, ..., ::3],
    "backwards": lambda x: x[::-1, ..., ::-1].copy()[::-1, ..., ::-1],
}
SHAPES = [(5, 3, 2, 4), (3, 41), (120, 2), (1, 100, 1), (3, 0)]


def steps(kind, options, dtype, layouts):
    """Train parameters that lie one way with gradients that lie another; return all bits of them and their states."""
    rng, (lay, lay_grad) = np.random.default_rng(0), layouts
    params = [nc.Parameter(lay(rng.normal(size=shape).astype(dtype))) for shape in SHAPES]
    params += [nc.Parameter(np.array(1, dtype)), nc.Parameter(rng.normal(size=70).astype(dtype)[::2])]
    optimizer = kind(params, **options)
    for _ in range(3):
        for parameter in params:
            grad = rng.normal(size=parameter.data.shape).astype(dtype)
            parameter.grad = lay_grad(grad) if grad.ndim > 1 else np.array(grad)
            parameter.grad.flags.writeable = False
        optimizer.step()
    arrays = [(parameter.data, *optimizer.state[parameter].values()) for parameter in params]
    return [np.asarray(array).tobytes() for group in arrays for array in group]


@every_optimizer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_give_the_bits_of_whole_arrays_however_they_lie(kind, options, dtype, monkeypatch):
    monkeypatch.setattr(blockwise, "MANY", 1)
    for layouts in itertools.product(LAYOUTS.values(), repeat=2):
        monkeypatch.setattr(blockwise, "BLOCK", 1 << 20)
        whole = steps(kind, options, dtype, layouts)
        for numbers, threads in ((7, 1), (30, 2)):
            monkeypatch.setattr(blockwise, "BLOCK", numbers * np.dtype(dtype).itemsize)
            nc.set_num_threads(threads)
            assert steps(kind, options, dtype, layouts) == whole


@given(st.lists(st.integers(0, 9), max_size=4), st.integers(1, 50), st.randoms(), st.integers(1, 3))
def test_blocks_are_small_and_cover_everything_once(shape, numbers, random, threads):
    order = random.sample(range(len(shape)), len(shape))
    x = np.zeros([shape[axis] for axis in order]).transpose(np.argsort(order))
    other = np.arange(x.size).reshape(x.shape)
    seen = []

    def add(block, nothing, numbers_block):
        assert nothing is None
        block += numbers_block + 1
        seen.append(block.size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blockwise, "BLOCK", numbers * x.itemsize)
        patch.setattr(blockwise, "MANY", 1)
        nc.set_num_threads(threads)
        block_by_block(add, x, None, other)
    np.testing.assert_array_equal(x, other + 1)
    assert max(seen) <= numbers
    assert sum(seen) == x.size


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_a_gradient_in_the_memory_of_its_parameter_is_read_before_that_is_written(kind, monkeypatch):
    def moved(gradient):
        parameter = nc.Parameter(np.random.default_rng(0).normal(size=(9, 9)))
        parameter.grad = gradient(parameter.data)
        kind([parameter], lr=0.1).step()
        return parameter.data

    expected = moved(lambda data: data.T.copy())
    np.testing.assert_array_equal(moved(lambda data: data.T), expected)
    monkeypatch.setattr(blockwise, "BLOCK", 80)
    np.testing.assert_array_equal(moved(lambda data: data.T), expected)


def test_a_state_of_another_shape_is_refused_in_blocks_too(monkeypatch):
    monkeypatch.setattr(blockwise, "BLOCK", 80)
    parameter = nc.Parameter(np.ones((9, 9)))
    optimizer = SGD([parameter], momentum=0.9)
    parameter.grad = np.ones((9, 9))
    optimizer.step()
    parameter.data, parameter.grad = np.ones((5, 9)), np.ones((5, 9))
    with pytest.raises(ValueError, match="broadcast"):
        optimizer.step()


@every_optimizer
def test_a_step_takes_some_blocks_of_memory_however_large_the_parameter(kind, options):
    parameter = nc.Parameter(np.ones((1 << 10, 1 << 10), np.float32))
    parameter.grad = np.ones_like(parameter.data)
    optimizer = kind([parameter], **options)
    optimizer.step()  # makes the state
    tracemalloc.start()
    optimizer.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * blockwise.BLOCK
