"""Gradients made shorter: all together by their norm, or each element by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, cast

import autograd_core as ag
from autograd_core import Tensor

Tensors = Tensor | Iterable[Tensor] | Iterable[tuple[str, Tensor]]


def _named(who: str, tensors: Any) -> list[tuple[str, Tensor]]:
    """Return the tensors with their names; without one, with their place and shape."""
    found: list[tuple[str, Tensor]] = []
    for i, item in enumerate([tensors] if isinstance(tensors, Tensor) else tensors):
        pair = cast("tuple[Any, ...]", item) if isinstance(item, tuple) else (None, item)
        tensor = pair[-1]
        if len(pair) != 2 or not isinstance(tensor, Tensor):
            raise TypeError(
                f"{who} got a {type(item).__name__}: it needs tensors, or (name, tensor) pairs"
            )
        name = pair[0] or tensor.name or f"number {i}, of shape {tuple(tensor.shape)}"
        found.append((name, tensor))
    return found


def _with_gradient(who: str, parameters: Any) -> list[tuple[str, Tensor]]:
    return [(name, p.grad) for name, p in _named(who, parameters) if p.grad is not None]


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all elements of all tensors; a NaN is named with error_if_nonfinite."""
    return _total(
        "get_total_norm", _named("get_total_norm", tensors), norm_type, error_if_nonfinite
    )


def _total(
    who: str, tensors: list[tuple[str, Tensor]], norm_type: float, error_if_nonfinite: bool
) -> Tensor:
    if not tensors:
        return ag.tensor(0.0)
    order = float(norm_type)
    with ag.no_grad():
        norms = [ag.linalg.vector_norm(x, order) for _, x in tensors]
        total: Tensor = ag.linalg.vector_norm(ag.stack(norms), order)
    if error_if_nonfinite and not math.isfinite(total.item()):
        wrong = [
            name for (name, _), norm in zip(tensors, norms, strict=True)
            if not math.isfinite(norm.item())
        ]  # fmt: skip
        where = f": see {', '.join(wrong)}" if wrong else ", of finite parts"
        raise RuntimeError(f"{who} got gradients of norm {total.item()}{where}")
    return total


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients in place by min(1, max_norm / (norm + 1e-6)); returns the norm before.

    The norm is that of all elements together. Given `model.named_parameters()`, an error about a
    gradient that is not finite says whose it is. Pascanu et al., On the Difficulty of Training
    Recurrent Neural Networks (2013), section 3.2.
    """
    grads = _with_gradient("clip_grad_norm_", parameters)
    total = _total("clip_grad_norm_", grads, norm_type, error_if_nonfinite)
    _shorten([grad for _, grad in grads], float(max_norm), total)
    return total


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale all gradients in place as if their norm were total_norm."""
    grads = [grad for _, grad in _with_gradient("clip_grads_with_norm_", parameters)]
    _shorten(grads, float(max_norm), total_norm)


def _shorten(grads: list[Tensor], max_norm: float, total: Tensor) -> None:
    with ag.no_grad():
        factor = (max_norm / (total + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(factor.to(grad.dtype))


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Clamp every element of every gradient to ±clip_value, in place."""
    bound = float(clip_value)
    with ag.no_grad():
        for _, grad in _with_gradient("clip_grad_value_", parameters):
            grad.clamp_(-bound, bound)
