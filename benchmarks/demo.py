"""The chapter of RESULTS.md about `autograd-core demo`, whose metrics.json lies in results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The whole command on MNIST before kernels did convolutions and updates: NumPy and im2col, one
# BLAS thread, on the machine of the other chapters.
BEFORE = {"mnist": 41.0}


def page(run: Mapping[str, Any]) -> str:
    """One row a network; and where it is known, what the whole command took."""
    settings = run["settings"]
    data = settings["data"]
    lines = [
        f"## The demo on {data}", "",
        f"{settings['epochs']} epochs, batch {settings['batch_size']}, {settings['optimizer']}, "
        f"{settings['threads']} threads.", "",
        "| network | parameters | test accuracy | seconds of training | of the last epoch |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    for name, net in run["nets"].items():
        last = net["epochs"][-1]
        lines.append(
            f"| {name} | {net['parameters']:,} | {last['test_accuracy']:.2%} "
            f"| {net['train_seconds']:.1f} | {last['train_seconds']:.2f} |"
        )
    if data in BEFORE and "whole_seconds" in run:
        lines += ["", f"The whole command: {BEFORE[data]:.0f} s before, "
                  f"{run['whole_seconds']:.0f} s now."]  # fmt: skip
    return "\n".join([*lines, ""])
