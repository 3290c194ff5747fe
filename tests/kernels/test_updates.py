"""Updates: against the rules of the optimisers to the last bit, and the norm of gradients."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import kernels
import optim
from kernels import tables, updates
from nn import Parameter

Array = np.ndarray[Any, np.dtype[Any]]
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
COMPILED = type(updates.adam).__name__ != "function"  # else the twins run
SHAPES = [(3, 5), (), (0, 4), (1,), (1027,), (2, 3, 7)]


@pytest.fixture
def threads() -> Iterator[None]:
    before = kernels.get_num_threads()
    yield
    kernels.set_num_threads(before)


def table(*columns: list[Array]) -> Array:
    return np.array([[id(x) for x in row] for row in zip(*columns, strict=True)])


def draw(rng: np.random.Generator, dtype: Any) -> list[Array]:
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]


def zeros(dtype: Any) -> list[Array]:
    return [np.zeros(shape, dtype) for shape in SHAPES]


def decay_of(group: dict[str, Any]) -> tuple[float, float]:
    """The weight decay that goes into the gradient, and the share that shrinks the weight."""
    if group.get("decoupled_weight_decay"):
        return 0.0, group["lr"] * group["weight_decay"]
    return group["weight_decay"], 0.0


def sgd(like: Array, w: list[Array], g: list[Array], s: Any, o: dict[str, Any], t: int) -> None:
    if "m" not in s and o["momentum"]:  # the first m is the gradient, whatever the dampening
        o, s["m"] = o | {"dampening": 0.0}, zeros(like.dtype)
    m = s.get("m", g)
    kernels.call.sgd(
        like, table(w, g, m), o["lr"], o["momentum"], o["dampening"], o["weight_decay"],
        o["nesterov"], o["maximize"],
    )  # fmt: skip


def adagrad(like: Array, w: list[Array], g: list[Array], s: Any, o: dict[str, Any], t: int) -> None:
    rate = o["lr"] / (1 + (t - 1) * o["lr_decay"])
    total = s.setdefault("sum", zeros(like.dtype))
    columns = table(w, g, total)
    kernels.call.adagrad(like, columns, rate, o["eps"], o["weight_decay"], o["maximize"])


def rmsprop(like: Array, w: list[Array], g: list[Array], s: Any, o: dict[str, Any], t: int) -> None:
    columns = table(w, g, *(s.setdefault(name, zeros(like.dtype)) for name in ("v", "mean", "m")))
    columns[:, 3] = columns[:, 3] if o["centered"] else 0
    columns[:, 4] = columns[:, 4] if o["momentum"] else 0
    kernels.call.rmsprop(
        like, columns, o["lr"], o["alpha"], o["eps"], o["weight_decay"], o["momentum"],
        o["centered"], o["maximize"],
    )  # fmt: skip


def adam(like: Array, w: list[Array], g: list[Array], s: Any, o: dict[str, Any], t: int) -> None:
    columns = table(w, g, *(s.setdefault(name, zeros(like.dtype)) for name in ("m", "v", "h")))
    columns[:, 4] = columns[:, 4] if o["amsgrad"] else 0
    b1, b2 = o["betas"]
    kernels.call.adam(
        like, columns, o["lr"] / (1 - b1**t), (1 - b2**t) ** 0.5, b1, b2, o["eps"], *decay_of(o),
        o["amsgrad"], o["maximize"],
    )  # fmt: skip


RATES = [
    (sgd, optim.SGD, {"lr": 0.1}),
    (sgd, optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    (sgd, optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    (adagrad, optim.Adagrad, {"lr": 0.1, "lr_decay": 0.01}),
    (adagrad, optim.Adagrad, {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    (rmsprop, optim.RMSprop, {"lr": 0.01}),
    (rmsprop, optim.RMSprop, {"lr": 0.01, "centered": True, "weight_decay": 0.1}),
    (rmsprop, optim.RMSprop, {"lr": 0.01, "momentum": 0.9, "centered": True, "maximize": True}),
    (rmsprop, optim.RMSprop, {"lr": 0.01, "momentum": 0.9}),
    (adam, optim.Adam, {"lr": 0.01}),
    (adam, optim.Adam, {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}),
    (adam, optim.Adam, {"lr": 0.01, "betas": (0.5, 0.8), "maximize": True}),
    (adam, optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    (adam, optim.AdamW, {"lr": 0.01, "amsgrad": True}),
]


@DTYPES
@pytest.mark.parametrize("naive", [False, True], ids=["kernel", "twin"])
@pytest.mark.parametrize(("run", "kind", "rates"), RATES)
def test_an_update_is_what_the_rule_of_the_optimiser_says(
    run: Any, kind: Any, rates: dict[str, Any], naive: bool, dtype: Any, rng: np.random.Generator
) -> None:
    weights = draw(rng, dtype)
    optimizer = kind([Parameter(w) for w in weights], **rates)
    group = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    expected = [w.copy() for w in weights]
    states = [optimizer.init(w, group) for w in expected]
    state: dict[str, Any] = {}
    for t in range(1, 4):
        gradients = draw(rng, dtype)
        expected = [
            np.asarray(optimizer.rule(w, g, s, group), dtype)
            for w, g, s in zip(expected, gradients, states, strict=True)
        ]
        like = np.empty(0, dtype)
        if naive:
            with kernels.naive_kernels():
                run(like, weights, gradients, state, group, t)
        else:
            run(like, weights, gradients, state, group, t)
    ulps = 8 if naive or not COMPILED else 0  # the twin adds in the order of the formula
    for found, w in zip(weights, expected, strict=True):
        np.testing.assert_allclose(found, w, rtol=ulps * np.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("shapes", [[(50_000,), (7, 11), (100_000,)], [(3,)] * 200])
def test_the_bits_are_the_same_on_one_thread_and_on_several(
    threads: None, shapes: list[tuple[int, ...]], rng: np.random.Generator
) -> None:
    if not COMPILED:
        pytest.skip("kernels are not compiled")
    like = np.empty(0, np.float32)
    found: list[bytes] = []
    seed = int(rng.integers(1 << 30))
    for count in (1, kernels.threads.limit()):
        kernels.set_num_threads(count)
        again = np.random.default_rng(seed)
        w, g, m, v, h = ([again.random(s, np.float32) for s in shapes] for _ in range(5))
        sums = np.empty(1 + tables.PIECES)
        rates = 1e-3, 0.05, 0.9, 0.999, 1e-8, 0.1, 0.0, True, False
        kernels.call.adam(like, table(w, g, m, v, h), *rates)
        kernels.call.rmsprop(like, table(w, g, v, m, h), 0.1, 0.9, 1e-8, 0.0, 0.9, True, False)
        kernels.call.adagrad(like, table(w, g, v), 0.1, 1e-10, 0.0, False)
        kernels.call.sgd(like, table(w, g, m), 0.1, 0.9, 0.0, 0.1, True, False)
        kernels.call.square_sum(like, table(w), sums)
        kernels.call.scale(like, table(w), 0.3)
        kernels.call.clamp(like, table(h), 0.2, 0.7)
        found.append(b"".join(x.tobytes() for x in (*w, *m, *v, *h, sums[:1])))
    assert found[0] == found[1]


@DTYPES
def test_the_squares_of_all_arrays_are_added(dtype: Any, rng: np.random.Generator) -> None:
    arrays, sums = draw(rng, dtype), np.empty(1 + tables.PIECES)
    kernels.call.square_sum(np.empty(0, dtype), table(arrays), sums)
    exact = math.fsum(float(v) ** 2 for x in arrays for v in x.reshape(-1))
    assert sums[0] == pytest.approx(exact, rel=1e-14)
    with kernels.naive_kernels():
        kernels.call.square_sum(np.empty(0, dtype), table(arrays), sums)
    assert sums[0] == pytest.approx(exact, rel=1e-14)


def test_the_square_of_the_largest_float32_is_finite_and_nan_stays() -> None:
    x, sums = np.full(3, 3e38, np.float32), np.empty(1 + tables.PIECES)
    kernels.call.square_sum(x[:0], table([x]), sums)
    assert sums[0] == pytest.approx(3 * float(x[0]) ** 2, rel=1e-14)
    x[1] = math.nan
    kernels.call.square_sum(x[:0], table([x]), sums)
    assert math.isnan(sums[0])


@DTYPES
def test_every_element_is_scaled_once(dtype: Any, rng: np.random.Generator) -> None:
    arrays = draw(rng, dtype)
    expected = [x * dtype(0.3) for x in arrays]
    kernels.call.scale(np.empty(0, dtype), table(arrays), 0.3)
    for x, y in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(x, y)
    with kernels.naive_kernels():
        kernels.call.scale(np.empty(0, dtype), table(arrays), 2.0)
    for x, y in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(x, y * dtype(2))


@DTYPES
@pytest.mark.parametrize("naive", [False, True], ids=["kernel", "twin"])
@pytest.mark.parametrize(("low", "high"), [(-0.5, 0.8), (-math.inf, 0.1), (0.3, -0.3)])
def test_every_element_is_brought_between_the_bounds(
    low: float, high: float, naive: bool, dtype: Any, rng: np.random.Generator
) -> None:
    arrays = draw(rng, dtype)
    arrays[4][:3] = math.nan, math.inf, -math.inf
    expected = [np.minimum(np.maximum(x, dtype(low)), dtype(high)) for x in arrays]
    with kernels.naive_kernels() if naive else nullcontext():
        kernels.call.clamp(np.empty(0, dtype), table(arrays), low, high)
    for x, y in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_list_of_no_arrays_is_left_alone() -> None:
    none, sums = np.empty((0, 1), np.int64), np.empty(1 + tables.PIECES)
    kernels.call.square_sum(np.empty(0), none, sums)
    kernels.call.scale(np.empty(0), none, 2.0)
    kernels.call.clamp(np.empty(0), none, -1.0, 1.0)
    assert sums[0] == 0


def test_nan_and_infinite_gradients_reach_their_weight_and_no_other() -> None:
    w, g = np.ones(40, np.float32), np.ones(40, np.float32)
    m, v, h = (np.zeros(40, np.float32) for _ in range(3))
    g[3], g[5], h[7] = math.nan, math.inf, math.nan
    rates = 1.0, 0.03, 0.9, 0.999, 1e-8, 0.0, 0.0, True, False
    with np.errstate(invalid="ignore"):
        kernels.call.adam(w[:0], table([w], [g], [m], [v], [h]), *rates)
    assert np.flatnonzero(np.isnan(w)).tolist() == [3, 5, 7]
    assert math.isnan(h[3])
    assert h[5] == math.inf
