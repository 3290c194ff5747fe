"""Every layer, by its rows: shapes, names, gradients, and PyTorch's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from tests.nn.cases import LAYERS, LayerCase

THREE: Any = (3, 3, 3)
every_layer = pytest.mark.parametrize("case", LAYERS, ids=lambda case: f"{case.name}-{case}"[:60])


def tensors(case: LayerCase, rng: np.random.Generator) -> list[ag.Tensor]:
    """The inputs as tensors; those of floating dtype require grad."""
    inputs = [ag.tensor(x) for x in case.inputs(rng)]
    return [x.requires_grad_() if x.dtype.kind == "f" else x for x in inputs]


def weighted(y: ag.Tensor, weights: np.ndarray) -> ag.Tensor:
    return (y * ag.tensor(weights)).sum()


@every_layer
def test_a_layer_gives_the_stated_shape_and_keeps_float32(
    case: LayerCase, rng: np.random.Generator
) -> None:
    layer = case.make(nn)
    inputs = [x.detach().to(ag.float32) if x.dtype.kind == "f" else x for x in tensors(case, rng)]
    y = layer(*inputs)
    assert tuple(y.shape) == case.output
    assert y.dtype == ag.float32


@every_layer
def test_a_layer_has_the_stated_parameters_in_order(case: LayerCase) -> None:
    layer = case.make(nn)
    assert tuple(name for name, _ in layer.named_parameters()) == case.parameters
    assert tuple(layer.state_dict()) == case.parameters


@every_layer
def test_a_layer_shows_its_arguments(case: LayerCase) -> None:
    assert repr(case.make(nn)) == case.text


@every_layer
def test_gradients_equal_central_differences(case: LayerCase, rng: np.random.Generator) -> None:
    layer = case.make(nn).double()
    inputs = tensors(case, rng)
    weights = rng.normal(size=case.output)
    weighted(layer(*inputs), weights).backward()
    with_gradient = [*layer.parameters(), *(x for x in inputs if x.requires_grad)]
    step = 1e-6
    for tensor in with_gradient:
        direction = rng.normal(size=tuple(tensor.shape))
        ends: list[float] = []
        for sign in (1, -1):
            with ag.no_grad():
                tensor.add_(ag.tensor(sign * step * direction))
                ends.append(weighted(layer(*inputs), weights).item())
                tensor.sub_(ag.tensor(sign * step * direction))
        slope = (ends[0] - ends[1]) / (2 * step)
        assert slope == pytest.approx(float(np.sum(tensor.grad.numpy() * direction)), rel=1e-6)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@every_layer
def test_a_layer_agrees_with_pytorch(case: LayerCase, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = case.make(nn).double(), case.make(torch.nn).double()
    theirs.load_state_dict(
        {name: torch.tensor(value.numpy()) for name, value in ours.state_dict().items()}
    )
    assert repr(ours) == repr(theirs)

    inputs = tensors(case, rng)
    others = [torch.tensor(x.detach().numpy(), requires_grad=x.requires_grad) for x in inputs]
    weights = rng.normal(size=case.output)
    y, other = ours(*inputs), theirs(*others)
    weighted(y, weights).backward()
    (other * torch.tensor(weights)).sum().backward()

    close(y, other)
    for (name, p), (same, q) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        assert name == same
        close(p.grad, q.grad)
    for x, z in zip(inputs, others, strict=True):
        if x.requires_grad:
            close(x.grad, z.grad)


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(
        ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-12, atol=1e-12
    )


def test_linear_is_the_product_with_the_transposed_weight_plus_bias() -> None:
    layer = nn.Linear(2, 3)
    with ag.no_grad():
        layer.weight.copy_(ag.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
        layer.bias.copy_(ag.tensor([0.1, 0.2, 0.3]))
    assert layer(ag.tensor([1.0, 10.0])).tolist() == pytest.approx([21.1, 43.2, 65.3])


def test_conv2d_slides_the_kernel_without_flipping_it() -> None:
    layer = nn.Conv2d(1, 1, (1, 2), bias=False)
    with ag.no_grad():
        layer.weight.copy_(ag.tensor([[[[1.0, 10.0]]]]))
    assert layer(ag.tensor([[[1.0, 2.0, 3.0]]])).tolist() == [[[21.0, 32.0]]]


def test_relu_in_place_changes_its_input() -> None:
    x = ag.tensor([-1.0, 2.0])
    y = nn.ReLU(inplace=True)(x)
    assert x.tolist() == y.tolist() == [0.0, 2.0]
    assert repr(nn.ReLU(inplace=True)) == "ReLU(inplace=True)"


def test_a_sequence_is_indexed_sliced_and_extended() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert len(model) == 3
    assert model[-1] is list(model)[2]
    assert list(model[:2]) == list(model)[:2]
    model.append(nn.ReLU())
    model[1] = nn.Flatten()
    assert [type(m).__name__ for m in model] == ["Linear", "Flatten", "Linear", "ReLU"]
    del model[0]
    assert [name for name, _ in model.named_children()] == ["0", "1", "2"]


def test_a_sequence_takes_names_from_a_mapping() -> None:
    model = nn.Sequential({"hidden": nn.Linear(2, 3), "act": nn.ReLU()})
    assert list(model.state_dict()) == ["hidden.weight", "hidden.bias"]
    assert list(model[1:].state_dict()) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "in_channels=3 and groups=2: in_channels must be a"),
        (lambda: nn.Conv2d(4, 3, 3, groups=2), "out_channels=3 and groups=2: out_channels must be"),
        (lambda: nn.Conv2d(1, 1, 0), "kernel_size=0: it must be one or two numbers >= 1"),
        (lambda: nn.Conv2d(1, 1, THREE), r"kernel_size=\(3, 3, 3\): it must be one or two"),
        (lambda: nn.Conv2d(1, 1, 3, padding=-1), "padding=-1: it must be one or two numbers >= 0"),
        (lambda: nn.Conv2d(1, 1, 3, padding="full"), "padding='full': it must be a number, 'same'"),
        (lambda: nn.Conv2d(1, 1, 3, 2, "same"), "padding='same' and stride=.2, 2.: it needs 1"),
        (lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"), "padding_mode='mirror': it must be"),
        (lambda: nn.Linear(1, 1, device="cuda"), "device 'cuda' is not available"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_sequence_takes_modules_only() -> None:
    with pytest.raises(TypeError, match="Sequential got a function: it needs modules"):
        nn.Sequential(nn.Linear(2, 2), lambda x: x)  # pyright: ignore[reportArgumentType]
    with pytest.raises(IndexError, match="Sequential got index 3: it has 1 modules"):
        nn.Sequential(nn.ReLU())[3]


@pytest.mark.parametrize(
    "loss", [nn.MSELoss(reduction="max"), nn.CrossEntropyLoss(reduction="max")]
)
def test_an_unknown_reduction_is_refused(loss: nn.Module) -> None:
    target = ag.zeros(2, 3) if isinstance(loss, nn.MSELoss) else ag.zeros(2, dtype=ag.int64)
    with pytest.raises(ValueError, match="reduction is 'max', it must be one of mean, sum"):
        loss(ag.zeros(2, 3), target)
