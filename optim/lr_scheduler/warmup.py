"""Large batches: a rate in proportion to the batch, reached step by step."""

from __future__ import annotations

from typing import Literal

from ..optimizer import Optimizer
from .base import LRScheduler, positive
from .cosine import half_wave


class WarmupCosineLR(LRScheduler):
    """lr goes evenly from lr0 start_factor to lr0 at step warmup_iters, then along half a cosine
    wave to eta_min at step total_iters, and stays.

    Goyal et al., Accurate, Large Minibatch SGD (2017), section 2.2; Loshchilov and Hutter (2017).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_iters: int,
        total_iters: int,
        start_factor: float = 0.01,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        positive(self, total_iters=total_iters)
        if not isinstance(warmup_iters, int) or not 0 <= warmup_iters < total_iters:
            raise ValueError(
                f"WarmupCosineLR got warmup_iters={warmup_iters}: "
                f"it must be a whole number below total_iters={total_iters}"
            )
        if not 0 <= start_factor <= 1:
            raise ValueError(f"WarmupCosineLR got start_factor={start_factor}: it is in [0, 1]")
        self.warmup_iters = warmup_iters
        self.total_iters = total_iters
        self.start_factor = start_factor
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        return [self._rate(base_lr) for base_lr in self.base_lrs]

    def _rate(self, base_lr: float) -> float:
        t = self.last_epoch
        if t < self.warmup_iters:
            rise = (1 - self.start_factor) * t / self.warmup_iters
            return base_lr * (self.start_factor + rise)
        fall = self.total_iters - self.warmup_iters
        return half_wave(base_lr, self.eta_min, min(t - self.warmup_iters, fall), fall)


def scaled_lr(
    lr: float,
    batch_size: int,
    base_batch_size: int = 256,
    rule: Literal["linear", "sqrt"] = "linear",
) -> float:
    """Return the rate for a batch of another size: lr k with k = batch_size / base_batch_size.

    k steps along small batches and one along their union then come to about the same (Goyal et
    al. 2017, section 2.1). "sqrt", lr √k, keeps the variance of a step (Krizhevsky 2014).
    """
    if rule not in ("linear", "sqrt"):
        raise ValueError(f"scaled_lr got rule={rule!r}: it must be 'linear' or 'sqrt'")
    for name, size in (("batch_size", batch_size), ("base_batch_size", base_batch_size)):
        if not size > 0:
            raise ValueError(f"scaled_lr got {name}={size}: it must be positive")
    k = batch_size / base_batch_size
    return lr * (k if rule == "linear" else k**0.5)
