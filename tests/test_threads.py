"""no_grad, and one model in many threads."""

import contextlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from small_net import Net, draw

import numpycnn as nc
from numpycnn.models import LeNet


def test_no_grad_nests_and_ends_with_its_block_even_by_an_error():
    with nc.no_grad():
        with nc.no_grad():
            assert not nc.is_grad_enabled()
        assert not nc.is_grad_enabled()
        with pytest.raises(KeyError), nc.no_grad():
            raise KeyError
        assert not nc.is_grad_enabled()
    assert nc.is_grad_enabled()
    with pytest.raises(KeyError), nc.no_grad():
        raise KeyError
    assert nc.is_grad_enabled()


def test_one_no_grad_may_be_entered_inside_itself():
    quiet = nc.no_grad()
    with quiet:
        with quiet:
            assert not nc.is_grad_enabled()
        assert not nc.is_grad_enabled()
    assert nc.is_grad_enabled()


def test_no_grad_decorates_functions_that_call_themselves():
    @nc.no_grad()
    def countdown(n):
        assert not nc.is_grad_enabled()
        return [n, *countdown(n - 1)] if n else []

    assert countdown(3) == [3, 2, 1]
    assert countdown(2) == [2, 1]
    assert nc.is_grad_enabled()


def test_no_grad_is_for_one_thread():
    with nc.no_grad(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(nc.is_grad_enabled).result()
        pool.submit(nc.no_grad().__enter__).result()
        assert not pool.submit(nc.is_grad_enabled).result()
    assert nc.is_grad_enabled()


def test_a_decorated_function_may_run_in_two_threads_at_once():
    first_is_in, second_is_in, first_is_out = threading.Event(), threading.Event(), threading.Event()

    @nc.no_grad()
    def meet(mine, other):
        mine.set()
        assert other.wait(10)

    def first():  # already in a no_grad of its own
        with nc.no_grad():
            meet(first_is_in, second_is_in)
            first_is_out.set()
            return nc.is_grad_enabled()

    def second():
        assert first_is_in.wait(10)
        meet(second_is_in, first_is_out)
        return nc.is_grad_enabled()

    with ThreadPoolExecutor(2) as pool:
        inside, outside = pool.submit(first), pool.submit(second)
        assert (inside.result(), outside.result()) == (False, True)


def side_by_side(function, arguments):
    """Call a function in a thread for each argument, all of them in step, line by line of the library.

    Left to themselves, threads meet in the few lines where they could do harm once in a thousand runs.
    """
    library, barrier = str(Path(nc.__file__).parent), threading.Barrier(len(arguments))

    def trace(frame, event, _):
        if frame.f_code.co_filename.startswith(library):
            if event == "line":
                with contextlib.suppress(threading.BrokenBarrierError):
                    barrier.wait(5)
            return trace
        return None

    def run(argument):
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            return function(argument)
        finally:
            sys.settrace(before)
            barrier.abort()  # who is done keeps nobody waiting

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments))


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (Net(rng=0), (3, 2, 9, 7)),
        (LeNet(rng=0), (2, 1, 28, 28)),
        (nc.models.LeNet5(rng=0), (2, 1, 32, 32)),
        (nc.Sequential(nc.LocalResponseNorm(3), nc.AvgPool2d(2), nc.Flatten(2), nc.Softmax(2)), (2, 4, 6, 6)),
    ],
    ids=["Net", "LeNet", "LeNet5", "others"],
)
def test_one_model_serves_four_threads_with_the_same_bits(model, shape):
    model.eval()
    batches = [draw(*shape, seed=seed) for seed in range(24)]

    @nc.no_grad()
    def predict(x):
        return model(x)

    in_step = side_by_side(predict, batches[:4])  # first, while nothing is cached
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(predict, batches))
    alone = [predict(x) for x in batches]
    np.testing.assert_array_equal(in_step, alone[:4])
    np.testing.assert_array_equal(together, alone)
