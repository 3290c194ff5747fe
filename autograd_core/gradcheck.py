"""Comparing analytic with numeric derivatives, and saying where they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import DtypeError, GraphError
from .func import jvp, vjp
from .gradients import grad
from .modes import enable_grad, no_grad
from .recording import Traced, wrap
from .variables import kind

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """An analytic derivative differs from the numeric one."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    directions: int = 3,
) -> bool:
    """Check the gradients of func at the inputs against central differences, in float64.

    Full Jacobians, element by element (not in fast_mode); then random directions t and weights w,
    where backward, differences and, with check_forward_ad, forward mode must give one <w, J t>.
    A failure names input, index and both values, and says where there is a kink nearby.
    """
    listed = _listed(inputs)
    try:
        if check_backward_ad and not fast_mode:
            _check(func, listed, eps, atol, rtol)
        modes = [name for name, on in (("backward", check_backward_ad),
                                       ("forward mode", check_forward_ad)) if on]  # fmt: skip
        _check_directions(func, listed, modes, (eps, atol, rtol), directions)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _listed(inputs: Any) -> list[Any]:
    return [inputs] if isinstance(inputs, Traced) else list(inputs)


def _variables(inputs: Sequence[Any]) -> list[int]:
    places = [i for i, x in enumerate(inputs) if isinstance(x, Traced) and x._rg]
    if not places:
        raise GraphError(
            "gradcheck: no input requires grad, so there is nothing to check: "
            "call requires_grad_() on one"
        )
    for i in places:
        if inputs[i]._array.dtype != np.float64:
            raise DtypeError(
                f"gradcheck: input {i} is {inputs[i].dtype}: differences need float64, "
                "convert it with .double()"
            )
    return places


def _outputs(function: Callable[..., Any], inputs: Sequence[Any]) -> list[Any]:
    y = function(*inputs)
    ys = list(y) if isinstance(y, (tuple, list)) else [y]
    for y in ys or [None]:
        if not isinstance(y, Traced):
            raise TypeError(
                f"gradcheck: the function returned {kind(y)}, "
                "it must return a Tensor or a tuple of them"
            )
    return [y for y in ys if y._array.dtype.kind == "f"]


def _check(
    function: Callable[..., Any], inputs: list[Any], eps: float, atol: float, rtol: float
) -> None:
    places = _variables(inputs)
    with enable_grad():
        outputs = _outputs(function, inputs)
    numeric = {i: _numeric(function, inputs, i, eps) for i in places}
    for k, y in enumerate(outputs):
        for place in np.ndindex(y._array.shape):
            found = _row(y, place, [inputs[i] for i in places])
            for i, row in zip(places, found, strict=True):
                both = numeric[i]
                _compare(function, inputs, (k, place, i), row, both[k][place], (eps, atol, rtol))


def _row(y: Any, place: tuple[int, ...], variables: list[Any]) -> list[Any]:
    """Return the analytic derivatives of one element of y."""
    unit = np.zeros_like(y._array, subok=False)
    unit[place] = 1.0
    if not y._rg:
        return [np.zeros_like(x._array, subok=False) for x in variables]
    found = grad(y, variables, wrap(unit), retain_graph=True, materialize_grads=True)
    return [g._array for g in found if g is not None]


def _numeric(function: Callable[..., Any], inputs: list[Any], i: int, eps: float) -> list[Any]:
    """Return d(output)/d(input i) by central differences, for each output."""
    x = inputs[i]._array
    shapes = [y._array.shape for y in _moved(function, inputs, i, x)]
    found = [np.empty((*shape, *x.shape)) for shape in shapes]
    for place in np.ndindex(x.shape):
        sides = []
        for step in (eps, -eps):
            moved = np.array(x)
            moved[place] += step
            sides.append([y._array.copy() for y in _moved(function, inputs, i, moved)])
        for whole, up, down in zip(found, *sides, strict=True):
            whole[(..., *place)] = (up - down) / (2 * eps)
    return found


def _moved(function: Callable[..., Any], inputs: list[Any], i: int, array: Any) -> list[Any]:
    changed = [x.detach().requires_grad_(x._rg) if isinstance(x, Traced) and
               x._array.dtype.kind == "f" else x for x in inputs]  # fmt: skip
    changed[i] = wrap(array).requires_grad_()
    with enable_grad():  # the function may differentiate inside
        return _outputs(function, changed)


