"""Recording: running an op on tensors leaves a node behind.

`apply` is the definition. `unary` and `binary` are the same steps written flat for the two
commonest shapes of call; everything unusual falls through to `apply`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import versions
from .dtypes import get_default_dtype, result_type
from .errors import DtypeError, ShapeError
from .modes import Mode, current, peek
from .versions import Array, ForeignArray, checksum, tick

if TYPE_CHECKING:
    from .op import Op

ndarray = np.ndarray
asarray = np.asarray
new = object.__new__

NOTHING: tuple[()] = ()


class Node:
    """One run of an op: what backprop needs of it, and nothing else.

    `edges[i]` says where operand i came from: the node that made it, the leaf tensor itself, or,
    for an operand without gradient, its (shape, dtype) or the Python number. `saved` holds the
    arrays that the rules name, in the order of the operands with the result last; it is None
    once backward has freed it. `time` orders nodes and in-place changes on one clock.
    """

    __slots__ = ("dtype", "edges", "op", "params", "saved", "scope", "shape", "time", "watch")

    op: Op
    params: tuple[Any, ...]
    edges: tuple[Any, ...]
    saved: tuple[Any, ...] | None
    shape: Any  # of the result; a tuple of them for an op with several results
    dtype: Any
    scope: Any
    time: int
    watch: Any  # called with the cotangent of the result, see engine.Watch; None nearly always

    def __repr__(self) -> str:
        return f"<{self.op.name}>"


class Traced:
    """A handle on an array: the node that made it, or a leaf that may require grad."""

    # Defaults live on the class, so that making a tensor sets only what differs.
    _array: Array
    _node: Node | None = None
    _rg: bool = False  # requires grad
    _grad: Any = None
    _view: Any = None  # how to see it as a view of another tensor, see inplace.View
    _views: Any = None  # weak references to the views of this tensor
    _hooks: Any = None
    _made: Any = None  # the observed node that made it, requires grad or not
    name: str | None = None

    __hash__ = object.__hash__


class Number(Node):
    """Base of Value, the scalar handle that is its own node."""

    __slots__ = ()


_Tensor: type[Traced] = Traced


def results_are(cls: type[Traced]) -> None:
    """Say which class wraps the results of ops."""
    global _Tensor
    _Tensor = cls


def wrap(array: Array) -> Any:
    """Return a fresh tensor on `array` that does not require grad."""
    tensor = new(_Tensor)
    tensor._array = array
    return tensor


def apply(op: Op, operands: Sequence[Any], params: tuple[Any, ...]) -> Any:
    """Run `op` and, if an operand requires grad, record it.

    Without a Tensor or Value among the operands the result is a bare array and nothing is
    recorded; rules rely on that.
    """
    mode = current()
    traced = number = False
    for x in operands:
        if isinstance(x, Traced):
            traced = True
        elif isinstance(x, Number):
            number = True
    if number:
        return _apply_numbers(op, operands, params, traced)
    if not traced:
        arrays = prepare(op, [asarray(x) if isinstance(x, np.generic) else x for x in operands])
        return run(op, op.forward, arrays, params)
    if mode.observer is not None:
        return mode.observer.apply(op, operands, params, mode)
    arrays = prepare(op, operands)
    y = run(op, mode.run, [op.forward, *map(plain, arrays)], params)
    return finish(op, operands, arrays, params, y, mode)


def _apply_numbers(
    op: Op, operands: Sequence[Any], params: tuple[Any, ...], traced: bool
) -> Any:
    if traced:
        raise DtypeError(
            f"{op.name} got both a Tensor and a Value: make one of them the other, "
            "with tensor(value.data) or Value(tensor.item())"
        )
    kind: Any = next(type(x) for x in operands if isinstance(x, Number))
    return kind.apply(op, operands, params)


def finish(
    op: Op,
    operands: Sequence[Any],
    arrays: list[Any],
    params: tuple[Any, ...],
    y: Any,
    mode: Mode,
    node_type: type[Node] = Node,
) -> Any:
    """Wrap what the forward returned, as one tensor or a named tuple of them, and record it."""
    tracked = mode.grad and op.differentiable and any(
        isinstance(x, Traced) and x._rg for x in operands
    )
    if op.results:
        ys = [asarray(part) for part in y]
        fresh = new(node_type)
        node = attach(op, operands, arrays, params, ys, mode, fresh) if tracked else None
        parts = [part(node, k, array) for k, array in enumerate(ys)]
        if op.view:
            _remember_views(op, operands[0], parts, params)
        return op.results(*parts)
    y = _result(op, arrays, y)
    out = wrap(y)
    if tracked and (y.dtype.kind == "f" or op.floats_only):
        out._node = attach(op, operands, arrays, params, y, mode, new(node_type))
        out._rg = True
    if op.view and y.base is not None:
        _remember_views(op, operands[0], [out], params)
    return out


def attach(
    op: Op,
    operands: Sequence[Any],
    arrays: Sequence[Any],
    params: tuple[Any, ...],
    y: Any,
    mode: Mode,
    node: Any = None,
) -> Node:
    """Record one run: the edges to its operands and the arrays its rules will ask for."""
    if node is None:
        node = Node()
    node.op = op
    node.params = params
    node.time = tick()
    node.scope = mode.scope
    node.watch = None
    several = isinstance(y, list)
    node.shape = tuple(a.shape for a in y) if several else y.shape
    node.dtype = tuple(a.dtype for a in y) if several else y.dtype
    node.edges = tuple([edge(x, array) for x, array in zip(operands, arrays, strict=True)])
    needed = 0
    for i, x in enumerate(operands):
        if isinstance(x, Traced) and x._rg:
            needed |= op.needs(i, mode.forward)
    node.saved = NOTHING if not needed else _save(needed, arrays, y)
    return node


def _save(needed: int, arrays: Sequence[Any], y: Any) -> tuple[Any, ...]:
    """Keep the arrays whose bit is set in `needed`; bit 0 is the result, then the operands."""
    kept = [array if needed >> (i + 1) & 1 else None for i, array in enumerate(arrays)]
    saved = (*kept, y if needed & 1 else None)
    if any(isinstance(x, ForeignArray) for x in saved):
        return WithChecksums(saved)
    return saved


class WithChecksums(tuple[Any, ...]):
    """Saved arrays of which one or more are foreign, with the checksums they had."""

    sums: list[int | None]

    def __new__(cls, saved: Sequence[Any]) -> WithChecksums:
        self = super().__new__(cls, map(plain, saved))
        self.sums = [checksum(x) if isinstance(x, ForeignArray) else None for x in saved]
        return self


def edge(x: Any, array: Any) -> Any:
    """Return where an operand came from, as `Node.edges` has it."""
    if isinstance(x, Traced) and x._rg:
        return x._node or x
    return (array.shape, array.dtype) if isinstance(array, ndarray) else array


def part(node: Node | None, k: int, array: Array) -> Any:
    """Return result k of an op with several results: a tensor behind a `part` node."""
    out = wrap(array)
    if node is not None and array.dtype.kind == "f":
        out._node = part_node(node, k)
        out._rg = True
    return out


def part_node(node: Node, k: int) -> Node:
    """Return the node of result k; it passes its cotangent to slot k of `node`."""
    from .op import PART  # ops are declared after recording

    link = Node()
    link.op, link.params, link.edges, link.saved = PART, (k,), (node,), NOTHING
    link.shape, link.dtype = node.shape[k], node.dtype[k]
    link.scope, link.watch, link.time = node.scope, None, tick()
    return link


def prepare(op: Op, operands: Sequence[Any]) -> list[Any]:
    """Return the operands as arrays and Python numbers, brought to a common dtype if need be."""
    arrays: list[Any] = []
    for x in operands:
        if isinstance(x, Traced):
            arrays.append(x._array)
        elif x is None or isinstance(x, (ndarray, bool, int, float)):
            arrays.append(x)
        elif isinstance(x, np.generic):
            arrays.append(x.item())
        else:
            raise DtypeError(
                f"{op.name} got a {type(x).__name__}: it needs a Tensor, an ndarray or a number"
            )
    if op.promotes:
        return _common_dtype(op, arrays)
    return arrays


def _common_dtype(op: Op, arrays: list[Any]) -> list[Any]:
    """Cast every array to the dtype of the result, and drop foreign marks where it copies."""
    first = 0 if op.promotes is True else op.promotes  # operands before it keep their dtype
    fixed, arrays = arrays[:first], arrays[first:]
    dtype = result_type(*(a for a in arrays if a is not None))
    if op.floats_only and dtype.kind != "f":
        dtype = get_default_dtype()
    # A number stays one: NumPy gives it the arrays' dtype, unless its category is higher.
    return fixed + [
        a.astype(dtype)
        if isinstance(a, ndarray) and a.dtype is not dtype
        else asarray(a, dtype)
        if a is not None and not isinstance(a, ndarray) and not _weak(a, dtype)
        else a
        for a in arrays
    ]


def _weak(number: Any, dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" or (dtype.kind in "iu" and isinstance(number, int))


def plain(x: Any) -> Any:
    return x.view(ndarray) if isinstance(x, ForeignArray) else x


def _result(op: Op, arrays: Sequence[Any], y: Any) -> Array:
    """Return y as an array; a view of foreign memory stays marked."""
    if y.__class__ is not ndarray:
        y = asarray(y)
    if op.view and isinstance(arrays[0], ForeignArray) and y.base is not None:
        y = y.view(ForeignArray)
    return y


def _remember_views(op: Op, x: Any, outs: list[Any], params: tuple[Any, ...]) -> None:
    from .inplace import remember_view

    for k, out in enumerate(outs):
        remember_view(op, x, out, params, k if op.results else None)


def run(op: Op, call: Callable[..., Any], arguments: Sequence[Any], params: Any = NOTHING) -> Any:
    """Call a forward; an error that NumPy raises comes back with the op's name and shapes."""
    try:
        return call(*arguments, *params)
    except Exception as error:
        return recover(op, call, (*arguments, *params), error)


