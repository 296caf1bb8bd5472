"""Adam and AdamW: steps measured by running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..kernels.blockwise import block_by_block
from ..layers.arguments import flag, number
from ..layers.arrays import Array
from .optimizer import Optimizer, Params


class Adam(Optimizer):
    """``p <- p - lr m / sqrt(v)``, with m and v the running averages of g and of g^2.

    With g the gradient, for every parameter p in its step t = 1, 2, ..., from m = v = 0::

        g <- g + weight_decay p
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        p <- p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)

    The divisions by ``1 - beta^t`` mend the averages' bias towards their start at 0. With amsgrad
    the largest v so far takes the place of v in the last line.

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        What to optimize, see ``Optimizer``.
    lr : float
        The learning rate, at least 0: about how far an entry moves in a step.
    betas : (float, float)
        How much of m and of v stays, each in [0, 1).
    eps : float
        Keeps the divisor from 0, at least 0.
    weight_decay : float
        Factor of the L2 penalty ``weight_decay / 2 |p|^2``, at least 0.
    amsgrad : bool
        Whether steps are never to grow because v shrinks.

    Raises
    ------
    ValueError
        If an option is out of its range.

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1. Reddi et al.,
    "On the convergence of Adam and beyond", 2018, algorithm 2 (amsgrad).

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> p = nc.Parameter(np.array([1.0, 1.0]))
    >>> optimizer = nc.optim.Adam([p], lr=0.1)
    >>> p.grad = np.array([1000.0, -0.001])
    >>> optimizer.step()
    >>> p.data.round(4)
    array([0.9, 1.1])
    """

    state_names = ("step", "exp_avg", "exp_avg_sq")
    optional_state_names = ("max_exp_avg_sq",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
    ):
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        super().__init__(params, options)

    def parse(self, options: Mapping[str, Any]) -> dict[str, Any]:
        owner = type(self).__name__
        return {
            "lr": number(owner, "lr", options["lr"], 0),
            "betas": _betas(owner, options["betas"]),
            "eps": number(owner, "eps", options["eps"], 0),
            "weight_decay": number(owner, "weight_decay", options["weight_decay"], 0),
            "amsgrad": flag(owner, "amsgrad", options["amsgrad"]),
        }

    def update(self, p: Array, g: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        lr, (beta1, beta2), eps = options["lr"], options["betas"], options["eps"]
        weight_decay, amsgrad = options["weight_decay"], options["amsgrad"]
        if not state:
            state.update(step=0.0, exp_avg=np.zeros_like(p), exp_avg_sq=np.zeros_like(p))
        if amsgrad and "max_exp_avg_sq" not in state:  # it may be switched on later
            state["max_exp_avg_sq"] = np.zeros_like(p)
        state["step"] += 1
        t = state["step"]

        def move(p: Array, g: Array, m: Array, v: Array, largest_v: Array) -> None:
            if weight_decay and not self.decoupled_weight_decay:
                g = g + weight_decay * p
            m *= beta1
            m += (1 - beta1) * g
            v *= beta2
            v += (1 - beta2) * g * g
            if amsgrad:
                v = largest_v[...] = np.maximum(largest_v, v)
            if self.decoupled_weight_decay:  # only now: g may be in the memory of p
                p *= 1 - lr * weight_decay
            p -= lr / (1 - beta1**t) * m / (np.sqrt(v) / (1 - beta2**t) ** 0.5 + eps)

        block_by_block(move, p, g, state["exp_avg"], state["exp_avg_sq"], state.get("max_exp_avg_sq"))


class AdamW(Adam):
    """Adam whose weight decay acts on the parameters at once, not by way of the averages.

    The first line of ``Adam`` becomes::

        p <- p - lr weight_decay p

    Parameters
    ----------
    params, lr, betas, eps, amsgrad
        As in ``Adam``.
    weight_decay : float
        How fast parameters shrink, at least 0.

    Raises
    ------
    ValueError
        If an option is out of its range.

    References
    ----------
    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> p = nc.Parameter(np.array([1.0, 2.0]))
    >>> optimizer = nc.optim.AdamW([p], lr=0.1, weight_decay=0.5)
    >>> p.grad = np.zeros(2)
    >>> optimizer.step()
    >>> p.data
    array([0.95, 1.9 ])
    """

    decoupled_weight_decay = True

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)


def _betas(owner: str, betas: Any) -> tuple[float, float]:
    try:
        beta1, beta2 = betas
    except (TypeError, ValueError):
        raise ValueError(f"{owner}: expected betas to be two numbers, got {betas!r}") from None
    parsed = number(owner, "betas[0]", beta1, 0, 1), number(owner, "betas[1]", beta2, 0, 1)
    if 1 in parsed:
        raise ValueError(f"{owner}: expected betas below 1, got {betas!r}")
    return parsed
