"""Tensor's hooks: what is shown of its gradient, and when."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any, Self

from .engine import Watch
from .errors import DtypeError, GraphError, ShapeError
from .recording import Node, Traced
from .variables import kind

_keys = itertools.count()


class RemovableHandle:
    """What registering a hook returns: remove() takes the hook away, so does leaving a `with`."""

    def __init__(self, hooks: dict[int, Any], hook: Any) -> None:
        self._hooks, self._key = hooks, next(_keys)
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class LeafHooks(dict[int, Any]):
    """The hooks of a leaf on its gradient, and `after` them those on the leaf once it is added."""

    def __init__(self) -> None:
        super().__init__()
        self.after: dict[int, Any] = {}


def register_hook(self: Any, hook: Callable[[Any], Any]) -> RemovableHandle:
    """Call hook(grad) whenever the gradient of this tensor is known; it may return another."""
    if not self._rg:
        raise GraphError(
            f"register_hook on a tensor of shape {self.shape} that does not require grad: it never "
            "gets a gradient; call requires_grad_() on what it is computed from"
        )
    checked = _checked(hook, self.shape, self.dtype)
    return RemovableHandle(
        _of_leaf(self) if self._node is None else watch(self._node).hooks, checked
    )


def register_post_accumulate_grad_hook(self: Any, hook: Callable[[Any], None]) -> RemovableHandle:
    """Call hook(tensor) whenever backward() has added to the `.grad` of this leaf."""
    if not self._rg or self._node is not None:
        what = "a tensor that does not require grad" if not self._rg else "a result"
        raise GraphError(
            f"register_post_accumulate_grad_hook on {what}: it is for leaves that require grad; "
            "register_hook sees the gradient of a result"
        )
    return RemovableHandle(_of_leaf(self).after, hook)


def retain_grad(self: Any) -> None:
    """Let backward() fill `.grad` of this result as it does of leaves."""
    if not self._rg:
        raise GraphError(
            f"retain_grad on a tensor of shape {self.shape} that does not require grad: "
            "it never gets a gradient"
        )
    if self._node is not None:
        seen = watch(self._node)
        seen.handle, seen.retain = weakref.ref(self), True


def watch(node: Node) -> Watch:
    """Return what is shown of a node's cotangent."""
    if node.watch is None:
        node.watch = Watch()
    return node.watch


def _of_leaf(x: Any) -> LeafHooks:
    if x._hooks is None:
        x._hooks = LeafHooks()
    return x._hooks


def _checked(hook: Callable[[Any], Any], shape: Any, dtype: Any) -> Callable[[Any], Any]:
    """Return the hook, refusing a replacement that is no gradient of the tensor."""

    def checked(g: Any) -> Any:
        replaced = hook(g)
        if replaced is None:
            return None
        name = getattr(hook, "__name__", type(hook).__name__)
        if not isinstance(replaced, Traced):
            raise TypeError(
                f"hook {name!r} returned {kind(replaced)}: it must return a Tensor or None"
            )
        if replaced._array.shape != shape:
            raise ShapeError(
                f"hook {name!r} returned a gradient of shape {replaced._array.shape} for a tensor "
                f"of shape {shape}: the shapes must be equal"
            )
        if replaced._array.dtype != dtype:
            raise DtypeError(
                f"hook {name!r} returned a gradient of {replaced._array.dtype} for a tensor of "
                f"{dtype}: convert it first"
            )
        return replaced

    return checked
