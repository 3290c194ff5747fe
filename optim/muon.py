"""Muon: momentum whose matrix is made orthogonal before each step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from . import rates
from .optimizer import Array, Group, Optimizer, Slots


class Muon(Optimizer):
    """m ← μ m + (1 - μ) g,  w ← (1 - lr λ) w - lr a O,  O near U Vᵀ of the momentum's U S Vᵀ.

    O comes from ns_steps Newton-Schulz iterations on m, or with nesterov on (1 - μ) g + μ m.
    For w of shape (A, B) the factor a is √max(1, A / B), or 0.2 √max(A, B) with
    adjust_lr_fn="match_rms_adamw" (Liu et al., Muon is scalable for LLM training, 2025).
    Jordan et al., Muon: an optimizer for hidden layers in neural networks (2024).

    PyTorch iterates in bfloat16, of 8 bits; here it is the parameter's own precision.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def add_param_group(self, param_group: Group) -> None:
        super().add_param_group(param_group)
        for parameter in self.param_groups[-1]["params"]:
            if parameter.ndim != 2:
                self.param_groups.pop()
                raise ValueError(
                    f"Muon got a parameter of shape {tuple(parameter.shape)}: it updates matrices "
                    "only, so give the others to another optimiser"
                )

    def check(self, group: Group) -> None:
        rates.not_negative("Muon", group, "lr", "weight_decay", "momentum", "eps")
        rates.one_of("Muon", group, "adjust_lr_fn", None, "original", "match_rms_adamw")
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(
                f"Muon got ns_coefficients={group['ns_coefficients']}: it needs three numbers"
            )
        if not 0 <= group["ns_steps"] < 100:
            raise ValueError(f"Muon got ns_steps={group['ns_steps']}: it must be in [0, 100)")

    def init(self, w: Array, group: Group) -> Slots:
        return {"momentum_buffer": np.zeros_like(w)}

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        lr, mu = group["lr"], group["momentum"]
        s["momentum_buffer"] = m = mu * s["momentum_buffer"] + (1 - mu) * g
        d = (1 - mu) * g + mu * m if group["nesterov"] else m
        o = orthogonal(d, group["ns_coefficients"], group["ns_steps"], group["eps"])
        return (1 - lr * group["weight_decay"]) * w - lr * _factor(w, group) * o


def orthogonal(x: Array, coefficients: Iterable[float], steps: int, eps: float) -> Array:
    """Bring the singular values of a matrix near 1, by  X ← a X + (b X Xᵀ + c (X Xᵀ)²) X."""
    a, b, c = coefficients
    rows, columns = x.shape
    if rows > columns:
        return orthogonal(x.T, (a, b, c), steps, eps).T
    x = x / max(float((x * x).sum()) ** 0.5, eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x


def _factor(w: Array, group: Group) -> float:
    rows, columns = w.shape
    if group["adjust_lr_fn"] == "match_rms_adamw":
        return 0.2 * max(rows, columns) ** 0.5
    return max(1.0, rows / columns) ** 0.5
