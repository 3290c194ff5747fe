"""Rows of linear algebra: products, solutions, factors, norms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

import autograd_core as ag
from tests.ops.case import Array, OpCase


def as_drawn(x: Array) -> Array:
    """What was drawn is fit as it is."""
    return x


def plainly(function: Callable[..., Any], *operands: Any, **params: Any) -> Any:
    """The function itself is checked."""
    return function(*operands, **params)


@dataclass(frozen=True, eq=False)
class MatrixCase(OpCase):
    """A row whose matrices have to be of some kind, or whose results are not unique.

    `fit` makes well-behaved matrices of drawn ones. `around` calls the function, ours or another
    library's, on what it makes of the operands, and makes something unique of what it returns.
    """

    fit: Callable[[Array], Array] = as_drawn
    around: Callable[..., Any] = plainly

    def fill(self, operands: tuple[Any, ...], rng: np.random.Generator, dtype: Any) -> Any:
        """Return the operands with fit matrices in place of shapes."""
        filled = super().fill(operands, rng, dtype)
        drawn = zip(operands, filled, strict=True)
        return [self.fit(x).astype(dtype) if isinstance(o, tuple) else x for o, x in drawn]

    def call(self, operands: list[Any]) -> Any:
        """Run it on tensors or bare arrays."""
        function = self.op.call if self.op else attrgetter(self.name)(ag)
        return self.around(function, *operands, **self.params)


def row(name: str, operands: tuple[Any, ...], params: Any = None, *, theirs: str | None = None,
        reference: Callable[..., Any], **facets: Any) -> MatrixCase:  # fmt: skip
    """Return a row that PyTorch has as `theirs`, or under the same name, called around alike."""
    params = params or {}
    around = facets.get("around", plainly)
    path = theirs or name

    def torch(module: Any, *given: Any) -> Any:
        return around(attrgetter(path)(module), *given, **params)

    return MatrixCase(name, operands, params, reference=reference, torch=torch, **facets)


def regular(x: Array) -> Array:
    """Singular values between 1 and 2, all different, along the singular vectors of x."""
    if x.ndim < 2 or 0 in x.shape:
        return x
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return (u * np.linspace(2.0, 1.0, s.shape[-1])) @ vh


def low_rank(x: Array) -> Array:
    """Singular values 2, 1 and else 0."""
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    return 2.0 * u[..., :1] @ vh[..., :1, :] + u[..., 1:2] @ vh[..., 1:2, :]


def positive_definite(x: Array) -> Array:
    """Eigenvalues between 1 and 4."""
    return regular(x) @ regular(x).swapaxes(-1, -2)


def separated(x: Array) -> Array:
    """Symmetric, with eigenvalues between -1 and 2, all different."""
    if x.shape[-1] != x.shape[-2]:
        return x
    q, _ = np.linalg.qr(x)
    return (q * np.linspace(-1.0, 2.0, x.shape[-1])) @ q.swapaxes(-1, -2)


def dominant(x: Array) -> Array:
    """Large diagonals in square matrices."""
    return x + 4.0 * np.eye(x.shape[-1]) if x.shape[-1] == x.shape[-2] else x


def symmetric(f: Callable[..., Any], x: Any, **params: Any) -> Any:
    return f(0.5 * (x + x.mT), **params)


def positive(f: Callable[..., Any], x: Any, **params: Any) -> Any:
    return f(x @ x.mT, **params)


def turned(vectors: Any, like: Any = None) -> Any:
    """Return columns with the signs that make the first of each, or of another's, positive."""
    first = (vectors if like is None else like)[..., :1, :]
    return vectors * (first / abs(first))


def unique_eigh(eigh: Callable[..., Any], x: Any, **params: Any) -> Any:
    values, vectors = eigh(0.5 * (x + x.mT), **params)
    return values, turned(vectors)


def unique_svd(svd: Callable[..., Any], x: Any, **params: Any) -> Any:
    u, s, vh = svd(x, **params)
    return turned(u), s, turned(vh.mT, u)


