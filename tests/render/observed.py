"""Views of what ran under observation: every op a box, every operand an arrow, nothing folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.graph import type_text
from autograd_core.observe import ObservedNode, observe
from autograd_core.op import PART
from autograd_core.recording import Number, Traced
from autograd_core.render.view import Arrow, Box, Cluster, View

COMMUTATIVE = {"add", "mul", "maximum", "minimum"}


def rms(x: Any) -> float:
    return float(np.sqrt(np.mean(np.square(np.asarray(x, dtype=float)))))


def number(x: float) -> str:
    return f"{x:.4g}"


class Recording:
    """Boxes, arrows and clusters, filled node by node."""

    def __init__(self, names: Mapping[str, Any], chips: bool) -> None:
        self.names = {id(x): name for name, x in names.items()}
        self.chips = chips
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self.clusters: dict[str, Cluster] = {}
        self.ids: dict[int, str] = {}
        self.sent: dict[tuple[int, int], list[Any]] = {}  # (node, source) -> contributions
        self.grads: dict[int, Any] = {}
        self.last_backward = float("inf")
        self.kept: list[Any] = []

    def cluster_of(self, scope: Any) -> str | None:
        chain: list[Any] = []
        while scope is not None:
            module = scope.module()
            chain += [module] if module is not None else []
            scope = scope.parent
        if not chain:
            return None
        outer = chain[-1]
        paths = {id(m): path for path, m in outer.named_modules()}
        parent: str | None = None
        for module in reversed(chain):
            path = paths.get(id(module), "?")
            kind = type(module).__name__
            key = f"module:{path}"
            title = f"{path} · {kind}" if path else kind
            if key not in self.clusters:
                self.clusters[key] = Cluster(key, title, parent)
            parent = key
        return parent

    def leaf(self, x: Any, cluster: str | None) -> str:
        """Return the id of a leaf's box; where it has one already, of a chip for this use."""
        known = self.ids.get(id(x))
        if known is not None and not self.chips:
            return known
        scalar = isinstance(x, Number)
        needs = scalar or x._rg
        name = self.names.get(id(x)) or getattr(x, "name", None)
        title = name or ("leaf" if needs else "x")
        grad = x.grad if scalar else x._grad
        grad = grad._array if isinstance(grad, Traced) else grad
        strength = rms(grad) if needs and grad is not None else None
        key = f"n{len(self.boxes)}"
        if known is not None:
            self.boxes.append(Box(key, "alias", "leaf", title, (), cluster, grad_rms=strength))
            return key
        self.kept.append(x)
        array = np.asarray(x.data if scalar else x._array)
        facts, value = facts_of(array, grad if needs else None, scalar)
        kind = "leaf" if needs else "input"
        self.boxes.append(
            Box(
                key,
                kind,
                kind,
                title,
                facts,
                cluster,
                name=name,
                shape="" if scalar else str(list(x.shape)),
                dtype=str(x.dtype),
                value=value,
                grad_rms=strength,
                heat=heat_of(array),
            )
        )
        self.ids[id(x)] = key
        return key

    def add(self, node: Any, order: int = 0) -> None:
        if node.op is PART:
            return
        number_node = isinstance(node, Number)
        cluster = self.cluster_of(node.scope)
        sources = node.edges if number_node else node.sources
        slots = node.op.arrays
        found: list[tuple[int, str, Any]] = []
        for slot, source in enumerate(sources):
            while getattr(source, "op", None) is PART:
                source = source.edges[0]
            if isinstance(source, ObservedNode) or (number_node and getattr(source, "edges", ())):
                if id(source) in self.ids:
                    found.append((slot, self.ids[id(source)], source))
            elif isinstance(source, (Traced, Number)):
                found.append((slot, self.leaf(source, cluster), source))
        key = f"n{len(self.boxes)}"
        for slot, source_id, source in found:
            sent = self.sent.get((id(node), id(source)))
            value = sent.pop(0) if sent else None
            name = slots[min(slot, len(slots) - 1)]
            self.arrows.append(
                Arrow(
                    source_id,
                    key,
                    slot,
                    "" if node.op.name in COMMUTATIVE or len(found) < 2 else name,
                    contribution=None if value is None else rms(value),
                    state=_state(value),
                )
            )
        self.boxes.append(self.box(node, key, cluster, order))
        self.ids[id(node)] = key
        self.kept.append(node)

    def box(self, node: Any, key: str, cluster: str | None, order: int) -> Box:
        scalar = isinstance(node, Number)
        result = node.data if scalar else node.result
        array = np.asarray(result[0] if isinstance(result, tuple) else result)
        grad = node.grad if scalar else self.grads.get(id(node))
        facts, value = facts_of(array, grad, scalar)
        return Box(
            key,
            "op",
            node.op.name,
            node.op.label(node.params),
            facts,
            cluster,
            shape="" if scalar else str(list(array.shape)),
            dtype=str(array.dtype),
            value=value,
            grad_rms=None if grad is None else rms(grad),
            heat=heat_of(array),
            badges=("NaN born here",) if np.isnan(array).any() else (),
            order=order,
        )


