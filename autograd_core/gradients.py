"""Gradients of recorded graphs: `backward` adds them into leaves, `grad` returns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import engine
from .errors import GraphError, ShapeError
from .recording import Traced, edge, wrap

if TYPE_CHECKING:
    from ._tensor import Tensor

__all__ = ["backward", "grad"]


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of the tensors, weighted by grad_tensors, into `.grad` of the leaves.

    With `inputs`, only into those. The graph is freed unless retain_graph (default: create_graph).
    With create_graph the gradients are themselves recorded; a leaf's `.grad` then refers to a
    graph that refers to the leaf: set it to None, or use `grad`, to let go of both.
    """
    roots = _roots("backward", _listed(tensors), grad_tensors, create_graph)
    wanted = None if inputs is None else _inputs("backward", _listed(inputs))
    keep = create_graph if retain_graph is None else retain_graph
    found = engine.pull(
        roots,
        retain_graph=keep,
        create_graph=create_graph,
        targets=None if wanted is None else [edge(x, None) for x in wanted],
    )
    if wanted is not None:
        for x in wanted:
            if edge(x, None) in found:
                _receive(x, found[edge(x, None)])
        return
    for leaf in [leaf for leaf in found if isinstance(leaf, Traced)]:
        if leaf._hooks is None:
            engine.accumulate(leaf, found.pop(leaf))
        else:
            _receive(leaf, found.pop(leaf))


def _receive(x: Any, g: Any) -> None:
    if x._node is None and x._hooks:
        g = engine.through_hooks(x._hooks, g)
    if not x.retains_grad:  # else the walk has filled it
        engine.accumulate(x, g)
    if x._node is None and x._hooks is not None:
        for hook in list(x._hooks.after.values()):
            hook(x)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of the outputs with respect to the inputs; `.grad` stays as it is.

    An input that the outputs do not depend on raises, unless allow_unused (then None) or
    materialize_grads (then zeros).
    """
    roots = _roots("grad", _listed(outputs), grad_outputs, create_graph)
    wanted = _inputs("grad", _listed(inputs))
    found = engine.pull(
        roots,
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        targets=[edge(x, None) for x in wanted],
    )
    return tuple(
        _found(found, x, i, bool(allow_unused), materialize_grads) for i, x in enumerate(wanted)
    )


def _found(found: dict[Any, Any], x: Any, i: int, allow_unused: bool, zeros: bool) -> Any:
    g = found.get(edge(x, None))
    if g is None:
        if zeros:
            return wrap(np.zeros_like(x._array))
        if allow_unused:
            return None
        raise GraphError(
            f"grad: the outputs do not depend on input {i} of shape {x.shape}; "
            "pass allow_unused=True to get None for it"
        )
    if x._node is None and x._hooks:
        g = engine.through_hooks(x._hooks, g)
    # Two variables hold it: `g` and the entry of `found`.
    return g if isinstance(g, Traced) else wrap(engine.own(g, holders=2))


def _listed(tensors: Any) -> list[Any]:
    return [tensors] if isinstance(tensors, Traced) else list(tensors)


def _inputs(who: str, inputs: list[Any]) -> list[Any]:
    for i, x in enumerate(inputs):
        if not isinstance(x, Traced):
            raise TypeError(f"{who}: input {i} is a {type(x).__name__}, it must be a Tensor")
        if not x._rg:
            raise GraphError(
                f"{who}: input {i} of shape {x.shape} does not require grad: "  # pyright: ignore
                "call requires_grad_() on it before computing the outputs"
            )
    if not inputs:
        raise ValueError(f"{who}: inputs is empty")
    return inputs


def _roots(
    who: str, outputs: list[Any], gradients: Any, create_graph: bool
) -> list[tuple[Any, Any]]:
    """Pair each output's edge with its cotangent."""
    if gradients is None or isinstance(gradients, (Traced, np.ndarray)):
        gradients = [gradients] * (1 if gradients is not None else len(outputs))
    if len(gradients) != len(outputs):
        raise ShapeError(f"{who} got {len(gradients)} gradients for {len(outputs)} outputs")
    return [
        (_root_edge(who, y), _root_gradient(who, y, g, create_graph))
        for y, g in zip(outputs, gradients, strict=True)
    ]


def _root_edge(who: str, y: Any) -> Any:
    if not isinstance(y, Traced):
        raise TypeError(f"{who} got a {type(y).__name__}: it needs a Tensor")
    if not y._rg:
        raise GraphError(
            f"{who}: a tensor of shape {y.shape} does not require grad, "  # pyright: ignore
            "so there is nothing to differentiate: set requires_grad=True on what it is "
            "computed from, outside of no_grad()"
        )
    return edge(y, None)


def _root_gradient(who: str, y: Any, g: Any, create_graph: bool) -> Any:
    if g is None:
        if y._array.size != 1:
            raise GraphError(
                f"{who}: a gradient can be left out only for a scalar, and this tensor has shape "
                f"{y.shape}: pass gradient= of that shape, or reduce it first, as with .sum()"
            )
        ones = np.ones_like(y._array)
        return wrap(ones) if create_graph else ones
    array = g._array if isinstance(g, Traced) else np.asarray(g)
    if array.shape != y.shape:
        raise ShapeError(
            f"{who} got a gradient of shape {array.shape} for a tensor of shape {y.shape}: "
            "the shapes must be equal"
        )
    if array.dtype != y._array.dtype:
        g = array = array.astype(y._array.dtype)
    if create_graph:
        return g if isinstance(g, Traced) else wrap(array)
    return array
