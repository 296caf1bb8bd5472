"""The training core: what a step does, what a judgement leaves behind, when it all stops."""

import copy
import itertools
import math

import numpy as np
import pytest
from small_training import CRITERION, data, small_model, train

import numpycnn as nc
from numpycnn.optim import SGD, Adam
from numpycnn.optim.lr_scheduler import CosineAnnealingLR
from numpycnn.training import Batches, DivergedError, EarlyStop, Stream, evaluate, fit, predict

# The loop


def test_the_loop_is_the_one_that_one_would_write():
    x, target = data()
    model, by_hand = small_model(), small_model()
    optimizers = [Adam(m.parameters(), lr=0.01) for m in (model, by_hand)]
    schedules = [CosineAnnealingLR(optimizer, T_max=20) for optimizer in optimizers]
    steps = fit(
        model, CRITERION, optimizers[0], Batches(x, target, 16, rng=1), epochs=3, schedule=schedules[0], max_norm=1
    )
    batches, seen = Batches(x, target, 16, rng=1), 0
    for epoch in (1, 2, 3):
        for number, (a, t) in enumerate(batches, 1):
            step = next(steps)
            seen += 1
            assert (step.number, step.epoch, step.last) == (seen, epoch, number == 4)
            assert np.array_equal(step.x, a) and np.array_equal(step.target, t)
            assert step.lr == optimizers[1].param_groups[0]["lr"]
            scores = by_hand(a)
            assert np.array_equal(step.scores, scores)
            assert step.accuracy == (scores.argmax(1) == t).mean()
            assert step.loss == float(CRITERION(scores, t))
            optimizers[1].zero_grad()
            by_hand.backward(CRITERION.backward())
            assert step.norm == float(nc.optim.clip_grad_norm_(by_hand.parameters(), 1))
            optimizers[1].step()
            schedules[1].step()
            assert step.seconds > 0
    assert next(steps, None) is None
    np.testing.assert_equal(model.state_dict(), by_hand.state_dict())


def test_it_learns_and_the_same_seed_gives_the_same_bits():
    def final(seed):
        model = small_model(seed)
        steps = train(model, Batches(*data(300), 16, augment=lambda x, rng: x + 0.1 * rng.random(), rng=seed), epochs=4)
        return model, steps

    model, steps = final(0)
    assert steps[-1].loss < 0.5 * steps[0].loss
    assert evaluate(model, CRITERION, *data(200, seed=1)).accuracy > 0.9
    again, _ = final(0)
    other, _ = final(1)
    np.testing.assert_equal(again.state_dict(), model.state_dict())
    assert not np.array_equal(other[0].weight.data, model[0].weight.data)


def test_training_goes_on_where_the_batches_stand():
    whole, halved = small_model(), small_model()
    expected = train(whole, Batches(*data(), 16, rng=2), epochs=3)
    batches, optimizer = Batches(*data(), 16, rng=2), SGD(halved.parameters(), lr=0.05, momentum=0.9)
    first = list(itertools.islice(fit(halved, CRITERION, optimizer, batches, epochs=3), 6))
    rest = list(fit(halved, CRITERION, optimizer, batches, epochs=3))
    assert [(s.number, s.epoch, s.last, s.loss) for s in first + rest] == [
        (s.number, s.epoch, s.last, s.loss) for s in expected
    ]
    np.testing.assert_equal(halved.state_dict(), whole.state_dict())
    assert list(fit(halved, CRITERION, optimizer, batches, epochs=3)) == []


def test_any_iterable_of_pairs_will_do():
    pairs = list(Batches(*data(), 16, rng=2))
    listed, streamed = small_model(), small_model()
    steps = train(listed, pairs)
    assert [step.last for step in steps] == [False, False, False, True] * 2
    train(streamed, Stream(pairs))
    np.testing.assert_equal(listed.state_dict(), streamed.state_dict())


def test_an_evaluation_in_between_changes_nothing():
    plain, disturbed = small_model(), small_model()
    train(plain, Batches(*data(), 16, rng=2))
    optimizer = SGD(disturbed.parameters(), lr=0.05, momentum=0.9)
    for _ in fit(disturbed, CRITERION, optimizer, Batches(*data(), 16, rng=2), epochs=2):
        evaluate(disturbed, CRITERION, *data(20))
        disturbed.eval()  # and forgotten
    np.testing.assert_equal(disturbed.state_dict(), plain.state_dict())


