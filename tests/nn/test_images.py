"""Padding, folding and resizing: what they are, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F


def test_folding_counts_how_often_a_pixel_was_seen() -> None:
    seen = F.fold(F.unfold(np.ones((1, 1, 3, 3)), 2), (3, 3), 2)
    assert seen[0, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_a_convolution_is_a_product_with_columns(rng: np.random.Generator) -> None:
    x, w = rng.normal(size=(2, 3, 5, 4)), rng.normal(size=(6, 3, 2, 3))
    columns = F.unfold(x, (2, 3), padding=1, stride=2)
    expected = F.conv2d(x, w, padding=1, stride=2)
    np.testing.assert_allclose((w.reshape(6, -1) @ columns).reshape(expected.shape), expected)


def test_pixels_become_channels_and_pixels_again(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 4, 6))
    channels = F.pixel_unshuffle(x, 2)
    assert channels.shape == (2, 12, 2, 3)
    np.testing.assert_array_equal(channels[:, 3], x[:, 0, 1::2, 1::2])
    np.testing.assert_array_equal(F.pixel_shuffle(channels, 2), x)


def test_channels_of_all_groups_take_turns() -> None:
    x = np.arange(6.0).reshape(1, 6, 1)
    assert F.channel_shuffle(x, 2).ravel().tolist() == [0, 3, 1, 4, 2, 5]


def test_a_line_stays_a_line() -> None:
    x = np.arange(5.0)[None, None]
    finer = F.interpolate(x, 9, mode="linear", align_corners=True)
    np.testing.assert_allclose(finer[0, 0], np.arange(9) / 2)
    plane = x + 10 * x.transpose(0, 2, 1)
    finer = F.interpolate(plane[None], (9, 9), mode="bicubic", align_corners=True)[0, 0]
    # Two pixels from the edge a cubic meets no element that is not there.
    at = np.arange(2, 7) / 2
    np.testing.assert_allclose(finer[2:7, 2:7], np.add.outer(10 * at, at))


def test_the_area_is_the_mean_of_what_it_covers() -> None:
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    assert F.interpolate(x, 2, mode="area")[0, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]


@pytest.mark.torch
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_any_size_and_factor_gives_what_pytorch_gives(axes: int, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    lines = ("linear", "bilinear", "trilinear")[axes - 1]
    modes = ["nearest", "nearest-exact", "area", lines, *(["bicubic"] if axes == 2 else [])]
    for _ in range(40):
        x = rng.normal(size=(2, 2, *rng.integers(1, 7, axes)))
        options: dict[str, Any] = {"mode": str(rng.choice(modes))}
        if options["mode"] in (lines, "bicubic"):
            options["align_corners"] = bool(rng.random() < 0.5)
        if rng.random() < 0.5:
            options["size"] = tuple(int(n) for n in rng.integers(1, 9, axes))
        else:
            factors = tuple(float(f) for f in rng.choice([1.0, 1.5, 2.0, 2.4, 3.0], axes))
            options |= {"scale_factor": factors, "recompute_scale_factor": rng.random() < 0.3}
            if options["mode"] == "nearest" and not whole(factors):
                options["recompute_scale_factor"] = True
        ours, theirs = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y = F.interpolate(ours, **options)
        e = torch.nn.functional.interpolate(theirs, **options)
        np.testing.assert_allclose(y.detach().numpy(), e.detach().numpy(), 1e-10, 1e-10)
        w = rng.normal(size=y.shape)
        y.backward(ag.tensor(w))
        e.backward(torch.tensor(w))
        np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), 1e-10, 1e-10)


def whole(factors: tuple[float, ...]) -> bool:
    """PyTorch's ways to the nearest element differ among each other by broken factors."""
    return all(f == int(f) for f in factors)


SAME: Any = "same"


def refused(match: str, call: Any, kind: Any = ag.ShapeError) -> None:
    with pytest.raises(kind, match=match):
        call()


