"""A schedule that listens: the rate falls when a measurement no longer gets better."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Literal, SupportsFloat

from ..optimizer import Optimizer
from .base import LRScheduler, checked, per_group, rates_of, set_rate, warn_of_epoch


class ReduceLROnPlateau(LRScheduler):
    """lr ← max(lr factor, min_lr) after more than `patience` epochs without an improvement.

    An improvement is a metric below best (1 - threshold), or below best - threshold ("abs"); with
    mode "max" above best (1 + threshold), or best + threshold. After a fall `cooldown` epochs are
    not counted; a fall by eps or less is left out.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau got factor={factor}: it must be below 1")
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau got mode={mode!r}: it must be 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau got threshold_mode={threshold_mode!r}: "
                "it must be 'rel' or 'abs'"
            )
        self.optimizer = checked(self, optimizer)
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.default_min_lr = min_lr if isinstance(min_lr, (int, float)) else None
        self.min_lrs: list[float] = per_group(self, optimizer, "min_lr", min_lr)
        self.eps = eps
        self._begin()

    def _begin(self) -> None:
        self.last_epoch = 0
        self.mode_worse = inf if self.mode == "min" else -inf
        self.best = self.mode_worse
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self._last_lr = rates_of(self.optimizer)

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs are not counted at present."""
        return self.cooldown_counter > 0

    # A measurement instead of nothing: this schedule cannot stand where the others can.
    def step(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, metrics: SupportsFloat, epoch: int | None = None
    ) -> None:
        """Go on to the next epoch, in which `metrics` was measured."""
        measured = float(metrics)
        if epoch is not None:
            warn_of_epoch(self)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(measured):
            self.best = measured
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = rates_of(self.optimizer)

    def _is_better(self, measured: float) -> bool:
        sign = 1.0 if self.mode == "max" else -1.0
        if self.threshold_mode == "rel":
            bound = self.best * (1.0 + sign * self.threshold)
        else:
            bound = self.best + sign * self.threshold
        return measured > bound if self.mode == "max" else measured < bound

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(self.min_lrs) != len(groups) and self.default_min_lr is not None:
            self.min_lrs = [self.default_min_lr] * len(groups)
        if len(self.min_lrs) != len(groups):
            raise RuntimeError(
                f"ReduceLROnPlateau has {len(self.min_lrs)} values of min_lr, the optimizer now "
                f"has {len(groups)} groups: add one to min_lrs for each new group"
            )
        for group, lr, least in zip(groups, rates_of(self.optimizer), self.min_lrs, strict=True):
            lower = max(lr * self.factor, least)
            if lr - lower > self.eps:
                set_rate(group, lower)
