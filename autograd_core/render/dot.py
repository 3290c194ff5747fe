"""A view in the DOT language, for Graphviz and whatever else reads it."""

from __future__ import annotations

from .view import Arrow, Box, View

_STYLES = {
    "op": 'shape=box style="rounded,filled" fillcolor="#e8eef7"',
    "leaf": 'shape=box style=filled fillcolor="#fbe9c6"',
    "input": 'shape=box style="filled,dashed" fillcolor="#f0f0f0"',
    "constant": 'shape=box style="filled,dashed" fillcolor="#f0f0f0"',
    "alias": 'shape=box style="filled,dotted" fillcolor="#fbe9c6"',
    "fold": 'shape=box3d style=filled fillcolor="#e8eef7"',
    "module": 'shape=box3d style=filled fillcolor="#dfe9df"',
    "error": 'shape=box style="filled,bold" color="#b00020" fillcolor="#fde7ea"',
}


def view_dot(view: View) -> str:
    """Return the view as DOT: boxes within their clusters, one arrow for each operand."""
    lines = [
        "digraph {",
        "  rankdir=TB",
        '  node [fontname="Helvetica" fontsize=11]',
        '  edge [fontname="Helvetica" fontsize=9]',
    ]
    opened: list[str | None] = []
    parents = {cluster.id: cluster.parent for cluster in view.clusters}
    numbers = {cluster.id: i for i, cluster in enumerate(view.clusters)}
    titles = {cluster.id: cluster.title for cluster in view.clusters}
    for box in view.boxes:
        chain = _chain(box.cluster, parents)
        shared = 0
        while shared < min(len(chain), len(opened)) and chain[shared] == opened[shared]:
            shared += 1
        lines += ["  }"] * (len(opened) - shared)
        for cluster in chain[shared:]:
            lines.append(
                f"  subgraph cluster_{numbers[cluster]} {{ label={quoted(titles[cluster])}"
            )
        opened = [*chain]
        lines.append(f"  {_id(box.id)} [label={quoted(_label(box))} {_STYLES[box.kind]}]")
    lines += ["  }"] * len(opened)
    lines += [_arrow(arrow) for arrow in view.arrows]
    return "\n".join([*lines, "}", ""])


def _chain(cluster: str | None, parents: dict[str, str | None]) -> list[str]:
    """Return the clusters around, the outermost first."""
    chain: list[str] = []
    while cluster is not None:
        chain.append(cluster)
        cluster = parents[cluster]
    return chain[::-1]


def _label(box: Box) -> str:
    return "\n".join([box.title, *box.lines, *box.badges])


def _arrow(arrow: Arrow) -> str:
    label = " ".join(x for x in (arrow.slot_name, arrow.label) if x)
    facts = [f"label={quoted(label)}"] if label else []
    if arrow.count > 1:
        facts.append(f"penwidth={min(6, arrow.count)}")
    if arrow.dotted or arrow.state == "none":
        facts.append("style=dotted" if arrow.dotted else "style=dashed")
    attributes = f" [{' '.join(facts)}]" if facts else ""
    return f"  {_id(arrow.source)} -> {_id(arrow.target)}{attributes}"


def _id(id: str) -> str:
    return id if id.isascii() and id.isalnum() else quoted(id)


def quoted(text: str) -> str:
    """Return text as a DOT string; nothing in it can end the string or act as markup."""
    clean = "".join(
        [c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text]
    )
    escaped = clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
