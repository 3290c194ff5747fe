"""Attention with several heads, as a layer."""

from __future__ import annotations

from typing import Any

from autograd_core import Generator, ShapeError, Tensor

from . import functional as F
from . import init
from .functional.attention import each
from .linear import Linear
from .module import Module
from .parameter import unset


class MultiheadAttention(Module):
    """W_o concat(head_1, ...) + b_o; head_i is the attention of parts of W_q Q, W_k K and W_v V.

    query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), or N first with batch_first, or
    all without N. Returns the output (L, N, embed_dim) and the weights (N, L, S): the mean of the
    heads, all of them (N, heads, L, S) without average_attn_weights, None without need_weights.
    Truths in key_padding_mask (N, S) and attn_mask (L, S) or (N heads, L, S) say what is left out,
    floats are added to the scores. A query that may see nothing gets NaN, and with
    need_weights=False zeros. Vaswani et al. 2017, section 3.2.2.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        self._check()
        self.head_dim = embed_dim // num_heads
        one = self.kdim == self.vdim == embed_dim
        widths = {"q": embed_dim, "k": self.kdim, "v": self.vdim}
        self.in_proj_weight = unset((3 * embed_dim, embed_dim), device, dtype) if one else None
        for name, width in widths.items():
            weight = None if one else unset((embed_dim, width), device, dtype)
            setattr(self, f"{name}_proj_weight", weight)
        self.in_proj_bias = unset((3 * embed_dim,), device, dtype) if bias else None
        self.bias_k = unset((1, 1, embed_dim), device, dtype) if add_bias_kv else None
        self.bias_v = unset((1, 1, embed_dim), device, dtype) if add_bias_kv else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, device, dtype, generator=generator)
        self.reset_parameters(generator)

    def _check(self) -> None:
        for name in ("embed_dim", "num_heads", "kdim", "vdim"):
            if getattr(self, name) < 1:
                got = f"{name}={getattr(self, name)}"
                raise ValueError(f"MultiheadAttention got {got}: it must be at least 1")
        if self.embed_dim % self.num_heads:
            raise ShapeError(
                f"MultiheadAttention got embed_dim={self.embed_dim} and "
                f"num_heads={self.num_heads}: the heads must divide embed_dim"
            )
        if not 0.0 <= self.dropout <= 1.0:
            raise ValueError(f"MultiheadAttention got dropout={self.dropout}: it must be in [0, 1]")

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the projections after Glorot and Bengio; their biases are zero."""
        for name in ("in", "q", "k", "v"):
            weight = getattr(self, f"{name}_proj_weight")
            if weight is not None:
                init.xavier_uniform_(weight, generator=generator)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias, generator=generator)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        turned = self.batch_first and query.ndim == key.ndim == value.ndim == 3
        if turned:
            query, key, value = each(lambda x: x.transpose(0, 1), query, key, value)
        y, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads,
            self.in_proj_weight, self.in_proj_bias, self.bias_k, self.bias_v,
            self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias,
            self.training, key_padding_mask, need_weights, attn_mask,
            self.in_proj_weight is None, self.q_proj_weight, self.k_proj_weight,
            self.v_proj_weight, average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        return (y.transpose(0, 1) if turned else y), weights

    def _label(self) -> str:
        return f"{type(self).__name__}({self.embed_dim}, {self.num_heads})"
