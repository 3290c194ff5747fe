"""What PyTorch's own samples are run on: the names, how ours is called, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd_core as ag

FAMILIES = {
    "elementwise": """
        abs acos acosh add addcdiv addcmul allclose asin asinh atan atan2 atanh bitwise_and
        bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor ceil clamp
        clamp_max clamp_min clone copysign cos cosh deg2rad digamma div eq equal erf erfc erfinv
        exp exp2 expm1 float_power floor floor_divide fmax fmin fmod frac ge gt heaviside hypot
        isclose isfinite isinf isnan isneginf isposinf isreal ldexp le lerp lgamma log log10 log1p
        log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logit lt maximum
        minimum mul nan_to_num ne neg positive pow rad2deg reciprocal remainder round rsqrt rsub
        sgn sigmoid sign signbit sin sinc sinh sqrt square sub tan tanh true_divide trunc where
        xlogy
    """,
    "reduction": """
        all amax amin aminmax any argmax argmin count_nonzero cummax cummin cumprod cumsum
        cumulative_trapezoid diff dist log_softmax logcumsumexp logsumexp max mean median min mode
        nanmean nanmedian nanquantile nansum norm prod quantile renorm softmax std std_mean sum
        trapezoid trapz var var_mean
    """,
    "sorting": """
        argsort bincount bucketize histc isin kthvalue msort searchsorted sort topk unique
        unique_consecutive
    """,
    "shape": """
        T atleast_1d atleast_2d atleast_3d block_diag broadcast_tensors broadcast_to cartesian_prod
        cat chunk column_stack combinations diag diag_embed diagflat diagonal dsplit dstack expand
        expand_as flatten flip fliplr flipud hsplit hstack kron mT meshgrid movedim narrow
        nn.functional.pad permute ravel repeat repeat_interleave reshape reshape_as roll rot90
        select split split_with_sizes squeeze stack t tensor_split tile transpose tril triu unbind
        unflatten unfold unsqueeze view view_as vsplit vstack
    """,
    "indexing": """
        __getitem__ argwhere gather index_add index_copy index_fill index_put index_select
        masked_fill masked_scatter masked_select nn.functional.one_hot nonzero put scatter
        scatter_add scatter_reduce take take_along_dim
    """,
    "products": """
        addbmm addmm addmv addr baddbmm bmm cdist corrcoef cov cross dot einsum inner matmul mm mv
        outer tensordot trace vdot
    """,
    "linalg": """
        linalg.cholesky linalg.cross linalg.det linalg.diagonal linalg.eigh linalg.eigvalsh
        linalg.inv linalg.lstsq linalg.matrix_norm linalg.matrix_power linalg.matrix_rank
        linalg.multi_dot linalg.norm linalg.pinv linalg.qr linalg.slogdet linalg.solve
        linalg.solve_triangular linalg.svd linalg.svdvals linalg.vecdot linalg.vector_norm logdet
    """,
    "networks": """
        nn.functional.conv2d nn.functional.cross_entropy nn.functional.linear
        nn.functional.mse_loss nn.functional.nll_loss nn.functional.relu
    """,
}
NAMES = [name for names in FAMILIES.values() for name in names.split()]

# Samples are called as PyTorch's tables call them, which is not always as users do.
CALLS: dict[str, Callable[..., Any]] = {
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "einsum": lambda tensors, equation: ag.einsum(equation, *tensors),  # type: ignore[attr-defined]
    "where": lambda x, condition, other: ag.where(condition, x, other),  # type: ignore[attr-defined]
    "linalg.lstsq.grad_oriented": lambda a, b, driver: ag.linalg.lstsq(a, b, driver=driver)[:2],  # type: ignore[attr-defined]
    "linalg.pinv.singular": lambda a, b: ag.linalg.pinv(a @ b.mT),  # type: ignore[attr-defined]
}

CHECKS = ("results", "gradients", "second derivatives", "methods", "in-place forms", "refusals")


@dataclass(frozen=True)
class LeftOut:
    """Samples of one entry of PyTorch's table that are not compared in some checks, and why."""

    name: str  # of the entry, with its variant: "linalg.pinv.singular"
    why: str
    checks: tuple[str, ...] = CHECKS[:-1]
    when: Callable[[Any], bool] = lambda sample: True


LEFT_OUT: list[LeftOut] = []
