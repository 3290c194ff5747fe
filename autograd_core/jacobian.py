"""Whole Jacobians and Hessians: one walk over one recording for each row or column."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import ops
from .recording import wrap
from .tree import rebuild
from .variables import Argnums, Function, Run, choose


def jacrev(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that gives the Jacobian, of shape output.shape + input.shape.

    One run of the function, then one walk back for each element of the output.
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen, of_chosen = choose("jacrev", func, args, kwargs, argnums)
        run = Run("jacrev", of_chosen, chosen, has_aux=has_aux)
        rows = [rebuild(chosen, _rows(run, y)) for y in run.outputs]
        whole = rebuild(run.output, rows)
        return (whole, run.aux) if has_aux else whole

    return jacobian


def jacfwd(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that gives the Jacobian, of shape output.shape + input.shape.

    One run of the function, then one walk forward for each element of the input.
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen, of_chosen = choose("jacfwd", func, args, kwargs, argnums)
        run = Run("jacfwd", of_chosen, chosen, forward=True, has_aux=has_aux)
        columns = [_columns(run, i) for i in range(len(run.inputs))]
        rows = [rebuild(chosen, row) for row in zip(*columns, strict=True)]
        whole = rebuild(run.output, rows)
        return (whole, run.aux) if has_aux else whole

    return jacobian


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """Return the function that gives the second derivatives: output.shape + 2 * input.shape."""
    return jacfwd(jacrev(func, argnums), argnums)


def _units(x: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Give each position of x, and a tensor like x that is one there and zero elsewhere."""
    for place in np.ndindex(x._array.shape):
        unit = np.zeros_like(x._array, subok=False)
        unit[place] = 1
        yield place, wrap(unit)


def _rows(run: Run, y: Any) -> list[Any]:
    """Return dy/d(input) for each input, one walk back for each element of y."""
    if run.tracked:
        pulled = [run.pull([y], [unit], retain=True, tracked=True) for _, unit in _units(y)]
        return [
            _joined(y.shape, [row[i] for row in pulled], x, first=True)
            for i, x in enumerate(run.inputs)
        ]
    found = [np.empty((*y.shape, *x.shape), x._array.dtype) for x in run.inputs]
    for place, unit in _units(y):
        pulled = run.pull([y], [unit], retain=True, tracked=False)
        for whole, g in zip(found, pulled, strict=True):
            whole[place] = g._array
    return [wrap(whole) for whole in found]


def _columns(run: Run, i: int) -> list[Any]:
    """Return d(output)/dx for input i and each output, one walk forward for each element of x."""
    x = run.inputs[i]

    def along(unit: Any) -> list[Any]:
        tangents = [unit if k == i else None for k in range(len(run.inputs))]
        return run.push(tangents, tracked=run.tracked)

    if run.tracked:
        pushed = [along(unit) for _, unit in _units(x)]
        return [
            _joined(x.shape, [column[k] for column in pushed], y, first=False)
            for k, y in enumerate(run.outputs)
        ]
    found = [np.empty((*y.shape, *x.shape), y._array.dtype) for y in run.outputs]
    for place, unit in _units(x):
        for whole, t in zip(found, along(unit), strict=True):
            whole[(..., *place)] = t._array
    return [wrap(whole) for whole in found]


def _joined(shape: tuple[int, ...], slices: list[Any], like: Any, first: bool) -> Any:
    """Stack tracked slices along the axes of `shape`, in front of those of `like` or behind."""
    full = (*shape, *like.shape) if first else (*like.shape, *shape)
    if not slices:
        return wrap(np.zeros(full, like._array.dtype))
    return ops.stack(slices, 0 if first else -1).reshape(full)
