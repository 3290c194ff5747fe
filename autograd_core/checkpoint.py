"""Computing again instead of keeping: activation checkpoints, and hooks on what is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .errors import GraphError
from .modes import MODE, current
from .random import get_rng_state, set_rng_state
from .recording import SavedHooks, Traced, wrap

__all__ = ["checkpoint", "checkpoint_sequential", "save_on_cpu", "saved_tensors_hooks"]


@contextmanager
def saved_tensors_hooks(
    pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]
) -> Iterator[None]:
    """Pass every tensor that is saved for backward inside through pack_hook.

    What it returns is kept instead; unpack_hook must make an equal tensor of it in backward.
    """
    hooks = SavedHooks(
        lambda array: pack_hook(wrap(array)), lambda packed: _unwrapped(unpack_hook(packed))
    )
    with _hooked(hooks):
        yield


def _unwrapped(x: Any) -> Any:
    if not isinstance(x, Traced):
        raise TypeError(f"the unpack hook returned a {type(x).__name__}: it must return a Tensor")
    return x._array


@contextmanager
def _hooked(hooks: SavedHooks) -> Iterator[None]:
    before = current()
    MODE.set(before.replace(hooks=hooks))
    try:
        yield
    finally:
        MODE.set(current().replace(hooks=before.hooks))


class _Frame:
    """One checkpointed call: how to run it again, and what that made."""

    def __init__(self, function: Callable[[], Any], preserve: bool) -> None:
        self.function, self.preserve = function, preserve
        self.count = 0
        self.kinds: list[tuple[Any, Any]] = []  # shape and dtype of each array it saved
        self.again: list[Any] | None = None  # the arrays of the second run, while they last
        self.left = 0
        self.state = get_rng_state()
        self.drew = False
        self.grad = current().grad

    def pack(self, array: Any) -> int:
        self.kinds.append((array.shape, array.dtype))
        self.count += 1
        return self.count - 1

    def unpack(self, place: int) -> Any:
        if self.again is None:
            self.again = self._run_again()
            self.left = self.count
        array = self.again[place]
        self.left -= 1
        if self.left == 0:  # every saved array was asked for: let go of them all
            self.again = None
        return array

    def _run_again(self) -> list[Any]:
        found: list[Any] = []
        now = get_rng_state()
        if self.drew and not self.preserve and not _same(now, self.state):
            raise GraphError(
                "checkpoint: the function draws random numbers, and with "
                "preserve_rng_state=False it would draw others now: the gradient would be wrong"
            )
        if self.preserve:
            set_rng_state(self.state)
        try:
            with _hooked(SavedHooks(lambda array: found.append(array), lambda packed: packed)):
                MODE.set(current().replace(grad=True))
                self.function()
        finally:
            if self.preserve:
                set_rng_state(now)
            MODE.set(current().replace(grad=self.grad))
        kinds = [(array.shape, array.dtype) for array in found]
        if kinds != self.kinds:
            raise GraphError(
                f"checkpoint: the second run saved {len(kinds)} tensors and the first "
                f"{len(self.kinds)}, or others: the function must do the same each time"
            )
        return found


def _same(a: Any, b: Any) -> bool:
    return np.array_equal(a._array, b._array)


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool = False,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Run function(*args), keeping nothing it saves: backward runs it again when it needs to.

    Memory for time (Chen et al. 2016). The random state of the first run is restored for the
    second. use_reentrant is accepted and makes no difference here.
    """
    if not current().grad:
        return function(*args, **kwargs)
    frame = _Frame(lambda: function(*args, **kwargs), preserve_rng_state)
    with _hooked(SavedHooks(frame.pack, frame.unpack)):
        output = function(*args, **kwargs)
    frame.drew = not _same(get_rng_state(), frame.state)
    return output


def checkpoint_sequential(functions: Any, segments: int, x: Any, **kwargs: Any) -> Any:
    """Run functions one after the other in checkpointed segments; the last one is kept whole."""
    layers = list(functions.children()) if hasattr(functions, "children") else list(functions)
    if not 1 <= segments <= len(layers):
        raise ValueError(f"checkpoint_sequential: cannot cut {len(layers)} layers into {segments}")
    size = len(layers) // segments
    starts = [size * k for k in range(segments)]
    for start, end in zip(starts, [*starts[1:], len(layers)], strict=True):
        run = _chain(layers[start:end])
        x = run(x) if end == len(layers) else checkpoint(run, x, **kwargs)
    return x


def _chain(layers: list[Any]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for layer in layers:
            x = layer(x)
        return x

    return run


def save_on_cpu(pin_memory: bool = False) -> Any:
    """Keep saved tensors as copies; there is no other device to keep them from."""
    return saved_tensors_hooks(lambda x: x.clone(), lambda x: x)
