"""Large arrays, which kernels do, go the way of small ones: forward, gradient and its gradient."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernel_sizes, ops
from autograd_core.ops.loss import fused_cross_entropy
from autograd_core.ops.masks import keyed_dropout

Array = np.ndarray[Any, np.dtype[Any]]
LARGE = kernel_sizes.SHARP + 100
CLASSES = np.arange(LARGE // 10 * 3) % 10

WEIGHTS = np.linspace(0.5, 2.0, 10)

ROWS: dict[str, Callable[[Any], Any]] = {
    "exp": ops.exp,
    "log": lambda x: ops.log(x * x),
    "tanh": ops.tanh,
    "sigmoid": ops.sigmoid,
    "relu": ops.relu,
    "gelu": ops.gelu,
    "gelu tanh": lambda x: ops.gelu(x, "tanh"),
    "gelu sigmoid": lambda x: ops.gelu(x, "sigmoid"),
    "silu": ops.silu,
    "softplus": lambda x: ops.softplus(x, 2.0, 3.0),
    "elu": lambda x: ops.elu(x, 0.7),
    "elu scaled": lambda x: ops.elu(x, 0.7, 1.5, 2.0),
    "elu of a negative scale": lambda x: ops.elu(x, -0.7, 1.0, -2.0),
    "leaky relu": lambda x: ops.leaky_relu(x, 0.1),
    "hardtanh": lambda x: ops.hardtanh(x, -0.5, 1.0),
    "threshold": lambda x: ops.threshold(x, 0.3, -1.0),
    "softmax": lambda x: ops.softmax(x.reshape(-1, 10), 1),
    "softmax of columns": lambda x: ops.softmax(x.reshape(-1, 10, 2), 1),
    "log_softmax": lambda x: ops.log_softmax(x.reshape(-1, 10), -1),
    "logsumexp": lambda x: ops.logsumexp(x.reshape(-1, 10), 1),
    "logsumexp of columns": lambda x: ops.logsumexp(x.reshape(-1, 5, 4), 1, keepdim=True),
    "logsumexp of two axes": lambda x: ops.logsumexp(x.reshape(-1, 5, 4), (1, 2)),
    "logsumexp of axes apart": lambda x: ops.logsumexp(x.reshape(-1, 5, 4), (0, 2)),
    "sum of rows": lambda x: ops.sum(x.reshape(-1, 10), 1) ** 2,
    "sum of all": lambda x: ops.sum(x * x, keepdim=True),
    "mean of the last axes": lambda x: ops.mean(x.reshape(-1, 5, 4), (1, 2), keepdim=True) ** 2,
    "mean of the first axis": lambda x: ops.mean(x.reshape(-1, 5, 4), 0) ** 2,
    "cross_entropy weighed": lambda x: ops.cross_entropy(
        x.reshape(-1, 10),
        CLASSES[: x.shape[0] // 10] - 1,
        WEIGHTS,
        ignore_index=-1,
        label_smoothing=0.1,
    ),
    "cross_entropy summed": lambda x: ops.cross_entropy(
        x.reshape(-1, 10), CLASSES[: x.shape[0] // 10], WEIGHTS, reduction="sum"
    ),
    "cross_entropy of probabilities": lambda x: ops.cross_entropy(
        x.reshape(-1, 10), ops.softmax(2.0 * x.reshape(-1, 10), 1), label_smoothing=0.1
    ),
    "cross_entropy": lambda x: ops.cross_entropy(
        x.reshape(-1, 10), CLASSES[: x.shape[0] // 10], reduction="none", label_smoothing=0.1
    ),
}
every_row = pytest.mark.parametrize("f", ROWS.values(), ids=ROWS)


def derivatives(f: Callable[[Any], Any], x: Array, g: Array) -> tuple[Array, Array, Array]:
    """Return y, the pulled back cotangent p, and what p p is pulled back to."""
    tensor = ag.tensor(x, requires_grad=True)
    y = f(tensor)
    cotangent = ag.tensor(g[: y.numel()].reshape(y.shape))
    plain: Any = ag.autograd.grad(y, [tensor], [cotangent], retain_graph=True)[0]
    p: Any = ag.autograd.grad(y, [tensor], [cotangent], create_graph=True)[0]
    np.testing.assert_allclose(plain.numpy(), p.detach().numpy(), rtol=1e-10, atol=1e-12)
    second = np.zeros_like(x)
    if p.requires_grad:
        (again,) = ag.autograd.grad((p * p).sum(), [tensor], allow_unused=True)
        second = second if again is None else again.numpy()
    return y.detach().numpy(), plain.numpy(), second


@every_row
def test_large_arrays_go_the_way_of_small_ones(
    f: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    size = LARGE // 20 * 20
    x, g = rng.uniform(-3.0, 3.0, size), rng.standard_normal(size)
    x[np.abs(x) < 1e-2] = 1.5
    large = derivatives(f, x, g)
    for module in (kernel_sizes, ops.softmaxes, ops.loss, ops.reduction):
        monkeypatch.setattr(module, "suits", lambda x, size: False)
    small = derivatives(f, x, g)
    for a, b in zip(large, small, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.complex128])
def test_other_dtypes_stay_with_numpy(dtype: Any) -> None:
    x = np.ones(LARGE, dtype)
    assert not kernel_sizes.suits(x, 1)


def test_arrays_with_gaps_and_subclasses_stay_with_numpy(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, LARGE)).astype(np.float32)
    assert kernel_sizes.suits(x, LARGE)
    assert not kernel_sizes.suits(x.T, LARGE)
    assert not kernel_sizes.suits(x[:, ::2], 1)
    assert not kernel_sizes.suits(x, 2 * LARGE + 1)
    shifted = np.frombuffer(b"\0" + x.tobytes(), np.float32, offset=1)
    assert not kernel_sizes.suits(shifted, LARGE)
    np.testing.assert_allclose(ops.tanh(ag.tensor(x).T).numpy(), np.tanh(x.T), rtol=1e-6)


def test_a_large_row_that_is_ignored_gets_no_gradient_even_from_nan() -> None:
    x = np.ones((2000, 3), np.float32)
    x[7] = np.nan
    target = np.zeros(2000, np.int64)
    target[7] = -100
    scores = ag.tensor(x, requires_grad=True)
    loss = fused_cross_entropy(scores, ag.tensor(target))
    loss.backward()
    assert float(loss) == pytest.approx(np.log(3.0), rel=1e-6)
    assert scores.grad.numpy()[7].tolist() == [0.0, 0.0, 0.0]


def test_a_class_that_does_not_exist_is_named() -> None:
    target = np.zeros(2000, np.int64)
    target[11] = 3
    scores = ag.tensor(np.ones((2000, 3), np.float32))
    with pytest.raises(IndexError, match="target 3 at position 11 is not one of 3 classes"):
        ops.cross_entropy(scores, ag.tensor(target))


def test_gelu_refuses_an_unknown_form() -> None:
    with pytest.raises(ValueError, match="approximate is 'erf': it must be 'none', 'tanh' or"):
        ops.gelu(ag.tensor([1.0]), "erf")


def test_numbers_that_whole_numbers_cannot_be_are_refused() -> None:
    x = ag.tensor([1, 200], dtype=ag.uint8)
    assert ops.hardtanh(x, 2.7, 6.0).tolist() == [2, 6]
    with pytest.raises(ValueError, match=r"hardtanh got .*: -1\.0 does not fit into uint8"):
        ops.hardtanh(x)
    with pytest.raises(ValueError, match=r"threshold got .*: inf does not fit into uint8"):
        ops.threshold(x, 1.0, np.inf)


@pytest.mark.parametrize("f", [ops.erf, ops.erfc, ops.gelu], ids=["erf", "erfc", "gelu"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_few_elements_give_what_many_give(f: Callable[[Any], Any], dtype: Any) -> None:
    x = np.linspace(-3.0, 3.0, kernel_sizes.FEW * 3).astype(dtype)
    many, few = f(x), np.concatenate([f(part) for part in x.reshape(3, -1)])
    assert few.dtype == many.dtype == dtype
    # What the kernel of gelu states, 7 ulp, and 2 of the formula on few numbers.
    np.testing.assert_allclose(few, many, rtol=9 * np.finfo(dtype).eps)
    assert f(x[:1].reshape(())).shape == ()
    assert f(x[:0]).shape == (0,)


def test_dropout_refuses_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match=r"p is 1\.5: a probability is between 0 and 1"):
        keyed_dropout(np.ones(3), 1.5, 1)


def test_the_mask_of_a_key_is_the_same_in_either_direction_and_any_layout() -> None:
    x = ag.tensor(np.ones((60, 70), np.float32), requires_grad=True)
    y = keyed_dropout(x, 0.25, 42)
    y.sum().backward()
    np.testing.assert_array_equal(y.detach().numpy(), x.grad.numpy())
    across = np.asfortranarray(np.ones((60, 70), np.float32))
    np.testing.assert_array_equal(keyed_dropout(across, 0.25, 42), y.detach().numpy())
    assert 0.7 < (y.detach().numpy() > 0).mean() < 0.8


def test_small_arrays_do_not_load_numba() -> None:
    code = (
        "import sys, numpy as np, autograd_core as ag\n"
        "from autograd_core import ops\n"
        "few = ag.tensor(np.ones((8, 8)), requires_grad=True)\n"
        "(ops.gelu(few) + ops.erf(few)).sum().backward()\n"
        "x = ag.tensor(np.ones((20, 10)), requires_grad=True)\n"
        "y = ops.tanh(x) + ops.sigmoid(x) + ops.relu(x) + ops.silu(x) + ops.elu(x)\n"
        "y = ops.gelu(y, 'tanh') + ops.softplus(x) + ops.leaky_relu(x) + ops.softmax(x, 1)\n"
        "ops.cross_entropy(y, ag.tensor(np.zeros(20, np.int64))).backward()\n"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
