"""The parent's end of one side: a process that is asked for timings over a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.case import Case

ROOT = Path(__file__).resolve().parents[1]

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


class SideFailed(Exception):
    """A side could not run a case."""


class PeerAbsent(SideFailed):
    """The peer is not installed."""


class Worker:
    """One side of a suite, in a process of its own that lasts as long as the suite."""

    def __init__(self, module: str, side: str, threads: int) -> None:
        self.side = side
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", module, side, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        # A request that a dead process never read is still in the pipe's buffer.
        with suppress(BrokenPipeError), self.process:
            pass

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ask(self, **request: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        reply = ""
        with suppress(BrokenPipeError):
            print(json.dumps(request), file=self.process.stdin, flush=True)
            reply = self.process.stdout.readline()
        if not reply:
            raise SideFailed(f"the process of {self.side} ended with code {self.process.wait()}")
        answer = json.loads(reply)
        if "error" in answer:
            raise (PeerAbsent if answer["absent"] else SideFailed)(answer["error"])
        return answer


class Ready:
    """A case made ready in one worker."""

    def __init__(self, worker: Worker, case: Case, seconds: float) -> None:
        self.worker, self.case = worker, case
        reply = worker.ask(prepare=case.name, seconds=seconds)
        self.answer: list[float] | None = reply["answer"]
        self.repeat: int = reply["repeat"]

    @property
    def side(self) -> str:
        return self.worker.side

    def sample(self) -> float:
        """Microseconds for one part of a call."""
        return self.worker.ask(repeat=self.repeat)["seconds"] / self.case.per * 1e6
