"""Ops that users write: torch.autograd.Function, in both of PyTorch's styles."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import custom
from .errors import GraphError
from .modes import Mode, Switch, current
from .recording import Node, Traced, attach, new, part
from .variables import kind

__all__ = ["Function", "once_differentiable"]


class Function:
    """A differentiable op of your own: static methods forward and backward, called by apply.

    Either forward(ctx, *inputs), or forward(*inputs) and setup_context(ctx, inputs, output).
    backward(ctx, *grad_outputs) returns one gradient for each input, None where there is none.
    jvp(ctx, *grad_inputs), which is optional, returns the tangent of each output.
    """

    _op: custom.FunctionOp

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._op = custom.FunctionOp(cls)

    def __init__(self) -> None:
        name = type(self).__name__
        raise TypeError(f"{name} is not instantiated: call {name}.apply")

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the output, or a tuple of them."""
        raise NotImplementedError("a Function needs a static method forward")

    setup_context: Callable[..., None] | None = None
    backward: Callable[..., Any] | None = None
    jvp: Callable[..., Any] | None = None

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward on the arguments and record it."""
        mode = current()
        needs = tuple(isinstance(x, Traced) and x._rg for x in args)
        ctx = custom.Context(needs)
        start = time.perf_counter()
        with Switch(grad=False):
            if cls.setup_context is None:
                returned = cls.forward(ctx, *args)
            else:
                returned = cls.forward(*args)
                cls.setup_context(ctx, args, returned)
        outputs = returned if isinstance(returned, tuple) else (returned,)
        _check_outputs(cls.__name__, ctx, outputs)
        node = None
        if mode.grad and any(needs):
            node, outputs = _recorded(cls._op, ctx, args, outputs, mode)
        if mode.observer is not None:
            seconds = time.perf_counter() - start
            mode.observer.witness(cls._op, args, (ctx,), outputs, node, seconds)
        return outputs if isinstance(returned, tuple) else outputs[0]


def _check_outputs(name: str, ctx: custom.Context, outputs: Sequence[Any]) -> None:
    for y in outputs or (None,):
        if not isinstance(y, Traced):
            raise TypeError(
                f"{name}.forward returned {kind(y)}: it must return a Tensor or a tuple of them"
            )
    returned = {id(y) for y in outputs}
    for x in ctx.dirty:
        if id(x) not in returned:
            raise GraphError(f"{name}.forward must return every input that it marks dirty")


def _recorded(
    op: Any, ctx: custom.Context, args: Sequence[Any], outputs: Sequence[Any], mode: Mode
) -> tuple[Node, tuple[Any, ...]]:
    """Put a node behind the outputs; returns it and them."""
    from .inplace import rebase  # which imports the ops, as this file must not
    from .observe import ObservedNode

    dirty = {id(x) for x in ctx.dirty}
    for x in ctx.dirty:
        if x._rg and x._node is None:
            raise GraphError(
                f"{op.name}.forward changes a leaf of shape {x.shape} that requires grad in place: "
                "give it a clone()"
            )
    operands = [x if isinstance(x, Traced) else None for x in args]
    node = attach(
        op,
        operands,
        [None if x is None else x._array for x in operands],
        (ctx,),
        [y._array for y in outputs],
        mode,
        new(ObservedNode if mode.observer is not None else Node),
    )
    custom.keep(node, ctx, args, outputs, mode)
    hidden = {id(y) for y in ctx.non_differentiable}
    made: list[Any] = []
    for k, y in enumerate(outputs):
        if id(y) in dirty:
            rebase(y, part(node, k, y._array)._node)
        # An input that was returned as it is gets a handle of its own.
        made.append(y if id(y) in hidden | dirty else part(node, k, y._array))
    return node, tuple(made)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward that itself cannot be differentiated: trying to raises."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grad_outputs: Any) -> Any:
        record = current().grad
        with Switch(grad=False):
            returned = backward(ctx, *grad_outputs)
        if not record:
            return returned
        # On the inputs as well: the gradient depends on them through what forward saved.
        tracked = [*grad_outputs, *ctx.tracked_inputs()]
        grads = returned if isinstance(returned, tuple) else (returned,)
        return tuple(None if g is None else _Once.apply(g, *tracked) for g in grads)

    return wrapper


class _Once(Function):
    """A gradient that must not be differentiated again."""

    @staticmethod
    def forward(ctx: Any, g: Any, *tracked: Any) -> Any:
        return g.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise GraphError(
            "this backward is marked @once_differentiable: its gradient cannot be differentiated"
        )

    jvp = backward
