"""What users hang on a module: functions called around its forward, backward, saving, loading."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import autograd_core as ag
from autograd_core import Tensor
from autograd_core.function import Function
from autograd_core.hooks import RemovableHandle

if TYPE_CHECKING:
    from .module import Module

Grads = tuple[Any, ...]


class HookError(ValueError, RuntimeError):
    """A hook returned what it must not return."""


class Hook(NamedTuple):
    """A registered function, and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False

    def call(self, module: Module, args: Any, kwargs: dict[str, Any], *rest: Any) -> Any:
        """Call it with the keywords of the call or without them."""
        if self.with_kwargs:
            return self.function(module, args, kwargs, *rest)
        return self.function(module, args, *rest)


def _kind() -> dict[int, Hook]:
    return {}


@dataclass
class Hooks:
    """The hooks of one module: kind by kind, in the order in which they are called."""

    forward_pre: dict[int, Hook] = field(default_factory=_kind)
    forward: dict[int, Hook] = field(default_factory=_kind)
    backward_pre: dict[int, Hook] = field(default_factory=_kind)
    backward: dict[int, Hook] = field(default_factory=_kind)
    state_pre: dict[int, Hook] = field(default_factory=_kind)
    state: dict[int, Hook] = field(default_factory=_kind)
    load_pre: dict[int, Hook] = field(default_factory=_kind)
    load: dict[int, Hook] = field(default_factory=_kind)

    def call(self, module: Module, args: Any, kwargs: dict[str, Any]) -> Any:
        """Run the module's forward with everything that hangs around it."""
        result: Any = None
        called: set[int] = set()
        try:
            for hook in list(self.forward_pre.values()):
                args, kwargs = _replaced(hook, module, args, kwargs)
            passage = _Passage(module, self) if self.backward or self.backward_pre else None
            args = passage.enter(args) if passage else args
            result = module.forward(*args, **kwargs)
            for key, hook in list(self.forward.items()):
                called.add(key)
                returned = hook.call(module, args, kwargs, result)
                result = result if returned is None else returned
            return passage.leave(result) if passage else result
        except Exception:
            waiting = [hook for key, hook in self.forward.items() if key not in called]
            _call_always(waiting, module, args, kwargs, result)
            raise


def _tuple(x: Any) -> Grads:
    return cast("Grads", x) if isinstance(x, tuple) else (x,)


