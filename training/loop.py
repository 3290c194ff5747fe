"""The training loop: over the data again and again, and what came of each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd_core as ag
import nn.functional as F
from autograd_core import Tensor
from nn import Module
from optim import Optimizer

__all__ = ["Epoch", "Evaluation", "evaluate", "fit", "train_epoch"]

# Pairs of inputs and targets; gone through once an epoch, so a DataLoader and not an iterator.
Batches: TypeAlias = Iterable[tuple[Tensor, Tensor] | list[Tensor]]
Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Evaluation:
    """How a model does on data that it does not learn from."""

    loss: float
    accuracy: float  # the share of inputs whose highest score is that of the target
    predictions: NDArray[np.int64]  # in the order of the data


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training data came to."""

    number: int  # from 1
    train_loss: float  # mean over the pass, each batch before its own update
    test: Evaluation  # after the pass
    seconds: float  # of the pass, evaluation not counted


def fit(
    model: Module,
    optimizer: Optimizer,
    train: Batches,
    test: Batches,
    epochs: int,
    loss: Loss = F.cross_entropy,
) -> Iterator[Epoch]:
    """Train a classifier epoch by epoch; each is given as soon as it is over."""
    for number in range(1, epochs + 1):
        start = perf_counter()
        train_loss = train_epoch(model, optimizer, train, loss)
        seconds = perf_counter() - start
        yield Epoch(number, train_loss, evaluate(model, test, loss), seconds)


def train_epoch(
    model: Module, optimizer: Optimizer, batches: Batches, loss: Loss = F.cross_entropy
) -> float:
    """Take one step a batch, down the gradient of its mean loss; return the mean of these."""
    model.train()
    total, count = 0.0, 0
    for inputs, targets in batches:
        optimizer.zero_grad()
        batch_loss = loss(model(inputs), targets)
        batch_loss.backward()
        optimizer.step()
        total += batch_loss.item() * len(targets)
        count += len(targets)
    _refuse_nothing("train_epoch", count)
    return total / count


@ag.no_grad()
def evaluate(model: Module, batches: Batches, loss: Loss = F.cross_entropy) -> Evaluation:
    """Compare scores (N, classes) with targets (N,); the model is left in evaluation mode."""
    model.eval()
    total, right, predictions = 0.0, 0, list[NDArray[np.int64]]()
    for inputs, targets in batches:
        scores = model(inputs)
        total += loss(scores, targets).item() * len(targets)
        predictions.append(scores.argmax(1).numpy())
        right += int((predictions[-1] == targets.numpy()).sum())
    count = sum(map(len, predictions))
    _refuse_nothing("evaluate", count)
    return Evaluation(total / count, right / count, np.concatenate(predictions))


def _refuse_nothing(who: str, count: int) -> None:
    if not count:
        raise ValueError(
            f"{who} got no batches: it needs at least one; "
            "an iterator is used up after one epoch, a DataLoader starts again"
        )