def unique_qr(qr: Callable[..., Any], x: Any, **params: Any) -> Any:
    q, r = qr(x, **params)
    return turned(q), turned(r.mT, q).mT


def solution(lstsq: Callable[..., Any], a: Any, b: Any) -> Any:
    return lstsq(a, b).solution


def residuals(lstsq: Callable[..., Any], a: Any, b: Any) -> Any:
    return lstsq(a, b, driver="gelsd").residuals


def as_list(multi_dot: Callable[..., Any], *chain: Any) -> Any:
    return multi_dot(chain)


def gram_schmidt(x: Array) -> tuple[Array, Array]:
    """Q, of which the first row is positive, and R, one column after the other."""
    m, n = x.shape
    k = min(m, n)
    q = np.zeros((m, k))
    for j in range(k):
        v = x[:, j] - q[:, :j] @ (q[:, :j].T @ x[:, j])
        q[:, j] = v / np.sqrt(v @ v) * np.sign(v[0])
    return q, q.T @ x


def by_minors(x: Array) -> Any:
    """Determinant by Laplace's expansion along the first row."""
    n = len(x)
    if n == 0:
        return 1.0
    rest = (np.delete(x[1:], j, 1) for j in range(n))
    return sum((-1) ** j * x[0, j] * by_minors(minor) for j, minor in enumerate(rest))


def cofactors(x: Array) -> Array:
    """(-1)^(i + j) times the minors."""
    minors = [
        [by_minors(np.delete(np.delete(x, i, 0), j, 1)) * (-1) ** (i + j) for j in range(len(x))]
        for i in range(len(x))
    ]
    return np.array(minors)


def slope_of_cofactors(t: Array, x: Array) -> Array:
    """Central difference, exact for the polynomials of second degree that these are."""
    return (cofactors(x + t) - cofactors(x - t)) / 2.0


def each(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return f of every matrix of a batch."""
    return lambda x: np.array([f(m) for m in x])


def adjugate(x: Array) -> Array:
    """Inverse by minors."""
    return cofactors(x).T / by_minors(x)


def by_rows(a: Array) -> Array:
    """Cholesky's factor, one row after the other."""
    factor = np.zeros(a.shape)
    for i, j in zip(*np.tril_indices(len(a)), strict=True):
        rest = a[i, j] - factor[i, :j] @ factor[j, :j]
        factor[i, j] = np.sqrt(rest) if i == j else rest / factor[j, j]
    return factor


def exponential(x: Array) -> Array:
    """The power series."""
    y = term = np.eye(len(x))
    for k in range(1, 60):
        term = term @ x / k
        y = y + term
    return y


def spectrum(x: Array) -> Array:
    """Eigenvalues as the roots of the characteristic polynomial."""
    return np.sort(np.roots(np.poly(x)).real)


def eigenvectors(x: Array) -> tuple[Array, Array]:
    """Eigenvalues, and of each the vector that every other is at right angles to."""
    x = 0.5 * (x + x.T)
    values = spectrum(x)
    n = len(x)
    columns = []
    for i in range(n):
        p = np.eye(n)
        for j in range(n):
            if j != i:
                p = p @ (x - values[j] * np.eye(n)) / (values[i] - values[j])
        v = p[:, 0]
        columns.append(v / np.sqrt(v @ v))
    return values, turned(np.array(columns).T)


def singular_values(x: Array) -> Array:
    """Roots of the eigenvalues of the smaller product of x with itself."""
    gram = x @ x.T if len(x) < x.shape[1] else x.T @ x
    return np.sqrt(spectrum(gram))[::-1]


def singular_vectors(x: Array) -> tuple[Array, Array, Array]:
    if len(x) > x.shape[1]:
        v, s, u = singular_vectors(x.T)
        return turned(u), s, turned(v, u)
    values, u = eigenvectors(x @ x.T)
    s = np.sqrt(values)[::-1]
    u = turned(u[:, ::-1])
    return u, s, x.T @ u / s


def apart(a: Array, b: Array, p: float) -> Array:
    """p-norms of differences, pair by pair."""
    power = np.abs(a[..., :, None, :] - b[..., None, :, :]) ** p
    return power.sum(-1) ** (1.0 / p)


def written(equation: str) -> dict[str, Any]:
    """Return the facets of an einsum row."""
    return {
        "around": lambda einsum, *xs: einsum(equation, *xs),
        "reference": lambda *xs: np.einsum(equation, *xs, optimize=False),
    }


SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.5, -1.0, 1.0]])
COUNTS = np.array([1, 2, 1, 3])
SHARES = np.array([0.5, 1.5, 1.0, 2.0])

