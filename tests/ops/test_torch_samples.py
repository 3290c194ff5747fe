"""PyTorch's own samples of its operators, run on both sides: results, gradients, refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from tests.ops.torch_samples import (
    BAD,
    CALLS,
    LEFT_OUT,
    NAMES,
    UNDETERMINED,
    WITHOUT,
    WRAPPERS,
    LeftOut,
    Twins,
    pytorch,
    quiet,
    samples,
    table,
)

pytestmark = pytest.mark.torch

DTYPES = ("float64", "float32", "int64", "bool")
# Relative to the largest number expected, too: sums of other orders round otherwise.
TOLERANCE = {"float64": 1e-9, "float32": 2e-4, "float16": 1e-3}
SECOND = 12  # samples of an entry that are differentiated twice
LARGE = 300  # elements of an operand that is not
SHOWN = 6  # differences of each check that a failing test prints

Call = Callable[..., Any]


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
    """Both sides refuse this sample, or PyTorch does not know its derivative."""


def parts(y: Any) -> list[Any]:
    """Return one result or several as a list."""
    return list(y) if isinstance(y, (tuple, list)) else [y]


def function_of(entry: Any) -> Way | None:
    """The function, wrapped as PyTorch's own gradient checks wrap it."""
    operator = entry.name.startswith("__r")
    ours = operator or named(ag, entry.name) or named(ag.Tensor, entry.name)
    if ours is None:
        return None
    ours = CALLS.get(entry.full_name) or CALLS.get(entry.name) or ours
    wrapper = WRAPPERS.get(entry.full_name, lambda call: call)
    return Way(wrapper(entry.op), wrapper(ours))


def method_of(entry: Any) -> Way | None:
    """The method of Tensor."""
    theirs = entry.method_variant
    ours = theirs and named(ag.Tensor, theirs.__name__)
    return Way(theirs, ours) if ours else None


def in_place_of(entry: Any) -> Way | None:
    """The in-place method, on a clone."""
    theirs = entry.inplace_variant
    if isinstance(theirs, partial):  # of a function that takes inplace=True
        ours = partial(named(ag, entry.name), **theirs.keywords)
    else:
        ours = theirs and named(ag.Tensor, theirs.__name__)
    return Way(on_a_clone(theirs), on_a_clone(ours)) if ours else None


def named(place: Any, name: str) -> Any:
    """Return what stands at a dotted name, or None."""
    for step in name.split("."):
        place = getattr(place, step, None)
    return place


def on_a_clone(change: Call) -> Call:
    def changed(x: Any, *args: Any, **kwargs: Any) -> Any:
        y = x.clone()
        assert change(y, *args, **kwargs) is y, "the in-place form returns another tensor"
        return y

    return changed


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
    pulled = [(g, e) for g, e in pulled if e.grad_fn is not None]  # not zeros made up for it
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


def same_refusals(way: Way, twins: Twins) -> None:
    """A handler written for PyTorch's error catches ours."""
    assert twins.error
    args, kwargs = twins.ours
    with pytest.raises(twins.error):
        way.ours(*args, **kwargs)


def weighted(way: Way, twins: Twins, requires_grad: bool = False) -> tuple[Any, Any, Any]:
    """Return the results that require grad, and a random weight for each, on both sides."""
    expected, found = way(twins)
    rng = np.random.default_rng(1)
    chosen = [k for k, e in enumerate(expected) if getattr(e, "requires_grad", False)]
    weights = [random_pair(expected[k], rng, requires_grad) for k in chosen]
    return [expected[k] for k in chosen], [found[k] for k in chosen], weights