def facts_of(array: np.ndarray, grad: Any, scalar: bool) -> tuple[tuple[str, ...], str]:
    """Return the lines of a box, and its value where that is one number."""
    one = array.size == 1
    value = number(array.item()) if one else ""
    lines = [] if scalar else [type_text(array.dtype, array.shape)]
    lines += [f"value {value}"] * one
    if grad is not None:
        lines.append(
            f"grad {number(np.asarray(grad).item()) if one else 'rms ' + number(rms(grad))}"
        )
    return tuple(lines), value


def heat_of(array: np.ndarray) -> tuple[float, ...]:
    return tuple(array.ravel().tolist()) if 1 < array.size <= 16 else ()


def _state(value: Any) -> str:
    if value is None:
        return ""
    if not np.isfinite(value).all():
        return "nonfinite"
    return "" if np.any(value) else "zero"


def observed_view(
    run: Callable[[], Any],
    names: Mapping[str, Any] | None = None,
    *,
    chips: bool = True,
    title: str = "",
    modules: bool = True,
    orders: Callable[[Any], int] = lambda node: 0,
) -> View:
    """Run a program, backward and all, and return a view of every op that ran."""
    seen = observe()
    with seen:
        result = run()
    recording = Recording(names or {}, chips)
    for node, source, x in seen.contributions:
        made: Any = source
        while getattr(made, "op", None) is PART:
            made = made.edges[0]
        recording.sent.setdefault((id(node), id(made)), []).append(x)
        before = recording.grads.get(id(made), 0.0)
        recording.grads[id(made)] = before + np.asarray(x, dtype=float)
    if isinstance(result, Traced) and seen.contributions:
        recording.grads.setdefault(id(result._made), 1.0)
    outputs: tuple[str, ...] = ()
    if isinstance(result, Number):
        for node in reversed(ag.engine.history([result])):
            if node.edges:
                recording.add(node)
        outputs = (recording.ids[id(result)],)
    else:
        for node in seen.nodes:
            recording.add(node, orders(node))
        made = getattr(result, "_made", None)
        if id(made) in recording.ids:
            outputs = (recording.ids[id(made)],)
    ops = sum(box.kind == "op" for box in recording.boxes)
    leaves = sum(box.kind == "leaf" for box in recording.boxes)
    boxes = recording.boxes
    if not modules:
        from dataclasses import replace

        boxes = [replace(box, cluster=None) for box in boxes]
    return View(
        tuple(boxes),
        tuple(recording.arrows),
        tuple(recording.clusters.values()) if modules else (),
        title=title,
        description=f"{ops} operations, {leaves} parameters",
        caption=f"{ops} operations, {leaves} parameters",
        outputs=outputs,
    )
