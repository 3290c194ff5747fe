"""In-place changes of shape: x.unsqueeze_(0) makes the handle x a view of what it was.

No element moves. What x was lives on behind a handle of its own, and the views of x become views
of that one, so that a later in-place change finds all of them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from . import inplace, ops
from .errors import GraphError, ShapeError
from .modes import current
from .recording import View, wrap


def _behind(x: Any) -> Any:
    """Return a handle that is what x is, and let the views of x be views of it."""
    old = wrap(x._array)
    old._node, old._rg, old._view, old._views = x._node, x._rg, x._view, x._views
    x._views = None
    for reference in old._views or ():
        view = reference()
        if view is not None:
            view._view = View(old, view._view.steps)
    return old


def _become(x: Any, name: str, function: Callable[..., Any], *args: Any, **names: Any) -> Any:
    """Let x be the view of itself that the function returns."""
    recorded = current().grad
    if x._rg and recorded and x._node is None:
        raise GraphError(
            f"{name} would change a leaf of shape {x._array.shape} that requires grad in place: "
            "use no_grad(), or an op that returns a new tensor"
        )
    if x._rg and not recorded and x._node is not None:
        raise GraphError(f"{name} inside no_grad() would lose the history: detach() it first")
    function(wrap(x._array), *args, **names)  # which refuses what does not fit
    old = _behind(x)
    seen = function(old, *args, **names)
    x._array = seen._array
    if x._rg and not recorded:
        return x  # a leaf stays one
    x._node, x._rg, x._view = seen._node, seen._rg, seen._view
    if x._view is not None:
        base = x._view.base
        base._views = [*(base._views or ()), weakref.ref(x)]
    return x


def _form(name: str) -> Callable[..., Any]:
    function = getattr(ops, name)

    def method(self: Any, *args: Any, **names: Any) -> Any:
        return _become(self, f"{name}_", function, *args, **names)

    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f"Make x the view of it that {name} returns."
    return method


def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
    """Set the diagonal to one value; `wrap` lets that of a tall matrix begin anew below."""
    shape = self._array.shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ShapeError(
            f"fill_diagonal_ got shape {shape}: it needs a matrix, or more axes of one size"
        )
    places = np.arange(min(shape))
    key = (places,) * len(shape)
    if wrap and len(shape) == 2:
        key = tuple(np.divmod(np.arange(0, shape[0] * shape[1], shape[1] + 1), max(shape[1], 1)))
    inplace.setitem(self, key, fill_value)
    return self


FORMS: dict[str, Callable[..., Any]] = {
    f"{name}_": _form(name)
    for name in ("squeeze", "swapaxes", "swapdims", "t", "transpose", "unsqueeze")
} | {"fill_diagonal_": fill_diagonal_}
