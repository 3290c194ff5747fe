"""PyTorch's older constructors, its compile, and torch.utils."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core import compiling


def test_a_constructor_takes_data_or_a_size() -> None:
    assert (ag.Tensor([1, 2]).dtype, ag.Tensor([1, 2]).tolist()) == (ag.float32, [1.0, 2.0])
    assert ag.Tensor(2, 3).shape == ag.LongTensor(2, 3).shape == (2, 3)
    assert ag.Tensor().shape == (0,)
    assert ag.Tensor(np.arange(2)).dtype == ag.float32
    with pytest.raises(TypeError, match=r"Tensor got a float: it needs a sequence, or sizes"):
        ag.Tensor(2.5)


def test_the_default_dtype_is_that_of_the_constructor() -> None:
    ag.set_default_dtype(ag.float64)
    try:
        assert ag.Tensor([1]).dtype == ag.float64
    finally:
        ag.set_default_dtype(ag.float32)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("HalfTensor", "float16"), ("FloatTensor", "float32"), ("DoubleTensor", "float64"),
        ("ByteTensor", "uint8"), ("CharTensor", "int8"), ("ShortTensor", "int16"),
        ("IntTensor", "int32"), ("LongTensor", "int64"), ("BoolTensor", "bool"),
    ],
)  # fmt: skip
def test_each_dtype_has_a_constructor_that_also_converts(name: str, dtype: str) -> None:
    make = getattr(ag, name)
    assert make([0, 1]).dtype == dtype
    assert ag.ones(2).type(make).dtype == dtype


def test_a_variable_is_the_tensor_without_history() -> None:
    x = ag.ones(2, requires_grad=True)
    y = ag.autograd.Variable(x * 2, requires_grad=True)
    assert (y.is_leaf, y.requires_grad) == (True, True)
    assert not ag.autograd.Variable(x).requires_grad
    with pytest.raises(TypeError, match="Variable got a list: it needs a Tensor"):
        ag.autograd.Variable([1.0])  # pyright: ignore[reportArgumentType]


def test_compile_returns_what_it_is_given_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    compiling._say.cache_clear()
    model = nn.Linear(2, 3)
    with caplog.at_level(logging.WARNING):
        assert ag.compile(model, fullgraph=True) is model
        assert ag.compile(mode="reduce-overhead")(model) is model
    assert [m.partition(":")[0] for m in caplog.messages] == [
        "autograd_core.compile returns what it is given"
    ]
    with pytest.raises(TypeError, match="compile got a int: it needs a function or a module"):
        ag.compile(3)


def test_utils_leads_to_data_and_checkpoint() -> None:
    import training.data

    assert ag.utils.data is training.data
    assert ag.utils.checkpoint.checkpoint is ag.checkpoint
    with pytest.raises(AttributeError, match="has no attribute 'tensorboard'"):
        _ = ag.utils.tensorboard


def test_limits_of_a_dtype_are_plain_numbers() -> None:
    assert ag.finfo(ag.float32).eps == 2.0**-23
    assert ag.finfo().dtype == ag.float32
    assert type(ag.finfo(ag.float16).max) is float
    assert (ag.iinfo(ag.int8).min, ag.iinfo(ag.int8).max) == (-128, 127)
    with pytest.raises(TypeError, match="finfo got int64: it needs a floating dtype"):
        ag.finfo(ag.int64)
    with pytest.raises(TypeError, match="iinfo got float32: it needs an integer dtype"):
        ag.iinfo(ag.float32)
