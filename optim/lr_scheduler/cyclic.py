"""Schedules that raise the rate before they lower it, the momentum the other way round."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import cos, floor, pi
from typing import Any, Literal

from ..optimizer import Group, Optimizer
from .base import LRScheduler, attributes, check_state, checked, per_group, positive, remind

PerGroup = float | Sequence[float]
Phase = dict[str, Any]
SCALES: dict[str, Callable[[float, float], float]] = {  # of the cycle, or of the epoch
    "triangular": lambda cycle, gamma: 1.0,
    "triangular2": lambda cycle, gamma: 1 / 2.0 ** (cycle - 1),
    "exp_range": lambda epoch, gamma: gamma**epoch,
}


class _Cycle(LRScheduler):
    """A schedule that may move the momentum against the rate."""

    cycle_momentum: bool
    use_beta1: bool

    def _begin_momentum(
        self, optimizer: Optimizer, base: PerGroup, top: PerGroup, last_epoch: int
    ) -> tuple[list[float], list[float]]:
        """Give each group its lowest and highest momentum, and begin with the highest."""
        self.use_beta1 = "betas" in optimizer.defaults
        if not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise ValueError(
                f"{type(self).__name__} got cycle_momentum=True: {type(optimizer).__name__} has "
                "neither momentum nor betas; pass cycle_momentum=False"
            )
        lows = per_group(self, optimizer, "base_momentum", base)
        highs = per_group(self, optimizer, "max_momentum", top)
        if last_epoch == -1:
            for group, low, high in zip(optimizer.param_groups, lows, highs, strict=True):
                group.update(base_momentum=low, max_momentum=high)
                _set_momentum(group, high)
        return lows, highs


class CyclicLR(_Cycle):
    """lr goes up from base_lr to max_lr in step_size_up steps, down in step_size_down, and again.

    The height of a cycle is multiplied by 1 (triangular), 1/2^(cycle - 1) (triangular2), or
    γ^epoch (exp_range); or by `scale_fn` of the cycle, or of the epoch ("iterations").
    Smith, Cyclical Learning Rates for Training Neural Networks (2017), section 3.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: PerGroup,
        max_lr: PerGroup,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: PerGroup = 0.8,
        max_momentum: PerGroup = 0.9,
        last_epoch: int = -1,
    ) -> None:
        checked(self, optimizer)
        base_lrs = per_group(self, optimizer, "base_lr", base_lr)
        self.max_lrs = per_group(self, optimizer, "max_lr", max_lr)
        self._set_sizes(step_size_up, step_size_down)
        self._set_scale(mode, gamma, scale_fn, scale_mode)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._begin_momentum(
                optimizer, base_momentum, max_momentum, last_epoch
            )
        for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
            group["initial_lr"] = lr
        super().__init__(optimizer, last_epoch)

    def _set_sizes(self, up: int, down: int | None) -> None:
        down = up if down is None else down
        positive(self, step_size_up=up, step_size_down=down)
        self.total_size = float(up + down)
        self.step_ratio = up / self.total_size

    def _set_scale(
        self, mode: str, gamma: float, scale_fn: Callable[[float], float] | None, scale_mode: str
    ) -> None:
        if mode not in SCALES and scale_fn is None:
            raise ValueError(f"CyclicLR got mode={mode!r}: it must be one of {', '.join(SCALES)}")
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(
                f"CyclicLR got scale_mode={scale_mode!r}: it must be 'cycle' or 'iterations'"
            )
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = scale_mode

    def scale_fn(self, x: float) -> float:
        """Return the height of cycle x, or at epoch x, as a share of the full one."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        return SCALES[self.mode](x, self.gamma)

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        cycle = floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        rising = x <= self.step_ratio
        height = x / self.step_ratio if rising else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            momenta = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, momenta, strict=False):
                _set_momentum(group, high - (high - low) * height * scale)
        rates = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height * scale for low, high in rates]

    def _stored(self) -> dict[str, Any]:
        return super()._stored() | {"_scale_fn_custom": attributes(self._scale_fn_custom)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        check_state(self, state_dict)
        scale_fn = self._scale_fn_custom
        super().load_state_dict(state_dict)
        self._scale_fn_custom = scale_fn
        remind(scale_fn, state_dict["_scale_fn_custom"])


class OneCycleLR(_Cycle):
    """lr goes up from max_lr / div_factor to max_lr in a share pct_start of all steps, then down
    to the first rate / final_div_factor.

    With three_phase it goes down to the first rate as long as it went up, and then to the last.
    Smith and Topin, Super-Convergence (2019).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: PerGroup,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: PerGroup = 0.85,
        max_momentum: PerGroup = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 10000.0,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        checked(self, optimizer)
        self.total_steps = self._count(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR got pct_start={pct_start}: it must be in [0, 1]")
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        check_anneal(self, anneal_strategy)
        self._anneal_func_type = anneal_strategy
        tops = per_group(self, optimizer, "max_lr", max_lr)
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, tops, strict=True):
                first = top / div_factor
                group.update(initial_lr=first, max_lr=top, min_lr=first / final_div_factor)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _count(self, total: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
        if total is not None:
            positive(self, total_steps=total)
            return total
        if epochs is None or steps_per_epoch is None:
            raise ValueError("OneCycleLR needs total_steps, or both epochs and steps_per_epoch")
        positive(self, epochs=epochs, steps_per_epoch=steps_per_epoch)
        return epochs * steps_per_epoch

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"OneCycleLR got step {self.last_epoch}: it has {self.total_steps} in all"
            )
        phase, share = self._position()
        rates: list[float] = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group, phase, "lr", share))
            if self.cycle_momentum:
                _set_momentum(group, self._between(group, phase, "momentum", share))
        return rates

    def _position(self) -> tuple[Phase, float]:
        """Return the phase of `last_epoch`, and how much of it is over."""
        start = 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if self.last_epoch <= end or phase is self._schedule_phases[-1]:
                # A phase may take no time: its end is where it starts.
                return phase, (self.last_epoch - start) / (end - start) if end != start else 1.0
            start = end
        raise AssertionError("there is always a last phase")

    def _between(self, group: Group, phase: Phase, what: str, share: float) -> float:
        start, end = group[phase[f"start_{what}"]], group[phase[f"end_{what}"]]
        if self._anneal_func_type == "linear":
            return (end - start) * share + start
        return end + (start - end) / 2.0 * (cos(pi * share) + 1)


