"""Numbers brought to mean 0 and mean square 1 over some axes, then scaled and shifted: all norms.

The work on arrays is in normalization_arrays.py; where a derivative will be differentiated again,
the formulas below run instead.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..op import op
from ..recording import Traced
from ..versions import Array
from . import normalization_arrays
from .elementwise import rsqrt
from .normalization_arrays import Form
from .reduction import mean
from .shape import cast, expand, sum_to

__all__: list[str] = []


class Standardized(NamedTuple):
    """Scaled and shifted numbers; the mean and 1/√(var + eps) of what they were, in float64.

    Tangents are added slot by slot.
    """

    values: Any
    mean: Any
    rstd: Any

    def __add__(self, other: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Standardized(*(a + b for a, b in zip(self, other, strict=True)))


def _unit(x: Any, y: Any, form: Form, eps: float) -> tuple[Any, Any]:
    """Return x with mean 0 and mean square 1, and what it was multiplied by.

    The mean found before goes off first, as a constant: digits survive beside a large mean.
    """
    wide = np.result_type(x.dtype, np.float32)
    middle, rstd = ((a._array if isinstance(a, Traced) else a).astype(wide) for a in y[1:])
    d = cast(x, wide).reshape(form.shape) - middle
    if form.known:
        return d * rstd, rstd
    if form.centred:
        d = d - mean(d, form.dims, True)
    rstd = rsqrt(mean(d * d, form.dims, True) + eps)
    return d * rstd, rstd


def _through(h: Any, unit: Any, rstd: Any, form: Form) -> Any:
    """Return rstd (h - mean h - u mean(h u)): the Jacobian of the unit, which is symmetric."""
    if form.known:
        return rstd * h
    rest = h - unit * mean(h * unit, form.dims, True)
    return rstd * (rest - mean(h, form.dims, True) if form.centred else rest)


def _pull_values(g: Any, y: Any, x: Any, weight: Any, affine: bool, form: Form, eps: float) -> Any:
    """Return the cotangents of x and, if asked for, of weight and bias, given that of the values.

    Each has as many elements as what it belongs to.
    """
    if not any(isinstance(a, Traced) for a in (g, x, weight)):
        return normalization_arrays.pull(g, y[1], y[2], x, weight, affine, form)
    unit, rstd = _unit(x, y, form, eps)
    g = g.reshape(form.shape)
    h = g if weight is None else g * weight.reshape(form.affine)
    return _through(h, unit, rstd, form), sum_to(g * unit, form.affine), sum_to(g, form.affine)


def _pull_statistics(g: Any, y: Any, x: Any, form: Form, eps: float) -> Any:
    """Return the cotangent of x, given those of the mean and of 1/√(var + eps)."""
    unit, rstd = _unit(x, y, form, eps)
    shares: list[Any] = [np.zeros(form.kept, unit.dtype)]
    if form.known:
        g = (None, None, None)
    if g[1] is not None and form.centred:
        shares.append(g[1] / form.together)
    if g[2] is not None:
        shares.append(unit * (rstd * rstd * g[2] / -form.together))
    return expand(sum(shares[1:], shares[0]), form.shape)


def _pull(
    g: Any, y: Any, x: Any, weight: Any, shapes: Any, wanted: Any, form: Form, eps: float
) -> list[Any]:
    """Return the cotangents of x, weight and bias, which come from one pass over memory."""
    pulled: list[Any] = [None, None, None]
    if g[0] is not None:
        pulled = list(_pull_values(g[0], y, x, weight, wanted[1] or wanted[2], form, eps))
    if g[1] is not None or g[2] is not None:
        more = _pull_statistics(g, y, x, form, eps)
        pulled[0] = more if pulled[0] is None else pulled[0].reshape(form.shape) + more
    return [
        # As it is where it can be: a view would be copied into .grad.
        c if not wanted[i] or c is None or c.shape == shapes[i] else c.reshape(shapes[i])
        for i, c in enumerate(pulled)
    ]


def _alone(values: Any, shapes: Any, form: Form) -> Standardized:
    """Return the tangent of the values where the statistics have none."""
    return Standardized(values.reshape(shapes[0]), np.zeros(form.kept), np.zeros(form.kept))


def _push(t: Any, y: Any, x: Any, weight: Any, shapes: Any, form: Form, eps: float) -> Any:
    unit, rstd = _unit(x, y, form, eps)
    t = t.reshape(form.shape)
    values = _through(t, unit, rstd, form)
    if weight is not None:
        values = values * weight.reshape(form.affine)
    if form.known:
        return _alone(values, shapes, form)
    middle = mean(t, form.dims, True)
    return Standardized(
        values.reshape(shapes[0]),
        middle if form.centred else 0.0 * middle,
        -rstd * rstd * mean(unit * t, form.dims, True),
    )


def _push_weight(t: Any, y: Any, x: Any, shapes: Any, form: Form, eps: float) -> Any:
    unit, _ = _unit(x, y, form, eps)
    return _alone(unit * t.reshape(form.affine), shapes, form)


def _push_bias(t: Any, shapes: Any, form: Form) -> Any:
    return _alone(expand(t.reshape(form.affine), form.shape), shapes, form)


@op(
    label=lambda form: form.kind,
    vjp=[_pull, _pull, _pull, None, None],
    joint=True,
    jvp=[_push, _push_weight, _push_bias, None, None],
    results=Standardized,
    keeps=(1, 2),  # so that the values may be changed in place, as by ReLU(inplace=True)
    promotes=True,
)
def standardize(
    x: Array,
    weight: Array | None,
    bias: Array | None,
    mean: Array | None,
    var: Array | None,
    form: Form,
    eps: float,
) -> Standardized:
    """(x - mean) / √(var + eps) weight + bias; weight and bias may be absent.

    A form that knows them has mean and var given, as constants; else they are those of x.
    """
    return Standardized(*normalization_arrays.forward(x, weight, bias, mean, var, form, eps))