def random_pair(like: Any, rng: np.random.Generator, requires_grad: bool = False) -> Any:
    """Return (PyTorch's, our) tensor of the same random numbers."""
    numbers = rng.normal(size=tuple(like.shape)).astype(str(like.dtype).removeprefix("torch."))
    return pytorch().tensor(numbers, requires_grad=requires_grad), ag.tensor(
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
    if not theirs or not leaves:
        return []
    options: dict[str, Any] = {"create_graph": create_graph, "materialize_grads": True}
    try:
        with quiet():
            expected = pytorch().autograd.grad(
                theirs, [leaf for leaf, _ in leaves], [w for w, _ in weights], **options
            )
    except NotImplementedError as absent:  # acosh_ and its like
        raise Refused from absent
    found = ag.autograd.grad(ours, [leaf for _, leaf in leaves], [w for _, w in weights], **options)
    return list(zip(found, expected, strict=True))


def close(what: str, found: Any, expected: Any, dtype: str) -> None:
    """Compare shape and numbers; NaN and infinities must stand where they stand."""
    e, y = expected.numpy(force=True), found.detach().numpy()
    assert y.shape == e.shape, f"{what} has shape {y.shape}, not {e.shape}"
    if e.dtype.kind != "f":
        np.testing.assert_array_equal(y, e, what)
        return
    tolerance = max(TOLERANCE.get(dtype, 0), TOLERANCE[str(e.dtype)])
    scale = np.max(np.abs(e), initial=1.0, where=np.isfinite(e))
    np.testing.assert_allclose(y, e, tolerance, tolerance * scale, err_msg=what)


@dataclass(frozen=True)
class Check:
    """What is compared, in which way of calling, for which samples."""

    compare: Callable[[Way, Twins], None]
    way: Callable[[Any], Way | None]
    dtypes: tuple[str, ...]
    at_most: int | None = None


CHECKS = {
    "results": Check(same_results, function_of, DTYPES),
    "gradients": Check(same_gradients, function_of, ("float64", "float32")),
    "second derivatives": Check(same_second_derivatives, function_of, ("float64",), SECOND),
    "methods": Check(same_results, method_of, ("float64",)),
    "in-place forms": Check(same_gradients, in_place_of, ("float64",)),
    "refusals": Check(same_refusals, function_of, (BAD,)),
}


def spread(twins: Iterator[Twins], at_most: int | None) -> list[Twins]:
    """Return all, or so many small ones, evenly from first to last."""
    if at_most is None:
        return list(twins)
    small = [t for t in twins if all(x.numel() <= LARGE for x, _ in t.leaves)]
    return small[:: -(-len(small) // at_most) or 1]


def differences(name: str, what: str, left_out: bool = False) -> list[str]:
    """Return what differs, one line for each sample of a name, or of those left out."""
    check, found = CHECKS[what], list[str]()
    for entry in table()[name]:
        way = check.way(entry)
        reasons = [x for x in LEFT_OUT if x.name == entry.full_name and what in x.checks]
        if way is None or (what == "second derivatives" and not entry.supports_gradgrad):
            continue
        for dtype in check.dtypes:
            for twins in spread(samples(entry, dtype), check.at_most):
                if any(x.when(twins.sample) for x in reasons) is left_out:
                    found += difference(check, way, twins)
    return found


def difference(check: Check, way: Way, twins: Twins) -> list[str]:
    """Return the line that says what differs in one sample, or nothing."""
    try:
        check.compare(way, twins)
    except Refused:
        return []
    except (Exception, pytest.fail.Exception) as error:
        return [f"{twins}: {type(error).__name__}: {' '.join(str(error).split())[:300]}"]
    return []


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_agrees_with_pytorch(name: str) -> None:
    if all(function_of(entry) is None for entry in table()[name]):
        pytest.skip(f"there is no {name} yet; the test of what is missing says so")
    found = {what: differences(name, what) for what in CHECKS}
    lines = [f"{what}: {line}" for what, some in found.items() for line in some[:SHOWN]]
    total = sum(map(len, found.values()))
    assert not total, "\n".join([*lines, f"{total} differences"])


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_has_samples(name: str) -> None:
    """Without one the comparison above would be empty."""
    drawn = (
        twins for entry in table()[name] for dtype in DTYPES for twins in samples(entry, dtype)
    )
    assert next(drawn, None)


def test_nothing_is_missing() -> None:
    """Functions, methods and in-place forms that PyTorch has are all there, second names too."""
    entries = [entry for name in NAMES for entry in table()[name]]
    missing = {name for entry in entries for name in absent(entry)} - set(WITHOUT)
    assert not missing, f"missing: {' '.join(sorted(missing))}"


def absent(entry: Any) -> Iterator[str]:
    """Give the names of an entry that lead nowhere here."""
    if function_of(entry) is None:
        yield entry.name
    for known in (entry, *entry.aliases):
        if known.name.startswith(("special.", "nn.functional.")) or known.name in CALLS:
            continue
        if known is not entry and named(ag, known.name) is None:
            yield known.name
        for method in (known.method_variant, known.inplace_variant):
            if method and not hasattr(ag.Tensor, method.__name__):
                yield f"Tensor.{method.__name__}"


def test_what_we_do_without_is_still_missing() -> None:
    assert [name for name in WITHOUT if named(ag, name)] == []


def test_all_that_pytorch_has_samples_of_is_compared() -> None:
    listed = {*NAMES, *UNDETERMINED.split()}
    ours = {name for name, entries in table().items() if all(map(function_of, entries))}
    assert {name for name in ours if not name.startswith("special.")} - listed == set()


@pytest.mark.parametrize("left_out", LEFT_OUT, ids=lambda x: x.name)
def test_what_is_left_out_still_differs(left_out: LeftOut) -> None:
    name = next(n for n, es in table().items() if left_out.name in [e.full_name for e in es])
    for what in left_out.checks:
        assert differences(name, what, left_out=True), f"{left_out.name} agrees in {what} by now"
