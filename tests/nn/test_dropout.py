"""What dropout leaves out: how much, where, and what the mean is afterwards."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F

MANY = (200, 300)


def test_the_stated_share_is_left_out_and_the_mean_kept() -> None:
    y = nn.Dropout(0.25)(ag.ones(MANY)).numpy()
    assert set(np.unique(y)) == {np.float32(0.0), np.float32(1 / 0.75)}
    # Of 60,000 draws: the standard error of the share is 0.0018.
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.007)


def test_the_gradient_goes_where_the_values_went() -> None:
    x = ag.ones(MANY, requires_grad=True)
    y = nn.Dropout(0.5)(x)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


@pytest.mark.parametrize("shape", [(50,), MANY])
def test_every_call_draws_anew_and_a_seed_brings_it_back(shape: tuple[int, ...]) -> None:
    layer, x = nn.Dropout(), ag.ones(shape)
    ag.manual_seed(3)
    first = layer(x).tolist()
    assert layer(x).tolist() != first
    ag.manual_seed(3)
    assert layer(x).tolist() == first


def test_a_large_mask_is_not_kept_and_is_the_same_whatever_the_layout() -> None:
    x = ag.ones(MANY, requires_grad=True)
    ag.manual_seed(3)
    y = F.dropout(x, 0.5)
    assert not any(np.shape(kept) == MANY for kept in y.grad_fn.saved)
    ag.manual_seed(3)
    across = ag.ones(*MANY[::-1]).T
    assert not across.is_contiguous()
    assert F.dropout(across, 0.5).tolist() == y.tolist()


def test_in_place_a_large_input_is_changed_and_its_gradient_masked() -> None:
    x = ag.ones(MANY, requires_grad=True)
    base = x * 2.0
    y = F.dropout(base, 0.5, inplace=True)
    assert y is base
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout", "FeatureAlphaDropout", "Dropout1d"])
def test_at_evaluation_and_with_p_0_the_input_itself_comes_back(name: str) -> None:
    x = ag.ones(2, 3, 4)
    assert getattr(nn, name)(0.5).eval()(x) is x
    assert getattr(nn, name)(0.0)(x) is x


@pytest.mark.parametrize("name", ["Dropout", "VanillaDropout", "AlphaDropout", "Dropout1d"])
def test_with_p_1_nothing_is_left_and_no_gradient(name: str) -> None:
    x = ag.ones(2, 3, 4, requires_grad=True)
    y = getattr(nn, name)(1.0)(x)
    y.sum().backward()
    assert not y.detach().numpy().any()
    assert not x.grad.numpy().any()


@pytest.mark.parametrize(
    ("name", "shape", "lead"),
    [
        ("Dropout1d", (50, 60, 3), 2),
        ("Dropout1d", (900, 3), 1),
        ("Dropout2d", (50, 60, 2, 3), 2),
        ("Dropout3d", (50, 60, 2, 1, 3), 2),
        ("Dropout3d", (900, 2, 1, 3), 1),
        ("FeatureAlphaDropout", (50, 60, 3), 2),
    ],
)
def test_channels_are_left_out_whole(name: str, shape: tuple[int, ...], lead: int) -> None:
    y = getattr(nn, name)(0.5)(ag.ones(shape)).numpy().reshape(*shape[:lead], -1)
    assert (y == y[..., :1]).all()
    left = y[..., 0] == y.min()
    # Of 900 or 3,000 channels: the standard error of the share is at most 0.017.
    assert left.mean() == pytest.approx(0.5, abs=0.06)


def test_an_image_without_batch_is_read_as_a_batch_of_sequences() -> None:
    with pytest.warns(UserWarning, match=r"dropout2d got three axes and reads them as \(N, C, L\)"):
        y = nn.Dropout2d(0.5)(ag.ones(50, 60, 3)).numpy()
    assert (y == y[..., :1]).all()
    assert len(np.unique(y[:, :, 0], axis=0)) > 1


@pytest.mark.parametrize("name", ["AlphaDropout", "FeatureAlphaDropout"])
def test_alpha_dropout_keeps_mean_0_and_variance_1(name: str) -> None:
    x = ag.randn(400, 300, 1)
    y = getattr(nn, name)(0.3)(x).numpy()
    # Of 120,000 numbers: the standard errors are 0.003 and 0.004.
    assert y.mean() == pytest.approx(0.0, abs=0.015)
    assert y.var() == pytest.approx(1.0, abs=0.02)


def test_alpha_dropout_is_affine_in_what_it_keeps() -> None:
    p, floor = 0.3, -1.7580993408473766
    a = 1 / math.sqrt((1 - p) * (1 + p * floor**2))
    b = -a * p * floor
    y = F.alpha_dropout(ag.full((2000,), 2.0, dtype=ag.float64), p, True)
    low, high = np.unique(y.numpy())
    assert low == pytest.approx(a * floor + b, rel=1e-14)
    assert high == pytest.approx(a * 2.0 + b, rel=1e-14)


def test_the_vanilla_form_scales_at_evaluation_by_what_is_kept() -> None:
    layer, x = nn.VanillaDropout(0.25), ag.ones(MANY)
    y = layer(x).numpy()
    assert set(np.unique(y)) == {0.0, 1.0}
    assert y.mean() == pytest.approx(0.75, abs=0.007)
    assert layer.eval()(x).numpy() == pytest.approx(0.75)


def test_the_mean_over_all_masks_is_p_times_the_whole() -> None:
    # Four masks of two inputs, each with its probability: E(a) = p (w1 x + w2 y).
    w, x, p = np.array([0.5, -2.0]), np.array([3.0, 1.5]), 0.7
    masks = [np.array([i, j]) for i in (0, 1) for j in (0, 1)]
    mean = sum(np.prod(np.where(m, p, 1 - p)) * (w @ (x * m)) for m in masks)
    layer = nn.VanillaDropout(1 - p).eval()
    assert (ag.tensor(w) * layer(ag.tensor(x))).sum().item() == pytest.approx(mean, rel=1e-14)


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "AlphaDropout"])
def test_in_place_changes_the_input(name: str) -> None:
    x = ag.ones(20, 30)
    y = getattr(nn, name)(0.5, inplace=True)(x)
    assert y is x
    assert len(np.unique(x.numpy())) == 2
    assert repr(getattr(nn, name)(0.5, True)) == f"{name}(p=0.5, inplace=True)"


def test_the_dtype_stays() -> None:
    for dtype in (ag.float16, ag.float32, ag.float64):
        for name in ("Dropout", "AlphaDropout", "VanillaDropout"):
            assert getattr(nn, name)(0.3)(ag.ones(4, 4, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Dropout(1.5), r"Dropout got p=1.5: a probability is between 0 and 1"),
        (lambda: nn.VanillaDropout(-0.1), r"VanillaDropout got p=-0.1"),
        (lambda: F.dropout(ag.ones(2), 2.0), r"dropout got p=2.0"),
        (lambda: nn.Dropout1d()(ag.ones(3)),
         r"Dropout1d\(.*\): dropout1d got input of shape \(3,\): it must have 1 axes after the ch"),
        (lambda: nn.Dropout3d()(ag.ones(3, 4)), r"dropout3d got input of shape \(3, 4\)"),
        (lambda: nn.FeatureAlphaDropout()(ag.ones(3)), r"\(3,\): it must be \(N, C, \.\.\.\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
