"""The contract of every optimizer: what it holds, when it updates, and how its state is saved."""

from __future__ import annotations

import copy
import inspect
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..layers.arguments import number
from ..layers.arrays import Array
from ..layers.module import Module
from ..layers.parameter import Parameter

Params = Iterable[Parameter] | Iterable[Mapping[str, Any]]


class Optimizer:
    """Something that moves parameters against their gradients, in place.

    A subclass says two things: ``parse``, which options it has and what they may be, and
    ``update``, the equations for one array.

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        What to optimize: ``model.parameters()``; or groups, each a dict of ``"params"`` and of the
        options that differ from the defaults, such as ``"lr"``.
    defaults : dict
        The options of groups that do not say otherwise.

    Attributes
    ----------
    param_groups : list of dict
        The groups, with all options; change ``optimizer.param_groups[0]["lr"]`` at any time.
    state : dict of Parameter to dict
        What is remembered of each parameter from step to step, in the dtype of the parameter.

    Raises
    ------
    TypeError
        If params holds anything but Parameters.
    ValueError
        If params is empty, a parameter is in it twice, or an option is out of its range.

    Examples
    --------
    >>> import numpycnn as nc
    >>> model = nc.Linear(3, 2)
    >>> nc.optim.SGD([{"params": [model.weight], "weight_decay": 0.1}, {"params": [model.bias]}], lr=0.5)
    SGD(
        1 parameter, lr=0.5, weight_decay=0.1
        1 parameter, lr=0.5
    )
    """

    # PyTorch's options that change the equations and that no subclass takes as an argument.
    maximize = False
    decoupled_weight_decay = False

    # The state of a parameter is empty, or has all of these; what is optional may be there too.
    state_names: tuple[str, ...] = ()
    optional_state_names: tuple[str, ...] = ()

    def __init__(self, params: Params, defaults: Mapping[str, Any]):
        self.defaults = self.parse(defaults)
        self.param_groups: list[dict[str, Any]] = []
        self.state: defaultdict[Parameter, dict[str, Any]] = defaultdict(dict)
        groups = self._listed(params)
        if not groups:
            raise ValueError(f"{type(self).__name__}: expected parameters to optimize, got none")
        if not isinstance(groups[0], Mapping):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # What a subclass says

    def parse(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Pick this optimizer's options out of a group, checked, as plain floats and bools."""
        raise NotImplementedError(f"{type(self).__name__} defines no parse")

    def update(self, p: Array, g: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        """Move the array p in place, given its gradient g (not written to) and its state."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    # What it does

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self._parameters():
            parameter.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient; the others stay, and so does their state.

        Raises
        ------
        TypeError, ValueError
            If a gradient does not fit its parameter, or an option was set to what is no number;
            nothing is updated then.
        """
        self._check_grads()
        # Users write into the groups, and a float64 scalar of NumPy's as the learning rate would
        # lift float32 arrays to float64. Ranges are not checked anew, as in PyTorch.
        plain = [{name: self._plain(name, group[name]) for name in self.defaults} for group in self.param_groups]
        with np.errstate(all="ignore"):  # inf and NaN pass through silently, as in PyTorch
            for group, options in zip(self.param_groups, plain, strict=True):
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        state = self.state[parameter]
                        _follow_dtype(state, parameter.data)
                        self.update(parameter.data, parameter.grad, state, options)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take one more group of parameters, with the default for every option that it leaves out."""
        owner = type(self).__name__
        if not isinstance(param_group, Mapping):
            raise TypeError(f"{owner}: expected a group to be a dict, got {type(param_group).__name__}")
        if "params" not in param_group:
            raise ValueError(f"{owner}: expected a group to have 'params', got only {list(param_group)}")
        params = param_group["params"]
        params = [params] if isinstance(params, Parameter) else self._listed(params)
        seen = set(self._parameters())
        for index, parameter in enumerate(params):
            if not isinstance(parameter, Parameter):
                raise TypeError(f"{owner}: expected Parameters, got {type(parameter).__name__} as number {index}")
            if parameter in seen:
                raise ValueError(
                    f"{owner}: expected each parameter once, got {parameter!r} twice, the second time as number {index}"
                )
            seen.add(parameter)
        options = self._options({**self.defaults, **param_group})
        self.param_groups.append({"params": params, **options})

    # State

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of options and state in PyTorch's shape; numbers stand for the parameters.

        Returns
        -------
        dict
            ``{"state": {0: {"momentum_buffer": array}, ...}, "param_groups": [{"lr": 0.1, ..., "params": [0, 1]}]}``
        """
        index = {parameter: i for i, parameter in enumerate(self._parameters())}
        return {
            "state": {i: copy.deepcopy(self.state[p]) for p, i in index.items() if self.state.get(p)},
            "param_groups": [
                {**copy.deepcopy(_without_params(group)), "params": [index[p] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Copy options and state out of a state dict; all or nothing.

        Parameters
        ----------
        state_dict : mapping
            What ``state_dict()`` returned; that of PyTorch's optimizer of the same name is taken
            too. Parameters are matched by their order; arrays are converted to their dtype.

        Raises
        ------
        ValueError
            If groups, shapes or names differ, or PyTorch's ``maximize`` (for one) is on, which is
            not here; nothing is loaded then.
        """
        try:
            groups, state = self._loaded(state_dict)
        except (TypeError, ValueError) as error:
            raise ValueError(f"cannot load into {type(self).__name__}: {error}") from error
        self.param_groups = groups
        self.state = state

    def _loaded(self, saved: Mapping[str, Any]) -> tuple[list[dict[str, Any]], defaultdict[Parameter, dict[str, Any]]]:
        _expect_keys(saved, ("state", "param_groups"), "the state dict")
        _expect_keys(saved["state"], (), "'state'")
        for index, group in enumerate(saved["param_groups"]):
            _expect_keys(group, ("params", *self.defaults), f"group {index}")
        sizes = [len(group["params"]) for group in saved["param_groups"]]
        own_sizes = [len(group["params"]) for group in self.param_groups]
        if sizes != own_sizes:
            raise ValueError(f"expected groups of {own_sizes} parameters, got {sizes}")
        keys = [key for group in saved["param_groups"] for key in group["params"]]
        parameters = dict(zip(keys, self._parameters(), strict=True))
        groups = [
            {"params": group["params"], **self._options(saved_group)}
            for group, saved_group in zip(self.param_groups, saved["param_groups"], strict=True)
        ]
        state: defaultdict[Parameter, dict[str, Any]] = defaultdict(dict)
        for key, values in saved["state"].items():
            if key not in parameters:
                raise ValueError(f"state of parameter {key!r}, which is in no group")
            state[parameters[key]] = self._loaded_state(key, parameters[key].data, values)
        return groups, state

    def _loaded_state(self, key: Any, data: Array, saved: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: value for name, value in saved.items() if value is not None}
        if not values:
            return {}
        _expect_keys(values, self.state_names, f"state of parameter {key!r}")
        loaded: dict[str, Any] = {}
        for name, value in values.items():
            if name not in self.state_names + self.optional_state_names:
                raise ValueError(f"state of parameter {key!r} has an unknown {name!r}")
            if name == "step":
                loaded[name] = number(f"parameter {key!r}", name, value, 0)
                continue
            array = np.asarray(value)
            if array.dtype.kind not in "fiu":
                raise ValueError(f"expected {name!r} of parameter {key!r} to be numbers, got dtype {array.dtype}")
            with np.errstate(all="ignore"):  # what is too large for float32 becomes inf
                loaded[name] = array.astype(data.dtype)
            if loaded[name].shape != data.shape:
                raise ValueError(f"{name!r} of parameter {key!r} has shape {loaded[name].shape}, expected {data.shape}")
        return loaded

    # Checks

    def _parameters(self) -> list[Parameter]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def _listed(self, params: Any) -> list[Any]:
        """Make a list of what should be several parameters or groups, in an order that will stay."""
        hint = {Module: "model.parameters()", Parameter: "[parameter]", Mapping: "[group]"}
        for kind, spelling in hint.items():
            if isinstance(params, kind):
                raise TypeError(f"{type(self).__name__}: expected {spelling}, got a {type(params).__name__} itself")
        if isinstance(params, set | frozenset):
            raise TypeError(f"{type(self).__name__}: expected parameters in an order that stays, got a set")
        if not isinstance(params, Iterable) or isinstance(params, str | bytes | np.ndarray):
            raise TypeError(f"{type(self).__name__}: expected parameters to optimize, got {params!r}")
        return list(params)

    def _options(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """Check the options of a group; what is not ours (a name for the group, say) is carried along."""
        for name in ("maximize", "decoupled_weight_decay"):
            if name in group and bool(group[name]) != getattr(self, name):
                raise ValueError(f"{type(self).__name__}: {name}={group[name]!r} is not supported")
        return {**copy.deepcopy(_without_params(group)), **self.parse(group)}

    def _plain(self, name: str, option: Any) -> Any:
        """Make Python floats of an option, or of a tuple of them."""
        if isinstance(default := self.defaults[name], tuple):
            if not isinstance(option, tuple | list) or len(option) != len(default):
                raise TypeError(f"{type(self).__name__}: expected {name} to be {len(default)} numbers, got {option!r}")
            return tuple(number(type(self).__name__, name, part, -math.inf) for part in option)
        if type(option) is float and not math.isnan(option):  # as most are, in every step
            return option
        return number(type(self).__name__, name, option, -math.inf)

    def _check_grads(self) -> None:
        for index, parameter in enumerate(self._parameters()):
            data, grad = parameter.data, parameter.grad
            if grad is None or (grad.shape == data.shape and grad.dtype == data.dtype):
                continue
            wanted = f"{type(self).__name__}: expected the gradient of parameter {index}"
            if grad.shape != data.shape:
                raise ValueError(f"{wanted} of shape {data.shape}, got {grad.shape}")
            raise TypeError(f"{wanted} of dtype {data.dtype}, got {grad.dtype}")

    # Looks

    def __repr__(self) -> str:
        """Show a line for each group: how many parameters, and the options that are not PyTorch's defaults."""
        arguments = inspect.signature(type(self)).parameters
        lines = []
        for group in self.param_groups:
            count = len(group["params"])
            shown = [name for name in self.defaults if name == "lr" or group[name] != arguments[name].default]
            options = [f"{name}={group[name]!r}" for name in shown]
            lines.append(", ".join([f"{count} parameter{'' if count == 1 else 's'}", *options]))
        if len(lines) == 1:
            return f"{type(self).__name__}({lines[0]})"
        return "\n    ".join([f"{type(self).__name__}(", *lines]) + "\n)"


def _without_params(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name != "params"}


def _expect_keys(mapping: Any, keys: Iterable[str], what: str) -> None:
    if not isinstance(mapping, Mapping):
        raise TypeError(f"expected {what} to be a dict, got {type(mapping).__name__}")
    missing = [key for key in keys if key not in mapping]
    if missing:
        raise ValueError(f"{what} lacks {', '.join(map(repr, missing))}; was it saved by another optimizer?")


def _follow_dtype(state: dict[str, Any], data: Array) -> None:
    """Convert the state if the model was converted (``model.to``) since the last step."""
    for name, value in state.items():
        if isinstance(value, np.ndarray) and value.dtype != data.dtype:
            state[name] = value.astype(data.dtype)