def test_a_size_that_cannot_be_is_refused() -> None:
    x = ag.ones(1, 2, 3, 4)
    refused("size=None and scale_factor=None: give one of them", lambda: F.interpolate(x))
    refused("size=2 and scale_factor=2: give one", lambda: F.interpolate(x, 2, 2))
    refused(r"size=\(1, 2, 3\): it must be one number, or 2", lambda: F.interpolate(x, (1, 2, 3)))
    refused(r"sizes must be above 0, from \(3, 4\) to \(0, 0\)",
            lambda: F.interpolate(x, scale_factor=0.1))  # fmt: skip
    refused("mode='linear': it needs .* with 1 spatial axis",
            lambda: F.interpolate(x, 2, mode="linear"))  # fmt: skip
    refused("mode='near': it must be one of nearest, nearest-exact, linear",
            lambda: F.interpolate(x, 2, mode="near"), ValueError)  # fmt: skip
    refused("align_corners=True for mode='nearest': only lines and cubics",
            lambda: F.interpolate(x, 2, align_corners=True), ValueError)  # fmt: skip
    refused("antialias=True: there is no smoothing",
            lambda: F.interpolate(x, 2, mode="bilinear", antialias=True), ValueError)  # fmt: skip
    refused("recompute_scale_factor=True: it is for a scale_factor",
            lambda: F.interpolate(x, 2, recompute_scale_factor=True), ValueError)  # fmt: skip


def test_what_does_not_divide_is_refused() -> None:
    x = ag.ones(1, 3, 3, 4)
    refused("upscale_factor=2: its square must divide the 3 chan", lambda: F.pixel_shuffle(x, 2))
    refused("downscale_factor=2: it must divide height 3 and width 4",
            lambda: F.pixel_unshuffle(x, 2))  # fmt: skip
    refused(r"it must have the axes \(..., c, h, w\)", lambda: F.pixel_shuffle(x[0, 0], 2))
    refused("groups=2: it must divide the 3 channels", lambda: F.channel_shuffle(x, 2))
    refused("at least one after c", lambda: F.channel_shuffle(x[0, 0], 2))


def test_columns_that_do_not_fit_are_refused() -> None:
    x = ag.ones(1, 4, 4)
    refused("unfold got shape .*the kernel spans 5 elements", lambda: F.unfold(x, 5))
    refused(r"a kernel of \(3, 3\) does not divide its 4 rows", lambda: F.fold(x, 4, 3))
    refused(r"it has 4 columns for 9 windows in \(4, 4\)", lambda: F.fold(x, 4, 2))
    refused(r"the axes \(n, c kh kw, windows\)", lambda: F.fold(x[None], 4, 2))


def test_widths_that_cannot_be_are_refused() -> None:
    refused(r"ZeroPad2d got padding=\(1, 2\): it must be one number, or 4",
            lambda: nn.ZeroPad2d((1, 2)))  # fmt: skip
    refused(r"ReflectionPad1d\(.*\) got x of shape \(4,\): it must have 2 axes, or 3",
            lambda: nn.ReflectionPad1d(1)(ag.ones(4)))  # fmt: skip
    refused("for an axis of 4: it must be between 0 and 3",
            lambda: nn.ReflectionPad1d(4)(ag.ones(1, 4)))  # fmt: skip


def test_a_transposed_convolution_can_be_told_its_size() -> None:
    layer = nn.ConvTranspose1d(1, 1, 3, stride=3)
    x = ag.ones(1, 1, 4)
    assert layer(x).shape == (1, 1, 12)
    assert layer(x, output_size=(14,)).shape == (1, 1, 14)
    refused(r"got output_size \(15,\) for x of size \(4,\): it must be from \(12,\) to \(14,\)",
            lambda: layer(x, output_size=(15,)))  # fmt: skip
    refused("padding=same: it must be one number >= 0",
            lambda: nn.ConvTranspose1d(1, 1, 3, padding=SAME))  # fmt: skip
    refused("padding_mode='reflect': it must be 'zeros'",
            lambda: nn.ConvTranspose1d(1, 1, 3, padding_mode="reflect"), ValueError)  # fmt: skip
