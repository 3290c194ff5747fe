"""Recording: running an op on tensors leaves a node behind.

`apply` is the definition; flat.py has the same steps for the two commonest shapes of call.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .dtypes import get_default_dtype, result_type
from .errors import DtypeError, ShapeError
from .modes import Mode, current
from .saved import Packed, WithChecksums, plain
from .versions import Array, ForeignArray, tick

if TYPE_CHECKING:
    from .op import Op

ndarray = np.ndarray
asarray = np.asarray
new: Any = object.__new__

NOTHING: tuple[()] = ()
FLOATS = frozenset(map(np.dtype, (np.float16, np.float32, np.float64)))
WEAK = frozenset((int, float, bool, type(None)))  # what takes the dtype of a floating array


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

    if TYPE_CHECKING:  # in fact it is a Tensor, which this file comes before

        def __getattr__(self, name: str) -> Any: ...

    __hash__ = object.__hash__


class Number(Node):
    """Base of Value, the scalar handle that is its own node."""

    __slots__ = ()

    if TYPE_CHECKING:
        data: float
        grad: Any


class Results:
    """Which class wraps the results of ops; set when it is made."""

    cls: type[Traced] = Traced


def wrap(array: Array) -> Any:
    """Return a fresh tensor on `array` that does not require grad."""
    tensor = new(Results.cls)
    tensor._array = array
    return tensor


def apply(op: Op, operands: Sequence[Any], params: tuple[Any, ...]) -> Any:
    """Run `op` and, if an operand requires grad, record it.

    Without a Tensor or Value among the operands the result is a bare array and nothing is
    recorded; rules rely on that.
    """
    mode = current()
    if mode.observer is not None:
        return mode.observer.apply(op, operands, params, mode)
    arrays, traced = unwrap(op, operands)
    if traced is None:
        return apply_numbers(op, operands, params)
    if op.promotes:
        arrays = common_dtype(op, arrays)
    if not traced:
        return run(op, op.forward, arrays, params)
    y = run(op, mode.run, [op.forward, *map(plain, arrays)], params)
    return finish(op, operands, arrays, params, y, mode)


def unwrap(op: Op, operands: Sequence[Any]) -> tuple[list[Any], bool | None]:
    """Return the operands as arrays and numbers, and whether one is a Tensor; None for Values."""
    arrays: list[Any] = []
    traced = number = False
    for x in operands:
        if isinstance(x, Traced):
            arrays.append(x._array)
            traced = True
        elif isinstance(x, (ndarray, bool, int, float)) or (x is None and not op.variadic):
            arrays.append(x)
        elif isinstance(x, Number):
            number = True
        elif isinstance(x, np.generic):
            arrays.append(x)
        else:
            raise DtypeError(
                f"{op.name} got a {type(x).__name__}: it needs a Tensor, an ndarray or a number"
            )
    if number:
        if traced:
            raise DtypeError(
                f"{op.name} got both a Tensor and a Value: make one of them the other, "
                "with tensor(value.data) or Value(tensor.item())"
            )
        return arrays, None
    # Beside a tensor a NumPy scalar counts as a Python number; among arrays it is an array.
    turn: Any = np.generic.item if traced else asarray
    return [turn(x) if isinstance(x, np.generic) else x for x in arrays], traced


def apply_numbers(op: Op, operands: Sequence[Any], params: tuple[Any, ...]) -> Any:
    """Run the op on Values."""
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
    tracked = (
        mode.grad and op.differentiable and any(isinstance(x, Traced) and x._rg for x in operands)
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
    if op.view:
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
    if op.keeps is not None:
        y = [array if k in op.keeps else None for k, array in enumerate(y)]
    node.saved = NOTHING if not needed else keep_arrays(needed, arrays, y, mode)
    return node


def keep_arrays(needed: int, arrays: Sequence[Any], y: Any, mode: Mode) -> tuple[Any, ...]:
    """Keep the arrays whose bit is set in `needed`; bit 0 is the result, then the operands."""
    kept = [array if needed >> (i + 1) & 1 else None for i, array in enumerate(arrays)]
    saved = (*kept, y if needed & 1 else None)
    if mode.hooks is not None:
        return Packed(saved, mode.hooks)
    if any(isinstance(x, ForeignArray) for x in saved):
        return WithChecksums(saved)
    return saved


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


def common_dtype(op: Op, arrays: list[Any]) -> list[Any]:
    """Cast every array to the dtype of the result, and drop foreign marks where it copies."""
    first = 0 if op.promotes is True else op.promotes  # operands before it keep their dtype
    kinds = {a.dtype if a.__class__ is ndarray else a.__class__ for a in arrays[first:]}
    floats = [kind for kind in kinds if kind in FLOATS]
    if len(floats) == 1 and len(kinds) == 1 + len(kinds & WEAK):
        return arrays  # nearly always: one floating dtype, and Python numbers
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


def _result(op: Op, arrays: Sequence[Any], y: Any) -> Array:
    """Return y as an array; a view of foreign memory stays marked."""
    if y.__class__ is not ndarray:
        y = asarray(y)
    if op.view and isinstance(arrays[0], ForeignArray) and y.base is not None:
        y = y.view(ForeignArray)
    return y


def _remember_views(op: Op, x: Any, outs: list[Any], params: tuple[Any, ...]) -> None:
    for k, out in enumerate(outs):
        remember_view(op, x, out, params, k if op.results else None)


Step = tuple[Any, tuple[Any, ...], int | None]  # a view op, its parameters, which of its results


class View(NamedTuple):
    """How a tensor is seen from its base: the view ops that lead there."""

    base: Any
    steps: tuple[Step, ...]


def remember_view(op: Op, x: Any, out: Any, params: tuple[Any, ...], k: int | None) -> None:
    """Note that `out` shows memory of `x`, if it does and not a copy of it."""
    array, source = out._array.base, x._array
    if array is None or (array is not source and array is not source.base):
        return
    known = x._view
    base, steps = (
        (x, ((op, params, k),)) if known is None else (known.base, (*known.steps, (op, params, k)))
    )
    out._view = View(base, steps)
    views = base._views
    if views is None:
        views = base._views = []
    elif len(views) >= 8 and len(views) & (len(views) - 1) == 0:  # at every doubling
        views[:] = [reference for reference in views if reference() is not None]
    views.append(weakref.ref(out))


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
    given = [a for a in arguments if not callable(a)]
    split = len(given) - len(op.names)
    operands, params = given[:split], given[split:]
    kind: type[Exception] = ShapeError
    if isinstance(error, (IndexError, TypeError)):
        kind = IndexError if isinstance(error, IndexError) else DtypeError
    elif not isinstance(error, ShapeError) and type(error) is not ValueError:
        kind = type(error)
    shapes = [_shown(a, kind is DtypeError) for a in operands if a is not None]
    noun = "shapes" if len(shapes) > 1 else "shape"
    settings = [
        f", {name}={value!r}"
        for (name, default), value in zip(op.tail, params, strict=True)
        if value is not default
    ]
    got = f"{noun} {' and '.join(shapes)}{''.join(settings)}"
    better = kind(f"{op.name} got {got}: {_reason(op, operands, error)}")
    better.explained = True  # pyright: ignore[reportAttributeAccessIssue]
    return better


def _shown(x: Any, with_dtype: bool) -> str:
    if not isinstance(x, ndarray):
        return repr(x)
    return f"{x.dtype}{x.shape}" if with_dtype else str(x.shape)


def _reason(op: Op, arrays: Sequence[Any], error: Exception) -> str:
    """Say which axis does not broadcast, or repeat what was said below."""
    if not op.promotes or not isinstance(error, ValueError):
        return str(error)
    shapes = [a.shape for a in arrays if isinstance(a, ndarray)]
    for axis in range(1, max(map(len, shapes)) + 1):
        sizes = dict.fromkeys(s[-axis] for s in shapes if len(s) >= axis and s[-axis] != 1)
        if len(sizes) > 1:
            first, second, *_ = sizes
            return f"sizes {first} and {second} at axis {-axis} do not broadcast"
    return str(error)
