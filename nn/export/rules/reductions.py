"""Rules of ops that make one number of many, or of those up to each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core import dtypes

from ..compared import Batch
from ..edges import Edge, NoForm


def reduced(x: Edge, kind: str, dim: Any, keepdim: bool) -> Edge:
    """Reduce over some axes, or over all."""
    dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    return x.do(kind, x.ints(*[x.axis(d) for d in dims]), keepdims=int(keepdim))


def _rule(kind: str) -> Any:
    return lambda x, dim, keepdim: reduced(x, kind, dim, keepdim)


def _casting(kind: str) -> Any:
    """Return the rule of a reduction that may widen: whole numbers add up as int64."""
    return lambda x, dim, keepdim, y: reduced(x.cast(y.dtype), kind, dim, keepdim)


def _place(kind: str) -> Any:
    def rule(x: Edge, dim: Any, keepdim: bool, y: Edge) -> Edge:
        if dim is None:
            found = x.reshape((-1,)).do(kind, axis=0, keepdims=0, dtype=dtypes.int64)
        else:
            found = x.do(kind, axis=x.axis(dim), keepdims=int(keepdim), dtype=dtypes.int64)
        return found.reshape(y.shape)

    return rule


def _extreme(kind: str, place: str) -> Any:
    return lambda x, dim, keepdim: [
        reduced(x, kind, dim, keepdim),
        x.do(place, axis=x.axis(dim), keepdims=int(keepdim), dtype=dtypes.int64),
    ]


def variance(x: Edge, dim: Any, correction: float, keepdim: bool) -> Edge:
    dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    sizes = [x.shape[d] for d in dims]
    if any(isinstance(n, Batch) for n in sizes):
        raise NoForm("it divides by a count that depends on the size of the batch")
    d = x - reduced(x, "ReduceMean", dim, True)
    squares = x.shaped(d * d)
    return reduced(squares, "ReduceSum", dim, keepdim) / (math.prod(sizes) - correction)


def norm(x: Edge, p: float, dim: Any, keepdim: bool) -> Edge:
    kind = {1.0: "ReduceL1", 2.0: "ReduceL2"}.get(float(p))
    if kind:
        return reduced(x, kind, dim, keepdim)
    size = x.shaped(x.do("Abs"))
    if math.isinf(p):
        return reduced(size, "ReduceMax" if p > 0 else "ReduceMin", dim, keepdim)
    if not p:
        raise NoForm("it counts, as the norm of order 0")
    return reduced(x.shaped(size.do("Pow", p)), "ReduceSum", dim, keepdim).do("Pow", 1.0 / p)


def _any(kind: str) -> Any:
    def rule(x: Edge, dim: Any, keepdim: bool) -> Edge:
        counted = x.cast(dtypes.bool).cast(dtypes.int32)
        return reduced(counted, kind, dim, keepdim).cast(dtypes.bool)

    return rule


def largest(x: Edge, k: int, dim: int, largest: bool, sorted: bool) -> list[Edge]:
    values, places = x.do(
        "TopK", x.ints(k), axis=x.axis(dim), largest=int(largest), sorted=int(sorted), outputs=2
    )
    places.dtype = dtypes.int64
    return [values, places]


def softmax(kind: str) -> Any:
    return lambda x, dim, y: x.cast(y.dtype).do(kind, axis=x.axis(dim))


RULES: dict[str, Any] = {
    "sum": _casting("ReduceSum"),
    "prod": _casting("ReduceProd"),
    "mean": _casting("ReduceMean"),
    "amax": _rule("ReduceMax"),
    "amin": _rule("ReduceMin"),
    "max_all": lambda x: reduced(x, "ReduceMax", None, False),
    "min_all": lambda x: reduced(x, "ReduceMin", None, False),
    "max_along": _extreme("ReduceMax", "ArgMax"),
    "min_along": _extreme("ReduceMin", "ArgMin"),
    "argmax": _place("ArgMax"),
    "argmin": _place("ArgMin"),
    "all": _any("ReduceMin"),
    "any": _any("ReduceMax"),
    "logsumexp": _rule("ReduceLogSumExp"),
    "norm": norm,
    "var": variance,
    "std": lambda x, dim, correction, keepdim: variance(x, dim, correction, keepdim).do("Sqrt"),
    "topk": largest,
    "cumsum": lambda x, dim, y: x.cast(y.dtype).do(
        "CumSum", x.graph.constant(np.array(x.axis(dim), np.int64))
    ),
    "softmax": softmax("Softmax"),
    "log_softmax": softmax("LogSoftmax"),
}
