"""Elementwise rules on arrays of a good size: small parameters are joined, large ones are cut.

An elementwise rule does not mind how elements are spread over arrays, and gives the same bits
for any spread. One call of it on fifty small parameters costs what it costs on one; and blocks of
a large one stay in the cache while the rule goes over them again and again. Where a kernel does
what the rule says, and parameters are large enough together, it updates all by one call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import is_
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

import kernels
from autograd_core import ShapeError, versions
from autograd_core.kernel_sizes import FLOATS

if TYPE_CHECKING:
    from .optimizer import Optimizer

Array = NDArray[Any]
Slots = dict[str, Any]  # what an optimiser remembers of one parameter: arrays, numbers, None
Group = dict[str, Any]
Rule = Callable[[Array, Array, Slots, Group], Array]

ndarray = np.ndarray
SMALL = 2048  # elements of the largest parameter that is joined
BLOCK = 32768  # elements that are updated at a time
# Elements that are worth a kernel, all parameters together. With fewer NumPy takes a fraction of
# a millisecond, and a small network does not wait for Numba to load. Bits are the same either way.
KERNEL = 16384


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


class Alike:
    """Parameters of one dtype and with the same counts: their places, and their slots by name."""

    def __init__(self, places: list[int], states: list[Slots]) -> None:
        self.places = places
        mine = [states[i] for i in places]
        self.columns: dict[str, list[Any]] = {name: [s[name] for s in mine] for name in mine[0]}

    def collect(self, states: list[Slots]) -> bool:
        """Look up every slot of all; tell whether arrays are the same and counts still alike."""
        mine = [states[i] for i in self.places]
        count = len(mine)
        for name, known in self.columns.items():
            column = [s[name] for s in mine]
            if is_array(known[0]):
                if not all(map(is_, column, known)):
                    return False
                continue
            kind = column[0].__class__
            if kind is ndarray or [x.__class__ for x in column].count(kind) != count:
                return False
            if column.count(column[0]) != count:
                return False
            self.columns[name] = column
        return True

    def first(self) -> Slots:
        """Return the state of the first of them, whose counts are those of all."""
        return {name: column[0] for name, column in self.columns.items()}

    def spread(self, s: Slots, states: list[Slots]) -> None:
        """Give every parameter the counts of s."""
        for name, slot in s.items():
            known = self.columns.get(name)
            if not is_array(slot) and (known is None or slot is not known[0]):
                self.columns[name] = [slot] * len(self.places)
                for i in self.places:
                    states[i][name] = slot


class Table(Alike):
    """Parameters that one call of a kernel updates: a row of ids for each, w, g and its slots."""

    def __init__(
        self, places: list[int], ws: list[Array], states: list[Slots], names: Sequence[str]
    ) -> None:
        super().__init__(places, states)
        self.like = np.empty(0, ws[places[0]].dtype)
        self.ids = np.zeros((len(places), 2 + len(names)), np.int64)
        self.ids[:, 0] = [id(ws[i]) for i in places]
        for k, name in enumerate(names, 2):
            if name:
                self.ids[:, k] = [id(x) for x in self.columns[name]]

    def update(
        self, optimizer: Optimizer, gs: list[Array], states: list[Slots], group: Group
    ) -> None:
        """Update all parameters in place; the columns are collected."""
        gradients = [_in_order(gs[i]) for i in self.places]
        self.ids[:, 1] = [id(g) for g in gradients]
        arguments = optimizer.arguments(s := self.first(), group)
        getattr(kernels.call, optimizer.kernel)(self.like, self.ids, *arguments)
        self.spread(s, states)


def _in_order(g: Array) -> Array:
    flags = g.flags
    return g if flags.c_contiguous and flags.aligned else np.array(g, order="C")


def _suits(w: Array, s: Slots, names: Sequence[str]) -> bool:
    """Tell whether a kernel can write to a parameter and to its slots of these names."""
    arrays = [w, *(s.get(name) for name in names if name)]
    return all(
        is_array(x) and x.flags.carray and (x.dtype, x.size) == (w.dtype, w.size) for x in arrays
    )


class Joint(Alike):
    """Small parameters of one dtype and with the same counts, updated as one array."""

    def __init__(self, places: list[int], ws: list[Array], states: list[Slots]) -> None:
        super().__init__(places, states)
        self.shapes, self.dtype = [ws[i].shape for i in places], ws[places[0]].dtype
        self.w, self.g = self._row(), self._row()
        self.slots = {name: self._row() for name, x in self.first().items() if is_array(x)}

    def _row(self) -> Row:
        return Row(self.shapes, self.dtype)

    def update(
        self, rule: Rule, ws: list[Array], gs: list[Array], states: list[Slots], group: Group
    ) -> None:
        """Update all parameters in place by one call of the rule; the columns are collected."""
        columns, ws = self.columns, [ws[i] for i in self.places]
        s = self.first() | {name: row.gather(columns[name]) for name, row in self.slots.items()}
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
        self.spread(s, states)
        self.w.scatter(w, ws)


class Blocks:
    """How the parameters of one group that have gradients are put together and cut."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.names: Sequence[str] | None = None  # the kernel's columns, where one is to run
        self.ws: list[Array] = []
        self.shapes: list[tuple[int, ...]] = []
        self.dtypes: list[np.dtype[Any]] = []
        self.tables: list[Table] = []
        self.joints: list[Joint] = []
        self.alone: list[int] = []
        self.waiting = False

    def update(
        self,
        optimizer: Optimizer,
        ws: list[Array],
        gs: list[Array],
        states: list[Slots],
        group: Group,
    ) -> None:
        """Update all parameters in place."""
        names = optimizer.columns(group) if optimizer.kernel else None
        if names != self.names or not self._still_fit(ws, states):
            self.names = names
            self._arrange(optimizer.elementwise, ws, states)
        if [g.shape for g in gs] != self.shapes or [g.dtype for g in gs] != self.dtypes:
            self._refuse(gs)
        for table in self.tables:
            table.update(optimizer, gs, states, group)
        rule = optimizer.rule
        for joint in self.joints:
            joint.update(rule, ws, gs, states, group)
        one = cut if optimizer.elementwise else whole
        for i in self.alone:
            one(rule, ws[i], gs[i], states[i], group)
        if self.waiting:  # the rule has just made the slots that the kernel was waiting for
            self.ws = []

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
            and all([alike.collect(states) for alike in (*self.tables, *self.joints)])
        )

    def _arrange(self, elementwise: bool, ws: list[Array], states: list[Slots]) -> None:
        """Sort parameters by what an update has in common: for the kernel, joined, or alone."""
        self.ws, self.shapes, self.dtypes = ws, [w.shape for w in ws], [w.dtype for w in ws]
        self.tables, self.joints, self.waiting = [], [], False
        self.alone = _overlapping(ws) if elementwise else list(range(len(ws)))
        for places in _alike(ws, states, set(self.alone)):
            left = self._for_kernel(places, ws, states)
            self.alone += [i for i in left if ws[i].size > SMALL]
            rows = _rows([i for i in left if ws[i].size <= SMALL], ws)
            self.joints += [Joint(row, ws, states) for row in rows]

    def _for_kernel(self, places: list[int], ws: list[Array], states: list[Slots]) -> list[int]:
        """Put what the kernel can update in a table, if it is enough; return the places left."""
        names = self.names
        if names is None or ws[places[0]].dtype not in FLOATS:
            return places
        if sum([ws[i].size for i in places]) < KERNEL:
            return places
        self.waiting |= any(states[places[0]].get(name, 0) is None for name in names)
        suiting = [i for i in places if _suits(ws[i], states[i], names)]
        if suiting:
            self.tables.append(Table(suiting, ws, states, names))
        taken = set(suiting)
        return [i for i in places if i not in taken]


