"""Derivatives as functions of functions, under the names of torch.func.

Each transform makes fresh variables for the arguments it differentiates, records what the
function does with them and walks that recording. A variable of an inner transform is a node of
its own, so transforms nest to any depth and never mistake each other's perturbations.

Arguments and results may be nested dicts, lists and tuples of tensors.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import engine, ops
from .errors import GraphError, ShapeError
from .modes import Switch, current
from .op import linear
from .recording import Traced, edge, wrap
from .tree import leaves, map_leaves, rebuild
from .versions import Array

__all__ = [
    "functional_call", "ggnvp", "grad", "grad_and_value", "hessian", "hvp", "jacfwd", "jacrev",
    "jvp", "per_sample_grad", "vjp", "vmap",
]  # fmt: skip

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


@linear(vjp=[lambda g: g])
def variable(x: Array) -> Array:
    """x itself, as a point to differentiate at."""
    return x.view()


class _Recording:
    """One run of a function on fresh variables, and the walks over it."""

    def __init__(self, who: str, function: Function, args: Any, chosen: Any, forward: bool) -> None:
        self.who = who
        self.inputs = leaves(chosen)
        with Switch(grad=True, forward=forward or current().forward):
            self.variables = [_fresh(who, x) for x in self.inputs]
            self.output = function(*args(rebuild(chosen, self.variables)))
        self.edges = [edge(v, None) for v in self.variables]

    def outputs(self, tree: Any) -> list[Any]:
        found = leaves(tree)
        for y in found:
            if not isinstance(y, Traced):
                raise TypeError(
                    f"{self.who}: the function returned {_kind(y)}, it must return a Tensor "
                    "or a nested dict, list or tuple of them"
                )
        return found

    def nested(self, outputs: Sequence[Any]) -> bool:
        """Tell whether the outputs depend on anything tracked besides the variables here."""
        own = {id(v) for v in self.variables}
        nodes = engine.history([edge(y, None) for y in outputs])
        return any(
            isinstance(source, Traced) and id(source) not in own
            for node in nodes
            for source in node.edges
        )

    def pull(self, outputs: Sequence[Any], cotangents: Sequence[Any], retain: bool, nested: bool,
             ) -> list[Any]:  # fmt: skip
        """Return the cotangent of each input; zeros where the outputs do not depend on it."""
        roots = [
            (edge(y, None), g if nested else g._array)
            for y, g in zip(outputs, cotangents, strict=True)
            if y._rg
        ]
        found = engine.pull(
            roots, targets=self.edges, retain_graph=retain or nested, create_graph=nested
        )
        return [_received(found.get(e), x) for e, x in zip(self.edges, self.inputs, strict=True)]

    def push(self, outputs: Sequence[Any], tangents: Sequence[Any], nested: bool) -> list[Any]:
        """Return the tangent of each output; zeros where it does not depend on the inputs."""
        given = {e: (t if nested else t._array) for e, t in zip(self.edges, tangents, strict=True)}
        with Switch(grad=nested):
            found = engine.push(outputs, given)
        return [_received(t, y) for t, y in zip(found, outputs, strict=True)]

    def bare(self, tree: Any, nested: bool) -> Any:
        """Return a result without the history that leads only to the variables here."""
        return tree if nested else map_leaves(_detached, tree)


def _kind(x: Any) -> str:
    return "nothing" if x is None else f"a {type(x).__name__}"


def _fresh(who: str, x: Any) -> Any:
    if not isinstance(x, Traced):
        raise TypeError(f"{who}: an argument to differentiate is {_kind(x)}, it must be a Tensor")
    if x._array.dtype.kind != "f":
        raise TypeError(f"{who}: cannot differentiate with respect to a tensor of {x.dtype}")
    if x._rg:
        return variable(x)
    v = wrap(x._array)
    v._rg = True
    return v


def _received(g: Any, like: Any) -> Any:
    if g is None:
        return wrap(np.zeros_like(like._array, subok=False))
    return g if isinstance(g, Traced) else wrap(np.array(g))


def _detached(x: Any) -> Any:
    return x.detach() if isinstance(x, Traced) else x


def _chosen(who: str, args: tuple[Any, ...], argnums: Argnums) -> tuple[Any, Function]:
    """Return the arguments to differentiate, and how to put others in their place."""
    places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if not places or any(not -len(args) <= i < len(args) for i in places):
        raise ValueError(f"{who}: argnums={argnums} names none of {len(args)} arguments")

    def replaced(values: Any) -> list[Any]:
        full = list(args)
        for i, value in zip(places, [values] if isinstance(argnums, int) else values, strict=True):
            full[i] = value
        return full

    return args[argnums] if isinstance(argnums, int) else tuple(args[i] for i in places), replaced


def _split(who: str, output: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return output, None
    if not isinstance(output, tuple) or len(output) != 2:
        raise TypeError(f"{who}: with has_aux the function must return (output, aux)")
    return output


def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return a function for (gradient, value) of a scalar function; aux goes with the value."""

    @functools.wraps(func)
    def gradient_and_value(*args: Any, **kwargs: Any) -> Any:
        chosen, replaced = _chosen("grad", args, argnums)
        run = _Recording("grad", functools.partial(func, **kwargs), replaced, chosen, False)
        value, aux = _split("grad", run.output, has_aux)
        (y,) = run.outputs([value]) if not isinstance(value, (list, tuple, dict)) else [None]
        if y is None or y._array.size != 1:
            got = _kind(value) if y is None else f"shape {y.shape}"
            raise GraphError(f"grad: the function must return a scalar tensor, it returned {got}")
        nested = run.nested([y])
        one = wrap(np.ones_like(y._array))
        g = rebuild(chosen, run.pull([y], [one], False, nested))
        value = run.bare(value, nested)
        return (g, (value, run.bare(aux, nested))) if has_aux else (g, value)

    return gradient_and_value


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that gives the gradient of a scalar function."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        g, value = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return gradient


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """Return func(*primals) and the function that pulls a cotangent u back: uᵀ J, as a tuple.

    (A lecture calls this product a "JVP"; vjp and jvp here are the field's usual names.)
    """
    run = _Recording("vjp", func, lambda values: values, primals, False)
    output, aux = _split("vjp", run.output, has_aux)
    outputs = run.outputs(output)
    nested = run.nested(outputs)

    def pull(cotangents: Any, retain_graph: bool = True) -> Any:
        given = leaves(cotangents)
        _check_like("vjp", "cotangent", given, outputs)
        tracked = nested or any(g._rg for g in given)
        return rebuild(primals, run.pull(outputs, given, retain_graph, tracked))

    output = run.bare(output, nested)
    return (output, pull, run.bare(aux, nested)) if has_aux else (output, pull)


