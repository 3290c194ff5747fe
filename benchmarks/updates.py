"""Steps of optimisers with an update kernel, and clipping: many small parameters, and large ones.

PyTorch runs its foreach form, the quickest of those it has for all of them, and its fused form in
rows of their own where it has one.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Mean, Prepare

LIBRARIES = {OURS: ("autograd_core", "optim", "nn"), "torch": ("torch", "torch.optim", "torch.nn")}
TARGETS = [Mean("updates", "torch", 0.7)]

Shapes = list[tuple[int, ...]]
Build = Callable[[str], Job]  # from the side to its job

# name, rates, bytes to and from memory for each element, whether PyTorch has a fused form
RULES: list[tuple[str, dict[str, Any], int, bool]] = [
    ("SGD", {}, 12, True),
    ("SGD", {"momentum": 0.9}, 20, True),
    ("Adam", {}, 28, True),
    ("AdamW", {}, 28, True),
    ("RMSprop", {}, 20, False),
    ("Adagrad", {}, 20, True),
]
SIZES: dict[str, Shapes] = {
    "50 of 4x4": [(4, 4)] * 50,
    "1 M in 20": [(200, 250)] * 20,
    "16 M in 20": [(800, 1000)] * 20,
}
CLIPPED = 12  # bytes: a gradient is read, and then read and written


def sides(build: Build, *names: str) -> dict[str, Prepare]:
    def prepare(side: str) -> Prepare:
        return lambda: build(side)

    return {name: prepare(name) for name in names}


def parameters(side: str, shapes: Shapes) -> list[Any]:
    """Parameters with gradients, the same numbers on each side."""
    library = import_module(LIBRARIES[side][0])
    rng = np.random.default_rng(0)

    def draw(shape: tuple[int, ...]) -> Any:
        return library.from_numpy(rng.standard_normal(shape, np.float32)).clone()

    drawn = [(draw(shape).requires_grad_(), draw(shape)) for shape in shapes]
    for p, g in drawn:
        p.grad = g
    return [p for p, _ in drawn]


def step(name: str, shapes: Shapes, form: str, rates: dict[str, Any]) -> Build:
    """A step by gradients that stay the same."""

    def build(side: str) -> Job:
        params = parameters(side, shapes)
        kind = getattr(import_module(LIBRARIES[side][1]), name)
        optimizer = kind(params, lr=1e-3, **rates, **{form: True})

        def answer() -> list[float]:
            for _ in range(3):
                optimizer.step()
            return [float(p.detach().abs().sum()) for p in params]

        return Job(optimizer.step, answer=answer)

    return build


def clip(shapes: Shapes) -> Build:
    """Clipping to a norm that falls from call to call, so that there is always something to do."""

    def build(side: str) -> Job:
        params = parameters(side, shapes)
        clip_grad_norm_ = import_module(LIBRARIES[side][2]).utils.clip_grad_norm_
        bound = 1.0

        def call() -> Any:
            nonlocal bound
            bound *= 0.9999
            return clip_grad_norm_(params, bound)

        def answer() -> list[float]:
            return [float(call()), *(float(p.grad.abs().sum()) for p in params)]

        return Job(call, answer=answer)

    return build


def case(what: str, build: Build, size: str, per_element: int, form: str = "foreach") -> Case:
    elements = sum(int(np.prod(shape)) for shape in SIZES[size])
    fused = form == "fused"
    best = 0.5 if what == "Adam" and size == "1 M in 20" and not fused else 1.0
    return Case(
        f"{what}, {size}{', fused' if fused else ''}",
        sides(build, OURS, "torch"),
        max_ratio={"torch": best},
        rtol=1e-3,
        quick=elements < 10**6,
        moved=float(per_element * elements),
        group="fused updates" if fused else "updates",
    )


def cases(size: str) -> list[Case]:
    """The rows of a size; fused forms are for large parameters."""
    shapes, found = SIZES[size], []
    for name, rates, per_element, has_fused in RULES:
        for form in ("foreach", "fused") if has_fused and size != "50 of 4x4" else ("foreach",):
            build = step(name, shapes, form, rates)
            found.append(case(" ".join([name, *rates]), build, size, per_element, form))
    return [*found, case("clip_grad_norm_", clip(shapes), size, CLIPPED)]


CASES = [row for size in SIZES for row in cases(size)]
