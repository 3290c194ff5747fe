"""Averages of weights along the way: stochastic weight averaging and moving averages."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from math import cos, pi
from typing import Any, Literal, cast

import autograd_core as ag
from autograd_core import Tensor
from nn import Module
from nn.norm import _BatchNorm

from .lr_scheduler.base import LRScheduler, checked, per_group
from .lr_scheduler.cyclic import check_anneal
from .optimizer import Optimizer

Average = Callable[[Tensor, Tensor, Any], Tensor]  # of the average so far, the new value, and count
Averages = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]  # in place, of many at once


def get_swa_avg_fn() -> Average:
    """Return the function for w̄ + (w - w̄) / (n + 1), the mean of all w so far."""

    @ag.no_grad()
    def mean(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        return averaged + (current - averaged) / (num_averaged + 1)

    return mean


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Return the function for decay w̄ + (1 - decay) w, the exponential moving average."""
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_avg_fn got decay={decay}: it must be in [0, 1]")

    @ag.no_grad()
    def moving(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        return decay * averaged + (1 - decay) * current

    return moving


def get_swa_multi_avg_fn() -> Averages:
    """Return the function that takes the mean of many tensors, in place."""
    return _each(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """Return the function that takes the exponential moving average of many tensors, in place."""
    return _each(get_ema_avg_fn(decay))


def _each(average: Average) -> Averages:
    @ag.no_grad()
    def averages(averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any) -> None:
        for mean, new in zip(averaged, current, strict=True):
            mean.copy_(average(mean, new, num_averaged))

    return averages


class AveragedModel(Module):
    """A copy of a model, `module`, whose parameters are an average: by default the mean.

    Buffers are those of the last model, unless `use_buffers` averages them too. Averaged
    activations differ from the models': call `update_bn` before use, or average buffers.
    Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization (2018).
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("AveragedModel got avg_fn and multi_avg_fn: it takes one of them")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", ag.tensor(0, dtype=ag.int64))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    @ag.no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take one more model into the average; the first is copied."""
        pairs = self._pairs(self.module.parameters(), model.parameters())
        buffers = self._pairs(self.module.buffers(), model.buffers())
        if self.use_buffers:
            pairs += buffers
        else:
            _copy(buffers)
        if self.n_averaged == 0:
            _copy(pairs)
        elif self.multi_avg_fn is None:
            average = self.avg_fn or get_swa_avg_fn()
            for averaged, current in pairs:
                averaged.copy_(average(averaged, current, self.n_averaged))
        else:
            for dtype in dict.fromkeys(averaged.dtype for averaged, _ in pairs):
                alike = [pair for pair in pairs if pair[0].dtype == dtype]
                averages, news = [a for a, _ in alike], [new for _, new in alike]
                self.multi_avg_fn(averages, news, self.n_averaged)
        self.n_averaged += 1

    def _pairs(
        self, own: Iterable[Tensor], others: Iterable[Tensor]
    ) -> list[tuple[Tensor, Tensor]]:
        averaged = [tensor.detach() for tensor in own]
        current = [tensor.detach() for tensor in others]
        ours, theirs = ([tuple(t.shape) for t in tensors] for tensors in (averaged, current))
        if ours != theirs:
            raise ag.ShapeError(
                f"AveragedModel got a model with tensors of shapes {theirs}: it needs {ours}"
            )
        return list(zip(averaged, current, strict=True))


def _copy(pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
    for averaged, current in pairs:
        averaged.copy_(current)


@ag.no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Measure the running means and variances of all batch norms anew, each batch equally.

    A batch is an input, or a list or tuple that begins with it.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    modes = [(module, module.training) for module in model.modules()]
    momenta, batches = [norm.momentum for norm in norms], 0
    try:
        model.train()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a mean over all batches, not a moving one
        for batches, batch in enumerate(loader, start=1):  # noqa: B007
            several = isinstance(batch, (list, tuple))
            inputs: Any = cast(Any, batch)[0] if several else batch
            model(inputs if device is None else inputs.to(device))
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, mode in modes:
            module.training = mode
    if not batches:
        raise ValueError("update_bn got no batches: the running statistics are now those at birth")


class SWALR(LRScheduler):
    """lr goes from where it is to swa_lr in anneal_epochs epochs, and stays.

    At a share t of them it is (1 - a) lr + a swa_lr, with a = (1 - cos π t) / 2, or a = t.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = per_group(self, checked(self, optimizer), "swa_lr", swa_lr)
        check_anneal(self, anneal_strategy)
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"SWALR got anneal_epochs={anneal_epochs}: it must be 0 or more")
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates: list[float] = []
        for group in self.optimizer.param_groups:
            lr, swa_lr = float(group["lr"]), group["swa_lr"]
            start = swa_lr if before == 1 else (lr - before * swa_lr) / (1 - before)
            rates.append(swa_lr * now + start * (1 - now))
        return rates

    def _share(self, step: int) -> float:
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - cos(pi * t)) / 2
