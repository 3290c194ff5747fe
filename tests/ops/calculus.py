"""Derivatives of rows, by the engine and by differences: what the checks compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import engine
from autograd_core.modes import Switch
from tests.ops.case import Array, OpCase

STEP = 1e-6  # for central differences: errors of 1e-12 by curvature, of 1e-10 by rounding

Arrays = list[Any]


def results(y: Any) -> list[Any]:
    """Return the floating results of a call, one or several."""
    parts = y if isinstance(y, tuple) else (y,)
    return [part for part in parts if part is not None and part.dtype.kind == "f"]


def on_tensors(operands: Arrays, tracked: Sequence[int]) -> Arrays:
    """Return the operands with tensors in place of arrays; those `tracked` require grad."""
    return [
        ag.Tensor._wrap(x, requires_grad=i in tracked) if isinstance(x, np.ndarray) else x
        for i, x in enumerate(operands)
    ]


def moved(case: OpCase, operands: Arrays, direction: Arrays, step: Any) -> Arrays:
    """Return the drawn operands moved by `step` along a direction."""
    steps = iter(direction)
    return [
        np.asarray(x + step * next(steps)) if i in case.drawn else x for i, x in enumerate(operands)
    ]


def like(arrays: Sequence[Any], rng: np.random.Generator) -> Arrays:
    """Return random arrays in the shapes of others: cotangents, tangents."""
    return [np.asarray(rng.normal(size=x.shape)) for x in arrays]


def drawn(case: OpCase, operands: Arrays) -> Arrays:
    """Return the operands that were drawn."""
    return [operands[i] for i in case.drawn]


def values(case: OpCase, operands: Arrays) -> Arrays:
    """Return the floating results on bare arrays."""
    return results(case.call(list(operands)))


def difference(f: Callable[[Arrays], Arrays], case: OpCase, x: Arrays, v: Arrays) -> Arrays:
    """Return the derivative of f along v, by central differences."""
    ahead, behind = f(moved(case, x, v, STEP)), f(moved(case, x, v, -STEP))
    return [(a - b) / (2 * STEP) for a, b in zip(ahead, behind, strict=True)]


def pushed(case: OpCase, operands: Arrays, v: Arrays) -> Arrays:
    """Return the tangents of the results, by the jvp rules."""
    tensors = on_tensors(operands, case.drawn)
    with Switch(forward=True):
        outputs = results(case.call(tensors))
        tangents = dict(zip(drawn(case, tensors), v, strict=True))
        arrived = engine.push(outputs, tangents)
    return [np.zeros(y.shape) if t is None else t for t, y in zip(arrived, outputs, strict=True)]


def pulled(
    case: OpCase, operands: Arrays, w: Arrays, tracked: Sequence[int] | None = None
) -> Arrays:
    """Return the gradients of <w, results> by the vjp rules, zeros where there is none."""
    tracked = case.drawn if tracked is None else tracked
    tensors = on_tensors(operands, tracked)
    outputs = results(case.call(tensors))
    grads = ag.autograd.grad(
        outputs, [tensors[i] for i in tracked], list(w), materialize_grads=True
    )
    return [g.numpy() for g in grads]


def gradients(total: Any, leaves: Arrays) -> Arrays:
    """Return the gradients of a scalar, zeros where it does not depend on a leaf."""
    if not total.requires_grad:
        return [np.zeros(x.shape) for x in leaves]
    return [g.numpy() for g in ag.autograd.grad(total, leaves, materialize_grads=True)]


def jacobian(case: OpCase, operands: Arrays, pull: bool) -> Array:
    """Return all partial derivatives, results by rows, by vjp or by differences."""
    x = drawn(case, operands)
    outputs = values(case, operands)
    if pull:
        rows = [_joined(pulled(case, operands, w)) for w in _basis(outputs)]
        return np.array(rows).reshape(_size(outputs), _size(x))
    columns = [
        _joined(difference(lambda at: values(case, at), case, operands, v)) for v in _basis(x)
    ]
    return np.array(columns).reshape(_size(x), _size(outputs)).T


def _size(arrays: Arrays) -> int:
    return sum(a.size for a in arrays)


def _joined(arrays: Arrays) -> Array:
    return np.concatenate([np.ravel(a) for a in arrays])


def _basis(arrays: Arrays) -> list[Arrays]:
    """Return every way to put a single 1 into zeros of these shapes."""
    found: list[Arrays] = []
    for k, array in enumerate(arrays):
        for place in np.ndindex(array.shape):
            unit = [np.zeros(a.shape) for a in arrays]
            unit[k][place] = 1.0
            found.append(unit)
    return found


def inner(a: Arrays, b: Arrays) -> float:
    """Return the inner product of two lists of arrays."""
    return float(sum(np.sum(x * y) for x, y in zip(a, b, strict=True)))