PRODUCTS = [
    OpCase("matmul", ((3, 4), (4, 2)), analytic=True, wrong=((3, 4), (3, 2)),
           reference=lambda a, b: np.einsum("ik,kj->ij", a, b)),
    OpCase("matmul", ((4,), (4,)), analytic=True, wrong=((4,), (3,)),
           reference=lambda a, b: np.einsum("k,k->", a, b)),
    OpCase("matmul", ((5, 3, 4), (4,)), analytic=True,
           reference=lambda a, b: np.einsum("nik,k->ni", a, b)),
    OpCase("matmul", ((4,), (5, 4, 2)), analytic=True,
           reference=lambda a, b: np.einsum("k,nkj->nj", a, b)),
    OpCase("matmul", ((2, 1, 3, 4), (5, 4, 2)), analytic=True, wrong=((2, 3, 4), (5, 4, 2)),
           reference=lambda a, b: np.einsum("pqik,qkj->pqij", np.repeat(a, 5, 1), b)),
    OpCase("matmul", ((5, 3, 4), (4, 2)), analytic=True,
           reference=lambda a, b: np.einsum("nik,kj->nij", a, b)),
    OpCase("matmul", ((3, 4), (5, 4, 2)), analytic=True,
           reference=lambda a, b: np.einsum("ik,nkj->nij", a, b)),
    OpCase("matmul", ((3, 0), (0, 2)), reference=lambda a, b: np.zeros((3, 2))),
    OpCase("linear", ((3, 4), (2, 4), (2,)), wrong=((3, 4), (2, 3), (2,)),
           reference=lambda x, w, b: np.einsum("ni,oi->no", x, w) + b),
    OpCase("linear", ((4,), (2, 4), (2,)),
           reference=lambda x, w, b: np.einsum("i,oi->o", x, w) + b),
    OpCase("linear", ((5, 3, 4), (2, 4), None),
           reference=lambda x, w, b: np.einsum("nmi,oi->nmo", x, w)),
    OpCase("linear", ((0, 4), (2, 4), (2,)), reference=lambda x, w, b: np.zeros((0, 2))),
    OpCase("linear_relu", ((3, 4), (2, 4), (2,)), wrong=((3, 4), (2, 3), (2,)),
           torch=lambda torch, x, w, b: torch.nn.functional.linear(x, w, b).relu(),
           reference=lambda x, w, b: np.maximum(np.einsum("ni,oi->no", x, w) + b, 0)),
    OpCase("linear_relu", ((5, 3, 4), (2, 4), None),
           torch=lambda torch, x, w, b: torch.nn.functional.linear(x, w, b).relu(),
           reference=lambda x, w, b: np.maximum(np.einsum("nmi,oi->nmo", x, w), 0)),
    OpCase("mT", ((2, 3, 4),), reference=lambda x: np.einsum("ijk->ikj", x),
           torch=lambda torch, x: x.mT),
    OpCase("mm", ((3, 4), (4, 2)), wrong=((3, 4), (3, 2)),
           reference=lambda a, b: np.einsum("ik,kj->ij", a, b)),
    OpCase("mv", ((3, 4), (4,)), wrong=((3, 4), (4, 1)),
           reference=lambda a, b: np.einsum("ik,k->i", a, b)),
    OpCase("bmm", ((2, 3, 4), (2, 4, 2)), wrong=((2, 3, 4), (3, 4, 2)),
           reference=lambda a, b: np.einsum("nik,nkj->nij", a, b)),
    OpCase("dot", ((4,), (4,)), wrong=((4,), (3,)), reference=lambda a, b: np.einsum("k,k", a, b)),
    OpCase("vdot", ((4,), (4,)), wrong=((4,), ()), reference=lambda a, b: np.einsum("k,k", a, b)),
    OpCase("inner", ((3, 4), (2, 5, 4)), wrong=((3, 4), (4, 3)),
           reference=lambda a, b: np.einsum("ik,jlk->ijl", a, b)),
    OpCase("inner", ((3, 0), (2, 0)), reference=lambda a, b: np.zeros((3, 2))),
    OpCase("inner", ((), (3,)), reference=lambda a, b: a * b),
    OpCase("outer", ((3,), (4,)), wrong=((3,), (4, 1)),
           reference=lambda a, b: np.einsum("i,j->ij", a, b)),
    OpCase("ger", ((3,), (4,)),
           reference=lambda a, b: np.einsum("i,j->ij", a, b)),
    OpCase("addmm", ((2,), (3, 4), (4, 2)), {"beta": 0.5, "alpha": 2.0},
           wrong=((3,), (3, 4), (4, 2)),
           reference=lambda x, a, b: 0.5 * x + 2.0 * np.einsum("ik,kj->ij", a, b)),
    OpCase("addmm", ((3, 2), (3, 4), (4, 2)), {"beta": 0}, wrong=((2, 3, 2), (3, 4), (4, 2)),
           reference=lambda x, a, b: np.einsum("ik,kj->ij", a, b)),
    OpCase("addmv", ((3,), (3, 4), (4,)), {"alpha": -1}, wrong=((3,), (3, 4), (3,)),
           reference=lambda x, a, b: x - np.einsum("ik,k->i", a, b)),
    OpCase("addbmm", ((3, 2), (5, 3, 4), (5, 4, 2)), {"beta": 3}, wrong=((3, 2), (5, 3, 4), (4, 2)),
           reference=lambda x, a, b: 3 * x + np.einsum("nik,nkj->ij", a, b)),
    OpCase("baddbmm", ((3, 2), (5, 3, 4), (5, 4, 2)), {"alpha": 0.5},
           wrong=((3, 3), (5, 3, 4), (5, 4, 2)),
           reference=lambda x, a, b: x + 0.5 * np.einsum("nik,nkj->nij", a, b)),
    OpCase("addr", ((3, 1), (3,), (4,)), {"alpha": 2}, wrong=((2, 4), (3,), (4,)),
           reference=lambda x, a, b: x + 2 * np.einsum("i,j->ij", a, b)),
    OpCase("trace", ((3, 4),), analytic=True, wrong=((2, 3, 4),),
           reference=lambda x: np.einsum("ii", x[:, :3])),
    OpCase("cross_along", ((2, 3), (1, 3)), {"dim": -1}, analytic=True, wrong=((2, 3), (2, 4)),
           reference=lambda a, b: np.stack([np.cross(x, b[0]) for x in a]),
           torch=lambda torch, a, b: torch.linalg.cross(a, b)),
    OpCase("cross", ((2, 3, 3), (2, 3, 3)), wrong=((2, 4), (2, 4)),
           reference=lambda a, b: np.cross(a, b, axis=1),
           torch=lambda torch, a, b: torch.linalg.cross(a, b, dim=1)),
    row("linalg.cross", ((2, 3), (2, 3)), reference=lambda a, b: np.cross(a, b)),
    row("linalg.diagonal", ((2, 3, 4),), {"offset": 1},
        reference=lambda x: np.stack([x[:, i, i + 1] for i in range(3)], -1)),
    row("linalg.vecdot", ((3, 4), (4,)), reference=lambda a, b: np.einsum("ij,j->i", a, b)),
    row("linalg.vecdot", ((3, 4), (3, 4)), {"dim": 0},
        reference=lambda a, b: np.einsum("ij,ij->j", a, b)),
]  # fmt: skip

