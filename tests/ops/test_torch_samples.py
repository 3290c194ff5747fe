"""PyTorch's own samples of its operators, run on both sides: results, gradients, refusals."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from tests.ops.torch_samples import CALLS, LEFT_OUT, NAMES, LeftOut

pytestmark = pytest.mark.torch

DTYPES = ("float64", "float32", "int64", "bool")
# Relative to the largest number expected, too: sums of other orders round otherwise.
TOLERANCE = {"float64": 1e-9, "float32": 2e-4}
SECOND = 12  # samples of an entry that are differentiated twice
LARGE = 300  # elements of an operand that is not
SHOWN = 6  # differences that a failing test prints

Call = Callable[..., Any]


@cache
def table() -> dict[str, list[Any]]:
    """PyTorch's table of operators: a name's entries are its variants."""
    pytest.importorskip("expecttest", reason="PyTorch's samples need the package expecttest")
    with quiet():
        from torch.testing._internal.common_methods_invocations import op_db
    found: dict[str, list[Any]] = {}
    for entry in op_db:
        found.setdefault(entry.name, []).append(entry)
    return found


def quiet() -> Any:
    """Let PyTorch warn unheard: of what it will remove, of what is not its best."""
    return warnings.catch_warnings(action="ignore")


@dataclass
class Twins:
    """One sample on both sides; `leaves` pairs the tensors that require grad."""

    entry: Any
    dtype: str
    sample: Any
    number: int
    leaves: list[tuple[Any, Any]] = field(default_factory=list[tuple[Any, Any]])

    def __post_init__(self) -> None:
        self.theirs = (self.sample.input, *self.sample.args), self.sample.kwargs
        self.ours = self.translated(self.theirs[0]), self.translated(self.theirs[1])

    def translated(self, x: Any) -> Any:
        """Return the same for ours: tensors and dtypes, in whatever they stand."""
        import torch

        if isinstance(x, torch.Tensor):
            twin = ag.Tensor._wrap(x.detach().numpy().copy(order="K"), x.requires_grad)
            if x.requires_grad:
                self.leaves.append((x, twin))
            return twin
        if isinstance(x, torch.dtype):
            return getattr(ag, str(x).removeprefix("torch."))
        if isinstance(x, dict):
            return {key: self.translated(value) for key, value in x.items()}
        if isinstance(x, (list, tuple)):
            return (list if isinstance(x, list) else tuple)(map(self.translated, x))
        return x

    def __str__(self) -> str:
        args, kwargs = self.theirs
        given = [text(x) for x in args] + [f"{k}={text(x)}" for k, x in kwargs.items()]
        return f"{self.entry.full_name}, {self.dtype} {self.number}: ({', '.join(given)})"


def text(x: Any) -> str:
    """Return an argument as a reader wants it: a tensor as its shape."""
    if hasattr(x, "dtype"):
        return f"{str(x.dtype).removeprefix('torch.')}{list(x.shape)}"
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(map(text, x))}]"
    return str(x)


@dataclass(frozen=True)
class Way:
    """A way to call one operator on both sides: as a function, as a method, in place."""

    theirs: Call
    ours: Call

    def __call__(self, twins: Twins) -> tuple[list[Any], list[Any]]:
        """Return the results of both sides; where PyTorch refuses, ours must too."""
        process = twins.sample.output_process_fn_grad
        args, kwargs = twins.theirs
        try:
            with quiet():
                expected = parts(process(self.theirs(*args, **kwargs)))
        except Exception as error:
            refusal = error
        else:
            args, kwargs = twins.ours
            return expected, parts(process(self.ours(*args, **kwargs)))
        with pytest.raises((RuntimeError, ValueError, TypeError, IndexError)):
            self.ours(*twins.ours[0], **twins.ours[1])
        raise Refused from refusal


class Refused(Exception):
    """Both sides refuse this sample."""


def parts(y: Any) -> list[Any]:
    """Return one result or several as a list."""
    return list(y) if isinstance(y, (tuple, list)) else [y]


def function_of(entry: Any) -> Way | None:
    """The function, wrapped as PyTorch's own gradient checks wrap it."""
    ours = CALLS.get(entry.full_name) or CALLS.get(entry.name) or named(ag, entry.name)
    wrapper = WRAPPERS.get(entry.gradcheck_wrapper.__name__, lambda call: call)
    return ours and Way(wrapper(entry.op), wrapper(ours))


def method_of(entry: Any) -> Way | None:
    """The method of Tensor."""
    theirs = entry.method_variant
    ours = theirs and named(ag.Tensor, theirs.__name__)
    return Way(theirs, ours) if ours else None


def in_place_of(entry: Any) -> Way | None:
    """The in-place method, on a clone."""
    theirs = entry.inplace_variant
    ours = theirs and named(ag.Tensor, theirs.__name__)
    return Way(on_a_clone(theirs), on_a_clone(ours)) if ours else None


def named(place: Any, name: str) -> Any:
    """Return what stands at a dotted name, also among the methods, or None."""
    for step in name.split("."):
        place = getattr(place, step, None) or getattr(ag.Tensor, step, None)
    return place


