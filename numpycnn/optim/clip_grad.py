"""Gradients that are too large are made smaller before a step: together by their norm, or each number by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..layers.arguments import number
from ..layers.arrays import Array
from ..layers.module import Module
from ..layers.parameter import Parameter

Parameters = Parameter | Iterable[Parameter]


def clip_grad_norm_(
    parameters: Parameters, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Any:
    """Scale all gradients, in place, by ``min(1, max_norm / (norm + 1e-6))``.

    The norm is that of one long vector, all gradients behind each other: their direction stays.

    Parameters
    ----------
    parameters : Parameter, or iterable of Parameter
        Whose gradients; those that have none are passed over.
    max_norm : float
        The largest norm that is left alone.
    norm_type : float
        p of the norm ``(sum of |g|^p)^(1/p)``; ``inf`` for the largest entry.
    error_if_nonfinite : bool
        Whether a norm of inf or nan is an error; else such gradients become 0 and nan.

    Returns
    -------
    numpy scalar
        The norm before, in the dtype of the gradients; 0 where there are none.

    Raises
    ------
    RuntimeError
        If the norm is not finite and ``error_if_nonfinite``; no gradient is changed then.

    References
    ----------
    Pascanu et al., "On the difficulty of training recurrent neural networks", 2013, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> p = nc.Parameter(np.zeros(2))
    >>> p.grad = np.array([3.0, -4.0])
    >>> nc.optim.clip_grad_norm_([p], max_norm=1.0)
    np.float64(5.0)
    >>> p.grad.round(4)
    array([ 0.6, -0.8])
    """
    owner = "clip_grad_norm_"
    max_norm = number(owner, "max_norm", max_norm, -math.inf)
    norm_type = number(owner, "norm_type", norm_type, -math.inf)
    grads = _grads(owner, parameters)
    with np.errstate(all="ignore"):  # inf and NaN pass through silently, as in PyTorch
        norms = [np.linalg.norm(grad.ravel(), norm_type) for grad in grads]
        total = np.linalg.norm(np.array(norms, grads[0].dtype if grads else np.float32), norm_type if norms else None)
        if error_if_nonfinite and not np.isfinite(total):
            raise RuntimeError(f"{owner}: expected gradients of a finite norm, got {total} (of order {norm_type})")
        scale = np.minimum(max_norm / (total + 1e-6), 1)
        for grad in grads:
            grad *= scale.astype(grad.dtype)
    return total


def clip_grad_value_(parameters: Parameters, clip_value: float) -> None:
    """Move every entry of every gradient, in place, into ``[-clip_value, clip_value]``.

    Parameters
    ----------
    parameters : Parameter, or iterable of Parameter
        Whose gradients; those that have none are passed over.
    clip_value : float
        The largest size that is left alone.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> p = nc.Parameter(np.zeros(3))
    >>> p.grad = np.array([3.0, -4.0, 0.5])
    >>> nc.optim.clip_grad_value_([p], clip_value=1.0)
    >>> p.grad
    array([ 1. , -1. ,  0.5])
    """
    owner = "clip_grad_value_"
    clip_value = number(owner, "clip_value", clip_value, -math.inf)
    for grad in _grads(owner, parameters):
        grad[...] = np.minimum(np.maximum(grad, -clip_value), clip_value)


def _grads(owner: str, parameters: Any) -> list[Array]:
    """List the gradients that are there."""
    if isinstance(parameters, Module):
        raise TypeError(f"{owner}: expected model.parameters(), got a {type(parameters).__name__} itself")
    if isinstance(parameters, Parameter):
        parameters = [parameters]
    if not isinstance(parameters, Iterable) or isinstance(parameters, str | bytes | np.ndarray):
        raise TypeError(f"{owner}: expected parameters, got {parameters!r}")
    listed = list(parameters)
    for index, parameter in enumerate(listed):
        if not isinstance(parameter, Parameter):
            raise TypeError(f"{owner}: expected Parameters, got {type(parameter).__name__} as number {index}")
    return [parameter.grad for parameter in listed if parameter.grad is not None]
