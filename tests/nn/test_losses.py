"""Losses and penalties: what their numbers mean, their edges, and what they refuse."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F
from autograd_core.gradcheck import gradcheck, gradgradcheck
from nn.loss import Loss

PUBLIC = [getattr(nn, name) for name in dir(nn)]
LOSSES = [item for item in PUBLIC if isinstance(item, type) and issubclass(item, Loss)]
WITH_FLAGS = [item for item in LOSSES if "size_average" in inspect.signature(item).parameters]
FUNCTIONS = [
    item for name, item in vars(F).items() if name.endswith(("_loss", "kl_div", "entropy"))
]


def double(numbers: Any, requires_grad: bool = True) -> ag.Tensor:
    return ag.tensor(numbers, dtype=ag.float64, requires_grad=requires_grad)


def slope(loss: Callable[[ag.Tensor], ag.Tensor], numbers: Any) -> Any:
    """The gradient of the sum of a loss."""
    x = double(numbers)
    loss(x).sum().backward()
    return x.grad.tolist()


# Meaning


def test_half_the_square_has_the_difference_as_its_slope() -> None:
    x, y = double([1.0, 5.0]), double([3.0, 2.0], False)
    loss = F.half_mse_loss(x, y, reduction="sum")
    assert loss.item() == 6.5
    loss.backward()
    assert x.grad.tolist() == [-2.0, 3.0]
    assert nn.HalfMSELoss()(x, y).item() == nn.MSELoss()(x, y).item() / 2


def test_the_hinge_loss_is_zero_beyond_the_margin() -> None:
    def loss(z: ag.Tensor) -> ag.Tensor:
        return F.hinge_loss(z, ag.tensor([1, 1, -1, -1]), "none")

    z = [2.0, 0.5, -0.5, 3.0]
    assert loss(double(z)).tolist() == [0.0, 0.5, 0.5, 4.0]
    assert slope(loss, z) == [0.0, -1.0, 1.0, 1.0]


def test_penalties_have_both_conventions() -> None:
    w, b = double([3.0, -4.0]), double([[0.0, 2.0]])
    assert F.l1_penalty([w, b], 0.1).item() == pytest.approx(0.9)
    assert F.l1_penalty([w, b], 0.1, half=True).item() == pytest.approx(0.45)
    assert F.l2_penalty(iter([w, b]), 0.1).item() == pytest.approx(2.9)
    for half, factor in ((False, 2.0), (True, 1.0)):
        assert slope(lambda x, half=half: F.l2_penalty(x, 0.1, half), [3.0, -4.0]) == pytest.approx(
            [factor * 0.3, factor * -0.4]
        )
    assert slope(lambda x: F.l1_penalty(x, 0.5), [3.0, 0.0, -4.0]) == [0.5, 0.0, -0.5]


def test_the_divergence_of_distributions_is_averaged_over_samples() -> None:
    p = double([[0.2, 0.8], [0.0, 1.0]], False)
    q = double([[0.5, 0.5], [0.5, 0.5]], False)
    expected = (0.2 * math.log(0.4) + 0.8 * math.log(1.6) + math.log(2.0)) / 2
    assert F.kl_div(q.log(), p, reduction="batchmean").item() == pytest.approx(expected)


def test_the_mean_divergence_warns_that_it_divides_by_all_elements() -> None:
    p = double([[0.2, 0.8]], False)
    with pytest.warns(
        UserWarning, match="kl_div got reduction='mean', which divides by the number"
    ):
        loss = F.kl_div(double([[-1.0, -2.0]], False), p)
    total = F.kl_div(double([[-1.0, -2.0]], False), p, reduction="sum")
    assert loss.item() == total.item() / 2


def test_logits_of_any_size_have_finite_cross_entropies() -> None:
    x = double([1000.0, -1000.0, 1000.0, -1000.0])
    y = double([1.0, 0.0, 0.0, 1.0], False)
    losses = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    assert losses.tolist() == [0.0, 0.0, 1000.0, 1000.0]
    losses.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 1.0, -1.0]


def test_a_certain_and_wrong_probability_costs_and_pulls_a_finite_amount() -> None:
    def loss(p: ag.Tensor) -> ag.Tensor:
        return F.binary_cross_entropy(p, double([1.0, 0.0], False), reduction="none")

    assert loss(double([0.0, 1.0])).tolist() == [100.0, 100.0]
    assert slope(loss, [0.0, 1.0]) == pytest.approx([-1e12, 1e12])


def test_a_variance_that_is_too_small_is_raised_and_still_gets_a_gradient() -> None:
    var = double([0.0])
    loss = F.gaussian_nll_loss(double([1.0], False), double([1.0], False), var, eps=0.5)
    assert loss.item() == 0.5 * math.log(0.5)
    loss.backward()
    assert var.grad.item() == 1.0
    x = double([[1.0, 2.0]], False)
    assert F.gaussian_nll_loss(x, x, 4.0).item() == 0.5 * math.log(4.0)


def test_the_distance_of_a_triplet_may_be_any_function() -> None:
    a, p, n = (double([[float(k)]], False) for k in (0, 3, 1))
    far = nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: (x - y).abs().sum(-1))
    assert far(a, p, n).item() == 1.0 + 3.0 - 1.0
    assert nn.TripletMarginLoss(p=1.0, eps=0.0)(a, p, n).item() == far(a, p, n).item()


def test_weights_of_elements_count_in_the_mean() -> None:
    x, y = double([1.0, 2.0], False), double([0.0, 0.0], False)
    weight = double([3.0, 1.0], False)
    assert F.mse_loss(x, y, weight=weight).item() == (3.0 + 4.0) / 4.0
    assert F.l1_loss(x, y, weight=weight, reduction="sum").item() == 5.0
    assert F.huber_loss(x, y, weight=weight).item() == (3.0 * 0.5 + 1.5) / 2.0


# Labels without places


def collapsed(path: tuple[int, ...]) -> list[int]:
    """What a path says: repeats once, without blanks."""
    return [label for label, _ in itertools.groupby(path) if label]


@pytest.mark.parametrize("labels", [[], [1], [1, 1], [1, 2], [2, 1, 2]])
def test_ctc_sums_over_all_paths_that_say_the_labels(
    labels: list[int], rng: np.random.Generator
) -> None:
    logs = F.log_softmax(double(rng.normal(size=(4, 3)), False), 1)
    p = np.exp(logs.numpy())
    paths = [z for z in itertools.product(range(3), repeat=4) if collapsed(z) == labels]
    likelihood = sum(math.prod(p[t, z[t]] for t in range(4)) for z in paths)
    loss = F.ctc_loss(logs, ag.tensor(labels, dtype=ag.int64), (4,), (len(labels),))
    assert loss.item() == pytest.approx(-math.log(likelihood) / max(len(labels), 1), rel=1e-12)


def test_ctc_is_differentiable_twice(rng: np.random.Generator) -> None:
    logs = double(rng.normal(size=(4, 2, 3)))
    targets = ag.tensor([[1, 1], [2, 0]])

    def loss(x: ag.Tensor) -> ag.Tensor:
        return F.ctc_loss(x, targets, (4, 3), (2, 1))

    assert gradcheck(loss, (logs,))
    assert gradgradcheck(loss, (logs,))


def test_ctc_of_a_target_that_does_not_fit_is_infinite_or_left_out() -> None:
    targets = ag.tensor([[1, 1], [1, 2]])  # the first needs a blank between its labels
    x: Any = double(np.zeros((2, 2, 3)))
    losses = F.ctc_loss(x, targets, (2, 2), (2, 2), reduction="none")
    assert losses.tolist() == [math.inf, 0.0]
    losses.sum().backward()
    assert not x.grad[:, 0].isfinite().all()
    x = double(np.zeros((2, 2, 3)))
    losses = F.ctc_loss(x, targets, (2, 2), (2, 2), reduction="none", zero_infinity=True)
    assert losses.tolist() == [0.0, 0.0]
    losses.sum().backward()
    assert x.grad[:, 0].tolist() == np.zeros((2, 3)).tolist()


def test_ctc_stays_finite_over_long_inputs_and_impossible_labels() -> None:
    x = F.log_softmax(ag.zeros(2000, 1, 3), -1)
    assert F.ctc_loss(x, ag.tensor([[1]]), (2000,), (1,)).item() < 2000 * math.log(3)
    certain: Any = double([[-math.inf, 0.0], [0.0, -math.inf]])
    loss = F.ctc_loss(certain, ag.tensor([1]), (2,), (1,))
    assert loss.item() == 0.0
    loss.backward()
    assert not certain.grad.isnan().any()


@pytest.mark.torch
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("targets", ["padded", "in one row"])
def test_ctc_agrees_with_pytorch(
    reduction: str, zero_infinity: bool, targets: str, rng: np.random.Generator
) -> None:
    torch = pytest.importorskip("torch")
    scores, labels = rng.normal(size=(7, 4, 5)), rng.integers(1, 5, size=(4, 4))
    times, sizes = [7, 6, 7, 2], [4, 3, 0, 2 if not zero_infinity else 4]
    labels[3, :2] = 1, 2
    lengths: Any = list
    if targets != "padded":
        lengths = None
        labels = np.concatenate([row[:size] for row, size in zip(labels, sizes, strict=True)])

    def run(library: Any, F: Any) -> list[Any]:
        x = library.tensor(scores, requires_grad=True)
        loss = F.ctc_loss(
            F.log_softmax(x, -1), library.tensor(labels),
            *[(lengths or library.tensor)(n) for n in (times, sizes)],
            reduction=reduction, zero_infinity=zero_infinity,
        )  # fmt: skip
        loss.sum().backward()
        return [loss.detach().numpy(), x.grad.numpy()]

    for ours, theirs in zip(run(ag, F), run(torch, torch.nn.functional), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.torch
def test_probabilities_of_0_and_1_agree_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    p, y = [0.0, 1.0, 1e-13, 1.0 - 1e-13, 0.0], [1.0, 0.0, 0.7, 0.2, 0.5]

    def run(library: Any, F: Any) -> list[Any]:
        x = library.tensor(p, dtype=library.float64, requires_grad=True)
        target = library.tensor(y, dtype=library.float64)
        losses = F.binary_cross_entropy(x, target, reduction="none")
        losses.sum().backward()
        return [losses.detach().numpy(), x.grad.numpy()]

    for ours, theirs in zip(run(ag, F), run(torch, torch.nn.functional), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)  # PyTorch's 1e-12 is a float32


# Refused


@pytest.mark.parametrize("loss", FUNCTIONS, ids=lambda f: f.__name__)
def test_an_unknown_reduction_is_refused(loss: Any) -> None:
    wanted = [p for p in inspect.signature(loss).parameters.values() if p.default is p.empty]
    with pytest.raises(ValueError, match=r"got reduction='max': it must be one of mean, sum, none"):
        loss(*[ag.zeros(2, 3)] * len(wanted), reduction="max")


@pytest.mark.parametrize("loss", WITH_FLAGS)
@pytest.mark.parametrize("flag", ["size_average", "reduce"])
def test_flags_that_reduction_replaced_are_refused(loss: Any, flag: str) -> None:
    message = rf"{loss.__name__} got {flag}=False, which is no longer known: say reduction="
    with pytest.raises(TypeError, match=message):
        loss(**{flag: False})


def test_a_reduction_in_the_place_of_an_old_flag_is_noticed() -> None:
    x = ag.zeros(2)
    with pytest.raises(TypeError, match="mse_loss got size_average='sum', which is no longer"):
        F.mse_loss(x, x, "sum")  # pyright: ignore[reportArgumentType]


FLOATS = ag.ones(3, 4)
WHOLE = ag.tensor([0, 3, 1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.nll_loss(FLOATS, ag.tensor([0, 4, 1])), IndexError,
         "target 4 at position 1 is not one of 4 classes"),
        (lambda: F.cross_entropy(ag.ones(2, 3, 2), ag.tensor([[0, 1], [3, 1]])), IndexError,
         r"target 3 at position \(1, 0\) is not one of 3 classes"),
        (lambda: F.cross_entropy(FLOATS, WHOLE, weight=ag.ones(3)), ag.ShapeError,
         r"the weight of shape \(3,\) must have one number for each of the 4 classes"),
        (lambda: F.cross_entropy(FLOATS, FLOATS, weight=ag.ones(3)), ag.ShapeError,
         r"the weight of shape \(3,\) must have one number for each of the 4 classes"),
        (lambda: F.cross_entropy(FLOATS, ag.ones(3, 3)), ag.ShapeError,
         r"probabilities of shape \(3, 3\) for x of shape \(3, 4\): the shapes must be equal"),
        (lambda: F.nll_loss(FLOATS, ag.ones(3)), ag.DtypeError, "must hold class numbers"),
        (lambda: F.binary_cross_entropy(FLOATS, WHOLE), ag.DtypeError,
         "binary_cross_entropy got target of int64: convert it with .float.. first"),
        (lambda: F.binary_cross_entropy(FLOATS, ag.ones(3)), ag.ShapeError,
         r"input of shape \(3, 4\) and target of shape \(3,\): the shapes must be equal"),
        (lambda: F.binary_cross_entropy(ag.tensor([[0.5, 2.0]]), ag.ones(1, 2)), ValueError,
         r"binary_cross_entropy got input 2.0 at position \(0, 1\): it must be between 0 and 1"),
        (lambda: F.binary_cross_entropy(FLOATS, FLOATS, weight=ag.ones(2, 3, 4)), ag.ShapeError,
         r"a weight of shape \(2, 3, 4\) for input of shape \(3, 4\): it must broadcast to that"),
        (lambda: F.binary_cross_entropy_with_logits(FLOATS, ag.ones(3, 1)), ag.ShapeError,
         "binary_cross_entropy_with_logits got input of shape .* the shapes must be equal"),
        (lambda: F.binary_cross_entropy_with_logits(FLOATS, FLOATS, pos_weight=ag.ones(3)),
         ag.ShapeError, r"pos_weight of shape \(3,\): the shapes do not broadcast"),
        (lambda: F.mse_loss(FLOATS, ag.ones(3)), ag.ShapeError,
         r"mse_loss got input of shape \(3, 4\) and target of shape \(3,\): the shapes do not"),
        (lambda: F.l1_loss(FLOATS, FLOATS, weight=ag.ones(4)), ag.ShapeError,
         r"l1_loss got input of shape \(3, 4\) and weight of shape \(4,\): the shapes must be"),
        (lambda: F.smooth_l1_loss(FLOATS, FLOATS, beta=-1.0), ValueError,
         "smooth_l1_loss got beta=-1.0: it must not be negative"),
        (lambda: F.huber_loss(FLOATS, FLOATS, delta=0.0), ValueError,
         "huber_loss got delta=0.0: it must be positive"),
        (lambda: F.gaussian_nll_loss(FLOATS, FLOATS, ag.ones(4)), ag.ShapeError,
         r"var of shape \(4,\) for input of shape \(3, 4\): it must have that shape, 1 in place"),
        (lambda: F.gaussian_nll_loss(FLOATS, FLOATS, -1.0), ValueError,
         r"gaussian_nll_loss got var -1.0 at position \(0, 0\): it must be 0 or more"),
        (lambda: F.hinge_loss(FLOATS, ag.ones(3)), ag.ShapeError, "hinge_loss got input of shape"),
        (lambda: F.hinge_loss(ag.ones(3), WHOLE), ValueError,
         "hinge_loss got target 0 at position 0: it must be 1 or -1"),
        (lambda: F.hinge_embedding_loss(ag.ones(2), ag.tensor([1.0, 0.0])), ValueError,
         "hinge_embedding_loss got target 0.0 at position 1: it must be 1 or -1"),
        (lambda: F.cosine_embedding_loss(FLOATS, FLOATS, FLOATS), ag.ShapeError,
         r"inputs of 2 axes and a target of 2: it needs \(N, D\), \(N, D\) and \(N\)"),
        (lambda: F.cosine_embedding_loss(ag.ones(4), ag.ones(4), ag.tensor(2)), ValueError,
         "cosine_embedding_loss got target 2: it must be 1 or -1"),
        (lambda: F.multi_margin_loss(FLOATS, ag.tensor([0, 1, 4])), IndexError,
         r"multi_margin_loss got target 4 at position 2: it must be in \[0, 4\)"),
        (lambda: F.multi_margin_loss(FLOATS, WHOLE, p=3), ValueError,
         "multi_margin_loss got p=3: it must be 1 or 2"),
        (lambda: F.multi_margin_loss(FLOATS, ag.tensor([0])[:, None]), ag.ShapeError,
         r"target of shape \(1, 1\): it needs \(N, C\) and \(N\), or \(C\) and \(\)"),
        (lambda: F.multi_margin_loss(FLOATS, ag.tensor([0])), ag.ShapeError,
         r"input of shape \(3, 4\) and target of shape \(1,\): it needs \(N, C\) and \(N\)"),
        (lambda: F.multi_margin_loss(FLOATS, ag.tensor(0)), ag.ShapeError,
         r"input of shape \(3, 4\) and target of shape \(\): it needs \(N, C\) and \(N\)"),
        (lambda: F.multi_margin_loss(FLOATS, WHOLE, weight=ag.ones(3)), ag.ShapeError,
         r"a weight of shape \(3,\): it needs 4 numbers"),
        (lambda: F.multi_margin_loss(FLOATS, ag.ones(3)), ag.DtypeError,
         "multi_margin_loss got a target of float32: it must hold class numbers"),
        (lambda: F.multilabel_margin_loss(ag.ones(1, 2), ag.tensor([[2, -1]])), IndexError,
         r"multilabel_margin_loss got target 2 at position \(0, 0\): it must be in \[-1, 2\)"),
        (lambda: F.multilabel_margin_loss(ag.ones(1, 1, 2), ag.zeros(1, 1, 2)), ag.ShapeError,
         r"multilabel_margin_loss got input of shape \(1, 1, 2\): it needs \(N, C\) or \(C\)"),
        (lambda: F.margin_ranking_loss(FLOATS, FLOATS, ag.ones(4)), ag.ShapeError,
         r"margin_ranking_loss got input1 .*, input2 .* and target of shape \(4,\): they must"),
        (lambda: F.triplet_margin_loss(FLOATS, FLOATS, ag.ones(4)), ag.ShapeError,
         "triplet_margin_loss got anchor of shape .* the same number of axes"),
        (lambda: F.triplet_margin_loss(FLOATS, FLOATS, ag.ones(3, 3)), ag.ShapeError,
         r"negative of shape \(3, 3\): the shapes do not broadcast"),
        (lambda: F.triplet_margin_loss(FLOATS, FLOATS, FLOATS, margin=0.0), ValueError,
         "triplet_margin_loss got margin=0.0: it must be positive"),
        (lambda: F.l1_penalty([], 0.1), ValueError, "l1_penalty got no parameters"),
        (lambda: F.l2_penalty(FLOATS, -0.1), ValueError,
         "l2_penalty got weight=-0.1: it must not be negative"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


LOGS = ag.zeros(4, 2, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((ag.zeros(3), WHOLE, (3,), (1,)), ag.ShapeError,
         r"log_probs of shape \(3,\): it needs \(T, N, C\) or \(T, C\)"),
        ((LOGS.half(), WHOLE, (4, 4), (1, 1)), ag.DtypeError,
         "log_probs of float16: it needs float32 or float64"),
        ((LOGS, ag.tensor([[1, 0], [1, 2]]), (4, 4), (2, 2)), IndexError,
         r"target 0 at position \(0, 1\): it must be in \[0, 3\) and not the blank, 0"),
        ((LOGS, ag.tensor([[1], [3]]), (4, 4), (1, 1)), IndexError,
         r"target 3 at position \(1, 0\): it must be in \[0, 3\)"),
        ((LOGS, ag.tensor([[1], [2]]), (4, 5), (1, 1)), ValueError,
         r"input_lengths 5 at position 1: it must be in \[0, 4\], the number of time steps"),
        ((LOGS, ag.tensor([[1], [2]]), (4, 4), (1, -1)), ValueError,
         "target_lengths -1 at position 1: it must be 0 or more"),
        ((LOGS, ag.tensor([[1], [2]]), (4,), (1, 1)), ag.ShapeError,
         r"input_lengths of shape \(1,\): it needs one for each of the 2 samples"),
        ((LOGS, ag.tensor([[1], [2]]), (4, 4), (1.0, 1.0)), ag.DtypeError,
         "target_lengths of float64: they must be integers"),
        ((LOGS, ag.tensor([[1], [2]]), (4, 4), (1, 2)), ag.ShapeError,
         r"targets of shape \(2, 1\): it needs 2 rows, the longest of 2 labels"),
        ((LOGS, ag.tensor([1, 2, 1]), (4, 4), (1, 1)), ag.ShapeError,
         r"targets of shape \(3,\): in one row it needs all 2 labels"),
        ((LOGS[:, 0], ag.tensor([1]), (4,), (2,)), ag.ShapeError,
         r"targets of shape \(1,\): in one row it needs all 2 labels"),
        ((LOGS, ag.tensor([[1.0], [2.0]]), (4, 4), (1, 1)), ag.DtypeError,
         "targets of float32: they must be class numbers"),
        ((LOGS, ag.tensor([[1], [2]]), (4, 4), (1, 1), 3), ValueError,
         r"blank=3: it must be in \[0, 3\)"),
    ],
)  # fmt: skip
def test_ctc_refuses_what_does_not_fit(arguments: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=f"ctc_loss got {message}"):
        F.ctc_loss(*arguments)


@pytest.mark.parametrize(
    "loss", [F.mse_loss, F.l1_loss, F.huber_loss, F.soft_margin_loss, F.poisson_nll_loss]
)
def test_shapes_that_differ_are_warned_of(loss: Any) -> None:
    with pytest.warns(UserWarning, match=rf"{loss.__name__} got input of shape \(3, 1\) and"):
        loss(ag.ones(3, 1), ag.ones(3))
