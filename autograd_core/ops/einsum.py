"""Sums of products named by their indices: each step is one product of matrices."""

from __future__ import annotations

import functools
import math
import string
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import op as declare
from ..errors import ShapeError, blamed
from ..matrices import product
from ..op import aliased
from ..recording import apply
from ..versions import Array
from .diagonal import diagonal
from .products import same_dtype
from .reduction import sum
from .shape import Shape, dims_of, permute

__all__ = ["einsum", "tensordot"]

# An index is a letter, or for an axis under the ellipsis its place from the right: -1, -2, ...
Index = str | int
Indices = tuple[Index, ...]
Spec = tuple[Indices, Indices, Indices]  # of a, of b, of the result

LETTERS = string.ascii_uppercase + string.ascii_lowercase  # what the numbers 0 to 51 stand for


class Product(NamedTuple):
    """How to lay out two arrays for one NumPy product over the batch."""

    order_a: Shape
    shape_a: Shape
    order_b: Shape
    shape_b: Shape
    multiply: Callable[[Array, Array], Array]
    shape_y: Shape
    order_y: Shape


@functools.lru_cache(maxsize=1024)
def _product(spec: Spec, a: Shape, b: Shape) -> Product:
    """Sort the indices into those of the batch, of a alone, of b alone, and those summed."""
    in_a, in_b, out = spec
    sizes = dict(zip(in_a + in_b, a + b, strict=True))
    batch = [i for i in out if i in in_a and i in in_b]
    rows = [i for i in out if i not in in_b]
    columns = [i for i in out if i not in in_a]
    summed = [i for i in in_a if i not in out]
    if not summed:  # nothing to add up: broadcasting beats a product of thin matrices
        left, right, multiply = (rows, []), ([], columns), np.multiply
    elif not rows and not columns:
        left, right, multiply = (summed,), (summed,), np.vecdot
    else:
        left, right, multiply = (rows, summed), (summed, columns), product

    def joined(groups: Iterable[list[Index]]) -> Shape:
        whole = (math.prod(sizes[i] for i in group) for group in groups)
        return (*(sizes[i] for i in batch), *whole)

    laid = [*batch, *rows, *columns]
    return Product(
        tuple(in_a.index(i) for group in (batch, *left) for i in group), joined(left),
        tuple(in_b.index(i) for group in (batch, *right) for i in group), joined(right),
        multiply, tuple(sizes[i] for i in laid), tuple(laid.index(i) for i in out),
    )  # fmt: skip


def _text(spec: Spec) -> str:
    """Return a spec as it would be typed, with digits for axes under the ellipsis."""
    a, b, y = ("".join(i if isinstance(i, str) else str(-i) for i in part) for part in spec)
    return f"{a},{b}->{y}"


def _every_index(shapes: Any, y: Any, params: Any) -> int:
    """Every index runs once, whether it is kept or summed."""
    sizes: dict[Any, int] = {}
    for indices, shape in zip(params[0][:2], shapes, strict=True):
        for index, n in zip(indices, shape, strict=True):
            sizes[index] = max(n, sizes.get(index, 1))
    return math.prod(sizes.values())


@declare.linear(
    label=lambda spec: f"einsum {_text(spec)}",
    multiply_adds=_every_index,
    vjp=[
        lambda g, b, spec: contract(g, b, (spec[2], spec[1], spec[0])),
        lambda g, a, spec: contract(a, g, (spec[0], spec[2], spec[1])),
    ],
)
def contract(a: Array, b: Array, spec: Spec) -> Array:
    """Sum of a b over the indices that both have and the result has not.

    No index occurs twice in one array, and none in one array only: so the derivatives are
    contractions as well.
    """
    same_dtype(a, b)
    p = _product(spec, a.shape, b.shape)
    a = a.transpose(p.order_a).reshape(p.shape_a)
    b = b.transpose(p.order_b).reshape(p.shape_b)
    return p.multiply(a, b).reshape(p.shape_y).transpose(p.order_y)


class Step(NamedTuple):
    """Replace one or two arrays of the list by one at its end."""

    places: tuple[int, ...]
    terms: tuple[Indices, ...]  # the indices they have
    kept: tuple[Indices, ...]  # and those that are not summed beforehand
    out: Indices


