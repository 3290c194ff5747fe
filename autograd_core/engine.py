"""Walking the graph: vjp rules backwards, jvp rules forwards.

Nodes are visited in the order of their clock, so an operand always comes before its uses. Nothing
recurses; cotangents of intermediate results live in a local dict and vanish when they were used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from operator import attrgetter
from typing import Any

import numpy as np

from . import versions
from .errors import GraphError
from .modes import MODE, BackwardScopes, current
from .op import PART
from .ops import cast, expand, sum_to
from .recording import NOTHING, Node, Traced, edge, part_node, wrap
from .saved import Packed, arrays_in
from .shapes import operand_shapes

ndarray = np.ndarray
_time = attrgetter("time")


def history(roots: Iterable[Any]) -> list[Node]:
    """Return every node that the roots depend on, the latest first."""
    order = [root for root in dict.fromkeys(roots) if isinstance(root, Node)]
    seen = set(order)
    for node in order:  # which grows on the way
        for source in node.edges:
            kind = source.__class__
            if (
                kind is Node or (kind is not tuple and isinstance(source, Node))
            ) and source not in seen:
                seen.add(source)
                order.append(source)
    order.sort(key=_time, reverse=True)
    return order


def pull(
    roots: Sequence[tuple[Any, Any]],
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
    targets: Sequence[Any] | None = None,
    note: Any = None,
    hooks: bool = True,
) -> dict[Any, Any]:
    """Return the cotangents of the targets (by default: of every leaf), given those of the roots.

    Roots and targets are edges: nodes or leaf tensors. `note(node, source, x)` is told of each
    contribution x that a node sends along an edge. Without `hooks` no tensor hook is called and
    no tensor retains its gradient.
    """
    order = history([root for root, _ in roots])
    cotangents: dict[Any, Any] = {}
    for root, g in roots:
        cotangents[root] = g if root not in cotangents else cotangents[root] + g
    kept = set(targets or ())
    useful = None if targets is None else _leading_to(kept, order)
    mode = current()
    if note is None and mode.observer is not None:
        note = mode.observer.note
        mode.observer.start(roots)
    try:
        MODE.set(mode.replace(grad=create_graph))
        scopes = BackwardScopes(1 + highest_order(order)) if create_graph else None
        with np.errstate(all="ignore"):
            _pull_all(order, cotangents, kept, useful, retain_graph, scopes, note, hooks)
    finally:
        MODE.set(mode)
    return cotangents


def highest_order(order: Iterable[Any]) -> int:
    """Return how often the newest of these nodes was differentiated already."""
    highest, seen = 0, None
    for node in order:
        scope = node.scope
        if scope is not seen:  # neighbours mostly ran in the same one
            seen = scope
            if scope is not None and scope.order > highest:
                highest = scope.order
    return highest


def _leading_to(targets: set[Any], order: list[Node]) -> set[Any]:
    """Return the targets and every node in `order` that depends on one of them."""
    useful = set(targets)
    for node in reversed(order):
        if any(source in useful for source in node.edges if isinstance(source, (Node, Traced))):
            useful.add(node)
    return useful


def _pull_all(
    order: list[Node], cotangents: dict[Any, Any], kept: set[Any], useful: set[Any] | None,
    retain: bool, scopes: BackwardScopes | None, note: Any, hooks: bool,
) -> None:  # fmt: skip
    """Visit each node after all its uses, and send on what its rules make of its cotangent."""
    sums: set[Any] = set()  # cotangents added up here: nobody else holds them, they grow in place
    latest = versions.latest
    for node in order:
        g: Any = cotangents.pop(node, None)
        if g is None:
            continue
        if scopes is not None:
            scopes.enter(node.scope)
        if node.watch is not None and hooks:
            g = node.watch(g)
            latest = versions.latest  # a hook may have changed something in place
        if kept and node in kept:
            cotangents[node] = g
        op: Any = node.op
        saved: Any = node.saved
        if saved is not NOTHING:
            if saved is None or latest > node.time or saved.__class__ is not tuple:
                saved = verified(node)
            if scopes is not None:
                saved = _handles(node, saved)
        plans = op.pulls_of(node) if op.anew else op.pulls
        for source, (rule, place) in zip(node.edges, plans):  # noqa: B905 - strict costs 0.1 us
            kind: Any = source.__class__
            if kind is tuple or rule is None or (useful is not None and source not in useful):
                continue
            if kind is Node:
                to = source
            elif isinstance(source, Traced):
                to = source._array
            elif isinstance(source, Node):
                to = source
            else:
                continue
            x: Any = rule(g, saved[place]) if place is not None else rule(g, saved, node)
            if x is None:
                continue
            if op is PART:
                _add_part(cotangents, source, node.params[0], x)
                continue
            if x.shape != to.shape or x.dtype is not to.dtype:
                x = _fit(x, to.shape, to.dtype)
            if note is not None:
                note(node, source, x)
            known = cotangents.get(source)
            if known is None:
                cotangents[source] = x
            elif source in sums:
                known += x
                if known.__class__ is not ndarray:  # a scalar of NumPy's does not grow in place
                    cotangents[source] = known
            else:
                cotangents[source] = known + x
                if scopes is None:
                    sums.add(source)
        if not retain and node.saved is not NOTHING:
            node.saved = None


def _fit(x: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Undo broadcasting and promotion: sum x to the operand's shape and cast it to its dtype."""
    if x.shape != shape:
        x = sum_to(x, shape)
    return x if x.dtype == dtype else cast(x, dtype)


