"""Rows of the convolutions and of their adjoints."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Array, OpCase

Sizes = tuple[int, ...]


def visits(size: Sizes, kernel: Sizes, stride: Sizes, padding: Any, dilation: Sizes) -> Any:
    """Give (position, place in the kernel, place in x) wherever a window meets an element of x."""
    counts = [
        (n + sum(p) - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    ]
    for position in np.ndindex(*counts):
        for place in np.ndindex(*kernel):
            at = tuple(
                o * s - low + i * d
                for o, i, s, (low, _), d in zip(
                    position, place, stride, padding, dilation, strict=True
                )
            )
            if all(0 <= a < n for a, n in zip(at, size, strict=True)):
                yield position, place, at


def parts(groups: int, out: int, inner: int) -> Any:
    """Give (output channel, channel of its group, input channel)."""
    for o in range(out):
        for c in range(inner):
            yield o, c, o // (out // groups) * inner + c


def slid(x: Array, w: Array, b: Any, stride: Any, padding: Any, dilation: Any,
         groups: int) -> Array:  # fmt: skip
    """Convolution as its definition says it: one product after the other."""
    size, kernel = x.shape[2:], w.shape[2:]
    met = list(visits(size, kernel, stride, padding, dilation))
    counts = np.max([position for position, _, _ in met], 0) + 1
    y = np.zeros((len(x), len(w), *counts))
    for o, c, source in parts(groups, len(w), w.shape[1]):
        for position, place, at in met:
            y[(slice(None), o, *position)] += x[(slice(None), source, *at)] * w[(o, c, *place)]
    return y if b is None else y + b.reshape(-1, *[1] * len(size))


def spread(y: Array, w: Array, b: Any, size: Any, stride: Any, padding: Any, dilation: Any,
           groups: int) -> Array:  # fmt: skip
    """The same products, each added to where x was."""
    x = np.zeros((len(y), w.shape[1] * groups, *size))
    for position, place, at in visits(size, w.shape[2:], stride, padding, dilation):
        for o, c, source in parts(groups, len(w), w.shape[1]):
            x[(slice(None), source, *at)] += y[(slice(None), o, *position)] * w[(o, c, *place)]
    return x if b is None else x + b.reshape(-1, *[1] * len(size))


def weighed(x: Array, y: Array, kernel: Any, stride: Any, padding: Any, dilation: Any,
            groups: int) -> Array:  # fmt: skip
    """The same products, each added to where the weight was."""
    w = np.zeros((y.shape[1], x.shape[1] // groups, *kernel))
    for position, place, at in visits(x.shape[2:], kernel, stride, padding, dilation):
        for o, c, source in parts(groups, *w.shape[:2]):
            seen = x[(slice(None), source, *at)] * y[(slice(None), o, *position)]
            w[(o, c, *place)] += seen.sum()
    return w


def pairs(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with the padding as (before, after) for each axis."""
    return {**options, "padding": tuple((p, p) for p in options["padding"])}


LINE: dict[str, Any] = {"stride": (2,), "padding": (1,), "dilation": (1,), "groups": 1}
ENDED: dict[str, Any] = {**LINE, "padding": ((1, 0),)}
ROOMS: dict[str, Any] = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}
SPACE: dict[str, Any] = {
    "stride": (1, 2, 1), "padding": (0, 1, 0), "dilation": (1, 1, 2), "groups": 1,
}  # fmt: skip
UNEVEN: dict[str, Any] = {"stride": (2, 1), "padding": ((0, 1), (2, -1)), "dilation": (1, 2),
                          "groups": 2}  # fmt: skip


def theirs(options: dict[str, Any], transposed: bool = False, extra: Any = 0) -> Any:
    """Return PyTorch's convolution along any number of axes."""
    given = [options[name] for name in ("stride", "padding", "dilation")]
    axes = len(options["stride"])
    output_padding = extra or (0,) * axes
    return lambda torch, x, w, b: torch.convolution(
        x, w, b, *given, transposed, output_padding, options["groups"]
    )


