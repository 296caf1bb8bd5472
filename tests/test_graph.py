"""What a graph promises beyond its parity with torch: what it keeps and drops, who runs twice, where errors are."""

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import numpycnn as nc


def draw(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def short(n):
    return [nc.Identity() for _ in range(n)]


def dense(rng=None):
    """Wire a small dense block, whose nodes read all before them."""
    rng = np.random.default_rng(rng)
    return nc.Graph(
        a=(nc.Conv2d(2, 3, 3, padding=1, rng=rng), "x"),
        b=(nc.Sequential(nc.Dropout(0.5, rng=rng), nc.Tanh()), "a"),
        c=(nc.Concat(*short(3)), "x", "a", "b"),
        d=(nc.Conv2d(8, 3, 1, rng=rng), "c"),
        y=(nc.Add(*short(3)), "a", "b", "d"),
    )


class Counting(nc.Identity):
    """Notes which of its outputs are still alive whenever it runs."""

    outputs: list

    def forward(self, x):
        y = np.asarray(x + 1)
        self.outputs.append(weakref.ref(y))
        self.remember(y)
        return y


def test_a_value_is_dropped_after_its_last_reader():
    outputs, alive = [], []

    class Watch(Counting):
        def forward(self, x):
            y = super().forward(x)
            gc.collect()
            alive.append([output() is not None for output in outputs])
            return y

    Watch.outputs = outputs
    model = nc.Graph(
        a=(Watch(), "x"),
        b=(Watch(), "a"),
        c=(Watch(), "b"),
        d=(Watch(), "c"),
        y=(nc.Add(*short(2)), "d", "b"),
    )
    with nc.no_grad():
        y = model(np.zeros(3))
    np.testing.assert_array_equal(y, 4 + 2)
    assert alive[2] == [False, True, True]  # a has been read; b is read once more at the end
    assert alive[3] == [False, True, True, True]  # c is being read


def test_what_is_read_twice_by_one_node_counts_twice():
    model = nc.Graph(y=(nc.Add(nc.Tanh(), nc.Identity()), "x", "x"))
    x = draw(3)
    np.testing.assert_array_equal(model(x), np.tanh(x) + x)
    np.testing.assert_allclose(model.backward(np.ones(3)), 2 - np.tanh(x) ** 2)


def test_a_layer_may_stand_at_several_nodes():
    shared = nc.Linear(3, 3, rng=0).to(np.float64)
    model = nc.Graph(a=(shared, "x"), b=(nc.Tanh(), "a"), y=(shared, "b"))
    chain = nc.Sequential(copy.deepcopy(shared), nc.Tanh(), copy.deepcopy(shared))
    x, dy = draw(2, 3), draw(2, 3, seed=1)
    np.testing.assert_array_equal(model(x), chain(x))
    np.testing.assert_array_equal(model.backward(dy), chain.backward(dy))
    both = chain[0].weight.grad + chain[2].weight.grad
    np.testing.assert_allclose(shared.weight.grad, both, rtol=1e-14)
    assert list(model.state_dict()) == ["a.weight", "a.bias", "y.weight", "y.bias"]
    assert len(model.parameters()) == 2


def test_a_layer_put_in_the_place_of_another_stands_where_it_stood():
    model, x = dense(rng=0).eval(), draw(2, 2, 4, 3, dtype=np.float32)
    before = model(x)
    model.d = nc.Conv2d(8, 3, 1, rng=1)
    assert (model(x) != before).any()
    model[3] = nc.Identity()
    with pytest.raises(nc.ShapeError):
        model(x)
    with pytest.raises(ValueError, match=r"expected 'y' to have a branch for each of .*got Identity\(\)"):
        model.y = nc.Identity()
    with pytest.raises(ValueError, match=r"got Add"):
        model[-1] = nc.Add(*short(2))
    with pytest.raises(TypeError, match="layer"):
        model.a = None


@pytest.mark.parametrize(
    ("path", "spoil"),
    [("a", "a"), ("b.1", "b"), ("d", "d"), ("y", "y")],
)
def test_errors_name_the_node(path, spoil):
    class Fragile(nc.Identity):
        def forward(self, x):
            raise nc.ShapeError(self, "expected nothing, got x")

    model = dense()
    broken = {"b": nc.Sequential(nc.Tanh(), Fragile()), "y": nc.Add(*short(2), nc.Sequential(Fragile()))}
    setattr(model, spoil, broken.get(spoil, Fragile()))
    with pytest.raises(nc.ShapeError) as caught:
        nc.Sequential(nc.Identity(), model)(draw(2, 2, 4, 3, dtype=np.float32))
    assert caught.value.path == {"y": "1.y.2.0"}.get(path, f"1.{path}")


def test_a_graph_in_a_block_takes_its_names():
    class Cell(nc.Block):
        def __init__(self):
            self.conv2 = nc.Conv2d(2, 2, 1, rng=0)
            self.conv1 = nc.Conv2d(2, 2, 1, rng=1)
            self.route(
                nc.Graph(
                    a=(self.conv1, "x"),
                    b=(self.conv2, "a"),
                    y=(nc.Add(*short(3)), "x", "a", "b"),
                ),
                nc.ReLU(),
            )

    model, x = Cell(), draw(2, 2, 3, 3, dtype=np.float32)
    assert list(model.state_dict()) == ["conv2.weight", "conv2.bias", "conv1.weight", "conv1.bias"]
    before = model(x)
    model.conv1 = nc.Conv2d(2, 2, 3, padding=1, rng=2)
    assert (model(x) != before).any()
    with pytest.raises(nc.ShapeError) as caught:
        model(draw(2, 3, 3, 3, dtype=np.float32))
    assert caught.value.path == "conv1"


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_goes_on_alike_and_alone(duplicate):
    model = dense(rng=0)
    x, dy = draw(2, 2, 4, 3, dtype=np.float32), draw(2, 3, 4, 3, dtype=np.float32)
    model(x)
    other = duplicate(model)
    y, dx = other(x), other.backward(dy)
    for parameter in other.parameters():
        parameter.data += 1
    np.testing.assert_array_equal(model(x), y)
    np.testing.assert_array_equal(model.backward(dy), dx)


def test_without_the_gradient_of_the_input_the_others_are_the_same():
    x, dy = draw(2, 2, 4, 3, dtype=np.float32), draw(2, 3, 4, 3, dtype=np.float32)
    model, other = dense(rng=0), dense(rng=0)
    model(x)
    model.backward(dy)
    other(x)
    assert other.backward_parameters(dy) is None
    for parameter, same in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(parameter.grad, same.grad)
    with pytest.raises(nc.StateError, match="each forward serves one"):
        other.backward_parameters(dy)


def test_one_graph_serves_threads_under_no_grad():
    model = dense(rng=0).eval()
    batches = [draw(2, 2, 4, 3, seed=seed, dtype=np.float32) for seed in range(16)]

    @nc.no_grad()
    def predict(x):
        return model(x)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(predict, batches))
    np.testing.assert_array_equal(together, [predict(x) for x in batches])


def test_its_looks_say_who_reads_whom():
    model = nc.Graph(a=(nc.ReLU(), "x"), y=(nc.Add(nc.Identity(), nc.Tanh()), "x", "a"))
    assert repr(model) == (
        "Graph(\n    (a <- x): ReLU()\n    (y <- x, a): Add(\n        (0): Identity()\n        (1): Tanh()\n    )\n)"
    )
