"""What an optimiser is: one rule, applied to each parameter that has a gradient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import Tensor, versions
from nn.parameter import clear_gradients

from . import rates, state
from .blocks import Array as Array
from .blocks import Blocks as Blocks
from .blocks import Group as Group
from .blocks import Slots as Slots
from .hooks import Hooks

Closure = Callable[[], Any]


class Optimizer(Hooks):
    """Owns groups of parameters, their state and the loop; a subclass says the rule.

    `init` and `rule` are about one parameter. They see bare arrays and are written in operators
    and ops only, so the same text also says what a compiled update has to do. What a rule puts
    into the state is copied. A subclass may instead define a `step` of its own.
    """

    # Whether the rule treats every element alone, by counts that `init` makes the same for all:
    # then it is called on several parameters end to end, and on parts of large ones.
    elementwise = False
    # The kernel that does what an elementwise rule says, in one pass over memory; "" for none.
    kernel = ""

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        super().__init__()
        if isinstance(params, (Tensor, str)) or not isinstance(params, Iterable):
            raise TypeError(
                f"{type(self).__name__} got a {type(params).__name__}: "
                "it needs an iterable of tensors, or of dicts with 'params'"
            )
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, Slots] = defaultdict(dict)
        self._blocks: list[Blocks] = []
        groups = _ordered(type(self).__name__, params)
        if not groups:
            raise ValueError(f"{type(self).__name__} got no parameters")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """A rule of one's own is not what the kernel of a parent does."""
        super().__init_subclass__(**kwargs)
        said = next(c for c in cls.__mro__ if {"rule", "kernel"} & vars(c).keys())
        if "kernel" not in vars(said):
            cls.kernel = ""

    # What a subclass says

    def init(self, w: Array, group: Group) -> Slots:
        """Return the state of a parameter before its first update; None for what comes later."""
        raise NotImplementedError(f"{type(self).__name__} does not define init()")

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        """Return the new value of w for its gradient g; update the state s."""
        raise NotImplementedError(f"{type(self).__name__} does not define rule()")

    def columns(self, group: Group) -> Sequence[str] | None:
        """Return the slots that the kernel takes after w and g; "" for one it can do without.

        None where these rates are not for the kernel.
        """
        return None

    def arguments(self, s: Slots, group: Group) -> tuple[float | bool, ...]:
        """Return the kernel's rates, and count in s as the rule does."""
        return ()

    def check(self, group: Group) -> None:
        """Refuse rates that are out of range."""

    # What it does with that

    def step(self, closure: Closure | None = None) -> Any:
        """Update every parameter that has a gradient; returns what `closure` returned."""
        loss = None if closure is None else self.evaluate(closure)
        for i, group in enumerate(self.param_groups):
            self._update(i, group)
        return loss

    def evaluate(self, closure: Closure | None) -> Any:
        """Call the closure, recording."""
        if not callable(closure):
            raise TypeError(
                f"{type(self).__name__}.step() got {closure!r}: it needs a closure, a function "
                "without arguments that computes the loss anew and returns it"
            )
        with ag.enable_grad():
            return closure()

    def _update(self, i: int, group: Group) -> None:
        params = [p for p in group["params"] if p._grad is not None]
        if not params:
            return
        plain = rates.plain(type(self).__name__, group)
        ws: list[Array] = [p._array for p in params]
        gs: list[Array] = [p._grad._array for p in params]
        states = [self.state.get(p) or self._started(p, plain) for p in params]
        while len(self._blocks) <= i:
            self._blocks.append(Blocks(type(self).__name__))
        self._blocks[i].update(self, ws, gs, states, plain)
        versions.touch_all(ws)

    def _started(self, parameter: Tensor, plain: Group) -> Slots:
        s = self.state[parameter] = self.init(np.asarray(parameter._array), plain)
        return s

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradient of every parameter, or make it zero."""
        for group in self.param_groups:
            clear_gradients(group["params"], set_to_none)

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters with rates of their own; what is not given has its default.

        Parameters may come as (name, parameter); the group then has their "param_names".
        """
        who = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            got = type(param_group).__name__
            raise TypeError(f"{who} got a group that is a {got}: it needs a dict with 'params'")
        group = self.defaults | param_group
        params = param_group["params"]
        entries: list[Any] = [params] if isinstance(params, Tensor) else _ordered(who, params)
        named: list[Any] = [entry for entry in entries if isinstance(entry, tuple)]
        unnamed: list[Any] = [p[1] if isinstance(p, tuple) else p for p in entries]
        group["params"] = unnamed
        if named:
            group["param_names"] = [name for name, _ in named]
        self._check_names(group, len(named))
        self._check_parameters(unnamed)
        self._check_rates(group)
        self.param_groups.append(group)

    def _check_rates(self, group: Group) -> None:
        plain = rates.plain(type(self).__name__, group)
        rates.same_for_all(type(self).__name__, plain)
        self.check(plain)

    def _check_names(self, group: Group, named: int) -> None:
        others = {"param_names" in other for other in self.param_groups}
        if named not in (0, len(group["params"])) or ("param_names" not in group) in others:
            raise ValueError(
                f"{type(self).__name__} got some parameters with names and some without: "
                "it needs names for all or for none"
            )

    def _check_parameters(self, params: list[Any]) -> None:
        who = type(self).__name__
        if not params:
            raise ValueError(f"{who} got no parameters")
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for parameter in params:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"{who} got a {type(parameter).__name__}: it updates tensors only")
            if not parameter.is_leaf and not parameter.retains_grad:
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
        """Return state and groups with parameters as numbers, in the order of the groups.

        Arrays of the state share memory with the optimiser: copy them to keep them.
        """
        self._called("save_pre")
        return self._called("save_post", state.collect(self))

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over state and rates; where anything does not fit, raise and change nothing."""
        state.load(self, self._called("load_pre", state_dict))
        self._called("load_post")

    def __getstate__(self) -> dict[str, Any]:
        """Leave out hooks, as PyTorch does, and what the next step arranges anew."""
        return {k: v for k, v in vars(self).items() if k not in ("_hooks", "_blocks")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__init__()
        self._blocks = []
        vars(self).update(state)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def regularised(w: Array, g: Array, group: Group) -> tuple[Array, Array]:
    """Return w and its gradient as a rule goes on with them.

    With maximize g ← -g. A weight_decay λ is an L2 penalty, g ← g + λ w, or where it is
    decoupled a shrinkage of its own, w ← (1 - lr λ) w (Loshchilov and Hutter 2019, algorithm 2).
    """
    if group["maximize"]:
        g = -g
    decay = group["weight_decay"]
    if decay and group.get("decoupled_weight_decay"):
        w = (1 - group["lr"] * decay) * w
    elif decay:
        g = g + decay * w
    return w, g


def _ordered(who: str, params: Any) -> list[Any]:
    if isinstance(params, (set, frozenset)):
        raise TypeError(f"{who} got a set: its order changes from run to run, so make it a list")
    return list(params)