def _replaced(hook: Hook, module: Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Return the arguments of forward as a pre-hook leaves them."""
    returned = hook.call(module, args, kwargs)
    if returned is None:
        return args, kwargs
    new = _tuple(returned)
    if not hook.with_kwargs:
        return new, kwargs
    if new is returned and len(new) == 2:
        return new[0], new[1]
    raise HookError(
        "a forward pre-hook with with_kwargs=True returned something else than None or "
        "(args, kwargs)"
    )


def _call_always(
    hooks: Sequence[Hook], module: Module, args: Any, kwargs: dict[str, Any], result: Any
) -> None:
    """After an error, call what wants to be called anyway; a second error is only a warning."""
    for hook in hooks:
        if hook.always_call:
            try:
                hook.call(module, args, kwargs, result)
            except Exception as error:
                warnings.warn(
                    f"a forward hook with always_call=True raised while another error was on "
                    f"its way: {error!r}",
                    stacklevel=4,
                )


class _Gate(Function):
    """Tensors as they are; the gradients of all of them come back through one function."""

    @staticmethod
    def forward(ctx: Any, back: Callable[[Grads], Grads], *tensors: Tensor) -> Any:
        ctx.back = back
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        return (None, *ctx.back(grad_outputs))

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        return grad_inputs[1:]


class _Passage:
    """One call of a module that has backward hooks: a gate before it, and a gate after it."""

    def __init__(self, module: Module, hooks: Hooks) -> None:
        self.module = module
        self.pre = [hook.function for hook in hooks.backward_pre.values()]
        self.hooks = [hook.function for hook in hooks.backward.values()]
        self.grad_output: Grads | None = None  # while backward is between the gates
        self.count = 0  # of the module's arguments
        self.gated = False  # an argument requires grad

    def enter(self, args: Grads) -> Grads:
        self.count = len(args)

        def back(grads: Grads) -> Grads:
            if self.grad_output is None:  # on a path that did not start at the module's output
                return grads
            grad_output, self.grad_output = self.grad_output, None
            return self._given(grads, grad_output)

        gated = _through(args, back, zeros=True) if self.hooks else None
        self.gated = gated is not None
        return args if gated is None else gated

    def leave(self, result: Any) -> Any:
        gated = _through(_tuple(result), self._back)
        if gated is None:
            return result
        return gated if isinstance(result, tuple) else gated[0]

    def _back(self, grads: Grads) -> Grads:
        for hook in self.pre:
            grads = _same_number("full backward pre-hook", hook(self.module, grads), grads)
        if self.gated:
            self.grad_output = grads
        elif self.hooks:
            self._given((None,) * self.count, grads)
        return grads

    def _given(self, grads: Grads, grad_output: Grads) -> Grads:
        for hook in self.hooks:
            returned = hook(self.module, grads, grad_output)
            grads = _same_number("full backward hook", returned, grads)
        return grads


def _same_number(who: str, returned: Any, grads: Grads) -> Grads:
    if returned is None:
        return grads
    new = _tuple(returned)
    if len(new) != len(grads):
        raise HookError(f"a {who} returned {len(new)} gradients: it must return {len(grads)}")
    return new


def _through(values: Grads, back: Callable[[Grads], Grads], zeros: bool = False) -> Grads | None:
    """Pass the tensors among the values through a gate; None where no gradient will come back.

    `back` sees a gradient, or None, for each value; with `zeros` never None where one could come.
    """
    places = [i for i, x in enumerate(values) if isinstance(x, Tensor)]
    tracked = [i for i in places if values[i].requires_grad]
    if not tracked or not ag.is_grad_enabled():
        return None

    def packed(grads: Grads) -> Grads:
        whole: list[Any] = [None] * len(values)
        for i, g in zip(places, grads, strict=True):
            if g is None and zeros and i in tracked:
                g = ag.zeros_like(values[i]).detach()
            whole[i] = g if i in tracked or not zeros else None
        new = back(tuple(whole))
        return tuple(new[i] for i in places)

    gated = _Gate.apply(packed, *(values[i] for i in places))
    whole = list(values)
    for i, x in zip(places, gated, strict=True):
        whole[i] = x
    return cast("Any", type(values))(*whole) if hasattr(values, "_fields") else tuple(whole)


class Hooked:
    """The methods by which a module takes hooks; each returns a handle with remove()."""

    __slots__ = ()

    _hooks: Hooks | None = None  # made with the first hook, so that a call without is quick

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Before forward, hook(module, args) may return other arguments.

        With with_kwargs it is hook(module, args, kwargs), which may return (args, kwargs).
        """
        return self._hang("forward_pre", Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """After forward, hook(module, args, output) may return another output.

        With with_kwargs it is hook(module, args, kwargs, output). With always_call it is called
        after an error too, and output may be None then.
        """
        return self._hang("forward", Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """In backward, hook(module, grad_output) may return other gradients of the outputs."""
        return self._hang("backward_pre", Hook(hook), prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """In backward, hook(module, grad_input, grad_output) may return another grad_input.

        Both are tuples, with None where an argument or output is no tensor or has no gradient.
        Keyword arguments of the call are not looked at.
        """
        return self._hang("backward", Hook(hook), prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Before the module's values are written: hook(module, prefix, keep_vars)."""
        return self._hang("state_pre", Hook(hook))

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Once they are written: hook(module, state_dict, prefix, local_metadata)."""
        return self._hang("state", Hook(hook))

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Before anything is checked, hook may change a copy of the state dict that is loaded.

        It is called with (module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs); what it puts into the three lists is reported.
        """
        return self._hang("load_pre", Hook(hook))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Once everything is loaded: hook(module, incompatible_keys)."""
        return self._hang("load", Hook(hook))

    def _hang(self, kind: str, hook: Hook, first: bool = False) -> RemovableHandle:
        if self._hooks is None:
            self._hooks = Hooks()
        hooks: dict[int, Hook] = getattr(self._hooks, kind)
        before = dict(hooks) if first else {}
        handle = RemovableHandle(hooks, hook)
        for key, other in before.items():
            del hooks[key]
            hooks[key] = other
        return handle

    def _each_hook(self, kind: str) -> list[Callable[..., Any]]:
        """Return the functions of a kind."""
        hooks: dict[int, Hook] = getattr(self._hooks, kind) if self._hooks else {}
        return [hook.function for hook in hooks.values()]