@functools.lru_cache(maxsize=1024)
def _steps(equation: str, shapes: tuple[Shape, ...]) -> tuple[Step, ...]:
    """Choose the order of the contractions, once for each equation and shapes."""
    terms, out = _indices(equation, shapes)
    sizes = _sizes(terms, shapes)
    if len(terms) == 1:
        return (Step((0,), terms, (out,), out),)
    # An axis of one element that others stretch is dropped: nothing is summed or kept there.
    seen = [
        tuple(i for i, n in zip(term, shape, strict=True) if n == sizes[i])
        for term, shape in zip(terms, shapes, strict=True)
    ]
    waiting = list(zip(terms, seen, strict=True))
    steps: list[Step] = []
    for taken in _path(seen, out, sizes):
        places = sorted(taken)
        while len(places) > 1:
            j, i = places.pop(), places.pop()
            (b, b_seen), (a, a_seen) = waiting.pop(j), waiting.pop(i)
            needed = {*out, *(index for _, term in waiting for index in term)}
            kept = _kept(a_seen, needed.union(b_seen)), _kept(b_seen, needed.union(a_seen))
            y = _kept(kept[0] + kept[1], needed) if waiting else out
            steps.append(Step((i, j), (a, b), kept, y))
            waiting.append((y, y))
            places.append(len(waiting) - 1)
    return tuple(steps)


def _kept(term: Indices, wanted: set[Index]) -> Indices:
    return tuple(i for i in dict.fromkeys(term) if i in wanted)


def _path(terms: Sequence[Indices], out: Indices, sizes: dict[Index, int]) -> list[tuple[int, ...]]:
    """Return which arrays meet first: the order of fewest multiplications, or nearly so."""
    if len(terms) == 2:
        return [(0, 1)]
    numbers = {index: k for k, index in enumerate(sizes)}
    arguments: list[Any] = []
    for term in terms:
        arguments.append(np.broadcast_to(0.0, [sizes[i] for i in term]))
        arguments.append([numbers[i] for i in term])
    arguments.append([numbers[i] for i in out])
    # Up to six arrays every order is looked at; 2**62 elements: memory is no reason to stop.
    how = "optimal" if len(terms) <= 6 else "greedy"
    return np.einsum_path(*arguments, optimize=(how, 2**62))[0][1:]


def _indices(equation: str, shapes: Sequence[Shape]) -> tuple[tuple[Indices, ...], Indices]:
    """Read an equation: the indices of each array, and those of the result."""
    left, arrow, right = equation.partition("->")
    texts = left.split(",")
    if len(texts) != len(shapes):
        raise ShapeError(f"it has {len(texts)} terms for {len(shapes)} arrays")
    counts = [
        len(shape) - len(text.replace("...", "")) for text, shape in zip(texts, shapes, strict=True)
    ]
    for k, (text, shape, more) in enumerate(zip(texts, shapes, counts, strict=True)):
        if more < 0 or (more and "..." not in text):
            raise ShapeError(f"the term {text!r} does not name the axes of array {k}, {shape}")
    under = max(n if "..." in text else 0 for text, n in zip(texts, counts, strict=True))
    terms = tuple(_term(text, n) for text, n in zip(texts, counts, strict=True))
    named = [i for term in terms for i in term if isinstance(i, str)]
    if not arrow:
        once = sorted(i for i in set(named) if named.count(i) == 1)
        return terms, (*range(-under, 0), *once)
    out = _term(right, under)
    for i in out:
        if isinstance(i, str) and (i not in named or out.count(i) > 1):
            reason = "twice" if i in named else "and no array has it"
            raise ShapeError(f"the result names {i!r} {reason}")
    return terms, out


def _term(text: str, under: int) -> Indices:
    """Return the indices of one term, whose ellipsis stands for so many axes."""
    before, dots, after = text.partition("...")
    wrong = set(before + after) - set(LETTERS)
    if wrong:
        raise ShapeError(f"the term {text!r} has {min(wrong)!r}: letters, '...', ',' and '->' only")
    return (*before, *(range(-under, 0) if dots else ()), *after)