def _compare(
    function: Callable[..., Any],
    inputs: list[Any],
    where: tuple[int, tuple[int, ...], int],
    analytic: Any,
    numeric: Any,
    bounds: tuple[float, float, float],
) -> None:
    eps, atol, rtol = bounds
    wrong = ~np.isclose(analytic, numeric, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return
    k, place, i = where
    index = tuple(int(n) for n in np.argwhere(wrong)[0])
    at = float(inputs[i]._array[index])
    raise GradcheckError(
        f"gradcheck: d(output {k}{_text(place)}) / d(input {i}{_text(index)}) at {at:.6g} is "
        f"{float(analytic[index]):.6g} by backward and {float(numeric[index]):.6g} by differences"
        f"{_kink(function, inputs, where, index, eps)}"
    )


def _text(place: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, place))}]" if place else ""


def _kink(
    function: Callable[..., Any],
    inputs: list[Any],
    where: tuple[int, tuple[int, ...], int],
    index: tuple[int, ...],
    eps: float,
) -> str:
    """Say so where the slopes to the left and to the right differ: a kink, not a wrong rule."""
    k, place, i = where

    def value(steps: int) -> float:
        moved = np.array(inputs[i]._array)
        moved[index] += steps * eps
        return float(_moved(function, inputs, i, moved)[k]._array[place])

    # Beyond the interval of the difference, so that a kink anywhere in it shows.
    left, right = (value(-1) - value(-2)) / eps, (value(2) - value(1)) / eps
    if abs(left - right) <= 1e-2 * (abs(left) + abs(right)) + 1e-6:
        return ""
    return f"; there is a kink nearby (slope {left:.4g} to the left, {right:.4g} to the right)"


def _check_directions(
    function: Callable[..., Any],
    inputs: list[Any],
    modes: Sequence[str],
    bounds: tuple[float, float, float],
    directions: int,
) -> None:
    """Check that differences and the modes agree on <w, J t> for random t and w."""
    eps, atol, rtol = bounds
    places = _variables(inputs)
    rng = np.random.default_rng(0)

    def of_variables(*xs: Any) -> Any:
        full = list(inputs)
        for i, x in zip(places, xs, strict=True):
            full[i] = x
        return tuple(_outputs(function, full))

    points = [inputs[i].detach() for i in places]
    for number in range(directions):
        t = tuple(wrap(rng.standard_normal(x.shape)) for x in points)
        sides = [of_variables(*[_step(x, d, e) for x, d in zip(points, t, strict=True)])
                 for e in (eps, -eps)]  # fmt: skip
        w = tuple(wrap(rng.standard_normal(y.shape)) for y in sides[0])
        numeric = _inner(w, [(a.detach() - b.detach()) / (2 * eps)
                             for a, b in zip(*sides, strict=True)])  # fmt: skip
        for mode in modes:
            if mode == "backward":
                found = _inner(vjp(of_variables, *points)[1](w), t)
            else:
                found = _inner(w, jvp(of_variables, points, t)[1])
            if not np.isclose(found, numeric, rtol=rtol, atol=atol, equal_nan=True):
                raise GradcheckError(
                    f"gradcheck: along random direction {number} the derivative is {found:.6g} by "
                    f"{mode} and {numeric:.6g} by differences"
                )


def _step(x: Any, direction: Any, size: float) -> Any:
    return wrap(x._array + size * direction._array).requires_grad_()


def _inner(a: Sequence[Any], b: Sequence[Any]) -> float:
    return sum(float((x._array * y._array).sum()) for x, y in zip(a, b, strict=True))


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Check the second derivatives: gradcheck of the gradient along random grad_outputs."""
    listed = _listed(inputs)
    places = _variables(listed)
    with no_grad():
        outputs = _outputs(func, listed)
    rng = np.random.default_rng(0)
    if grad_outputs is None:
        grad_outputs = [wrap(rng.standard_normal(y.shape)).requires_grad_() for y in outputs]
    weights = _listed(grad_outputs)

    def gradient(*args: Any) -> Any:
        xs, ws = args[: len(listed)], args[len(listed) :]
        pairs = [(y, w) for y, w in zip(_outputs(func, xs), ws, strict=True) if y._rg]
        found = grad(
            [y for y, _ in pairs],
            [xs[i] for i in places],
            [w for _, w in pairs],
            create_graph=True,
            materialize_grads=True,
        )
        return tuple(g for g in found if g is not None)

    return gradcheck(gradient, (*listed, *weights), eps, atol, rtol, raise_exception)
