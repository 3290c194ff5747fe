"""Linear algebra where it is special: singular, degenerate, empty, refused, large."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.ops import powers, solving
from autograd_core.ops.einsum import _steps
from tests.ops.rows.linalg import CASES

linalg = ag.linalg
RANK_ONE = [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [-1.0, -2.0, -3.0]]
RANK_TWO = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]


def leaf(x: Any) -> ag.Tensor:
    return ag.tensor(x, dtype=ag.float64, requires_grad=True)


def ones(*shape: int, dtype: Any = ag.float64) -> ag.Tensor:
    return ag.ones(shape, dtype=dtype)


def grad(y: Any, x: Any, **options: Any) -> Any:
    return ag.autograd.grad(y, x, **options)[0]


def test_every_function_of_the_namespace_has_a_row() -> None:
    names = {name for name, f in vars(linalg).items() if callable(f) and not name.startswith("_")}
    names -= {"LinAlgError", "aliased", "Any", "cross_along"}
    rows = {case.name for case in CASES}
    assert {name for name in names if not {name, f"linalg.{name}"} & rows} == set()


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: ag.mm(ones(3), ones(3, 4)), ag.ShapeError,
     r"mm got shapes \(3,\) and \(3, 4\): it needs operands with 2 axes and 2 axes; matmul also"),
    (lambda: ag.mv(ones(3, 4), ones(3)), ag.ShapeError,
     r"mv got shapes \(3, 4\) and \(3,\): a has 4 columns and b has 3 rows: they must agree"),
    (lambda: ones(3, 4) @ ones(3, 4), ag.ShapeError,
     r"matmul got shapes \(3, 4\) and \(3, 4\): a has 4 columns and b has 3 rows"),
    (lambda: ones(2, 3, 4) @ ones(5, 4, 3), ag.ShapeError,
     r"matmul got .*: the leading axes \(2,\) and \(5,\) do not broadcast"),
    (lambda: ag.matmul(ones(), ones(3)), ag.ShapeError, "needs at least one axis on each side"),
    (lambda: ones(2, 2) @ ones(2, 2, dtype=ag.float32), ag.DtypeError,
     r"matmul got .*: dtypes float64 and float32 differ; convert one with \.to\(dtype\)"),
    (lambda: ag.outer(ones(2, 2), ones(2)), ag.ShapeError, "outer got .* needs two vectors"),
    (lambda: ag.ger(ones(2, 2), ones(2)), ag.ShapeError, "outer got .* needs two vectors"),
    (lambda: ag.inner(ones(2), ones(3)), ag.ShapeError, "inner got .* their last axes must agree"),
    (lambda: ag.addmm(ones(3, 3), ones(2, 3), ones(3, 2)), ag.ShapeError,
     r"addmm got .*: what is added must broadcast to the product's shape \(2, 2\)"),
    (lambda: ag.addmv(ones(2, dtype=ag.float32), ones(2, 3), ones(3)), ag.DtypeError,
     "addmv got .*: dtypes float32 and float64 differ"),
    (lambda: ag.trace(ones(3)), ag.ShapeError, r"trace got shape \(3,\): it needs a matrix"),
    (lambda: ag.cross(ones(2, 2), ones(2, 2)), ag.ShapeError, "cross got .*: no axis has 3 elem"),
    (lambda: linalg.cross(ones(2, 4), ones(2, 4)), ag.ShapeError, "axis -1 must have 3 elements"),
    (lambda: linalg.cross(ones(3), ones(2, 3)), ag.ShapeError, "must have as many axes"),
    (lambda: ag.einsum("ij,jk", ones(2, 3)), ag.ShapeError,
     r"einsum\('ij,jk'\) got shape \(2, 3\): it has 2 terms for 1 arrays"),
    (lambda: ag.einsum("ijk", ones(2, 3)), ag.ShapeError,
     r"the term 'ijk' does not name the axes of array 0, \(2, 3\)"),
    (lambda: ag.einsum("ij->ik", ones(2, 3)), ag.ShapeError,
     "the result names 'k' and no array has it"),
    (lambda: ag.einsum("ij->ii", ones(2, 3)), ag.ShapeError, "the result names 'i' twice"),
    (lambda: ag.einsum("i1->i", ones(2, 3)), ag.ShapeError, "the term 'i1' has '1': letters"),
    (lambda: ag.einsum("ij,jk", ones(2, 3), ones(4, 2)), ag.ShapeError,
     "index 'j' has sizes 3 and 4"),
    (lambda: ag.einsum("ii", ones(2, 3)), ag.ShapeError, "index 'i' has sizes 2 and 3"),
    (lambda: ag.einsum("...,...", ones(2), ones(3)), ag.ShapeError,
     "axis -1 under the ellipsis has sizes 2 and 3"),
    (lambda: ag.tensordot(ones(2, 3), ones(2, 3), 1), ag.ShapeError,
     r"tensordot got .*: the axes \(1,\) and \(0,\) have sizes \(3,\) and \(2,\): they must agree"),
    (lambda: linalg.inv(ones(2, 3)), ag.ShapeError,
     r"inv got shape \(2, 3\): its matrices must be square, not 2 by 3"),
    (lambda: linalg.inv(ones(3)), ag.ShapeError, r"inv got shape \(3,\): it needs matrices"),
    (lambda: linalg.inv(ones(2, 2, dtype=ag.int64)), ag.DtypeError,
     r"inv got .*int64.*: it needs float32 or float64: convert with \.to\(dtype\)"),
    (lambda: linalg.svd(ones(2, 2, dtype=ag.float16)), ag.DtypeError, "needs float32 or float64"),
    (lambda: linalg.solve(ones(2, 2), ones(3, 1)), ag.ShapeError,
     "solve got .*: A has 2 rows and B has 3: they must agree"),
    (lambda: linalg.solve(ones(2, 2), ones(2, 1, dtype=ag.float32)), ag.DtypeError,
     "solve got .*: dtypes float64 and float32 differ"),
    (lambda: linalg.solve(ones(2, 2), ones(2), left=False), ag.ShapeError, "use left=True"),
    (lambda: linalg.solve_triangular(ones(2, 2), ones(3, 1), upper=True), ag.ShapeError,
     "solve_triangular got .*: A has 2 rows and B has 3"),
    (lambda: linalg.lstsq(ones(3, 2), ones(3, 1), driver="qr"), ag.ShapeError,
     "lstsq got .*: driver must be one of None, gelsy"),
    (lambda: linalg.qr(ones(2, 2), "full"), ag.ShapeError,
     "qr got .*: mode must be 'reduced', 'complete' or 'r', not 'full'"),
    (lambda: linalg.eigh(ones(2, 2), "X"), ag.ShapeError, "UPLO must be 'L' or 'U', not 'X'"),
    (lambda: linalg.matrix_power(ones(2, 2), 0.5), ag.DtypeError, "n must be an int, not 0.5"),
    (lambda: linalg.matrix_power(ones(2, 3), 2), ag.ShapeError, "matrices must be square"),
    (lambda: linalg.multi_dot([ones(2, 2)]), ag.ShapeError,
     "multi_dot got .*: it needs at least 2 tensors, not 1"),
    (lambda: linalg.multi_dot([ones(2, 2), ones(3, 2)]), ag.ShapeError,
     "a matrix with 2 columns meets one with 3 rows"),
    (lambda: linalg.multi_dot([ones(2, 2), ones(2, 2, 2)]), ag.ShapeError, "all must be matrices"),
    (lambda: linalg.vector_norm(ones(2), "fro"), ag.DtypeError,
     "vector_norm got .*: ord must be a number, not 'fro'; see linalg.matrix_norm"),
    (lambda: linalg.matrix_norm(ones(2, 2), 3), ag.ShapeError, "ord must be 'fro', 'nuc', inf"),
    (lambda: linalg.matrix_norm(ones(2)), ag.ShapeError, "needs matrices along two axes"),
    (lambda: linalg.norm(ones(2, 2, 2), 1), ag.ShapeError, "needs 1 or 2 axes where ord is given"),
    (lambda: linalg.vecdot(ones(2), ones(2, dtype=ag.float32)), ag.DtypeError,
     "vecdot got .*: dtypes float64 and float32 differ"),
    (lambda: ag.cdist(ones(2, 3), ones(2, 4)), ag.ShapeError, "cdist got .*two sets of rows"),
    (lambda: ag.cdist(ones(2, 3), ones(2, 3), -1.0), ag.ShapeError, "p must not be negative"),
    (lambda: ag.cdist(ones(2, 3), ones(2, 3), compute_mode="fast"), ag.ShapeError,
     "compute_mode must be one of use_mm"),
    (lambda: ag.cov(ones(2, 3, 4)), ag.ShapeError, r"cov got shape \(2, 3, 4\): .*at most 2 axes"),
    (lambda: ag.cov(ones(2, 3), aweights=ones(2)), ag.ShapeError,
     "its weights must have one axis with 3 observations"),
    (lambda: ag.cov(ones(2, 3), aweights=-ones(3)), ag.ShapeError, "weights must not be negative"),
    (lambda: ag.cov(ones(2, 3), fweights=ones(3)), ag.DtypeError,
     "fweights count observations: they must be integers, not float64"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED, ids=[text for *_, text in REFUSED])
def test_bad_input_is_refused_with_a_reason(
    call: Callable[[], Any], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        call()


SINGULAR: list[tuple[Callable[[Any], Any], str]] = [
    (linalg.inv, "inv got shape"),
    (ag.inverse, "inv got shape"),
    (lambda x: linalg.solve(x, x), "solve got shapes"),
    (lambda x: linalg.matrix_power(x, -1), "inv got shape"),
]


@pytest.mark.parametrize(("call", "who"), SINGULAR, ids=lambda x: x if isinstance(x, str) else "")
def test_a_singular_matrix_is_named(call: Callable[[Any], Any], who: str) -> None:
    with pytest.raises(linalg.LinAlgError, match=rf"{who}.*: the matrix is singular"):
        call(leaf(np.zeros((2, 2))))
    batch = np.stack([np.eye(2), np.zeros((2, 2)), np.eye(2)])
    with pytest.raises(linalg.LinAlgError, match=r"matrix \[1\] of the batch is singular"):
        call(leaf(batch))


def test_a_linalg_error_is_caught_as_numpy_s_and_as_pytorch_s() -> None:
    for kind in (np.linalg.LinAlgError, RuntimeError):
        with pytest.raises(
            kind, match=r"cholesky got shape .*: the matrix is not positive-definite"
        ):
            linalg.cholesky(-ones(2, 2))


@pytest.mark.parametrize("factors", [linalg.svd, linalg.svdvals, linalg.eigh, linalg.eigvalsh])
def test_a_nan_has_no_factors(factors: Callable[[Any], Any]) -> None:
    x = np.stack([np.eye(2), np.full((2, 2), math.nan)])
    with pytest.raises(
        linalg.LinAlgError, match=r"matrix \[1\] of the batch has no factors: is th"
    ):
        factors(leaf(x))


def test_a_triangular_matrix_with_a_zero_on_its_diagonal_is_singular() -> None:
    with pytest.raises(
        linalg.LinAlgError, match=r"solve_triangular got .*: the matrix is singular"
    ):
        linalg.solve_triangular(leaf(np.ones((2, 2)) - np.eye(2)), ones(2, 1), upper=True)


def test_the_other_triangle_is_never_read() -> None:
    a = np.array([[2.0, math.nan], [1.0, 4.0]])
    x, b = leaf(a), leaf([[1.0], [2.0]])
    y = linalg.solve_triangular(x, b, upper=False)
    y.sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), [[0.5], [0.375]])
    np.testing.assert_allclose(x.grad.numpy(), [[-0.1875, 0.0], [-0.125, -0.09375]])
    assert linalg.cholesky(x).isfinite().all()
    assert linalg.eigvalsh(x).isfinite().all()


@pytest.mark.parametrize("upper", [True, False])
def test_a_large_triangle_is_solved_in_blocks(upper: bool, rng: np.random.Generator) -> None:
    n = 3 * solving.BLOCK + 5
    a = rng.normal(size=(2, n, n)) / n + 2.0 * np.eye(n)
    b = rng.normal(size=(n, 3))
    triangle = np.triu(a) if upper else np.tril(a)
    y = linalg.solve_triangular(a, b, upper=upper)
    np.testing.assert_allclose(triangle @ y, np.broadcast_to(b, y.shape), atol=1e-12)


def test_det_has_gradients_where_the_matrix_is_singular() -> None:
    x = leaf(RANK_TWO)
    first = grad(linalg.det(x), x, create_graph=True)
    np.testing.assert_allclose(
        first.detach().numpy(),
        [[-3.0, 6.0, -3.0], [6.0, -12.0, 6.0], [-3.0, 6.0, -3.0]],
        atol=1e-12,
    )
    # The minor that leaves out the first row and column is 5 * 9 - 6 * 8.
    second = grad(first[0, 0], x)
    np.testing.assert_allclose(second.numpy(), [[0, 0, 0], [0, 9, -8], [0, -6, 5]], atol=1e-11)


def test_the_gradient_of_det_is_zero_where_two_ranks_lack() -> None:
    x = leaf(RANK_ONE)
    first = grad(linalg.det(x), x, create_graph=True)
    np.testing.assert_allclose(first.detach().numpy(), np.zeros((3, 3)), atol=1e-14)
    second = grad(first[2, 2], x)
    np.testing.assert_allclose(second.numpy(), [[4, -2, 0], [-2, 1, 0], [0, 0, 0]], atol=1e-12)
    nothing = leaf(np.zeros((2, 2)))
    np.testing.assert_allclose(
        grad(linalg.det(nothing), nothing).numpy(), np.zeros((2, 2)), atol=1e-300
    )


def test_a_third_derivative_of_det_is_refused_where_it_would_be_wrong() -> None:
    x = leaf(RANK_ONE)
    first = grad(linalg.det(x), x, create_graph=True)
    second = grad(first[2, 2], x, create_graph=True)
    with pytest.raises(ag.GraphError, match="det has a third derivative only where the matrix"):
        grad(second.sum(), x)
    y = leaf(np.diag([1.0, 2.0, 3.0]))
    first = grad(linalg.det(y), y, create_graph=True)
    second = grad(first[0, 0], y, create_graph=True)
    np.testing.assert_allclose(grad(second[1, 1], y).numpy(), np.diag([0.0, 0.0, 1.0]), atol=1e-14)


def test_logdet_of_a_negative_or_no_determinant() -> None:
    assert math.isnan(ag.logdet(leaf(np.diag([1.0, -1.0]))).item())
    assert ag.logdet(leaf(np.zeros((2, 2)))).item() == -math.inf
    sign, log = ag.slogdet(leaf(np.diag([1e200, -1e200])))
    assert sign.item() == -1.0
    assert log.item() == pytest.approx(2 * math.log(1e200))


def test_the_sign_of_a_determinant_is_flat() -> None:
    x = leaf(np.diag([2.0, -3.0]))
    np.testing.assert_array_equal(grad(ag.slogdet(x).sign, x).numpy(), np.zeros((2, 2)))


def test_qr_refuses_the_derivatives_it_does_not_have() -> None:
    x = leaf(np.eye(3)[:, :2])
    assert linalg.qr(x, "complete").Q.shape == (3, 3)
    with pytest.raises(
        ag.GraphError, match=r"qr of shape \(3, 2\) with mode='complete' has no der"
    ):
        linalg.qr(x, "complete").R.sum().backward()
    q, r = linalg.qr(x, "r")
    assert q.shape == (0,)
    with pytest.raises(ag.GraphError, match="qr with mode='r' keeps no Q"):
        r.sum().backward()


def test_svd_refuses_the_derivatives_of_vectors_that_are_not_determined() -> None:
    x = leaf([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    u, s, vh = linalg.svd(x)
    assert (u.shape, s.shape, vh.shape) == ((3, 3), (2,), (2, 2))
    assert grad(s.sum() + u[:, :2].sum(), x, retain_graph=True).isfinite().all()
    with pytest.raises(ag.GraphError, match="svd determines only the first 2 columns of U"):
        u.sum().backward()


def test_vectors_of_equal_values_have_no_derivative() -> None:
    x = leaf(np.eye(2))
    assert not grad(linalg.svd(x).U.sum(), x).isfinite().all()
    assert not grad(linalg.eigh(x).eigenvectors.sum(), x).isfinite().all()
    np.testing.assert_allclose(grad(linalg.svdvals(x).sum(), x).numpy(), np.eye(2))
    np.testing.assert_allclose(grad(linalg.eigvalsh(x).sum(), x).numpy(), np.eye(2))


@pytest.mark.parametrize(
    ("norm", "expected"),
    [("fro", np.zeros((2, 2))), ("nuc", np.eye(2)), (2, 0.5 * np.eye(2)), (1, np.zeros((2, 2)))],
)
def test_a_norm_of_the_zero_matrix_has_pytorch_s_gradient(norm: Any, expected: Any) -> None:
    x = leaf(np.zeros((2, 2)))
    np.testing.assert_allclose(np.abs(grad(linalg.matrix_norm(x, norm), x).numpy()), expected)


def test_the_condition_of_a_singular_matrix_is_infinite() -> None:
    batch = np.stack([np.diag([2.0, 4.0]), np.zeros((2, 2))])
    assert linalg.cond(leaf(batch), 1).tolist() == [2.0, math.inf]
    assert linalg.cond(leaf(np.diag([1.0, 0.0]))).item() == math.inf


EMPTY: list[tuple[Callable[[Any], Any], Any]] = [
    (linalg.inv, (0, 0)), (linalg.det, ()), (linalg.svdvals, (0,)), (linalg.eigvalsh, (0,)),
    (linalg.cholesky, (0, 0)), (linalg.pinv, (0, 0)), (linalg.matrix_exp, (0, 0)),
    (lambda x: linalg.matrix_power(x, 3), (0, 0)), (lambda x: linalg.qr(x).R, (0, 0)),
    (lambda x: linalg.solve(x, x), (0, 0)), (linalg.matrix_norm, ()), (ag.logdet, ()),
    (lambda x: ag.cdist(x, x), (0, 0)), (lambda x: x @ x, (0, 0)), (ag.trace, ()),
    (lambda x: ag.einsum("ij,jk->ik", x, x), (0, 0)), (lambda x: ag.inner(x, x), (0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("call", "shape"), EMPTY)
def test_a_matrix_of_no_elements_will_do(call: Callable[[Any], Any], shape: Any) -> None:
    x = leaf(np.zeros((0, 0)))
    y = call(x)
    assert y.shape == shape
    y.sum().backward()
    assert x.grad.shape == (0, 0)


def test_beta_zero_hides_what_is_not_a_number() -> None:
    x = leaf(np.full((2, 2), math.nan))
    y = ag.addmm(x, ones(2, 3), ones(3, 2), beta=0)
    np.testing.assert_array_equal(y.detach().numpy(), np.full((2, 2), 3.0))
    np.testing.assert_array_equal(grad(y.sum(), x).numpy(), np.zeros((2, 2)))


def test_whole_numbers_cut_alpha_and_beta() -> None:
    x = ag.tensor([[1, 2], [3, 4]])
    y = ag.addmm(x, x, x, alpha=1.9, beta=0.9)
    assert y.dtype == ag.int64
    assert y.tolist() == (x @ x).tolist()


def test_einsum_takes_lists_of_numbers_and_a_list_of_tensors(rng: np.random.Generator) -> None:
    a, b = ag.tensor(rng.normal(size=(2, 3, 4))), ag.tensor(rng.normal(size=(2, 4, 5)))
    expected = (a @ b).numpy()
    found = [
        ag.einsum("bij, bjk -> bik", a, b),
        ag.einsum("...ij,...jk", [a, b]),
        ag.einsum(a, [0, 1, 2], b, [0, 2, 3], [0, 1, 3]),
        ag.einsum(a, [..., 1, 2], b, [..., 2, 3]),
    ]
    for y in found:
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-14)


def test_einsum_orders_an_unwritten_result_by_the_alphabet() -> None:
    x = ag.ones(2, 3)
    assert ag.einsum("ba", x).shape == (3, 2)
    assert ag.einsum("aB", x).shape == (3, 2)
    assert ag.einsum("...b->...", x).shape == (2,)
    assert ag.einsum("...b->b", x).shape == (3,)
    assert ag.einsum("b...", x).shape == (3, 2)


def test_einsum_chooses_its_order_once_for_an_equation_and_shapes() -> None:
    a, b, c = ag.ones(2, 50), ag.ones(50, 50), ag.ones(50)
    ag.einsum("ij,jk,k->i", a, b, c)
    before = _steps.cache_info()
    ag.einsum("ij,jk,k->i", a, b, c)
    after = _steps.cache_info()
    assert (after.hits, after.misses) == (before.hits + 1, before.misses)
    first, _ = _steps("ij,jk,k->i", ((2, 50), (50, 50), (50,)))
    assert 2 in first.places  # a vector first: 2,500 multiplications and 100, not 5,000


def test_a_chain_is_multiplied_in_the_order_of_fewest_multiplications() -> None:
    cost, (split, *_) = powers._order((10, 100, 5, 50))
    assert (cost, split) == (10 * 100 * 5 + 10 * 5 * 50, 2)
    cost, (split, *_) = powers._order((50, 5, 100, 10))
    assert (cost, split) == (5 * 100 * 10 + 50 * 5 * 10, 1)


def test_distances_of_equal_points_have_no_slope() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    for mode in ("use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"):
        y = ag.cdist(x, x, compute_mode=mode)
        assert y.diagonal().tolist() == [0.0, 0.0]
        np.testing.assert_allclose(grad(y.diagonal().sum(), x).numpy(), np.zeros((2, 2)))
        np.testing.assert_allclose(y[0, 1].item(), math.sqrt(8.0))


def test_the_largest_differences_share_a_gradient_evenly() -> None:
    x = leaf([[3.0, 0.0]])
    y = ag.cdist(x, ag.tensor([[4.0, 1.0]], dtype=ag.float64), math.inf)
    np.testing.assert_allclose(grad(y.sum(), x).numpy(), [[-0.5, -0.5]])


def test_few_points_keep_their_distance_far_from_zero() -> None:
    x = ag.tensor([[10000.0, 1.0], [10000.0, 1.001]])
    assert ag.cdist(x, x)[0, 1].item() == pytest.approx(0.001, rel=1e-3)


@pytest.mark.torch
@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_distances_have_pytorch_s_gradients_at_their_kinks(p: float, torch: Any) -> None:
    a, b = [[1.0, 2.0], [3.0, 0.0]], [[1.0, 2.0], [3.0, 1.0], [4.0, 1.0]]
    x, z = leaf(a), leaf(b)
    u, v = (torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in (a, b))
    ag.cdist(x, z, p).sum().backward()
    torch.cdist(u, v, p).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), u.grad.numpy(), atol=1e-14)
    np.testing.assert_allclose(z.grad.numpy(), v.grad.numpy(), atol=1e-14)


def test_one_variable_has_a_variance_and_correlates_with_itself() -> None:
    x = ag.tensor([1.0, 2.0, 4.0])
    assert ag.cov(x).item() == pytest.approx(7 / 3)
    assert ag.corrcoef(x).item() == 1.0
    assert ag.cov(x, correction=3).item() == math.inf


def test_the_exponential_of_large_and_of_no_numbers() -> None:
    x = np.array([[0.0, 30.0], [-30.0, 0.0]])  # a rotation by 30
    expected = [[math.cos(30), math.sin(30)], [-math.sin(30), math.cos(30)]]
    np.testing.assert_allclose(linalg.matrix_exp(leaf(x)).detach().numpy(), expected, atol=1e-12)
    np.testing.assert_array_equal(linalg.matrix_exp(np.zeros((2, 2))), np.eye(2))
    assert linalg.matrix_exp(leaf([[math.inf]])).isnan().all()


def test_least_squares_tell_what_their_driver_finds() -> None:
    a, b = leaf([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]), leaf([[1.0], [2.0], [3.0]])
    found = linalg.lstsq(a, b, driver="gelsd")
    assert found.solution.tolist() == [[1.0], [1.0]]
    assert found.residuals.tolist() == [9.0]
    assert found.rank.item() == 2
    assert found.singular_values.tolist() == [2.0, 1.0]
    assert not found.singular_values.requires_grad
    assert [len(x) for x in linalg.lstsq(a, b, driver="gels")[1:]] == [1, 0, 0]
    assert [x.shape for x in linalg.lstsq(a, b)[1:]] == [(0,), (), (0,)]


def test_least_squares_of_a_lacking_rank_have_the_least_norm() -> None:
    x = linalg.lstsq(ones(3, 2), ones(3, 1)).solution
    np.testing.assert_allclose(x.numpy(), [[0.5], [0.5]])


def test_a_rank_counts_what_rounding_leaves_over() -> None:
    assert linalg.matrix_rank(ag.tensor(RANK_TWO)).item() == 2
    assert linalg.matrix_rank(ag.tensor(RANK_TWO), atol=1e-30).item() == 3
    batch = ag.tensor([RANK_TWO, RANK_ONE], dtype=ag.float64)
    assert linalg.matrix_rank(batch, atol=ag.tensor([2.0, 1e-9])).tolist() == [1, 1]


def test_linear_forms_are_the_same_with_and_without_a_bias() -> None:
    x, w, b = ones(2, 3), leaf(np.ones((4, 3))), leaf(np.ones(4))
    for y in (
        ag.linear(x, w),
        ag.linear(x, w, None),
        ag.linear(x, weight=w),
        ag.linear(x, w, b) - 1,
    ):
        assert y.tolist() == [[3.0] * 4] * 2
    ag.linear(x, w, bias=b).sum().backward()
    assert b.grad.tolist() == [2.0] * 4
    with pytest.raises(TypeError, match="linear takes 3 arrays"):
        ag.linear(x)
