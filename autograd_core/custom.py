"""What stands behind a Function: its op, whose rules ask the user's class, and its context."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import engine
from .errors import GraphError, ShapeError
from .modes import Mode, current
from .op import Op
from .recording import NOTHING, Node, Traced, keep_arrays, part, wrap
from .rules import Rule, once
from .variables import kind


class Context:
    """What forward leaves for backward: saved tensors, flags, and attributes of your own."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.dirty: tuple[Any, ...] = ()
        self.non_differentiable: tuple[Any, ...] = ()
        self.materialize_grads = True
        self._to_save: tuple[Any, ...] = ()
        self._to_save_forward: tuple[Any, ...] = ()
        self._places: list[int | None] = []  # of saved tensors among the node's saved arrays
        self._places_forward: list[int | None] = []
        self._made: dict[int, int] = {}  # place of a saved output -> which output it is
        self._running: tuple[Node, Sequence[Any], bool] | None = None  # while a rule runs

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for backward; an overwrite of one of them will be noticed."""
        self._to_save = _only_tensors("save_for_backward", tensors)

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for jvp, which otherwise gets those of save_for_backward."""
        self._to_save_forward = _only_tensors("save_for_forward", tensors)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was kept, in the same order: inside backward or jvp."""
        if self._running is None:
            raise GraphError("saved_tensors can be read only while backward or jvp runs")
        node, saved, forward = self._running
        places = self._places_forward if forward and self._places_forward else self._places
        return tuple(
            None if place is None else self._tensor(node, saved, place) for place in places
        )

    def _tensor(self, node: Node, saved: Sequence[Any], place: int) -> Any:
        """Return a saved tensor, on its edge where backward is itself recorded."""
        if place < len(node.edges):
            source, x = node.edges[place], saved[place]
            if isinstance(x, Traced):
                return x
            return source if isinstance(source, Traced) and source._array is x else wrap(x)
        arrays: Any = node.saved if type(node.saved) is tuple else engine.verified(node)
        if place in self._made and current().grad:
            return part(node, self._made[place], arrays[place])
        return wrap(arrays[place])

    def tracked_inputs(self) -> list[Any]:
        """Return tensors on the edges to the inputs that need a gradient; they hold no values."""
        node = self._running[0] if self._running else None
        return [] if node is None else [_stand_in(e) for e in node.edges if _tracked(e)]

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs forward changed in place; it must return them."""
        self.dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which outputs have no gradient."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether backward and jvp get zeros (True) or None where nothing arrives."""
        self.materialize_grads = value


