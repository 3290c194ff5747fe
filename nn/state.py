"""The values of a module by path, out (`state_dict`) and in again (`load_state_dict`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import autograd_core as ag
from autograd_core import Tensor

from .hooks import HookError
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module


class StateError(ValueError, RuntimeError):
    """A state dict does not fit what it is loaded into."""


class Keys(NamedTuple):
    """What a load that was not strict left out."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"Keys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def collect(
    module: Module, destination: dict[str, Tensor], prefix: str, keep_vars: bool
) -> dict[str, Tensor]:
    """Put every parameter and persistent buffer into `destination`, by path."""
    for hook in module._each_hook("state_pre"):
        hook(module, prefix, keep_vars)
    for name, tensor in module._stored():
        destination[prefix + name] = tensor if keep_vars else tensor.detach()
    # A module that stands under two names is written under both, as in PyTorch.
    for name, child in module._own_modules():
        child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    for hook in module._each_hook("state"):
        _nothing("state_dict post-hook", hook(module, destination, prefix, {}))
    return destination


def load(module: Module, values: Mapping[str, Any], strict: bool, assign: bool) -> Keys:
    """Check everything, and only then copy anything."""
    if not isinstance(values, Mapping):
        got = type(values).__name__
        raise TypeError(f"load_state_dict got a {got}: it needs a mapping from names to tensors")
    values, keys, problems = dict(values), Keys([], []), list[str]()
    everywhere = list(module.named_modules(remove_duplicate=False))
    for path, owner in everywhere:
        for hook in owner._each_hook("load_pre"):
            hook(owner, values, f"{path}." if path else "", {}, strict, *keys, problems)
    targets = {
        f"{path}.{name}" if path else name: tensor
        for path, owner in everywhere
        for name, tensor in owner._stored()
    }
    keys.missing_keys.extend(key for key in targets if key not in values)
    keys.unexpected_keys.extend(key for key in values if key not in targets)
    if strict:
        problems += [*_names("missing", keys[0]), *_names("unexpected", keys[1])]
    sources = _sources(values, targets, problems)
    if problems:
        listed = "".join(f"\n    {problem}" for problem in problems)
        raise StateError(f"{type(module).__name__} cannot load this state dict:{listed}")
    for key, source in sources.items():
        if assign:
            _assign(module, key, source)
        else:
            with ag.no_grad():
                targets[key].copy_(source)
    for _, owner in reversed(everywhere):  # children before parents
        for hook in owner._each_hook("load"):
            _nothing("load_state_dict post-hook", hook(owner, keys))
    return keys


def _nothing(who: str, returned: Any) -> None:
    if returned is not None:
        raise HookError(f"a {who} returned a {type(returned).__name__}: it must return None")


def _sources(
    values: Mapping[str, Any], targets: Mapping[str, Tensor], problems: list[str]
) -> dict[str, Tensor]:
    """Return the values that have a place, as tensors; say which do not fit it."""
    sources: dict[str, Tensor] = {}
    for key, target in targets.items():
        if key in values:
            problem = _misfit(values[key], target)
            if problem:
                problems.append(f"{key}: {problem}")
            else:
                sources[key] = ag.as_tensor(values[key])
    return sources


def _names(kind: str, names: list[str]) -> list[str]:
    return [f"{kind}: {', '.join(names)}"] if names else []


def _misfit(value: Any, target: Tensor) -> str:
    """Say why a value cannot be copied into a target; "" where it can."""
    if not issubclass(type(value), (Tensor, np.ndarray)):
        return f"got a {type(value).__name__}, needs a Tensor"
    if tuple(value.shape) != tuple(target.shape):
        return f"got shape {tuple(value.shape)}, needs {tuple(target.shape)}"
    if value.dtype.kind not in "fiub":
        return f"got dtype {value.dtype}, needs {target.dtype}"
    return ""


def _assign(module: Module, key: str, source: Tensor) -> None:
    """Put the tensor itself in the place of the old one."""
    path, _, name = key.rpartition(".")
    owner = module.get_submodule(path)
    old = getattr(owner, name)
    if isinstance(old, Parameter):
        source = Parameter(source.detach(), old.requires_grad)
    setattr(owner, name, source)
