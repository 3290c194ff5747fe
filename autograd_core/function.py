"""Ops that users write: torch.autograd.Function, in both of PyTorch's styles."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import GraphError, ShapeError
from .modes import Switch, current
from .op import Op, Rule
from .recording import NOTHING, Node, Traced, attach, edge, part, wrap

__all__ = ["Function", "once_differentiable"]


class Context:
    """What forward leaves for backward: saved tensors, flags, and attributes of your own."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._to_save: tuple[Any, ...] = ()
        self._saved: list[tuple[Any, Any]] = []  # array, and the edge or output it belongs to
        self._node: Node | None = None  # only while a backward or jvp runs
        self._dirty: tuple[Any, ...] = ()
        self._non_differentiable: tuple[Any, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for backward; an overwrite of one of them will be noticed."""
        for x in tensors:
            if x is not None and not isinstance(x, Traced):
                raise TypeError(f"save_for_backward got a {type(x).__name__}: it takes Tensors")
        self._to_save = tensors

    save_for_forward = save_for_backward

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What save_for_backward kept, in the same order."""
        return tuple(_restored(self, array, source) for array, source in self._saved)

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs forward changed in place; it must return them."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which outputs have no gradient."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether backward gets zeros (True) or None for outputs that were not used."""
        self._materialize = value


def _restored(ctx: Context, array: Any, source: Any) -> Any:
    """Return a saved tensor on its edge, so that backward can be differentiated."""
    if array is None or (isinstance(source, Traced) and source._array is array):
        return source
    handle = wrap(array)
    if isinstance(source, Node):
        handle._node, handle._rg = source, True
    elif isinstance(source, int) and ctx._node is not None:  # an output of this very node
        return part(ctx._node, source, array)
    return handle


class _FunctionOp(Op):
    """The op of one Function subclass: its rules ask the class, once for all operands."""

    def __init__(self, function: type[Function]) -> None:
        self.function = function
        self.name = function.__name__
        self.arrays, self.names, self.vjp, self.jvp = ("input",), ("ctx",), (None,), (None,)
        self.variadic = self.together = True
        self.results = _outputs

    def label(self, params: tuple[Any, ...]) -> str:
        return self.name

    def needs(self, i: int, forward: bool) -> int:
        return 0

    def pulls_of(self, node: Node) -> list[tuple[Rule | None, int | None]]:
        found: list[Any] = []

        def rule(i: int, g: Any) -> Any:
            if not found:
                found.extend(_backward(self, node, g))
            return found[i]

        return [(lambda g, saved, node, i=i: rule(i, g), None) for i in range(len(node.edges))]

    def on_tangents(self, arriving: Sequence[Any], node: Node, saved: Any) -> Any:
        ctx = node.params[0]
        given = [t if t is None or isinstance(t, Traced) else wrap(np.asarray(t)) for t in arriving]
        ctx._node = node
        try:
            ts = self.function.jvp(ctx, *given)
        finally:
            ctx._node = None
        ts = ts if isinstance(ts, tuple) else (ts,)
        bare = not any(isinstance(t, Traced) for t in arriving)
        return [t._array if bare and isinstance(t, Traced) else t for t in ts]


def _outputs(*parts: Any) -> tuple[Any, ...]:
    return parts


def _backward(op: _FunctionOp, node: Node, g: Any) -> list[Any]:
    """Call the user's backward on tensors and check what it returns."""
    ctx, record = node.params[0], current().grad
    given = [
        (wrap(np.zeros(shape, dtype)) if ctx._materialize and dtype.kind == "f" else None)
        if x is None
        else x
        if isinstance(x, Traced)
        else wrap(np.asarray(x))
        for x, shape, dtype in zip(g, node.shape, node.dtype, strict=True)
    ]
    ctx._node = node
    try:
        with Switch(grad=record):
            returned = op.function.backward(ctx, *given)
    finally:
        ctx._node = None
    grads = returned if isinstance(returned, tuple) else (returned,)
    while len(grads) > len(node.edges) and grads[-1] is None:
        grads = grads[:-1]
    if len(grads) != len(node.edges):
        raise GraphError(
            f"{op.name}.backward returned {len(grads)} gradients: it must return one for each of "
            f"the {len(node.edges)} inputs of forward (None where there is none)"
        )
    return [
        _checked(op, i, x, source, record)
        for i, (x, source) in enumerate(zip(grads, node.edges, strict=True))
    ]


def _checked(op: _FunctionOp, i: int, x: Any, source: Any, record: bool) -> Any:
    if x is None or not isinstance(source, (Node, Traced)):
        return None
    if not isinstance(x, Traced):
        raise TypeError(
            f"{op.name}.backward returned a {type(x).__name__} for input {i}: "
            "a gradient must be a Tensor or None"
        )
    wanted: Any = source.shape
    try:
        fits = np.broadcast_shapes(x.shape, wanted) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{op.name}.backward returned a gradient of shape {x.shape} for input {i} of shape "
            f"{wanted}: the shapes must be equal"
        )
    return x if record else x._array


