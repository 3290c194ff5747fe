"""What each op is in ONNX: the name of a node, or a function that writes some.

A function names what it needs, as the rules of an op do: the op's arrays, which come as edges, its
parameters, and `y`, the first result, for its shape and dtype. It returns an edge for each result,
and None for one that ONNX has not.
"""

from __future__ import annotations

from typing import Any

from . import elementwise, gates, layers, reductions, shapes

RULES: dict[str, Any] = {
    **elementwise.RULES,
    **shapes.RULES,
    **reductions.RULES,
    **layers.RULES,
    **gates.RULES,
}
