"""Methods of Tensor that draw: in place from a distribution, or from the tensor's own values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import random
from .recording import wrap


def normal_(self: Any, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Any:
    """Draw all elements anew from a normal distribution."""
    draws = random.randn(*self.shape, generator=generator, dtype=self.dtype)
    return self.copy_(draws * std + mean)


def uniform_(self: Any, low: Any = 0.0, high: Any = 1.0, *, generator: Any = None) -> Any:
    """Draw all elements anew, uniformly from [low, high)."""
    draws = random.rand(*self.shape, generator=generator, dtype=self.dtype)
    return self.copy_(draws * (high - low) + low)


def exponential_(self: Any, lambd: float = 1.0, *, generator: Any = None) -> Any:
    """Draw all elements anew with density lambd exp(-lambd x)."""
    if lambd <= 0:
        raise ValueError(f"exponential_ got lambd={lambd}: it must be positive")
    return self.copy_(wrap(random.source(generator).exponential(1.0 / lambd, self.shape)))


def bernoulli_(self: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
    """Draw all elements anew: 1 with probability p, a number or a tensor, else 0."""
    chances = wrap(np.broadcast_to(np.asarray(p, np.float64), self.shape))
    return self.copy_(random.bernoulli(chances, generator=generator))


def random_(self: Any, low: int = 0, high: int | None = None, *, generator: Any = None) -> Any:
    """Draw all elements anew from low, ..., high - 1; random_(high) starts at 0.

    Without bounds, from the whole numbers up to the largest that the dtype counts to.
    """
    if high is None:
        low, high = 0, low or _countable(self.dtype)
    return self.copy_(random.randint(low, high, self.shape, generator=generator))


def _countable(dtype: np.dtype[Any]) -> int:
    if dtype.kind == "b":
        return 2
    return int(np.iinfo(dtype).max) if dtype.kind in "iu" else 2 ** (np.finfo(dtype).nmant + 1)


def bernoulli(self: Any, p: Any = None, *, generator: Any = None) -> Any:
    """1 with probability x, or p where that is given, else 0, in the shape and dtype of x."""
    if p is None:
        return random.bernoulli(self, generator=generator)
    return bernoulli_(self.clone().detach(), p, generator=generator)


METHODS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        normal_, uniform_, exponential_, bernoulli_, random_, bernoulli, random.multinomial
    )
}  # fmt: skip