EINSUM = [
    OpCase("contract", ((2, 3, 4), (4, 2, 5)), {"spec": (tuple("nik"), tuple("knj"), tuple("jni"))},
           analytic=True, torch=None, wrong=((2, 3, 4), (3, 2, 5)),
           reference=lambda a, b: np.einsum("nik,knj->jni", a, b)),
    OpCase("contract", ((2, 3), (3, 2)), {"spec": (tuple("ik"), tuple("ki"), tuple("i"))},
           torch=None, reference=lambda a, b: np.einsum("ik,ki->i", a, b)),
    OpCase("contract", ((2, 3), (4,)), {"spec": (tuple("ij"), tuple("k"), tuple("kji"))},
           analytic=True, torch=None, reference=lambda a, b: np.einsum("ij,k->kji", a, b)),
    row("einsum", ((3, 4), (4, 2)), wrong=((3, 4), (3, 2)), **written("ik,kj->ij")),
    row("einsum", ((3, 4), (4, 2)), **written("ik,kj->ji")),
    row("einsum", ((3, 4), (4, 2)), **written("ba,ac")),
    row("einsum", ((3, 4), (3, 4)), **written("ij,ij->")),
    row("einsum", ((3, 4), (3, 4)), **written("ij,ij->ij")),
    row("einsum", ((3, 4), (5,)), **written("ij,k->kji")),
    row("einsum", ((2, 3, 4), (2, 4, 5)), wrong=((2, 3, 4), (2, 4)),
        **written("...ij,...jk->...ik")),
    row("einsum", ((2, 1, 3), (4, 3)), **written("a...i,...i->a...")),
    row("einsum", ((3, 3),), **written("ii->i")),
    row("einsum", ((3, 3),), **written("ii")),
    row("einsum", ((3, 4),), **written("ij->ji")),
    row("einsum", ((3, 4),), **written("ij->j")),
    row("einsum", ((3, 3, 2), (3, 4)), **written("iij,ik->jk")),
    row("einsum", ((3, 4), (2, 5)), **written("ij,kl->k")),
    row("einsum", ((1, 4), (3, 4)), **written("ij,ij->i")),
    row("einsum", ((2, 3), (3, 4), (4, 5)), **written("ij,jk,kl->il")),
    row("einsum", ((2, 3), (4, 2, 3), (4, 3)), **written("bi,abi,ai->ab")),
    row("einsum", ((2,), (3,), (2, 3), (3,)), **written("i,j,ij,j->i")),
    row("einsum", ((0, 3), (3, 2)), **written("ij,jk->ik")),
    row("tensordot", ((3, 4, 2), (4, 2, 5)), wrong=((3, 4, 2), (2, 4, 5)),
        reference=lambda a, b: np.einsum("ijk,jkl->il", a, b)),
    row("tensordot", ((3, 4, 2), (2, 5, 3)), {"dims": ([0, -1], [2, 0])},
        reference=lambda a, b: np.einsum("ijk,kli->jl", a, b)),
    row("tensordot", ((3,), (2,)), {"dims": 0}, reference=lambda a, b: np.einsum("i,j->ij", a, b)),
]  # fmt: skip

