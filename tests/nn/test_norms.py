"""Normalization: running statistics, precision, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F
from autograd_core.ops import normalization_arrays

LARGE_MEAN = 1e4
SMALL_SPREAD = 1e-2


def far_from_zero(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (LARGE_MEAN + SMALL_SPREAD * rng.normal(size=shape)).astype(np.float32)


def exactly(x: np.ndarray, dims: Any, eps: float = 1e-5) -> np.ndarray:
    wide = x.astype(np.float64)
    middle, var = wide.mean(dims, keepdims=True), wide.var(dims, keepdims=True)
    return (wide - middle) / np.sqrt(var + eps)


def test_digits_survive_beside_a_large_mean(rng: np.random.Generator) -> None:
    images, rows = far_from_zero(rng, 16, 4, 7, 7), far_from_zero(rng, 64, 50)
    grouped = exactly(images.reshape(16, 2, -1), 2).reshape(images.shape)
    for found, expected in [
        (F.batch_norm(images, None, None, training=True), exactly(images, (0, 2, 3))),
        (F.batch_norm(rows, None, None, training=True), exactly(rows, 0)),
        (F.instance_norm(images), exactly(images, (2, 3))),
        (F.group_norm(images, 2), grouped),
        (F.layer_norm(rows, (50,)), exactly(rows, 1)),
    ]:
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_gradients_keep_their_digits_beside_a_large_mean(rng: np.random.Generator) -> None:
    x, g = far_from_zero(rng, 64, 50), rng.normal(size=(64, 50)).astype(np.float32)
    leaf = ag.tensor(x, requires_grad=True)
    F.layer_norm(leaf, (50,)).backward(ag.tensor(g))
    unit = exactly(x, 1)
    scale = 1 / np.sqrt(x.astype(np.float64).var(1, keepdims=True) + 1e-5)
    wide = g.astype(np.float64)
    expected = wide - wide.mean(1, keepdims=True) - unit * (wide * unit).mean(1, keepdims=True)
    np.testing.assert_allclose(leaf.grad.numpy(), scale * expected, rtol=1e-4, atol=1e-3)


GIVEN = np.array([0.5, -1.0, 0.0, 2.0]), np.array([0.25, 2.0, 1.0, 1.5])
LARGE: dict[str, Any] = {
    "batch": lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
    "batch, known": lambda x, w, b: F.batch_norm(x, *map(ag.tensor, GIVEN), w, b),
    "batch, rows": lambda x, w, b: F.batch_norm(x.reshape(-1, 4), None, None, w, b, True),
    "instance": lambda x, w, b: F.instance_norm(x, None, None, w),
    "group": lambda x, w, b: F.group_norm(x, 2, w, b),
    "group, shifted": lambda x, w, b: F.group_norm(x, 2, None, b),
    "layer": lambda x, w, b: F.layer_norm(x.reshape(-1, 2, 2), (2, 2), w.reshape(2, 2)),
    "layer, shifted": lambda x, w, b: F.layer_norm(x.reshape(-1, 4), (4,), None, b),
    "rms": lambda x, w, b: F.rms_norm(x.reshape(-1, 4), (4,), w),
}


def derivatives(f: Any, *arrays: np.ndarray) -> list[np.ndarray]:
    """Return the result, gradients, gradients of their squares, and a tangent."""
    leaves = [ag.tensor(a, requires_grad=True) for a in arrays]
    y = f(*leaves)
    g = ag.tensor(np.cos(np.arange(y.numel())).reshape(y.shape))
    rest: Any = {"allow_unused": True, "materialize_grads": True}
    plain: Any = ag.autograd.grad(y, leaves, [g], retain_graph=True, **rest)
    traced: Any = ag.autograd.grad(y, leaves, [g], create_graph=True, **rest)
    for a, b in zip(plain, traced, strict=True):
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-9)
    second = ag.autograd.grad(sum(((a * a).sum() for a in traced), ag.zeros(())), leaves, **rest)
    _, tangent = ag.func.jvp(f, tuple(leaves), tuple(a.detach().cos() for a in leaves))
    return [a.detach().numpy() for a in (y, *plain, *second, tangent)]


@pytest.mark.parametrize("f", LARGE.values(), ids=LARGE)
def test_large_arrays_go_the_way_of_small_ones(
    f: Any, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    arrays = rng.normal(size=(40, 4, 6, 5)), rng.normal(size=4), rng.normal(size=4)
    assert arrays[0].size > normalization_arrays.WORTH
    large = derivatives(f, *arrays)
    monkeypatch.setattr(normalization_arrays, "WORTH", arrays[0].size + 1)
    for a, b in zip(large, derivatives(f, *arrays), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_only_what_requires_grad_gets_one(rng: np.random.Generator) -> None:
    x, w = (ag.tensor(rng.normal(size=s)) for s in ((8, 4, 5), (4,)))
    expected = derivatives(lambda x, w: F.group_norm(x, 2, w, w), x.numpy(), w.numpy())[2]
    w.requires_grad_()
    F.group_norm(x, 2, w, w).backward(ag.tensor(np.cos(np.arange(160)).reshape(8, 4, 5)))
    assert x.grad is None
    np.testing.assert_allclose(w.grad.numpy(), expected, rtol=1e-12)


def test_running_statistics_follow_by_momentum(rng: np.random.Generator) -> None:
    layer = nn.BatchNorm1d(2, momentum=0.25).double()
    x = rng.normal(size=(5, 2))
    layer(ag.tensor(x))
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.25 * x.mean(0))
    np.testing.assert_allclose(layer.running_var.numpy(), 0.75 + 0.25 * x.var(0, ddof=1))
    assert layer.num_batches_tracked.item() == 1
    assert layer.num_batches_tracked.dtype == ag.int64


def test_without_momentum_they_are_the_mean_of_all_batches(rng: np.random.Generator) -> None:
    layer = nn.BatchNorm1d(2, momentum=None).double()
    batches = rng.normal(size=(4, 5, 2))
    for x in batches:
        layer(ag.tensor(x))
    np.testing.assert_allclose(layer.running_mean.numpy(), batches.mean((0, 1)))
    np.testing.assert_allclose(layer.running_var.numpy(), batches.var(1, ddof=1).mean(0))


def test_in_evaluation_they_serve_and_stay(rng: np.random.Generator) -> None:
    layer = nn.BatchNorm1d(2).double()
    layer(ag.tensor(rng.normal(size=(5, 2))))
    before = {name: value.numpy().copy() for name, value in layer.state_dict().items()}
    x = rng.normal(size=(1, 2))
    y = layer.eval()(ag.tensor(x))
    middle, var = before["running_mean"], before["running_var"]
    np.testing.assert_allclose(y.detach().numpy(), (x - middle) / np.sqrt(var + 1e-5))
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0, 0]
    assert layer.running_var.tolist() == [1, 1]
    assert layer.num_batches_tracked.item() == 0


def test_without_tracking_every_batch_has_its_own_statistics(rng: np.random.Generator) -> None:
    layer = nn.BatchNorm1d(2, affine=False, track_running_stats=False).double().eval()
    assert layer.running_mean is None
    assert dict(layer.state_dict()) == {}
    x = rng.normal(size=(5, 2))
    np.testing.assert_allclose(layer(ag.tensor(x)).numpy(), exactly(x, 0), rtol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["BatchNorm2d", "InstanceNorm2d"])
@pytest.mark.parametrize("momentum", [0.3, None])
def test_statistics_of_several_batches_are_pytorchs(
    name: str, momentum: float | None, rng: np.random.Generator
) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (
        getattr(library, name)(3, affine=True, track_running_stats=True, momentum=momentum).double()
        for library in (nn, torch.nn)
    )
    for mode in (True, True, False, True):
        x = rng.normal(size=(4, 3, 2, 5))
        ours.train(mode)
        theirs.train(mode)
        y, e = ours(ag.tensor(x)), theirs(torch.tensor(x))
        np.testing.assert_allclose(y.detach().numpy(), e.detach().numpy(), 1e-10, 1e-12)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for value, e in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        np.testing.assert_allclose(value.numpy(), e.numpy(), 1e-12)


def test_no_samples_leave_the_statistics_alone() -> None:
    layer, x = nn.BatchNorm1d(2), ag.ones(0, 2, 3, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.shape == x.grad.shape == (0, 2, 3)
    assert layer.running_mean.tolist() == [0, 0]
    assert layer.running_var.tolist() == [1, 1]
    assert nn.InstanceNorm1d(2, track_running_stats=True)(x).shape == (0, 2, 3)
    assert nn.LayerNorm(3)(x).shape == (0, 2, 3)


def test_a_scale_without_a_shift_and_a_shift_without_a_scale() -> None:
    x = np.array([[-1.0, 1.0]])
    np.testing.assert_allclose(F.layer_norm(x, (2,), np.array([2.0, 3.0]), eps=0.0), [[-2, 3]])
    np.testing.assert_allclose(F.layer_norm(x, (2,), None, np.array([2.0, 3.0]), 0.0), [[1, 4]])
    np.testing.assert_allclose(F.rms_norm(x * 3, (2,), np.array([2.0, 3.0]), 0.0), [[-2, 3]])


def test_halves_are_computed_in_single_precision(rng: np.random.Generator) -> None:
    x = (100 + rng.normal(size=(4, 4096))).astype(np.float16)
    leaf = ag.tensor(x, requires_grad=True)
    y = F.layer_norm(leaf, (4096,))
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.detach().numpy(), exactly(x, 1), rtol=2e-3, atol=2e-3)
    y.sum().backward()
    assert leaf.grad.dtype == np.float16


def test_a_unit_vector_keeps_its_direction() -> None:
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(F.normalize(x), [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(F.normalize(x, 1.0, dim=0), [[1, 1], [0, 0]])


def test_one_value_has_no_variance() -> None:
    with pytest.raises(
        ValueError, match=r"Expected more than 1 value per channel when training, got .*\(1, 3\)"
    ):
        nn.BatchNorm1d(3)(ag.ones(1, 3))
    with pytest.raises(
        ValueError, match="Expected more than 1 spatial element when training, got input size"
    ):
        nn.InstanceNorm1d(3)(ag.ones(2, 3, 1))
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        F.group_norm(ag.ones(1, 2), 2)


def refused(match: str, call: Any, kind: Any = ag.ShapeError) -> None:
    with pytest.raises(kind, match=match):
        call()


def test_what_does_not_fit_is_refused() -> None:
    x = ag.ones(2, 3, 4)
    refused(r"BatchNorm2d\(3.*\) got x of shape \(2, 3, 4\): it must be \(N, C, H, W\)$",
            lambda: nn.BatchNorm2d(3)(x))  # fmt: skip
    refused(r"got x of shape \(2,\): it must be \(N, C\) or \(N, C, L\)",
            lambda: nn.BatchNorm1d(3)(x[:, 0, 0]))  # fmt: skip
    refused(r"got x of shape \(2, 3, 4\): it must have 4 channels", lambda: nn.BatchNorm1d(4)(x))
    refused(r"it must be \(N, C, H, W\) or \(C, H, W\)", lambda: nn.InstanceNorm2d(3)(x[0]))
    refused("it must have 4 channels", lambda: nn.InstanceNorm1d(4, affine=True)(x))
    refused(r"layer_norm got shape \(2, 3, 4\): normalized_shape=\(3,\): it must be the shape of",
            lambda: F.layer_norm(x, (3,)))  # fmt: skip
    refused(r"weight has shape \(3,\), it must be \(4,\)",
            lambda: F.layer_norm(x, (4,), ag.ones(3)))  # fmt: skip
    refused(r"normalized_shape=\(\)", lambda: F.rms_norm(x, ()))
    refused("num_groups=2 must divide the channels", lambda: F.group_norm(x, 2))
    refused("GroupNorm got num_groups=2 and num_channels=3: num_channels must be a multiple",
            lambda: nn.GroupNorm(2, 3), ValueError)  # fmt: skip
    refused(r"running_var has shape \(2,\), it must be \(3,\)",
            lambda: F.batch_norm(x, ag.ones(3), ag.ones(2)))  # fmt: skip
    refused(r"bias has shape \(2,\), it must be \(3,\)",
            lambda: F.batch_norm(x, None, None, None, ag.ones(2), training=True))  # fmt: skip
    refused("running_mean and running_var are needed", lambda: F.batch_norm(x, None, None))
    refused(r"batch_norm .*the axes \(n, c, ...\)",
            lambda: F.batch_norm(x[0, 0], None, None, training=True))  # fmt: skip
    refused(r"instance_norm .*at least one after c", lambda: F.instance_norm(x[0]))
    refused(r"local_response_norm .*at least one after c", lambda: F.local_response_norm(x[0], 2))
    refused("size=0: it must be at least 1", lambda: F.local_response_norm(x, 0))
    refused("layer_norm .*it needs a floating dtype, not int64",
            lambda: F.layer_norm(x.long(), (4,)), ag.DtypeError)  # fmt: skip


def test_channels_that_nothing_counts_are_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"got x of shape \(2, 3, 4\): it must have 5 channels"):
        nn.InstanceNorm1d(5)(ag.ones(2, 3, 4))


@pytest.mark.parametrize("shape", [(2, 4, 3, 3), (8, 16, 8, 8)], ids=["small", "with kernels"])
@pytest.mark.parametrize(
    "norm",
    [
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: F.group_norm(x, 2),
        lambda x: F.layer_norm(x, x.shape[2:]),
    ],
    ids=["batch", "group", "layer"],
)
def test_the_values_of_a_norm_may_be_changed_in_place(
    norm: Any, shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    given, weight = (rng.normal(size=shape).astype(np.float32) for _ in range(2))
    gradients: list[Any] = []
    for inplace in (True, False):
        x = ag.tensor(given, requires_grad=True)
        y = norm(x)
        y = y.add_(1) if inplace else y + 1
        y = F.relu(y, inplace=inplace)
        (y * ag.tensor(weight)).sum().backward()
        gradients.append(x.grad.numpy())
    np.testing.assert_array_equal(*gradients)


def test_a_changed_norm_has_second_derivatives(rng: np.random.Generator) -> None:
    given = rng.normal(size=(3, 4))

    def f(x: ag.Tensor, inplace: bool) -> ag.Tensor:
        return (F.relu(F.layer_norm(x, (4,)), inplace=inplace) ** 3).sum()

    hessians = [ag.func.hessian(f)(ag.tensor(given), inplace) for inplace in (True, False)]
    np.testing.assert_allclose(*(h.numpy() for h in hessians), rtol=1e-10, atol=1e-12)


def test_what_a_norm_keeps_passes_through_hooks(rng: np.random.Generator) -> None:
    x = ag.tensor(rng.normal(size=(3, 4)), requires_grad=True)
    F.layer_norm(x, (4,)).pow(3).sum().backward()
    expected, x.grad = x.grad, None
    with ag.autograd.graph.save_on_cpu():
        y = F.layer_norm(x, (4,)).pow(3).sum()
    y.backward()
    np.testing.assert_array_equal(np.asarray(x.grad), np.asarray(expected))