def test_layers_that_were_frozen_by_hand_stay_so():
    model = small_model()
    model[1].eval()
    train(model, Batches(*data(), 16, rng=2))
    assert model.training and not model[1].training
    assert model[1].num_batches_tracked.data == 0


def test_nothing_is_done_before_the_first_step_is_asked_for():
    model = small_model().eval()
    before = model.state_dict()
    fit(model, CRITERION, SGD(model.parameters()), Batches(*data(), 16))
    np.testing.assert_equal(model.state_dict(), before)
    assert not model.training


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"model": nc.MSELoss()}, TypeError, "expected model to be of type Layer, got MSELoss"),
        ({"criterion": len}, TypeError, "expected criterion to be of type Loss, got builtin_function_or_method"),
        ({"criterion": nc.MSELoss(reduction="none")}, ValueError, "one number, got one of reduction='none'"),
        ({"optimizer": None}, TypeError, "expected optimizer to be of type Optimizer, got NoneType"),
        ({"schedule": SGD(small_model().parameters())}, TypeError, "schedule to be of type LRScheduler, got SGD"),
        ({"batches": 3}, TypeError, "expected an iterable of pairs, got int"),
        ({"epochs": -1}, ValueError, "expected epochs >= 0, got -1"),
        ({"max_norm": -1.0}, ValueError, r"expected max_norm in \[0, inf\], got -1.0"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_step(change, error, words):
    model = small_model()
    arguments = {"model": model, "criterion": CRITERION, "optimizer": SGD(model.parameters()), "batches": [], **change}
    with pytest.raises(error, match=words):
        fit(**arguments)


# Running away


def test_a_training_that_runs_away_stops_with_a_sentence():
    model = small_model()
    optimizer, reached = SGD(model.parameters(), lr=1e30), 0
    with pytest.raises(DivergedError) as caught:
        for step in fit(model, CRITERION, optimizer, Batches(*data(), 16, rng=0), epochs=9):
            reached = step.number
    error = caught.value
    assert isinstance(error, ArithmeticError)
    assert (error.step, error.lr) == (reached + 1, 1e30)
    assert str(error).startswith(f"expected a finite loss, got nan in step {error.step}, at a learning rate of 1e+30; ")
    assert error.place.startswith("the output of ")
    assert str(copy.copy(error)) == str(error)


def poisoned(path, value):
    model = nc.models.LeNet(rng=0)
    dict(model.named_parameters())[path].data.flat[0] = value
    return model


@pytest.mark.parametrize(
    ("model", "place"),
    [
        (poisoned("conv1.bias", math.nan), "the output of conv1: Conv2d(1, 6, 5), whose bias is not finite either"),
        (poisoned("fc2.weight", math.inf), "the output of fc2: Linear(120, 84), whose weight is not finite either"),
        (poisoned("fc3.bias", 3e38), "the loss itself: all layers have finite outputs"),
        (poisoned("fc3.bias", -math.inf), "the output of fc3: Linear(84, 10), whose bias is not finite either"),
    ],
)
def test_the_first_layer_that_is_not_finite_is_named(model, place):
    x = np.random.default_rng(0).standard_normal((4, 1, 28, 28)).astype(np.float32)
    target = np.array([1, 2, 0, 0])
    if "loss itself" in place:
        model.fc3.bias.data[1], target = -3e38, np.array([1, 1, 1, 1])
    before = model.state_dict()
    with pytest.raises(DivergedError) as caught:
        next(fit(model, CRITERION, SGD(model.parameters(), lr=0.5), [(x, target)]))
    assert caught.value.place == place
    np.testing.assert_equal(model.state_dict(), before)
    assert "forward" not in vars(model.conv1)


def test_a_layer_without_a_name_and_the_input_are_named_too():
    class Overflow(nc.Layer):
        def forward(self, x):
            self.remember(x)
            return x * np.float32(1e38) * np.float32(1e38)

    class Net(nc.Block):
        def __init__(self):
            self.fc = nc.Linear(2, 2, rng=0)
            self.route(self.fc, Overflow())

    x, target = np.ones((1, 2), np.float32), np.array([0])
    for value, place in ((1, "the output of Overflow()"), (math.inf, "the input")):
        model = Net()
        with pytest.raises(DivergedError) as caught:
            next(fit(model, CRITERION, SGD(model.parameters()), [(x * np.float32(value), target)]))
        assert caught.value.place == place


def test_gradients_that_are_not_finite_stop_it_before_the_weights_are_moved():
    class Wall(nc.Layer):
        def forward(self, x):
            self.remember(x)
            return x

        def backward(self, dy):
            self.recall(dy)
            return dy * np.float32(np.inf)

    model = nc.Sequential(nc.Linear(2, 2, rng=0), Wall(), nc.Linear(2, 2, rng=1))
    pairs, before = [(np.ones((1, 2), np.float32), np.array([0]))], model.state_dict()
    with pytest.raises(DivergedError) as caught:
        next(fit(model, CRITERION, SGD(model.parameters(), lr=0.5), pairs, max_norm=1.0))
    assert caught.value.place == "the gradient of 0.bias"
    assert "expected gradients of a finite norm, got inf in step 1" in str(caught.value)
    np.testing.assert_equal(model.state_dict(), before)


# Judging


@pytest.mark.parametrize("batch_size", [1, 7, 20, 100])
def test_predictions_come_chunk_by_chunk(batch_size):
    x, target = data(20)
    model = small_model()
    model(x)
    expected = model.eval()(x)
    np.testing.assert_allclose(predict(model, x, batch_size=batch_size), expected, rtol=1e-4, atol=1e-6)
    doubled = predict(model, 2 * x, batch_size=batch_size, prepare=lambda chunk: chunk / 2)
    np.testing.assert_allclose(doubled, expected, rtol=1e-4, atol=1e-6)
    loss, accuracy = evaluate(model, CRITERION, x, target, batch_size=batch_size)
    assert loss == pytest.approx(float(CRITERION(expected, target)), rel=1e-4)
    assert accuracy == (expected.argmax(1) == target).mean()


def test_a_judgement_leaves_modes_states_and_memory_alone():
    x, target = data(20)
    model = small_model()
    model[5].eval()
    y = model(x)
    before, modes = model.state_dict(), [module.training for module in model.modules()]
    dropout = copy.deepcopy(model[5]._rng.bit_generator.state)
    evaluate(model, CRITERION, x, target, batch_size=3)
    with pytest.raises(nc.ShapeError):
        predict(model, x[:, 0])
    assert [module.training for module in model.modules()] == modes
    np.testing.assert_equal(model.state_dict(), before)
    assert model[5]._rng.bit_generator.state == dropout
    model.backward(np.ones_like(y))  # what forward remembered is still there


def test_a_judgement_of_nothing_and_of_numbers():
    x, target = data(20)
    assert predict(small_model(), x[:0]).shape == (0, 3)
    assert np.isnan(evaluate(small_model(), CRITERION, x[:0], target[:0])).all()
    loss, accuracy = evaluate(nc.Identity(), nc.MSELoss(), x, x + 1)
    assert loss == pytest.approx(1) and math.isnan(accuracy)
    with pytest.raises(ValueError, match="evaluate: expected a target for each of 20 inputs, got 3"):
        evaluate(small_model(), CRITERION, x, target[:3])


# Stopping early


def test_it_stops_when_it_has_not_become_better_for_a_while():
    scores = [0.5, 0.6, 0.6, math.nan, 0.61, 0.6, 0.6, 0.62]
    stop = EarlyStop(3)
    assert [stop(score) for score in scores] == [False] * 7 + [False]
    assert [EarlyStop(1)(score) for score in (math.nan, 0.5)] == [True, False]
    stop = EarlyStop(3, min_delta=0.05)
    assert [stop(score) for score in scores] == [False] * 4 + [True, True, True, True]
    assert (stop.best, stop.waited) == (0.6, 6)
    again = EarlyStop(3, min_delta=0.05)
    again.load_state_dict(stop.state_dict())
    assert (again.best, again.waited) == (0.6, 6)
    assert repr(again) == "EarlyStop(3, min_delta=0.05)" and repr(EarlyStop(2)) == "EarlyStop(2)"
    with pytest.raises(ValueError, match="expected 'best' and 'waited', got"):
        again.load_state_dict({"best": 1.0})
