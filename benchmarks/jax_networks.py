"""Six of the networks as JAX users train them: pure functions under jax.jit, equal first weights.

Optimisers are written out, since optax is a package of its own; each gives PyTorch's steps.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.networks import NETWORKS

Parameters = list[Any]
Forward = Callable[[Any, Parameters, Any], Any]  # of jax.numpy and lax, parameters, x


def dense(x: Any, weight: Any, bias: Any) -> Any:
    return x @ weight.T + bias


def perceptron(jax: Any, p: Parameters, x: Any) -> Any:
    for i in range(0, len(p), 2):
        x = dense(x, p[i], p[i + 1])
        x = jax.nn.relu(x) if i + 2 < len(p) else x
    return x


def normed(jax: Any, p: Parameters, x: Any) -> Any:
    for i in range(0, len(p) - 2, 3):
        x = x @ p[i].T
        mean, var = x.mean(0), x.var(0)
        x = jax.nn.relu((x - mean) * jax.lax.rsqrt(var + 1e-5) * p[i + 1] + p[i + 2])
    return dense(x, p[-2], p[-1])


def conv(jax: Any, x: Any, weight: Any, bias: Any, stride: int) -> Any:
    y = jax.lax.conv_general_dilated(
        x, weight, (stride, stride), "VALID", dimension_numbers=("NCHW", "OIHW", "NCHW")
    )
    return y + bias[None, :, None, None]


def conv_net(jax: Any, p: Parameters, x: Any) -> Any:
    x = jax.nn.relu(conv(jax, x, p[0], p[1], 2))
    x = jax.nn.relu(conv(jax, x, p[2], p[3], 2))
    return dense(x.reshape(len(x), -1), p[4], p[5])


def lenet(jax: Any, p: Parameters, x: Any) -> Any:
    for i in (0, 2):
        x = jax.nn.relu(conv(jax, x, p[i], p[i + 1], 1))
        window = (1, 1, 2, 2)
        x = jax.lax.reduce_window(x, -np.inf, jax.lax.max, window, window, "VALID")
    return perceptron(jax, p[4:], x.reshape(len(x), -1))


# The shapes of all parameters in PyTorch's order, and the function of them.
FORWARDS: dict[str, tuple[list[tuple[int, ...]], Forward]] = {
    "tiny": ([(16, 2), (16,), (16, 16), (16,), (1, 16), (1,)], perceptron),
    "two-layer": ([(500, 784), (500,), (10, 500), (10,)], perceptron),
    "fc_net": ([(100, 784), (100,), *[(100, 100), (100,)] * 2, (10, 100), (10,)], perceptron),
    "batch-norm": (
        [(500, 784), (500,), (500,), *[(500, 500), (500,), (500,)] * 3, (10, 500), (10,)], normed,
    ),
    "conv_net": ([(32, 1, 5, 5), (32,), (32, 32, 5, 5), (32,), (10, 512), (10,)], conv_net),
    "LeNet": (
        [(6, 3, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 400), (120,), (84, 120), (84,), (10, 84),
         (10,)], lenet,
    ),
}  # fmt: skip


def shapes_and_forward(name: str) -> tuple[list[tuple[int, ...]], Forward] | None:
    return next((found for key, found in FORWARDS.items() if name.startswith(key)), None)


def first_weights(shapes: list[tuple[int, ...]], scaled: bool) -> list[Any]:
    """Those of benchmarks.networks.start_equal; of a norm's pair the first are ones."""
    rng, weights = np.random.default_rng(0), []
    for i, shape in enumerate(shapes):
        if len(shape) > 1:
            bound = 1 / np.sqrt(np.prod(shape[1:]))
            weights.append(rng.uniform(-bound, bound, shape).astype(np.float32))
        else:
            scale = scaled and len(shapes[i - 1]) > 1 and i + 1 < len(shapes)
            weights.append((np.ones if scale else np.zeros)(shape, np.float32))
    return weights


def updated(np_: Any, kind: str, p: Any, g: Any, state: Any, count: Any) -> tuple[Any, Any]:
    """One parameter's step, and what is remembered of it."""
    first, second = state
    if kind == "sgd":
        return p - 1e-3 * g, state
    if kind == "momentum":
        first = 0.9 * first + g
        return p - 1e-3 * first, (first, second)
    first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
    root = np_.sqrt(second / (1 - 0.999**count)) + 1e-8
    return p - 1e-4 * (first / (1 - 0.9**count)) / root, (first, second)


def training_step(name: str) -> Callable[[], float]:
    """Return a full step, compiled as one function."""
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")
    network, found = NETWORKS[name], shapes_and_forward(name)
    assert found is not None
    shapes, forward = found
    rng = np.random.default_rng(1)
    x = jnp.asarray(rng.standard_normal(network.shape).astype(np.float32))
    batch = network.shape[0]
    squared = network.loss == "mse_loss"
    drawn = rng.standard_normal((batch, 1)) if squared else rng.integers(0, 10, batch)
    target = jnp.asarray(drawn.astype(np.float32) if squared else drawn)

    def loss_of(parameters: Any) -> Any:
        y = forward(jax, parameters, x)
        if squared:
            return ((y - target) ** 2).mean()
        return -jax.nn.log_softmax(y)[jnp.arange(batch), target].mean()

    @jax.jit
    def advance(parameters: Any, states: Any, count: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters)
        pairs = [
            updated(jnp, network.optimizer, *each, count)
            for each in zip(parameters, gradients, states, strict=True)
        ]
        return loss, [p for p, _ in pairs], [s for _, s in pairs]

    held: dict[str, Any] = {
        "p": [jnp.asarray(w) for w in first_weights(shapes, forward is normed)],
        "s": [(jnp.zeros(shape), jnp.zeros(shape)) for shape in shapes],
        "n": 0,
    }

    def step() -> float:
        held["n"] += 1
        loss, held["p"], held["s"] = advance(held["p"], held["s"], float(held["n"]))
        return float(loss)

    return step
