"""Value: one number that remembers how it was made; the scalar twin of Tensor.

It is node and handle in one: where a Tensor keeps array and history apart, to free arrays early,
a Value has nothing to free. It runs the scalar form of each op, and the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import ops
from .engine import highest_order, history
from .errors import DtypeError, GraphError
from .modes import MODE, BackwardScopes, current, peek
from .op import METHODS, Op
from .recording import NOTHING, Number, new
from .versions import tick

# Python's numbers raise where IEEE arithmetic gives inf or NaN; the array form then says which.
_FAULTS = (ZeroDivisionError, OverflowError, ValueError)


def _rebuild(data: float, grad: float, name: str | None) -> Value:
    out = Value(data, name)
    out.grad = grad
    return out


def _short(x: Any) -> str:
    return f"{float(x):.6g}"


def _number(op: Op, x: Any) -> Any:
    if isinstance(x, Value):
        return x.data
    if x is None or isinstance(x, (int, float)):
        return x
    if isinstance(x, np.generic) or (isinstance(x, np.ndarray) and x.ndim == 0):
        return x.item()
    raise DtypeError(f"{op.name} got a Value and a {type(x).__name__}: it needs numbers")


def scalar(op: Op, numbers: Sequence[Any], params: tuple[Any, ...]) -> Any:
    """Run the scalar form; where Python raises, return what the array form gives."""
    try:
        return op.scalar(*numbers, *params)  # type: ignore[misc]
    except _FAULTS:
        arrays = [np.float64(x) if isinstance(x, float) else x for x in numbers]
        with np.errstate(all="ignore"):
            return float(op.forward(*arrays, *params))


def pull_numbers(
    order: Sequence[Any], cotangents: dict[Any, Any], scopes: BackwardScopes | None
) -> None:
    """Send cotangents back through Values, the latest first, and add them into `.grad`."""
    for v in order:
        g = cotangents.pop(v, None)
        if g is None:
            continue
        v.grad = v.grad + g
        if not v.edges:
            continue
        if scopes is not None:
            scopes.enter(v.scope)
        saved = v.saved if scopes is None else (*v.edges, v)
        op = v.op
        for source, (rule, place) in zip(v.edges, op.scalar_pulls, strict=True):
            if source.__class__ is not Value or rule is None:
                continue
            try:
                x = rule(g, saved[place]) if place is not None else rule(g, saved, v)
            except _FAULTS:
                x = _fault(rule, place, g, saved, v)
            if x.__class__ is not float and scopes is None:
                if x.__class__ is complex:  # Python's power of a negative number
                    x = _fault(rule, place, g, saved, v)
                x = float(x)
            known = cotangents.get(source)
            cotangents[source] = x if known is None else known + x


def _fault(rule: Any, place: int | None, g: Any, saved: Any, v: Value) -> Any:
    """Run a rule in NumPy's numbers, which divide by zero without complaint."""
    saved = tuple(np.float64(float(x)) if isinstance(x, (float, Value)) else x for x in saved)
    with np.errstate(all="ignore"):
        g = np.float64(float(g))
        return float(rule(g, saved, v) if place is None else rule(g, saved[place]))


def _one(op: Op) -> Callable[[Any], Any]:
    """Return Value.apply written flat for an op of one number."""
    form: Any = op.scalar

    def call(x: Any) -> Any:
        a = x.data
        try:
            y = form(a)
        except _FAULTS:
            y = scalar(op, (a,), NOTHING)
        out = new(Value)
        out.data = y
        out.grad = 0.0
        out.name = None
        out.time = tick()
        mode = peek()
        out.scope = mode.scope
        if mode.grad:
            out.op = op
            out.params = NOTHING
            out.edges = (x,)
            out.saved = (a, y)
        else:
            out.edges = NOTHING
        return out

    return call


def _two(op: Op) -> Callable[[Any, Any], Any]:
    """Return Value.apply written flat for an op of two numbers, the first of them a Value."""
    form: Any = op.scalar

    def call(a: Any, b: Any) -> Any:
        kind = b.__class__
        if kind is Value:
            xb = b.data
        elif kind is float or kind is int:
            xb = b
        else:
            return _other(op, a, b)
        xa = a.data
        try:
            y = form(xa, xb)
        except _FAULTS:
            y = scalar(op, (xa, xb), NOTHING)
        out = new(Value)
        out.data = y
        out.grad = 0.0
        out.name = None
        out.time = tick()
        mode = peek()
        out.scope = mode.scope
        if mode.grad:
            out.op = op
            out.params = NOTHING
            out.edges = (a, b)
            out.saved = (xa, xb, y)
        else:
            out.edges = NOTHING
        return out

    return call


def _other(op: Op, a: Any, b: Any) -> Any:
    """Let an operand that Value does not know try its own operator."""
    from .recording import apply

    return apply(op, (a, b), NOTHING)


def _reflected(op: Op) -> Callable[[Any, Any], Any]:
    return lambda self, other: Value.apply(op, (other, self), NOTHING)


