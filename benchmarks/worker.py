"""The child: `python -m benchmarks.worker MODULE SIDE THREADS` runs one side of a suite.

A request and its reply are each one line of JSON. {"prepare": case, "seconds": s} makes a case
ready and replies {"answer": numbers or null, "repeat": n}, where n calls last about s seconds;
{"repeat": n} replies {"seconds": per call}. A failure replies {"error": text, "absent": bool}.
"""

from __future__ import annotations

import json
import math
import os
import sys
from time import perf_counter, sleep
from typing import Any

from benchmarks.case import OURS, Call, Job, cases_of

# Threads of another library wait for more work with a core of their own before they sleep.
QUIET = 0.02  # seconds


def seconds_of(call: Call, repeat: int) -> float:
    """Time of `repeat` calls. The garbage collector stays on, as it is for a user."""
    repeats = range(repeat)
    start = perf_counter()
    for _ in repeats:
        call()
    return perf_counter() - start


def calibrated(call: Call, seconds: float) -> int:
    """How many calls last at least about `seconds`."""
    repeat = 1
    while (taken := seconds_of(call, repeat)) < seconds:
        # One short timing says little, so no step grows by more than ten.
        repeat = math.ceil(repeat * min(10.0, 1.1 * seconds / taken))
    return repeat


class Side:
    """One side of a suite and the job that it has ready."""

    def __init__(self, module: str, side: str, threads: int) -> None:
        self.cases = cases_of(module)
        self.side = side
        self.threads = threads
        self.job = Job(lambda: None)

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            if "prepare" in request:
                return self.prepare(request["prepare"], request["seconds"])
            return {"seconds": self.time(request["repeat"])}
        except Exception as error:
            text = f"{self.side}: {type(error).__name__}: {error}"
            return {"error": text, "absent": self.is_absent(error)}

    def prepare(self, name: str, seconds: float) -> dict[str, Any]:
        self.job = job = self.cases[name].sides[self.side]()
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(self.threads)
        job.call()
        if job.minus:
            job.minus()
        answer = [float(number) for number in job.answer()] if job.answer else None
        return {"answer": answer, "repeat": calibrated(job.call, seconds)}

    def time(self, repeat: int) -> float:
        if self.threads > 1:
            sleep(QUIET)  # the threads of the side before us
            self.job.call()  # wakes our own
        taken = seconds_of(self.job.call, repeat)
        if self.job.minus:
            taken -= seconds_of(self.job.minus, repeat)
        return taken / repeat

    def is_absent(self, error: Exception) -> bool:
        """Whether it is the peer itself that is not installed, not something that it or we need."""
        return (
            self.side != OURS and isinstance(error, ModuleNotFoundError) and error.name == self.side
        )


def main(module: str, side: str, threads: str) -> None:
    # Replies keep the pipe to themselves: whatever a library prints goes to stderr.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Side(module, side, int(threads))
    for line in sys.stdin:
        print(json.dumps(worker.reply(json.loads(line))), file=replies, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
