"""The demo: two networks learn handwritten digits, and leave pictures and numbers behind."""

from __future__ import annotations

import os
from collections import abc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from threadpoolctl import threadpool_limits

import nn.functional as F
from autograd_core import Generator, get_num_threads, set_num_threads, trace_graph
from kernels.threads import limit
from nn import Module
from nn.models import conv_net, fc_net
from optim import Adam

from . import figures, report
from .data import DataLoader, Dataset, digits
from .datasets import MNIST
from .loop import Epoch, fit
from .progress import watch
from .transforms import Compose, Normalize, ToTensor

__all__ = ["Job", "Settings", "Training", "prepare", "run"]

Images: TypeAlias = Dataset[Any]
TEST_BATCH = 500
GRAPH_BATCH = 64


@dataclass(frozen=True)
class Settings:
    """What the user chose."""

    data: str = "digits"
    data_dir: Path = Path("data")
    epochs: int | None = None  # None: as many as the data set asks for
    seed: int = 0
    threads: int | None = None  # of kernels; None: one for each core. The numbers are the same.
    out: Path = Path("autograd-core-demo")


@dataclass(frozen=True)
class Recipe:
    """How a data set is learned."""

    title: str
    load: Callable[[Path], tuple[Images, Images]]
    nets: dict[str, Callable[..., Module]]
    epochs: int
    batch_size: int
    lr: float = 1e-3  # of Adam


@dataclass(frozen=True)
class Job:
    """All that a run needs, checked and loaded."""

    settings: Settings
    recipe: Recipe
    train: Images
    test: Images

    @property
    def epochs(self) -> int:
        return self.settings.epochs or self.recipe.epochs


@dataclass
class Training:
    """One network, and its epochs so far."""

    name: str
    model: Module
    epochs: list[Epoch] = field(default_factory=list[Epoch])

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def seconds(self) -> float:
        return sum(epoch.seconds for epoch in self.epochs)


def _mnist(folder: Path) -> tuple[Images, Images]:
    # Mean and deviation of the training set's pixels.
    transform = Compose([ToTensor(), Normalize(0.1307, 0.3081)])
    train, test = (MNIST(folder, train=part, transform=transform) for part in (True, False))
    return train, test


RECIPES = {
    "digits": Recipe(
        title="8x8 digits",
        load=lambda folder: digits(),
        nets={"fc_net": partial(fc_net, 8 * 8), "conv_net": partial(conv_net, padding=2, size=8)},
        epochs=20,
        batch_size=16,
    ),
    "mnist": Recipe(
        title="MNIST",
        load=_mnist,
        nets={"fc_net": fc_net, "conv_net": conv_net},
        epochs=5,
        batch_size=64,
    ),
}


def prepare(settings: Settings) -> Job:
    """Load the data and make the folder for the results, before any time is spent on training."""
    if settings.data not in RECIPES:
        known = ", ".join(RECIPES)
        raise ValueError(f"demo got data={settings.data!r}: it must be one of {known}")
    out, recipe = settings.out, RECIPES[settings.data]
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} is a file: the results need a folder")
    train, test = recipe.load(settings.data_dir)
    out.mkdir(parents=True, exist_ok=True)
    if settings.threads is not None and settings.threads > limit():
        raise ValueError(f"got {settings.threads} threads: there are {limit()} cores")
    if not os.access(out, os.W_OK):
        raise PermissionError(f"{out} cannot be written to: choose another folder for the results")
    return Job(settings, recipe, train, test)


def run(job: Job) -> bool:
    """Train the networks, show and write what came of it; False if Ctrl-C ended it early."""
    trainings = [
        # Each from a stream of its own, so that no network's numbers depend on another.
        Training(name, net(generator=Generator().manual_seed(job.settings.seed)))
        for name, net in job.recipe.nets.items()
    ]
    finished = True
    # OpenBLAS rounds differently with each number of threads.
    with threadpool_limits(1, "blas"), _threads(job.settings.threads):
        print(report.heading(job))
        try:
            for training in trainings:
                train(training, job)
        except KeyboardInterrupt:
            finished = False
            print("\ninterrupted: what follows is about the epochs that were completed")
        print(f"\n{report.table(trainings)}\n")
        _write(job, trainings, finished)
    print(f"Curves, images, graphs and metrics.json are in {job.settings.out}")
    return finished


@contextmanager
def _threads(n: int | None) -> abc.Generator[None]:
    before = get_num_threads()
    if n is not None:
        set_num_threads(n)
    try:
        yield
    finally:
        set_num_threads(before)


def train(training: Training, job: Job) -> None:
    """Train one network, keeping each epoch as it ends."""
    order = Generator().manual_seed(job.settings.seed)
    batches = DataLoader(job.train, job.recipe.batch_size, shuffle=True, generator=order)
    test = DataLoader(job.test, TEST_BATCH)
    optimizer = Adam(training.model.parameters(), lr=job.recipe.lr)
    with watch(training.name, batches, job.epochs) as watched:
        for epoch in fit(training.model, optimizer, watched, test, job.epochs):
            training.epochs.append(epoch)
            watched.epoch(epoch)


def _write(job: Job, trainings: list[Training], finished: bool) -> None:
    out = job.settings.out
    report.write(out / "metrics.json", job, trainings, finished)
    for training in trainings:
        _write_graph(training, job, out / f"{training.name}_graph")
    pictures = dict(_pictures(job, [training for training in trainings if training.epochs]))
    # A picture that an earlier run left would pass for one of this run.
    for name in ["learning_curves", *(f"{training.name}_misclassified" for training in trainings)]:
        if name in pictures:
            figures.save(pictures[name], out / name)
        else:
            figures.discard(out / name)


def _pictures(job: Job, trainings: list[Training]) -> Iterator[tuple[str, figures.Figure]]:
    """The pictures of trainings of at least one epoch, by the names of their files."""
    if trainings:
        curves = {training.name: training.epochs for training in trainings}
        yield "learning_curves", figures.learning_curves(curves, job.recipe.title)
    images, labels = (tensor.numpy() for tensor in job.test.batch(slice(len(job.test))))
    for training in trainings:
        predictions = training.epochs[-1].test.predictions
        title = f"{training.name} on {job.recipe.title}"
        picture = figures.misclassified(images, labels, predictions, title)
        yield f"{training.name}_misclassified", picture


def _write_graph(training: Training, job: Job, path: Path) -> None:
    """The graph of the loss of one batch, as path.svg, path.html, path.txt and path.dot."""
    images, labels = job.train.batch(slice(GRAPH_BATCH))
    loss = F.cross_entropy(training.model(images), labels)
    loss.name = "loss"
    names = dict(training.model.named_parameters())
    graph = trace_graph(loss, names=names, backward=True)
    graph.to_svg(path.with_suffix(".svg"))
    graph.to_html(path.with_suffix(".html"), title=f"{training.name}: loss of one batch")
    graph.to_text(path.with_suffix(".txt"))
    graph.to_dot(path.with_suffix(".dot"))
