"""Images of other sizes, and channels that become pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd_core import ShapeError, ops
from autograd_core.op import aliased
from autograd_core.ops.resize import resize
from autograd_core.ops.windows import Sizes

from .pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

__all__ = [
    "channel_shuffle", "interpolate", "pixel_shuffle", "pixel_unshuffle", "upsample",
    "upsample_bilinear", "upsample_nearest",
]  # fmt: skip

Size = int | Sequence[int] | None
Factor = float | Sequence[float] | None

# The number of spatial axes that a mode is for, None for any, and its table of taps.
_MODES: dict[str, tuple[int | None, str]] = {
    "nearest": (None, "nearest"),
    "nearest-exact": (None, "nearest-exact"),
    "linear": (1, "linear"),
    "bilinear": (2, "linear"),
    "trilinear": (3, "linear"),
    "bicubic": (2, "cubic"),
    "area": (None, "area"),
}


def _for_each_axis(name: str, value: Any, axes: int) -> tuple[Any, ...]:
    given: tuple[Any, ...] = tuple(value) if hasattr(value, "__iter__") else (value,) * axes
    if len(given) != axes:
        raise ShapeError(f"{name}={value}: it must be one number, or {axes}, one for each axis")
    return given


def _check_mode(mode: str, axes: int, align_corners: bool | None, antialias: bool) -> str:
    """Return the table of taps of a mode, after a check that it is for so many axes."""
    if mode not in _MODES:
        raise ValueError(f"mode={mode!r}: it must be one of {', '.join(_MODES)}")
    wanted, table = _MODES[mode]
    if not 1 <= axes <= 3 or wanted not in (None, axes):
        spatial = f"{wanted or '1 to 3'} spatial ax{'i' if wanted == 1 else 'e'}s"
        raise ShapeError(f"mode={mode!r}: it needs x (n, c, ...) with {spatial}")
    if align_corners is not None and table not in ("linear", "cubic"):
        raise ValueError(f"align_corners={align_corners} for mode={mode!r}: only lines and cubics")
    if antialias:
        raise ValueError("antialias=True: there is no smoothing before making smaller")
    return table


def _sizes(old: Sizes, size: Size, factor: Factor, recompute: bool | None) -> Any:
    """Return the new size, and the factors that positions are computed with."""
    axes = len(old)
    if (size is None) == (factor is None):
        raise ValueError(f"size={size} and scale_factor={factor}: give one of them")
    if factor is None:
        if recompute:
            raise ValueError("recompute_scale_factor=True: it is for a scale_factor, not a size")
        return tuple(int(n) for n in _for_each_axis("size", size, axes)), (None,) * axes
    factors = tuple(float(f) for f in _for_each_axis("scale_factor", factor, axes))
    wanted = tuple(math.floor(n * f) for n, f in zip(old, factors, strict=True))
    return wanted, (None,) * axes if recompute else factors


@aliased
def interpolate(
    x: Any,
    size: Size = None,
    scale_factor: Factor = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """x (n, c, *old) as (n, c, *size), or old times scale_factor rounded down.

    With align_corners the middles of the outermost elements meet, otherwise their outer edges.
    """
    old = tuple(x.shape[2:])
    table = _check_mode(mode, len(old), align_corners, antialias)
    wanted, factors = _sizes(old, size, scale_factor, recompute_scale_factor)
    if table == "area":
        pools = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)
        return pools[len(old) - 1](x, wanted)
    if min((*old, *wanted)) < 1:
        raise ShapeError(f"sizes must be above 0, from {old} to {wanted}")
    return resize(x, wanted, table, bool(align_corners), factors)


@aliased
def upsample(
    x: Any,
    size: Size = None,
    scale_factor: Factor = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    """interpolate under its older name."""
    return interpolate(x, size, scale_factor, mode, align_corners)


@aliased
def upsample_nearest(x: Any, size: Size = None, scale_factor: Factor = None) -> Any:
    """interpolate to the nearest element."""
    return interpolate(x, size, scale_factor)


@aliased
def upsample_bilinear(x: Any, size: Size = None, scale_factor: Factor = None) -> Any:
    """interpolate along lines, the corners aligned."""
    return interpolate(x, size, scale_factor, "bilinear", True)


@aliased
def pixel_shuffle(x: Any, upscale_factor: int) -> Any:
    """x (..., c r², h, w) as (..., c, h r, w r), r = upscale_factor: channels become pixels.

    Shi et al., Real-Time Single Image and Video Super-Resolution (2016), equation (4).
    """
    *front, channels, h, w = _image(x)
    r = upscale_factor
    if r < 1 or channels % (r * r):
        raise ShapeError(f"upscale_factor={r}: its square must divide the {channels} channels")
    k = len(front)
    parted = x.reshape((*front, channels // (r * r), r, r, h, w))
    order = (*range(k), k, k + 3, k + 1, k + 4, k + 2)
    return ops.permute(parted, order).reshape((*front, channels // (r * r), h * r, w * r))


@aliased
def pixel_unshuffle(x: Any, downscale_factor: int) -> Any:
    """x (..., c, h r, w r) as (..., c r², h, w), r = downscale_factor: undoes pixel_shuffle."""
    *front, channels, h, w = _image(x)
    r = downscale_factor
    if r < 1 or h % r or w % r:
        raise ShapeError(f"downscale_factor={r}: it must divide height {h} and width {w}")
    k = len(front)
    parted = x.reshape((*front, channels, h // r, r, w // r, r))
    order = (*range(k), k, k + 2, k + 4, k + 1, k + 3)
    return ops.permute(parted, order).reshape((*front, channels * r * r, h // r, w // r))


def _image(x: Any) -> tuple[int, ...]:
    if len(x.shape) < 3:
        raise ShapeError("it must have the axes (..., c, h, w)")
    return tuple(x.shape)


@aliased
def channel_shuffle(x: Any, groups: int) -> Any:
    """x (n, c, ...) with the channels of all groups taking turns.

    Zhang et al., ShuffleNet (2018), section 3.1.
    """
    shape = tuple(x.shape)
    if len(shape) < 3:
        raise ShapeError("it must have the axes (n, c, ...), with at least one after c")
    if groups < 1 or shape[1] % groups:
        raise ShapeError(f"groups={groups}: it must divide the {shape[1]} channels")
    parted = x.reshape((shape[0], groups, shape[1] // groups, *shape[2:]))
    return ops.transpose(parted, 1, 2).reshape(shape)