def weights_of(options: dict[str, Any], kernel: Any) -> Any:
    """Return PyTorch's gradient of a convolution by its weight."""

    def gradient(torch: Any, x: Any, g: Any) -> Any:
        shape = (g.shape[1], x.shape[1] // options["groups"], *kernel)
        find = getattr(torch.nn.grad, f"conv{len(kernel)}d_weight")
        return find(x, shape, g, **options)

    return gradient


PLANE = ((2, 4, 5, 6), (6, 2, 3, 2))

CASES = [
    OpCase("conv", (*PLANE, (6,)), pairs(ROOMS), analytic=True, torch=theirs(ROOMS),
           reference=lambda x, w, b: slid(x, w, b, **pairs(ROOMS))),
    OpCase("conv", (*PLANE, None), UNEVEN, analytic=True, torch=None,
           reference=lambda x, w, b: slid(x, w, b, **UNEVEN)),
    OpCase("conv", ((3, 2, 6), (4, 2, 3), (4,)), pairs(LINE), torch=theirs(LINE),
           reference=lambda x, w, b: slid(x, w, b, **pairs(LINE))),
    OpCase("conv", ((1, 2, 2, 3, 4), (2, 2, 1, 2, 2), (2,)), pairs(SPACE), torch=theirs(SPACE),
           reference=lambda x, w, b: slid(x, w, b, **pairs(SPACE))),
    OpCase("conv_relu", (*PLANE, (6,)), pairs(ROOMS),
           torch=lambda torch, x, w, b: theirs(ROOMS)(torch, x, w, b).relu(),
           reference=lambda x, w, b: np.maximum(slid(x, w, b, **pairs(ROOMS)), 0)),
    OpCase("conv_relu", ((3, 2, 6), (4, 2, 3), None), pairs(LINE),
           torch=lambda torch, x, w, b: theirs(LINE)(torch, x, w, b).relu(),
           reference=lambda x, w, b: np.maximum(slid(x, w, b, **pairs(LINE)), 0)),
    OpCase("conv_transpose", ((2, 6, 3, 8), (6, 2, 3, 2), (4,)),
           {"size": (5, 6), **pairs(ROOMS)}, analytic=True, torch=theirs(ROOMS, True),
           reference=lambda y, w, b: spread(y, w, b, (5, 6), **pairs(ROOMS))),
    OpCase("conv_transpose", ((2, 6, 2, 5), (6, 2, 3, 2), None), {"size": (5, 6), **UNEVEN},
           torch=None, reference=lambda y, w, b: spread(y, w, b, (5, 6), **UNEVEN)),
    OpCase("conv_transpose", ((3, 4, 3), (4, 2, 3), (2,)), {"size": (6,), **ENDED},
           torch=theirs(LINE, True, (1,)),
           reference=lambda y, w, b: spread(y, w, b, (6,), **ENDED)),
    OpCase("conv_weight", ((2, 4, 5, 6), (2, 6, 3, 8)), {"kernel": (3, 2), **pairs(ROOMS)},
           analytic=True, torch=weights_of(ROOMS, (3, 2)),
           reference=lambda x, y: weighed(x, y, (3, 2), **pairs(ROOMS))),
    OpCase("conv_weight", ((1, 2, 2, 3, 4), (1, 2, 2, 2, 2)),
           {"kernel": (1, 2, 2), **pairs(SPACE)},
           reference=lambda x, y: weighed(x, y, (1, 2, 2), **pairs(SPACE)),
           torch=weights_of(SPACE, (1, 2, 2))),
    OpCase("channel_sum", ((2, 3, 4, 5),), reference=lambda x: x.sum((0, 2, 3)),
           torch=lambda torch, x: x.sum((0, 2, 3))),
    OpCase("conv1d", ((2, 4, 7), (2, 2, 3), (2,)), {"groups": 2, "dilation": 2},
           wrong=((2, 4, 7), (2, 4, 3), (2,)),
           reference=lambda x, w, b: slid(x, w, b, (1,), ((0, 0),), (2,), 2)),
    OpCase("conv2d", (*PLANE, (6,)), ROOMS, wrong=((2, 4, 5, 6), (6, 4, 3, 2), (6,)),
           reference=lambda x, w, b: slid(x, w, b, **pairs(ROOMS))),
    OpCase("conv2d", ((3, 4, 4), (2, 3, 2, 2), None), {"padding": 1, "stride": 2},
           reference=lambda x, w, b: slid(x[None], w, b, (2, 2), ((1, 1),) * 2, (1, 1), 1)[0]),
    OpCase("conv3d", ((1, 2, 2, 3, 3), (1, 2, 1, 2, 2), None), {"padding": "valid"},
           wrong=((1, 2, 2, 3, 3), (1, 2, 3, 2, 2), None),
           reference=lambda x, w, b: slid(x, w, b, (1,) * 3, ((0, 0),) * 3, (1,) * 3, 1)),
    OpCase("conv_transpose1d", ((2, 2, 3), (2, 1, 2), (2,)), {"stride": 2, "groups": 2},
           wrong=((2, 3, 3), (2, 1, 2), (2,)),
           reference=lambda y, w, b: spread(y, w, b, (6,), (2,), ((0, 0),), (1,), 2)),
    OpCase("conv_transpose2d", ((2, 2, 3), (2, 3, 2, 2), None), {"stride": 2, "output_padding": 1},
           wrong=((3, 2, 3), (2, 3, 2, 2), None),
           reference=lambda y, w, b: spread(
               y[None], w, b, (5, 7), (2, 2), ((0, -1),) * 2, (1, 1), 1)[0]),
    OpCase("conv_transpose3d", ((1, 2, 2, 2, 2), (2, 1, 2, 1, 2), (1,)), {"padding": (1, 0, 0)},
           wrong=((1, 2, 2, 2, 2), (2, 1, 2, 1, 2), (2,)),
           reference=lambda y, w, b: spread(
               y, w, b, (1, 2, 3), (1,) * 3, ((1, 1), (0, 0), (0, 0)), (1,) * 3, 1)),
]  # fmt: skip
