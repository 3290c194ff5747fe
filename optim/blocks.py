"""Elementwise rules on arrays of a good size: small parameters are joined, large ones are cut.

An elementwise rule does not mind how elements are spread over arrays, and gives the same bits
for any spread. One call of it on fifty small parameters costs what it costs on one; and blocks of
a large one stay in the cache while the rule goes over them again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from autograd_core import ShapeError

Array = NDArray[Any]
Slots = dict[str, Any]  # what an optimiser remembers of one parameter: arrays, numbers, None
Group = dict[str, Any]
Rule = Callable[[Array, Array, Slots, Group], Array]

ndarray = np.ndarray
SMALL = 2048  # elements of the largest parameter that is joined
BLOCK = 32768  # elements that are updated at a time


def is_array(slot: Any) -> TypeGuard[Array]:
    """Tell a slot that has an element for every element of the parameter, or nearly so."""
    return isinstance(slot, ndarray)


def whole(rule: Rule, w: Array, g: Array, s: Slots, group: Group) -> None:
    """Update one parameter in place by one call of the rule."""
    after = dict(s)
    new = rule(w, g, after, group)
    for name, slot in after.items():
        if hasattr(slot, "shape"):  # an array, or what NumPy makes of one without axes
            if not is_array(s.get(name)):
                s[name] = np.empty(np.shape(slot), w.dtype)
            s[name][...] = slot
        else:
            s[name] = slot
    w[...] = new


def cut(rule: Rule, w: Array, g: Array, s: Slots, group: Group) -> None:
    """Update one parameter in place, one block after the other."""
    arrays = [slot for slot in s.values() if is_array(slot)]
    if not all(x.flags.c_contiguous for x in (w, *arrays)):
        return whole(rule, w, g, s, group)
    before, flat_w, flat_g = dict(s), w.reshape(-1), np.ascontiguousarray(g).reshape(-1)
    flat = {name: x.reshape(-1) for name, x in s.items() if is_array(x)}
    for start in range(0, w.size, BLOCK):
        here = slice(start, start + BLOCK)
        part = {name: flat[name][here] if name in flat else x for name, x in before.items()}
        new = rule(flat_w[here], flat_g[here], after := dict(part), group)
        for name, slot in after.items():
            if not is_array(slot):
                s[name] = slot
                continue
            if not is_array(s.get(name)):  # the first block of what comes only now
                s[name] = np.empty(w.shape, w.dtype)
            s[name].reshape(-1)[here] = slot
        flat_w[here] = new


class Row:
    """Room for several arrays end to end: `flat` is all of it, `pieces` are its parts in shape."""

    def __init__(self, shapes: Sequence[tuple[int, ...]], dtype: np.dtype[Any]) -> None:
        ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)]).tolist()
        self.flat = np.empty(ends[-1], dtype)
        self.pieces = [
            self.flat[ends[i] : ends[i + 1]].reshape(shape) for i, shape in enumerate(shapes)
        ]

    def gather(self, arrays: Sequence[Array]) -> Array:
        """Copy the arrays in."""
        for piece, x in zip(self.pieces, arrays, strict=True):
            piece[...] = x
        return self.flat

    def scatter(self, flat: Array, arrays: Sequence[Array]) -> None:
        """Copy new values out to the arrays."""
        self.flat[...] = flat
        for piece, x in zip(self.pieces, arrays, strict=True):
            x[...] = piece


class Joint:
    """Small parameters of one dtype and with the same counts, updated as one array."""

    def __init__(self, places: list[int], shapes: list[tuple[int, ...]], like: Array, s: Slots):
        self.places, self.shapes, self.dtype = places, shapes, like.dtype
        self.w, self.g = Row(shapes, like.dtype), Row(shapes, like.dtype)
        self.slots = {name: self._row() for name, x in s.items() if is_array(x)}
        self.columns: dict[str, list[Any]] = {}

    def _row(self) -> Row:
        return Row(self.shapes, self.dtype)

    def collect(self, states: list[Slots]) -> bool:
        """Look up every slot of all parameters; tell whether they are still alike."""
        mine = [states[i] for i in self.places]
        count = len(mine)
        for name in mine[0]:
            self.columns[name] = column = [s[name] for s in mine]
            if name in self.slots:
                if [x.__class__ for x in column].count(ndarray) != count:
                    return False
            elif column[0].__class__ is ndarray or column.count(column[0]) != count:
                return False
        return True

    def update(
        self, rule: Rule, ws: list[Array], gs: list[Array], states: list[Slots], group: Group
    ) -> None:
        """Update all parameters in place by one call of the rule; the columns are collected."""
        columns, ws = self.columns, [ws[i] for i in self.places]
        s = {
            name: self.slots[name].gather(column) if name in self.slots else column[0]
            for name, column in columns.items()
        }
        g = self.g.gather([gs[i] for i in self.places])
        w = rule(self.w.gather(ws), g, s, group)
        for name, slot in s.items():
            if is_array(slot):
                if name not in self.slots:  # it comes only now
                    self.slots[name] = self._row()
                    columns[name] = [np.empty(shape, self.dtype) for shape in self.shapes]
                    for i, x in zip(self.places, columns[name], strict=True):
                        states[i][name] = x
                self.slots[name].scatter(slot, columns[name])
            elif name not in columns or slot is not columns[name][0]:
                for i in self.places:
                    states[i][name] = slot
        self.w.scatter(w, ws)


class Blocks:
    """How the parameters of one group that have gradients are joined and cut."""

    def __init__(self, who: str, elementwise: bool) -> None:
        self.who, self.elementwise = who, elementwise
        self.ws: list[Array] = []
        self.shapes: list[tuple[int, ...]] = []
        self.dtypes: list[np.dtype[Any]] = []
        self.joints: list[Joint] = []
        self.alone: list[int] = []

    def update(
        self, rule: Rule, ws: list[Array], gs: list[Array], states: list[Slots], group: Group
    ) -> None:
        """Update all parameters in place."""
        if not self._still_fit(ws, states):
            self._arrange(ws, states)
        if [g.shape for g in gs] != self.shapes or [g.dtype for g in gs] != self.dtypes:
            self._refuse(gs)
        for joint in self.joints:
            joint.update(rule, ws, gs, states, group)
        one = cut if self.elementwise else whole
        for i in self.alone:
            one(rule, ws[i], gs[i], states[i], group)

    def _refuse(self, gs: list[Array]) -> None:
        for w, g in zip(self.ws, gs, strict=True):
            if (w.shape, w.dtype) != (g.shape, g.dtype):
                raise ShapeError(
                    f"{self.who} got a gradient of shape {g.shape} and {g.dtype} for a parameter "
                    f"of shape {w.shape} and {w.dtype}: its data was replaced since backward()"
                )

    def _still_fit(self, ws: list[Array], states: list[Slots]) -> bool:
        """Tell whether these are the arrays of last time, and their counts still go together."""
        return (
            len(ws) == len(self.ws)
            and all(map(is_, ws, self.ws))
            and all([joint.collect(states) for joint in self.joints])
        )

    def _arrange(self, ws: list[Array], states: list[Slots]) -> None:
        """Sort small parameters by what a call of the rule has in common, up to a block each."""
        self.ws, self.shapes, self.dtypes = ws, [w.shape for w in ws], [w.dtype for w in ws]
        self.alone = [i for i, w in enumerate(ws) if w.size > SMALL or not self.elementwise]
        alone = set(self.alone)
        alike: dict[Any, list[list[int]]] = {}
        filled: dict[Any, int] = {}
        for i, w in enumerate(ws):
            if i not in alone:
                key = (w.dtype, *[(name, _kind(slot)) for name, slot in states[i].items()])
                if key not in alike or filled[key] + w.size > BLOCK:
                    alike.setdefault(key, []).append([])
                    filled[key] = 0
                alike[key][-1].append(i)
                filled[key] += w.size
        self.joints = [
            Joint(places, [ws[i].shape for i in places], ws[places[0]], states[places[0]])
            for lists in alike.values()
            for places in lists
        ]
        for joint in self.joints:
            joint.collect(states)


def _kind(slot: Any) -> Any:
    return ndarray if is_array(slot) else slot
