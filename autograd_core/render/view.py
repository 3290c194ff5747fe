"""What a picture shows: boxes, arrows and clusters, chosen from a graph and not yet placed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Box:
    """One box: an op, a leaf, an input, another use of a leaf, a fold or a closed module."""

    id: str  # stable: "n12", "n12.use3", "fold4", "module:layer1.0"
    kind: str  # "op", "leaf", "input", "constant", "alias", "fold", "module", "error"
    op: str  # the op's name, or the module's class
    title: str  # what stands largest: the op's label, the leaf's name, the module's path
    lines: tuple[str, ...] = ()  # further lines: "f32[64, 10]", "value 0.31", "grad 1.2e-3"
    cluster: str | None = None  # id of the innermost open cluster it stands in
    node: int | None = None  # number of the graph's node, where it is one
    name: str | None = None
    shape: str = ""
    dtype: str = ""
    value: str = ""  # text of the value, where one number tells it
    grad_rms: float | None = None  # None: no gradient
    level: float | None = None  # 0..1: place on the colour scale of `View.color_by`
    group: str | None = None  # for colours by kind ("op", "module"): which
    heat: tuple[float, ...] = ()  # up to 16 values, as a strip
    badges: tuple[str, ...] = ()  # "NaN born here", "vanishing 1e-6", "x12 same weights"
    saved_bytes: int | None = None  # None: nothing saved
    freed: bool = False  # saved once, freed by backward
    order: int = 0  # 0 forward, 1 backward, 2 backward of backward
    tooltip: str = ""  # source line, attributes
    stack: bool = False  # drawn as several sheets: a fold or a closed module with many inside


@dataclass(frozen=True)
class Arrow:
    """One argument slot: from the box that made the value to the box that uses it."""

    source: str
    target: str
    slot: int = 0  # position among the target's operands
    slot_name: str = ""  # shown where the op is not commutative
    label: str = ""  # what is written on it: the contribution, a shape
    contribution: float | None = None  # RMS of what backward sent along it
    state: str = ""  # "", "none" (no gradient flows), "zero", "nonfinite"
    count: int = 1  # how many slots it stands for, between folded boxes
    dotted: bool = False  # a view of the same memory
    order: int = 0


@dataclass(frozen=True)
class Cluster:
    """An open module: a frame around its boxes and its inner clusters."""

    id: str
    title: str
    parent: str | None = None
    badges: tuple[str, ...] = ()
    grad_rms: float | None = None


@dataclass(frozen=True)
class View:
    """A picture's content, boxes in topological order."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    clusters: tuple[Cluster, ...] = ()
    title: str = ""
    description: str = ""  # a sentence: "12 operations, 5 parameters, loss 0.31"
    caption: str = ""  # below the picture: totals
    color_by: str = "grad"  # "grad", "value", "time", "bytes", "op", "module", "roofline"
    scale: tuple[float, float] | None = None  # what 0 and 1 of `level` stand for
    outputs: tuple[str, ...] = field(default=())  # ids of the boxes that are results
