"""Schedules of a user's own: the rate times a function of the epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, attributes, check_state, checked, per_group, rates_of, remind

Factor = Callable[[int], float]


class _Factors(LRScheduler):
    """One function for all groups, or one for each.

    The state has no functions, but the attributes of those that are objects.
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        checked(self, optimizer)
        self.lr_lambdas: list[Factor] = per_group(self, optimizer, "lr_lambda", lr_lambda)
        for factor in self.lr_lambdas:
            if not callable(factor):
                got = type(factor).__name__
                raise TypeError(f"{type(self).__name__} got a {got}: lr_lambda must be callable")
        super().__init__(optimizer, last_epoch)

    def _factors(self) -> list[float]:
        return [factor(self.last_epoch) for factor in self.lr_lambdas]

    def _stored(self) -> dict[str, Any]:
        return super()._stored() | {"lr_lambdas": [attributes(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        check_state(self, state_dict)
        factors = self.lr_lambdas
        super().load_state_dict(state_dict)
        self.lr_lambdas = factors
        for factor, remembered in zip(factors, state_dict["lr_lambdas"], strict=True):
            remind(factor, remembered)


class LambdaLR(_Factors):
    """lr = lr0 f(t) at epoch t, with f = lr_lambda."""

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        pairs = zip(self.base_lrs, self._factors(), strict=True)
        return [base_lr * factor for base_lr, factor in pairs]


class MultiplicativeLR(_Factors):
    """lr ← lr f(t) at epoch t = 1, 2, ..., with f = lr_lambda."""

    def get_lr(self) -> list[float]:
        self._warn_outside_step()
        rates = rates_of(self.optimizer)
        if self._is_initial:
            return rates
        return [lr * factor for lr, factor in zip(rates, self._factors(), strict=False)]
