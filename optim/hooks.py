"""An optimiser's hooks: what is called before and after its steps, and around its state dict."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.hooks import RemovableHandle

Hook = Callable[..., Any]
KINDS = ("step_pre", "step_post", "save_pre", "save_post", "load_pre", "load_post")


def hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a step that calls the hooks around it; a hook before may return other arguments.

    Inside a step arithmetic is silent: a weight that overflows is inf.
    """

    @functools.wraps(step)
    def step_with_hooks(self: Any, *args: Any, **kwargs: Any) -> Any:
        hooks = self._hooks
        for hook in tuple(hooks["step_pre"].values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                args, kwargs = _arguments(self, changed)
        with np.errstate(all="ignore"):
            result = step(self, *args, **kwargs)
        for hook in tuple(hooks["step_post"].values()):
            hook(self, args, kwargs)
        return result

    return step_with_hooks


def _arguments(optimizer: Any, changed: Any) -> tuple[Any, Any]:
    if not isinstance(changed, tuple) or len(changed) != 2:  # pyright: ignore
        raise RuntimeError(
            f"{type(optimizer).__name__}: a step_pre_hook returned {changed!r}: "
            "it must return None or (args, kwargs)"
        )
    return changed  # pyright: ignore[reportUnknownVariableType]


class Hooks:
    """The registers of an optimiser's hooks, under PyTorch's names."""

    def __init__(self) -> None:
        self._hooks: dict[str, dict[int, Hook]] = {kind: {} for kind in KINDS}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = hooked(cls.step)  # type: ignore[attr-defined]

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call hook(optimizer, args, kwargs) before every step; it may return other arguments."""
        return self._register("step_pre", hook)

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call hook(optimizer, args, kwargs) after every step."""
        return self._register("step_post", hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call hook(optimizer) before the state dict is made."""
        return self._register("save_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call hook(optimizer, state_dict) on every state dict; it may return another."""
        return self._register("save_post", hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Hook, prepend: bool = False
    ) -> RemovableHandle:
        """Call hook(optimizer, state_dict) before one is loaded; it may return another."""
        return self._register("load_pre", hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Hook, prepend: bool = False
    ) -> RemovableHandle:
        """Call hook(optimizer) after a state dict is loaded."""
        return self._register("load_post", hook, prepend)

    def _register(self, kind: str, hook: Hook, prepend: bool = False) -> RemovableHandle:
        hooks = self._hooks[kind]
        earlier = dict(hooks) if prepend else {}
        handle = RemovableHandle(hooks, hook)
        for key in earlier:  # a dict keeps the order in which keys come in
            hooks[key] = hooks.pop(key)
        return handle

    def _called(self, kind: str, *rest: Any) -> Any:
        """Call the hooks of a kind on what they may replace, if anything; return what it is."""
        for hook in list(self._hooks[kind].values()):
            returned = hook(self, *rest)
            if rest and returned is not None:
                rest = (returned,)
        return rest[0] if rest else None
