"""Stochastic gradient descent, with momentum if asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..kernels.blockwise import block_by_block
from ..layers.arguments import flag, number
from ..layers.arrays import Array
from .optimizer import Optimizer, Params


class SGD(Optimizer):
    """``p <- p - lr g``; with momentum a running sum b of the gradients takes the place of g.

    With g the gradient, for every parameter p::

        g <- g + weight_decay p
        b <- momentum b + (1 - dampening) g      (at p's first step b <- g)
        g <- g + momentum b if nesterov, else b
        p <- p - lr g

    Without momentum the second and third line fall away, and no b is kept. As lr stands outside b,
    a change of lr acts at once on all of b; Sutskever et al. have it inside.

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        What to optimize, see ``Optimizer``.
    lr : float
        The learning rate, at least 0.
    momentum : float
        How much of b stays, at least 0.
    dampening : float
        How much of a new gradient is kept out of b.
    weight_decay : float
        Factor of the L2 penalty ``weight_decay / 2 |p|^2``, at least 0.
    nesterov : bool
        Whether to look ahead; needs a momentum and no dampening.

    Raises
    ------
    ValueError
        If an option is out of its range.

    References
    ----------
    Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013,
    section 2.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> p = nc.Parameter(np.array([1.0, 2.0]))
    >>> optimizer = nc.optim.SGD([p], lr=0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     p.grad = np.array([1.0, -1.0])
    ...     optimizer.step()
    ...     print(p.data)
    [0.5 2.5]
    [-0.25  3.25]
    """

    state_names = ("momentum_buffer",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
            },
        )
        # Of the defaults alone, as in PyTorch: a group may switch its momentum off.
        if self.defaults["nesterov"] and (self.defaults["momentum"] == 0 or self.defaults["dampening"] != 0):
            raise ValueError(
                f"SGD: nesterov needs momentum > 0 and dampening = 0, got momentum={momentum}, dampening={dampening}"
            )

    def parse(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "lr": number("SGD", "lr", options["lr"], 0),
            "momentum": number("SGD", "momentum", options["momentum"], 0),
            "dampening": number("SGD", "dampening", options["dampening"], -math.inf),
            "weight_decay": number("SGD", "weight_decay", options["weight_decay"], 0),
            "nesterov": flag("SGD", "nesterov", options["nesterov"]),
        }

    def update(self, p: Array, g: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        momentum = options["momentum"]
        first = momentum and "momentum_buffer" not in state
        if first:
            state["momentum_buffer"] = np.zeros_like(p)

        def move(p: Array, g: Array, b: Array) -> None:
            if options["weight_decay"]:
                g = g + options["weight_decay"] * p
            if momentum:
                if first:
                    b[...] = g
                else:
                    b *= momentum
                    b += (1 - options["dampening"]) * g if options["dampening"] else g
                g = g + momentum * b if options["nesterov"] else b
            p -= options["lr"] * g

        block_by_block(move, p, g, state.get("momentum_buffer"))
