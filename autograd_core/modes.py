"""What is switched on right now: recording, observing, the module that is running.

All of it is one immutable record in one ContextVar, read once per operation.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable
from contextvars import Context, ContextVar
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


DERIVED = ("lean", "watched")


class Mode:
    """The state of one thread (or task); never changed, only replaced.

    `run` calls a NumPy function without floating-point warnings: log(0) is -inf, silently, as
    IEEE says. It enters a context in which warnings are off, at a tenth of the cost of
    np.errstate; a context cannot be entered twice, so each thread has its own, and only a
    forward runs inside, never a rule.
    """

    __slots__ = ("forward", "grad", "hooks", "lean", "observer", "run", "scope", "watched")

    def __init__(
        self,
        grad: bool,
        forward: bool = False,
        observer: Any = None,
        scope: Scope | None = None,
        run: Callable[..., Any] | None = None,
        hooks: Any = None,
    ) -> None:
        self.grad = grad  # record operations on tensors that require grad
        self.forward = forward  # also keep what only the jvp rules need
        self.observer = observer  # keeps results, lines and times, or None
        self.scope = scope  # the innermost running module, or None
        self.run: Any = run
        self.hooks = hooks  # what saved arrays pass through, or None
        ready = hooks is None and run is not None
        self.lean = ready and observer is None
        self.watched = ready and observer is not None

    def replace(self, **changes: Any) -> Mode:
        """Return a copy with some fields changed."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name not in DERIVED}
        return Mode(**(fields | changes))


class Scope:
    """A call of a module and the one it runs inside; the module is held weakly."""

    __slots__ = ("module", "order", "parent")

    def __init__(self, module: Any, parent: Scope | None) -> None:
        self.module: Any = weakref.ref(module)
        self.parent = parent
        self.order = 0 if parent is None else parent.order

    def at(self, order: int, parent: Scope | None) -> Scope:
        """Return the backward of this call."""
        scope = Scope.__new__(Scope)
        scope.module, scope.parent, scope.order = self.module, parent, order
        return scope


def nowhere() -> None:
    """What the scope of no module refers to."""


class BackwardScopes:
    """Where ops run that a differentiable backward records, so that graphs can tell.

    `order` is 1 for the backward of what ran forward, 2 for the backward of that, and so on. Each
    scope of the graph gets a counterpart of that order, or they all get one that has no module.
    """

    def __init__(self, order: int) -> None:
        self.order = order
        outside = Scope.__new__(Scope)
        outside.module, outside.parent, outside.order = nowhere, None, order
        self._scopes: dict[Scope | None, Scope] = {None: outside}
        self._modes: dict[Scope | None, Mode] = {}
        self._last: Scope | None = outside  # of no graph

    def enter(self, scope: Scope | None) -> None:
        """Let what follows count as the backward of what ran in `scope`."""
        if scope is self._last:
            return
        self._last = scope
        mode = self._modes.get(scope)
        if mode is None:
            now = current()
            mode = self._modes[scope] = Mode(
                now.grad, now.forward, now.observer, self._at(scope), now.run, now.hooks
            )
        MODE.set(mode)

    def _at(self, scope: Scope | None) -> Scope:
        known = self._scopes.get(scope)
        if known is None:
            assert scope is not None
            outer = None if scope.parent is None else self._at(scope.parent)
            known = self._scopes[scope] = scope.at(self.order, outer)
        return known


_FRESH = Mode(grad=True)
MODE: ContextVar[Mode] = ContextVar("autograd_core.mode", default=_FRESH)
peek = MODE.get  # what a thread that has not run an op yet sees is not lean


def current() -> Mode:
    """Return this thread's mode."""
    mode = peek()
    if mode.run is None:
        quiet = Context()
        quiet.run(np.seterr, all="ignore")
        mode = mode.replace(run=quiet.run)
        MODE.set(mode)
    return mode


def enter_scope(module: Any) -> Mode:
    """Mark `module` as running; returns the mode to hand to `leave_scope`."""
    mode = current()
    MODE.set(
        Mode(
            mode.grad, mode.forward, mode.observer, Scope(module, mode.scope), mode.run, mode.hooks
        )
    )
    return mode


def leave_scope(before: Mode) -> None:
    """Return to the module that was running before."""
    mode = current()
    # A set_grad_enabled() called inside the module stays in force after it, as in PyTorch.
    MODE.set(before if mode.grad == before.grad else before.replace(grad=mode.grad))


def is_grad_enabled() -> bool:
    """Tell whether operations are being recorded in this thread."""
    return current().grad


class Switch:
    """A change of mode, as a context manager and as a decorator; reentrant."""

    changes: dict[str, Any]

    def __init__(self, **changes: Any) -> None:
        self.changes = changes
        self._before: list[Mode] = []

    def __enter__(self) -> Self:
        mode = current()
        self._before.append(mode)
        MODE.set(mode.replace(**self.changes))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        MODE.set(self._before.pop())

    def __call__(self, function: F) -> F:
        changes = self.changes
        if inspect.isgeneratorfunction(function):
            return _decorate_generator(function, changes)  # pyright: ignore[reportReturnType]

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with Switch(**changes):
                return function(*args, **kwargs)

        return inside  # pyright: ignore[reportReturnType]


def _decorate_generator(function: Callable[..., Any], changes: dict[str, Any]) -> Any:
    """Run each step of a generator in the mode, and the consumer's code outside of it."""

    @functools.wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        sent: Any = None
        resume = generator.send
        while True:
            try:
                with Switch(**changes):
                    item = resume(sent)
            except StopIteration as stop:
                return stop.value
            try:
                sent, resume = (yield item), generator.send
            except GeneratorExit:
                with Switch(**changes):
                    generator.close()
                raise
            except BaseException as error:
                sent, resume = error, generator.throw

    return inside


class no_grad(Switch):
    """Record nothing inside: `with no_grad():`, `@no_grad()` or `@no_grad`."""

    def __new__(cls, function: Any = None) -> Any:
        self = super().__new__(cls)
        if function is None:
            return self
        Switch.__init__(self, grad=False)
        return self(function)

    def __init__(self, function: None = None) -> None:
        super().__init__(grad=False)


class inference_mode(Switch):
    """Record nothing inside, as no_grad does; with mode=False, record."""

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if isinstance(mode, bool):
            return self
        Switch.__init__(self, grad=False)
        return self(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(grad=not mode)


class enable_grad(Switch):
    """Record inside, even within `no_grad`."""

    def __init__(self) -> None:
        super().__init__(grad=True)


class set_grad_enabled(Switch):
    """Switch recording on or off from here on, or for the length of a `with` block."""

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=bool(mode))
        self._outside = current()
        MODE.set(self._outside.replace(**self.changes))

    def __enter__(self) -> Self:
        self._before.append(self._outside)
        MODE.set(current().replace(**self.changes))
        return self

    def __call__(self, function: F) -> F:
        MODE.set(self._outside)
        return super().__call__(function)
