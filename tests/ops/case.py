"""What a row is: how an op is called, where it is smooth, and what it has to give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.op import REGISTRY, Op

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]
Operand = Shape | Array | float | None


@dataclass(frozen=True, eq=False)
class OpCase:
    """One way to call an op, or a composition of ops.

    An operand is the shape of floats to draw, or stays as it is: an array of indices or truths,
    a number, None. Drawn numbers lie in [low, high], 0.1 away from the kinks at `away`, and all
    differ where they have to be `distinct`.
    """

    name: str
    operands: tuple[Operand, ...]
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    low: float = -2.0
    high: float = 2.0
    away: tuple[float, ...] = ()
    distinct: bool = False
    analytic: bool = False  # the forward takes complex numbers, too
    strided: bool = True  # and operands that do not lie one after the other
    keeps_dtype: bool = True
    wrong: Any = None  # operands that do not fit
    reference: Any = None  # the same from bare arrays, in other words
    # The same of PyTorch's tensors, (torch, *operands); "" is its function of the same name and
    # parameters, None says that there is no such function.
    torch: Any = ""

    def __str__(self) -> str:
        operands = ", ".join(map(_operand_text, self.operands))
        params = "".join(f", {k}={_param_text(v)}" for k, v in self.params.items())
        return f"{self.name}({operands}{params})"

    @property
    def op(self) -> Op | None:
        """The registered op; None for a composition."""
        return REGISTRY.get(self.name)

    @property
    def drawn(self) -> list[int]:
        """The places of the operands that are drawn."""
        return [i for i, x in enumerate(self.operands) if isinstance(x, tuple)]

    @property
    def differentiable(self) -> bool:
        """Whether the result can require grad."""
        return self.op is None or self.op.differentiable

    def draw(self, rng: np.random.Generator, dtype: Any = np.float64) -> list[Any]:
        """Return operands to call it with, as bare arrays and numbers."""
        return self.fill(self.operands, rng, dtype)

    def fill(self, operands: tuple[Operand, ...], rng: np.random.Generator, dtype: Any) -> Any:
        """Return the operands with numbers in place of shapes."""
        sizes = [int(np.prod(x)) for x in operands if isinstance(x, tuple)]
        numbers = self._numbers(rng, sum(sizes))
        filled: list[Any] = []
        for x in operands:
            if isinstance(x, tuple):
                part, numbers = np.split(numbers, [int(np.prod(x))])
                filled.append(part.reshape(x).astype(dtype))
            else:
                filled.append(x)
        return filled

    def _numbers(self, rng: np.random.Generator, count: int) -> Array:
        if self.distinct:
            return rng.permutation(np.linspace(self.low, self.high, count))
        numbers = rng.uniform(self.low, self.high, count)
        for kink in self.away:
            numbers += np.where(
                np.abs(numbers - kink) < 0.1, np.where(numbers < kink, -0.1, 0.1), 0
            )
        return numbers

    def call(self, operands: list[Any]) -> Any:
        """Run it on tensors, Values or bare arrays."""
        if self.op is not None and self.op.variadic:
            return self.op.call(operands, **self.params)
        function: Any = self.op.call if self.op else getattr(ag.ops, self.name)
        return function(*operands, **self.params)


def _operand_text(x: Operand) -> str:
    return f"{x.dtype}{list(x.shape)}" if isinstance(x, np.ndarray) else str(x)


def _param_text(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"int{list(x.shape)}"
    if isinstance(x, tuple):
        return f"({', '.join(map(_param_text, x))})"
    return str(x)
