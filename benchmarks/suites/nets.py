"""A training step of eight networks: zero_grad, forward, loss, backward, step, loss.item()."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from benchmarks import jax_networks
from benchmarks.case import OURS, Case, Job, Mean, Prepare, control
from benchmarks.networks import NETWORKS, training_step

COMPILED, JAX = "torch.compile", "jax"
STEPS = 3  # whose losses have to agree


def make(name: str, library: str) -> Callable[[], float]:
    if library == JAX:
        return jax_networks.training_step(name)
    return training_step(name, "torch" if library == COMPILED else library)


def side(name: str, library: str) -> Prepare:
    def prepare() -> Job:
        if library == COMPILED and find_spec("torch") is None:
            raise ModuleNotFoundError("No module named 'torch'", name=COMPILED)
        step = make(name, library)
        if library == COMPILED:
            step = training_step(name, "torch", compiled=True)
        first = make(name, library)  # from the start, whatever was timed before
        return Job(step, answer=lambda: [first() for _ in range(STEPS)])

    return prepare


def case(name: str) -> Case:
    known = jax_networks.shapes_and_forward(name) is not None
    peers = ["torch", COMPILED, *([JAX] if known else [])]
    return Case(
        name,
        {library: side(name, library) for library in (OURS, *peers)},
        max_ratio={"torch": 1.1},
        rtol=1e-3,
        quick=not name.startswith(("ResNet", "MLP-Mixer")),
        group="step",
    )


CASES = [control("torch"), *map(case, NETWORKS)]
MEANS = [Mean("step", "torch", 0.8)]