def _overlapping(ws: list[Array]) -> list[int]:
    """Return the places of parameters on the same memory: one is updated after the other."""
    owners = [id(versions.owner(w)) for w in ws]
    counts = Counter(owners)
    if len(counts) == len(ws):
        return []
    shared = [i for i, who in enumerate(owners) if counts[who] > 1]
    in_order = sorted(shared, key=lambda i: ws[i].ctypes.data)
    return shared if any(np.may_share_memory(ws[i], ws[j]) for i, j in pairwise(in_order)) else []


def _alike(ws: list[Array], states: list[Slots], but: set[int]) -> list[list[int]]:
    """Return the places of parameters of one dtype and with the same counts, of each kind."""
    places: dict[Any, list[int]] = {}
    for i, w in enumerate(ws):
        if i not in but:
            kinds = [(name, ndarray if is_array(x) else x) for name, x in states[i].items()]
            places.setdefault((w.dtype, *kinds), []).append(i)
    return list(places.values())


def _rows(places: list[int], ws: list[Array]) -> list[list[int]]:
    """Share small parameters out, a block at most to each row."""
    rows: list[list[int]] = []
    filled = 0
    for i in places:
        if not rows or filled + ws[i].size > BLOCK:
            rows.append([])
            filled = 0
        rows[-1].append(i)
        filled += ws[i].size
    return rows
