"""Fresh variables for the arguments of a function, and the walks over what it does with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import engine
from .errors import DtypeError, ShapeError
from .modes import Switch, current
from .op import linear
from .recording import Traced, edge, wrap
from .tree import leaves, leaves_like, map_leaves, rebuild
from .versions import Array

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


@linear(vjp=[lambda g: g])
def variable(x: Array) -> Array:
    """x itself, as a point to differentiate at."""
    return x.view()


class Run:
    """One run of a function on fresh variables.

    Where its result also depends on something that is tracked outside, the run is `tracked`: its
    walks record themselves, so that what they return can be differentiated once more.
    """

    def __init__(
        self,
        who: str,
        function: Function,
        chosen: Any,
        *,
        forward: bool = False,
        has_aux: bool = False,
    ) -> None:
        self.who, self.chosen = who, chosen
        self.inputs = leaves(chosen)
        if not self.inputs:
            raise ValueError(f"{who}: there is no argument to differentiate")
        mode = current()
        with Switch(grad=True, forward=forward or mode.forward):
            self.variables = [_fresh(who, x, mode.grad) for x in self.inputs]
            returned = function(rebuild(chosen, self.variables))
        output, aux = _split(who, returned, has_aux)
        self.outputs = _tensors(who, output)
        self.edges = [edge(v, None) for v in self.variables]
        self.tracked = mode.grad and self._reaches_outside()
        self.output, self.aux = self.bare(output), self.bare(aux)

    def _reaches_outside(self) -> bool:
        own = set(self.variables)
        nodes = engine.history([edge(y, None) for y in self.outputs])
        return any(
            isinstance(source, Traced) and source not in own
            for node in nodes
            for source in node.edges
        )

    def bare(self, tree: Any) -> Any:
        """Return a result without the history that leads only to the variables here."""
        return tree if self.tracked else map_leaves(_detached, tree)

    def pull(
        self, outputs: Sequence[Any], cotangents: Sequence[Any], *, retain: bool, tracked: bool
    ) -> list[Any]:
        """Return the cotangent of each input; zeros where the outputs do not depend on it."""
        roots = [
            (edge(y, None), g if tracked else g._array)
            for y, g in zip(outputs, cotangents, strict=True)
            if y._rg
        ]
        found = engine.pull(
            roots, targets=self.edges, retain_graph=retain or tracked, create_graph=tracked
        )
        return [
            _received(found.get(e), x, holders=2)
            for e, x in zip(self.edges, self.inputs, strict=True)
        ]

    def push(self, tangents: Sequence[Any], *, tracked: bool) -> list[Any]:
        """Return the tangent of each output; zeros where it does not depend on the inputs.

        A tangent of None stands for zeros.
        """
        given = {
            e: t if tracked else t._array
            for e, t in zip(self.edges, tangents, strict=True)
            if t is not None
        }
        with Switch(grad=tracked):
            found = engine.push(self.outputs, given)
        return [_received(t, y, holders=3) for t, y in zip(found, self.outputs, strict=True)]


def _fresh(who: str, x: Any, tracks: bool) -> Any:
    if not isinstance(x, Traced):
        raise TypeError(f"{who}: an argument to differentiate is {kind(x)}, it must be a Tensor")
    if x._array.dtype.kind != "f":
        raise DtypeError(
            f"{who}: cannot differentiate with respect to a tensor of {x._array.dtype}: "
            "convert it with .float() first"
        )
    if x._rg and tracks:
        return variable(x)
    v = wrap(x._array)
    v._rg = True
    return v


def _tensors(who: str, output: Any) -> list[Any]:
    found = leaves(output)
    for y in found or [None]:
        if not isinstance(y, Traced):
            raise TypeError(
                f"{who}: the function returned {kind(y)}, it must return a Tensor "
                "or a nested dict, list or tuple of them"
            )
    return found


def _split(who: str, returned: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return returned, ()
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise TypeError(
            f"{who}: with has_aux the function must return (output, aux), "
            f"it returned {kind(returned)}"
        )
    return returned


def kind(x: Any) -> str:
    """Return `a float`, or `nothing` for None, as messages say it."""
    return "nothing" if x is None else f"a {type(x).__name__}"


def _received(g: Any, like: Any, holders: int) -> Any:
    """Return a derivative as a tensor of the caller's own; `holders` variables lead to it."""
    if g is None:
        return wrap(np.zeros_like(like._array, subok=False))
    return g if isinstance(g, Traced) else wrap(engine.own(g, holders))


def _detached(x: Any) -> Any:
    return x.detach() if isinstance(x, Traced) else x


def given_like(who: str, what: str, tree: Any, like: Any, wanted: Sequence[Any]) -> list[Any]:
    """Return the tensors that were given for others, `wanted`: in their structure and shapes."""
    given = leaves_like(f"{who}: the {what}s", tree, like)
    for i, (x, y) in enumerate(zip(given, wanted, strict=True)):
        if not isinstance(x, Traced):
            raise TypeError(f"{who}: {what} {i} is {kind(x)}, it must be a Tensor")
        if x._array.shape != y._array.shape:
            raise ShapeError(
                f"{who}: {what} {i} has shape {x._array.shape}, it must be {y._array.shape}"
            )
    return given


def choose(
    who: str, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Argnums
) -> tuple[Any, Function]:
    """Return the arguments to differentiate, and the function of these alone."""
    places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if not places or any(not -len(args) <= i < len(args) for i in places):
        raise ValueError(f"{who}: argnums={argnums} names none of {len(args)} arguments")

    def of_chosen(values: Any) -> Any:
        full = list(args)
        for i, value in zip(places, [values] if isinstance(argnums, int) else values, strict=True):
            full[i] = value
        return function(*full, **kwargs)

    return args[argnums] if isinstance(argnums, int) else tuple(args[i] for i in places), of_chosen