SOLVING = [
    row("inv", ((3, 3),), theirs="linalg.inv", fit=regular, wrong=((3, 4),), reference=adjugate),
    row("inv", ((2, 3, 3),), theirs="linalg.inv", fit=regular, reference=each(adjugate)),
    row("inv", ((0, 3, 3),), theirs="linalg.inv", reference=lambda x: x),
    row("inverse", ((3, 3),), fit=regular, reference=adjugate),
    row("solve", ((3, 3), (3, 2)), theirs="linalg.solve", fit=regular, wrong=((3, 3), (4, 2)),
        reference=lambda a, b: adjugate(a) @ b),
    row("linalg.solve", ((2, 3, 3), (2, 3)), fit=regular,
        reference=lambda a, b: np.einsum("nij,nj->ni", each(adjugate)(a), b)),
    row("linalg.solve", ((3, 3), (2, 4, 3)), {"left": False}, fit=regular,
        reference=lambda a, b: b @ adjugate(a)),
    MatrixCase("solve_triangular", ((3, 3), (3, 2)), {"upper": True, "unit": False}, fit=dominant,
               wrong=((3, 3), (2, 2)), reference=lambda a, b: adjugate(np.triu(a)) @ b,
               torch=lambda torch, a, b: torch.linalg.solve_triangular(a, b, upper=True)),
    MatrixCase("solve_triangular", ((2, 3, 3), (3, 2)), {"upper": False, "unit": True},
               fit=dominant, reference=lambda a, b: each(adjugate)(np.tril(a, -1) + np.eye(3)) @ b,
               torch=lambda torch, a, b: torch.linalg.solve_triangular(
                   a, b.expand(2, 3, 2), upper=False, unitriangular=True
               )),
    row("linalg.solve_triangular", ((3, 3), (2, 3)), {"upper": True, "left": False}, fit=dominant,
        reference=lambda a, b: b @ adjugate(np.triu(a))),
    row("pinv", ((4, 3),), {"atol": None, "rtol": None}, theirs="linalg.pinv", fit=regular,
        wrong=((3,),), reference=lambda x: adjugate(x.T @ x) @ x.T),
    row("linalg.pinv", ((2, 3, 4),), fit=regular,
        reference=each(lambda x: x.T @ adjugate(x @ x.T))),
    row("pinverse", ((3, 4),), fit=regular, reference=lambda x: x.T @ adjugate(x @ x.T)),
    row("linalg.pinv", ((3, 3),), fit=regular, reference=adjugate),
    row("matrix_rank", ((2, 4, 3),), {"atol": None, "rtol": 1e-3}, theirs="linalg.matrix_rank",
        fit=low_rank, reference=lambda x: np.array([2, 2])),
    row("matrix_rank", ((3, 4),), {"atol": 1.5, "rtol": None}, theirs="linalg.matrix_rank",
        fit=low_rank, reference=lambda x: np.array(1)),
    row("linalg.lstsq", ((4, 3), (4, 2)), fit=regular, around=solution,
        reference=lambda a, b: adjugate(a.T @ a) @ a.T @ b),
    row("linalg.lstsq", ((3, 4), (3, 2)), fit=regular, around=solution,
        reference=lambda a, b: a.T @ adjugate(a @ a.T) @ b),
    row("linalg.lstsq", ((4, 3), (4, 2)), fit=regular, around=residuals,
        reference=lambda a, b: np.sum((a @ adjugate(a.T @ a) @ a.T @ b - b) ** 2, 0)),
    row("det", ((3, 3),), analytic=True, wrong=((2, 3),), reference=by_minors),
    row("det", ((2, 4, 4),), analytic=True, reference=each(by_minors)),
    row("det", ((3, 3),), fit=low_rank, reference=lambda x: np.array(0.0)),
    row("det", ((0, 0),), reference=lambda x: np.array(1.0)),
    MatrixCase("cofactor", ((3, 3),), fit=regular, torch=None, reference=cofactors),
    OpCase("singular_slope", ((3, 3), SINGULAR), keeps_dtype=False, torch=None,
           reference=slope_of_cofactors),
    row("slogdet", ((3, 3),), fit=regular, wrong=((2, 3),),
        reference=lambda x: (np.sign(by_minors(x)), np.log(np.abs(by_minors(x))))),
    row("logdet", ((2, 3, 3),), fit=positive_definite,
        reference=lambda x: np.log(each(by_minors)(x))),
    row("matrix_power", ((3, 3),), {"n": 5}, wrong=((2, 3),),
        reference=lambda x: x @ x @ x @ x @ x),
    row("matrix_power", ((2, 3, 3),), {"n": 1}, reference=lambda x: x),
    row("matrix_power", ((3, 3),), {"n": 0}, reference=lambda x: np.eye(3)),
    row("matrix_power", ((3, 3),), {"n": -2}, fit=regular,
        reference=lambda x: adjugate(x) @ adjugate(x)),
    row("matrix_exp", ((3, 3),), wrong=((2, 3),), reference=exponential),
    row("matrix_exp", ((2, 3, 3),), low=-6.0, high=0.0, reference=each(exponential)),
    row("linalg.multi_dot", ((4,), (4, 3), (3, 5), (5,)), around=as_list,
        reference=lambda a, b, c, d: a @ b @ c @ d),
    row("chain_matmul", ((2, 4), (4, 3), (3, 5)), wrong=((2, 4), (4, 3), (2, 5)),
        theirs="linalg.multi_dot", reference=lambda a, b, c: a @ b @ c,
        around=lambda f, *xs: f(*xs) if f is ag.chain_matmul else f(xs)),
]  # fmt: skip

