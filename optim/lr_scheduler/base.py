"""What a schedule is: a rate for each group of an optimiser, set again at every step."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any, cast

from autograd_core import Tensor
from nn.state import StateError

from ..optimizer import Group, Optimizer


class LRScheduler:
    """Sets the rate of every group to what `get_lr` returns, epoch by epoch.

    Epoch 0 begins when the schedule is made. To resume, make it anew and load its state, or give
    `last_epoch` to groups that have their 'initial_lr'.
    """

    optimizer: Optimizer

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(self, optimizer)
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", float(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__} got last_epoch={last_epoch}, but group {number} has "
                    "no 'initial_lr': load the state of the optimizer before resuming"
                )
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._is_initial = False
        self._get_lr_called_within_step = False
        _watch(optimizer)
        self._initial_step()

    # What a subclass says

    def get_lr(self) -> list[float]:
        """Return the rate of each group at `last_epoch`; for `step`, not for users."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    # What it does with that

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch, or to a given one (by the closed form, where there is one)."""
        if self._step_count == 1 and not vars(self.optimizer).get("_opt_called"):
            warnings.warn(
                f"{type(self).__name__}: `lr_scheduler.step()` before `optimizer.step()` skips "
                "the first rate of the schedule; call the optimizer's step first",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch(self)
        self._update_lr(epoch)

    def get_last_lr(self) -> list[float]:
        """Return the rate that each group has since the last step."""
        return self._last_lr

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        self._get_lr_called_within_step = True
        try:
            rates = self.get_lr() if closed is None else closed()
        finally:
            self._get_lr_called_within_step = False
        self._set(rates)

    def _set(self, rates: Sequence[float]) -> None:
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            raise ValueError(
                f"{type(self).__name__} has rates for {len(rates)} groups, the optimizer has "
                f"{len(groups)}: add groups before making the schedule"
            )
        for group, rate in zip(groups, rates, strict=True):
            set_rate(group, rate)
        self._last_lr = rates_of(self.optimizer)

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            message = f"{type(self).__name__}.get_lr() is for step(): ask get_last_lr() for rates"
            warnings.warn(message, UserWarning, stacklevel=3)

    # Beginning: alone, or as a part of a SequentialLR, which undoes that and begins it later

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def _undo(self) -> None:
        self.last_epoch -= 1

    def _restart(self) -> None:
        self._update_lr(0)

    # Saving

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, as plain data."""
        return {name: copy.deepcopy(value) for name, value in self._stored().items()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state of the same kind of schedule; the rates come with the optimizer's."""
        check_state(self, state_dict)
        vars(self).update(copy.deepcopy(dict(state_dict)))

    def _stored(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "optimizer"}


class Rule(LRScheduler):
    """A schedule with one rule for all groups, told twice.

    `chained` is the rate that follows the one before, so that schedules of one optimiser multiply
    and a rate changed by hand stays changed; `closed` is the rate as the initial one gives it.
    """

    def chained(self, lr: float, base_lr: float) -> float:
        """Return the rate at `last_epoch`, which follows `lr`."""
        raise NotImplementedError(f"{type(self).__name__} does not define chained()")

    def closed(self, base_lr: float) -> float:
        """Return the rate at `last_epoch`, when nothing but this schedule changed it."""
        raise NotImplementedError(f"{type(self).__name__} does not define closed()")

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        rates = zip(rates_of(self.optimizer), self.base_lrs, strict=False)
        return [self.chained(lr, base_lr) for lr, base_lr in rates]

    def _get_closed_form_lr(self) -> list[float]:
        return [self.closed(base_lr) for base_lr in self.base_lrs]


def checked(schedule: LRScheduler, optimizer: Any) -> Optimizer:
    """Return the optimizer if it is one."""
    if not isinstance(optimizer, Optimizer):
        got = type(optimizer).__name__
        raise TypeError(f"{type(schedule).__name__} got a {got}: it needs an Optimizer")
    return optimizer


def positive(schedule: LRScheduler, **counts: Any) -> None:
    """Refuse numbers of epochs that are not whole, or below one."""
    for name, count in counts.items():
        if not isinstance(count, int) or count < 1:
            who = type(schedule).__name__
            raise ValueError(f"{who} got {name}={count}: it must be a positive integer")


def per_group(schedule: LRScheduler, optimizer: Optimizer, name: str, value: Any) -> list[Any]:
    """Return one value for each group: those given, or the same for all."""
    groups = optimizer.param_groups
    several = isinstance(value, (list, tuple))
    values: list[Any] = list(cast(Any, value)) if several else [value] * len(groups)
    if len(values) != len(groups):
        raise ValueError(
            f"{type(schedule).__name__} got {len(values)} values of {name}: "
            f"the optimizer has {len(groups)} groups"
        )
    return values


def rates_of(optimizer: Optimizer) -> list[float]:
    """Return the present rates as numbers."""
    return [float(group["lr"]) for group in optimizer.param_groups]


def set_rate(group: Group, rate: float) -> None:
    """Set the rate of a group; a rate that is a Tensor stays the same Tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def reset_rates(optimizer: Optimizer) -> None:
    """Go back to the initial rates."""
    for group in optimizer.param_groups:
        set_rate(group, group["initial_lr"])


def warn_of_epoch(schedule: LRScheduler) -> None:
    """Warn of a number of epoch given to step(), seen from its caller's line."""
    warnings.warn(
        f"{type(schedule).__name__}.step() got an epoch: that is deprecated, step() counts them",
        UserWarning,
        stacklevel=3,
    )


def check_state(schedule: LRScheduler, state: Mapping[str, Any]) -> None:
    """Refuse the state of another kind of schedule, or of another number of groups."""
    who = type(schedule).__name__
    needed = schedule.state_dict().keys()
    if state.keys() != needed:
        raise StateError(f"{who} got a state with {sorted(state)}, needs {sorted(needed)}")
    rates, groups = len(state["_last_lr"]), len(schedule.optimizer.param_groups)
    if rates != groups:
        raise StateError(f"{who} got a state of {rates} groups, the optimizer has {groups}")


def attributes(function: Any) -> dict[str, Any] | None:
    """Return what a callable object remembers; a function remembers nothing."""
    remembered: dict[str, Any] | None = getattr(function, "__dict__", None)
    return None if isinstance(function, FunctionType) else copy.deepcopy(remembered)


def remind(function: Any, remembered: Mapping[str, Any] | None) -> None:
    """Give a callable object back what `attributes` found."""
    if remembered:
        function.__dict__.update(copy.deepcopy(dict(remembered)))


def _watch(optimizer: Optimizer) -> None:
    """Have the optimizer remember that it took a step."""

    def stepped(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        vars(optimizer)["_opt_called"] = True
        handle.remove()  # the first step is all that matters, and later ones stay quick

    handle = optimizer.register_step_post_hook(stepped)
