"""Errors say where in the model they happened, and are of a kind that can be caught."""

import pickle

import numpy as np
import pytest
from small_net import draw

import numpycnn as nc


class Fragile(nc.Layer):
    """Passes everything on, until it is told to break."""

    broken = False

    def forward(self, x):
        return self._pass(x)

    def backward(self, dy):
        return self._pass(dy)

    def _pass(self, x):
        if self.broken:
            raise nc.ShapeError(self, f"expected nothing, got x of shape {x.shape}")
        return x

    def __repr__(self):
        return "Fragile()"


class Named(nc.Block):
    def __init__(self, layer):
        self.first = nc.Identity()
        self.last = nc.Sequential(nc.ReLU(), layer)
        self.route(self.first, nc.Add(nc.Identity(), nc.Sequential(self.last)))


class Unnamed(nc.Block):
    def __init__(self, layer):
        self.first = nc.Identity()
        self.route(self.first, nc.Add(nc.Identity(), nc.Sequential(nc.ReLU(), layer)))


PLACES = [
    ("1", lambda layer: nc.Sequential(nc.Identity(), layer)),
    ("1.2", lambda layer: nc.Sequential(nc.Identity(), nc.Sequential(nc.Tanh(), nc.Tanh(), layer))),
    ("0", lambda layer: nc.Add(layer, nc.Identity())),
    ("0.1", lambda layer: nc.Concat(nc.Sequential(nc.ReLU(), layer), nc.Identity())),
    ("1", lambda layer: nc.Concat(nc.Identity(), layer)),
    ("last.1", Named),
    ("1.0.last.1", lambda layer: nc.Sequential(nc.Identity(), nc.Add(Named(layer), nc.Identity()))),
    ("last.1.last.1", lambda layer: Named(Named(layer))),
    # What has no name is found under the name of the block that it belongs to.
    ("", Unnamed),
    ("1", lambda layer: nc.Sequential(nc.Identity(), Unnamed(layer))),
    ("last.1", lambda layer: Named(Unnamed(layer))),
]


@pytest.mark.parametrize("way", ["forward", "backward", "backward_parameters"])
@pytest.mark.parametrize(
    ("path", "build"), PLACES, ids=[f"{n}: {path or 'itself'}" for n, (path, _) in enumerate(PLACES)]
)
def test_errors_name_the_path_in_the_model_that_was_called(path, build, way):
    layer, x = Fragile(), draw(2, 3)
    model = build(layer)
    dy = model(x)
    layer.broken = True
    with pytest.raises(nc.ShapeError) as caught:
        getattr(model, way)(x if way == "forward" else dy)
    assert caught.value.module is layer
    assert caught.value.path == path
    place = f"in {path}: " if path else ""
    assert str(caught.value) == f"{place}Fragile(): expected nothing, got x of shape (2, 3)"


def test_the_sentence_of_the_manual():
    class Net(nc.Block):
        def __init__(self):
            self.features = nc.Sequential(nc.ReLU(), nc.ReLU(), nc.ReLU(), nc.Conv2d(64, 192, 5, padding=2))
            self.route(self.features, nc.Flatten())

    with pytest.raises(nc.ShapeError) as caught:
        Net()(draw(8, 3, 27, 27))
    assert str(caught.value) == (
        "in features.3: Conv2d(64, 192, 5, padding=2): expected 64 input channels, got 3 in x of shape (8, 3, 27, 27)"
    )


def test_a_container_that_complains_itself_is_named():
    model = nc.Sequential(nc.Identity(), nc.Add(nc.Conv2d(1, 2, 3), nc.Identity()))
    with pytest.raises(nc.ShapeError, match=r"(?s)^in 1: Add\(.*got \[\(1, 2, 2, 2\), \(1, 1, 4, 4\)\]"):
        model(draw(1, 1, 4, 4))
    model = nc.Sequential(nc.Identity(), nc.Concat(nc.Conv2d(1, 2, 3), nc.Identity()))
    with pytest.raises(nc.ShapeError, match=r"(?s)^in 1: Concat\(.*got \[\(1, 2, 2, 2\), \(1, 1, 4, 4\)\]"):
        model(draw(1, 1, 4, 4))


@pytest.mark.parametrize(
    ("call", "ours", "built_in"),
    [
        (lambda: nc.Linear(3, 2)(draw(2, 4)), nc.ShapeError, ValueError),
        (lambda: nc.Linear(3, 2)(draw(2, 3, dtype=np.float64)), nc.DtypeError, TypeError),
        (lambda: nc.ReLU()([1.0, 2.0]), nc.DtypeError, TypeError),
        (lambda: nc.ReLU().backward(draw(2)), nc.StateError, RuntimeError),
    ],
    ids=["shape", "dtype", "no array", "state"],
)
def test_errors_are_ours_and_of_a_built_in_kind(call, ours, built_in):
    with pytest.raises(built_in) as caught:
        call()
    assert type(caught.value) is ours
    assert issubclass(ours, nc.LayerError)


def test_errors_are_sent_to_other_processes_whole():
    with pytest.raises(nc.ShapeError) as caught:
        nc.Sequential(nc.ReLU(), nc.Linear(3, 2))(draw(2, 4))
    error = pickle.loads(pickle.dumps(caught.value))
    assert type(error) is nc.ShapeError
    assert str(error) == str(caught.value)
    assert (error.path, type(error.module)) == ("1", nc.Linear)


@pytest.mark.parametrize("size", [(3, 0), (0, 3)], ids=str)
def test_each_of_two_sizes_is_called_by_its_name(size):
    with pytest.raises(ValueError, match=r"^Conv2d: expected kernel_size >= 1, got 0$"):
        nc.Conv2d(1, 1, size)
    with pytest.raises(ValueError, match=r"^conv2d_num_parameters: expected kernel_size >= 1, got 0$"):
        nc.conv2d_num_parameters(1, 1, size)
    with pytest.raises(ValueError, match=r"^output_size: expected padding >= 0, got -1$"):
        nc.output_size(5, 3, padding=tuple(side - 1 if side == 0 else side for side in size))
    with pytest.raises(TypeError, match=r"^Pad: expected value to be a number, got 'one'$"):
        nc.Pad((1, 1), value="one")
