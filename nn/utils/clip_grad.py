"""Gradients made shorter: all together by their norm, or each element by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

import autograd_core as ag
import kernels
from autograd_core import Tensor, versions
from autograd_core.kernel_sizes import FLOATS

Tensors = Tensor | Iterable[Tensor] | Iterable[tuple[str, Tensor]]
Named = list[tuple[str | int, Tensor]]
Array = NDArray[Any]

# Elements of all gradients together that are worth a kernel; small networks do not load Numba.
KERNEL = 16384


def _named(who: str, tensors: Any) -> Named:
    """Return the tensors with their names, or without one with their place."""
    found: Named = []
    for i, item in enumerate([tensors] if isinstance(tensors, Tensor) else tensors):
        pair = cast("tuple[Any, ...]", item) if isinstance(item, tuple) else (None, item)
        tensor = pair[-1]
        if len(pair) != 2 or not isinstance(tensor, Tensor):
            raise TypeError(
                f"{who} got a {type(item).__name__}: it needs tensors, or (name, tensor) pairs"
            )
        found.append((pair[0] or tensor.name or i, tensor))
    return found


def _with_gradient(who: str, parameters: Any) -> Named:
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


def _total(who: str, tensors: Named, norm_type: float, error_if_nonfinite: bool) -> Tensor:
    if not tensors:
        return ag.tensor(0.0)
    order = float(norm_type)
    with ag.no_grad():
        if order == 2:
            total = _euclidean([x for _, x in tensors])
        else:
            norms = [ag.linalg.vector_norm(x, order) for _, x in tensors]
            total = ag.linalg.vector_norm(ag.stack(norms), order)
        if error_if_nonfinite and not math.isfinite(total.item()):
            wrong = [
                name if isinstance(name, str) else f"number {name}, of shape {tuple(x.shape)}"
                for name, x in tensors
                if not math.isfinite(ag.linalg.vector_norm(x, order).item())
            ]
            where = f": see {', '.join(wrong)}" if wrong else ", of finite parts"
            raise RuntimeError(f"{who} got gradients of norm {total.item()}{where}")
    return total


def _euclidean(tensors: list[Tensor]) -> Tensor:
    """Return the norm of all elements as one vector; of order 2 it is the norm of the norms."""
    arrays = _plain(tensors)
    if arrays is None or not _large(arrays):
        together = np.concatenate([x._array.ravel() for x in tensors])
        return ag.linalg.vector_norm(ag.tensor(together))
    from kernels.tables import PIECES

    like, sums = _like(arrays), np.empty(1 + PIECES)
    kernels.call.square_sum(like, _table(arrays), sums)
    return ag.tensor(math.sqrt(sums[0]), dtype=like.dtype)


def _plain(tensors: list[Tensor]) -> list[Array] | None:
    """Return the arrays where they are of one dtype, of the kernels', and without gaps."""
    arrays = [x._array for x in tensors]
    dtype = arrays[0].dtype if arrays else None
    if all([x.dtype == dtype and x.flags.c_contiguous and x.flags.aligned for x in arrays]):
        return arrays if dtype in FLOATS else None
    return None


def _writable(tensors: list[Tensor]) -> list[Array] | None:
    """Return the arrays where to write into one after the other is all there is to do."""
    arrays = _plain(tensors) or []
    distinct = len(set(map(id, arrays))) == len(arrays)
    return arrays if arrays and distinct and all([x.flags.writeable for x in arrays]) else None


def _large(arrays: list[Array]) -> bool:
    return sum([x.size for x in arrays]) >= KERNEL


def _like(arrays: list[Array]) -> Array:
    return np.empty(0, arrays[0].dtype)


def _table(arrays: list[Array]) -> Array:
    return np.array([[id(x)] for x in arrays])


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
        if factor.item() == 1.0:
            return
        arrays = _writable(grads)
        if arrays is None:
            for grad in grads:
                grad.mul_(factor.to(grad.dtype))
            return
    by = factor.item()
    with np.errstate(all="ignore"):
        if _large(arrays):
            kernels.call.scale(_like(arrays), _table(arrays), by)
        else:
            by = np.array(by, arrays[0].dtype)
            for x in arrays:
                np.multiply(x, by, out=x)
    versions.touch_all(arrays)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Clamp every element of every gradient to ±clip_value, in place."""
    bound = float(clip_value)
    grads = [grad for _, grad in _with_gradient("clip_grad_value_", parameters)]
    arrays = _writable(grads)
    if arrays is None or math.isnan(bound):
        with ag.no_grad():
            for grad in grads:
                grad.clamp_(-bound, bound)
        return
    with np.errstate(over="ignore"):  # a bound beyond the dtype is infinite
        low, high = (np.array(each, arrays[0].dtype) for each in (-bound, bound))
    if _large(arrays):
        kernels.call.clamp(_like(arrays), _table(arrays), float(low), float(high))
    else:
        for x in arrays:
            np.minimum(np.maximum(x, low, out=x), high, out=x)
    versions.touch_all(arrays)
