"""The training loop: what it steps, what it counts, in which mode."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F
from autograd_core import Tensor
from optim import SGD
from training.data import DataLoader, TensorDataset
from training.loop import evaluate, fit, train_epoch


def toy(rng: np.random.Generator, count: int = 10) -> tuple[TensorDataset, nn.Linear]:
    """Points in three classes, and a model that knows nothing of them."""
    x = ag.tensor(rng.normal(size=(count, 4)))
    y = ag.tensor(rng.integers(0, 3, count))
    return TensorDataset(x, y), nn.Linear(4, 3).double()


def test_an_epoch_is_the_steps_written_out(rng: np.random.Generator) -> None:
    data, model = toy(rng)
    w, b = (p.detach().clone().requires_grad_() for p in model.parameters())
    loss = train_epoch(model, SGD(model.parameters(), lr=0.1), DataLoader(data, 4))

    x, y = data.tensors
    total = 0.0
    for rows in (slice(0, 4), slice(4, 8), slice(8, 10)):
        value = F.cross_entropy(F.linear(x[rows], w, b), y[rows])
        value.backward()
        w, b = ((p - 0.1 * ag.as_tensor(p.grad)).detach().requires_grad_() for p in (w, b))
        total += value.item() * len(y[rows])
    for trained, expected in zip(model.parameters(), (w, b), strict=True):
        np.testing.assert_allclose(trained.tolist(), expected.tolist(), rtol=1e-14)
    assert loss == pytest.approx(total / 10, rel=1e-14)


def test_evaluation_does_not_depend_on_the_batches(rng: np.random.Generator) -> None:
    data, model = toy(rng)
    x, y = data.tensors
    scores = model(x).detach()
    for size in (3, 10):
        result = evaluate(model, DataLoader(data, size))
        assert result.loss == pytest.approx(F.cross_entropy(scores, y).item(), rel=1e-14)
        np.testing.assert_array_equal(result.predictions, scores.numpy().argmax(1))
        assert result.accuracy == (result.predictions == y.numpy()).mean()


def test_training_and_evaluation_each_choose_their_mode(rng: np.random.Generator) -> None:
    seen: list[tuple[bool, bool]] = []

    class Watched(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:
            seen.append((self.training, ag.is_grad_enabled()))
            return super().forward(input)

    data, _ = toy(rng)
    model, batches = Watched(4, 3).double(), DataLoader(data, 10)
    assert len(list(fit(model, SGD(model.parameters(), lr=0.1), batches, batches, 2))) == 2
    assert seen == [(True, True), (False, False)] * 2


def test_fit_gives_each_epoch_before_it_begins_the_next(rng: np.random.Generator) -> None:
    data, model = toy(rng)
    batches = DataLoader(data, 5)
    epochs = fit(model, SGD(model.parameters(), lr=0.1), batches, batches, 3)
    first = next(epochs)
    assert first.number == 1
    assert first.test.loss == evaluate(model, batches).loss
    assert [epoch.number for epoch in epochs] == [2, 3]


def test_an_iterator_that_is_used_up_is_refused(rng: np.random.Generator) -> None:
    data, model = toy(rng)
    batches = DataLoader(data, 5)
    epochs = fit(model, SGD(model.parameters(), lr=0.1), iter(batches), batches, 2)
    assert next(epochs).number == 1
    with pytest.raises(ValueError, match=r"train_epoch got no batches: .* DataLoader starts a"):
        next(epochs)
    with pytest.raises(ValueError, match="evaluate got no batches: it needs at least one"):
        evaluate(model, [])