class Function:
    """A differentiable op of your own: static methods forward and backward, called by apply.

    Either forward(ctx, *inputs), or forward(*inputs) and setup_context(ctx, inputs, output).
    backward(ctx, *grad_outputs) returns one gradient for each input, None where there is none.
    jvp(ctx, *grad_inputs), which is optional, pushes tangents forward.
    """

    _op: _FunctionOp

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._op = _FunctionOp(cls)

    def __init__(self) -> None:
        raise TypeError(
            f"{type(self).__name__} is not instantiated: call {type(self).__name__}.apply"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the output, or a tuple of them."""
        raise NotImplementedError("a Function needs a static method forward")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return the gradient of each input."""
        raise NotImplementedError("a Function needs a static method backward to be differentiated")

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Return the tangent of each output."""
        raise NotImplementedError("a Function needs a static method jvp for forward mode")

    setup_context: Callable[..., None] | None = None

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward on the arguments and record it."""
        mode = current()
        needs = tuple(isinstance(x, Traced) and x._rg for x in args)
        ctx = Context(needs)
        with Switch(grad=False):
            if cls.setup_context is None:
                returned = cls.forward(ctx, *args)
            else:
                returned = cls.forward(*args)
                cls.setup_context(ctx, args, returned)
        outputs = returned if isinstance(returned, tuple) else (returned,)
        for y in outputs:
            if not isinstance(y, Traced):
                raise TypeError(
                    f"{cls.__name__}.forward returned a {type(y).__name__}: it must return a "
                    "Tensor or a tuple of them"
                )
        tracked = mode.grad and any(needs)
        outputs = _recorded(cls._op, ctx, args, outputs) if tracked else outputs
        return outputs if isinstance(returned, tuple) else outputs[0]


def _recorded(op: Any, ctx: Context, args: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """Put a node behind the outputs, and keep what forward asked to keep."""
    from .inplace import rebase

    arrays = [y._array for y in outputs]
    operands = [x if isinstance(x, Traced) else None for x in args]
    bare = [x._array if isinstance(x, Traced) else None for x in operands]
    node = attach(op, operands, bare, (ctx,), arrays, current())
    hidden = {id(y) for y in ctx._non_differentiable}
    dirty = {id(x) for x in ctx._dirty}
    made = []
    for k, y in enumerate(outputs):
        if id(y) in hidden:
            made.append(y)
        elif id(y) in dirty:
            rebase(y, part(node, k, y._array)._node)
            made.append(y)
        else:  # an input that was returned as it is gets a handle of its own
            made.append(part(node, k, y._array))
    place = {id(y): k for k, y in enumerate(outputs)}
    for x in ctx._to_save:
        source = None if x is None else place.get(id(x), edge(x, None) if x._rg else x)
        ctx._saved.append((None if x is None else x._array, source))
    ctx._to_save = ()
    kept = [array for array, _ in ctx._saved]
    node.saved = (*kept, None) if any(a is not None for a in kept) else NOTHING
    return tuple(made)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward that itself cannot be differentiated: trying to raises."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grad_outputs: Any) -> Any:
        record = current().grad
        with Switch(grad=False):
            returned = backward(ctx, *grad_outputs)
        if not record:
            return returned
        grads = returned if isinstance(returned, tuple) else (returned,)
        return tuple(None if g is None else _Once.apply(g, *grad_outputs) for g in grads)

    return wrapper


class _Once(Function):
    """A gradient that must not be differentiated again."""

    @staticmethod
    def forward(ctx: Any, g: Any, *grad_outputs: Any) -> Any:
        return g.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise GraphError(
            "this backward is marked @once_differentiable: its gradient cannot be differentiated"
        )
