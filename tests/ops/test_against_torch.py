"""Every row beside PyTorch: results, dtypes and gradients, at plain and at special points."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from tests.ops.calculus import like, on_tensors, pulled, values
from tests.ops.case import OpCase
from tests.ops.cases import CASES

pytestmark = pytest.mark.torch

KNOWN = [case for case in CASES if case.torch is not None]
INTEGERS = (np.int64, np.int32, np.uint8, np.bool_)
SPECIAL = np.array([0.0, -0.0, 1.0, -2.5, 1e308, np.inf, -np.inf, np.nan])
BY_ELEMENT = [case for case in KNOWN if case.op and case.op.scalar and case.name != "where"]


def function(case: OpCase, torch: Any) -> Any:
    """Return PyTorch's twin of a row, as a function of tensors."""
    if callable(case.torch):
        return lambda *operands: case.torch(torch, *operands)
    name = case.torch or case.name
    found = getattr(torch, name, None) or getattr(torch.nn.functional, name)
    return lambda *operands: found(*operands, **case.params)


def theirs(torch: Any, operands: list[Any], tracked: list[int]) -> list[Any]:
    return [
        torch.tensor(x, requires_grad=i in tracked) if isinstance(x, np.ndarray) else x
        for i, x in enumerate(operands)
    ]


def parts(y: Any) -> list[Any]:
    return list(y) if isinstance(y, tuple) else [y]


@pytest.mark.parametrize("case", KNOWN, ids=str)
def test_a_row_gives_what_pytorch_gives(case: OpCase, torch: Any, rng: np.random.Generator) -> None:
    operands = case.draw(rng)
    tracked = case.drawn if case.differentiable else []
    tensors = theirs(torch, operands, tracked)
    expected = parts(function(case, torch)(*tensors))
    found = parts(case.call(on_tensors(operands, [])))
    for y, e in zip(found, expected, strict=True):
        assert str(e.dtype) == f"torch.{y.dtype}"
        assert tuple(e.shape) == y.shape
        np.testing.assert_allclose(y.numpy(), e.detach().numpy(), rtol=1e-12, atol=1e-13)
    if not tracked:
        return
    w = like(values(case, operands), rng)
    floating = [e for e in expected if e.requires_grad]
    grads = torch.autograd.grad(
        floating, [tensors[i] for i in tracked], [torch.tensor(c) for c in w], allow_unused=True
    )
    for i, g, e in zip(tracked, pulled(case, operands, w), grads, strict=True):
        e = np.zeros(operands[i].shape) if e is None else e.numpy()
        np.testing.assert_allclose(g, e, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("case", KNOWN, ids=str)
def test_float32_stays_what_it_is_in_pytorch(
    case: OpCase, torch: Any, rng: np.random.Generator
) -> None:
    operands = case.draw(rng, np.float32)
    operands = [x.astype(np.float32) if is_float(x) else x for x in operands]
    expected = parts(function(case, torch)(*theirs(torch, operands, [])))
    for y, e in zip(parts(case.call(on_tensors(operands, []))), expected, strict=True):
        assert str(e.dtype) == f"torch.{y.dtype}"
        np.testing.assert_allclose(y.numpy(), e.numpy(), rtol=2e-5, atol=1e-5)


def is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


@pytest.mark.parametrize("dtype", INTEGERS, ids=lambda d: d.__name__)
@pytest.mark.parametrize("case", BY_ELEMENT, ids=str)
def test_whole_numbers_become_what_they_become_in_pytorch(
    case: OpCase, dtype: Any, torch: Any, rng: np.random.Generator
) -> None:
    if case.name == "square" and dtype is np.bool_:
        pytest.skip("the square of a truth is int8 in NumPy, int64 in PyTorch")
    operands = [
        rng.integers(0, 4, x.shape).astype(dtype) if i in case.drawn else x
        for i, x in enumerate(case.draw(rng))
    ]
    try:
        expected = function(case, torch)(*theirs(torch, operands, []))
    except RuntimeError:
        pytest.skip("PyTorch refuses what works here")
    found = case.call(on_tensors(operands, []))
    assert str(expected.dtype) == f"torch.{found.dtype}"
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6)


@pytest.mark.parametrize("case", BY_ELEMENT, ids=str)
def test_infinities_nans_and_zeros_go_as_in_pytorch(case: OpCase, torch: Any) -> None:
    count = len(case.drawn)
    columns = [np.array(c) for c in zip(*product(SPECIAL, repeat=count), strict=True)]
    operands: list[Any] = list(case.operands)
    for i, column in zip(case.drawn, columns, strict=True):
        operands[i] = column
    tracked = case.drawn if case.differentiable else []
    tensors, ours = theirs(torch, operands, tracked), on_tensors(operands, tracked)
    expected, found = function(case, torch)(*tensors), case.call(ours)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-14)
    if tracked:
        expected.sum().backward()
        found.sum().backward()
        for i in tracked:
            np.testing.assert_allclose(
                ours[i].grad.numpy(), tensors[i].grad.numpy(), rtol=1e-13, err_msg=f"operand {i}"
            )


@pytest.mark.parametrize("kind", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [-100, 1])
def test_cross_entropy_agrees_in_every_option(
    kind: str,
    smoothing: float,
    weighted: bool,
    ignored: int,
    torch: Any,
    rng: np.random.Generator,
) -> None:
    x, target = rng.normal(size=(6, 3, 2)), rng.integers(0, 3, (6, 2))
    weight = rng.uniform(0.5, 2.0, 3) if weighted else None
    options: dict[str, Any] = {
        "reduction": kind,
        "label_smoothing": smoothing,
        "ignore_index": ignored,
    }
    ours, other = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y = ag.cross_entropy(
        ours, ag.tensor(target), ag.tensor(weight) if weighted else None, **options
    )
    e = torch.nn.functional.cross_entropy(
        other, torch.tensor(target), torch.tensor(weight) if weighted else None, **options
    )
    np.testing.assert_allclose(y.detach().numpy(), e.detach().numpy(), rtol=1e-12)
    w = rng.normal(size=y.shape)
    y.backward(ag.tensor(w))
    e.backward(torch.tensor(w))
    np.testing.assert_allclose(ours.grad.numpy(), other.grad.numpy(), rtol=1e-11, atol=1e-14)
