"""In-place changes: the memory is written at once, and the history is rewritten to match.

A tensor with history that is changed gets the history of an ordinary op on its old value. Where
views share the memory, the change counts as one of their common base, and every live view is
looked at anew from there. The engine knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import ops, versions
from .dtypes import as_dtype
from .errors import DtypeError, GraphError, ShapeError, blamed
from .modes import current
from .op import linear
from .ops.indexing import assign, index, write_at
from .ops.keys import Key, key_text, plain_key, two_steps
from .recording import Node, Step, Traced, attach
from .versions import Array


def see(x: Any, steps: tuple[Step, ...]) -> Any:
    """Take the view ops of `steps` on x."""
    for op, params, k in steps:
        x = op.call(x, *params)
        x = x if k is None else x[k]
    return x


@linear(
    together=True,
    label="write",
    vjp=[lambda g, steps: _erase(g, steps), lambda g, steps: see(g, steps)],
)
def write(base: Array, value: Array, steps: tuple[Step, ...]) -> Array:
    """A copy of the base in which the view at `steps` holds the value."""
    y = np.array(base, order="C")
    place = see(y, steps)
    if versions.owner(place) is y:
        place[...] = value
    else:  # a reshape had to copy: go by the positions of the elements
        positions = see(np.arange(y.size).reshape(y.shape), steps)
        y.reshape(-1)[positions] = value
    return y


def _erase(g: Any, steps: tuple[Step, ...]) -> Any:
    return write(g, 0.0, steps)


def guard(who: str, x: Any) -> None:
    """Raise where an in-place change of x has no meaning, or none that could be differentiated."""
    array = x._array
    if not array.flags.writeable and array.size:
        if any(n > 1 and step == 0 for n, step in zip(array.shape, array.strides, strict=True)):
            raise GraphError(
                f"{who}: several elements of this expanded view of shape {array.shape} share one "
                "place in memory; clone() it first"
            )
        raise GraphError(f"{who}: the memory of this tensor is read-only; clone() it first")
    if not current().grad:
        return
    base = x if x._view is None else x._view.base
    if base._rg and base._node is None:
        what = "a leaf" if base is x else "a view of a leaf"
        raise GraphError(
            f"{who} would change {what} of shape {base._array.shape} that requires grad in place: "
            "use no_grad(), or an op that returns a new tensor"
        )
    if x._view is not None and base._rg and any(k is not None for _, _, k in x._view.steps):
        raise GraphError(
            f"{who}: this view is one of several results of "
            f"{x._view.steps[-1][0].name}, which cannot be changed in place; clone() it first"
        )


def update(name: str, function: Callable[..., Any], x: Any, *args: Any, **kwargs: Any) -> Any:
    """x.name_(...): give x the value, and the history, of function(x, ...)."""
    guard(name, x)
    start = versions.tick()
    y = function(x, *args, **kwargs)
    if y._array.shape != x._array.shape:
        raise ShapeError(
            f"{name} would change a tensor of shape {x._array.shape} in place to "
            f"{y._array.shape}: the result must fit into it"
        )
    _castable(name, y._array.dtype, x._array.dtype)
    if y._rg and y._array.dtype != x._array.dtype:
        y = ops.cast(y, x._array.dtype)  # type: ignore[attr-defined]
    if y._rg:
        _keep_old(y._node, x._array, start)
    return replace(x, y._array, y._node if y._rg else None)


def _keep_old(node: Node, old: Array, start: int) -> None:
    """Let what was recorded since `start` keep copies of the memory about to be overwritten."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        waiting += [x for x in node.edges if isinstance(x, Node) and x.time > start]
        if type(node.saved) is tuple:
            node.saved = tuple([_apart(x, old) for x in node.saved])


def _apart(saved: Any, old: Array) -> Any:
    shared = isinstance(saved, np.ndarray) and versions.owner(saved) is versions.owner(old)
    return saved.copy() if shared else saved


def _castable(name: str, result: np.dtype[Any], into: np.dtype[Any]) -> None:
    order = "buif"
    if order.index(result.kind) > order.index(into.kind) and {result.kind, into.kind} != {"u", "i"}:
        raise DtypeError(f"{name}: a result of {result} cannot be stored in a {into} tensor")


def replace(x: Any, array: Any, node: Node | None) -> Any:
    """Write an array into x and give x the history `node`."""
    np.copyto(x._array, array, casting="unsafe")
    versions.touch(x._array)
    mode = current()
    if mode.observer is not None:
        mode.observer.replaced(x._array, array)
    if mode.grad:
        rebase(x, node)
    return x


def setitem(x: Any, key: Any, value: Any) -> None:
    """x[key] = value."""
    guard("index assignment", x)
    place = _place(x, key)
    steps = two_steps(place)
    if steps is not None:
        return setitem(index(x, steps[0]), steps[1], value)
    array = value._array if isinstance(value, Traced) else np.asarray(value)
    as_dtype(array.dtype)
    mode = current()
    if np.may_share_memory(array, x._array):
        array = array.copy()
    tracked = mode.grad and (x._rg or (isinstance(value, Traced) and value._rg))
    operands = (x, value if isinstance(value, Traced) else array)
    node = None
    if tracked:  # recorded before x changes its history; nothing is saved
        arrays = (x._array, array)
        node = attach(assign.op, operands, arrays, (place,), x._array, mode)
    try:
        write_at(x._array, place, array)
    except (ValueError, IndexError) as error:
        raise _misfit(x, place, array, error) from error
    versions.touch(x._array)
    if mode.grad:
        rebase(x, node)


def _place(x: Any, key: Any) -> Key:
    try:
        return plain_key(key, x._array.shape)
    except (IndexError, ValueError) as error:
        raise blamed("index assignment", (x,), error) from error


def _misfit(x: Any, place: Any, array: Array, error: Exception) -> Exception:
    kind = IndexError if isinstance(error, IndexError) else ShapeError
    return kind(
        f"index assignment got a value of shape {array.shape} for [{key_text(place)}] of a tensor "
        f"of shape {x._array.shape}: {error}"
    )


def rebase(x: Any, node: Node | None) -> None:
    """Let x, and all that shares its memory, depend on `node` from now on (None: on nothing)."""
    base, steps = (x, ()) if x._view is None else (x._view.base, x._view.steps)
    if base is x:
        x._node, x._rg = node, node is not None
    elif base._rg or node is not None:
        value = _handle(x, node)
        arrays = (base._array, x._array)
        base._node = attach(write.op, (base, value), arrays, (steps,), base._array, current())
        base._rg = True
    alive = [reference for reference in base._views or () if reference() is not None]
    for reference in alive:
        view = reference()
        if view is not None and (base._rg or view._rg):
            seen = see(base, view._view.steps)
            view._node, view._rg = seen._node, seen._rg
    base._views = alive  # without what was seen on the way


def _handle(x: Any, node: Node | None) -> Any:
    handle = x._wrap(x._array)
    handle._node, handle._rg = node, node is not None
    return handle
