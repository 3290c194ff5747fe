"""Loops over arrays: each kernel stands below the naive twin that defines it.

`kernels.call.erf(x, out)` runs a kernel; a family's file, and Numba with it, is imported when one
of its kernels is first called. Inside `with kernels.naive_kernels():` the twins run instead, which
tells a wrong kernel from a wrong rule.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from .threads import enter, leave
from .threads import get_num_threads as get_num_threads
from .threads import set_num_threads as set_num_threads

__all__ = ["FAMILIES", "call", "get_num_threads", "naive_kernels", "set_num_threads"]

# Which file has which kernels.
FAMILIES = {
    "activations": (
        "exp", "log", "erf", "tanh", "tanh_vjp", "sigmoid", "sigmoid_vjp", "silu", "silu_vjp",
        "gelu", "gelu_vjp", "gelu_tanh", "gelu_tanh_vjp", "softplus", "softplus_vjp", "elu",
        "elu_vjp", "relu", "relu_vjp", "leaky_relu", "leaky_relu_vjp", "hardtanh", "hardtanh_vjp",
        "threshold", "threshold_vjp",
    ),
    "average_pool": ("average_pool", "average_pool_vjp"),
    "batch_norm": ("batch_norm", "batch_norm_vjp"),
    "clipping": ("clamp", "scale", "square_sum"),
    "conv": ("slide",),
    "conv_weight": ("correlate", "sum_channels"),
    "cross_entropy": (
        "cross_entropy", "cross_entropy_vjp", "soft_cross_entropy", "soft_cross_entropy_vjp",
    ),
    "dropout": ("dropout",),
    "embedding": ("embedding", "embedding_vjp"),
    "gemm": ("gemm",),
    "group_norm": ("group_norm", "group_norm_vjp"),
    "layer_norm": ("layer_norm", "layer_norm_vjp"),
    "logsumexp": ("logsumexp", "logsumexp_vjp"),
    "max_pool": ("max_pool", "max_pool_vjp"),
    "softmax": ("softmax", "softmax_vjp"),
    "special": ("digamma", "erfc", "erfinv", "lgamma", "polygamma"),
    "sums": ("row_spread", "row_sum"),
    "updates": ("adagrad", "adam", "rmsprop", "sgd"),
}  # fmt: skip

# Of the process, not of a context: forwards run in contexts of their own.
_naive = 0


@contextmanager
def naive_kernels() -> Generator[None]:
    """Run the naive twin of every kernel inside."""
    global _naive
    _naive += 1
    try:
        yield
    finally:
        _naive -= 1


class Calls:
    """Every kernel as a function that runs whichever of the pair is active.

    The first argument is an array; its dtype says which of the compiled forms runs.
    """

    def __getattr__(self, name: str) -> Callable[..., None]:
        family = next((file for file, names in FAMILIES.items() if name in names), None)
        if family is None:
            raise AttributeError(f"there is no kernel {name!r}")
        import_module(f".{family}", __name__)
        from .pair import PAIRS

        pair = PAIRS[name]
        run = _on_threads(pair) if pair.parallel else _serial(pair)
        setattr(self, name, run)  # the next call finds it without asking
        return run


def _serial(pair: Any) -> Callable[..., None]:
    ready = pair.ready

    def run(*args: Any) -> None:
        if _naive:
            pair.naive(*args)
        else:
            (ready.get(args[0].dtype) or pair.compile(args[0].dtype))(*args)

    return run


def _on_threads(pair: Any) -> Callable[..., None]:
    """Run a kernel whose last parameter says whether its chunks may run on several threads."""
    ready = pair.ready

    def run(*args: Any) -> None:
        fast = pair.naive
        if not _naive:
            fast = ready.get(args[0].dtype) or pair.compile(args[0].dtype)
        if fast is pair.naive:
            fast(*args)
        elif enter():
            try:
                fast(*args, True)
            finally:
                leave()
        else:
            fast(*args, False)

    return run


call = Calls()