def _add_part(cotangents: dict[Any, Any], node: Any, k: int, x: Any) -> None:
    """Add x into slot k of the cotangents of an op with several results."""
    slots = cotangents.setdefault(node, [None] * len(node.shape))
    slots[k] = x if slots[k] is None else slots[k] + x


def verified(node: Node) -> tuple[Any, ...]:
    """Return the saved arrays; raise if they were freed, or overwritten since."""
    saved: Any = node.saved
    if saved is None:
        raise GraphError(
            f"{node.op.name} was freed by an earlier backward: "
            "pass retain_graph=True to that one to walk its graph again"
        )
    if isinstance(saved, Packed):
        return saved.arrays()
    sums = getattr(saved, "sums", ())
    for i, (array, before) in enumerate(zip_longest(arrays_in(saved), sums)):
        if not isinstance(array, np.ndarray):
            continue
        changed = before is not None and versions.checksum(array) != before
        if changed or versions.overwritten_since(array, node.time):
            raise GraphError(_overwritten(node, i, array))
    return saved


def _overwritten(node: Node, i: int, array: Any) -> str:
    """Return the message for a saved array that changed before backward needed it."""
    op = node.op
    shapes = operand_shapes(node)
    result = i >= len(shapes)
    what = "its result" if result else f"its operand {op.arrays[min(i, len(op.arrays) - 1)]!r}"
    line = getattr(node, "line", None)
    where = (
        f"recorded at {line}, changed at {versions.line_of_change(array) or 'an unknown line'}"
        if line
        else "run under detect_anomaly() to see the lines"
    )
    return (
        f"{op.name} of shapes {' and '.join(map(str, shapes))} saved {what}, which was changed in "
        f"place afterwards: clone() it before changing it, or change it after backward; {where}"
    )


