"""Random numbers: generators that can be seeded, saved and resumed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .creation import dtype_or_default, finished, size_of, sized
from .dtypes import int64
from .errors import ShapeError
from .recording import Traced, wrap

if TYPE_CHECKING:
    from ._tensor import Tensor

__all__ = [
    "Generator", "bernoulli", "default_generator", "get_rng_state", "initial_seed", "manual_seed",
    "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm", "seed", "set_rng_state",
]  # fmt: skip


class Generator:
    """A stream of random numbers (PCG64)."""

    def __init__(self, device: Any = "cpu") -> None:
        self.seed()

    def manual_seed(self, seed: int) -> Self:
        """Start the stream that belongs to this seed."""
        self._seed = int(seed)
        vars(self).pop("_stream", None)
        return self

    @property
    def _rng(self) -> np.random.Generator:
        """NumPy's generator, made at the first draw: loading its module takes time."""
        known = vars(self)
        return known.get("_stream") or known.setdefault(  # threads that meet here share one
            "_stream", np.random.default_rng(self._seed & (2**64 - 1))
        )

    def seed(self) -> int:
        """Start a stream that nobody can foresee; returns its seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little") >> 1)
        return self._seed

    def initial_seed(self) -> int:
        """Return the seed that the stream started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """Return the position in the stream as a uint8 tensor."""
        state = (self._seed, self._rng.bit_generator.state)
        return wrap(np.frombuffer(repr(state).encode(), np.uint8).copy())

    def set_state(self, new_state: Tensor) -> Self:
        """Go on from a position that get_state returned."""
        import ast

        try:
            text = bytes(new_state._array.astype(np.uint8)).decode()
            seed, state = ast.literal_eval(text)
            self.manual_seed(seed)._rng.bit_generator.state = state
        except (ValueError, SyntaxError, TypeError, KeyError, UnicodeDecodeError) as error:
            raise ValueError("set_state got bytes that no get_state returned") from error
        return self


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Start the default stream from this seed: the same program then gives the same numbers."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default stream from an unforeseeable seed, and return it."""
    return default_generator.seed()


def initial_seed() -> int:
    """Return the seed of the default stream."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Return the position in the default stream."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Go on from a position that get_rng_state returned."""
    default_generator.set_state(new_state)


def source(generator: Generator | None) -> np.random.Generator:
    """Return NumPy's generator behind ours, or behind the default one."""
    return (default_generator if generator is None else generator)._rng


def _floats(sample: Any, size: tuple[int, ...], dtype: Any) -> Any:
    kind = dtype_or_default(dtype)
    direct = kind if kind.itemsize >= 4 else np.dtype(np.float32)
    return sample(size=size, dtype=direct).astype(kind, copy=False)


@sized
def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [0, 1)."""
    array = _floats(source(generator).random, size_of(size, "rand"), dtype)
    return finished(np.asarray(array), requires_grad, device)


@sized
def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Standard normal."""
    array = _floats(source(generator).standard_normal, size_of(size, "randn"), dtype)
    return finished(np.asarray(array), requires_grad, device)


def randint(
    low: int,
    high: Any,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers from low up to, and without, high: randint(low, high, size)."""
    if size is None:
        low, high, size = 0, low, high
    if high <= low:
        raise ValueError(f"randint got low={low} and high={high}: low must be below high")
    array = source(generator).integers(low, high, size_of(tuple(size), "randint"))
    kind = int64 if dtype is None else dtype_or_default(dtype)
    return finished(np.asarray(array).astype(kind), requires_grad, device)


def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None
) -> Tensor:
    """0 to n - 1 in random order."""
    array = (
        source(generator).permutation(n).astype(int64 if dtype is None else dtype_or_default(dtype))
    )
    return finished(array, False, device)


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None
) -> Tensor:
    """Normal with the given means and standard deviations; size when both are numbers."""
    if size is None:
        shapes = [x.shape for x in (mean, std) if isinstance(x, Traced)]  # pyright: ignore
        if not shapes:
            raise ShapeError("normal got two numbers: it needs size= then")
        size = np.broadcast_shapes(*shapes)
    if not isinstance(std, Traced) and std < 0:
        raise ValueError(f"normal got std={std}: it must not be negative")
    kinds = [x._array.dtype for x in (mean, std) if isinstance(x, Traced)]
    dtype = kinds[0] if kinds else None
    draws: Any = randn(*size, generator=generator, dtype=dtype)
    return draws * std + mean


def bernoulli(x: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with probability x, else 0, in the shape and dtype of x."""
    p = x._array
    if p.dtype.kind != "f" or ((p < 0) | (p > 1)).any():
        raise ValueError("bernoulli needs probabilities: floats in [0, 1]")
    return wrap(np.asarray(source(generator).random(p.shape) < p).astype(p.dtype))


def multinomial(
    x: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Indices drawn in proportion to the weights x (n) or (rows, n), one row for each."""
    weights = np.atleast_2d(x._array.astype(np.float64))
    if weights.ndim > 2 or (weights < 0).any() or not np.isfinite(weights).all():
        raise ValueError("multinomial needs finite weights >= 0, of 1 or 2 axes")
    most = (weights > 0).sum(1).min(initial=weights.shape[1])
    if most == 0 or (not replacement and num_samples > most):
        raise ValueError(
            f"multinomial cannot draw {num_samples} samples: a row has {most} positive weights"
        )
    rng = source(generator)
    if replacement:
        edges = np.cumsum(weights, 1)
        edges /= edges[:, -1:]
        draws = rng.random((len(weights), num_samples))
        rows = zip(edges, draws, strict=True)
        picked = np.stack([np.searchsorted(e, d, "right") for e, d in rows])
    else:  # Efraimidis and Spirakis 2006: the largest of log(u) / w are a sample without repeats
        with np.errstate(divide="ignore"):
            keys = np.log(rng.random(weights.shape)) / weights
        picked = np.argsort(-keys, 1, kind="stable")[:, :num_samples]
    return wrap(picked.reshape((*x._array.shape[:-1], num_samples)))


def rand_like(x: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform on [0, 1), in the shape and dtype of x."""
    return rand(*x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


def randn_like(x: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Standard normal, in the shape and dtype of x."""
    return randn(*x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


def randint_like(x: Tensor, low: int, high: int | None = None, dtype: Any = None) -> Tensor:
    """Whole numbers from low up to high, in the shape and dtype of x."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, x.shape, dtype=dtype or x.dtype)
