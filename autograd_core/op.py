"""What an operation is: one record holding everything about it, made by the decorator above it.

A rule has one entry per array operand, and None where there is no derivative:

    vjp[i](g, ...)   pulls the cotangent g of the result back to operand i
    jvp[i](t, ...)   pushes the tangent t of operand i forward to the result

After g or t a rule names what else it needs, and a node keeps exactly that: an operand by the
name it has in the forward, the result `y`, a parameter, `shapes` (of the operands), `wanted` (which
of them need a cotangent), or `i` (which operand, where their number is free). Operands of a `joint`
op whose cotangents come from one piece of work have one rule, which returns a list with a cotangent
for each operand. Rules call ops and operators only, never numpy, so that they run on bare arrays
when one derivative is wanted and on tensors when it will be differentiated again. The engine sums
over broadcast axes, casts and adds; rules never do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .binding import ALIASES, MISSING, Signature
from .errors import blamed
from .flat import binary, ternary, unary, with_parameters
from .recording import Node, Traced, apply
from .rules import Rule, named, once
from .shapes import operand_shapes
from .versions import Array

REGISTRY: dict[str, Op] = {}
METHODS: dict[str, Callable[..., Any]] = {}

_COMPOSED = ALIASES | {"input": "x"}


class Op(Signature):
    """A differentiable operation: its forward, its rules, and what drawings and Value need."""

    label_rule: Callable[..., str] | str | None = None  # what drawings print, of the parameters
    direct: Rule  # the forward as one C call, where there is one; else the forward
    scalar: Rule | None = None  # the same function of Python floats
    scalar_vjp: Sequence[Rule | None] | None = None  # quicker rules for floats
    promotes: bool | int = False  # arrays meet in a common dtype; an int: from that operand on
    floats_only: bool = False  # integers become the default dtype first
    joint: bool = False  # one vjp rule finds the cotangents of all operands that have it
    differentiable: bool = True  # else the result never requires grad
    linear: bool = False  # zero as soon as one array is zero
    together: bool = False  # or linear in all arrays jointly
    elementwise: bool = False
    view: bool = False  # the result may share memory with the first array
    multiply_adds: Rule | None = None  # how many, of (operands' shapes, result's shape, parameters)
    results: Any = None  # the named tuple of an op with several results
    keeps: Sequence[int] | None = None  # which of those `y` has in rules; None: all of them
    extra: tuple[str, Rule] | None = None  # a keyword, and the composition that takes it third
    anew: bool = False  # the vjp rules are made for each visit to a node, by pulls_of
    call: Rule  # what users call; set when the declaration is complete

    def __init__(
        self, forward: Rule, vjp: Sequence[Rule | None], jvp: Sequence[Rule | None], **facets: Any
    ) -> None:
        self.name = forward.__name__.rstrip("_")
        if self.name in REGISTRY:
            raise ValueError(f"op {self.name!r} is declared twice")
        if len(vjp) != len(jvp):
            raise ValueError(f"op {self.name!r} has {len(vjp)} vjp and {len(jvp)} jvp rules")
        if facets.get("joint") and len({rule for rule in vjp if rule is not None}) != 1:
            raise ValueError(f"op {self.name!r} is joint: its vjp rules must be one rule, or None")
        facets["label_rule"] = facets.pop("label", None)
        for facet, value in {"direct": forward, **facets}.items():
            if facet not in Op.__annotations__ and facet not in Signature.__annotations__:
                raise TypeError(f"op {self.name!r} has no facet {facet!r}")
            setattr(self, facet, value)
        code = forward.__code__
        names = code.co_varnames[: code.co_argcount]
        self.arity = len(vjp)
        self.arrays, self.names = names[: self.arity], names[self.arity :]
        self.defaults: tuple[Any, ...] = forward.__defaults__ or ()
        self.forward = _spread(forward, len(self.names)) if self.variadic else forward
        self.vjp, self.jvp = tuple(vjp), tuple(jvp)
        self.anew = self.variadic or self.joint
        required = len(self.names) - len(self.defaults)
        self.tail = [
            (name, MISSING if i < required else self.defaults[i - len(self.names)])
            for i, name in enumerate(self.names)
        ]
        self._needs = [tuple(self._mask(rule) for rule in rules) for rules in (vjp, jvp)]
        REGISTRY[self.name] = self

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def label(self, params: tuple[Any, ...]) -> str:
        """Return what drawings and errors print: the name, unless the op says it better."""
        if not callable(self.label_rule):
            return self.label_rule or self.name
        wanted = self.label_rule.__code__.co_varnames[: self.label_rule.__code__.co_argcount]
        return self.label_rule(**{k: params[self.names.index(k)] for k in wanted})

    def needs(self, i: int, forward: bool) -> int:
        """Return a bit for each array the rules of operand i name: 0 for y, k + 1 for operand k."""
        i = 0 if self.variadic else i
        return self._needs[0][i] | (self._needs[1][i] if forward else 0)

    def _mask(self, rule: Rule | None) -> int:
        names = named(rule)
        bits = [k + 1 for k, array in enumerate(self.arrays) if array in names]
        return sum(1 << bit for bit in ([0] if "y" in names else []) + bits)

    @functools.cached_property
    def pulls(self) -> tuple[tuple[Rule | None, int | None], ...]:
        """The vjp rules as the engine calls them, see `_plan`."""
        return tuple(self._plan(rule) for rule in self.vjp)

    @functools.cached_property
    def _shared(self) -> Any:
        return self._reader(next(rule for rule in self.vjp if rule is not None))

    @functools.cached_property
    def pushes(self) -> tuple[Rule | None, ...]:
        """The jvp rules as functions of (t, saved, node)."""
        return tuple(self._reader(rule) for rule in self.jvp)

    @functools.cached_property
    def scalar_pulls(self) -> tuple[tuple[Rule | None, int | None], ...]:
        """The vjp rules for Python floats: the same, unless the op has quicker ones."""
        return tuple(self._plan(rule) for rule in self.scalar_vjp or self.vjp)

    def pulls_of(self, node: Node) -> Sequence[tuple[Rule | None, int | None]]:
        """The vjp rules for one visit to this node, where the operands are many or share a rule."""
        if self.joint:
            return once(self._shared, [rule is not None for rule in self.vjp])
        rule: Any = self.vjp[0]
        names = named(rule)
        known = {"shapes": operand_shapes(node), **dict(zip(self.names, node.params, strict=True))}

        def pull(i: int) -> Rule:
            return lambda g, saved, node: rule(g, *[i if n == "i" else known[n] for n in names])

        return [(pull(i), None) for i in range(len(node.edges))]

    def _plan(self, rule: Rule | None) -> tuple[Rule | None, int | None]:
        """Return (rule, place): call rule(g, saved[place]), or without place rule(g, saved, node).

        The first form spares the commonest rules, which name one array, a Python call.
        """
        names = named(rule)
        if len(names) == 1 and (names[0] in self.arrays or names[0] == "y"):
            return rule, -1 if names[0] == "y" else self.arrays.index(names[0])
        return self._reader(rule), None

    def _reader(self, rule: Rule | None) -> Rule | None:
        """Return `rule` as a function of (g, saved, node) that looks up what the rule names."""
        if rule is None:
            return None
        names = named(rule)
        at = {name: i for i, name in enumerate(self.arrays)} | {"y": -1}
        if not names:
            return lambda g, saved, node: rule(g)
        if all(name in at for name in names) and len(names) <= 2:
            first, last = (at[name] for name in (names[0], names[-1]))
            if len(names) == 1:
                return lambda g, saved, node: rule(g, saved[first])
            return lambda g, saved, node: rule(g, saved[first], saved[last])
        getters = [self._getter(name, at) for name in names]
        return lambda g, saved, node: rule(g, *[get(saved, node) for get in getters])

    def _getter(self, name: str, at: dict[str, int]) -> Rule:
        if name in at:
            place = at[name]
            return lambda saved, node: saved[place]
        if name == "shapes":
            return lambda saved, node: operand_shapes(node)
        if name == "wanted":
            return lambda saved, node: [isinstance(e, (Node, Traced)) for e in node.edges]
        if name not in self.names:
            raise ValueError(f"a rule of op {self.name!r} names {name!r}, which is nothing of it")
        k = self.names.index(name)
        return lambda saved, node: node.params[k]

    def on_tangents(self, arriving: Sequence[Any], node: Node, saved: Any) -> Any:
        """Return the op on the tangents, zeros where none arrives: for ops linear together."""
        values: list[Any] = []
        for i, (t, source) in enumerate(zip(arriving, node.edges, strict=True)):
            if t is not None:
                values.append(t)
            elif self.vjp[0 if self.variadic else i] is None:
                values.append(saved[i])
            elif isinstance(source, (int, float)):
                values.append(0.0)
            else:
                shape, dtype = source if isinstance(source, tuple) else (source.shape, source.dtype)
                values.append(np.zeros(shape, dtype))
        operands = (values,) if self.variadic else values
        return self.call(*operands, *node.params)


def _spread(forward: Rule, parameters: int) -> Rule:
    """Let a forward of one sequence be called as forward(*arrays, *params)."""

    def spread(*all: Any) -> Any:
        split = len(all) - parameters
        return forward(all[:split], *all[split:])

    return spread


def _general(op: Op) -> Rule:
    arity = op.arity

    def call(*args: Any, **kwargs: Any) -> Any:
        if not kwargs and len(args) >= arity and not (op.variadic or op.collect):
            params = op.fill(args[arity:], kwargs)
            if params is not None:
                return apply(op, args[:arity], params)
        operands, params = op.bind(args, kwargs)
        return apply(op, operands, params)

    return call


def _with_keyword(op: Op) -> Any:
    """Return the op with one keyword more; operators call the op itself, which is quicker."""
    plain = op.call
    keyword, composition = op.extra or ("", plain)

    def call(input: Any, other: Any, **given: Any) -> Any:
        value = given.pop(keyword, None)
        if given:
            raise TypeError(f"{op.name} got an unexpected argument {', '.join(given)}")
        return plain(input, other) if value is None else composition(input, other, value)

    return call


def _public(op: Op, forward: Rule, method: bool | str) -> Any:
    """Return the function that users call, with the forward's name, signature and docstring."""
    call: Any
    simple = not (op.variadic or op.results)
    if simple and op.arity == 1:
        call = with_parameters(op) if op.names else unary(op)
    elif simple and op.arity == 2 and not op.names:
        call = binary(op)
    elif simple and op.arity == 3 and not op.names:
        call = ternary(op)
    else:
        call = _general(op)
    functools.update_wrapper(call, forward)
    op.call = call
    if op.extra:
        call = functools.update_wrapper(_with_keyword(op), forward)
    call.op = op
    if method:
        METHODS[op.name if method is True else method] = call
    return call


