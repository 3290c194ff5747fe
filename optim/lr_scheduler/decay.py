"""Schedules that lower the rate: in steps, evenly, as 1/t, as powers."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

from ..optimizer import Optimizer
from .base import Rule, positive


class StepLR(Rule):
    """lr = lr0 γ^⌊t / step_size⌋."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        positive(self, step_size=step_size)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def chained(self, lr: float, base_lr: float) -> float:
        falls = self.last_epoch != 0 and self.last_epoch % self.step_size == 0
        return lr * self.gamma if falls else lr

    def closed(self, base_lr: float) -> float:
        return base_lr * self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(Rule):
    """lr = lr0 γ^(number of milestones reached); a milestone that is given twice counts twice."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def chained(self, lr: float, base_lr: float) -> float:
        times = self.milestones[self.last_epoch]
        return lr * self.gamma**times if times else lr

    def closed(self, base_lr: float) -> float:
        reached = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return base_lr * self.gamma**reached


class ExponentialLR(Rule):
    """lr = lr0 γᵗ."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def chained(self, lr: float, base_lr: float) -> float:
        return lr if self._is_initial else lr * self.gamma

    def closed(self, base_lr: float) -> float:
        return base_lr * self.gamma**self.last_epoch


class InverseTimeLR(Rule):
    """lr = lr0 / (1 + k t), the 1/t decay."""

    def __init__(self, optimizer: Optimizer, k: float, last_epoch: int = -1) -> None:
        if not k >= 0:
            raise ValueError(f"InverseTimeLR got k={k}: it must be 0 or more")
        self.k = k
        super().__init__(optimizer, last_epoch)

    def chained(self, lr: float, base_lr: float) -> float:
        if self._is_initial:
            return lr
        return lr * (1 + self.k * (self.last_epoch - 1)) / (1 + self.k * self.last_epoch)

    def closed(self, base_lr: float) -> float:
        return base_lr / (1 + self.k * self.last_epoch)


class ConstantLR(Rule):
    """lr = lr0 factor before epoch total_iters, lr0 from then on."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        _share(self, factor=factor)
        positive(self, total_iters=total_iters)
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def chained(self, lr: float, base_lr: float) -> float:
        if self.last_epoch == 0:
            return lr * self.factor
        return lr * (1.0 / self.factor) if self.last_epoch == self.total_iters else lr

    def closed(self, base_lr: float) -> float:
        return base_lr if self.last_epoch >= self.total_iters else base_lr * self.factor


class LinearLR(Rule):
    """lr goes evenly from lr0 start_factor to lr0 end_factor at epoch total_iters, and stays."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        _share(self, start_factor=start_factor)
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR got end_factor={end_factor}: it must be in [0, 1]")
        positive(self, total_iters=total_iters)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def chained(self, lr: float, base_lr: float) -> float:
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return lr * (1.0 + rise / before)

    def closed(self, base_lr: float) -> float:
        rise = self.end_factor - self.start_factor
        share = min(self.last_epoch, self.total_iters)
        return base_lr * (self.start_factor + rise * share / self.total_iters)


class PolynomialLR(Rule):
    """lr = lr0 (1 - t / total_iters)^power, and 0 from epoch total_iters on."""

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        positive(self, total_iters=total_iters)
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def chained(self, lr: float, base_lr: float) -> float:
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        now = 1.0 - self.last_epoch / self.total_iters
        before = 1.0 - (self.last_epoch - 1) / self.total_iters
        return lr * (now / before) ** self.power

    def closed(self, base_lr: float) -> float:
        share = min(self.last_epoch, self.total_iters) / self.total_iters
        return base_lr * (1.0 - share) ** self.power


def _share(schedule: Rule, **factors: float) -> None:
    """Refuse a factor that the schedule could not divide by again, or that raises the rate."""
    for name, factor in factors.items():
        if not 0 < factor <= 1:
            who = type(schedule).__name__
            raise ValueError(f"{who} got {name}={factor}: it must be in (0, 1]")
