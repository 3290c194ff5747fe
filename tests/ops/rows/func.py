"""Rows of the op that func's transforms put behind an argument."""

from __future__ import annotations

from tests.ops.case import OpCase

CASES = [
    # It is no function of ag.ops: the registry alone knows it.
    OpCase("variable", ((3, 4),), reference=lambda x: x, analytic=True, torch=None),
]
