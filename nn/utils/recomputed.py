"""A weight that is computed from other parameters anew before each call of its module."""

from __future__ import annotations

from typing import Any, TypeVar

import autograd_core as ag
from autograd_core import Tensor

from ..hooks import Hook
from ..module import Module
from ..parameter import Parameter


class Recomputed:
    """A forward pre-hook that sets one attribute of its module; see weight_norm, spectral_norm."""

    called = ""  # how messages name it

    def __init__(self, name: str) -> None:
        self.name = name

    def take_apart(self, module: Module, weight: Parameter) -> None:
        """Register what the weight will be computed from."""
        raise NotImplementedError

    def compute(self, module: Module) -> Tensor:
        """Return the weight of this call."""
        raise NotImplementedError

    def parts(self) -> tuple[str, ...]:
        """Return the names of what take_apart has registered."""
        raise NotImplementedError

    def __call__(self, module: Module, args: Any) -> None:
        setattr(module, self.name, self.compute(module))


M = TypeVar("M", bound=Module)


def recompute(module: M, hook: Recomputed) -> M:
    """Put the hook in charge of its weight."""
    if _found(module, type(hook), hook.name) is not None:
        raise RuntimeError(f"{hook.called} of {hook.name!r} is there already: remove it first")
    weight = module.get_parameter(hook.name)
    delattr(module, hook.name)
    hook.take_apart(module, weight)
    setattr(module, hook.name, hook.compute(module))
    module.register_forward_pre_hook(hook)
    return module


def fix(module: M, kind: type[Recomputed], name: str) -> M:
    """Make the weight a parameter again, with the value that it has now."""
    found = _found(module, kind, name)
    if found is None:
        raise ValueError(f"{kind.called} of {name!r} is not on {type(module).__name__}")
    hooks, key, hook = found
    with ag.no_grad():
        weight = hook.compute(module)
    del hooks[key]
    for part in (name, *hook.parts()):
        delattr(module, part)
    module.register_parameter(name, Parameter(weight.detach()))
    return module


def _found(
    module: Module, kind: type[Recomputed], name: str
) -> tuple[dict[int, Hook], int, Recomputed] | None:
    hooks = module._hooks.forward_pre if module._hooks else {}
    for key, hook in hooks.items():
        if isinstance(hook.function, kind) and hook.function.name == name:
            return hooks, key, hook.function
    return None
