"""How far a training has got: a bar on a terminal, a line an epoch anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from .data import Batch, DataLoader
from .loop import Epoch

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Watch(Protocol):
    """Batches that are counted as they are used, and a place to say what came of an epoch."""

    def __iter__(self) -> Iterator[Batch]: ...

    def epoch(self, epoch: Epoch) -> None: ...


@contextmanager
def watch(name: str, batches: DataLoader[object], epochs: int) -> Generator[Watch, None, None]:
    """Show the progress of a training that goes over these batches once an epoch."""
    bars = _bars() if sys.stdout.isatty() else None
    if bars is None:
        yield _Lines(name, batches, epochs)
    else:
        with bars:
            task = bars.add_task(name, total=epochs * len(batches), progress="")
            yield _Bar(bars, task, batches, epochs)


def _bars() -> Progress | None:
    """Bars drawn by rich, if that is installed."""
    try:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        return None
    return Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(24),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[progress]}"),
    )


class _Lines:
    def __init__(self, name: str, batches: DataLoader[object], epochs: int) -> None:
        self.name, self.batches, self.epochs = name, batches, epochs

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.batches)

    def epoch(self, epoch: Epoch) -> None:
        # Flushed, because through a pipe these lines are the only sign of life.
        print(
            f"{self.name:<10}epoch {epoch.number}/{self.epochs}  "
            f"train loss {epoch.train_loss:.4f}  test loss {epoch.test.loss:.4f}  "
            f"accuracy {epoch.test.accuracy:.2%}",
            flush=True,
        )


class _Bar:
    def __init__(
        self, bars: Progress, task: TaskID, batches: DataLoader[object], epochs: int
    ) -> None:
        self.bars, self.task, self.batches, self.epochs = bars, task, batches, epochs

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.batches:
            yield batch
            self.bars.advance(self.task)

    def epoch(self, epoch: Epoch) -> None:
        # Few words, since bar and all must fit into 80 columns.
        progress = f"epoch {epoch.number}/{self.epochs}  {epoch.test.accuracy:.2%} right"
        self.bars.update(self.task, progress=progress)