def _sizes(terms: Sequence[Indices], shapes: Sequence[Shape]) -> dict[Index, int]:
    """Return the size of every index; one element stretches to fit the others."""
    sizes: dict[Index, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for i, n in zip(term, shape, strict=True):
            known = sizes.setdefault(i, n)
            if known == 1:
                sizes[i] = n
            elif n not in (1, known):
                who = f"index {i!r}" if isinstance(i, str) else f"axis {i} under the ellipsis"
                raise ShapeError(f"{who} has sizes {known} and {n}")
        own = [(i, n) for i, n in zip(term, shape, strict=True) if term.count(i) > 1]
        if len(set(own)) > len({i for i, _ in own}):
            raise ShapeError(f"index {own[0][0]!r} names axes of different sizes of {shape}")
    return sizes


def _single(x: Any, term: Indices, kept: Indices) -> Any:
    """Return x with its repeated indices on the diagonal, and only those kept, in their order."""
    for i in dict.fromkeys(term):
        while term.count(i) > 1:
            first = term.index(i)
            second = term.index(i, first + 1)
            x = diagonal(x, 0, first, second)
            term = (*term[:first], *term[first + 1 : second], *term[second + 1 :], i)
    spare = [axis for axis, i in enumerate(term) if i not in kept]
    if spare:
        x = sum(x, tuple(spare))
    left = [i for i in term if i in kept]
    return x if tuple(left) == kept else permute(x, tuple(left.index(i) for i in kept))


def _read(equation: Any, operands: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Return the equation as a string and the arrays, of a call in any of three forms."""
    if isinstance(equation, str):
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = tuple(operands[0])
        return equation.replace(" ", ""), operands
    given = (equation, *operands)
    texts = ["".join("..." if i is ... else LETTERS[i] for i in part) for part in given[1::2]]
    text = ",".join(texts)
    if len(given) % 2:  # the last list is the result's
        text += "->" + "".join("..." if i is ... else LETTERS[i] for i in given[-1])
    return text, given[: 2 * len(texts) : 2]


def einsum(equation: Any, *operands: Any) -> Any:
    """Sums of products: einsum("bij,bjk->bik", a, b), or einsum(a, [0, 1], b, [1, 2], [0, 2]).

    Indices that the result does not name are summed; one named twice in a term takes the
    diagonal; "..." stands for axes that broadcast; without "->" the result names, in order of
    the alphabet, the indices that occur once.
    """
    text, arrays = _read(equation, operands)
    try:
        steps = _steps(text, tuple([tuple(x.shape) for x in arrays]))
    except ShapeError as error:
        raise blamed(f"einsum({text!r})", arrays, error) from None
    waiting = list(arrays)
    for step in steps:
        taken = [waiting.pop(place) for place in reversed(step.places)][::-1]
        taken = [
            x if term == kept else _single(x, term, kept)
            for x, term, kept in zip(taken, step.terms, step.kept, strict=True)
        ]
        if len(taken) == 2:
            taken = [apply(contract.op, taken, ((*step.kept, step.out),))]
        waiting += taken
    return waiting[0]


@aliased
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Sum of products over the last `dims` axes of a and the first of b, or over two lists."""
    n, m = len(a.shape), len(b.shape)
    if isinstance(dims, int):
        dims = (range(n - dims, n), range(dims))
    left, right = (
        dims_of(size, tuple(d)) if len(d) else () for size, d in zip((n, m), dims, strict=True)
    )
    sizes = tuple(a.shape[i] for i in left), tuple(b.shape[i] for i in right)
    pairs = zip(*sizes, strict=False)
    if len(left) != len(right) or any(1 not in pair and len({*pair}) == 2 for pair in pairs):
        raise ShapeError(
            f"the axes {left} and {right} have sizes {sizes[0]} and {sizes[1]}: they must agree"
        )
    in_a, in_b = LETTERS[:n], list(LETTERS[n : n + m])
    for i, j in zip(left, right, strict=True):
        in_b[j] = in_a[i]
    free = [i for i in (*in_a, *in_b) if (i in in_a) != (i in in_b)]
    return einsum(f"{in_a},{''.join(in_b)}->{''.join(free)}", a, b)
