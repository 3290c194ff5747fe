"""Attention: a query gets a mean of the values, weighted by its products with their keys."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import DtypeError, ShapeError, Tensor, ops

from .dropouts import dropout

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(scale Q Kᵀ + mask) V, by default with scale = 1 / √E.

    query (..., L, E), key (..., S, E), value (..., S, F); returns (..., L, F). A mask of truths
    says what takes part, one of floats is added; it broadcasts to (..., L, S). With is_causal
    query i sees the keys up to i. A query that may see nothing gets zeros. With enable_gqa each
    head of key and value, at axis -3, serves as many heads of the query. Vaswani et al. 2017,
    section 3.2.1; shared heads: Ainslie et al. 2023.
    """
    if enable_gqa:
        key, value = _shared("key", query, key), _shared("value", query, value)
    _check_product(query, key, value)
    if is_causal and attn_mask is not None:
        raise ValueError(f"{_WHO} got attn_mask and is_causal=True: it takes one of them")
    if is_causal:
        attn_mask = ag.ones(query.shape[-2], key.shape[-2], dtype=ag.bool).tril()
    scores = _scores(query, key, scale)
    if attn_mask is None:
        return dropout(ops.softmax(scores, -1), dropout_p) @ value
    scores, blind = _masked(scores, attn_mask), _blind(attn_mask)
    if not blind.any():
        return dropout(ops.softmax(scores, -1), dropout_p) @ value
    # A softmax of nothing has no value and no gradient: take one of zeros, and none of it.
    weights = ops.softmax(scores.masked_fill(blind, 0.0), -1).masked_fill(blind, 0.0)
    return dropout(weights, dropout_p) @ value


_WHO = "scaled_dot_product_attention"


def _check_product(query: Tensor, key: Tensor, value: Tensor) -> None:
    q, k, v = (tuple(x.shape) for x in (query, key, value))
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        raise ShapeError(
            f"{_WHO} got query {q}, key {k} and value {v}: "
            "it needs (..., L, E), (..., S, E) and (..., S, F)"
        )
    try:
        np.broadcast_shapes(q[:-2], k[:-2], v[:-2])
    except ValueError:
        raise ShapeError(
            f"{_WHO} got query {q}, key {k} and value {v}: their leading axes do not broadcast"
        ) from None