def recover(op: Op, call: Callable[..., Any], arguments: Sequence[Any], error: Exception) -> Any:
    """Raise the error with the op's name and shapes; or run again, where the run was at fault.

    A context that was copied to another thread brings the first thread's quiet context along,
    which only one thread at a time can enter.
    """
    if isinstance(error, RuntimeError) and "cannot enter context" in str(error):
        with np.errstate(all="ignore"):
            return run(op, arguments[0], arguments[1:])
    if isinstance(error, (ValueError, TypeError, IndexError)):
        raise explain(op, arguments, error) from error
    raise error


def explain(op: Op, arguments: Sequence[Any], error: Exception) -> Exception:
    """Return the error as ours: who got what, and what is wrong with it."""
    if getattr(error, "explained", False):
        return error
    got = [a for a in arguments if not callable(a)]
    shapes = [str(a.shape) if isinstance(a, ndarray) else repr(a) for a in got]
    kinds: type[Exception]
    if isinstance(error, IndexError):
        kinds = IndexError
    elif isinstance(error, TypeError):
        kinds = DtypeError
        shapes = [f"{a.dtype}{a.shape}" if isinstance(a, ndarray) else repr(a) for a in got]
    elif isinstance(error, ShapeError) or type(error) is ValueError:
        kinds = ShapeError
    else:
        kinds = type(error)
    noun = "shapes" if len(shapes) > 1 else "shape"
    better = kinds(f"{op.name} got {noun} {' and '.join(shapes)}: {_reason(op, got, error)}")
    better.explained = True  # pyright: ignore[reportAttributeAccessIssue]
    return better