def op(
    *,
    vjp: Sequence[Rule | None],
    jvp: Sequence[Rule | None],
    method: bool | str = False,
    **facets: Any,
) -> Callable[[Rule], Any]:
    """Declare an op by writing both of its rules."""
    return lambda forward: _public(Op(forward, vjp, jvp, **facets), forward, method)


def elementwise(
    *, vjp: Sequence[Rule | None], scalar: Rule, method: bool | str = False, **facets: Any
) -> Callable[[Rule], Any]:
    """Declare an op that treats each element alone.

    Its Jacobian is diagonal, so one list of rules multiplies cotangents and tangents alike.
    `scalar` is the same function of Python floats: what Value runs.
    """
    facets = {"promotes": True, "elementwise": True, **facets}
    return op(vjp=vjp, jvp=vjp, scalar=scalar, method=method, **facets)


def linear(
    *,
    vjp: Sequence[Rule | None],
    together: bool = False,
    method: bool | str = False,
    **facets: Any,
) -> Callable[[Rule], Any]:
    """Declare an op that is zero as soon as one array is zero; its jvp is the op again.

    With `together` it is linear in all arrays jointly (cat, where): the jvp is the op on the
    tangents, and zeros where there is none.
    """

    def declare(forward: Rule) -> Any:
        code = forward.__code__
        names = code.co_varnames[: code.co_argcount]
        jvp = [rule and _again(lambda: me, names, i) for i, rule in enumerate(vjp)]
        facets.update(linear=True, together=together)
        me = op(vjp=vjp, jvp=jvp, method=method, **facets)(forward)
        return me

    return declare


