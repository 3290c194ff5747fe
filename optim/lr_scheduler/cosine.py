"""Schedules along half a cosine wave, once or again and again."""

from __future__ import annotations

from math import cos, floor, pi

from ..optimizer import Optimizer
from .base import LRScheduler, Rule, positive


class CosineAnnealingLR(Rule):
    """lr = η + (lr0 - η) (1 + cos(π t / T_max)) / 2, with η = eta_min.

    After T_max the rate rises again, as the cosine does. Loshchilov and Hutter, SGDR (2017),
    without the restarts.
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        positive(self, T_max=T_max)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def chained(self, lr: float, base_lr: float) -> float:
        if self._is_initial:
            return lr
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # The rate before was η, and nothing follows from a height of zero.
            return lr + (base_lr - self.eta_min) * (1 - cos(pi / self.T_max)) / 2
        now = 1 + cos(pi * self.last_epoch / self.T_max)
        before = 1 + cos(pi * (self.last_epoch - 1) / self.T_max)
        return now / before * (lr - self.eta_min) + self.eta_min

    def closed(self, base_lr: float) -> float:
        return half_wave(base_lr, self.eta_min, self.last_epoch, self.T_max)


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr = η + (lr0 - η) (1 + cos(π T_cur / T_i)) / 2, with η = eta_min.

    T_cur epochs ago the wave began anew; it takes T_i = T_0, T_0 T_mult, T_0 T_mult², ... epochs.
    `step` may be given fractions of an epoch. Loshchilov and Hutter, SGDR (2017), equation 5.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        positive(self, T_0=T_0, T_mult=T_mult)
        if not isinstance(eta_min, (int, float)):
            got = type(eta_min).__name__
            raise ValueError(f"CosineAnnealingWarmRestarts got a {got}: eta_min must be a number")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        return [half_wave(lr, self.eta_min, self.T_cur, self.T_i) for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to a given one, which may lie between two."""
        if epoch is not None and epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts got epoch={epoch}: it must be 0 or more")
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
        else:
            epoch = epoch or 0
            self.T_cur, self.T_i = epoch, self.T_0
        if self.T_mult == 1:
            self.T_cur %= self.T_i
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        self._update_lr(floor(epoch))


def half_wave(top: float, bottom: float, t: float, length: float) -> float:
    """Return the height at t of a cosine wave that goes from top to bottom in `length`."""
    return bottom + (top - bottom) * (1 + cos(pi * t / length)) / 2
