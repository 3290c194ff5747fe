"""Derivatives as functions of functions, under the names of torch.func.

Each transform makes fresh variables for the arguments it differentiates, records what the
function does with them and walks that recording. A variable of an inner transform is a node of
its own, so transforms nest to any depth and never mistake each other's perturbations.

Arguments and results may be nested dicts, lists and tuples of tensors.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .batching import vmap as vmap
from .errors import ShapeError
from .jacobian import hessian as hessian
from .jacobian import jacfwd as jacfwd
from .jacobian import jacrev as jacrev
from .recording import Traced, wrap
from .stateless import functional_call as functional_call
from .tree import leaves, rebuild
from .variables import Argnums, Function, Run, choose, given_like, kind

__all__ = [
    "functional_call", "ggnvp", "grad", "grad_and_value", "hessian", "hvp", "jacfwd", "jacrev",
    "jvp", "per_sample_grad", "vjp", "vmap",
]  # fmt: skip


def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return a function for (gradient, value) of a scalar function; aux goes with the value."""

    @functools.wraps(func)
    def gradient_and_value(*args: Any, **kwargs: Any) -> Any:
        chosen, of_chosen = choose("grad", func, args, kwargs, argnums)
        run = Run("grad", of_chosen, chosen, has_aux=has_aux)
        y = run.output
        if not isinstance(y, Traced) or y._array.size != 1:
            got = f"shape {y._array.shape}" if isinstance(y, Traced) else kind(y)
            raise ShapeError(
                f"grad: the function must return a scalar tensor, it returned {got}: "
                "reduce it, as with .sum(), or use jacrev"
            )
        one = wrap(np.ones_like(y._array))
        found = run.pull(run.outputs, [one], retain=False, tracked=run.tracked)
        g = rebuild(chosen, found)
        return (g, (y, run.aux)) if has_aux else (g, y)

    return gradient_and_value


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that gives the gradient of a scalar function."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        g, value = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return gradient


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """Return func(*primals) and the function that pulls a cotangent u back: uᵀ J, as a tuple.

    (A lecture calls this product a "JVP"; vjp and jvp here are the field's usual names.)
    """
    run = Run("vjp", lambda values: func(*values), primals, has_aux=has_aux)

    def pull(cotangents: Any, retain_graph: bool = True) -> Any:
        given = given_like("vjp", "cotangent", cotangents, run.output, run.outputs)
        tracked = run.tracked or any(g._rg for g in given)
        return rebuild(primals, run.pull(run.outputs, given, retain=retain_graph, tracked=tracked))

    return (run.output, pull, run.aux) if has_aux else (run.output, pull)


def jvp(
    func: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """Return func(*primals) and its derivative along the tangents: J t."""
    primals = tuple(primals)
    run = Run("jvp", lambda values: func(*values), primals, forward=True, has_aux=has_aux)
    given = given_like("jvp", "tangent", tuple(tangents), primals, run.inputs)
    tracked = run.tracked or any(t._rg for t in given)
    pushed = rebuild(run.output, run.push(given, tracked=tracked))
    return (run.output, pushed, run.aux) if has_aux else (run.output, pushed)


def hvp(func: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return the value of a scalar function and H t, its Hessian times the tangents, as a tuple.

    Forward over reverse (Pearlmutter 1994): a few times the cost of a gradient, no matrix.
    """
    primals = tuple(primals)
    both = grad_and_value(func, tuple(range(len(primals))))
    (_, value), (product, _) = jvp(both, primals, tuple(tangents))
    return value, product


def ggnvp(
    model: Function, loss: Function, primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Any, Any]:
    """Return loss(model(*primals)) and G t with the Gauss-Newton matrix G = Jᵀ H J.

    J is the Jacobian of the model, H the Hessian of the loss at its output (Schraudolph 2002).
    """
    primals = tuple(primals)
    output, pull = vjp(model, *primals)
    _, pushed = jvp(model, primals, tuple(tangents))

    def of_leaves(*values: Any) -> Any:
        return loss(rebuild(output, values))

    value, curved = hvp(of_leaves, leaves(output), leaves(pushed))
    return value, pull(rebuild(output, curved))


def per_sample_grad(func: Function, argnums: Argnums = 0) -> Function:
    """Return the function of (params, *batched) that gives one gradient for each sample.

    func(params, *sample) is a sample's loss; the other arguments are split along their axis 0.
    """
    single = grad(func, argnums)

    @functools.wraps(func)
    def gradients(params: Any, *batched: Any) -> Any:
        return vmap(single, in_dims=(None, *[0] * len(batched)))(params, *batched)

    return gradients
