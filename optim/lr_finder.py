"""The range test: which rate does a model learn with?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd_core as ag
import nn.functional as F
from autograd_core import Tensor
from nn import Module

from .lr_scheduler.base import set_rate
from .optimizer import Optimizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Loss = Callable[[Any, Any], Tensor]


@dataclass(frozen=True)
class RangeTest:
    """What the loss did while the rate grew."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]  # of each batch, before the step with its rate
    smoothed: tuple[float, ...]
    settled: int  # from here on the average is one of enough batches
    diverged: bool  # whether it ended because the loss had grown too much

    def lowest(self) -> int:
        """Return where the smoothed loss was lowest, once it had settled."""
        begin = min(self.settled, len(self.smoothed) - 1)
        return begin + int(np.argmin(np.nan_to_num(self.smoothed[begin:], nan=np.inf)))

    def suggestion(self) -> float:
        """Return the rate at which the smoothed loss fell most steeply against log rate.

        What was before the average had settled, and the rise at the end, do not count.
        """
        begin, lowest = self.settled, self.lowest()
        if lowest < begin + 2:
            raise ValueError(
                f"the loss of this range test never fell after its first {begin} steps: "
                f"begin with a smaller rate than {self.rates[0]:g}, or smooth less"
            )
        chosen = slice(begin, lowest + 1)
        slopes = np.gradient(self.smoothed[chosen], np.log(self.rates[chosen]))
        return self.rates[begin + int(np.argmin(slopes))]

    def figure(self) -> Figure:
        """Draw the losses against the rate (needs matplotlib)."""
        from . import figures

        return figures.range_test(self)


def find_lr(
    model: Module,
    optimizer: Optimizer,
    batches: Iterable[Any],
    loss: Loss = F.cross_entropy,
    start_lr: float = 1e-7,
    end_lr: float = 10.0,
    num_iter: int = 100,
    smoothing: float = 0.95,
    diverges_at: float = 4.0,
) -> RangeTest:
    """Train with a rate that grows geometrically, from start_lr to end_lr in num_iter steps.

    Ends early when the smoothed loss, an exponential average with weight `smoothing` on what was
    before, exceeds diverges_at times its lowest value, or is not finite. Model, optimizer and
    gradients are afterwards what they were; the random streams have moved on. `batches` gives
    pairs (inputs, targets), and is gone through again when it ends.
    Smith, Cyclical Learning Rates (2017), section 3.3.
    """
    _check(start_lr, end_lr, num_iter, smoothing, diverges_at)
    growth = log(end_lr / start_lr) / (num_iter - 1)
    rates = [start_lr * exp(growth * k) for k in range(num_iter)]
    losses: list[float] = []
    smoothed: list[float] = []
    average, diverged = 0.0, False
    with _restored(model, optimizer):
        for k, value in enumerate(_train(model, optimizer, batches, loss, rates), start=1):
            losses.append(value)
            average = smoothing * average + (1 - smoothing) * value
            smoothed.append(average / (1 - smoothing**k))  # unbiased, as Adam's averages are
            diverged = not isfinite(average) or smoothed[-1] > diverges_at * abs(min(smoothed))
            if diverged:
                break
    settled = round(1 / (1 - smoothing))
    tried = tuple(rates[: len(losses)])
    return RangeTest(tried, tuple(losses), tuple(smoothed), settled, diverged)


def _check(
    start_lr: float, end_lr: float, num_iter: int, smoothing: float, diverges_at: float
) -> None:
    if not 0 < start_lr < end_lr:
        raise ValueError(
            f"find_lr got start_lr={start_lr} and end_lr={end_lr}: it needs 0 < start_lr < end_lr"
        )
    if num_iter < 2:
        raise ValueError(f"find_lr got num_iter={num_iter}: it needs at least 2 steps")
    if not 0 <= smoothing < 1:
        raise ValueError(f"find_lr got smoothing={smoothing}: it must be in [0, 1)")
    if not diverges_at > 1:
        raise ValueError(f"find_lr got diverges_at={diverges_at}: it must be above 1")


def _train(
    model: Module,
    optimizer: Optimizer,
    batches: Iterable[Any],
    loss: Loss,
    rates: Iterable[float],
) -> Iterator[float]:
    """Give the loss of each batch, and then take the step with its rate."""
    model.train()
    for rate, (inputs, targets) in zip(rates, _endless(batches), strict=False):
        for group in optimizer.param_groups:
            set_rate(group, rate)
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        yield value.item()
        value.backward()
        optimizer.step()


def _endless(batches: Iterable[Any]) -> Iterator[Any]:
    while True:
        batch = None
        for batch in batches:
            yield batch
        if batch is None:
            raise ValueError(
                "find_lr got no batches, or an iterator that is used up: "
                "it goes through them again when they end, as a DataLoader allows"
            )


@contextmanager
def _restored(model: Module, optimizer: Optimizer) -> Generator[None]:
    """Put back values, gradients, modes, and what the optimizer remembers."""
    grouped = [p for group in optimizer.param_groups for p in group["params"]]
    weights = {p: (p.detach().clone(), p.grad) for p in [*model.parameters(), *grouped]}
    modules = list(model.modules())
    modes = [module.training for module in modules]
    buffers = [(m, name, b, b.clone()) for m in modules for name, b in m._own_buffers()]
    state = copy.deepcopy(optimizer.state_dict())
    try:
        with ag.enable_grad():
            yield
    finally:
        with ag.no_grad():
            for parameter, (value, grad) in weights.items():
                parameter.copy_(value)
                parameter.grad = grad
            for module, name, buffer, value in buffers:
                setattr(module, name, buffer.copy_(value))
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
        optimizer.load_state_dict(state)
