"""Our layers as modules of torch, row for row: nothing is lost on the way, and torch's own gradcheck passes."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

import numpycnn as nc
from parity import ours, registry
from parity.compare import one_or_all
from parity.measure import draw_cases
from parity.pair import Draw
from parity.torch_module import TorchModule

each_row = pytest.mark.parametrize("pair", registry.ROWS.values(), ids=lambda pair: pair.name)


def reseed(layer):
    """Let everything random in a layer draw the same again."""
    for random in ours.random_layers(layer):
        random._rng = np.random.default_rng(0)


def few_cases(pair, dtype="float64"):
    """Draw cases of a row, of numbers that have a gradient."""
    return [replace(case, values="normals", dtype=dtype) for case in draw_cases(pair, max(1, 4 // pair.cost), 0)]


def build(pair, case):
    """Build our side of a case; return it with a source of arrays."""
    draw = Draw(case)
    layer = pair.ours(**case.kwargs).to(case.dtype).train(case.training)
    layer.load_state_dict({name: draw.state(name, value) for name, value in layer.state_dict().items()})
    return layer, draw


def as_tuple(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


def spread(shape, rng):
    """Return numbers between -2 and 2 in any order, all far apart and far from 0, which no step of 1e-6 crosses.

    So rectifiers stand off their kinks and maxima have no ties, and there is a derivative; in the layers of a network
    random weights see to the same.
    """
    count = int(np.prod(shape))
    return rng.permutation(4.12 * ((np.arange(count) + 0.37) / max(count, 1) - 0.5)).reshape(shape)


@each_row
def test_what_passes_through_torch_is_what_ours_makes(pair):
    for case in few_cases(pair, "float32"):
        layer, draw = build(pair, case)
        x, extra = draw.array(case.shape), (draw.target(case.shape),) if case.target else ()
        module = TorchModule(copy.deepcopy(layer))
        reseed(layer)
        reseed(module.ours)
        outputs = as_tuple(layer(x, *extra))
        dys = [draw.array(np.shape(y)) for y in outputs if y.dtype.kind == "f"]
        dx = layer.backward(one_or_all(dys))
        tensor = torch.from_numpy(x).requires_grad_()
        theirs = as_tuple(module(tensor, *map(torch.from_numpy, map(np.asarray, extra))))
        differentiable = [y for y in theirs if y.is_floating_point()]
        torch.autograd.backward(differentiable, [torch.from_numpy(dy) for dy in dys])
        gradients = [parameter.grad for parameter in layer.parameters()]
        their_gradients = [parameter.grad for parameter in module.parameters()]
        for mine, other in zip(
            [*outputs, dx, *gradients, *layer.state_dict().values()],
            [*theirs, tensor.grad, *their_gradients, *module.state_dict().values()],
            strict=True,
        ):
            np.testing.assert_array_equal(mine, other if other is None else other.detach().numpy())


@each_row
def test_gradcheck_passes(pair):
    checked = 0
    for case in few_cases(pair):
        layer, draw = build(pair, case)
        for parameter in layer.parameters():  # outputs of order 1 from deep networks too, or rounding hides the slope
            if parameter.data.ndim > 1:
                parameter.data *= (2 * len(parameter.data) / parameter.data.size) ** 0.5
        module = TorchModule(layer)
        x = torch.from_numpy(spread(case.shape, draw.rng)).requires_grad_()
        extra = [torch.from_numpy(np.asarray(draw.target(case.shape)))] if case.target else []

        def run(x, *_, module=module, extra=extra):
            reseed(module.ours)
            return module(x, *extra)

        if not torch.isfinite(as_tuple(run(x))[0]).all():
            continue  # the mean of labels that are all ignored
        large = sum(parameter.data.size for parameter in layer.parameters()) > 1000
        few = [tensor for tensor in module.parameters() if tensor.numel() <= 10_000]  # AlexNet's others: the laws'
        few = few[:: 1 + len(few) // 20]  # of GoogLeNet's two hundred too
        assert torch.autograd.gradcheck(run, (x, *few), fast_mode=large or x.numel() > 1000)
        checked += 1
    assert checked


def test_gradcheck_says_no():
    class Wrong(nc.Tanh):
        def backward(self, dy):
            return 1.01 * super().backward(dy)

    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(TorchModule(Wrong()), torch.tensor([0.3, -1.2], dtype=torch.float64).requires_grad_())
