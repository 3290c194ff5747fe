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
def test_a_layer_has_the_stated_parameters_in_order_and_buffers(case: LayerCase) -> None:
    layer = case.make(nn)
    assert tuple(name for name, _ in layer.named_parameters()) == case.parameters
    assert sorted(layer.state_dict()) == sorted((*case.parameters, *case.buffers))


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


@every_layer
def test_second_derivatives_equal_differences_of_gradients(
    case: LayerCase, rng: np.random.Generator
) -> None:
    layer = case.make(nn).double()
    inputs = tensors(case, rng)
    leaves = leaves_of(layer, inputs)
    weights = rng.normal(size=case.output)

    def slopes(create_graph: bool = False) -> list[Any]:
        y = weighted(layer(*inputs), weights)
        found = ag.autograd.grad(y, leaves, create_graph=create_graph, materialize_grads=True)
        return list(found)

    # Along one direction: the rows of the Hessian meet it from both sides.
    along = [rng.normal(size=tuple(x.shape)) for x in leaves]
    turned = sum((weighted(g, v) for g, v in zip(slopes(True), along, strict=True)), ag.zeros(()))
    zeros = [ag.zeros_like(x) for x in leaves]
    found = (
        ag.autograd.grad(turned, leaves, materialize_grads=True) if turned.requires_grad else zeros
    )
    step = 1e-5
    ends: list[list[Any]] = []
    for sign in (1, -1):
        shift(leaves, along, sign * step)
        ends.append([g.numpy() for g in slopes()])
        shift(leaves, along, -sign * step)
    for h, high, low in zip(found, *ends, strict=True):
        scale = max(1.0, float(np.abs(high).max(initial=0.0)))
        np.testing.assert_allclose(
            h.detach().numpy(), (high - low) / (2 * step), rtol=1e-6, atol=1e-7 * scale
        )


def leaves_of(layer: nn.Module, inputs: list[ag.Tensor]) -> list[ag.Tensor]:
    """Return what a layer is differentiated by: its parameters, and inputs that require grad."""
    return [*layer.parameters(), *(x for x in inputs if x.requires_grad)]


def shift(leaves: list[ag.Tensor], along: list[np.ndarray], step: float) -> None:
    with ag.no_grad():
        for x, v in zip(leaves, along, strict=True):
            x.add_(ag.tensor(step * v))


class Both:
    """A layer here and PyTorch's, with the same state, on the same inputs."""

    def __init__(self, case: LayerCase, rng: np.random.Generator) -> None:
        self.torch = pytest.importorskip("torch")
        self.ours = case.make(nn).double()
        self.theirs = (case.theirs or case.make)(self.torch.nn)
        if isinstance(self.theirs, self.torch.nn.Module):
            state = {k: self.torch.tensor(v.numpy()) for k, v in self.ours.state_dict().items()}
            self.theirs.double().load_state_dict(state)
            if case.theirs is None:
                assert repr(self.ours) == repr(self.theirs)
        inputs = tensors(case, rng)
        others = [self.twin(x) for x in inputs]
        weights = ag.tensor(rng.normal(size=case.output), requires_grad=True)
        other_weights = self.twin(weights)
        self.y, self.other = self.ours(*inputs), self.theirs(*others)
        self.total, self.other_total = (self.y * weights).sum(), (self.other * other_weights).sum()
        self.leaves = [*leaves_of(self.ours, inputs), weights]
        self.others = [*self._parameters(), *(x for x in others if x.requires_grad), other_weights]

    def _parameters(self) -> list[Any]:
        if not isinstance(self.theirs, self.torch.nn.Module):
            return []
        theirs = dict(self.theirs.named_parameters())
        assert [name for name, _ in self.ours.named_parameters()] == list(theirs)
        return list(theirs.values())

    def twin(self, x: ag.Tensor) -> Any:
        """Return PyTorch's tensor of the same numbers."""
        return self.torch.tensor(x.detach().numpy(), requires_grad=x.requires_grad)

    def gradients(self, total: Any, other_total: Any, create_graph: bool = False) -> Any:
        """Return our and PyTorch's gradient for each leaf, zeros where there is none."""
        options: dict[str, Any] = {"create_graph": create_graph, "materialize_grads": True}
        ours = ag.autograd.grad(total, self.leaves, **options)
        theirs = self.torch.autograd.grad(other_total, self.others, **options)
        return list(zip(ours, theirs, strict=True))


known_warnings = pytest.mark.filterwarnings(
    "ignore:Using padding='same' with even kernel lengths:UserWarning"
)


@pytest.mark.torch
@known_warnings
@every_layer
def test_a_layer_agrees_with_pytorch(case: LayerCase, rng: np.random.Generator) -> None:
    both = Both(case, rng)
    close(both.y, both.other)
    for g, e in both.gradients(both.total, both.other_total):
        close(g, e)


@pytest.mark.torch
@known_warnings
@every_layer
def test_second_derivatives_agree_with_pytorch(case: LayerCase, rng: np.random.Generator) -> None:
    both = Both(case, rng)
    total, other_total = ag.zeros(()), both.torch.zeros(())
    for g, e in both.gradients(both.total, both.other_total, create_graph=True):
        direction = rng.normal(size=tuple(e.shape))
        total = total + weighted(g, direction)
        other_total = other_total + (e * both.torch.tensor(direction)).sum()
    try:
        pairs = both.gradients(total, other_total)
    except (NotImplementedError, RuntimeError) as absent:
        if "is not implemented" not in str(absent):
            raise
        pytest.skip("PyTorch does not know these second derivatives")
    for h, e in pairs:
        close(h, e, 1e-10)


def close(ours: Any, theirs: Any, tolerance: float = 1e-12) -> None:
    y, e = ours.detach().numpy(), theirs.detach().numpy()
    assert y.dtype == e.dtype
    np.testing.assert_allclose(y, e, rtol=tolerance, atol=tolerance)


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