def _phases(total_steps: int, pct_start: float, three_phase: bool) -> list[Phase]:
    rise = float(pct_start * total_steps)
    if not three_phase:
        ends = (rise - 1, "max_lr", "base_momentum"), (total_steps - 1, "min_lr", "max_momentum")
    else:
        ends = (
            (rise - 1, "max_lr", "base_momentum"),
            (2 * rise - 2, "initial_lr", "max_momentum"),
            (total_steps - 1, "min_lr", "max_momentum"),
        )
    phases: list[Phase] = []
    lr, momentum = "initial_lr", "max_momentum"
    for end, end_lr, end_momentum in ends:
        phases.append({"end_step": end, "start_lr": lr, "end_lr": end_lr})
        phases[-1] |= {"start_momentum": momentum, "end_momentum": end_momentum}
        lr, momentum = end_lr, end_momentum
    return phases


def check_anneal(schedule: LRScheduler, strategy: str) -> None:
    """Refuse a strategy between two rates that is neither of the two."""
    if strategy not in ("cos", "linear"):
        who = type(schedule).__name__
        raise ValueError(f"{who} got anneal_strategy={strategy!r}: it must be 'cos' or 'linear'")


def _set_momentum(group: Group, momentum: float) -> None:
    """Set the momentum of a group, which Adam and its like call their first beta."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum
