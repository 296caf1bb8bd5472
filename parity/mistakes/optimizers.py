"""Mistakes: optimizers and learning-rate schedules."""

import math

import numpy as np

import numpycnn as nc
from numpycnn.optim import lr_scheduler

from ..laws import rates, steps
from .mistake import plant


@plant("the learning rate stands inside the running sum", "SGD", steps, says="parameter 0")
class RateInsideTheSum(nc.optim.SGD):
    def update(self, p, g, state, options):
        lr = options["lr"]
        super().update(p, lr * g, state, {**options, "lr": 1.0, "weight_decay": lr * options["weight_decay"]})


@plant("the first gradient is dampened too", "SGD", steps, says="parameter 0")
class FirstGradientDampened(nc.optim.SGD):
    def update(self, p, g, state, options):
        if options["momentum"]:
            state.setdefault("momentum_buffer", np.zeros_like(p))
        super().update(p, g, state, options)


@plant("Nesterov does not look ahead", "SGD", steps, says="parameter 0")
class LooksNotAhead(nc.optim.SGD):
    def update(self, p, g, state, options):
        super().update(p, g, state, {**options, "nesterov": False})


@plant("weight decay is added to the gradient in place", "SGD", steps, says="a gradient after the step")
class WritesIntoGradient(nc.optim.SGD):
    def update(self, p, g, state, options):
        g += options["weight_decay"] * p
        super().update(p, g, state, {**options, "weight_decay": 0})


@plant("the running sum is the first gradient itself, not a copy", "SGD", steps, says="a gradient after the step")
class SumSharesTheGradient(nc.optim.SGD):
    def update(self, p, g, state, options):
        first = "momentum_buffer" not in state
        super().update(p, g, state, options)
        if first and "momentum_buffer" in state:
            g *= 1 - options["lr"]


@plant("a step replaces the parameter's array", "SGD", steps, says="another array than before")
class ReplacesTheArray(nc.optim.SGD):
    def step(self):
        super().step()
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data = parameter.data.copy()


@plant("parameters without a gradient decay all the same", "SGD", steps, says="parameter")
class MovesWithoutGradient(nc.optim.SGD):
    def step(self):
        super().step()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    parameter.data *= 1 - group["lr"] * group["weight_decay"]


@plant("the averages' bias towards 0 is not mended", "Adam", steps, says="parameter 0")
class BiasUnmended(nc.optim.Adam):
    def update(self, p, g, state, options):
        super().update(p, g, state, options)
        state["step"] = 1e6


@plant("eps stands under the root", "Adam", steps, says="parameter 0")
class EpsUnderTheRoot(nc.optim.Adam):
    def update(self, p, g, state, options):
        super().update(p, g, state, {**options, "eps": math.sqrt(options["eps"])})


@plant("steps are counted for all parameters together", "Adam", steps, says="parameter 1")
class StepsCountedTogether(nc.optim.Adam):
    def update(self, p, g, state, options):
        others = [other["step"] for other in self.state.values() if "step" in other]
        super().update(p, g, state, options)
        state["step"] = max([*others, state["step"]])


@plant("amsgrad is ignored", "Adam", steps, says="parameter 0")
class AmsgradIgnored(nc.optim.Adam):
    def update(self, p, g, state, options):
        super().update(p, g, state, {**options, "amsgrad": False})


@plant("weight decay goes through the averages, as in Adam", "AdamW", steps, says="parameter 0")
class DecayThroughTheAverages(nc.optim.AdamW):
    decoupled_weight_decay = False


@plant("the rate changes one epoch late", "StepLR", rates, says="rates in epoch")
class OneEpochLate(lr_scheduler.StepLR):
    def get_lr(self):
        self.last_epoch -= 1
        rates = super().get_lr()
        self.last_epoch += 1
        return rates


@plant("a milestone that is there twice counts once", "MultiStepLR", rates, says="rates in epoch")
class MilestonesOnce(lr_scheduler.MultiStepLR):
    def __init__(self, optimizer, milestones, gamma):
        super().__init__(optimizer, set(milestones), gamma)


@plant("the rate stays down after T_max", "CosineAnnealingLR", rates, says="rates in epoch")
class StaysDown(lr_scheduler.CosineAnnealingLR):
    def get_lr(self):
        if self.last_epoch > self.T_max:
            return [group["lr"] for group in self.optimizer.param_groups]
        return super().get_lr()


@plant("a rate set by hand is overrun", "CosineAnnealingLR", rates, says="rates in epoch")
class OverrunsTheHand(lr_scheduler.CosineAnnealingLR):
    def get_lr(self):
        wave = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (base - self.eta_min) * wave for base in self.base_lrs]
