"""The namespace of torch.autograd.graph: hooks on what is saved for backward."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from . import versions
from .errors import GraphError
from .modes import Switch
from .recording import Node as Node
from .recording import Traced, wrap
from .saved import SavedHooks
from .variables import kind

__all__ = ["Node", "save_on_cpu", "saved_tensors_hooks"]


@contextmanager
def saved_tensors_hooks(
    pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]
) -> Generator[None]:
    """Pass every tensor that is saved for backward inside through pack_hook.

    What it returns is kept instead; unpack_hook must make an equal tensor of it in backward.
    """
    if not callable(pack_hook) or not callable(unpack_hook):
        raise TypeError("saved_tensors_hooks needs two functions: pack_hook and unpack_hook")

    def pack(array: Any) -> tuple[Any, Any]:
        kept = pack_hook(wrap(array))  # first, since a hook may itself compute
        return kept, Saved(array)

    def unpack(pair: tuple[Any, Saved]) -> Any:
        kept, saved = pair
        x = unpack_hook(kept)
        if not isinstance(x, Traced):
            raise TypeError(f"the unpack hook returned {kind(x)}: it must return a Tensor")
        if x._array.shape != saved.shape:
            raise GraphError(
                f"the unpack hook returned a tensor of shape {x._array.shape} for a saved one of "
                f"shape {saved.shape}: it must return an equal tensor"
            )
        saved.check_unchanged(x._array)
        return x._array

    with Switch(hooks=SavedHooks(pack, unpack)):
        yield


class Saved:
    """When an array was saved, and what shape it had; the array itself is let go."""

    __slots__ = ("checksum", "dtype", "shape", "time")

    def __init__(self, array: Any) -> None:
        self.shape, self.dtype = array.shape, array.dtype
        self.time = versions.tick()
        foreign = isinstance(array, versions.ForeignArray)
        self.checksum = versions.checksum(array) if foreign else None

    def check_unchanged(self, array: Any) -> None:
        """Raise if `array`, which stands for the saved one, was overwritten since."""
        changed = versions.overwritten_since(array, self.time)
        if self.checksum is not None and isinstance(array, versions.ForeignArray):
            changed = changed or versions.checksum(array) != self.checksum
        if changed:
            raise GraphError(
                f"a tensor of shape {self.shape} that was saved for backward was changed in place "
                "afterwards: clone() it before changing it, or let the pack hook copy it"
            )


def save_on_cpu(pin_memory: bool = False) -> Any:
    """Keep saved tensors as copies; there is no other device to keep them from."""
    return saved_tensors_hooks(lambda x: x.clone(), lambda x: x)
