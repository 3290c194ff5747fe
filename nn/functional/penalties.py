"""Penalties on the size of parameters, to add to a loss."""

from __future__ import annotations

from collections.abc import Iterable

from autograd_core import Tensor, ops

__all__ = ["l1_penalty", "l2_penalty"]


def l1_penalty(parameters: Tensor | Iterable[Tensor], weight: float, half: bool = False) -> Tensor:
    """weight Σ|w| over all elements, or half of it; its slope at 0 is 0."""
    tensors = _listed("l1_penalty", parameters, weight)
    return _scaled([ops.abs(w).sum() for w in tensors], weight, half)


def l2_penalty(parameters: Tensor | Iterable[Tensor], weight: float, half: bool = False) -> Tensor:
    """weight Σw² over all elements, with the gradient 2 weight w.

    `half` makes that weight w, which is what SGD adds for weight_decay=weight.
    """
    tensors = _listed("l2_penalty", parameters, weight)
    return _scaled([ops.square(w).sum() for w in tensors], weight, half)


def _listed(who: str, parameters: Tensor | Iterable[Tensor], weight: float) -> list[Tensor]:
    if not weight >= 0:
        raise ValueError(f"{who} got weight={weight}: it must not be negative")
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not tensors:
        raise ValueError(f"{who} got no parameters")
    return tensors


def _scaled(sizes: list[Tensor], weight: float, half: bool) -> Tensor:
    total = sizes[0]
    for size in sizes[1:]:
        total = total + size
    return total * (weight / 2.0 if half else weight)
