"""Running a suite: a process for each side, asked in turns, ours first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.case import OURS, Case, cases_of
from benchmarks.process import PeerAbsent, Ready, SideFailed, Worker
from benchmarks.rows import Row, Summary


@dataclass(frozen=True)
class Plan:
    """How a run measures: `pairs` pairs of timings, each of at least about `seconds`."""

    threads: int
    pairs: int = 11
    seconds: float = 0.02
    quick: bool = False
    peers: frozenset[str] | None = None  # None: every peer

    @classmethod
    def for_run(cls, threads: int, quick: bool, peers: frozenset[str] | None) -> Plan:
        if quick:
            return cls(threads, pairs=3, seconds=0.002, quick=True, peers=peers)
        return cls(threads, peers=peers)

    def steps(self, module: str) -> list[tuple[Case, str | None]]:
        """Each case with each of its peers that was chosen; with None, ours runs alone."""
        return [
            (case, peer)
            for case in cases_of(module).values()
            if case.quick or not self.quick
            for peer in self.peers_of(case)
        ]

    def peers_of(self, case: Case) -> Sequence[str | None]:
        chosen = [peer for peer in case.peers if self.peers is None or peer in self.peers]
        return chosen or [None]


def check_agreement(ours: Ready, theirs: Ready) -> None:
    """Refuse to time two sides that give different numbers."""
    if ours.answer is None or theirs.answer is None:
        return
    if len(ours.answer) != len(theirs.answer):
        lengths = f"{len(ours.answer)} and {len(theirs.answer)} numbers"
        raise SideFailed(f"ours and {theirs.side} give {lengths}; both must answer the same ones")
    rtol = ours.case.rtol
    for index, (a, b) in enumerate(zip(ours.answer, theirs.answer, strict=True)):
        if not math.isclose(a, b, rel_tol=rtol, abs_tol=rtol):
            raise SideFailed(
                f"ours and {theirs.side} give {a!r} and {b!r} as number {index}; "
                f"they must agree to {rtol:g}"
            )


class Suite:
    """The processes of one suite, started when first needed and again if they died."""

    def __init__(self, module: str, plan: Plan) -> None:
        self.module, self.plan = module, plan
        self.workers: dict[str, Worker] = {}
        self.stack = ExitStack()

    def __enter__(self) -> Suite:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stack.close()

    def ready(self, side: str, case: Case) -> Ready:
        worker = self.workers.get(side)
        if worker is None or not worker.alive:
            worker = self.stack.enter_context(Worker(self.module, side, self.plan.threads))
            self.workers[side] = worker
        return Ready(worker, case, self.plan.seconds)

    def row(self, case: Case, peer: str | None) -> Row:
        """Measure ours against the peer; ours alone if there is none."""
        try:
            ours = self.ready(OURS, case)
            if peer is None:
                return self.alone(ours, None)
            try:
                theirs = self.ready(peer, case)
            except PeerAbsent:
                return self.alone(ours, peer, note=f"{peer} not installed")
            check_agreement(ours, theirs)
            pairs = [(ours.sample(), theirs.sample()) for _ in range(self.plan.pairs)]
        except SideFailed as failure:
            return Row(case, peer, error=str(failure))
        return Row.paired(case, peer, pairs)

    def alone(self, ours: Ready, peer: str | None, note: str = "") -> Row:
        samples = [ours.sample() for _ in range(self.plan.pairs)]
        return Row(ours.case, peer, ours=Summary.of(samples), note=note)
