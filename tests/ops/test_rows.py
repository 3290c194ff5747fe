"""The forward of every row: numbers, dtypes, operands left alone, methods, and what is refused."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.op import METHODS, REGISTRY
from tests.ops.calculus import like, on_tensors, pulled, results, values
from tests.ops.case import Array, OpCase
from tests.ops.cases import CASES

WITHOUT_ROW = {"allclose", "equal"}  # they return a bool, and have tests of their own
BY_ELEMENT = [case for case in CASES if case.op and (case.op.elementwise or case.op.scalar)]
BROADCASTING = [case for case in BY_ELEMENT if len(case.drawn) > 1]

every_row = pytest.mark.parametrize("case", CASES, ids=str)
differentiable_rows = pytest.mark.parametrize(
    "case", [case for case in CASES if case.differentiable and case.drawn], ids=str
)


def read_only(operands: list[Any]) -> list[Any]:
    for x in operands:
        if isinstance(x, np.ndarray):
            x.flags.writeable = False
    return operands


def parts(y: Any) -> list[Any]:
    return list(y) if isinstance(y, tuple) else [y]


def numbers(y: Any) -> list[Array]:
    return [x.detach().numpy() if isinstance(x, ag.Tensor) else np.asarray(x) for x in parts(y)]


def test_every_op_has_a_row() -> None:
    assert set(REGISTRY) - {case.name for case in CASES} == set()


def test_every_public_function_has_a_row() -> None:
    public = {name for name in vars(ag.ops) if callable(getattr(ag, name, None))}
    functions = {name for name in public if getattr(ag, name) is getattr(ag.ops, name)}
    functions -= {name for name in functions if isinstance(getattr(ag, name), type)}
    named = {case.name for case in CASES} | {"concat"}  # which is cat
    assert functions - named - WITHOUT_ROW == set()
    assert ag.concat is ag.cat


def test_every_row_is_of_something() -> None:
    compositions = {case.name for case in CASES} - set(REGISTRY)
    assert [name for name in compositions if not callable(attrgetter(name)(ag))] == []


def test_every_op_has_a_second_opinion() -> None:
    judged = {case.name for case in CASES if case.reference or case in BY_ELEMENT}
    assert {case.name for case in CASES} - judged == set()


@pytest.mark.parametrize("case", [case for case in CASES if case.reference], ids=str)
def test_a_row_gives_what_its_reference_gives(case: OpCase, rng: np.random.Generator) -> None:
    operands = case.draw(rng)
    expected = numbers(case.reference(*operands))
    found = numbers(case.call(on_tensors(operands, case.drawn)))
    for y, e in zip(found, expected, strict=True):
        assert y.shape == e.shape
        np.testing.assert_allclose(y, e, rtol=1e-12, atol=1e-12)


@every_row
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_keeps_the_dtype_and_leaves_its_operands_alone(
    case: OpCase, dtype: type, rng: np.random.Generator
) -> None:
    operands = read_only(case.draw(rng, dtype))
    before = [np.copy(x) for x in operands]
    outputs = results(case.call(on_tensors(operands, case.drawn if case.differentiable else [])))
    if case.keeps_dtype:
        assert {y.dtype for y in outputs} <= {np.dtype(dtype)}
    if case.differentiable and case.drawn:
        cotangents = [w.astype(y.dtype) for w, y in zip(like(outputs, rng), outputs, strict=True)]
        grads = pulled(case, operands, cotangents)
        assert [g.dtype for g in grads] == [np.dtype(dtype)] * len(grads)
        assert [g.shape for g in grads] == [operands[i].shape for i in case.drawn]
    for x, known in zip(operands, before, strict=True):
        np.testing.assert_array_equal(x, known)


@every_row
def test_float32_gives_float64_s_numbers_rounded(case: OpCase, rng: np.random.Generator) -> None:
    operands = case.draw(rng, np.float32)
    double = [x.astype(np.float64) if i in case.drawn else x for i, x in enumerate(operands)]
    for single, exact in zip(numbers(case.call(operands)), numbers(case.call(double)), strict=True):
        np.testing.assert_allclose(single, exact, rtol=1e-5, atol=1e-5)


@every_row
def test_bare_arrays_give_bare_arrays(case: OpCase, rng: np.random.Generator) -> None:
    operands = case.draw(rng)
    bare, wrapped = case.call(operands), case.call(on_tensors(operands, []))
    assert all(isinstance(y, (np.ndarray, np.generic)) for y in parts(bare))
    assert all(isinstance(y, ag.Tensor) and not y.requires_grad for y in parts(wrapped))
    for y, e in zip(numbers(wrapped), numbers(bare), strict=True):
        np.testing.assert_array_equal(y, e)


@pytest.mark.parametrize("case", [case for case in CASES if case.strided], ids=str)
def test_operands_with_gaps_give_the_same(case: OpCase, rng: np.random.Generator) -> None:
    operands = case.draw(rng)
    spread = [with_gaps(x) if isinstance(x, np.ndarray) else x for x in operands]
    expected, found = numbers(case.call(operands)), numbers(case.call(on_tensors(spread, [])))
    for y, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(y, e, rtol=1e-14, atol=1e-14)
    if case.differentiable and case.drawn:
        w = like(values(case, operands), rng)
        for g, e in zip(pulled(case, spread, w), pulled(case, operands, w), strict=True):
            np.testing.assert_allclose(g, e, rtol=1e-13, atol=1e-13)


def with_gaps(x: Array) -> Array:
    """Return equal numbers whose neighbours lie apart, backwards along the first axis."""
    if not x.ndim:
        return x
    wide = np.zeros(tuple(2 * n for n in reversed(x.shape)), x.dtype)
    view = wide[(slice(None, None, 2),) * x.ndim].T[::-1]
    view[...] = x
    return view


@pytest.mark.parametrize("case", BY_ELEMENT, ids=str)
@pytest.mark.parametrize("shape", [(), (0, 3)], ids=str)
def test_an_elementwise_op_takes_one_number_and_none(
    case: OpCase, shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    fixed = (float, int, type(None))
    sized = tuple(x if isinstance(x, fixed) else shape for x in case.operands)
    operands = case.fill(sized, rng, np.float64)
    operands = [np.ones(shape, bool) if x is shape else x for x in operands]
    tensors = on_tensors(operands, case.drawn if case.differentiable else [])
    y = case.call(tensors)
    assert y.shape == shape
    if case.differentiable:
        y.backward(ag.ones(shape, dtype=y.dtype))
        assert {tensors[i].grad.shape for i in case.drawn} == {shape}


@differentiable_rows
def test_a_result_requires_grad_as_soon_as_one_operand_does(
    case: OpCase, rng: np.random.Generator
) -> None:
    operands = case.draw(rng)
    for i in case.drawn:
        outputs = results(case.call(on_tensors(operands, [i])))
        assert [y.requires_grad for y in outputs] == [True] * len(outputs)
    with ag.no_grad():
        outputs = results(case.call(on_tensors(operands, case.drawn)))
    assert not any(y.requires_grad for y in outputs)


@pytest.mark.parametrize("case", [case for case in CASES if not case.differentiable], ids=str)
def test_an_untracked_op_never_requires_grad(case: OpCase, rng: np.random.Generator) -> None:
    y = case.call(on_tensors(case.draw(rng), case.drawn))
    assert not y.requires_grad
    assert y.dtype in (ag.bool, ag.int64)


@pytest.mark.parametrize("case", [case for case in CASES if case.name in METHODS], ids=str)
def test_the_method_is_the_function(case: OpCase, rng: np.random.Generator) -> None:
    tensors = on_tensors(case.draw(rng), [])
    first = next(i for i, x in enumerate(tensors) if isinstance(x, ag.Tensor))
    if first:
        pytest.skip("the tensor is not the first operand")
    found = getattr(tensors[0], case.name)(*tensors[1:], **case.params)
    for y, e in zip(numbers(found), numbers(case.call(tensors)), strict=True):
        np.testing.assert_array_equal(y, e)


def test_every_method_has_the_name_of_a_row() -> None:
    assert set(METHODS) - {case.name for case in CASES} - WITHOUT_ROW == set()


@pytest.mark.parametrize("case", [case for case in CASES if case.wrong], ids=str)
def test_operands_that_do_not_fit_are_refused_by_name(
    case: OpCase, rng: np.random.Generator
) -> None:
    operands = case.fill(case.wrong, rng, np.float64)
    with pytest.raises((ag.ShapeError, IndexError)) as caught:
        case.call(on_tensors(operands, []))
    names = {case.name, *SPEAKS_FOR.get(case.name, ())}
    assert any(name in str(caught.value) for name in names)
    assert any(str(x.shape) in str(caught.value) for x in operands if isinstance(x, np.ndarray))


# A composition may leave it to the op inside to complain.
SPEAKS_FOR = {
    "max": ("maximum",), "cross_entropy": ("nll_loss",),
    "broadcast_to": ("expand",), "view_as_shape": ("view",),
}  # fmt: skip


@pytest.mark.parametrize("case", BROADCASTING, ids=str)
def test_shapes_that_do_not_broadcast_are_named_with_the_axis(
    case: OpCase, rng: np.random.Generator
) -> None:
    shapes = [(3, 4), (3, 5), (3, 4)]
    wrong = tuple(shapes.pop(0) if isinstance(x, tuple) else x for x in case.operands)
    operands = case.fill(wrong, rng, np.float64)
    with pytest.raises(ag.ShapeError) as caught:
        case.call(on_tensors(operands, case.drawn))
    text = str(caught.value)
    assert text.startswith(f"{case.name} got shapes ")
    assert "(3, 4)" in text
    assert "(3, 5)" in text
    assert text.endswith("sizes 4 and 5 at axis -1 do not broadcast")
