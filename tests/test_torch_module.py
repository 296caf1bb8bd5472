"""Our layers as modules of torch: its rules for graphs, for what they save, and for gradients."""

import gc
import weakref

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import numpycnn as nc
from parity import bridge
from parity.torch_module import TorchModule


def test_a_gradient_of_a_gradient_is_refused():
    module, x = TorchModule(nc.Linear(3, 2, rng=0)), torch.ones(1, 3, requires_grad=True)
    for loss in (module(x).sum(), (module(x) ** 2).sum()):
        (dx,) = torch.autograd.grad(loss, x, create_graph=True)
        penalty = (x**2).sum() + (dx**2).sum()  # which has a gradient without ours too
        with pytest.raises(RuntimeError, match=r"Linear\(3, 2\): expected to be differentiated once, got"):
            penalty.backward()


def linears(dtype=torch.float64):
    """Build a matrix of ours and torch's with equal weights."""
    mine, other = nc.Linear(3, 3, rng=0), nn.Linear(3, 3)
    bridge.to_torch(mine, other)
    return TorchModule(mine).to(dtype), other.to(dtype)


def test_a_layer_may_run_twice_before_it_runs_back():
    results = []
    for layer in linears():
        x = torch.arange(6.0, dtype=torch.float64).reshape(2, 3).requires_grad_()
        once = layer(x)
        twice = layer(torch.tanh(once))
        (once.sum() + (twice**2).sum()).backward()
        results.append([x.grad, layer.weight.grad, layer.bias.grad])
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_forwards_run_back_in_any_order_each_with_what_it_remembers(order):
    model = TorchModule(
        nc.Sequential(nc.Linear(3, 4, rng=0), nc.Tanh(), nc.Dropout(0.5, rng=1), nc.Linear(4, 2, rng=2))
    )
    xs = [torch.full((1, 3), value, requires_grad=True) for value in (1.0, 2.0)]
    ys = [model(x).sum() for x in xs]
    for index in order:
        ys[index].backward()
    alone = TorchModule(
        nc.Sequential(nc.Linear(3, 4, rng=0), nc.Tanh(), nc.Dropout(0.5, rng=1), nc.Linear(4, 2, rng=2))
    )
    for x in xs:
        again = x.detach().requires_grad_()
        alone(again).sum().backward()
        torch.testing.assert_close(again.grad, x.grad, rtol=0, atol=0)


def test_gradients_add_up_as_torchs_do_and_leave_ours_alone():
    mine, other = linears()
    x = torch.ones(2, 3, dtype=torch.float64)
    mine.ours.weight.grad = np.full((3, 3), 7.0)
    mine.ours(np.ones((1, 3)))  # which waits for its backward
    for _ in range(3):
        for layer in (mine, other):
            layer(x).sum().backward()
    torch.testing.assert_close(mine.weight.grad, other.weight.grad)
    assert (mine.ours.weight.grad == 7).all()
    assert mine.ours.backward(np.ones((1, 3))).shape == (1, 3)


def test_backward_twice_works_with_retain_graph_and_is_refused_without():
    for layer in linears():
        x = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
        loss = (layer(x) ** 2).sum()
        loss.backward(retain_graph=True)
        before = x.grad.clone()
        loss.backward()
        torch.testing.assert_close(x.grad, 2 * before)
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            loss.backward()


@pytest.mark.parametrize(
    "change",
    [
        lambda layer, x, y: x.detach().mul_(2),
        lambda layer, x, y: torch.optim.SGD(layer.parameters(), lr=1.0).step(),
    ],
    ids=["the input", "the weights"],
)
def test_what_is_changed_before_backward_is_noticed_as_torch_does(change):
    for layer in linears():
        x = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
        for parameter in layer.parameters():
            parameter.grad = torch.ones_like(parameter)
        y = layer(x)
        change(layer, x, y)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


def test_an_output_may_be_changed_where_ours_does_not_remember_it():
    for layer in (TorchModule(nc.Conv2d(1, 2, 3, rng=0)), TorchModule(nc.Flatten()), TorchModule(nc.Identity())):
        x = torch.linspace(-1, 1, 25).reshape(1, 1, 5, 5).requires_grad_()
        before = x.detach().clone()
        nn.ReLU(inplace=True)(layer(x)).sum().backward()
        torch.testing.assert_close(x.detach(), before, rtol=0, atol=0)
    y = TorchModule(nc.Tanh())(x)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_what_is_remembered_is_freed_by_backward():
    found = []

    class Remembers(nc.Layer):
        def forward(self, x):
            y, kept = x + 0, np.ones_like(x)
            found.append(weakref.ref(kept))
            self.remember(y, kept)
            return y

        def backward(self, dy):
            (kept,) = self.recall(dy)
            return kept * dy

    y = TorchModule(Remembers())(torch.ones(3, requires_grad=True))
    gc.collect()
    assert found[0]() is not None
    y.sum().backward()
    gc.collect()
    assert found[0]() is None


