"""torch.compile's place: there is no compiler yet."""

from __future__ import annotations

import functools
from typing import Any


def compile(model: Any = None, **options: Any) -> Any:
    """Return the function or module as it is, and say once that nothing was compiled."""
    if model is None:  # @compile(mode=...)
        return functools.partial(compile, **options)
    if not callable(model):
        raise TypeError(f"compile got a {type(model).__name__}: it needs a function or a module")
    _say()
    return model


@functools.cache
def _say() -> None:
    import logging

    note = "autograd_core.compile returns what it is given: there is no compiler yet"
    logging.getLogger("autograd_core").warning(note)
