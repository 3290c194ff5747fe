"""Meeting other code: NumPy's protocols, DLPack, pickling, copying."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import ops
from .errors import GraphError
from .recording import Traced, wrap
from .versions import Array

REFUSED = (
    "numpy cannot see inside a Tensor that needs a gradient; "
    "use an op, or .detach().numpy() to leave the graph"
)

# NumPy's name for an op, where an ndarray stands on the left of a Tensor.
UFUNCS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "negative": "neg",
    "positive": "positive", "power": "pow", "matmul": "matmul", "exp": "exp", "log": "log",
    "sqrt": "sqrt", "square": "square", "tanh": "tanh", "absolute": "abs", "sign": "sign",
    "maximum": "maximum", "minimum": "minimum", "equal": "eq", "not_equal": "ne", "less": "lt",
    "less_equal": "le", "greater": "gt", "greater_equal": "ge", "sin": "sin", "cos": "cos",
    "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "sinh": "sinh", "cosh": "cosh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "exp2": "exp2", "expm1": "expm1", "log2": "log2", "log10": "log10", "log1p": "log1p",
    "floor": "floor", "ceil": "ceil", "trunc": "trunc", "floor_divide": "floor_divide",
    "remainder": "remainder", "fmod": "fmod", "fmax": "fmax", "fmin": "fmin", "hypot": "hypot",
    "copysign": "copysign", "logaddexp": "logaddexp", "logaddexp2": "logaddexp2",
    "reciprocal": "reciprocal", "isnan": "isnan", "isinf": "isinf", "isfinite": "isfinite",
}  # fmt: skip


def read_only(array: Array) -> Array:
    """Return a view that cannot be written to; the array itself is left alone."""
    view = array.view(np.ndarray)
    view.flags.writeable = False
    return view


def _bare(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)(map(_bare, x))
    if not isinstance(x, Traced):
        return x
    if x._rg:
        raise GraphError(REFUSED)
    return read_only(x._array)


def array(self: Any, dtype: Any = None, copy: bool | None = None) -> Array:
    """np.asarray(x): a read-only view of the memory."""
    view = _bare(self)
    return np.array(view, dtype, copy=True) if copy else np.asarray(view, dtype)


def array_ufunc(
    self: Any, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kw: Any
) -> Any:
    """Run a NumPy function: as its op where we have it, else on tensors without gradient only."""
    if out is not None:
        raise GraphError(f"np.{ufunc.__name__} cannot write into out= beside a Tensor: {REFUSED}")
    name = UFUNCS.get(ufunc.__name__)
    if method == "__call__" and name and not kw:
        return getattr(ops, name)(*inputs)
    return _wrapped(getattr(ufunc, method)(*map(_bare, inputs), **kw))


def array_function(self: Any, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """Run any other NumPy function on tensors that need no gradient; arrays come back."""
    return func(*_bare(tuple(args)), **{k: _bare(v) for k, v in kwargs.items()})


def _wrapped(y: Any) -> Any:
    if isinstance(y, tuple):
        return tuple(map(_wrapped, y))
    return wrap(np.asarray(y)) if isinstance(y, (np.ndarray, np.generic)) else y


def dlpack(self: Any, **kwargs: Any) -> Any:
    """Hand the memory to another library, which may write to it."""
    if self._rg:
        raise GraphError("a tensor that requires grad cannot be shared: use .detach()")
    if not self._array.flags.writeable:
        raise BufferError("read-only memory cannot be shared by DLPack: clone() it first")
    from .versions import ForeignArray

    if not isinstance(self._array, ForeignArray):
        self._array = self._array.view(ForeignArray)  # the other library may write to it
    return self._array.view(np.ndarray).__dlpack__(**kwargs)


def dlpack_device(self: Any) -> tuple[int, int]:
    """The CPU, as DLPack numbers it."""
    return self._array.__dlpack_device__()


def _rebuild(cls: Any, data: Array, requires_grad: bool, grad: Any, extra: dict[str, Any]) -> Any:
    out = cls._wrap(data, requires_grad)
    out._grad = grad
    out.__dict__.update(extra)
    return out


def _extra(x: Any) -> dict[str, Any]:
    """Return what the user set: the name, and attributes of his own."""
    return {k: v for k, v in vars(x).items() if not k.startswith("_")}


def reduce(self: Any, protocol: Any = None) -> Any:
    """Pickle a leaf: values, flag, gradient and name; history cannot be pickled."""
    if self._node is not None:
        raise GraphError("only leaf tensors can be pickled: use .detach() first")
    data = np.array(self._array, subok=False)
    return _rebuild, (type(self), data, self._rg, self._grad, _extra(self))


def deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    """copy.deepcopy of a leaf; a result has to be detached first, as in PyTorch."""
    import copy

    if self._node is not None:
        raise GraphError("only leaf tensors can be deep-copied: use .detach().clone() first")
    out = type(self)._wrap(np.array(self._array, subok=False), self._rg)
    memo[id(self)] = out
    out._grad = copy.deepcopy(self._grad, memo)
    out.__dict__.update(copy.deepcopy(_extra(self), memo))
    return out
