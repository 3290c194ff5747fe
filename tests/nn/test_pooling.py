"""Poolings: ties, NaN, edges, indices, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F
from autograd_core.ops import pooling_arrays

NAN, INF = np.nan, np.inf


def pooled(numbers: list[float], kernel: int, **options: Any) -> tuple[list[float], list[int]]:
    values, indices = F.max_pool1d(np.array([[numbers]]), kernel, return_indices=True, **options)
    return values[0, 0].tolist(), indices[0, 0].tolist()


def test_the_first_of_equal_elements_is_the_largest() -> None:
    assert pooled([1, 2, 2, 2], 3, stride=1) == ([2, 2], [1, 1])
    x = ag.tensor([[[1.0, 2.0, 2.0, 2.0]]], requires_grad=True)
    F.max_pool1d(x, 3, 1).sum().backward()
    assert x.grad.tolist() == [[[0, 2, 0, 0]]]


def test_nan_is_the_largest_and_the_last_one_counts() -> None:
    values, indices = pooled([NAN, 1, NAN, 3, 4], 3, stride=1)
    assert np.isnan(values).all()
    assert indices == [2, 2, 2]
    values, indices = F.adaptive_max_pool1d(np.array([[[NAN, 1, NAN, 3]]]), 2, True)
    np.testing.assert_array_equal(values, [[[NAN, NAN]]])
    assert indices.tolist() == [[[0, 2]]]


def test_padding_is_never_the_largest() -> None:
    assert pooled([-INF, -5], 2, padding=1) == ([-INF, -5], [0, 1])
    assert pooled([-7, -5, -6], 2, padding=1) == ([-7, -5], [0, 1])
    found = F.max_pool1d(np.array([[[-7, -5, -6]]]), 2, padding=1)
    assert found.dtype == np.int64
    assert found.tolist() == [[[-7, -5]]]


def test_a_last_window_may_reach_beyond_but_not_start_there() -> None:
    assert pooled([1, 2, 3, 4, 5], 2, ceil_mode=True)[0] == [2, 4, 5]
    assert pooled([1, 2, 3, 4], 1, stride=4, ceil_mode=True)[0] == [1]
    means = F.avg_pool1d(np.array([[[1.0, 2.0, 3.0]]]), 2, ceil_mode=True)
    assert means.tolist() == [[[1.5, 3.0]]]


def test_padding_counts_as_zeros_unless_told() -> None:
    x = np.array([[[[6.0, 6.0], [6.0, 6.0]]]])
    assert F.avg_pool2d(x, 2, padding=1)[0, 0, 0, 0] == 1.5
    assert F.avg_pool2d(x, 2, padding=1, count_include_pad=False)[0, 0, 0, 0] == 6.0
    assert F.avg_pool2d(x, 2, divisor_override=3)[0, 0, 0, 0] == 8.0


def test_infinities_stay_in_their_windows() -> None:
    x = np.array([[[INF, 1.0, 2.0, 4.0]]])
    assert F.avg_pool1d(x, 2).tolist() == [[[INF, 3.0]]]
    assert F.adaptive_avg_pool1d(x, 3).tolist() == [[[INF, 1.5, 3.0]]]
    assert F.interpolate(x, 8).tolist() == [[[INF, INF, 1, 1, 2, 2, 4, 4]]]


def test_adaptive_windows_overlap_where_they_must() -> None:
    x = np.arange(5.0)[None, None]
    assert F.adaptive_avg_pool1d(x, 3).tolist() == [[[0.5, 2.0, 3.5]]]
    values, indices = F.adaptive_max_pool1d(-x, 3, True)
    assert values.tolist() == [[[0, -1, -3]]]
    assert indices.tolist() == [[[0, 1, 3]]]
    assert F.adaptive_avg_pool1d(x, 7)[0, 0, 1] == 0.5


@pytest.mark.parametrize("output", [1, (2, 2), (None, 3)])
def test_equal_windows_give_the_same_by_either_way(output: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 6, 6))
    size = tuple(6 if n is None else n for n in (output if isinstance(output, tuple) else (1, 1)))
    means = ag.ops.pooling.adaptive_avg_pool(x, size)
    np.testing.assert_allclose(F.adaptive_avg_pool2d(x, output), means, rtol=1e-14, atol=1e-15)
    whole = ag.ops.pooling.adaptive_max_pool(x, size)
    for found, expected in zip(F.adaptive_max_pool2d(x, output, True), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


LARGE: dict[str, Any] = {
    "max": lambda x: F.max_pool2d(x, 3, 2, 1),
    "max, dilated": lambda x: F.max_pool2d(x, 2, 3, 1, 2, ceil_mode=True),
    "max, apart": lambda x: F.max_pool2d(x, 3),
    "max of lines": lambda x: F.max_pool1d(x.reshape(5, 6, 180), 4, 3),
    "max of cubes": lambda x: F.max_pool3d(x.reshape(5, 2, 3, 12, 15), 2),
    "adaptive max": lambda x: F.adaptive_max_pool2d(x, (5, 4)),
    "mean": lambda x: F.avg_pool2d(x, 2),
    "mean, padded": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "mean, to the end": lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True),
    "mean, apart": lambda x: F.avg_pool2d(x, (3, 2), 4, divisor_override=5),
    "mean of lines": lambda x: F.avg_pool1d(x.reshape(5, 6, 180), 4, 3),
    "mean of cubes": lambda x: F.avg_pool3d(x.reshape(5, 2, 3, 12, 15), 2, 1, 1),
    "adaptive mean": lambda x: F.adaptive_avg_pool2d(x, (5, 4)),
    "adaptive mean, even": lambda x: F.adaptive_avg_pool2d(x, (4, 5)),
    "mean of planes": lambda x: F.adaptive_avg_pool2d(x, 1),
}


@pytest.mark.parametrize("f", LARGE.values(), ids=LARGE)
def test_large_arrays_go_the_way_of_small_ones(
    f: Any, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    x, found = rng.normal(size=(5, 6, 12, 15)), []
    assert x.size > pooling_arrays.WORTH
    for worth in (pooling_arrays.WORTH, x.size + 1):
        monkeypatch.setattr(pooling_arrays, "WORTH", worth)
        leaf = ag.tensor(x, requires_grad=True)
        y = f(leaf)
        g = np.cos(np.arange(y.numel())).reshape(y.shape)
        total = (f(leaf) ** 2 * ag.tensor(g)).sum()
        dx: Any = ag.autograd.grad(total, [leaf], create_graph=True)[0]
        (second,) = ag.autograd.grad((dx * dx).sum(), [leaf])
        _, tangent = ag.func.jvp(f, (leaf,), (leaf.detach().cos(),))
        found.append([a.detach().numpy() for a in (y, dx, second, tangent)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_unpooling_puts_back_what_pooling_found(rng: np.random.Generator) -> None:
    x = ag.tensor(rng.normal(size=(2, 3, 4, 6)))
    y, indices = nn.MaxPool2d(2, return_indices=True)(x)
    back = nn.MaxUnpool2d(2)(y, indices)
    assert back.shape == x.shape
    kept = back.numpy() != 0
    np.testing.assert_array_equal(back.numpy()[kept], x.numpy()[kept])
    assert int(kept.sum()) == y.numel()
    odd = nn.MaxUnpool2d(2)(y, indices, output_size=(2, 3, 5, 7))
    assert odd.shape == (2, 3, 5, 7)


@pytest.mark.torch
def test_special_numbers_go_as_in_pytorch(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    for _ in range(50):
        x = rng.choice([NAN, INF, -INF, 0.0, 1.0], size=(2, 2, 5, 6), p=[0.1, 0.1, 0.3, 0.2, 0.3])
        calls: dict[str, dict[str, Any]] = {
            "max_pool2d": {"kernel_size": (3, 2), "stride": 1, "padding": 1},
            "adaptive_max_pool2d": {"output_size": (2, 4)},
        }
        for name, options in calls.items():
            options["return_indices"] = True
            found = getattr(F, name)(x, **options)
            expected = getattr(torch.nn.functional, name)(torch.tensor(x), **options)
            for y, e in zip(found, expected, strict=True):
                np.testing.assert_array_equal(y, e.numpy())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.MaxPool2d(0), "MaxPool2d got kernel_size=0: it must be one or two numbers >="),
        (lambda: nn.MaxPool1d(2, stride=(1, 2)), r"stride=\(1, 2\): it must be one number >= 1"),
        (lambda: nn.MaxPool3d(2, dilation=0), "MaxPool3d got dilation=0: it must be one or three"),
        (lambda: nn.AvgPool2d(2, padding=-1), "AvgPool2d got padding=-1: it must be"),
        (lambda: nn.MaxUnpool2d(2, 0), "MaxUnpool2d got stride=0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def refused(match: str, call: Any, kind: Any = ag.ShapeError) -> None:
    with pytest.raises(kind, match=match):
        call()


def test_what_does_not_fit_is_refused() -> None:
    x = ag.ones(1, 2, 3, 3)
    refused(r"MaxPool2d\(.*\) got x of shape \(3, 3\): it must be \(N, C, H, W\) or \(C, H, W\)",
            lambda: nn.MaxPool2d(2)(x[0, 0]))  # fmt: skip
    refused(r"max_pool2d got shape \(1, 2, 3, 3\): the kernel spans 4 elements, the padded in",
            lambda: F.max_pool2d(x, 4))  # fmt: skip
    refused("padding=2: it must be at most half of the kernel's 2",
            lambda: F.max_pool2d(x, 2, padding=2))  # fmt: skip
    refused("only the axis of samples may have size 0", lambda: F.max_pool2d(x[:, :0], 2))
    refused("a window sees nothing but padding",
            lambda: F.max_pool2d(x[..., :1], 2, padding=1, dilation=2))  # fmt: skip
    refused("divisor_override=0: it must not be 0",
            lambda: F.avg_pool2d(x, 2, divisor_override=0))  # fmt: skip
    refused(r"output_size=\(1, 2, 3\): it must be one number, or 2",
            lambda: F.adaptive_avg_pool2d(x, (1, 2, 3)))  # fmt: skip
    refused("with at least one element", lambda: F.adaptive_max_pool2d(x[..., :0], 1))
    refused("avg_pool2d .*it needs a floating dtype, not int64",
            lambda: F.avg_pool2d(x.long(), 2), ag.DtypeError)  # fmt: skip


def test_an_unpooling_that_does_not_fit_is_refused() -> None:
    y, at = ag.ones(1, 1, 2), ag.tensor([[[0, 3]]])
    refused("as many indices as values", lambda: F.max_unpool1d(y, at[..., :1], 2))
    refused(r"output_size=\(9,\): it must differ from \(4,\) by less than the stride \(2,\)",
            lambda: F.max_unpool1d(y, at, 2, output_size=(9,)))  # fmt: skip
    refused(r"index 4 is out of range for an output of size \(4,\)",
            lambda: F.max_unpool1d(y, at + 1, 2), IndexError)  # fmt: skip


def test_the_values_of_max_pooling_may_be_changed_in_place() -> None:
    x = ag.arange(16.0).view(1, 1, 4, 4).requires_grad_()
    F.relu(F.max_pool2d(x, 2).sub_(7), inplace=True).sum().backward()
    assert x.grad.flatten().nonzero().flatten().tolist() == [13, 15]
