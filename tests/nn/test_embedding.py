"""Tables looked up by number: padding, shortening, frequencies, bags, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F

TABLE = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [-3.0, 8.0]]


def table() -> ag.Tensor:
    return ag.tensor(TABLE, requires_grad=True)


def test_rows_are_picked_and_their_gradients_added_up() -> None:
    w = table()
    y = F.embedding(ag.tensor([[0, 2], [2, 1]]), w)
    assert y.tolist() == [[TABLE[0], TABLE[2]], [TABLE[2], TABLE[1]]]
    y.sum().backward()
    assert w.grad.tolist() == [[1.0, 1.0], [1.0, 1.0], [2.0, 2.0], [0.0, 0.0]]


def test_the_padding_row_is_read_but_gets_no_gradient() -> None:
    layer = nn.Embedding(3, 2, padding_idx=-1)
    assert layer.padding_idx == 2
    assert layer.weight[2].tolist() == [0.0, 0.0]
    with ag.no_grad():
        layer.weight[2] = 7.0
    y = layer(ag.tensor([0, 2, 2]))
    assert y[1].tolist() == [7.0, 7.0]
    y.sum().backward()
    assert layer.weight.grad.tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]


def test_only_rows_that_are_used_and_too_long_are_shortened() -> None:
    w = table()
    y = F.embedding(ag.tensor([1, 1, 0]), w, max_norm=2.5)
    assert w.tolist()[0] == TABLE[0]
    assert w.tolist()[2:] == TABLE[2:]
    assert w.tolist()[1] == pytest.approx([1.5, 2.0], rel=1e-6)
    assert y.tolist() == [w.tolist()[1], w.tolist()[1], TABLE[0]]
    y.sum().backward()
    assert w.grad.tolist()[1] == [2.0, 2.0]


def test_gradients_can_be_divided_by_how_often_a_row_is_used() -> None:
    w = table()
    F.embedding(ag.tensor([[1, 1, 0], [3, 1, 3]]), w, scale_grad_by_freq=True).sum().backward()
    assert w.grad.numpy()[:, 0] == pytest.approx([1.0, 1.0, 0.0, 1.0], rel=1e-6)
    w = table()
    bags = ag.tensor([[1, 1, 0], [3, 1, 3]])
    F.embedding_bag(bags, w, scale_grad_by_freq=True).sum().backward()
    assert w.grad.numpy()[:, 0] == pytest.approx([1 / 3, 1 / 3, 0.0, 1 / 3], rel=1e-6)


def test_a_sparse_gradient_is_asked_for_and_dense() -> None:
    layer = nn.Embedding(4, 2, sparse=True)
    layer(ag.tensor([1])).sum().backward()
    assert layer.weight.grad.tolist()[1] == [1.0, 1.0]
    assert repr(layer) == "Embedding(4, 2, sparse=True)"


def test_bags_are_summed_averaged_or_searched() -> None:
    x, offsets = ag.tensor([0, 2, 3, 1]), ag.tensor([0, 3, 3])
    w = table()
    assert F.embedding_bag(x, w, offsets, mode="sum").tolist() == [[3.0, 16.0], [0.0, 0.0], [3, 4]]
    assert F.embedding_bag(x, w, offsets).tolist()[0] == pytest.approx([1.0, 16 / 3])
    assert F.embedding_bag(x, w, offsets, mode="max").tolist() == [[5.0, 8.0], [0.0, 0.0], [3, 4]]
    assert F.embedding_bag(ag.tensor([[0, 2, 3]]), w).tolist()[0] == pytest.approx([1.0, 16 / 3])


def test_the_first_of_equal_rows_gets_the_gradient_of_a_maximum() -> None:
    w = ag.ones(3, 1, requires_grad=True)
    F.embedding_bag(ag.tensor([[2, 0, 1]]), w, mode="max").sum().backward()
    assert w.grad.tolist() == [[0.0], [0.0], [1.0]]


def test_bags_of_nothing_are_zero() -> None:
    nothing = ag.tensor([], dtype=ag.int64)
    for mode in ("sum", "mean", "max"):
        y = F.embedding_bag(nothing, table(), ag.tensor([0, 0]), mode=mode)
        assert y.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert F.embedding(nothing, table()).shape == (0, 2)


def test_padding_does_not_count_in_a_bag() -> None:
    w = table()
    y = F.embedding_bag(ag.tensor([[0, 2, 0], [0, 0, 0]]), w, padding_idx=0)
    assert y.tolist() == [TABLE[2], [0.0, 0.0]]
    y.sum().backward()
    assert w.grad.tolist()[0] == [0.0, 0.0]


def test_weights_of_a_bag_are_differentiated_too() -> None:
    weights = ag.tensor([[2.0, -1.0]], requires_grad=True)
    y = F.embedding_bag(ag.tensor([[0, 1]]), table(), per_sample_weights=weights, mode="sum")
    assert y.tolist() == [[-1.0, 0.0]]
    y.sum().backward()
    assert weights.grad.tolist() == [[3.0, 7.0]]


def test_a_given_table_is_fixed_unless_asked_otherwise() -> None:
    given = ag.tensor(TABLE)
    layer = nn.Embedding.from_pretrained(given, padding_idx=0)
    assert not layer.weight.requires_grad
    assert layer.weight.tolist() == TABLE
    assert nn.Embedding.from_pretrained(given, freeze=False).weight.requires_grad
    bags = nn.EmbeddingBag.from_pretrained(given, mode="sum")
    assert not bags.weight.requires_grad
    assert bags(ag.tensor([[0, 1]])).tolist() == [[4.0, 6.0]]


def test_a_fresh_table_is_standard_normal() -> None:
    w = nn.Embedding(200, 300, generator=ag.Generator().manual_seed(1)).weight.detach().numpy()
    assert w.mean() == pytest.approx(0.0, abs=0.02)
    assert w.std() == pytest.approx(1.0, rel=0.02)


ONE, TWO = ag.tensor([1, 2]), ag.tensor([[1, 2]])


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda w: F.embedding(ag.tensor([[0, 1], [2, 4]]), w), IndexError,
         r"embedding got 4 at \(1, 1\): it must be in \[0, 4\)"),
        (lambda w: F.embedding(ag.tensor([0, -1]), w), IndexError, r"got -1 at \(1,\)"),
        (lambda w: F.embedding(ag.tensor([1.0]), w), ag.DtypeError,
         "input of dtype float32: it needs int64"),
        (lambda w: F.embedding(ONE, w[0]), ag.ShapeError,
         r"weight of shape \(2,\): it must be \(rows, features\)"),
        (lambda w: F.embedding(ONE, w, padding_idx=4), ValueError,
         "padding_idx=4: it must be a row of the table of 4"),
        (lambda w: F.embedding_bag(ONE, w), ValueError, "one axis and no offsets"),
        (lambda w: F.embedding_bag(TWO, w, ONE), ValueError, "offsets and an input of two axes"),
        (lambda w: F.embedding_bag(TWO[None], w), ag.ShapeError,
         r"input of shape \(1, 1, 2\): it must have one axis or two"),
        (lambda w: F.embedding_bag(ONE, w, ONE), ValueError,
         r"offsets \[1, 2\]: they must begin with 0"),
        (lambda w: F.embedding_bag(ONE, w, ag.tensor([0, 2, 1])), ValueError, "not decrease"),
        (lambda w: F.embedding_bag(ONE, w, TWO), ag.ShapeError,
         r"offsets of shape \(1, 2\): they must have one axis"),
        (lambda w: F.embedding_bag(TWO, w, mode="min"), ValueError,
         "mode='min': it must be 'sum', 'mean' or 'max'"),
        (lambda w: F.embedding_bag(TWO, w, mode="max", sparse=True), ValueError,
         "mode='max' and sparse=True: it needs sum or mean"),
        (lambda w: F.embedding_bag(TWO, w, per_sample_weights=ag.ones(1, 2)), NotImplementedError,
         "mode='mean': weights need mode='sum'"),
        (lambda w: F.embedding_bag(TWO, w, mode="sum", per_sample_weights=ag.ones(2)),
         ag.ShapeError, r"per_sample_weights of shape \(2,\) for input of shape \(1, 2\)"),
        (lambda w: nn.Embedding(4, 3, _weight=w), ag.ShapeError,
         r"Embedding got _weight of shape \(4, 2\): it must be \(4, 3\)"),
        (lambda w: nn.EmbeddingBag.from_pretrained(w[0]), ag.ShapeError,
         r"EmbeddingBag.from_pretrained got a table of shape \(2,\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call(table())


def test_a_number_out_of_range_is_said_with_the_layers_path() -> None:
    model = nn.Sequential(nn.Identity(), nn.Embedding(4, 2))
    with pytest.raises(IndexError, match=r"^Sequential\.1 \(Embedding\(4, 2\)\): embedding got 7"):
        model(ag.tensor([7]))


@pytest.mark.torch
@pytest.mark.parametrize(
    "options",
    [
        {"padding_idx": 1},
        {"scale_grad_by_freq": True},
        {"max_norm": 1.5},
        {"max_norm": 1.0, "norm_type": 1.0, "padding_idx": 2},
    ],
    ids=str,
)
def test_a_table_agrees_with_pytorch(options: dict[str, Any], rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    places, weights = rng.integers(5, size=(3, 4)), rng.normal(size=(3, 4, 2))
    ours, theirs = nn.Embedding(5, 2, **options).double(), torch.nn.Embedding(5, 2, **options)
    theirs.double().load_state_dict({"weight": torch.tensor(ours.weight.detach().numpy())})
    y, z = ours(ag.tensor(places)), theirs(torch.tensor(places))
    (y * ag.tensor(weights)).sum().backward()
    (z * torch.tensor(weights)).sum().backward()
    for a, b in ((y, z), (ours.weight, theirs.weight), (ours.weight.grad, theirs.weight.grad)):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_large_tables_go_the_way_of_small_ones(rng: np.random.Generator) -> None:
    table, g = rng.normal(size=(50, 64)), rng.normal(size=(20, 30, 64))
    numbers = rng.integers(50, size=(20, 30))
    w = ag.tensor(table, requires_grad=True)
    y = F.embedding(ag.tensor(numbers), w, padding_idx=7)
    y.backward(ag.tensor(g))
    expected = np.zeros_like(table)
    np.add.at(expected, numbers, g)
    expected[7] = 0.0
    np.testing.assert_array_equal(y.detach().numpy(), table[numbers])
    np.testing.assert_allclose(w.grad.numpy(), expected, rtol=1e-13)
    _, tangent = ag.func.jvp(lambda w: F.embedding(ag.tensor(numbers), w, 7), (w,), (w,))
    np.testing.assert_array_equal(
        tangent.detach().numpy(), np.where((numbers == 7)[..., None], 0.0, table[numbers])
    )


def test_the_gradient_of_a_large_table_s_gradient_is_right(rng: np.random.Generator) -> None:
    w = ag.tensor(rng.normal(size=(40, 32)), requires_grad=True)
    numbers = ag.tensor(rng.integers(40, size=400))
    y = F.embedding(numbers, w, padding_idx=3)
    (g,) = ag.autograd.grad((y**3).sum(), [w], create_graph=True)
    (second,) = ag.autograd.grad(g.sum(), [w])
    counts = np.bincount(numbers.numpy(), minlength=40)[:, None] * (np.arange(40) != 3)[:, None]
    np.testing.assert_allclose(second.numpy(), 6 * counts * w.detach().numpy(), rtol=1e-12)
