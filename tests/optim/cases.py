"""One row per optimiser, or more, with rates that differ from the defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class OptimizerCase:
    """`slots` is what it remembers of a parameter, under PyTorch's names, after a step."""

    name: str
    rates: dict[str, Any] = field(default_factory=dict)
    slots: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v}' for k, v in self.rates.items())})"


ADAM = ("step", "exp_avg", "exp_avg_sq")

OPTIMIZERS = [
    OptimizerCase("SGD"),
    OptimizerCase("SGD", {"lr": 0.1, "weight_decay": 0.2, "maximize": True}),
    OptimizerCase("SGD", {"lr": 0.1, "momentum": 0.9}, ("momentum_buffer",)),
    OptimizerCase(
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
        ("momentum_buffer",),
    ),
    OptimizerCase("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True}, ("momentum_buffer",)),
    OptimizerCase("Adam", {}, ADAM),
    OptimizerCase("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3}, ADAM),
    OptimizerCase("Adam", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}, ADAM),
    OptimizerCase("Adam", {"lr": 0.05, "amsgrad": True}, (*ADAM, "max_exp_avg_sq")),
]
