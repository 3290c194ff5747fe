"""Products of matrices and vectors, and what adds them to something else."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import op as declare
from ..errors import DtypeError, ShapeError
from ..matrices import affine, product
from ..op import aliased, method
from ..recording import Traced
from ..versions import Array
from .comparison import where
from .reduction import sum
from .shape import Shape, dim_of, transpose

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cross", "dot", "ger", "inner",
    "linear", "mT", "matmul", "mm", "mv", "outer", "trace", "vdot",
]  # fmt: skip


def mT(x: Any) -> Any:
    """x with its last two axes swapped."""
    return transpose(x, -2, -1) if isinstance(x, Traced) else np.swapaxes(x, -2, -1)


def _row(x: Any) -> Any:
    return x.unsqueeze(-2) if isinstance(x, Traced) else x[..., None, :]


def _column(x: Any) -> Any:
    return x.unsqueeze(-1) if isinstance(x, Traced) else x[..., None]


def _rows(x: Any, n: int) -> Any:
    """Return x as a matrix with n columns."""
    return x if len(x.shape) == 2 else x.reshape((math.prod(x.shape[:-1]), n))


def _matmul_a(g: Any, b: Any, shapes: Any) -> Any:
    a_ndim, b_ndim = len(shapes[0]), len(shapes[1])
    if b_ndim == 1:
        return _column(g) * b if a_ndim > 1 else g * b
    if a_ndim == 1:
        return matmul(_row(g), mT(b))[..., 0, :]
    return matmul(g, mT(b))


def _matmul_b(g: Any, a: Any, shapes: Any) -> Any:
    a_ndim, b_ndim = len(shapes[0]), len(shapes[1])
    if a_ndim == 1:
        return _column(a) * _row(g) if b_ndim > 1 else g * a
    if b_ndim == 1:
        return matmul(mT(a), _column(g))[..., 0]
    if b_ndim == 2 and a_ndim > 2:  # one product over the joined rows, not one for each batch
        return matmul(_rows(a, shapes[0][-1]).T, _rows(g, shapes[1][-1]))
    return matmul(mT(a), g)


@declare.linear(
    label="@",
    vjp=[_matmul_a, _matmul_b],
    multiply_adds=lambda shapes, y, params: math.prod(y) * shapes[0][-1],
    method=True,
)
def matmul(a: Array, b: Array) -> Array:
    """Matrix product over the last two axes: (..., n, k) @ (..., k, m) -> (..., n, m)."""
    return _multiplied(a, b)


def _multiplied(a: Array, b: Array) -> Array:
    if a.dtype is not b.dtype:
        same_dtype(a, b)
    try:
        return product(a, b)
    except ValueError:
        raise ShapeError(_misfit(a.shape, b.shape)) from None


def _misfit(a: Shape, b: Shape) -> str:
    if not a or not b:
        return "a matrix product needs at least one axis on each side"
    rows = b[-2] if len(b) > 1 else b[0]
    if a[-1] != rows:
        return f"a has {a[-1]} columns and b has {rows} rows: they must agree"
    return f"the leading axes {a[:-2]} and {b[:-2]} do not broadcast"


def same_dtype(*arrays: Array) -> None:
    """Raise where the dtypes differ: products do not convert."""
    if len({x.dtype for x in arrays}) > 1:
        names = " and ".join(str(x.dtype) for x in arrays)
        raise TypeError(f"dtypes {names} differ; convert one with .to(dtype)")


def _product(a: Any, b: Any, axes: tuple[int, int]) -> Any:
    """Return a @ b, of operands with exactly so many axes."""
    sizes, more = a.shape, b.shape
    if (len(sizes), len(more)) != axes:
        needed = " and ".join("1 axis" if n == 1 else f"{n} axes" for n in axes)
        raise ShapeError(f"it needs operands with {needed}; matmul also takes others")
    if sizes[-1] != more[-2 if axes[1] > 1 else 0] or sizes[:-2] != more[:-2]:
        raise ShapeError(_misfit(tuple(sizes), tuple(more)))
    return matmul(a, b)


@declare.linear(
    label="@",
    vjp=[lambda g, b: matmul(g, mT(b)), lambda g, a: matmul(mT(a), g)],
    multiply_adds=lambda shapes, y, params: math.prod(y) * shapes[0][-1],
    method=True,
)
def mm(a: Array, b: Array) -> Array:
    """Product of two matrices: (n, k), (k, m) -> (n, m)."""
    if a.ndim != 2 or b.ndim != 2:
        raise ShapeError("it needs operands with 2 axes and 2 axes; matmul also takes others")
    return _multiplied(a, b)


@method
@aliased
def mv(x: Any, vec: Any) -> Any:
    """Product of a matrix and a vector: (n, k), (k) -> (n)."""
    return _product(x, vec, (2, 1))


@method
@aliased
def bmm(x: Any, mat2: Any) -> Any:
    """Products of as many matrices on each side: (b, n, k), (b, k, m) -> (b, n, m)."""
    return _product(x, mat2, (3, 3))


@method
@aliased
def dot(x: Any, tensor: Any) -> Any:
    """Sum of the products of two vectors' elements."""
    return _product(x, tensor, (1, 1))


@method
@aliased
def vdot(x: Any, other: Any) -> Any:
    """Sum of the products of two vectors' elements; real numbers have no conjugate."""
    return _product(x, other, (1, 1))


@method
@aliased
def inner(x: Any, other: Any) -> Any:
    """Sums of products over the last axes: (..., k), (*, k) -> (..., *)."""
    a, b = tuple(x.shape), tuple(other.shape)
    if not a or not b:
        return x * other
    if a[-1] != b[-1]:
        raise ShapeError("their last axes must agree")
    return matmul(_rows(x, a[-1]), mT(_rows(other, b[-1]))).reshape(a[:-1] + b[:-1])