def _check_like(who: str, what: str, given: list[Any], expected: Sequence[Any]) -> None:
    shapes = [getattr(x, "shape", None) for x in given]
    wanted = [x.shape for x in expected]
    if shapes != wanted:
        raise ShapeError(f"{who} got {what}s of shapes {shapes}: it needs {wanted}")


def jvp(
    func: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """Return func(*primals) and its derivative along the tangents: J t."""
    primals, given = tuple(primals), leaves(tuple(tangents))
    _check_like("jvp", "tangent", given, leaves(primals))
    run = _Recording("jvp", func, lambda values: values, primals, True)
    output, aux = _split("jvp", run.output, has_aux)
    outputs = run.outputs(output)
    nested = run.nested(outputs) or any(t._rg for t in given)
    pushed = rebuild(output, run.push(outputs, given, nested))
    output = run.bare(output, nested)
    return (output, pushed, run.bare(aux, nested)) if has_aux else (output, pushed)


def _units(x: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Give each position of x, and a tensor like x that is one there and zero elsewhere."""
    for place in np.ndindex(x._array.shape):
        unit = np.zeros_like(x._array, subok=False)
        unit[place] = 1
        yield place, wrap(unit)


def jacrev(func: Function, argnums: Argnums = 0) -> Function:
    """Return the function that gives the Jacobian, of shape output.shape + input.shape.

    One run of the function, then one walk back for each element of the output.
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen, replaced = _chosen("jacrev", args, argnums)
        run = _Recording("jacrev", functools.partial(func, **kwargs), replaced, chosen, False)
        outputs = run.outputs(run.output)
        nested = run.nested(outputs)
        rows = [_rows(run, y, nested) for y in outputs]
        return rebuild(run.output, [rebuild(chosen, row) for row in rows])

    return jacobian


def _rows(run: _Recording, y: Any, nested: bool) -> list[Any]:
    """Return dy/d(input) for each input, one walk back for each element of y."""
    if not nested:
        found = [np.empty((*y.shape, *x.shape), y._array.dtype) for x in run.inputs]
        for place, unit in _units(y):
            for whole, g in zip(found, run.pull([y], [unit], True, False), strict=True):
                whole[place] = g._array
        return [wrap(whole) for whole in found]
    pulled = [run.pull([y], [unit], True, True) for _, unit in _units(y)]
    return [
        _joined(y.shape, [row[i] for row in pulled], x, first=True)
        for i, x in enumerate(run.inputs)
    ]


def _joined(shape: tuple[int, ...], slices: list[Any], like: Any, first: bool) -> Any:
    """Stack tracked slices along the axes of `shape`, in front of those of `like` or behind."""
    full = (*shape, *like.shape) if first else (*like.shape, *shape)
    if not slices:
        return wrap(np.zeros(full, like._array.dtype))
    return ops.stack(slices, 0 if first else -1).reshape(full)


def jacfwd(func: Function, argnums: Argnums = 0) -> Function:
    """Return the function that gives the Jacobian, of shape output.shape + input.shape.

    One run of the function, then one walk forward for each element of the input.
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen, replaced = _chosen("jacfwd", args, argnums)
        run = _Recording("jacfwd", functools.partial(func, **kwargs), replaced, chosen, True)
        outputs = run.outputs(run.output)
        nested = run.nested(outputs)
        columns = [_columns(run, outputs, i, nested) for i in range(len(run.inputs))]
        return rebuild(
            run.output,
            [rebuild(chosen, [column[k] for column in columns]) for k in range(len(outputs))],
        )

    return jacobian


def _columns(run: _Recording, outputs: list[Any], i: int, nested: bool) -> list[Any]:
    """Return d(output)/dx for input i and each output, one walk forward for each element of x."""
    x = run.inputs[i]
    others = [wrap(np.zeros_like(other._array, subok=False)) for other in run.inputs]
    found = [np.empty((*y.shape, *x.shape), y._array.dtype) for y in outputs]
    kept: list[list[Any]] = [[] for _ in outputs]
    for place, unit in _units(x):
        tangents = [*others[:i], unit, *others[i + 1 :]]
        for k, t in enumerate(run.push(outputs, tangents, nested)):
            if nested:
                kept[k].append(t)
            else:
                found[k][(..., *place)] = t._array
    if nested:
        return [
            _joined(x.shape, slices, y, first=False)
            for slices, y in zip(kept, outputs, strict=True)
        ]
    return [wrap(whole) for whole in found]


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """Return the function that gives the second derivatives: output.shape + 2 * input.shape."""
    return jacfwd(jacrev(func, argnums), argnums)


def hvp(func: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return the value of a scalar function and H t, its Hessian times the tangents.

    Forward over reverse (Pearlmutter 1994): a few times the cost of a gradient, no matrix.
    """
    primals = tuple(primals)
    both = grad_and_value(func, tuple(range(len(primals))))
    (_, value), (product, _) = jvp(lambda *xs: both(*xs), primals, tuple(tangents))
    return value, product


def ggnvp(
    model: Function, loss: Function, primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Any, Any]:
    """Return loss(model(*primals)) and G t with the Gauss-Newton matrix G = Jᵀ H J.

    J is the Jacobian of the model, H the Hessian of the loss at its output (Schraudolph 2002).
    """
    primals = tuple(primals)
    output, pull = vjp(model, *primals)
    _, pushed = jvp(model, primals, tuple(tangents))
    value, curved = hvp(loss, (output,), (pushed,))
    return value, pull(curved[0])


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Call a module with other tensors in place of its parameters and buffers, given by path."""
    given = parameter_and_buffer_dicts
    values: dict[str, Any] = {}
    for part in [given] if isinstance(given, Mapping) else given:
        values.update(part)
    with _swapped(module, values):
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))


@contextmanager
def _swapped(module: Any, values: Mapping[str, Any]) -> Iterator[None]:
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for path, value in values.items():
            owner, _, name = path.rpartition(".")
            try:
                members = vars(module.get_submodule(owner))
                before.append((members, name, members[name]))
            except (AttributeError, KeyError) as error:
                raise KeyError(f"functional_call: {path!r} is not in the module") from error
            members[name] = value
        yield
    finally:
        for members, name, value in reversed(before):
            members[name] = value


def vmap(func: Function, in_dims: Any = 0, out_dims: Any = 0) -> Function:
    """Return func over a batch: it is called once for each index of the mapped axes (a loop)."""

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        dims = in_dims if isinstance(in_dims, tuple) else (in_dims,) * len(args)
        if len(dims) != len(args):
            raise ValueError(f"vmap: in_dims has {len(dims)} entries for {len(args)} arguments")
        sizes = {
            x.shape[dim]
            for arg, dim in zip(args, dims, strict=True)
            if dim is not None
            for x in leaves(arg)
        }
        if len(sizes) != 1:
            raise ShapeError(f"vmap: the mapped axes have sizes {sorted(sizes)}, they must agree")
        results = [
            func(*[_picked(a, d, i) for a, d in zip(args, dims, strict=True)], **kwargs)
            for i in range(sizes.pop())
        ]
        return _stacked(results, out_dims)

    return mapped


def _picked(tree: Any, dim: int | None, i: int) -> Any:
    if dim is None:
        return tree
    return map_leaves(lambda x: x[(slice(None),) * (dim % x.ndim) + (i,)], tree)


def _stacked(results: list[Any], out_dims: Any) -> Any:
    if not results:
        raise ShapeError("vmap: cannot map over an axis of size 0")
    if isinstance(out_dims, tuple):
        parts = [_stacked([r[k] for r in results], dim) for k, dim in enumerate(out_dims)]
        return tuple(parts)
    return map_leaves(lambda *xs: ops.stack(list(xs), out_dims), results[0], *results[1:])


def per_sample_grad(func: Function, argnums: Argnums = 0) -> Function:
    """Return the function of (params, *batched) that gives one gradient for each sample.

    func(params, *sample) is a sample's loss; the other arguments are split along their axis 0.
    """
    single = grad(func, argnums)

    @functools.wraps(func)
    def gradients(params: Any, *batched: Any) -> Any:
        return vmap(single, in_dims=(None, *[0] * len(batched)))(params, *batched)

    return gradients
