"""Which dtype comes out of two: PyTorch's rules, for arrays, 0-d tensors and numbers."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.dtypes import KNOWN

DTYPES = sorted(map(str, KNOWN))
OPS = ["add", "mul", "div", "maximum", "eq", "pow"]
NUMBERS = {"bool": True, "int": 2, "float": 2.5}
REFUSED = "refused"


def outcome(library: Any, name: str, *operands: Any) -> str:
    """Return the dtype of a function's result, or that it is refused."""
    try:
        return str(getattr(library, name)(*operands).dtype).removeprefix("torch.")
    except (RuntimeError, TypeError):
        return REFUSED


def made(library: Any, dtype: str, shape: tuple[int, ...]) -> Any:
    return library.ones(shape, dtype=getattr(library, dtype))


@pytest.mark.torch
@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("shapes", [((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())], ids=str)
def test_two_tensors_promote_as_in_pytorch(name: str, shapes: Any, torch: Any) -> None:
    wrong = []
    for a, b in product(DTYPES, DTYPES):
        ours, theirs = (
            outcome(lib, name, made(lib, a, shapes[0]), made(lib, b, shapes[1]))
            for lib in (ag, torch)
        )
        if ours != theirs and theirs != REFUSED:
            wrong.append((a, b, ours, theirs))
    assert wrong == []


@pytest.mark.torch
@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("shape", [(2,), ()], ids=str)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_tensor_and_a_number_promote_as_in_pytorch(
    name: str, shape: Any, number: str, torch: Any
) -> None:
    if name == "maximum":
        pytest.skip("PyTorch's maximum takes no numbers")
    if (name, number) == ("pow", "bool"):
        pytest.skip("a power of truths is int8 in NumPy, bool in PyTorch")
    x, wrong = NUMBERS[number], []
    for dtype in DTYPES:
        ours, theirs = (outcome(lib, name, made(lib, dtype, shape), x) for lib in (ag, torch))
        if ours != theirs and theirs != REFUSED:
            wrong.append((dtype, ours, theirs))
    assert wrong == []


@pytest.mark.torch
def test_promote_types_is_pytorch_s(torch: Any) -> None:
    for a, b in product(DTYPES, DTYPES):
        expected = torch.promote_types(getattr(torch, a), getattr(torch, b))
        assert f"torch.{ag.promote_types(getattr(ag, a), getattr(ag, b))}" == str(expected)


@pytest.mark.parametrize(
    ("operands", "expected"),
    [
        ((ag.ones(2), 2.5), ag.float32),
        ((ag.ones(2, dtype=ag.float16), 2.5), ag.float16),
        ((ag.ones(2, dtype=ag.int64), 2.5), ag.float32),
        ((ag.ones(2, dtype=ag.bool), 2), ag.int64),
        ((ag.ones(2, dtype=ag.int8), True), ag.int8),
        ((ag.ones(2), ag.ones((), dtype=ag.float64)), ag.float32),
        ((ag.ones((), dtype=ag.float32), ag.ones((), dtype=ag.float64)), ag.float64),
        ((ag.ones(2, dtype=ag.int64), ag.ones((), dtype=ag.float64)), ag.float64),
        ((ag.ones(2, dtype=ag.float16), ag.ones(2, dtype=ag.int64)), ag.float16),
        ((ag.ones(2), np.float64(2.5)), ag.float32),
        ((ag.ones(2), np.ones(2)), ag.float64),
    ],
    ids=str,
)
def test_dimensions_decide_before_category_and_numbers_come_last(
    operands: tuple[Any, Any], expected: Any
) -> None:
    a, b = operands
    assert (a + b).dtype == expected
    assert (b * a).dtype == expected


def test_the_default_dtype_is_what_whole_numbers_become() -> None:
    ag.set_default_dtype(ag.float64)
    try:
        assert (ag.ones(2, dtype=ag.int64) / 2).dtype == ag.float64
        assert ag.tensor(1.5).dtype == ag.float64
        assert ag.zeros(1).dtype == ag.get_default_dtype() == ag.float64
    finally:
        ag.set_default_dtype(ag.float32)
    assert ag.tensor(1.5).dtype == ag.float32
    with pytest.raises(ag.DtypeError, match="got int64: it needs float16, float32 or float64"):
        ag.set_default_dtype(ag.int64)


@pytest.mark.parametrize("dtype", ["complex64", "nonsense", None, np.uint16, object], ids=str)
def test_an_unknown_dtype_is_refused_with_the_known_ones(dtype: Any) -> None:
    with pytest.raises(ag.DtypeError, match=r"unknown dtype .*: use one of bool, float16, float32"):
        ag.zeros(2).to(dtype=dtype) if dtype is not None else ag.dtypes.as_dtype(dtype)


def test_matmul_does_not_promote_and_says_so() -> None:
    with pytest.raises(
        ag.DtypeError, match=r"matmul got .*dtypes float32 and float64 differ; convert one with"
    ):
        _ = ag.ones(2, 2) @ ag.ones(2, 2, dtype=ag.float64)