@method
@aliased
def outer(x: Any, vec2: Any) -> Any:
    """All products of two vectors' elements: (n), (m) -> (n, m)."""
    if len(x.shape) != 1 or len(vec2.shape) != 1:
        raise ShapeError("it needs two vectors, with 1 axis each")
    return _column(x) * vec2


@method
@aliased
def ger(x: Any, vec2: Any) -> Any:
    """All products of two vectors' elements: another name of outer."""
    return outer(x, vec2)


def _added(x: Any, product: Any, beta: float, alpha: float) -> Any:
    """Return beta x + alpha product, in the product's shape; beta = 0 hides what is in x."""
    if x.dtype != product.dtype:
        raise DtypeError(
            f"dtypes {x.dtype} and {product.dtype} differ; convert one with .to(dtype)"
        )
    small, whole = tuple(x.shape), tuple(product.shape)
    fits = zip(small[::-1], whole[::-1], strict=False)
    if len(small) > len(whole) or any(n not in (1, m) for n, m in fits):
        raise ShapeError(f"what is added must broadcast to the product's shape {whole}")
    if x.dtype.kind != "f":  # whole numbers cut alpha and beta, as PyTorch does
        alpha, beta = (x.dtype.type(n).item() for n in (alpha, beta))
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product + where(False, x, False)
    return product + (x if beta == 1 else x * beta)


@method
@aliased
def addmm(x: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta x + alpha mat1 @ mat2: (n, m), (n, k), (k, m) -> (n, m)."""
    row = len(x.shape) == 1 and len(mat1.shape) == len(mat2.shape) == 2
    if row and beta == alpha == 1 and x.shape[0] == mat2.shape[1] and mat1.dtype == x.dtype:
        return linear(mat1, mat2.T, x)  # adds a row while the product is in the cache
    return _added(x, _product(mat1, mat2, (2, 2)), beta, alpha)


@method
@aliased
def addmv(x: Any, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta x + alpha mat @ vec: (n), (n, k), (k) -> (n)."""
    return _added(x, _product(mat, vec, (2, 1)), beta, alpha)


@method
@aliased
def baddbmm(x: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta x + alpha batch1 @ batch2: (b, n, m), (b, n, k), (b, k, m) -> (b, n, m)."""
    return _added(x, _product(batch1, batch2, (3, 3)), beta, alpha)


@method
@aliased
def addbmm(x: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta x + alpha times the sum of batch1 @ batch2 over the batch."""
    return _added(x, sum(_product(batch1, batch2, (3, 3)), 0), beta, alpha)


@method
@aliased
def addr(x: Any, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta x + alpha times the outer product: (n, m), (n), (m) -> (n, m)."""
    return _added(x, outer(vec1, vec2), beta, alpha)


def _linear_weight(g: Any, x: Any, shapes: Any) -> Any:
    out, n = shapes[1]
    return matmul(_rows(g, out).T, _rows(x, n))


@declare.op(
    vjp=[
        lambda g, weight: matmul(g, weight),
        _linear_weight,
        lambda g, shapes: sum(_rows(g, shapes[1][0]), 0),
    ],
    jvp=[
        lambda t, weight: matmul(t, weight.T),
        lambda t, x: matmul(x, t.T),
        lambda t: t,
    ],
    multiply_adds=lambda shapes, y, params: math.prod(y) * shapes[1][1],
)
def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """y = x Wᵀ + b, with x (..., in), W (out, in), b (out) and y (..., out)."""
    check_linear(x, weight, bias)
    return affine(x, weight, bias)


def check_linear(x: Array, weight: Array, bias: Array | None) -> None:
    """Raise where shapes or dtypes of a linear map do not fit together."""
    if weight.ndim != 2:
        raise ShapeError("the weight must have 2 axes, (out, in)")
    if not x.ndim or x.shape[-1] != weight.shape[1]:
        raise ShapeError(f"the last axis of x must be {weight.shape[1]}, as in the weight")
    if x.dtype is not weight.dtype or (bias is not None and x.dtype is not bias.dtype):
        same_dtype(*(z for z in (x, weight, bias) if z is not None))


@declare.linear(vjp=[lambda g, shapes: g * np.eye(*shapes[0], dtype=g.dtype)], method=True)
def trace(x: Array) -> Array:
    """Sum of a matrix's diagonal."""
    if x.ndim != 2:
        raise ShapeError("it needs a matrix, with 2 axes")
    return np.trace(x)


@declare.linear(
    vjp=[
        lambda g, b, dim: cross_along(b, g, dim),
        lambda g, a, dim: cross_along(g, a, dim),
    ],
    label="cross",
)
def cross_along(a: Array, b: Array, dim: int) -> Array:
    """a × b, of vectors with three elements along one axis."""
    if a.ndim != b.ndim:
        raise ShapeError("both operands must have as many axes")
    axis = dim_of(a.ndim, dim)
    if not a.ndim or a.shape[axis] != 3 or b.shape[axis] != 3:
        raise ShapeError(f"axis {dim} must have 3 elements in both")
    same_dtype(a, b)
    return np.cross(a, b, axis=axis)


@method
@aliased
def cross(x: Any, other: Any, dim: int | None = None) -> Any:
    """x × other along `dim`, by default the first axis that has three elements."""
    if dim is None:
        if 3 not in x.shape:
            raise ShapeError("no axis has 3 elements")
        dim = tuple(x.shape).index(3)
    return cross_along(x, other, dim)
