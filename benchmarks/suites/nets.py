"""A training step of eight networks: zero_grad, forward, loss, backward, step, loss.item()."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks.case import OURS, Case, Job, Mean, Prepare, control
from benchmarks.networks import NETWORKS, training_step

COMPILED = "torch.compile"
STEPS = 3  # whose losses have to agree


def side(name: str, library: str) -> Prepare:
    def prepare() -> Job:
        if library == COMPILED and find_spec("torch") is None:
            raise ModuleNotFoundError("No module named 'torch'", name=COMPILED)
        plain = "torch" if library == COMPILED else library
        step = training_step(name, plain, compiled=library == COMPILED)
        first = training_step(name, plain)  # from the start, whatever was timed before
        return Job(step, answer=lambda: [first() for _ in range(STEPS)])

    return prepare


def case(name: str) -> Case:
    sides = {library: side(name, library) for library in (OURS, "torch", COMPILED)}
    return Case(
        name,
        sides,
        max_ratio={"torch": 1.1},
        rtol=1e-3,
        quick=not name.startswith(("ResNet", "MLP-Mixer")),
        group="step",
    )


CASES = [control("torch"), *map(case, NETWORKS)]
MEANS = [Mean("step", "torch", 0.8)]
