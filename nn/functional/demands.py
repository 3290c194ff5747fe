"""What losses and distances demand of their operands, and how they put samples together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import DtypeError, ShapeError, Tensor
from autograd_core.ops.loss import REDUCTIONS
from autograd_core.ops.loss import reduce as combined

__all__: list[str] = []  # for the functions of this package


# Putting samples together


def check_reduction(
    who: str,
    reduction: str,
    size_average: object = None,
    reduce: object = None,
    among: Sequence[str] = REDUCTIONS,
) -> None:
    """Raise for what is no reduction, and for the two flags that were there before it."""
    for name, value in (("size_average", size_average), ("reduce", reduce)):
        if value is not None:
            raise TypeError(
                f"{who} got {name}={value!r}, which is no longer known: "
                "say reduction='mean', 'sum' or 'none'"
            )
    if reduction not in among:
        raise ValueError(f"{who} got reduction={reduction!r}: it must be one of {', '.join(among)}")


def averaged(who: str, losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """Put losses together; where each has a weight, their mean counts it by that."""
    if weight is None:
        return combined(losses, reduction)
    same_shape(who, input=losses, weight=weight)
    if reduction == "mean":
        return (losses * weight).sum() / weight.sum()
    return combined(losses * weight, reduction)


# Shapes


def shown(tensors: dict[str, Tensor]) -> str:
    """Return names with their shapes, for a message."""
    named = [f"{name} of shape {tuple(x.shape)}" for name, x in tensors.items()]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def same_shape(who: str, **tensors: Tensor) -> None:
    """Raise unless all have one shape."""
    if len({tuple(x.shape) for x in tensors.values()}) > 1:
        raise ShapeError(f"{who} got {shown(tensors)}: the shapes must be equal")


def same_axes(who: str, **tensors: Tensor) -> None:
    """Raise unless all have as many axes, and sizes that broadcast."""
    if len({x.ndim for x in tensors.values()}) > 1:
        raise ShapeError(f"{who} got {shown(tensors)}: they must have the same number of axes")
    broadcasting(who, **tensors)


def broadcasting(who: str, **tensors: Tensor) -> tuple[int, ...]:
    """Return the shape that all broadcast to."""
    try:
        return np.broadcast_shapes(*[tuple(x.shape) for x in tensors.values()])
    except ValueError as error:
        raise ShapeError(f"{who} got {shown(tensors)}: the shapes do not broadcast") from error


def warn_of_pairs(who: str, input: Tensor, target: Tensor) -> None:
    """Warn where shapes differ and broadcast: then every pair of elements counts."""
    if tuple(input.shape) == tuple(target.shape):
        return
    broadcasting(who, input=input, target=target)
    warnings.warn(
        f"{who} got {shown({'input': input, 'target': target})}: every pair of elements that "
        "broadcasting makes counts, so give both the same shape",
        stacklevel=3,
    )


# Values


def bare(x: Any) -> Any:
    """Return the numbers of a tensor as an array."""
    return x.detach().numpy() if isinstance(x, Tensor) else np.asarray(x)


def refuse_where(
    who: str, name: str, numbers: Any, wrong: Any, needs: str, kind: type[Exception] = ShapeError
) -> None:
    """Raise about the first element that is wrong, and say where it is."""
    if not wrong.any():
        return
    place = tuple(np.argwhere(wrong)[0].tolist())
    where = f" at position {place[0] if len(place) == 1 else place}" if place else ""
    raise kind(f"{who} got {name} {numbers[place]}{where}: it must be {needs}")


def classes(who: str, target: Tensor, count: int, least: int = 0) -> Any:
    """Return class numbers as an array; refuse others than least, ..., count - 1."""
    if target.dtype.kind not in "iu":
        raise DtypeError(f"{who} got a target of {target.dtype}: it must hold class numbers")
    numbers = bare(target)
    wrong = (numbers < least) | (numbers >= count)
    refuse_where(who, "target", numbers, wrong, f"in [{least}, {count})", IndexError)
    return numbers


def signs(who: str, target: Tensor) -> None:
    """Raise unless the target holds 1 and -1 only."""
    numbers = bare(target)
    refuse_where(who, "target", numbers, np.abs(numbers) != 1, "1 or -1")


def floats(who: str, **tensors: Tensor) -> None:
    """Raise unless all hold floating-point numbers."""
    for name, x in tensors.items():
        if x.dtype.kind != "f":
            raise DtypeError(f"{who} got {name} of {x.dtype}: convert it with .float() first")
