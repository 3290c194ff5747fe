"""The functions under PyTorch's names: their numbers, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn.functional as F


def test_softmax_and_its_log_agree() -> None:
    x = ag.tensor([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])
    y = F.softmax(x, dim=1)
    assert y.sum(1).tolist() == pytest.approx([1.0, 1.0])
    assert F.log_softmax(x, dim=1).exp().numpy() == pytest.approx(y.numpy())


def test_cross_entropy_is_minus_the_log_of_the_probability() -> None:
    x = ag.tensor([[1.0, 2.0], [3.0, 0.0]], dtype=ag.float64)
    p = F.softmax(x, dim=1).numpy()
    y = ag.tensor([1, 0])
    assert F.cross_entropy(x, y).item() == pytest.approx(-np.log(p[[0, 1], [1, 0]]).mean())
    kept = F.cross_entropy(x, ag.tensor([1, -100]))
    assert kept.item() == pytest.approx(-np.log(p[0, 1]))


def test_cross_entropy_of_probabilities_weighs_the_classes() -> None:
    x = ag.tensor([[0.0, 0.0]], dtype=ag.float64)
    loss = F.cross_entropy(x, ag.tensor([[0.25, 0.75]], dtype=ag.float64))
    assert loss.item() == pytest.approx(np.log(2.0))


def test_mse_loss_warns_where_the_shapes_differ() -> None:
    with pytest.warns(UserWarning, match=r"mse_loss got input of shape \(3, 1\) and target of"):
        F.mse_loss(ag.zeros(3, 1), ag.zeros(3))


def test_padding_counts_from_the_last_axis() -> None:
    x = ag.ones(1, 2)
    assert F.pad(x, (1, 0), value=5.0).tolist() == [[5.0, 1.0, 1.0]]
    assert F.pad(x, (0, 0, 0, 1)).tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert F.pad(ag.tensor([1.0, 2.0, 3.0]), (-1, 1)).tolist() == [2.0, 3.0, 0.0]


@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("reflect", [3, 2, 1, 2, 3, 2]),
        ("replicate", [1, 1, 1, 2, 3, 3]),
        ("circular", [2, 3, 1, 2, 3, 1]),
    ],
)
def test_edges_are_repeated(mode: str, row: list[float]) -> None:
    x = ag.tensor([[[1.0, 2.0, 3.0]]], requires_grad=True)
    y = F.pad(x, (2, 1), mode=mode)
    assert y.tolist() == [[row]]
    y.sum().backward()
    assert x.grad.tolist() == [[[float(row.count(n)) for n in (1, 2, 3)]]]


@pytest.mark.torch
@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_padding_agrees_with_pytorch(mode: str, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    x = rng.normal(size=(2, 3, 4, 5))
    ours = F.pad(ag.tensor(x), (2, 1, 0, 3), mode=mode)
    theirs = torch.nn.functional.pad(torch.tensor(x), (2, 1, 0, 3), mode=mode)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.torch
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (3,)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["classes", "ignored", "probabilities"])
def test_cross_entropy_agrees_with_pytorch(
    reduction: str,
    shape: tuple[int, ...],
    smoothing: float,
    weighted: bool,
    kind: str,
    rng: np.random.Generator,
) -> None:
    torch = pytest.importorskip("torch")
    x = rng.normal(size=shape)
    places = shape[:1] * (len(shape) > 1) + shape[2:]
    y = rng.random(shape) if kind == "probabilities" else np.asarray(rng.integers(3, size=places))
    if kind == "ignored" and places:
        y.flat[0] = -100
    weight = rng.random(3) if weighted else None

    def loss(library: Any, F: Any) -> Any:
        score = library.tensor(x, requires_grad=True)
        value = F.cross_entropy(
            score,
            library.tensor(y),
            weight=None if weight is None else library.tensor(weight),
            reduction=reduction,
            label_smoothing=smoothing,
        )
        (value * value).sum().backward()
        return value.detach().numpy(), score.grad.numpy()

    for ours, theirs in zip(loss(ag, F), loss(torch, torch.nn.functional), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ag.ShapeError, match=r"pad got pad=\(1,\) for shape \(2,\): it needs two"):
        F.pad(ag.ones(2), (1,))
    with pytest.raises(ValueError, match="pad got mode='mirror': it must be one of constant, ref"):
        F.pad(ag.ones(2), (1, 1), mode="mirror")
    with pytest.raises(ag.ShapeError, match=r"for an axis of 2: it must be between 0 and 1"):
        F.pad(ag.ones(2), (2, 0), mode="reflect")
    with pytest.raises(IndexError, match="target 2 at position 0 is not one of 2 classes"):
        F.cross_entropy(ag.ones(1, 2), ag.tensor([2]))


def test_a_convolution_that_cannot_be_is_refused() -> None:
    x, weight = ag.ones(1, 2, 4, 4), ag.ones(3, 2, 2, 2)
    with pytest.raises(
        ag.ShapeError, match=r"a weight of shape \(3, 2, 2\): it must have the axes"
    ):
        F.conv2d(x, weight[..., 0], padding="same")
    with pytest.raises(ag.ShapeError, match=r"stride=\(1, 1, 1\): it must be one or two numbers"):
        F.conv2d(x, weight, stride=(1, 1, 1))
    with pytest.raises(ag.DtypeError, match="a bias of float64 for x of float32: convert one"):
        F.conv2d(x, weight, ag.ones(3, dtype=ag.float64))


def test_one_number_in_brackets_is_for_both_axes() -> None:
    x, weight = ag.ones(1, 2, 5, 5), ag.ones(3, 2, 2, 2)
    assert F.conv2d(x, weight, stride=[2], padding=[1]).shape == (1, 3, 3, 3)


def test_the_negative_log_likelihood_is_what_cross_entropy_takes_of_log_softmax() -> None:
    x, y = ag.tensor([[1.0, 2.0, 4.0], [0.5, 0.0, 0.0]]), ag.tensor([2, 1])
    loss = F.nll_loss(F.log_softmax(x, dim=1), y, reduction="sum")
    assert loss.item() == pytest.approx(F.cross_entropy(x, y, reduction="sum").item())


def test_all_pairs_of_rows_come_in_the_order_of_triu_indices() -> None:
    x = ag.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    assert F.pdist(x).tolist() == pytest.approx([5.0, 1.0, math.sqrt(18.0)])
    assert F.pdist(x, p=1.0).tolist() == [7.0, 1.0, 6.0]
    assert F.pdist(x, p=math.inf).tolist() == [4.0, 1.0, 3.0]
    assert F.pdist(x[:1]).shape == (0,)
    i, j = ag.triu_indices(3, 3, 1)
    assert F.cdist(x, x)[i, j].tolist() == pytest.approx(F.pdist(x).tolist())


def test_likeness_does_not_depend_on_lengths_but_of_those_below_eps() -> None:
    a, b = ag.tensor([[3.0, 4.0]]), ag.tensor([[30.0, 0.0]])
    assert F.cosine_similarity(a, b).tolist() == pytest.approx([0.6])
    assert F.cosine_similarity(a, b, eps=10.0).tolist() == pytest.approx([0.3])
    assert F.cosine_similarity(a, ag.zeros(2)).tolist() == [0.0]


@pytest.mark.torch
@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e-3, 1.0])
def test_likeness_of_short_vectors_agrees_with_pytorch(
    scale: float, rng: np.random.Generator
) -> None:
    torch = pytest.importorskip("torch")
    numbers = rng.normal(size=(2, 3, 4)) * [[[scale]], [[1.0]]]

    def run(library: Any, F: Any) -> list[Any]:
        x = library.tensor(numbers, requires_grad=True)
        y = F.cosine_similarity(x[0], x[1], dim=-1, eps=1e-3)
        (y * y + y).sum().backward()
        return [y.detach().numpy(), x.grad.numpy()]

    for ours, theirs in zip(run(ag, F), run(torch, torch.nn.functional), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)


def test_distances_of_what_does_not_fit_are_refused() -> None:
    x, y, whole = ag.ones(2, 3), ag.ones(2, 4), ag.ones(2, 3, dtype=ag.int64)
    with pytest.raises(ag.ShapeError, match=r"x1 of shape \(2, 3\) and x2 of shape \(2, 4\): the"):
        F.pairwise_distance(x, y)
    with pytest.raises(ag.ShapeError, match=r"cosine_similarity got x1 of shape .* not broadcast"):
        F.cosine_similarity(x, y)
    with pytest.raises(ag.DtypeError, match="cosine_similarity got x1 of int64: convert it with"):
        F.cosine_similarity(whole, whole)
    with pytest.raises(ag.ShapeError, match=r"pdist got input of shape \(3,\): it needs rows"):
        F.pdist(x[0])
    with pytest.raises(ValueError, match=r"pdist got p=-1\.0: it must not be negative"):
        F.pdist(x, p=-1.0)
