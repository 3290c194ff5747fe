"""DropConnect, fixed sparsity, subsampling, radial basis functions, residual blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn


def test_drop_connect_leaves_out_weights_and_keeps_the_mean() -> None:
    layer = nn.DropConnect(200, 300, 0.25, bias=False)
    with ag.no_grad():
        layer.weight.fill_(1.0)
    y = layer(ag.eye(200)).detach().numpy()  # the masked weight itself
    assert set(np.unique(y)) == {np.float32(0.0), np.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.007)
    assert (layer(ag.eye(200)).detach().numpy() != y).any()
    assert (layer.eval()(ag.eye(200)).detach().numpy() == 1.0).all()


def test_drop_connect_gives_weights_that_are_left_out_no_gradient() -> None:
    layer = nn.DropConnect(20, 30, 0.5, bias=False)
    y = layer(ag.eye(20))
    y.sum().backward()
    gone = layer.weight.grad.numpy() == 0
    assert 0.3 < gone.mean() < 0.7
    assert (y.detach().numpy().T[gone] == 0).all()
    everything = nn.DropConnect(2, 3, 1.0, bias=False)(ag.ones(1, 2))
    assert not everything.detach().numpy().any()


def test_every_output_of_a_sparse_layer_sees_the_same_number_of_inputs() -> None:
    layer = nn.SparseLinear(40, 30, 0.8)
    assert (layer.mask.numpy().sum(1) == 8).all()
    assert len(np.unique(layer.mask.numpy(), axis=0)) > 1
    y = layer(ag.eye(40))
    y.sum().backward()
    assert ((layer.weight.grad.numpy() != 0) == (layer.mask.numpy() == 1)).all()
    bound = 1 / np.sqrt(8)
    assert 0.95 * bound < np.abs(layer.weight.detach().numpy()).max() <= bound


def test_a_sparse_layer_keeps_its_mask_when_saved_and_converted() -> None:
    first, second = nn.SparseLinear(5, 4), nn.SparseLinear(5, 4)
    second.load_state_dict(first.state_dict())
    assert second.mask.tolist() == first.mask.tolist()
    assert second.double().mask.dtype == ag.float64
    assert second(ag.ones(1, 5, dtype=ag.float64)).dtype == ag.float64


def test_the_same_seed_gives_the_same_sparse_layer() -> None:
    one, two = (nn.SparseLinear(5, 4, generator=ag.Generator().manual_seed(7)) for _ in range(2))
    assert one.mask.tolist() == two.mask.tolist()
    assert one.weight.tolist() == two.weight.tolist()


def test_subsampling_scales_sums_of_windows_and_shifts_them() -> None:
    layer = nn.Subsampling2d(2)
    with ag.no_grad():
        layer.weight.copy_(ag.tensor([0.5, -1.0]))
        layer.bias.copy_(ag.tensor([1.0, 0.0]))
    x = ag.arange(12, dtype=ag.float32).reshape(1, 3, 4).expand(2, 3, 4)
    y = layer(x)  # the third row fits into no window
    assert y.tolist() == [[[6.0, 10.0]], [[-10.0, -18.0]]]


def test_radial_basis_units_measure_squared_distances_to_codes_of_signs() -> None:
    layer = nn.RadialBasis(84, 10)
    assert set(np.unique(layer.weight.detach().numpy())) == {-1.0, 1.0}
    y = layer(layer.weight.detach()).detach().numpy()
    assert (np.diag(y) == 0).all()
    off = y[~np.eye(10, dtype=bool)]
    assert (off % 4 == 0).all()  # each place that differs adds 2²
    assert off.mean() == pytest.approx(4 * 42, rel=0.1)


def test_a_residual_block_of_weight_0_is_the_identity() -> None:
    block = nn.Residual(nn.Sequential(nn.Linear(3, 3), nn.ReLU()))
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    x = ag.randn(2, 3)
    assert block(x).tolist() == x.tolist()


def test_the_gradient_of_a_residual_block_takes_both_ways() -> None:
    block = nn.Residual(nn.Linear(2, 2, bias=False))
    x = ag.ones(2, requires_grad=True)
    block(x).sum().backward()
    expected = 1.0 + block.module.weight.detach().numpy().sum(0)
    assert x.grad.numpy() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.DropConnect(2, 2, 1.5), "DropConnect got p=1.5: a probability"),
        (lambda: nn.DropConnect(2, 2)(ag.ones(3)), r"got x of shape \(3,\): its last axis must be"),
        (lambda: nn.SparseLinear(2, 2)(ag.ones(3)), r"got x of shape \(3,\): its last axis must"),
        (lambda: nn.SparseLinear(2, 2, 1.0), "sparsity=1.0: it is the share of zeros, 0 <= share"),
        (lambda: nn.Subsampling2d(2, 0), "kernel_size=0: it must be >= 1"),
        (lambda: nn.Subsampling2d(2)(ag.ones(3, 4, 4)),
         r"\(3, 4, 4\): it must be \(N, C, H, W\) or \(C, H, W\) with 2 channels of at least"),
        (lambda: nn.Subsampling2d(2)(ag.ones(2, 4)), r"got x of shape \(2, 4\)"),
        (lambda: nn.Subsampling2d(2)(ag.ones(2, 1, 4)), r"got x of shape \(2, 1, 4\)"),
        (lambda: nn.RadialBasis(4, 2)(ag.ones(3)), r"\(3,\): its last axis must be 4"),
        (lambda: nn.Residual(nn.Linear(3, 2))(ag.ones(3)),
         r"Residual got \(2,\) from its module and \(3,\) from its shortcut"),
        (lambda: nn.Bilinear(0, 2, 2), "in1_features=0: it must be >= 1"),
        (lambda: nn.Bilinear(2, 2, 2)(ag.ones(3), ag.ones(2)),
         r"inputs of shapes \(3,\) and \(2,\) and a weight of shape \(2, 2, 2\)"),
        (lambda: nn.Bilinear(2, 2, 2)(ag.ones(3, 2), ag.ones(4, 2)),
         r"shapes \(3, 2\) and \(4, 2\): all axes but the last must agree"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_unflatten_takes_sizes_that_are_numbers() -> None:
    bad: Any = ("c", 3)
    with pytest.raises(TypeError, match=r"unflattened_size=\('c', 3\): it must be a tuple of ints"):
        nn.Unflatten(1, bad)
    with pytest.raises(TypeError, match="dim='C': it must be an int; axes have no names"):
        nn.Unflatten("C", (1, 2))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="Unflatten"):
        nn.Unflatten(1, (2, 2))(ag.ones(1, 5))
