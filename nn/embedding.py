"""Tables of vectors, looked up by number."""

from __future__ import annotations

from typing import Any, Self

import autograd_core as ag
from autograd_core import Generator, ShapeError, Tensor

from . import functional as F
from . import init
from .functional.embeddings import row_in_table
from .module import Module
from .parameter import Parameter, unset


class _Table(Module):
    """A weight of shape (num_embeddings, embedding_dim), and how its rows are picked."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
        sparse: bool,
        _weight: Tensor | None,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = row_in_table(type(self).__name__, padding_idx, num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        shape = (num_embeddings, embedding_dim)
        if _weight is not None and tuple(_weight.shape) != shape:
            raise ShapeError(
                f"{type(self).__name__} got _weight of shape {tuple(_weight.shape)}: it must be "
                f"{shape}"
            )
        self.weight = unset(shape, device, dtype) if _weight is None else Parameter(_weight)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the table from the standard normal distribution; the padding row is 0."""
        init.normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            with ag.no_grad():
                self.weight[self.padding_idx] = 0.0

    def _shown(self, *names: str) -> str:
        """Return the sizes and, of these attributes, those that differ from the default."""
        usual = {"norm_type": 2, "scale_grad_by_freq": False, "sparse": False}
        options = [(name, getattr(self, name)) for name in names]
        parts = [str(self.num_embeddings), str(self.embedding_dim)]
        parts += [f"{name}={value!r}" for name, value in options if value != usual.get(name)]
        return ", ".join(parts)


class Embedding(_Table):
    """y = W[x]: whole numbers x of any shape (...) give y of shape (..., embedding_dim).

    Row padding_idx starts at 0 and gets no gradient; see `functional.embedding` for the rest.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type,
            scale_grad_by_freq, sparse, _weight, device, dtype,
        )  # fmt: skip
        if _weight is None:
            self.reset_parameters(generator)
        self.weight.requires_grad_(not _freeze)

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None, **options: Any
    ) -> Self:
        """Return a layer on a given table (rows, features), fixed unless freeze=False."""
        rows, columns = _table_shape(cls.__name__, embeddings)
        given = {"_weight": embeddings, "_freeze": freeze, "padding_idx": padding_idx}
        return cls(rows, columns, **given, **options)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        return self._shown("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse")


class EmbeddingBag(_Table):
    """Sum, mean or maximum of the rows W[x] of each bag, without making them one by one.

    x is (bags, length); or it has one axis, and offsets say where in it each bag starts. y is
    (bags, embedding_dim). With mode="sum", per_sample_weights of x's shape weigh the rows.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type,
            scale_grad_by_freq, sparse, _weight, device, dtype,
        )  # fmt: skip
        self.mode = mode
        self.include_last_offset = include_last_offset
        if _weight is None:
            self.reset_parameters(generator)

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, **options: Any) -> Self:
        """Return a layer on a given table (rows, features), fixed unless freeze=False."""
        layer = cls(*_table_shape(cls.__name__, embeddings), _weight=embeddings, **options)
        layer.weight.requires_grad_(not freeze)
        return layer

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        return self._shown("max_norm", "norm_type", "scale_grad_by_freq", "mode", "padding_idx")


def _table_shape(who: str, embeddings: Tensor) -> tuple[int, int]:
    if embeddings.ndim != 2:
        raise ShapeError(
            f"{who}.from_pretrained got a table of shape {tuple(embeddings.shape)}: it must be "
            "(rows, features)"
        )
    return embeddings.shape[0], embeddings.shape[1]
