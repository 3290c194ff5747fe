"""Computing again instead of keeping: activation checkpoints (Chen et al. 2016)."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from . import versions
from .autograd_graph import Saved
from .errors import GraphError
from .modes import Switch, current
from .random import default_generator
from .recording import Traced
from .saved import SavedHooks
from .tree import leaves

__all__ = ["checkpoint", "checkpoint_sequential"]


class _Frame:
    """One checkpointed call: how to run it again, and what that made."""

    def __init__(self, function: Callable[[], Any], inputs: Sequence[Any], preserve: bool) -> None:
        self.function, self.preserve = function, preserve
        self.saved: list[Saved] = []  # by the first run
        self.again: list[Any] | None = None  # the arrays of the second run, while they last
        self.left = 0
        self.state = _position()
        self.drew = False
        self.outside: list[tuple[Any, Saved]] = []  # what must still be as it was, held weakly
        for x in inputs:
            self._watch(x._array)

    def _watch(self, array: Any) -> None:
        self.outside.append((weakref.ref(versions.owner(array)), Saved(array)))

    def pack(self, array: Any) -> int:
        self._watch(array)  # a parameter lives on, what the run itself made does not
        self.saved.append(self.outside[-1][1])
        return len(self.saved) - 1

    def unpack(self, place: int) -> Any:
        if self.again is None:
            self._check_outside()
            self.again = self._run_again()
            self.left = len(self.again)
        array = self.again[place]
        self.left -= 1
        if self.left == 0:  # every saved array was asked for: let go of them all
            self.again = None
        return array

    def _check_outside(self) -> None:
        for reference, saved in self.outside:
            array = reference()
            if array is not None and versions.overwritten_since(array, saved.time):
                raise GraphError(
                    f"checkpoint: a tensor of shape {saved.shape} that the function uses was "
                    "changed in place since the first run: the second one would give another "
                    "gradient; change it after backward, or give the function a clone()"
                )

    def _run_again(self) -> list[Any]:
        now = _position()
        if self.drew and not self.preserve and now != self.state:
            raise GraphError(
                "checkpoint: the function draws random numbers, and with "
                "preserve_rng_state=False it would draw others now: the gradient would be wrong"
            )
        found: list[tuple[Any, Saved]] = []
        hooks = SavedHooks(lambda array: found.append((array, Saved(array))), lambda packed: packed)
        if self.preserve:
            _move_to(self.state)
        try:
            with Switch(hooks=hooks, grad=True):
                self.function()
        finally:
            if self.preserve:
                _move_to(now)
        self._compare([saved for _, saved in found])
        for array, saved in found:
            saved.check_unchanged(array)
        return [array for array, _ in found]

    def _compare(self, again: list[Saved]) -> None:
        if len(again) != len(self.saved):
            raise GraphError(
                f"checkpoint: the second run saved {len(again)} tensors and the first "
                f"{len(self.saved)}: the function must do the same each time"
            )
        for i, (first, second) in enumerate(zip(self.saved, again, strict=True)):
            if (first.shape, first.dtype) != (second.shape, second.dtype):
                raise GraphError(
                    f"checkpoint: saved tensor {i} was {first.dtype}{first.shape} in the first run "
                    f"and is {second.dtype}{second.shape} in the second: the function must do the "
                    "same each time"
                )


def _position() -> Any:
    """Return where the default generator is in its stream."""
    return default_generator._rng.bit_generator.state


def _move_to(state: Any) -> None:
    default_generator._rng.bit_generator.state = state


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool = False,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Run function(*args), keeping nothing it saves: backward runs it again when it needs to.

    Memory for time. The state of the default generator in the first run is restored for the
    second. use_reentrant is accepted and makes no difference here.
    """
    if not current().grad:
        return function(*args, **kwargs)
    inputs = [x for x in leaves((args, kwargs)) if isinstance(x, Traced)]
    frame = _Frame(lambda: function(*args, **kwargs), inputs, preserve_rng_state)
    with Switch(hooks=SavedHooks(frame.pack, frame.unpack)):
        output = function(*args, **kwargs)
    frame.drew = _position() != frame.state
    return output


def checkpoint_sequential(functions: Any, segments: int, x: Any, **kwargs: Any) -> Any:
    """Run functions one after the other in checkpointed segments; the last one is kept whole."""
    layers = list(functions.children()) if hasattr(functions, "children") else list(functions)
    if not 1 <= segments <= len(layers):
        raise ValueError(
            f"checkpoint_sequential: cannot cut {len(layers)} layers into {segments} segments: "
            f"segments must lie between 1 and {len(layers)}"
        )
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
