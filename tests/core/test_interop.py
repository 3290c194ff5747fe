"""Meeting other code: NumPy's protocols, DLPack, pickling and copying."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

HIDDEN = r"numpy cannot see inside a Tensor that needs a gradient; use an op, or .detach\(\).numpy"


def test_numpy_sees_the_memory_and_cannot_write_to_it() -> None:
    x = ag.arange(3.0)
    for view in (x.numpy(), np.asarray(x), np.asarray(x.detach())):
        assert type(view) is np.ndarray
        assert np.shares_memory(view, x._array)
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 5.0
    x[0] = 7.0
    assert x.numpy()[0] == 7.0
    fresh = np.array(x)
    fresh[0] = 1.0
    assert x[0].item() == 7.0
    assert np.asarray(x, dtype=np.float64).dtype == np.float64


def test_a_tensor_that_requires_grad_hides_from_numpy() -> None:
    x = ag.ones(3, requires_grad=True)
    with pytest.raises(ag.GraphError, match=r"would lose the graph: use .detach\(\).numpy\(\)"):
        x.numpy()
    for look in (np.asarray, np.mean, np.spacing, lambda t: np.concatenate([t, t])):
        with pytest.raises(ag.GraphError, match=HIDDEN):
            look(x)


@pytest.mark.parametrize(
    "ufunc",
    [np.exp, np.log, np.tanh, np.sqrt, np.square, np.negative, np.absolute, np.sign, np.positive],
    ids=lambda u: u.__name__,
)
def test_a_known_ufunc_runs_its_op_and_is_recorded(ufunc: Any) -> None:
    x = ag.tensor([0.5, 2.0], requires_grad=True)
    y = ufunc(x)
    assert isinstance(y, ag.Tensor)
    assert y.requires_grad
    np.testing.assert_allclose(
        y.detach().numpy(), ufunc(np.array([0.5, 2.0], np.float32)), rtol=1e-6
    )


def test_an_array_on_the_left_gives_a_tensor_with_a_gradient() -> None:
    a: Any = np.array([1.0, 2.0], np.float32)
    x: Any = ag.tensor([3.0, 4.0], requires_grad=True)
    results = [a + x, a - x, a * x, a / x, a**x, a @ x, np.maximum(a, x), np.float32(2) * x]
    assert all(isinstance(y, ag.Tensor) and y.requires_grad for y in results)
    (a * x).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]
    assert isinstance(a < x, ag.Tensor)
    assert (a < x).tolist() == [True, True]


def test_writing_into_an_array_is_refused() -> None:
    a = np.ones(2, np.float32)
    with pytest.raises(ag.GraphError, match=r"np\.add cannot write into out= beside a Tensor"):
        a += ag.ones(2)
    with pytest.raises(ag.GraphError, match=r"np\.exp cannot write into out="):
        np.exp(ag.ones(2), out=a)
    assert a.tolist() == [1.0, 1.0]


def test_other_numpy_functions_treat_a_plain_tensor_as_an_array() -> None:
    x = ag.tensor([3.0, 1.0, 2.0])
    assert np.sort(x).tolist() == [1.0, 2.0, 3.0]
    assert np.mean(x) == 2.0
    assert np.stack([x, x]).shape == (2, 3)
    assert np.add.reduce(x) == 6.0
    assert np.spacing(x).tolist() == np.spacing(x.numpy()).tolist()
    assert np.allclose(x, [3.0, 1.0, 2.0])


def test_numpy_s_numbers_count_as_python_s() -> None:
    x: Any = ag.ones(2)
    assert (x * np.float64(2.0)).dtype == (np.float64(2.0) * x).dtype == ag.float32
    assert (x + np.int64(1)).dtype == ag.float32


def test_dlpack_goes_out_and_comes_in_without_a_copy() -> None:
    x = ag.arange(4.0)
    array = np.from_dlpack(x)
    assert np.shares_memory(array, x._array)
    y = ag.from_dlpack(np.arange(3.0))
    assert (y.tolist(), y.dtype) == ([0.0, 1.0, 2.0], ag.float64)
    assert x.__dlpack_device__() == (1, 0)
    assert ag.from_dlpack(x).data_ptr() == x.data_ptr()


def test_dlpack_does_not_carry_history_or_read_only_memory() -> None:
    with pytest.raises(ag.GraphError, match=r"cannot be shared: use .detach\(\)"):
        np.from_dlpack(ag.ones(2, requires_grad=True))
    with pytest.raises(BufferError, match=r"cannot be shared by DLPack: clone\(\) it first"):
        np.from_dlpack(ag.zeros(1).expand(3))


def test_what_another_library_writes_through_dlpack_is_noticed() -> None:
    x, w = ag.ones(3), ag.ones(3, requires_grad=True)
    other = np.from_dlpack(x)
    if not other.flags.writeable:
        pytest.skip("this NumPy imports DLPack read-only")
    y = (w * x).sum()
    other[0] = 5.0
    with pytest.raises(ag.GraphError, match="changed in place"):
        y.backward()


@pytest.mark.torch
def test_pytorch_and_this_library_share_memory_both_ways(torch: Any) -> None:
    x = ag.arange(3.0)
    theirs = torch.from_dlpack(x)
    theirs[0] = 5.0
    assert x.tolist() == [5.0, 1.0, 2.0]
    ours = ag.from_dlpack(torch.ones(2))
    assert (ours.tolist(), ours.dtype) == ([1.0, 1.0], ag.float32)
    w = ag.ones(3, requires_grad=True)
    y = (w * x).sum()
    theirs.zero_()
    with pytest.raises(ag.GraphError, match="changed in place"):
        y.backward()


def named_leaf() -> ag.Tensor:
    x = ag.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=ag.float64, requires_grad=True)
    x.square().sum().backward()
    x.name = "W1"
    return x


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_leaf_survives_pickling(protocol: int) -> None:
    x = named_leaf()
    y = pickle.loads(pickle.dumps(x, protocol))
    assert (y.tolist(), y.dtype, y.requires_grad, y.name) == (x.tolist(), ag.float64, True, "W1")
    assert y.grad.tolist() == x.grad.tolist()
    (y * 2).sum().backward()
    assert x.grad.tolist() == [[2.0, 4.0], [6.0, 8.0]]


def test_a_deep_copy_shares_nothing_and_stays_one_thing() -> None:
    x = named_leaf()
    y, again = copy.deepcopy([x, x])
    assert y is again
    assert (y.tolist(), y.requires_grad, y.name) == (x.tolist(), True, "W1")
    assert y.data_ptr() != x.data_ptr()
    assert y.grad.data_ptr() != x.grad.data_ptr()


def test_results_with_history_are_neither_pickled_nor_copied() -> None:
    y = ag.ones(2, requires_grad=True) * 2
    with pytest.raises(ag.GraphError, match=r"only leaf tensors can be pickled: use .detach\(\)"):
        pickle.dumps(y)
    with pytest.raises(ag.GraphError, match=r"can be deep-copied: use .detach\(\).clone\(\)"):
        copy.deepcopy(y)


def test_a_view_is_pickled_as_what_it_shows() -> None:
    x = ag.arange(1000.0)
    assert pickle.loads(pickle.dumps(x[10:12])).tolist() == [10.0, 11.0]
    assert len(pickle.dumps(x[10:12])) < 1000
