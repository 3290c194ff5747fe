"""What one run of a model costs: multiplications, and memory that waits for backward."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from autograd_core import Tensor
from autograd_core.saved import saved_arrays
from autograd_core.shapes import operand_shapes
from autograd_core.versions import owner


def multiply_adds(nodes: Iterable[Any]) -> Counter[int]:
    """Count those of matrix products and convolutions, by the id of the module that ran them."""
    counts: Counter[int] = Counter()
    for node in nodes:
        if node.op.multiply_adds is not None:
            count = node.op.multiply_adds(operand_shapes(node), node.shape, node.params)
            counts[id(_module(node))] += count
    return counts


def saved_bytes(nodes: Iterable[Any], held: Iterable[Tensor]) -> Counter[int]:
    """Count the bytes that wait for backward, by the id of the module that first kept them.

    Memory of the tensors in `held` is there anyway, and does not count.
    """
    known = {id(owner(tensor._array)) for tensor in held}
    counts: Counter[int] = Counter()
    for node in nodes:
        for memory in map(owner, saved_arrays(node)):
            if id(memory) not in known:
                known.add(id(memory))
                counts[id(_module(node))] += memory.nbytes
    return counts


def seconds(nodes: Iterable[Any]) -> dict[int, float]:
    """Add up the times of ops, by the id of the module that ran them."""
    total: dict[int, float] = {}
    for node in nodes:
        key = id(_module(node))
        total[key] = total.get(key, 0.0) + node.seconds
    return total


def _module(node: Any) -> Any:
    return None if node.scope is None else node.scope.module()
