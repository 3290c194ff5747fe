"""Convolutions: any geometry beside PyTorch, their adjoints, what they refuse, what they keep."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_core as ag
from autograd_core.ops import conv_arrays

GEOMETRIES = 500


def geometry(rng: np.random.Generator) -> tuple[str, list[Any], dict[str, Any]]:
    """Return the name of a convolution, its operands, and options that fit them."""
    axes, transposed = int(rng.integers(1, 4)), bool(rng.random() < 0.5)
    groups = int(rng.integers(1, 4))
    c, out = (groups * int(rng.integers(1, 3)) for _ in "co")
    kernel, stride = rng.integers(1, 4, axes), rng.integers(1, 4, axes)
    dilation, padding = rng.integers(1, 3, axes), rng.integers(0, 3, axes)
    options: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    span = dilation * (kernel - 1) + 1
    if transposed:
        options["output_padding"] = rng.integers(0, np.maximum(stride, dilation))
        least = np.maximum(1, -(-(2 * padding - span + 1) // stride) + 1)
        weight = (c, out // groups, *kernel)
    else:
        least = np.maximum(1, span - 2 * padding)
        weight = (out, c // groups, *kernel)
    x = (int(rng.integers(1, 4)), c, *(least + rng.integers(0, 4, axes)))
    operands = [rng.normal(size=shape) for shape in (x, weight, (out,))]
    options = {name: tuple(map(int, value)) for name, value in options.items()}
    name = f"conv{'_transpose' if transposed else ''}{axes}d"
    return name, operands, {**options, "groups": groups}


@pytest.mark.torch
@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize(("least", "dtype"), [(1 << 60, "float64"), (0, "float64"), (0, "float32")],
                         ids=["columns", "kernels", "kernels in float32"])  # fmt: skip
def test_any_geometry_gives_what_pytorch_gives(
    part: int, least: int, dtype: str, torch: Any, rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(conv_arrays, "WORTH", least)
    rtol = {"float64": 1e-10, "float32": 1e-5}[dtype]
    for _ in range(GEOMETRIES // 5):
        name, operands, options = geometry(rng)
        operands = [x.astype(dtype) for x in operands]
        ours = [ag.tensor(x, requires_grad=True) for x in operands]
        theirs = [torch.tensor(x, requires_grad=True) for x in operands]
        y, e = getattr(ag, name)(*ours, **options), getattr(torch, name)(*theirs, **options)
        close(y, e, rtol)
        w = rng.normal(size=y.shape).astype(dtype)
        firsts: Any = ag.autograd.grad(y, ours, ag.tensor(w), create_graph=True)
        expected = torch.autograd.grad(e, theirs, torch.tensor(w), create_graph=True)
        directions = [rng.normal(size=g.shape).astype(dtype) for g in firsts]
        for g, h in zip(firsts, expected, strict=True):
            close(g, h, rtol)
        slope: Any = sum((g * ag.tensor(v)).sum() for g, v in zip(firsts, directions, strict=True))
        other = sum((g * torch.tensor(v)).sum() for g, v in zip(expected, directions, strict=True))
        seconds = ag.autograd.grad(slope, ours[:2])
        for g, h in zip(seconds, torch.autograd.grad(other, theirs[:2]), strict=True):
            close(g, h, rtol)


def close(found: Any, expected: Any, rtol: float = 1e-10) -> None:
    e = expected.detach().numpy()
    np.testing.assert_allclose(
        found.detach().numpy(), e, rtol, rtol * max(1.0, np.abs(e).max(initial=0.0))
    )


@given(st.integers(0, 2**32 - 1))
def test_the_transposed_convolution_is_the_adjoint(seed: int) -> None:
    rng = np.random.default_rng(seed)
    name, (y, weight, _), options = geometry(rng)
    if "transpose" not in name:
        return
    turned = getattr(ag, name)(y, weight, **options)
    x = rng.normal(size=turned.shape)
    del options["output_padding"]
    slid = getattr(ag, name.replace("_transpose", ""))(x, weight, **options)
    # A large output padding leaves room for windows that y does not know.
    slid = slid[tuple(slice(n) for n in y.shape)]
    assert np.sum(slid * y) == pytest.approx(np.sum(x * turned), rel=1e-10, abs=1e-9)


def test_a_constant_image_gives_the_sum_of_the_weight() -> None:
    weight = np.arange(12.0).reshape(2, 1, 2, 3)
    y = ag.conv2d(np.ones((1, 1, 4, 4)), weight, np.array([10.0, 20.0]))
    np.testing.assert_array_equal(y[0, 0], np.full((3, 2), 15.0 + 10.0))
    np.testing.assert_array_equal(y[0, 1], np.full((3, 2), 51.0 + 20.0))


def test_a_depthwise_convolution_keeps_channels_apart() -> None:
    x = np.zeros((1, 3, 5))
    x[0, 1] = 1.0
    y = ag.conv1d(x, np.ones((6, 1, 2)), groups=3)
    np.testing.assert_array_equal(y[0, :, 0], [0, 0, 2, 2, 0, 0])


def test_bias_and_sum_are_one_node() -> None:
    x, w, b = (ag.ones(*s, requires_grad=True) for s in ((1, 2, 4, 4), (3, 2, 2, 2), (3,)))
    y = ag.conv2d(x, w, b)
    assert y.grad_fn.op.name == "conv"
    assert y.grad_fn.op.label(y.grad_fn.params) == "conv2d"
    assert [e is leaf for e, leaf in zip(y.grad_fn.edges, (x, w, b), strict=True)] == [True] * 3


@pytest.mark.parametrize("dtype", [ag.float32, ag.float64, ag.float16])
def test_the_dtype_is_kept_forwards_and_backwards(dtype: Any) -> None:
    x, w, b = (ag.ones(*s, dtype=dtype, requires_grad=True) for s in ((2, 1, 4), (2, 1, 3), (2,)))
    for y in (ag.conv1d(x, w, b), ag.conv_transpose1d(x, w[:1], b[:1])):
        assert y.dtype == dtype
        assert {g.dtype for g in ag.autograd.grad(y.sum(), [x, w, b])} == {dtype}


def test_halves_are_added_up_in_single_precision() -> None:
    x = np.full((1, 1, 4096), 1.0, np.float16)
    assert ag.conv1d(x, x)[0, 0, 0] == 4096  # in halves the sum would stop at 2048


def test_no_samples_give_no_samples() -> None:
    x, w = ag.zeros(0, 2, 4, 4, requires_grad=True), ag.ones(3, 2, 2, 2, requires_grad=True)
    y = ag.conv2d(x, w)
    y.sum().backward()
    assert y.shape == (0, 3, 3, 3)
    assert x.grad.shape == (0, 2, 4, 4)
    assert not w.grad.any()


def test_columns_of_a_batch_are_never_all_there_at_once() -> None:
    x, w = np.ones((64, 16, 32, 32), np.float32), np.ones((4, 16, 5, 5), np.float32)
    whole = 64 * 16 * 25 * 28 * 28 * 4
    y = ag.conv2d(x, w)
    wide = ((0, 0), (0, 0))
    for work in (
        lambda: ag.conv2d(x, w),
        lambda: ag.ops.conv.conv_weight(x, y, (5, 5), (1, 1), wide, (1, 1), 1),
        lambda: ag.ops.conv.conv_transpose(y, w, None, (32, 32), (1, 1), wide, (1, 1), 1),
    ):
        tracemalloc.start()
        work()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 32 << 20 < whole


def refused(match: str, call: Any, kind: Any = ag.ShapeError) -> None:
    with pytest.raises(kind, match=match):
        call()


def test_what_does_not_fit_is_refused_before_any_work() -> None:
    x, w = ag.ones(1, 2, 4, 4), ag.ones(3, 2, 2, 2)
    refused(r"conv2d got shapes \(4, 4\) and .*: it must have the axes \(n, c, h, w\) or \(c, h",
            lambda: ag.conv2d(x[0, 0], w))  # fmt: skip
    refused(r"the axes \(n, c, l\) or \(c, l\)", lambda: ag.conv1d(x, w[0]))
    refused(r"a weight of shape \(3, 2, 2\): it must have the axes \(out, in / groups, height, wi",
            lambda: ag.conv2d(x, w[..., 0]))  # fmt: skip
    refused("none of size 0", lambda: ag.conv2d(x, w[..., :0]))
    refused(r"x has 2 channels, it must have 1$", lambda: ag.conv2d(x, w[:, :1]))
    refused("groups=2 must divide the channels", lambda: ag.conv2d(x, w, groups=2))
    refused("groups=0 must divide", lambda: ag.conv2d(x, w, groups=0))
    refused("the kernel spans 5 elements, the padded input has 4",
            lambda: ag.conv2d(x, ag.ones(3, 2, 3, 1), dilation=2))  # fmt: skip
    refused("stride=0: it must be one or two numbers >= 1", lambda: ag.conv2d(x, w, stride=0))
    refused("dilation=0: it must be one or two", lambda: ag.conv2d(x, w, dilation=0))
    refused(r"padding=\(0, -1\): it must be one or two numbers >= 0",
            lambda: ag.conv2d(x, w, padding=(0, -1)))  # fmt: skip
    refused("padding='full': it must be a number, 'same' or 'valid'",
            lambda: ag.conv2d(x, w, padding="full"))  # fmt: skip
    refused(r"padding='same' and stride=\(2, 2\): it needs stride 1",
            lambda: ag.conv2d(x, w, stride=2, padding="same"))  # fmt: skip
    refused(r"a bias of shape \(2,\): it must have shape \(3,\)",
            lambda: ag.conv2d(x, w, ag.ones(2)))  # fmt: skip
    refused("conv2d got .*a weight of float64 for x of float32",
            lambda: ag.conv2d(x, w.double()), ag.DtypeError)  # fmt: skip
    refused("a bias of float64 for x of float32",
            lambda: ag.conv2d(x, w, ag.ones(3).double()), ag.DtypeError)  # fmt: skip


def test_a_transposed_convolution_that_does_not_fit_is_refused() -> None:
    x, w = ag.ones(1, 2, 4), ag.ones(2, 3, 2)
    refused(r"conv_transpose1d got shapes .*: x has 3 channels, it must have 2",
            lambda: ag.conv_transpose1d(ag.ones(1, 3, 4), w))  # fmt: skip
    refused("output_padding=2: it must be below stride or dilation",
            lambda: ag.conv_transpose1d(x, w, stride=2, output_padding=2))  # fmt: skip
    refused(r"the output would have the size \(-1,\): x is too small",
            lambda: ag.conv_transpose1d(x, w, padding=3))  # fmt: skip
    refused(r"a weight of shape \(2, 3\): it must have the axes \(in, out / groups, width\)",
            lambda: ag.conv_transpose1d(x, w[..., 0]))  # fmt: skip


def test_a_wrong_count_of_numbers_names_the_right_one() -> None:
    refused(r"stride=\(1, 1\): it must be one number >= 1",
            lambda: ag.conv1d(ag.ones(1, 1, 4), ag.ones(1, 1, 2), stride=(1, 1)))  # fmt: skip
    refused("stride=1.5: it must be one or three numbers",
            lambda: ag.conv3d(ag.ones(1, 1, 2, 2, 2), ag.ones(1, 1, 1, 1, 1),
                              stride=1.5))  # fmt: skip