def _reason(op: Op, arrays: Sequence[Any], error: Exception) -> str:
    """Say which axis does not broadcast, or repeat what was said below."""
    if not op.promotes or not isinstance(error, ValueError):
        return str(error)
    shapes = [a.shape for a in arrays if isinstance(a, ndarray)]
    for axis in range(1, max(map(len, shapes)) + 1):
        sizes = {shape[-axis] for shape in shapes if len(shape) >= axis} - {1}
        if len(sizes) > 1:
            first, second, *_ = [s[-axis] for s in shapes if len(s) >= axis and s[-axis] != 1]
            return f"sizes {first} and {second} at axis {-axis} do not broadcast"
    return str(error)


def unary(op: Op) -> Callable[[Any], Any]:
    """Return `apply` written flat for an op of one array and no parameters."""
    forward, floats_only = op.direct, op.floats_only
    needs = op.needs(0, False)
    keep_y, keep_x = needs & 1, needs & 2

    def call(x: Any) -> Any:
        if x.__class__ is ndarray and x.dtype.kind == "f":
            return forward(x)
        mode = peek()
        if not (x.__class__ is _Tensor or isinstance(x, Traced)) or not mode.lean:
            return apply(op, (x,), NOTHING)
        array = x._array
        if array.__class__ is not ndarray or (floats_only and array.dtype.kind != "f"):
            return apply(op, (x,), NOTHING)
        try:
            y = mode.run(forward, array)
        except Exception as error:
            y = recover(op, mode.run, (forward, array), error)
        if y.__class__ is not ndarray:
            y = asarray(y)
        out: Any = new(_Tensor)
        out._array = y
        if x._rg and mode.grad:
            node: Any = Node()
            node.op = op
            node.params = NOTHING
            node.time = tick()
            node.scope = mode.scope
            node.watch = None
            node.shape = y.shape
            node.dtype = y.dtype
            node.edges = (x._node or x,)
            node.saved = (array if keep_x else None, y if keep_y else None) if needs else NOTHING
            out._node = node
            out._rg = True
        return out

    return call