FACTORS = [
    row("cholesky", ((3, 3),), theirs="linalg.cholesky", fit=regular, around=positive,
        reference=lambda x: by_rows(x @ x.T)),
    row("linalg.cholesky", ((2, 3, 3),), {"upper": True}, fit=regular, around=positive,
        reference=each(lambda x: by_rows(x @ x.T).T)),
    MatrixCase("cholesky_solve", ((3, 2), (3, 3)), fit=dominant,
               reference=lambda b, f: adjugate(np.tril(f) @ np.tril(f).T) @ b,
               torch=lambda torch, b, f: torch.cholesky_solve(b, f.tril())),
    MatrixCase("cholesky_solve", ((3, 2), (3, 3), True), fit=dominant,
               reference=lambda b, f, _: adjugate(np.triu(f).T @ np.triu(f)) @ b,
               torch=lambda torch, b, f, upper: torch.cholesky_solve(b, f.triu(), upper)),
    MatrixCase("cholesky_inverse", ((3, 3),), fit=dominant,
               reference=lambda f: adjugate(np.tril(f) @ np.tril(f).T),
               torch=lambda torch, f: torch.cholesky_inverse(f.tril())),
    row("qr", ((4, 3),), {"mode": "reduced"}, theirs="linalg.qr", fit=regular, around=unique_qr,
        reference=gram_schmidt),
    row("qr", ((3, 3),), {"mode": "complete"}, theirs="linalg.qr", fit=regular, around=unique_qr,
        reference=gram_schmidt),
    row("linalg.qr", ((2, 4),), fit=regular, around=unique_qr, reference=gram_schmidt),
    row("eigh", ((3, 3),), theirs="linalg.eigh", fit=separated, around=unique_eigh,
        reference=eigenvectors),
    row("eigh", ((2, 2),), {"UPLO": "U"}, theirs="linalg.eigh", fit=separated, around=unique_eigh,
        reference=eigenvectors),
    row("eigvalsh", ((2, 3, 3),), theirs="linalg.eigvalsh", fit=separated, around=symmetric,
        reference=each(spectrum)),
    row("svd", ((3, 3),), theirs="linalg.svd", fit=regular, around=unique_svd,
        reference=singular_vectors),
    row("svd", ((4, 2),), {"full_matrices": False}, theirs="linalg.svd", fit=regular,
        around=unique_svd, reference=singular_vectors),
    row("svd", ((2, 3),), {"full_matrices": False}, theirs="linalg.svd", fit=regular,
        around=unique_svd, reference=singular_vectors),
    row("svdvals", ((2, 3, 4),), theirs="linalg.svdvals", fit=regular, wrong=((3,),),
        reference=each(singular_values)),
]  # fmt: skip