def _handles(node: Node, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the saved arrays as tensors on the recorded edges, so that rules record themselves."""
    operands = [
        _on_edge(source, array) if isinstance(array, np.ndarray) else array
        for source, array in zip(node.edges, saved, strict=False)
    ]
    y = saved[-1]
    if isinstance(y, list):
        parts = [None if a is None else _on_edge(part_node(node, k), a) for k, a in enumerate(y)]
        y = node.op.results(*parts)
    elif y is not None:
        y = _on_edge(node, y)
    return (*operands, y)


def _on_edge(source: Any, array: Any) -> Any:
    if isinstance(source, Traced):  # an op may have saved a leaf in a wider dtype
        return source if source._array is array else cast(source, array.dtype)
    handle = wrap(array)
    if isinstance(source, Node):
        handle._node, handle._rg = source, True
    return handle


def push(outputs: Sequence[Any], tangents: dict[Any, Any]) -> list[Any]:
    """Return the tangents of the outputs, given those of some edges; None where none arrives.

    The graph must have been recorded with `Mode.forward`, which keeps what jvp rules name.
    Tangents that are tensors make the walk record itself.
    """
    tangents = dict(tangents)
    create_graph = any(isinstance(t, Traced) for t in tangents.values())
    with np.errstate(all="ignore"):
        for node in reversed(history([edge(y, None) for y in outputs])):
            arriving = [tangents.get(e) if _traceable(e) else None for e in node.edges]
            if node in tangents or not any([t is not None for t in arriving]):
                continue
            saved: Any = node.saved
            if saved is not NOTHING:
                if saved is None or versions.latest > node.time or saved.__class__ is not tuple:
                    saved = verified(node)
                if create_graph:
                    saved = _handles(node, saved)
            tangents[node] = _pushed(node, arriving, saved)
    return [tangents.get(edge(y, None)) for y in outputs]


def _traceable(source: Any) -> bool:
    return source.__class__ is Node or isinstance(source, (Node, Traced))


def _pushed(node: Node, arriving: list[Any], saved: Any) -> Any:
    """Return the tangent of one node's result: the sum over its operands' tangents."""
    op = node.op
    if op is PART:
        return arriving[0][node.params[0]]
    if op.together:
        return op.on_tangents(arriving, node, saved)
    total: Any = None
    own = False  # whether nobody else holds the total, so that it may grow in place
    for t, rule in zip(arriving, op.pushes, strict=True):
        if t is None or rule is None:
            continue
        x: Any = rule(t, saved, node)
        if total is None:
            total = x
            own = x is not t and x.__class__ is ndarray and x.base is None
        elif own and total.shape == x.shape and total.dtype is x.dtype:
            total += x
        else:
            total = total + x
    return total if total is None or op.results else _widen(total, node)


def _widen(t: Any, node: Node) -> Any:
    """Broadcast and cast a tangent to the shape and dtype of the result."""
    if t.shape != node.shape:
        t = expand(t, node.shape)
    return t if t.dtype == node.dtype else cast(t, node.dtype)


class Watch:
    """What a user asked to see of one node's cotangent: hooks, and a tensor that retains it."""

    __slots__ = ("handle", "hooks", "retain")

    def __init__(self) -> None:
        self.hooks: dict[int, Any] = {}
        self.handle: Any = None  # a weak reference
        self.retain = False

    def __call__(self, g: Any) -> Any:
        g = through_hooks(self.hooks, g)
        tensor = self.handle() if self.retain else None
        if tensor is not None:
            accumulate(tensor, g)
        return g


def through_hooks(hooks: dict[int, Any], g: Any) -> Any:
    """Show a cotangent to hooks, each of which may return another in its place."""
    for hook in list(hooks.values()):
        replaced = hook(g if isinstance(g, Traced) else wrap(np.asarray(g)))
        if replaced is not None:
            g = replaced if isinstance(g, Traced) else replaced._array
    return g


def _references(array: Any) -> int:
    return sys.getrefcount(array)


_ALONE = _references(np.empty(1))  # of an array that only a function's argument refers to


def accumulate(leaf: Any, g: Any) -> None:
    """Add a cotangent into `leaf.grad`: in place, unless the sum must be differentiable."""
    known = leaf._grad
    if isinstance(g, Traced) or (known is not None and known._rg):
        g = g if isinstance(g, Traced) else wrap(np.asarray(g))
        leaf._grad = g if known is None else known + g
    elif known is not None:
        np.add(known._array, g, out=known._array, casting="same_kind")
        versions.touch(known._array)
    else:
        leaf._grad = wrap(own(g, holders=1))


def own(g: Any, holders: int) -> Any:
    """Return g if nobody but `holders` variables of the callers can see it, else a copy."""
    alone = isinstance(g, np.ndarray) and g.base is None and g.flags.c_contiguous
    return g if alone and sys.getrefcount(g) <= _ALONE + holders else np.array(g, order="C")