def on_a_clone(change: Call) -> Call:
    def changed(x: Any, *args: Any, **kwargs: Any) -> Any:
        y = x.clone()
        assert change(y, *args, **kwargs) is y, "the in-place form returns another tensor"
        return y

    return changed


WRAPPERS: dict[str, Callable[[Call], Call]] = {
    "gradcheck_wrapper_hermitian_input": lambda call: (
        lambda x, *args, **kwargs: call(x + x.mT, *args, **kwargs)
    ),
}


def same_results(way: Way, twins: Twins) -> None:
    """Values, dtypes, shapes, names of fields, and what requires grad."""
    expected, found = way(twins)
    assert len(found) == len(expected), f"{len(found)} results, not {len(expected)}"
    for k, (y, e) in enumerate(zip(found, expected, strict=True)):
        if not hasattr(e, "dtype"):
            assert type(y) is type(e), f"a {type(y).__name__}, not a {type(e).__name__}"
            assert y == e
            continue
        assert f"torch.{y.dtype}" == str(e.dtype), f"result {k} is {y.dtype}, not {e.dtype}"
        assert y.requires_grad == e.requires_grad, f"result {k}: requires_grad={y.requires_grad}"
        close(f"result {k}", y, e, twins.dtype)


def same_gradients(way: Way, twins: Twins) -> None:
    """The gradients of the results, weighted at random."""
    expected, found, weights = weighted(way, twins)
    pulled = gradients(expected, found, twins.leaves, weights)
    for k, (g, e) in enumerate(pulled):
        assert f"torch.{g.dtype}" == str(e.dtype), f"gradient {k} is {g.dtype}, not {e.dtype}"
        close(f"gradient {k}", g, e, twins.dtype)


def same_second_derivatives(way: Way, twins: Twins) -> None:
    """The gradients, by operands and weights, of the first gradients weighted at random."""
    expected, found, weights = weighted(way, twins, requires_grad=True)
    pulled = gradients(expected, found, twins.leaves, weights, create_graph=True)
    pulled = [(g, e) for g, e in pulled if e.requires_grad]
    if not pulled:
        return
    missing = [k for k, (g, _) in enumerate(pulled) if not g.requires_grad]
    assert not missing, f"gradients {missing} do not require grad"
    theirs, ours = [e for _, e in pulled], [g for g, _ in pulled]
    rng = np.random.default_rng(2)
    again = [random_pair(e, rng) for e in theirs]
    twice = gradients(theirs, ours, [*twins.leaves, *weights], again)
    for k, (g, e) in enumerate(twice):
        close(f"second derivative {k}", g, e, twins.dtype)


def weighted(way: Way, twins: Twins, requires_grad: bool = False) -> tuple[Any, Any, Any]:
    """Return the results that require grad, and a random weight for each, on both sides."""
    expected, found = way(twins)
    rng = np.random.default_rng(1)
    chosen = [k for k, e in enumerate(expected) if getattr(e, "requires_grad", False)]
    weights = [random_pair(expected[k], rng, requires_grad) for k in chosen]
    return [expected[k] for k in chosen], [found[k] for k in chosen], weights


def random_pair(like: Any, rng: np.random.Generator, requires_grad: bool = False) -> Any:
    """Return (PyTorch's, our) tensor of the same random numbers."""
    import torch

    numbers = rng.normal(size=tuple(like.shape)).astype(str(like.dtype).removeprefix("torch."))
    return torch.tensor(numbers, requires_grad=requires_grad), ag.tensor(
        numbers, requires_grad=requires_grad
    )


def gradients(
    theirs: Sequence[Any],
    ours: Sequence[Any],
    leaves: Sequence[tuple[Any, Any]],
    weights: Sequence[tuple[Any, Any]],
    create_graph: bool = False,
) -> list[tuple[Any, Any]]:
    """Return (our, PyTorch's) gradient for each leaf; zeros where there is none."""
    import torch

    if not theirs or not leaves:
        return []
    options: dict[str, Any] = {"create_graph": create_graph, "materialize_grads": True}
    with quiet():
        expected = torch.autograd.grad(
            theirs, [leaf for leaf, _ in leaves], [w for w, _ in weights], **options
        )
    found = ag.autograd.grad(
        ours, [leaf for _, leaf in leaves], [w for _, w in weights], **options
    )
    return list(zip(found, expected, strict=True))


def close(what: str, found: Any, expected: Any, dtype: str) -> None:
    """Compare shape and numbers; NaN and infinities must stand where they stand."""
    e, y = expected.detach().numpy(), found.detach().numpy()
    assert y.shape == e.shape, f"{what} has shape {y.shape}, not {e.shape}"
    if e.dtype.kind != "f":
        np.testing.assert_array_equal(y, e, what)
        return
    tolerance = max(TOLERANCE.get(dtype, 0), TOLERANCE[str(e.dtype)])
    scale = np.max(np.abs(e), initial=1.0, where=np.isfinite(e))
    np.testing.assert_allclose(y, e, tolerance, tolerance * scale, err_msg=what)