NORMS = [
    row("linalg.vector_norm", ((3, 4),), reference=lambda x: np.sqrt(np.einsum("ij,ij", x, x))),
    row("linalg.vector_norm", ((2, 3, 4),), {"ord": 3, "dim": (0, 2), "keepdim": True},
        reference=lambda x: (np.abs(x) ** 3).sum((0, 2), keepdims=True) ** (1 / 3)),
    row("linalg.vector_norm", ((3, 4),), {"ord": float("-inf"), "dim": 1}, distinct=True, low=0.5,
        reference=lambda x: np.sort(np.abs(x))[:, 0]),
    row("linalg.matrix_norm", ((2, 3, 4),),
        reference=lambda x: np.sqrt(np.einsum("nij,nij->n", x, x))),
    row("linalg.matrix_norm", ((3, 2, 4),), {"ord": "nuc", "dim": (0, 2), "keepdim": True},
        fit=regular, reference=lambda x: np.array(
            [[[singular_values(x[:, i]).sum()] for i in range(2)]]
        )),
    row("linalg.matrix_norm", ((2, 3, 4),), {"ord": 2}, fit=regular,
        reference=each(lambda x: singular_values(x)[0])),
    row("linalg.matrix_norm", ((4, 3),), {"ord": -2}, fit=regular,
        reference=lambda x: singular_values(x)[-1]),
    row("linalg.matrix_norm", ((3, 4),), {"ord": 1},
        reference=lambda x: np.sort(np.abs(x).sum(0))[-1]),
    row("linalg.matrix_norm", ((3, 4),), {"ord": float("-inf"), "dim": (1, 0)},
        reference=lambda x: np.sort(np.abs(x).sum(0))[0]),
    row("linalg.norm", ((2, 3, 4),), reference=lambda x: np.sqrt(np.einsum("nij,nij", x, x))),
    row("linalg.norm", ((4,), 1), reference=lambda x, _: np.abs(x).sum()),
    row("linalg.norm", ((3, 4), float("inf")),
        reference=lambda x, _: np.sort(np.abs(x).sum(1))[-1]),
    row("linalg.norm", ((3, 4),), {"dim": 1},
        reference=lambda x: np.sqrt(np.einsum("ij,ij->i", x, x))),
    row("linalg.cond", ((2, 3, 4),), fit=regular, reference=lambda x: np.array([2.0, 2.0])),
    MatrixCase("linalg.cond", ((3, 3), 1), fit=regular,
               reference=lambda x, _: (
                   np.abs(x).sum(0).max() * np.abs(adjugate(x)).sum(0).max()
               ),
               torch=lambda torch, x, p: (  # whose own gradient fails here
                   torch.linalg.norm(x, p) * torch.linalg.norm(torch.linalg.inv(x), p)
               )),
    row("linalg.cond", ((3, 3), -2), fit=regular, reference=lambda x, _: np.array(0.5)),
]  # fmt: skip