def _compared(op: Op) -> Callable[[Any, Any], Any]:
    return lambda self, other: op.scalar(self.data, _number(op, other))  # type: ignore[misc]


def _methods() -> dict[str, Any]:
    """Every scalar op as a method, and Python's operators."""
    found: dict[str, Any] = {}
    for name, function in METHODS.items():
        op = getattr(function, "op", None)
        if op is None or op.scalar is None:
            continue
        flat = {1: _one, 2: _two}.get(op.arity)
        if op.differentiable and flat and not op.names:
            found[name] = flat(op)
        elif not op.differentiable and op.arity == 2 and not op.names:
            found[name] = _compared(op)
        else:
            found[name] = function
    for name in ("add", "sub", "mul", "pow"):
        found[f"__{name}__"] = found[name]
        found[f"__r{name}__"] = _reflected(getattr(ops, name).op)
    found["__radd__"], found["__rmul__"] = found["add"], found["mul"]
    for sign, name in (("truediv", "div"), ("floordiv", "floor_divide"), ("mod", "remainder")):
        found[f"__{sign}__"] = found[name]
        found[f"__r{sign}__"] = _reflected(getattr(ops, name).op)
    found["__neg__"], found["__pos__"], found["__abs__"] = (
        found[name] for name in ("neg", "positive", "abs")
    )
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        found[f"__{name}__"] = found[name]
    return found


class Value(Number):
    """A number with a history: compute with it, call backward() on a result, read `.grad`."""

    __slots__ = ("__weakref__", "data", "grad", "name")

    shape = ()
    dtype = np.dtype(np.float64)
    data: float
    grad: Any
    name: str | None

    vars().update(_methods())

    def __init__(self, data: Any, name: str | None = None) -> None:
        if isinstance(data, (bool, str, bytes)) or not hasattr(data, "__float__"):
            raise DtypeError(f"Value got {data!r}: it holds one number")
        self.data, self.grad, self.name = float(data), 0.0, name
        self.edges = self.saved = self.params = NOTHING
        self.op = self.scope = None  # pyright: ignore[reportAttributeAccessIssue]
        self.time = tick()

    @classmethod
    def apply(cls, op: Op, operands: Sequence[Any], params: tuple[Any, ...]) -> Any:
        """Run the scalar form of an op: the definition of what `_one` and `_two` do."""
        if op.scalar is None:
            raise DtypeError(f"{op.name} works on arrays; Value holds one number, so use Tensor")
        numbers = [_number(op, x) for x in operands]
        y = scalar(op, numbers, params)
        if not op.differentiable:
            return y
        mode = current()
        out = cls(y)
        if mode.grad:
            out.op, out.params, out.scope = op, params, mode.scope
            out.edges, out.saved = tuple(operands), (*numbers, out.data)
        return out

    def backward(self, gradient: Any = 1.0, create_graph: bool = False) -> None:
        """Add d(self)/d(v) times `gradient` into v.grad of every v that self depends on.

        With create_graph the gradients are Values themselves, ready to be differentiated.
        """
        order = history([self])
        mode = current()
        try:
            MODE.set(mode.replace(grad=create_graph))
            scopes = BackwardScopes(1 + highest_order(order)) if create_graph else None
            g = gradient if isinstance(gradient, Value) or not create_graph else Value(gradient)
            with np.errstate(all="ignore"):
                pull_numbers(order, {self: g}, scopes)
        finally:
            MODE.set(mode)

    def zero_grad(self) -> None:
        """Set `.grad` of this value and of all it depends on to 0."""
        for v in history([self]):
            v.grad = 0.0  # type: ignore[attr-defined]

    def detach(self) -> Value:
        """Return the number without its history."""
        return Value(self.data)

    def item(self) -> float:
        """Return the number."""
        return self.data

    @property
    def requires_grad(self) -> bool:
        """True: every Value has a gradient."""
        return True

    @property
    def is_leaf(self) -> bool:
        """Whether no op made it."""
        return not self.edges

    def __repr__(self) -> str:
        name = "" if self.name is None else f", name={self.name!r}"
        return f"Value(data={_short(self.data)}, grad={_short(self.grad)}{name})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Show a notebook the graph as well, while all of it can be read."""
        from .render.forms import picture_of_value

        return {"text/plain": repr(self), **picture_of_value(self)}

    def __float__(self) -> float:
        return self.data

    def __int__(self) -> int:
        return int(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __format__(self, spec: str) -> str:
        return format(self.data, spec)

    __hash__ = object.__hash__
    __array_ufunc__ = None  # an ndarray on the left hands over to the operators here

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise GraphError("numpy cannot see inside a Value: use .data to leave the graph")

    def __reduce__(self) -> Any:
        if self.edges:
            raise GraphError("only leaf Values can be pickled or copied: use .detach() first")
        return _rebuild, (self.data, self.grad, self.name)
