"""Recording written flat: `recording.apply` for the commonest shapes of call.

An op of one to three plain arrays costs little more than its NumPy call this way. Everything
unusual falls through to `apply`, which defines what happens. `start` is when an observed op began,
and 0.0 where nobody looks on.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any

import numpy as np

from .modes import peek
from .recording import NOTHING, Node, Results, Traced, apply, new, recover, remember_view, run
from .versions import tick

if TYPE_CHECKING:
    from .op import Op

ndarray = np.ndarray
asarray = np.asarray
Tensor: Any = Traced


def results_are(cls: type[Traced]) -> None:
    """Say which class wraps the results of ops."""
    global Tensor
    Tensor = Results.cls = cls


def unary(op: Op) -> Callable[[Any], Any]:
    """Return `apply` written flat for an op of one array and no parameters."""
    forward, floats_only, tracks = op.direct, op.floats_only, op.differentiable
    record = _recorder(op)
    view = op.view

    def call(input: Any) -> Any:  # as PyTorch calls it, and may be called with
        x = input
        if x.__class__ is ndarray and x.dtype.kind == "f":
            return forward(x)
        mode = peek()
        start = 0.0
        if not (x.__class__ is Tensor or isinstance(x, Traced)):
            return apply(op, (x,), NOTHING)
        if not mode.lean:
            if not mode.watched:
                return apply(op, (x,), NOTHING)
            start = clock()
        array = x._array
        if array.__class__ is not ndarray or (floats_only and array.dtype.kind != "f"):
            return apply(op, (x,), NOTHING)
        try:
            y = mode.run(forward, array)
        except Exception as error:
            if start:
                return apply(op, (x,), NOTHING)  # which tells the observer what failed
            y = recover(op, mode.run, (forward, array), error)
        if y.__class__ is not ndarray:
            y = asarray(y)
        out: Any = new(Tensor)
        out._array = y
        if x._rg and mode.grad and tracks:
            out._node = record(x, array, NOTHING, y, mode)
            out._rg = True
        if view:
            remember_view(op, x, out, NOTHING, None)
        if start:
            mode.observer.saw(op, (x,), NOTHING, out, clock() - start)
        return out

    return call


def with_parameters(op: Op) -> Callable[..., Any]:
    """Return `apply` written flat for an op of one array and parameters."""
    forward, floats_only, tracks = op.direct, op.floats_only, op.differentiable
    record = _recorder(op)
    view, collect = op.view, op.collect

    def call(*args: Any, **names: Any) -> Any:
        x: Any = args[0] if args else None
        rest = args[1:]
        if collect and rest and rest[0].__class__ is not tuple:  # x.op(2, 3), or x.op([2, 3])
            first = rest[0]
            rest = (tuple(first), *rest[1:]) if isinstance(first, (tuple, list)) else (rest,)
        params = op.fill(rest, names)
        if x.__class__ is ndarray and params is not None and x.dtype.kind == "f":
            return run(op, forward, (x,), params)
        mode = peek()
        start = 0.0 if mode.lean else clock()
        array: Any = x._array if x.__class__ is Tensor or isinstance(x, Traced) else None
        if (
            params is None
            or not (mode.lean or mode.watched)
            or array.__class__ is not ndarray
            or (floats_only and array.dtype.kind != "f")
        ):
            return apply(op, *op.bind(args, names))
        try:
            y = forward(array, *params) if view else mode.run(forward, array, *params)
        except Exception as error:
            if start:
                return apply(op, (x,), params)
            y = recover(op, mode.run, (forward, array, *params), error)
        if y.__class__ is not ndarray:
            y = asarray(y)
        out: Any = new(Tensor)
        out._array = y
        if x._rg and mode.grad and tracks and y.dtype.kind == "f":
            out._node = record(x, array, params, y, mode)
            out._rg = True
        if view:
            remember_view(op, x, out, params, None)
        if start:
            mode.observer.saw(op, (x,), params, out, clock() - start)
        return out

    return call


def _recorder(op: Op) -> Callable[..., Any]:
    """Return `recording.attach` written flat for one operand that requires grad."""
    plain, forward_too = op.needs(0, False), op.needs(0, True)

    def record(x: Any, array: Any, params: Any, y: Any, mode: Any) -> Any:
        needs = forward_too if mode.forward else plain
        node: Any = Node() if mode.lean else mode.observer.fresh()
        node.op = op
        node.params = params
        node.time = tick()
        node.scope = mode.scope
        node.watch = None
        node.shape = y.shape
        node.dtype = y.dtype
        node.edges = (x._node or x,)
        if needs:
            node.saved = (array if needs & 2 else None, y if needs & 1 else None)
        else:
            node.saved = NOTHING
        return node

    return record


def binary(op: Op) -> Callable[[Any, Any], Any]:
    """Return `apply` written flat for an op of two arrays and no parameters."""
    forward, floats_only, tracks = op.direct, op.floats_only, op.differentiable
    weak = bool(op.promotes)  # whether a Python number may stand beside an array
    needs_a, needs_b = op.needs(0, False), op.needs(1, False)
    forward_a, forward_b = op.needs(0, True), op.needs(1, True)

    def call(input: Any, other: Any) -> Any:  # PyTorch's names
        a, b = input, other
        # The quick way: plain arrays of one dtype, or one of them a Python number beside floats.
        xa = a._array if a.__class__ is Tensor or isinstance(a, Traced) else a
        xb = b._array if b.__class__ is Tensor or isinstance(b, Traced) else b
        ka, kb = xa.__class__, xb.__class__
        dtype: Any = None
        if ka is ndarray:
            dtype = xa.dtype
            if kb is ndarray:
                quick = dtype is xb.dtype and not (floats_only and dtype.kind != "f")
            else:
                quick = weak and (kb is float or kb is int) and dtype.kind == "f"
        elif kb is ndarray:
            dtype = xb.dtype
            quick = weak and (ka is float or ka is int) and dtype.kind == "f"
        else:
            quick = False
        if quick and xa is a and xb is b:  # in a rule
            return run(op, forward, (a, b), NOTHING)
        mode = peek()
        start = 0.0
        if not quick or not mode.lean:
            if not quick or not mode.watched:
                return apply(op, (a, b), NOTHING)
            start = clock()
        try:
            y = mode.run(forward, xa, xb)
        except Exception as error:
            if start:
                return apply(op, (a, b), NOTHING)
            y = recover(op, mode.run, (forward, xa, xb), error)
        if y.__class__ is not ndarray:
            y = asarray(y)
        out: Any = new(Tensor)
        out._array = y
        ra = xa is not a and a._rg
        rb = xb is not b and b._rg
        if (ra or rb) and mode.grad and tracks:
            node: Any = mode.observer.fresh() if start else Node()
            node.op = op
            node.params = NOTHING
            node.time = tick()
            node.scope = mode.scope
            node.watch = None
            node.shape = y.shape
            node.dtype = dtype  # of the result as well: arithmetic keeps it
            node.edges = (
                (a._node or a) if ra else (xa.shape, dtype) if ka is ndarray else xa,
                (b._node or b) if rb else (xb.shape, dtype) if kb is ndarray else xb,
            )
            needs = needs_a if not rb else needs_b if not ra else needs_a | needs_b
            if mode.forward:
                needs = (forward_a if ra else 0) | (forward_b if rb else 0)
            if needs == 6:  # both operands, as mul does
                node.saved = (xa, xb, None)
            elif needs:
                node.saved = (
                    xa if needs & 2 else None,
                    xb if needs & 4 else None,
                    y if needs & 1 else None,
                )
            else:
                node.saved = NOTHING
            out._node = node
            out._rg = True
        if start:
            mode.observer.saw(op, (a, b), NOTHING, out, clock() - start)
        return out

    return call


def ternary(op: Op) -> Callable[..., Any]:
    """Return `apply` written flat for an op of three arrays, of which some may be optional."""
    forward, tracks = op.direct, op.differentiable and not op.floats_only
    first = op.promotes if op.promotes is not True else 0  # from here on of one dtype
    needs = [[op.needs(i, forward_mode) for i in range(3)] for forward_mode in (False, True)]
    optional = op.defaults
    alike = op.promotes is not False

    def call(*args: Any, **names: Any) -> Any:
        if len(args) < 3 and len(args) + len(optional) >= 3 and not names:
            args += optional[len(args) - 3 :]
        mode = peek()
        if len(args) != 3 or names or not mode.lean:
            return apply(op, *op.bind(args, names))
        a, b, c = args
        xa = a._array if a.__class__ is Tensor or isinstance(a, Traced) else a
        xb = b._array if b.__class__ is Tensor or isinstance(b, Traced) else b
        xc = c._array if c.__class__ is Tensor or isinstance(c, Traced) else c
        bare = xa is a and xb is b and xc is c
        if bare or not tracks or not _quick((xa, xb, xc), first, alike):
            return apply(op, *op.bind(args, names))
        try:
            y = mode.run(forward, xa, xb, xc)
        except Exception as error:
            y = recover(op, mode.run, (forward, xa, xb, xc), error)
        if y.__class__ is not ndarray:
            y = asarray(y)
        out: Any = new(Tensor)
        out._array = y
        ra, rb, rc = xa is not a and a._rg, xb is not b and b._rg, xc is not c and c._rg
        if (ra or rb or rc) and mode.grad and y.dtype.kind == "f":
            node: Any = Node()
            node.op = op
            node.params = NOTHING
            node.time = tick()
            node.scope = mode.scope
            node.watch = None
            node.shape = y.shape
            node.dtype = y.dtype
            node.edges = (
                (a._node or a) if ra else (xa.shape, xa.dtype) if xa.__class__ is ndarray else xa,
                (b._node or b) if rb else (xb.shape, xb.dtype) if xb.__class__ is ndarray else xb,
                (c._node or c) if rc else (xc.shape, xc.dtype) if xc.__class__ is ndarray else xc,
            )
            in_a, in_b, in_c = needs[mode.forward]
            kept = (in_a if ra else 0) | (in_b if rb else 0) | (in_c if rc else 0)
            if kept:
                node.saved = (
                    xa if kept & 2 else None,
                    xb if kept & 4 else None,
                    xc if kept & 8 else None,
                    y if kept & 1 else None,
                )
            else:
                node.saved = NOTHING
            out._node = node
            out._rg = True
        return out

    return call


def _quick(arrays: tuple[Any, ...], first: int, alike: bool) -> bool:
    """Tell whether nothing has to be cast: arrays, from `first` on of one floating dtype."""
    if not alike:
        return all([x is None or x.__class__ is ndarray for x in arrays])
    dtype: Any = None
    for x in arrays[first:]:
        if x.__class__ is ndarray:
            if dtype is None:
                dtype = x.dtype
            elif dtype is not x.dtype:
                return False
        elif not (x is None or x.__class__ is float or x.__class__ is int):
            return False
    known = all([x.__class__ is ndarray for x in arrays[:first]])
    return known and dtype is not None and dtype.kind == "f"
