"""Random numbers: same seed, same numbers; and the distributions they should have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

DRAWS: dict[str, Callable[..., Any]] = {
    "rand": lambda g: ag.rand(3, 2, generator=g),
    "randn": lambda g: ag.randn(3, 2, generator=g),
    "randint": lambda g: ag.randint(0, 1000, (5,), generator=g),
    "randperm": lambda g: ag.randperm(20, generator=g),
    "normal": lambda g: ag.normal(1.0, 2.0, (4,), generator=g),
    "bernoulli": lambda g: ag.bernoulli(ag.full((50,), 0.5), generator=g),
    "multinomial": lambda g: ag.multinomial(ag.ones(20), 5, generator=g),
    "repeats": lambda g: ag.multinomial(ag.ones(20), 50, replacement=True, generator=g),
}
every_draw = pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)


@every_draw
def test_the_same_seed_gives_the_same_numbers(draw: Any) -> None:
    first, second = (draw(ag.Generator().manual_seed(7)).tolist() for _ in range(2))
    assert first == second
    assert draw(ag.Generator().manual_seed(8)).tolist() != first


@every_draw
def test_a_generator_of_one_s_own_leaves_the_default_one_alone(draw: Any) -> None:
    ag.manual_seed(3)
    expected = ag.rand(3).tolist()
    ag.manual_seed(3)
    draw(ag.Generator())
    assert ag.rand(3).tolist() == expected


@every_draw
def test_a_state_brings_the_stream_back(draw: Any) -> None:
    generator = ag.Generator().manual_seed(1)
    draw(generator)
    state = generator.get_state()
    first = draw(generator).tolist()
    assert (state.dtype, state.ndim) == (ag.uint8, 1)
    assert draw(ag.Generator().set_state(state)).tolist() == first
    assert generator.set_state(state.clone()).initial_seed() == 1


def test_the_default_stream_can_be_saved_and_seeded() -> None:
    assert ag.manual_seed(11) is ag.default_generator
    assert ag.initial_seed() == 11
    state = ag.get_rng_state()
    first = ag.randn(4).tolist()
    ag.set_rng_state(state)
    assert ag.randn(4).tolist() == first
    assert ag.seed() == ag.initial_seed()
    assert ag.randn(4).tolist() != first


def test_two_fresh_generators_differ() -> None:
    assert ag.Generator().initial_seed() != ag.Generator().initial_seed()


def test_a_state_that_is_none_is_refused_and_the_stream_goes_on() -> None:
    generator = ag.Generator().manual_seed(1)
    expected = ag.rand(2, generator=ag.Generator().manual_seed(1)).tolist()
    with pytest.raises(ValueError, match="set_state got bytes that no get_state returned"):
        generator.set_state(ag.zeros(10, dtype=ag.uint8))
    assert ag.rand(2, generator=generator).tolist() == expected


def test_numbers_have_the_distribution_they_claim() -> None:
    n, g = 200_000, ag.Generator().manual_seed(0)
    # Bounds are five standard errors wide.
    u = ag.rand(n, generator=g, dtype=ag.float64).numpy()
    assert u.min() >= 0.0
    assert u.max() < 1.0
    assert abs(u.mean() - 0.5) < 5 * (1 / 12 / n) ** 0.5
    z = ag.randn(n, generator=g, dtype=ag.float64).numpy()
    assert abs(z.mean()) < 5 / n**0.5
    assert abs(z.var() - 1.0) < 5 * (2 / n) ** 0.5
    m = ag.normal(3.0, 0.5, (n,), generator=g).double().numpy()
    assert abs(m.mean() - 3.0) < 5 * 0.5 / n**0.5
    k = ag.randint(-2, 3, (n,), generator=g).numpy()
    counts = np.bincount(k + 2)
    assert len(counts) == 5
    assert (np.abs(counts - n / 5) < 5 * (n * 0.16) ** 0.5).all()
    b = ag.bernoulli(ag.full((n,), 0.3), generator=g).numpy()
    assert set(np.unique(b)) == {0.0, 1.0}
    assert abs(b.mean() - 0.3) < 5 * (0.21 / n) ** 0.5


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_draws_in_proportion_and_never_what_weighs_nothing(replacement: bool) -> None:
    g = ag.Generator().manual_seed(0)
    weights = ag.tensor([1.0, 0.0, 3.0])
    rows = ag.multinomial(weights.expand(20_000, 3), 1, replacement, generator=g).numpy()
    counts = np.bincount(rows.ravel(), minlength=3) / 20_000
    assert counts[1] == 0
    assert abs(counts[0] - 0.25) < 5 * (0.1875 / 20_000) ** 0.5


def test_without_replacement_nothing_comes_twice() -> None:
    rows = ag.multinomial(ag.rand(50, 6), 6).numpy()
    assert (np.sort(rows, 1) == np.arange(6)).all()
    assert sorted(ag.randperm(30).tolist()) == list(range(30))


def test_shapes_and_dtypes_follow_the_request() -> None:
    x = ag.zeros(2, 3, dtype=ag.float64)
    assert (ag.rand_like(x).shape, ag.rand_like(x).dtype) == ((2, 3), ag.float64)
    assert ag.randn_like(x, dtype=ag.float32, requires_grad=True).requires_grad
    assert ag.randint_like(x, 5).dtype == ag.float64
    assert ag.rand(()).shape == ag.randn(()).shape == ()
    assert ag.rand(2, dtype=ag.float16).dtype == ag.float16
    assert ag.randint(10, (2, 2)).dtype == ag.int64
    assert ag.normal(ag.zeros(3), ag.ones(2, 1)).shape == (2, 3)
    filled = ag.zeros(1000).uniform_(2.0, 3.0)
    assert 2.0 <= filled.amin().item() <= filled.amax().item() <= 3.0
    assert ag.zeros(3, dtype=ag.float64).normal_(5.0, 0.0).tolist() == [5.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: ag.randint(3, 3, (2,)), ValueError, "low=3 and high=3: low must be below high"),
        (lambda: ag.normal(0.0, -1.0, (2,)), ValueError, "std=-1.0: it must not be negative"),
        (lambda: ag.normal(0.0, 1.0), ag.ShapeError, "two numbers: it needs size="),
        (lambda: ag.bernoulli(ag.tensor([1.5])), ValueError, r"probabilities: floats in \[0, 1\]"),
        (lambda: ag.bernoulli(ag.tensor([1])), ValueError, "probabilities"),
        (lambda: ag.multinomial(ag.tensor([-1.0]), 1), ValueError, "finite weights >= 0"),
        (lambda: ag.multinomial(ag.tensor([0.0, 1.0]), 2), ValueError, "has 1 positive weights"),
        (lambda: ag.rand(-1), ag.ShapeError, r"rand got the size \(-1,\)"),
    ],
    ids=["randint", "normal", "size", "bernoulli", "int", "weights", "few", "negative"],
)
def test_what_cannot_be_drawn_is_refused(call: Any, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_tensor_draws_in_place_from_each_distribution() -> None:
    x = ag.empty(4000)
    assert x.exponential_(2.0).mean().item() == pytest.approx(0.5, abs=0.05)
    assert x.min().item() >= 0
    assert x.bernoulli_(0.25).mean().item() == pytest.approx(0.25, abs=0.04)
    assert x.bernoulli_(ag.tensor(1.0)).unique().tolist() == [1.0]
    assert x.random_(3).unique().tolist() == [0.0, 1.0, 2.0]
    assert x.random_(5, 7).unique().tolist() == [5.0, 6.0]
    assert 2**22 < x.random_().max().item() <= 2**24
    assert ag.empty(100, dtype=ag.bool).random_().unique().tolist() == [False, True]
    assert ag.empty(100, dtype=ag.uint8).random_().max().item() > 128
    with pytest.raises(ValueError, match=r"exponential_ got lambd=0: it must be positive"):
        x.exponential_(0)


def test_a_tensor_of_probabilities_draws() -> None:
    p = ag.tensor([0.0, 1.0, 0.0])
    assert p.bernoulli().tolist() == [0.0, 1.0, 0.0]
    assert p.bernoulli(1.0).tolist() == [1.0, 1.0, 1.0]
    assert p.multinomial(1).tolist() == [1]