def _shared(name: str, query: Tensor, x: Tensor) -> Tensor:
    """Repeat the heads of x until there are as many as the query has."""
    if min(query.ndim, x.ndim) < 3 or not x.shape[-3] or query.shape[-3] % x.shape[-3]:
        raise ShapeError(
            f"{_WHO} got query {tuple(query.shape)} and {name} {tuple(x.shape)} with enable_gqa: "
            f"the heads of the {name}, at axis -3, must divide those of the query"
        )
    return x.repeat_interleave(query.shape[-3] // x.shape[-3], -3)


def _scores(query: Tensor, key: Tensor, scale: float | None) -> Tensor:
    if scale is None:
        scale = 1.0 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    return (query * scale) @ key.transpose(-2, -1)


def _masked(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the scores with -inf where the mask is False, or with a mask of floats added."""
    if mask.dtype != ag.bool and mask.dtype != scores.dtype:
        raise DtypeError(
            f"{_WHO} got attn_mask of dtype {mask.dtype}: it must be bool or {scores.dtype}"
        )
    try:
        fits = np.broadcast_shapes(mask.shape, scores.shape) == tuple(scores.shape)
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{_WHO} got attn_mask of shape {tuple(mask.shape)}: "
            f"it must broadcast to {tuple(scores.shape)}"
        )
    return ops.where(mask, scores, -math.inf) if mask.dtype == ag.bool else scores + mask


def _blind(mask: Tensor) -> Tensor:
    """Tell which rows of the mask let nothing through."""
    closed = mask.logical_not() if mask.dtype == ag.bool else mask == -math.inf
    return closed.all(-1, keepdim=True)


def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Tensor | None, in_proj_bias: Tensor | None,
    bias_k: Tensor | None, bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float,
    out_proj_weight: Tensor, out_proj_bias: Tensor | None, training: bool = True,
    key_padding_mask: Tensor | None = None, need_weights: bool = True,
    attn_mask: Tensor | None = None, use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None, k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None, static_k: Tensor | None = None,
    static_v: Tensor | None = None, average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """W_o concat(head_1, ...) + b_o, each head the attention of a part of W_q Q, W_k K, W_v V.

    Shapes and masks are those of nn.MultiheadAttention with batch_first=False. Where is_causal is
    a hint to PyTorch that the mask may be left out, here the mask is what counts.
    """
    _check_inputs(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    batched, heads = query.ndim == 3, (num_heads, embed_dim_to_check // num_heads)
    if not batched:
        query, key, value = each(lambda x: x.unsqueeze(1), query, key, value)
    if is_causal and attn_mask is None:
        raise ValueError(f"{_MULTI} got is_causal=True and no attn_mask: it needs the causal mask")
    mask = _merged(attn_mask, key_padding_mask, query, key, num_heads, batched)
    if mask is not None:  # keys that no mask knows of are seen by all
        mask = ag.pad(mask, (0, (bias_k is not None) + add_zero_attn))
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    q, k, v = _projected(query, key, value, in_proj_weight, separate, in_proj_bias)
    q = _split(q, heads)
    k = _longer(k, bias_k, static_k, add_zero_attn, heads)
    v = _longer(v, bias_v, static_v, add_zero_attn, heads)
    y, weights = _attended(q, k, v, mask, dropout_p if training else 0.0, need_weights)
    if weights is not None and average_attn_weights:
        weights = weights.mean(1)
    y = ops.linear(y.permute(2, 0, 1, 3).reshape(query.shape), out_proj_weight, out_proj_bias)
    if batched:
        return y, weights
    return y.squeeze(1), None if weights is None else weights.squeeze(0)


_MULTI = "multi_head_attention_forward"


def each(change: Callable[[Tensor], Tensor], *tensors: Tensor) -> tuple[Tensor, ...]:
    """Change the tensors; those that are one stay one, which makes one product of three."""
    changed = {id(x): change(x) for x in tensors}
    return tuple(changed[id(x)] for x in tensors)


def _check_inputs(
    query: Tensor, key: Tensor, value: Tensor, width: int, num_heads: int, separate: bool
) -> None:
    q, k, v = (tuple(x.shape) for x in (query, key, value))
    alike = len(q) == len(k) == len(v) and len(q) in (2, 3) and k[:-1] == v[:-1]
    if not alike or q[1:-1] != k[1:-1] or q[-1] != width or (k != v and not separate):
        raise ShapeError(
            f"{_MULTI} got query {q}, key {k} and value {v}: it needs (L, N, {width}), "
            "(S, N, kdim) and (S, N, vdim), or all without N"
        )
    if width % num_heads:
        raise ShapeError(f"{_MULTI} got {num_heads} heads: they must divide {width} features")


def _projected(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    together: Tensor | None,
    separate: tuple[Tensor | None, ...] | None,
    bias: Tensor | None,
) -> tuple[Tensor, ...]:
    """Return W_q Q, W_k K and W_v V, in one product where Q, K and V are one tensor."""
    if separate is None and together is not None and query is key is value:
        return ops.linear(query, together, bias).chunk(3, -1)
    weights = together.chunk(3) if separate is None and together is not None else separate or ()
    if len(weights) != 3 or any(w is None for w in weights):
        raise ValueError(f"{_MULTI} got no weights to project with: it needs them all")
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    rows = zip((query, key, value), weights, biases, strict=True)
    return tuple(ops.linear(x, w, b) for x, w, b in rows)


def _split(x: Tensor, heads: tuple[int, int]) -> Tensor:
    """Part the features into heads: (L, N, E) -> (N, heads, L, E / heads)."""
    return x.reshape((*x.shape[:2], *heads)).permute(1, 2, 0, 3)


def _attended(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float, need_weights: bool
) -> tuple[Tensor, Tensor | None]:
    """Return the means and their weights, which are NaN for a query that may see nothing."""
    if not need_weights:
        return scaled_dot_product_attention(q, k, v, mask, dropout_p), None
    scores = _scores(q, k, None)
    weights = ops.softmax(scores if mask is None else scores + mask, -1)
    weights = dropout(weights, dropout_p)
    return weights @ v, weights


def _longer(
    x: Tensor, bias: Tensor | None, static: Tensor | None, zero: bool, heads: tuple[int, int]
) -> Tensor:
    """Return keys or values by head, with a learned one and a zero one added where asked for."""
    n = x.shape[1]
    if bias is not None:
        if static is not None:
            raise ValueError(f"{_MULTI} got static keys and a bias for them: it takes one of both")
        x = ag.cat([x, bias.expand(1, n, x.shape[2])])
    if static is not None:
        wanted = (n * heads[0], heads[1])
        if static.ndim != 3 or (static.shape[0], static.shape[2]) != wanted:
            raise ShapeError(
                f"{_MULTI} got a static tensor of shape {tuple(static.shape)}: "
                f"it must be ({wanted[0]}, S, {wanted[1]})"
            )
        x = static.reshape((n, heads[0], -1, heads[1]))
    else:
        x = _split(x, heads)
    return ag.cat([x, x.new_zeros((n, heads[0], 1, heads[1]))], 2) if zero else x


def _merged(
    attn_mask: Tensor | None,
    key_padding_mask: Tensor | None,
    query: Tensor,
    key: Tensor,
    num_heads: int,
    batched: bool,
) -> Tensor | None:
    """Return both masks as one that is added to the scores (N, heads, L, S)."""
    (length, n), s = query.shape[:2], key.shape[0]
    masks: list[Tensor] = []
    if attn_mask is not None:
        shape = tuple(attn_mask.shape)
        if shape not in ((length, s), (n * num_heads, length, s)):
            raise ShapeError(
                f"{_MULTI} got attn_mask of shape {shape}: "
                f"it must be {(length, s)} or {(n * num_heads, length, s)}"
            )
        mask = _additive("attn_mask", attn_mask, query.dtype)
        masks.append(mask if len(shape) == 2 else mask.reshape((n, num_heads, length, s)))
    if key_padding_mask is not None:
        shape = tuple(key_padding_mask.shape)
        wanted = (n, s) if batched else (s,)
        if shape != wanted:
            raise ShapeError(f"{_MULTI} got key_padding_mask of shape {shape}: it must be {wanted}")
        mask = _additive("key_padding_mask", key_padding_mask, query.dtype)
        masks.append(mask.reshape((n, 1, 1, s)))
    return sum(masks[1:], masks[0]) if masks else None


def _additive(name: str, mask: Tensor, dtype: Any) -> Tensor:
    """Return a mask of truths, which say what is left out, as -inf and 0."""
    if mask.dtype == ag.bool:
        return ag.zeros(*mask.shape, dtype=dtype).masked_fill(mask, -math.inf)
    if mask.dtype != dtype:
        raise DtypeError(f"{_MULTI} got {name} of dtype {mask.dtype}: it must be bool or {dtype}")
    return mask
