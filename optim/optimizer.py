"""What an optimiser is: one rule, applied to each parameter that has a gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd_core as ag
from autograd_core import Tensor, versions
from nn.parameter import clear_gradients

from . import state

Array = NDArray[Any]
Group = dict[str, Any]
Slots = dict[str, Any]  # what an optimiser remembers of one parameter: arrays, numbers, None


class Optimizer:
    """Owns groups of parameters, their state and the loop; a subclass says the rule.

    `init` and `rule` are about one parameter. They see bare arrays and are written in operators
    and ops only, so the same text also says what a compiled update has to do.
    """

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        if isinstance(params, (Tensor, str)) or not isinstance(params, Iterable):
            raise TypeError(
                f"{type(self).__name__} got a {type(params).__name__}: "
                "it needs an iterable of tensors, or of dicts with 'params'"
            )
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, Slots] = {}
        groups = list(params)
        if not groups:
            raise ValueError(f"{type(self).__name__} got no parameters")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # What a subclass says

    def init(self, w: Array) -> Slots:
        """Return the state of a parameter before its first update."""
        raise NotImplementedError(f"{type(self).__name__} does not define init()")

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        """Return the new value of w for its gradient g; update the state s."""
        raise NotImplementedError(f"{type(self).__name__} does not define rule()")

    def check(self, group: Group) -> None:
        """Refuse rates that are out of range."""

    # What it does with that

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; returns what `closure` returned."""
        loss = None
        if closure is not None:
            with ag.enable_grad():
                loss = closure()
        with np.errstate(all="ignore"):  # a weight that overflows is inf, silently
            for group in self.param_groups:
                rates = {name: _plain(rate) for name, rate in group.items() if name != "params"}
                for parameter in group["params"]:
                    grad = parameter.grad
                    if grad is not None:
                        self._update(parameter, grad, rates)
        return loss

    def _update(self, parameter: Tensor, grad: Tensor, rates: Group) -> None:
        w, g = np.asarray(parameter._array), np.asarray(grad._array)
        s = self.state.get(parameter)
        if s is None:
            s = self.state[parameter] = self.init(w)
        w[...] = self.rule(w, g, s, rates)
        versions.touch(w)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradient of every parameter, or make it zero."""
        for group in self.param_groups:
            clear_gradients(group["params"], set_to_none)

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters with rates of their own; what is not given has its default."""
        group = self.defaults | param_group
        params = param_group["params"]
        group["params"] = [params] if isinstance(params, Tensor) else list(params)
        self._check_parameters(group["params"])
        self.check(group)
        self.param_groups.append(group)

    def _check_parameters(self, params: list[Any]) -> None:
        who = type(self).__name__
        if not params:
            raise ValueError(f"{who} got no parameters")
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for parameter in params:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"{who} got a {type(parameter).__name__}: it updates tensors only")
            if not parameter.is_leaf:
                raise ValueError(
                    f"{who} got the result of an operation, of shape {tuple(parameter.shape)}: "
                    "it updates leaf tensors only"
                )
            if id(parameter) in seen:
                raise ValueError(
                    f"{who} got the same parameter twice, of shape {tuple(parameter.shape)}: "
                    "it may stand in one group, once"
                )
            seen.add(id(parameter))

    def state_dict(self) -> dict[str, Any]:
        """Return state and groups with parameters as numbers, in the order of the groups."""
        return state.collect(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over state and rates; where anything does not fit, raise and change nothing."""
        state.load(self, state_dict)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _plain(rate: Any) -> Any:
    """Make a NumPy scalar a Python number: a float64 scalar would widen a float32 update."""
    return rate.item() if hasattr(rate, "item") else rate