def test_checkpoints_and_hooks_on_what_is_saved_work():
    model = TorchModule(nc.Sequential(nc.Linear(3, 4, rng=0), nc.Tanh(), nc.Linear(4, 2, rng=1)))
    gradients = []
    for run in (model, lambda x: checkpoint(model, x, use_reentrant=False)):
        x = torch.ones(2, 3, requires_grad=True)
        with torch.autograd.graph.save_on_cpu():
            run(x).sum().backward()
        gradients.append(x.grad)
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


def test_no_grad_remembers_nothing_and_forgets_nothing():
    layer = nc.Linear(3, 2, rng=0)
    module = TorchModule(layer)
    layer(np.ones((1, 3), np.float32))
    for mode in (torch.no_grad, torch.inference_mode, nc.no_grad):
        with mode():
            y = module(torch.ones(4, 3))
        assert not y.requires_grad
    assert module.requires_grad_(False)(torch.ones(4, 3)).requires_grad is False
    assert layer.backward(np.ones((1, 2), np.float32)).shape == (1, 3)  # of our own forward, before
    with pytest.raises(nc.StateError):
        layer.backward(np.ones((4, 2), np.float32))


def test_an_input_without_gradient_costs_none(monkeypatch):
    module = TorchModule(nc.Conv2d(1, 2, 3, rng=0))
    monkeypatch.setattr(nc.Conv2d, "backward", None)  # only backward_parameters is left
    module(torch.ones(1, 1, 5, 5)).sum().backward()
    assert module.weight.grad is not None


def test_frozen_parameters_get_no_gradient():
    module = TorchModule(nc.Linear(3, 2, rng=0))
    module.weight.requires_grad_(False)
    x = torch.ones(1, 3, requires_grad=True)
    module(x).sum().backward()
    assert module.weight.grad is None
    assert module.bias.grad is not None and x.grad is not None


def test_indices_come_along_without_a_gradient():
    module = TorchModule(nc.MaxPool2d(2, return_indices=True))
    x = torch.arange(16.0).reshape(1, 1, 4, 4).requires_grad_()
    y, indices = module(x)
    assert indices.dtype == torch.int64 and not indices.requires_grad
    assert indices.flatten().tolist() == [5, 7, 13, 15]
    y.sum().backward()
    assert x.grad.sum() == 4


def test_each_of_several_outputs_has_a_gradient():
    module = TorchModule(nc.Auxiliary(nc.Tanh(), nc.Linear(4, 2, rng=0)))
    x = torch.ones(1, 4, requires_grad=True)
    y, other = module(x)
    (y.sum() + 2 * other.sum()).backward()
    torch.testing.assert_close(module.get_parameter("1.weight").grad, 2 * torch.ones(2, 4))
    module(x)[0].sum().backward()  # that of the other output is zero
    torch.testing.assert_close(module.get_parameter("1.weight").grad, 2 * torch.ones(2, 4))


def test_arrays_that_torch_cannot_hold_are_copied_or_kept():
    class Odd(nc.Layer):
        def forward(self, x):
            self.remember(x, np.broadcast_to(np.float32(3), x.shape), (x[::-1], None))
            return np.broadcast_to(x, x.shape)

        def backward(self, dy):
            factor, (backwards, _) = self.recall(dy)
            return (factor * dy * backwards)[::-1]

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = TorchModule(Odd())(x)
    y.backward(torch.tensor([1.0, 10.0]))
    assert (y.tolist(), x.grad.tolist()) == ([1, 2], [30, 6])


def test_views_and_strides_of_any_kind_are_taken():
    mine, other = linears()
    x = torch.arange(24.0, dtype=torch.float64).reshape(3, 8).t()[1::2]  # neither contiguous nor from the start
    assert not x.is_contiguous()
    for layer in (mine, other):
        layer(x).expand(2, 4, 3).sum().backward()  # an upstream gradient without memory of its own
    torch.testing.assert_close(mine.weight.grad, other.weight.grad)
    torch.testing.assert_close(mine(x), other(x))
