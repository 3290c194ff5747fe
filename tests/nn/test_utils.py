"""Clipped gradients, parameters as a vector, normalised weights, Lipschitz bounds."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from nn import utils
from nn.utils import clip_grad, parametrizations, parametrize


def with_gradients(*gradients: Any) -> list[nn.Parameter]:
    parameters = [nn.Parameter(ag.zeros(len(g))) for g in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = ag.tensor(gradient)
    return parameters


# Clipping


def test_gradients_are_shortened_together() -> None:
    parameters = [*with_gradients([3.0, 0.0], [0.0, 4.0]), nn.Parameter(ag.ones(1))]
    total = utils.clip_grad_norm_(parameters, 1.0)
    assert total.item() == 5.0
    assert parameters[0].grad.tolist() == pytest.approx([0.6, 0.0])
    assert parameters[1].grad.tolist() == pytest.approx([0.0, 0.8])
    assert utils.clip_grad_norm_(iter(parameters), 2.0).item() == pytest.approx(1.0)
    assert parameters[1].grad.tolist() == pytest.approx([0.0, 0.8])


@pytest.mark.parametrize(
    ("order", "total"), [(1.0, 7.0), (math.inf, 4.0), (3.0, 91 ** (1 / 3)), ("inf", 4.0)]
)
def test_every_norm_can_be_clipped(order: Any, total: float) -> None:
    parameters = with_gradients([3.0, 0.0], [0.0, -4.0])
    found = utils.clip_grad_norm_(parameters, total / 2, norm_type=order, foreach=True)
    assert found.item() == pytest.approx(total)
    assert parameters[0].grad.tolist() == pytest.approx([1.5, 0.0])


def test_one_tensor_or_none_is_fine() -> None:
    (parameter,) = with_gradients([3.0, 4.0])
    assert utils.clip_grad_norm_(parameter, 10.0).item() == 5.0
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    assert utils.get_total_norm(ag.tensor([3.0, 4.0])).item() == 5.0
    utils.clip_grads_with_norm_(parameter, 1.0, ag.tensor(10.0))
    assert parameter.grad.tolist() == pytest.approx([0.3, 0.4])


def test_a_gradient_that_is_not_finite_is_named() -> None:
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    for parameter in model.parameters():
        parameter.grad = ag.ones_like(parameter).detach()
    model[1].bias.grad = ag.tensor([math.nan])
    with pytest.raises(
        RuntimeError, match=r"clip_grad_norm_ got gradients of norm nan: see 1.bias"
    ):
        utils.clip_grad_norm_(model.named_parameters(), 1.0, error_if_nonfinite=True)
    with pytest.raises(RuntimeError, match=r"nan: see number 3, of shape \(1,\)$"):
        utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
    model[1].bias.name = "shift"
    with pytest.raises(RuntimeError, match=r"nan: see shift$"):
        utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
    assert model[0].bias.grad.item() == 1.0  # nothing was changed
    assert math.isnan(utils.clip_grad_norm_(model.parameters(), 1.0).item())
    with pytest.raises(RuntimeError, match="norm inf, of finite parts"):
        utils.get_total_norm([ag.tensor([3e38])] * 2, 1.0, error_if_nonfinite=True)


@pytest.mark.parametrize("dtype", [ag.float16, ag.float32, ag.float64], ids=str)
@pytest.mark.parametrize("size", [5, clip_grad.KERNEL])
def test_large_gradients_are_shortened_as_small_ones_are(
    size: int, dtype: Any, rng: np.random.Generator
) -> None:
    shapes = [(size,), (), (2, 3), (0,)]
    parameters = [nn.Parameter(ag.zeros(shape, dtype=dtype)) for shape in shapes]
    drawn = [np.asarray(rng.standard_normal(shape)).astype(dtype) for shape in shapes]
    for p, g in zip(parameters, drawn, strict=True):
        p.grad = ag.tensor(g)
    exact = math.sqrt(sum((g.astype(float) ** 2).sum() for g in drawn))
    rtol = 8 * float(np.finfo(dtype).eps)
    assert utils.get_total_norm([ag.tensor(g) for g in drawn]).item() == pytest.approx(exact, rtol)
    total = utils.clip_grad_norm_(parameters, 2 * exact)
    assert (total.item(), total.dtype) == (pytest.approx(exact, rtol), dtype)
    for p, g in zip(parameters, drawn, strict=True):
        assert p.grad.numpy().tobytes() == g.tobytes()
    utils.clip_grad_norm_(parameters, 0.25 * exact)
    shorter = [0.25 * exact / (exact + 1e-6) * g for g in drawn]
    for p, g in zip(parameters, shorter, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), g, rtol=3 * rtol)
    utils.clip_grad_value_(parameters, 0.125)
    for p, g in zip(parameters, shorter, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), np.clip(g, -0.125, 0.125), rtol=3 * rtol)


@pytest.mark.parametrize("size", [3, clip_grad.KERNEL])
def test_gradients_in_any_memory_are_clipped(size: int) -> None:
    parameters = with_gradients([1.0] * size, [1.0] * size, [1.0] * size)
    every_other = ag.ones(2 * size)[::2]
    parameters[0].grad = parameters[1].grad = ag.ones(size)
    parameters[2].grad = every_other
    utils.clip_grad_norm_(parameters, math.sqrt(3 * size) / 2)
    assert parameters[1].grad.tolist() == pytest.approx([0.25] * size)  # it was given twice
    assert every_other.tolist() == pytest.approx([0.5] * size)
    utils.clip_grad_value_(parameters, 0.1)
    assert every_other.tolist() == pytest.approx([0.1] * size)


@pytest.mark.parametrize("size", [3, clip_grad.KERNEL])
def test_a_clipped_gradient_is_overwritten(size: int) -> None:
    for clip in (utils.clip_grad_norm_, utils.clip_grad_value_):
        parameter, gradient = nn.Parameter(ag.zeros(size)), ag.ones(size)
        parameter.grad = gradient
        y = (ag.ones(size).requires_grad_() * gradient).sum()
        clip([parameter], 0.1)
        with pytest.raises(ag.GraphError, match="changed in place"):
            y.backward()


@pytest.mark.parametrize("size", [3, clip_grad.KERNEL])
def test_a_bound_beyond_the_dtype_clips_nothing_and_nan_clips_all(size: int) -> None:
    (parameter,) = with_gradients([math.inf, *[1.0] * size])
    utils.clip_grad_value_([parameter], 1e300)
    assert parameter.grad.tolist() == [math.inf, *[1.0] * size]
    assert math.isinf(utils.clip_grad_norm_([parameter], 1.0).item())
    assert parameter.grad.isnan().tolist()[:2] == [True, False]  # inf times 0
    utils.clip_grad_value_([parameter], math.nan)
    assert parameter.grad.isnan().all()


def test_elements_are_clamped_one_by_one() -> None:
    parameters = with_gradients([3.0, -0.5], [-4.0, 0.25])
    utils.clip_grad_value_(parameters, 1.0)
    assert [p.grad.tolist() for p in parameters] == [[1.0, -0.5], [-1.0, 0.25]]


def test_clipping_needs_tensors() -> None:
    bad: Any = [1.0]
    with pytest.raises(TypeError, match="clip_grad_norm_ got a float: it needs tensors, or"):
        utils.clip_grad_norm_(bad, 1.0)


# Vectors


def test_parameters_become_a_vector_and_come_back() -> None:
    model: Any = nn.Linear(2, 2)
    vector = utils.parameters_to_vector(model.parameters())
    expected = [*model.weight.reshape(-1).tolist(), *model.bias.tolist()]
    assert vector.tolist() == expected
    vector.square().sum().backward()
    assert model.bias.grad.tolist() == (2 * model.bias).tolist()
    utils.vector_to_parameters(ag.arange(6, dtype=ag.float32), model.parameters())
    assert model.weight.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert model.bias.tolist() == [4.0, 5.0]
    assert model.bias.is_leaf
    with pytest.raises(ag.ShapeError, match=r"vector of shape \(5,\): the parameters have 6"):
        utils.vector_to_parameters(ag.ones(5), model.parameters())
    with pytest.raises(TypeError, match="vector_to_parameters got a list: it needs a Tensor"):
        utils.vector_to_parameters([1.0], [])  # pyright: ignore[reportArgumentType]


# Weight and spectral normalisation

FORMS = {
    "weight_norm": utils.weight_norm,
    "spectral_norm": utils.spectral_norm,
    "parametrizations.weight_norm": parametrizations.weight_norm,
    "parametrizations.spectral_norm": parametrizations.spectral_norm,
}
each_form = pytest.mark.parametrize("form", FORMS)


@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize("form", ["weight_norm", "parametrizations.weight_norm"])
def test_a_weight_is_split_into_length_and_direction(form: str, dim: int | None) -> None:
    layer = nn.Linear(3, 4).double()
    before, x = layer.weight.detach().clone(), ag.randn(2, 3, dtype=ag.float64)
    expected = layer(x)
    FORMS[form](layer, dim=dim)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected.detach().numpy(), rtol=1e-14)
    g, v = (p for name, p in layer.named_parameters() if name != "bias")
    assert tuple(g.shape) == {0: (4, 1), 1: (1, 3), None: ()}[dim]
    assert v.tolist() == before.tolist()
    layer(x).square().sum().backward()
    # The direction's gradient is orthogonal to it: its length does not matter.
    axes = tuple(axis for axis in range(2) if axis != dim)
    products = (v.grad.numpy() * v.detach().numpy()).sum(axes)
    np.testing.assert_allclose(products, 0.0, atol=1e-12)
    with ag.no_grad():
        v.mul_(3.0)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected.detach().numpy(), rtol=1e-13)


@pytest.mark.parametrize("form", ["spectral_norm", "parametrizations.spectral_norm"])
def test_the_largest_singular_value_becomes_1(form: str) -> None:
    layer = FORMS[form](nn.Conv2d(2, 3, 2).double())
    x = ag.ones(1, 2, 2, 2, dtype=ag.float64)
    for _ in range(200):
        layer(x)
    layer.eval()
    first = layer(x).tolist()
    assert layer(x).tolist() == first  # no step at evaluation
    weight = layer.weight.detach().numpy().reshape(3, -1)
    assert np.linalg.norm(weight, 2) == pytest.approx(1.0, rel=1e-9)


def test_two_calls_before_one_backward_are_differentiated_rightly() -> None:
    # The second call turns the vectors that the first call's gradient needs.
    layer, twin = (utils.spectral_norm(nn.Linear(3, 2, bias=False).double()) for _ in range(2))
    twin.load_state_dict(layer.state_dict())
    x = ag.randn(4, 3, dtype=ag.float64)
    (layer(x).sum() + layer(x).sum()).backward()
    for _ in range(2):
        twin(x).sum().backward()
    gradients = [module.weight_orig.grad.numpy() for module in (layer, twin)]
    np.testing.assert_allclose(*gradients, rtol=1e-12, atol=1e-12)


@each_form
def test_a_normalised_layer_is_saved_and_loaded(form: str) -> None:
    first, second = (FORMS[form](nn.Linear(3, 2)) for _ in range(2))
    second.load_state_dict(first.state_dict())
    x = ag.ones(1, 3)
    assert second.eval()(x).tolist() == first.eval()(x).tolist()


@each_form
def test_normalisation_can_be_taken_off_again(form: str) -> None:
    layer = FORMS[form](nn.Linear(3, 2)).eval()
    weight = layer.weight.tolist()
    if form.startswith("parametrizations"):
        parametrize.remove_parametrizations(layer, "weight")
    else:
        getattr(utils, f"remove_{form}")(layer)
    assert type(layer) is nn.Linear
    assert isinstance(layer.weight, nn.Parameter)
    assert layer.weight.tolist() == weight
    assert list(layer.state_dict()) == ["bias", "weight"]
    layer(ag.ones(3)).sum().backward()
    assert layer.weight.grad.tolist() == [[1.0] * 3] * 2


def test_taking_off_what_is_not_there_and_putting_on_twice_is_refused() -> None:
    layer = utils.weight_norm(nn.Linear(3, 2))
    with pytest.raises(RuntimeError, match="weight_norm of 'weight' is there already"):
        utils.weight_norm(layer)
    with pytest.raises(ValueError, match="spectral_norm of 'weight' is not on Linear"):
        utils.remove_spectral_norm(layer)
    with pytest.raises(ValueError, match="n_power_iterations=0: it must be at least 1"):
        utils.spectral_norm(nn.Linear(3, 2), n_power_iterations=0)
    with pytest.raises(AttributeError, match="Linear has no parameter named 'kernel'"):
        utils.weight_norm(nn.Linear(3, 2), "kernel")


class Exp(nn.Module):
    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return x.exp()

    def right_inverse(self, y: ag.Tensor) -> ag.Tensor:
        return y.log()


class Doubled(nn.Module):
    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return 2 * x


def positive() -> Any:
    layer = nn.Linear(2, 2)
    with ag.no_grad():
        layer.weight.fill_(4.0)
    return parametrize.register_parametrization(layer, "weight", Exp())


def test_a_parametrized_weight_is_computed_when_it_is_read() -> None:
    layer = positive()
    assert layer.weight.detach().numpy() == pytest.approx(4.0)
    assert layer.parametrizations.weight.original.detach().numpy() == pytest.approx(math.log(4.0))
    layer.weight = ag.full((2, 2), 9.0)
    assert layer.weight.detach().numpy() == pytest.approx(9.0)
    layer(ag.ones(2)).sum().backward()
    assert layer.parametrizations.weight.original.grad.numpy() == pytest.approx(9.0)
    assert [name for name, _ in layer.named_parameters()] == [
        "bias",
        "parametrizations.weight.original",
    ]
    assert repr(layer).startswith("ParametrizedLinear(\n  in_features=2, out_features=2, bias=True")


def test_parametrizations_are_chained_and_known() -> None:
    layer = positive()
    other = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", Doubled())
    assert layer.weight.detach().numpy() == pytest.approx(8.0)
    assert parametrize.is_parametrized(layer)
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    assert not parametrize.is_parametrized(other)
    assert isinstance(layer, nn.Linear)
    assert not hasattr(nn.Linear, "weight")  # the class itself is as it was


def test_a_parametrized_layer_is_copied() -> None:
    layer = positive()
    twin = copy.deepcopy(layer)
    with ag.no_grad():
        twin.parametrizations.weight.original.zero_()
    assert twin.weight.detach().numpy() == pytest.approx(1.0)
    assert layer.weight.detach().numpy() == pytest.approx(4.0)


def test_the_original_can_be_had_back() -> None:
    layer = positive()
    original = layer.parametrizations.weight.original
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert layer.weight is original
    assert layer.weight.detach().numpy() == pytest.approx(math.log(4.0))
    with pytest.raises(ValueError, match=r"Linear\.weight is not parametrized"):
        parametrize.remove_parametrizations(layer, "weight")
    split = parametrizations.weight_norm(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="'weight' is made of several tensors: it has no original"):
        parametrize.remove_parametrizations(split, "weight", leave_parametrized=False)


def test_a_buffer_is_parametrized_too() -> None:
    layer = nn.Module()
    layer.register_buffer("scale", ag.ones(2), persistent=False)
    parametrize.register_parametrization(layer, "scale", Doubled())
    assert layer.scale.tolist() == [2.0, 2.0]
    assert list(layer.parameters()) == []
    parametrize.remove_parametrizations(layer, "scale")
    assert layer.get_buffer("scale").tolist() == [2.0, 2.0]
    assert list(layer.state_dict()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[0], r"turned float32\(2, 2\) into float32\(2,\): they must be equal"),
        (lambda x: x.double(), r"turned float32\(2, 2\) into float64\(2, 2\)"),
        (lambda x: x.tolist(), "returned a list: it must be a Tensor"),
    ],
)
def test_a_parametrization_keeps_shape_and_dtype(change: Any, message: str) -> None:
    class Changed(nn.Module):
        def forward(self, x: ag.Tensor) -> Any:
            return change(x)

    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=message):
        parametrize.register_parametrization(layer, "weight", Changed())
    with pytest.raises(ValueError, match=message):
        parametrize.register_parametrization(positive(), "weight", Changed())
    with pytest.raises(ValueError, match="Linear has no parameter or buffer 'kernel'"):
        parametrize.register_parametrization(layer, "kernel", Changed())
    assert type(layer) is nn.Linear


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
@each_form
@pytest.mark.parametrize("kind", ["Linear", "ConvTranspose2d"])
def test_normalised_layers_agree_with_pytorchs(
    form: str, kind: str, rng: np.random.Generator
) -> None:
    torch = pytest.importorskip("torch")
    arguments, shape = ((3, 4), (2, 3)) if kind == "Linear" else ((3, 2, 2), (2, 3, 4, 4))
    x = rng.normal(size=shape)
    theirs: Any = torch.nn.utils
    for part in form.split("."):
        theirs = getattr(theirs, part)
    a = FORMS[form](getattr(nn, kind)(*arguments).double())
    b = theirs(getattr(torch.nn, kind)(*arguments).double())
    assert repr(a) == repr(b)
    assert list(a.state_dict()) == list(b.state_dict())
    b.load_state_dict({name: torch.tensor(v.numpy()) for name, v in a.state_dict().items()})
    for training in (True, True, False):
        y, z = a.train(training)(ag.tensor(x)), b.train(training)(torch.tensor(x))
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-12, atol=1e-12)
        y.square().sum().backward()
        z.square().sum().backward()
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-10, atol=1e-10)
    for key, value in a.state_dict().items():
        np.testing.assert_allclose(value.numpy(), b.state_dict()[key].numpy(), rtol=1e-12)


# Lipschitz bounds


def matrix(values: Any, bias: bool = False) -> nn.Linear:
    layer = nn.Linear(len(values[0]), len(values), bias=bias)
    with ag.no_grad():
        layer.weight.copy_(ag.tensor(values))
    return layer


def test_the_bound_is_the_product_of_norms_and_slopes() -> None:
    first, second = matrix([[3.0, 0.0], [0.0, 1.0]]), matrix([[0.0, 2.0], [0.5, 0.0]])
    net = nn.Sequential(first, nn.Sigmoid(), second, nn.ReLU())
    assert utils.lipschitz_bound(net) == pytest.approx(3.0 * 0.25 * 2.0)
    assert utils.lipschitz_bound(net, {"ReLU": 0.5}) == pytest.approx(3.0 * 0.25 * 2.0 * 0.5)
    block = nn.Residual(nn.Sequential(second, nn.ReLU()))
    assert utils.lipschitz_bound(block) == pytest.approx(1.0 + 2.0)
    assert utils.lipschitz_bound(nn.Sequential(first, block)) == pytest.approx(9.0)
    assert utils.lipschitz_bound(nn.Residual(second, first)) == pytest.approx(5.0)


ACTIVATIONS = [
    nn.ELU(2.0), nn.GELU(), nn.GELU("tanh"), nn.Hardsigmoid(), nn.Hardswish(), nn.LeakyReLU(0.5),
    nn.LeakyReLU(-3.0), nn.Mish(), nn.ReLU(), nn.SELU(), nn.Sigmoid(), nn.SiLU(), nn.Softplus(),
    nn.Softsign(), nn.Tanh(), nn.Tanhshrink(), nn.LogSigmoid(), nn.ScaledTanh(0.3),
    nn.ScaledReLU(0.4), nn.CELU(), nn.Hardtanh(),
]  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_the_bound_of_an_activation_is_its_largest_slope(activation: nn.Module) -> None:
    x = ag.linspace(-10.0, 10.0, 1001, dtype=ag.float64, requires_grad=True)
    activation(x).sum().backward()
    steepest, bound = np.abs(x.grad.numpy()).max(), utils.lipschitz_bound(activation)
    assert steepest <= bound * (1 + 1e-12)
    assert steepest > 0.99 * bound


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (7, {}),
        (8, {"stride": 2, "padding": 1}),
        (9, {"dilation": 2, "groups": 2}),
        (9, {"stride": 2, "dilation": 2}),
        (9, {"stride": 4}),
    ],
)
def test_the_bound_of_a_convolution_is_above_its_norm(size: int, options: Any) -> None:
    layer = nn.Conv1d(2, 4, 3, bias=False, **options).double()
    jacobian = ag.func.jacrev(layer)(ag.zeros(1, 2, size, dtype=ag.float64))
    exact = np.linalg.norm(jacobian.reshape(-1, 2 * size).detach().numpy(), 2)
    bound = utils.lipschitz_bound(layer)
    assert exact <= bound * (1 + 1e-12)
    assert bound <= exact * math.sqrt(3) * 1.2


def test_a_network_stretches_no_difference_beyond_its_bound(rng: np.random.Generator) -> None:
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2), nn.Tanh(), nn.BatchNorm2d(4), nn.Flatten(),
        nn.SparseLinear(36, 20), nn.Residual(nn.Sequential(nn.Linear(20, 20), nn.LeakyReLU())),
        nn.DropConnect(20, 10), nn.VanillaDropout(0.25), nn.Dropout(),
    ).double()  # fmt: skip
    net(ag.tensor(rng.normal(size=(8, 1, 8, 8)) * 3))  # statistics other than 0 and 1
    net.eval()
    bound = utils.lipschitz_bound(net)
    a, b = rng.normal(size=(50, 1, 8, 8)), rng.normal(size=(50, 1, 8, 8))
    difference = (net(ag.tensor(a)) - net(ag.tensor(b))).detach().numpy()
    ratio = np.linalg.norm(difference, axis=1) / np.linalg.norm((a - b).reshape(50, -1), axis=1)
    assert 0 < ratio.max() <= bound


def test_a_layer_without_known_constant_is_named() -> None:
    class Square(nn.Module):
        def forward(self, x: Any) -> Any:
            return x * x

    class Wide(nn.Linear):
        def forward(self, input: Any) -> Any:
            return 2 * super().forward(input)

    class Answering(Square):
        def lipschitz_bound(self, constants: Any) -> float:
            return 5.0

    with pytest.raises(ValueError, match=r"got Sequential.0 \(Square\), whose constant it does"):
        utils.lipschitz_bound(nn.Sequential(Square()))
    with pytest.raises(ValueError, match=r"give it as constants={'Wide': ...}"):
        utils.lipschitz_bound(Wide(2, 2))
    assert utils.lipschitz_bound(nn.Sequential(Square()), {"Square": 3.0}) == 3.0
    assert utils.lipschitz_bound(Answering()) == 5.0
    with pytest.raises(ValueError, match=r"got DropConnect, whose weights are random: call eval"):
        utils.lipschitz_bound(nn.DropConnect(2, 2))
    with pytest.raises(ValueError, match="BatchNorm1d, which depends on the whole batch: call ev"):
        utils.lipschitz_bound(nn.BatchNorm1d(2))
    with pytest.raises(ValueError, match="Conv2d with padding_mode='reflect'"):
        utils.lipschitz_bound(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"))
    assert utils.lipschitz_bound(nn.Dropout(0.2)) == pytest.approx(1.25)