def _only_tensors(who: str, tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    for x in tensors:
        if x is not None and not isinstance(x, Traced):
            raise TypeError(
                f"{who} got {kind(x)}: it takes Tensors; keep anything else as an attribute of ctx"
            )
    return tensors


def _tracked(source: Any) -> bool:
    return isinstance(source, (Node, Traced))


def _stand_in(source: Any) -> Any:
    if isinstance(source, Traced):
        return source
    handle = wrap(np.broadcast_to(np.zeros((), source.dtype), source.shape))
    handle._node, handle._rg = source, True
    return handle


def keep(node: Node, ctx: Context, args: Sequence[Any], outputs: Sequence[Any], mode: Mode) -> None:
    """Let the node keep what forward asked to save: inputs in their own places, then the rest."""
    saved: list[Any] = [None] * len(args)
    inputs = {id(x): i for i, x in reversed(list(enumerate(args))) if isinstance(x, Traced)}
    made = {id(y): k for k, y in enumerate(outputs)}
    dirty = {id(x) for x in ctx.dirty}

    def place_of(x: Any) -> int | None:
        if x is None:
            return None
        if id(x) in inputs and id(x) not in dirty:
            saved[inputs[id(x)]] = x._array
            return inputs[id(x)]
        saved.append(x._array)
        if id(x) in made:
            ctx._made[len(saved) - 1] = made[id(x)]
        return len(saved) - 1

    ctx._places = [place_of(x) for x in ctx._to_save]
    if mode.forward:
        ctx._places_forward = [place_of(x) for x in ctx._to_save_forward]
    ctx._to_save = ctx._to_save_forward = ()
    everything = -2  # every bit but that of the result, whose place stays empty
    empty = all(array is None for array in saved)
    node.saved = NOTHING if empty else keep_arrays(everything, saved, None, mode)


class FunctionOp(Op):
    """The op of one Function subclass: its rules ask the class, once for all operands."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.name = function.__name__
        self.arrays, self.names, self.vjp, self.jvp = (
            _inputs_of(function),
            ("ctx",),
            (None,),
            (None,),
        )
        self.variadic = self.together = self.anew = True
        self.results = _outputs

    def label(self, params: tuple[Any, ...]) -> str:
        return self.name

    def needs(self, i: int, forward: bool) -> int:
        return 0

    def pulls_of(self, node: Node) -> Sequence[tuple[Rule | None, int | None]]:
        return once(lambda g, saved, node: _pulled(self, node, g, saved), [True] * len(node.edges))

    def on_tangents(self, arriving: Sequence[Any], node: Node, saved: Any) -> Any:
        if self.function.jvp is None:
            raise GraphError(
                f"{self.name} cannot be differentiated forwards: give it a static method "
                "jvp(ctx, *grad_inputs)"
            )
        ctx = node.params[0]
        fill = ctx.materialize_grads
        given = [_given(t, *_facts(e), fill) for t, e in zip(arriving, node.edges, strict=True)]
        returned = _asked(self.function.jvp, ctx, (node, saved, True), given)
        ts = returned if isinstance(returned, tuple) else (returned,)
        if len(ts) != len(node.shape):
            raise GraphError(
                f"{self.name}.jvp returned {len(ts)} tangents: it must return one for each of the "
                f"{len(node.shape)} outputs of forward"
            )
        bare = not any(isinstance(t, Traced) for t in arriving)
        return [
            _checked(f"{self.name}.jvp", "tangent", f"output {k}", t, shape, bare)
            for k, (t, shape) in enumerate(zip(ts, node.shape, strict=True))
        ]


def _inputs_of(function: Any) -> tuple[str, ...]:
    """Return the names of forward's inputs, for messages."""
    names = list(inspect.signature(function.forward).parameters)
    start = 0 if function.setup_context is not None else 1  # after ctx
    return tuple(names[start:]) or ("input",)


def _outputs(*parts: Any) -> tuple[Any, ...]:
    return parts


def _facts(source: Any) -> tuple[Any, Any]:
    """Return shape and dtype of what stands at an edge; None for what is no tensor."""
    if source is None:
        return None, None
    return source if isinstance(source, tuple) else (source.shape, source.dtype)


def _given(x: Any, shape: Any, dtype: Any, fill: bool) -> Any:
    """Return a cotangent or tangent as the user's method takes it: a tensor, or None."""
    if x is None:
        return wrap(np.zeros(shape, dtype)) if fill and shape is not None else None
    return x if isinstance(x, Traced) else wrap(np.asarray(x))


def _asked(method: Any, ctx: Context, running: Any, given: Sequence[Any]) -> Any:
    """Call backward or jvp, during which the context gives its saved tensors."""
    before, ctx._running = ctx._running, running
    try:
        return method(ctx, *given)
    finally:
        ctx._running = before


def _pulled(op: FunctionOp, node: Node, g: Any, saved: Any) -> list[Any]:
    """Call the user's backward on tensors and check what it returns."""
    if op.function.backward is None:
        raise GraphError(
            f"{op.name} cannot be differentiated: give it a static method "
            "backward(ctx, *grad_outputs)"
        )
    ctx = node.params[0]
    fill = ctx.materialize_grads
    given = [_given(*x, fill) for x in zip(g, node.shape, node.dtype, strict=True)]
    returned = _asked(op.function.backward, ctx, (node, saved, False), given)
    grads: tuple[Any, ...] = returned if isinstance(returned, tuple) else (returned,)
    while len(grads) > len(node.edges) and grads[-1] is None:
        grads = grads[:-1]
    if len(grads) != len(node.edges):
        raise GraphError(
            f"{op.name}.backward returned {len(grads)} gradients: it must return one for each of "
            f"the {len(node.edges)} inputs of forward (None where there is none)"
        )
    bare = not current().grad
    return [
        _checked(f"{op.name}.backward", "gradient", f"input {i}", x, e.shape, bare)
        if _tracked(e)
        else None
        for i, (x, e) in enumerate(zip(grads, node.edges, strict=True))
    ]


def _checked(who: str, what: str, where: str, x: Any, shape: Any, bare: bool) -> Any:
    if x is None:
        return None
    if not isinstance(x, Traced):
        raise TypeError(f"{who} returned {kind(x)} for {where}: a {what} must be a Tensor or None")
    if x._array.shape != shape and (what == "tangent" or not _spreads(shape, x._array.shape)):
        raise ShapeError(
            f"{who} returned a {what} of shape {x._array.shape} for {where} of shape {shape}: "
            "the shapes must be equal"
        )
    return x._array if bare else x


def _spreads(shape: Any, over: Any) -> bool:
    """Tell whether an array of this shape broadcasts to the other: its gradient is a sum then."""
    try:
        return np.broadcast_shapes(shape, over) == over
    except ValueError:
        return False
