"""Forward and backward: one slot of memory between them, and gradients that add up."""

import numpy as np
import pytest
from small_net import Net, draw

import numpycnn as nc
from numpycnn.models import LeNet


@pytest.mark.parametrize("layer", [nc.ReLU(), nc.Linear(3, 3), nc.Softmax(1), nc.Identity()], ids=repr)
def test_each_forward_serves_one_backward(layer):
    dy = draw(2, 3)
    for _ in range(2):
        with pytest.raises(nc.StateError) as caught:
            layer.backward(dy)
        assert caught.value.module is layer
        assert str(caught.value).startswith(f"{layer!r}: backward needs a forward before it")
        layer(draw(2, 3))
        layer.backward(dy)


def test_a_loss_obeys_too():
    loss = nc.CrossEntropyLoss()
    loss(draw(2, 3), np.array([0, 2]))
    loss.backward()
    with pytest.raises(nc.StateError, match=r"^CrossEntropyLoss\(\): backward needs a forward before it"):
        loss.backward()


def test_backward_belongs_to_the_last_forward():
    layer = nc.ReLU()
    layer(-np.ones((4, 2)))
    layer(np.ones((2, 2)))
    np.testing.assert_array_equal(layer.backward(np.full((2, 2), 7.0)), np.full((2, 2), 7.0))


@pytest.mark.parametrize(
    ("dy", "kind"),
    [(draw(2, 4), nc.ShapeError), (draw(2, 3, dtype=np.float64), nc.DtypeError), ([[1, 2, 3]] * 2, nc.DtypeError)],
    ids=["shape", "dtype", "no array"],
)
def test_a_gradient_that_is_refused_costs_nothing(dy, kind):
    layer = nc.Linear(5, 3, rng=0)
    layer(draw(2, 5))
    with pytest.raises(kind, match=r"expected dy .* got"):
        layer.backward(dy)
    assert layer.weight.grad is None
    assert layer.backward(draw(2, 3)).shape == (2, 5)


def test_gradients_of_several_batches_add_up_to_that_of_all():
    x, labels = draw(6, 1, 28, 28, dtype=np.float64), np.arange(6)
    model, loss = LeNet(rng=0, dtype=np.float64), nc.CrossEntropyLoss(reduction="sum")

    def learn(batch):
        loss(model(x[batch]), labels[batch])
        model.backward(loss.backward())

    learn(slice(0, 6))
    whole = [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    learn(slice(0, 2))
    learn(slice(2, 6))
    for parameter, grad in zip(model.parameters(), whole, strict=True):
        np.testing.assert_allclose(parameter.grad, grad, rtol=0, atol=1e-12 * np.abs(grad).max())


@pytest.mark.parametrize(
    "model",
    [
        Net(rng=0).eval(),
        nc.Concat(nc.Conv2d(2, 3, 3, rng=0), nc.Sequential(nc.Conv2d(2, 1, 3, rng=1), nc.Tanh())),
        nc.Add(nc.Conv2d(2, 3, 3, rng=0), nc.Add(nc.Sequential(nc.ReLU(), nc.Conv2d(2, 3, 3, rng=1)))),
        nc.Sequential(nc.Sequential(), nc.Linear(4, 5, rng=0)),
        nc.BatchNorm2d(2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_without_the_gradient_of_the_input_the_others_are_the_same(model):
    x = draw(4, 2, 5, 4)
    dy = draw(*model(x).shape)
    model.backward(dy)
    gradients = [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    model(x)
    assert model.backward_parameters(dy) is None
    np.testing.assert_equal([parameter.grad for parameter in model.parameters()], gradients)
    with pytest.raises(nc.StateError, match="each forward serves one"):
        model.backward_parameters(dy)