def _again(me: Callable[[], Any], names: Sequence[str], i: int) -> Rule:
    """Return the rule (t, other operands, parameters) -> the op with t in place of operand i."""
    others = tuple(name for k, name in enumerate(names) if k != i)

    def rule(t: Any, *rest: Any) -> Any:
        arguments = list(rest)
        arguments.insert(i, t)
        return me()(*arguments)

    rule.names = others  # pyright: ignore[reportFunctionMemberAccess]
    return rule


def method(function: Rule) -> Any:
    """Make a composition of ops a method of Tensor too."""
    METHODS[function.__name__] = function
    return function


def alias(name: str, function: Rule) -> Any:
    """Give the method of a function a second name; the function returned is the same."""
    METHODS[name] = function
    return function


def aliased(function: Rule) -> Any:
    """Let a composition be called with NumPy's names too, and with PyTorch's `input`.

    An error gets its name and shapes, unless an op inside has said its own.
    """

    @functools.wraps(function)
    def call(*args: Any, **names: Any) -> Any:
        if names:
            names = {_COMPOSED.get(name, name): x for name, x in names.items()}
        try:
            return function(*args, **names)
        except (ValueError, TypeError, IndexError) as error:
            raise blamed(function.__name__, args, error) from error

    return call


def zeros_of(g: Any) -> Any:
    """Return zeros like g, whatever g is: array, number or tensor."""
    return g.new_zeros(g.shape) if hasattr(g, "new_zeros") else np.zeros_like(g)


def constant(
    *, arrays: int = 1, scalar: Rule | None = None, method: bool | str = False, **facets: Any
) -> Callable[[Rule], Any]:
    """Declare an op that is flat almost everywhere: it requires grad and sends zeros."""
    rules = [zeros_of] * arrays
    facets = {"promotes": True, "elementwise": True, **facets}
    return op(vjp=rules, jvp=rules, scalar=scalar, method=method, **facets)


def untracked(
    *, arrays: int = 1, method: bool | str = False, **facets: Any
) -> Callable[[Rule], Any]:
    """Declare an op whose result never requires grad: comparisons, argmax, isnan."""
    none: list[Rule | None] = [None] * arrays
    return op(vjp=none, jvp=none, differentiable=False, method=method, **facets)


def _part(x: Array, k: int) -> Array:
    raise AssertionError("a part node is made by recording, never by calling")


PART = Op(_part, [lambda g: g], [lambda t: t], label=lambda k: f"[{k}]")
del REGISTRY["_part"]
PART.name = "part"
