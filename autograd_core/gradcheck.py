"""Comparing analytic with numeric derivatives, and saying where they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import func
from .errors import GraphError
from .gradients import grad
from .modes import enable_grad, no_grad
from .recording import Traced, wrap

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
    directions: int = 3,
) -> bool:
    """Check the gradients of func at the inputs against central differences, in float64.

    Full Jacobians, element by element; then jvp against vjp along random directions where
    check_forward_ad. A failure names input, index, both values, and a kink nearby.
    """
    try:
        _check(func, _listed(inputs), eps, atol, rtol)
        if check_forward_ad:
            _check_directions(func, _listed(inputs), atol, rtol, directions)
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
        raise GraphError("gradcheck: no input requires grad, so there is nothing to check")
    for i in places:
        if inputs[i]._array.dtype != np.float64:
            raise GraphError(
                f"gradcheck: input {i} is {inputs[i].dtype}: differences need float64, "
                "convert it with .double()"
            )
    return places


def _outputs(function: Callable[..., Any], inputs: Sequence[Any]) -> list[Any]:
    y = function(*inputs)
    ys = list(y) if isinstance(y, (tuple, list)) else [y]
    if not ys or not all(isinstance(y, Traced) for y in ys):
        raise GraphError("gradcheck: the function must return a Tensor or a tuple of them")
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
    values = []
    for step in (-eps, 0.0, eps):
        moved = np.array(inputs[i]._array)
        moved[index] += step
        values.append(float(_moved(function, inputs, i, moved)[k]._array[place]))
    left, right = (values[1] - values[0]) / eps, (values[2] - values[1]) / eps
    if abs(left - right) <= 1e-2 * (abs(left) + abs(right)) + 1e-6:
        return ""
    return f"; there is a kink nearby (slope {left:.4g} to the left, {right:.4g} to the right)"


def _check_directions(
    function: Callable[..., Any], inputs: list[Any], atol: float, rtol: float, directions: int
) -> None:
    """Check <w, J t> = <Jᵀ w, t> for random t and w."""
    places = _variables(inputs)
    rng = np.random.default_rng(0)

    def of_variables(*xs: Any) -> Any:
        full = list(inputs)
        for i, x in zip(places, xs, strict=True):
            full[i] = x
        return tuple(_outputs(function, full))

    points = [inputs[i].detach() for i in places]
    for _ in range(directions):
        t = tuple(wrap(rng.standard_normal(x.shape)) for x in points)
        outputs, pushed = func.jvp(of_variables, points, t)
        w = tuple(wrap(rng.standard_normal(y.shape)) for y in outputs)
        _, pull = func.vjp(of_variables, *points)
        forward = sum(float((a * b).sum().item()) for a, b in zip(w, pushed, strict=True))
        reverse = sum(float((a * b).sum().item()) for a, b in zip(pull(w), t, strict=True))
        if not np.isclose(forward, reverse, rtol=rtol, atol=atol):
            raise GradcheckError(
                f"gradcheck: along a random direction forward mode gives {forward:.6g} and "
                f"backward {reverse:.6g}"
            )


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
        found = grad(
            [y for y in _outputs(func, xs) if y._rg],
            [xs[i] for i in places],
            list(ws),
            create_graph=True,
            materialize_grads=True,
        )
        return tuple(g for g in found if g is not None)

    return gradcheck(gradient, (*listed, *weights), eps, atol, rtol, raise_exception)
