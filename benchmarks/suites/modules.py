"""What a call of a module costs beyond the op inside it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Prepare, control

LIBRARIES = {OURS: ("autograd_core", "nn"), "torch": ("torch", "torch.nn")}
SQUARE = np.linspace(-1.0, 1.0, 16, dtype=np.float32).reshape(4, 4).tolist()


def identity(library: Any, nn: Any) -> Job:
    """Nothing but the call."""
    x, layer = library.tensor(SQUARE), nn.Identity()
    return Job(lambda: layer(x), answer=lambda: layer(x).ravel().tolist())


def relu(library: Any, nn: Any) -> Job:
    """The layer, less its op."""
    x, layer = library.tensor(SQUARE), nn.ReLU()
    return Job(lambda: layer(x), lambda: library.relu(x), lambda: layer(x).ravel().tolist())


def nested(library: Any, nn: Any) -> Job:
    """Four modules inside a fifth."""
    x, layer = library.tensor(SQUARE), nn.Sequential(*(nn.Identity() for _ in range(4)))
    return Job(lambda: layer(x), answer=lambda: layer(x).ravel().tolist())


def hooked(library: Any, nn: Any) -> Job:
    """With one hook before and one after forward."""
    x, layer = library.tensor(SQUARE), nn.Identity()
    layer.register_forward_pre_hook(lambda module, args: None)
    layer.register_forward_hook(lambda module, args, output: None)
    return Job(lambda: layer(x), answer=lambda: layer(x).ravel().tolist())


def sides(job: Any) -> dict[str, Prepare]:
    def prepare(side: str) -> Prepare:
        return lambda: job(*map(import_module, LIBRARIES[side]))

    return {side: prepare(side) for side in LIBRARIES}


CASES = [
    control("torch"),
    Case("Identity 4x4, call", sides(identity), max_ratio=1.0),
    Case("ReLU 4x4, call beyond its op", sides(relu), max_ratio=1.0),
    Case("Sequential of 4 Identity, call", sides(nested), max_ratio=1.0),
    Case("Identity 4x4 with two hooks, call", sides(hooked)),
]