def binary(op: Op) -> Callable[[Any, Any], Any]:
    """Return `apply` written flat for an elementwise op of two arrays and no parameters."""
    forward, floats_only = op.direct, op.floats_only
    needs_a, needs_b = op.needs(0, False), op.needs(1, False)

    def call(a: Any, b: Any) -> Any:
        # The quick way: plain arrays of one dtype, or one of them a Python number beside floats.
        xa = a._array if a.__class__ is _Tensor or isinstance(a, Traced) else a
        xb = b._array if b.__class__ is _Tensor or isinstance(b, Traced) else b
        ka, kb = xa.__class__, xb.__class__
        if ka is ndarray:
            dtype = xa.dtype
            if kb is ndarray:
                quick = dtype is xb.dtype and not (floats_only and dtype.kind != "f")
            else:
                quick = (kb is float or kb is int) and dtype.kind == "f"
        elif kb is ndarray:
            dtype = xb.dtype
            quick = (ka is float or ka is int) and dtype.kind == "f"
        else:
            quick = False
        mode = peek()
        if not quick or not mode.lean or (xa is a and xb is b):
            return apply(op, (a, b), NOTHING)
        try:
            y = mode.run(forward, xa, xb)
        except Exception as error:
            y = recover(op, mode.run, (forward, xa, xb), error)
        if y.__class__ is not ndarray:
            y = asarray(y)
        out: Any = new(_Tensor)
        out._array = y
        ra = xa is not a and a._rg
        rb = xb is not b and b._rg
        if mode.grad and (ra or rb):
            node: Any = Node()
            node.op = op
            node.params = NOTHING
            node.time = tick()
            node.scope = mode.scope
            node.watch = None
            node.shape = y.shape
            node.dtype = dtype
            node.edges = (
                (a._node or a) if ra else (xa.shape, dtype) if ka is ndarray else xa,
                (b._node or b) if rb else (xb.shape, dtype) if kb is ndarray else xb,
            )
            needs = needs_a if not rb else needs_b if not ra else needs_a | needs_b
            if needs:
                node.saved = (
                    xa if needs & 2 else None,
                    xb if needs & 4 else None,
                    y if needs & 1 else None,
                )
            else:
                node.saved = NOTHING
            out._node = node
            out._rg = True
        return out

    return call


__all__ = ["NOTHING", "Node", "Traced", "apply", "attach", "binary", "edge", "unary", "versions"]
