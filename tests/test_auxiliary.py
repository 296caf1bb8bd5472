"""Auxiliary where one pass there and back says nothing: the mode may change, and gradients may be too few."""

import numpy as np
import pytest

import numpycnn as nc

X = np.array([[-1.0, 2.0]])


def model():
    """Build a network with two branches, one inside the trunk of the other."""
    return nc.Sequential(nc.Identity(), nc.Auxiliary(nc.Auxiliary(nc.ReLU(), nc.Tanh()), nc.LeakyReLU(0.5)))


def test_the_trunks_outputs_come_first():
    relu, tanh, leaky = model()(X)
    np.testing.assert_array_equal(relu, [[0, 2]])
    np.testing.assert_array_equal(tanh, np.tanh(X))
    np.testing.assert_array_equal(leaky, [[-0.5, 2]])


@pytest.mark.parametrize(
    ("dy", "got"), [(X, 1), ((X,), 1), ((X, X), 2), ((X, X, X, X), 4)], ids=["array", "one", "two", "four"]
)
def test_a_gradient_is_wanted_for_each_output(dy, got):
    network = model()
    network(X)
    with pytest.raises(nc.ShapeError, match=rf"(?s)^in 1: .*expected a dy for each output, 3 in all, got {got}"):
        network.backward(dy)
    assert network.backward((X, X, X)).shape == X.shape  # nothing was forgotten


def test_in_evaluation_mode_one_gradient_is_wanted():
    network = model().eval()
    network(X)
    with pytest.raises(nc.ShapeError, match="expected a dy for each output, 1 in all, got 3"):
        network.backward((X, X, X))
    np.testing.assert_array_equal(network.backward(X), [[0, 2]])


def test_a_branch_that_ran_before_takes_no_part_after_an_evaluation():
    network = model()
    network(X)
    network.eval()(X)
    np.testing.assert_array_equal(network.backward(X), [[0, 2]])


def test_what_comes_after_it_refuses_several_outputs():
    with pytest.raises(nc.DtypeError, match="got tuple"):
        nc.Sequential(nc.Auxiliary(nc.ReLU(), nc.Tanh()), nc.ReLU())(X)


def test_backward_before_forward_says_so():
    for dy in (X, (), (X, X, X)):
        with pytest.raises(nc.StateError, match="needs a forward before it"):
            model().backward(dy)