DISTANCES = [
    OpCase("euclidean", ((3, 2), (4, 2)), {"many": 25}, reference=lambda a, b: apart(a, b, 2),
           torch=lambda torch, a, b: torch.cdist(a, b)),
    row("cdist", ((2, 3, 2), (4, 2)), {"compute_mode": "use_mm_for_euclid_dist"},
        wrong=((3, 2), (4, 3)), reference=lambda a, b: apart(a, b, 2)),
    row("cdist", ((3, 2), (4, 2)), {"p": 3.0}, reference=lambda a, b: apart(a, b, 3)),
    row("cdist", ((3, 2), (4, 2)), {"p": 1.0}, distinct=True,
        reference=lambda a, b: apart(a, b, 1)),
    row("cov", ((3, 5),), wrong=((2, 3, 4),), reference=np.cov),
    row("cov", ((5,),), {"correction": 0}, reference=lambda x: np.cov(x, ddof=0)),
    OpCase("cov", ((3, 4),), {"fweights": COUNTS}, reference=lambda x: np.cov(x, fweights=COUNTS),
           torch=lambda torch, x: torch.cov(x, fweights=torch.tensor(COUNTS))),
    OpCase("cov", ((3, 4),), {"fweights": COUNTS, "aweights": SHARES}, keeps_dtype=False,
           reference=lambda x: np.cov(x, fweights=COUNTS, aweights=SHARES),
           torch=lambda torch, x: torch.cov(
               x, fweights=torch.tensor(COUNTS), aweights=torch.tensor(SHARES)
           )),
    row("corrcoef", ((3, 5),), reference=np.corrcoef),
]  # fmt: skip

CASES: list[OpCase] = [
    *PRODUCTS, *EINSUM, *SOLVING, *FACTORS, *NORMS, *DISTANCES,
]  # fmt: skip
