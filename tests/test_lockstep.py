"""Whole trainings side by side with PyTorch: the same weights, the same batches, step for step; -rP shows how close."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import numpycnn as nc
from numpycnn.models import LeNet, LeNet5
from parity import bridge, twins
from parity.torch_module import TorchModule

STEPS, BATCH = 200, 16

OPTIMIZERS = {
    "SGD": ("SGD", {"lr": 0.05}, None),
    "SGD with everything": (
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
        ("CosineAnnealingLR", {"T_max": STEPS}),
    ),
    "Adam": ("Adam", {"lr": 1e-3}, None),
    "AdamW": ("AdamW", {"lr": 1e-3, "weight_decay": 0.1}, ("StepLR", {"step_size": 80, "gamma": 0.3})),
}
every_optimizer = pytest.mark.parametrize(("optimizer", "options", "schedule"), OPTIMIZERS.values(), ids=OPTIMIZERS)


def digits(step, side, dtype):
    """Draw a batch of something like digits: one blocky sign for each class, of varying strength, under noise."""
    signs = np.random.default_rng(7).random((10, 7, 7)) < 0.4
    rng = np.random.default_rng([step, 8])
    labels = rng.integers(0, 10, BATCH)
    strength = rng.uniform(0.6, 1.0, (BATCH, 1, 1))
    images = np.kron(signs[labels] * strength, np.ones((1, 4, 4)))
    images = np.pad(images, [(0, 0), *[((side - 28) // 2,) * 2] * 2])
    images += 0.2 * rng.standard_normal(images.shape)
    return images[:, None].astype(dtype), labels


def train(ours, theirs, optimizer, options, schedule, dtype, steps=STEPS, side=28):
    """Train both sides, theirs first (what it drops, ours repeats); return the losses of both, step by step."""
    theirs.to(getattr(torch, dtype))
    bridge.to_torch(ours, theirs)
    bridge.replay_dropout(ours, theirs)
    our_loss, their_loss = nc.CrossEntropyLoss(), nn.CrossEntropyLoss()
    our_optimizer = getattr(nc.optim, optimizer)(ours.parameters(), **options)
    their_optimizer = getattr(torch.optim, optimizer)(theirs.parameters(), **options)
    schedules = []
    if schedule:
        kind, settings = schedule
        schedules.append(getattr(nc.optim.lr_scheduler, kind)(our_optimizer, **settings))
        schedules.append(getattr(torch.optim.lr_scheduler, kind)(their_optimizer, **settings))
    losses = []
    for step in range(steps):
        images, labels = digits(step, side, dtype)

        their_optimizer.zero_grad()
        their_value = their_loss(theirs(torch.from_numpy(images)), torch.from_numpy(labels))
        their_value.backward()
        their_optimizer.step()

        our_optimizer.zero_grad()
        our_value = our_loss(ours(images), labels)
        ours.backward(our_loss.backward())
        our_optimizer.step()

        for each in schedules:
            each.step()
        losses.append((float(our_value), their_value.item()))
    return np.array(losses)


def largest_difference(ours, theirs):
    """Return the largest difference of any parameter or buffer."""
    judge = theirs.state_dict()
    return max(np.abs(value - judge[name].numpy()).max() for name, value in ours.state_dict().items())


def assert_learned(losses):
    """Two sides that stand still are in step as well."""
    assert losses[-10:].mean() < 0.9 * losses[:10].mean(), f"nothing was learned: {losses[:, 0]}"


def assert_in_step(ours, theirs, losses):
    """Hold every number of both sides together, after a training that did train.

    The bound leaves room for other orders of summation: each step rounds in the last of 16 digits,
    and momentum and small second moments magnify what came before.
    """
    difference = largest_difference(ours, theirs)
    print(f"after {len(losses)} steps the sides are {difference:.2e} apart")
    assert_learned(losses)
    assert difference < 1e-9, f"after {len(losses)} steps the sides are {difference:.2e} apart"


@every_optimizer
def test_lenet_stays_in_step_for_200_steps(optimizer, options, schedule):
    ours, theirs = LeNet(rng=0, dtype=np.float64), twins.LeNet()
    losses = train(ours, theirs, optimizer, options, schedule, "float64")
    assert_in_step(ours, theirs, losses)


def normalised_and_dropping(world, **options):
    """Build either side's small network of everything that is drawn or counted as it trains.

    No bias stands before a normalisation, which takes it out again: its gradient would be rounding
    alone, which Adam, dividing it by its own size, makes as large as any other.
    """
    return world.Sequential(
        world.Conv2d(1, 6, 5, stride=2, bias=False, **options),
        world.BatchNorm2d(6),
        world.ReLU(),
        world.MaxPool2d(3, 2, 1),
        world.Dropout(0.2),
        world.Conv2d(6, 8, 3, padding=1, groups=2, bias=False, **options),
        world.BatchNorm2d(8, momentum=None),
        world.LeakyReLU(0.1),
        world.AdaptiveAvgPool2d((4, 3)),
        world.Flatten(),
        world.Dropout(0.3),
        world.Linear(96, 10, **options),
    )


@every_optimizer
def test_dropout_and_batch_norm_stay_in_step_too(optimizer, options, schedule):
    ours, theirs = normalised_and_dropping(nc, rng=0).to(np.float64), normalised_and_dropping(nn)
    losses = train(ours, theirs, optimizer, options, schedule, "float64")
    assert_in_step(ours, theirs, losses)
    ours.eval(), theirs.eval()
    images, _ = digits(STEPS, 28, "float64")
    np.testing.assert_allclose(ours(images), theirs(torch.from_numpy(images)).detach(), rtol=0, atol=1e-8)


@every_optimizer
def test_float32_losses_stay_together_for_50_steps(optimizer, options, schedule):
    # Without kinks: where a rectifier or a maximum decides otherwise by the last of 7 digits, the sides part for good.
    ours, theirs = LeNet5(rng=0), twins.LeNet5()
    losses = train(ours, theirs, optimizer, options, schedule, "float32", steps=50, side=32)
    difference = np.abs(losses[:, 0] / losses[:, 1] - 1).max()
    print(f"the losses are up to {difference:.2e} apart")
    assert_learned(losses)
    assert difference < 1e-4, f"the losses are up to {difference:.2e} apart"


# Networks of both libraries' layers, under torch's optimizers


def mixed(library):
    """Build a network of torch's layers with a few of ours, or torch's alone."""
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten())
    model.append(nn.Linear(12, 4))
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    model.double()
    if library is nc:
        for index, layer in {
            0: nc.Conv2d(1, 3, 3),
            1: nc.BatchNorm2d(3),
            3: nc.MaxPool2d(2),
            5: nc.Linear(12, 4),
        }.items():
            bridge.from_torch(model[index], layer.to(np.float64))
            model[index] = TorchModule(layer)
    return model


@pytest.mark.parametrize(
    ("make", "options"),
    # With its 20 evaluations a step, LBFGS would make 1e-7 of a rounding of the first weights, with 4 it is 5e-14.
    [(torch.optim.Adam, {}), (torch.optim.LBFGS, {"max_iter": 4}), (torch.optim.SGD, {})],
    ids=["Adam", "LBFGS", "SGD"],
)
def test_mixed_networks_train_under_torchs_optimizers_schedules_and_loaders(make, options):
    generator = torch.Generator().manual_seed(1)
    data = TensorDataset(
        torch.randn(24, 1, 6, 6, generator=generator, dtype=torch.float64),
        torch.randint(0, 4, (24,), generator=generator),
    )
    states = []
    for library, loss in ((nc, TorchModule(nc.CrossEntropyLoss())), (nn, nn.CrossEntropyLoss())):
        model = mixed(library)
        optimizer = make(model.parameters(), lr=0.05, **options)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
        loader = DataLoader(data, 8, shuffle=True, generator=torch.Generator().manual_seed(2))
        for _ in range(3):
            for x, labels in loader:

                def closure(model=model, optimizer=optimizer, loss=loss, x=x, labels=labels):
                    optimizer.zero_grad()
                    value = loss(model(x), labels)
                    value.backward()
                    return value

                optimizer.step(closure)
            schedule.step()
        states.append(model.state_dict())
    assert list(states[0]) == list(states[1])
    for name in states[0]:
        torch.testing.assert_close(states[0][name], states[1][name], rtol=1e-9, atol=1e-9)
