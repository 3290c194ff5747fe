"""What one run of a model costs: multiplications, and memory that waits for backward."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd_core import Tensor
from autograd_core.saved import arrays_in
from autograd_core.shapes import operand_shapes
from autograd_core.versions import owner

Shape = tuple[int, ...]


def _contract(shapes: Sequence[Shape], y: Shape, params: Any) -> int:
    """Every index runs once, whether it is kept or summed."""
    sizes: dict[Any, int] = {}
    for indices, shape in zip(params[0][:2], shapes, strict=True):
        for index, n in zip(indices, shape, strict=True):
            sizes[index] = max(n, sizes.get(index, 1))
    return math.prod(sizes.values())


# Multiply-adds of an op, of its operands' shapes, its result's and its parameters; others have 0.
_PRODUCTS: dict[str, Callable[[Sequence[Shape], Shape, Any], int]] = {
    "contract": _contract,
    "conv": lambda shapes, y, params: math.prod(y) * math.prod(shapes[1][1:]),
    "conv_transpose": lambda shapes, y, params: math.prod(shapes[0]) * math.prod(shapes[1][1:]),
    "linear": lambda shapes, y, params: math.prod(y) * shapes[1][1],
    "matmul": lambda shapes, y, params: math.prod(y) * shapes[0][-1],
    "mm": lambda shapes, y, params: math.prod(y) * shapes[0][-1],
}


def multiply_adds(nodes: Iterable[Any]) -> Counter[int]:
    """Count those of matrix products and convolutions, by the id of the module that ran them."""
    counts: Counter[int] = Counter()
    for node in nodes:
        count = _PRODUCTS.get(node.op.name)
        if count is not None:
            counts[id(_module(node))] += count(operand_shapes(node), node.shape, node.params)
    return counts


def saved_bytes(nodes: Iterable[Any], held: Iterable[Tensor]) -> Counter[int]:
    """Count the bytes that wait for backward, by the id of the module that first kept them.

    Memory of the tensors in `held` is there anyway, and does not count.
    """
    known = {id(owner(tensor._array)) for tensor in held}
    counts: Counter[int] = Counter()
    for node in nodes:
        for memory in _kept(node):
            if id(memory) not in known:
                known.add(id(memory))
                counts[id(_module(node))] += memory.nbytes
    return counts


def _kept(node: Any) -> list[Any]:
    """Return the memory that a node's saved arrays are in."""
    return [owner(x) for x in arrays_in(node.saved or ((),)) if hasattr(x, "nbytes")]


def _module(node: Any) -> Any:
    return None if node.scope is None else node.scope.module()
