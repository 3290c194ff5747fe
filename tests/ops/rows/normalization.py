"""Rows of what the norm layers are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.ops.normalization_arrays import Form, by_channels, by_groups, by_rows
from tests.ops.case import OpCase


def expected(x: Any, w: Any, b: Any, m: Any, v: Any, form: Form, eps: float) -> Any:
    """Mean, variance and standardized numbers, of NumPy's arrays or of PyTorch's tensors."""
    wide = x.reshape(form.shape)
    if form.known:
        mean, var = m.reshape(form.kept), v.reshape(form.kept)
    else:
        count = form.together
        mean = wide.sum(form.dims).reshape(form.kept) / count * form.centred
        var = ((wide - mean) ** 2).sum(form.dims).reshape(form.kept) / count
    rstd = (var + eps) ** -0.5
    scale, shift = (n if a is None else a.reshape(form.affine) for a, n in ((w, 1.0), (b, 0.0)))
    return ((wide - mean) * rstd * scale + shift).reshape(x.shape), mean, rstd


def theirs(*operands: Any) -> Any:
    y, mean, rstd = expected(*operands)
    return y, mean.double(), rstd.double()


GIVEN = (np.array([0.5, -1.0]), np.array([0.25, 2.0]))
NONE = (None, None)
FORMS: list[tuple[Any, Form, float]] = [
    (((3, 2, 2, 2), (2,), (2,), *NONE), by_channels((3, 2, 2, 2)), 0.1),
    (((3, 2), *NONE, *NONE), by_channels((3, 2)), 0.1),
    (((3, 2, 4), (2,), (2,), *GIVEN), by_channels((3, 2, 4), known=True), 0.1),
    (((3, 2), *NONE, *GIVEN), by_channels((3, 2), known=True), 0.1),
    (((3, 4), (4,), (4,), *NONE), by_rows("layer_norm", (3, 4), 1), 1e-5),
    (((2, 3, 2), None, (3, 2), *NONE), by_rows("layer_norm", (2, 3, 2), 2), 0.1),
    (((3, 4), (4,), None, *NONE), by_rows("rms_norm", (3, 4), 1), 0.1),
    (((2, 4, 3), (4,), (4,), *NONE), by_groups("group_norm", (2, 4, 3), 2), 0.1),
    (((2, 2, 3), (2,), None, *NONE), by_groups("instance_norm", (2, 2, 3), 2), 0.1),
]


def row(operands: Any, form: Form, eps: float) -> OpCase:
    return OpCase(
        "standardize",
        operands,
        {"form": form, "eps": eps},
        keeps_dtype=False,  # statistics are float64 in any case
        reference=lambda x, w, b, m, v: expected(x, w, b, m, v, form, eps),
        torch=lambda torch, *given: theirs(*given, form, eps),
    )


CASES = [row(*given) for given in FORMS]
