"""What must hold of every picture, as a list of what does not; the SVG is read back as XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from autograd_core.render.fonts import shown
from autograd_core.render.view import View

SPACE = "http://www.w3.org/2000/svg"
TIP = 8


def parsed(text: str) -> Any:
    """Return the root; a document type is refused before anything is read."""
    assert "<!" not in text
    return ElementTree.fromstring(text)


def of_class(root: Any, name: str) -> list[Any]:
    return [one for one in root.iter() if name in one.get("class", "").split()]


def tag(one: Any) -> str:
    return one.tag.removeprefix(f"{{{SPACE}}}")


def texts(one: Any) -> list[str]:
    return [child.text or "" for child in one.iter() if tag(child) == "text"]


def child(one: Any, name: str) -> Any:
    return next((c for c in one if tag(c) == name), None)


def path_points(d: str) -> list[tuple[float, float]]:
    """Return where the pieces of a path end, for the commands that the writer uses."""
    x = y = 0.0
    points: list[tuple[float, float]] = []
    for command, rest in re.findall(r"([a-zA-Z])([^a-zA-Z]*)", d):
        numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", rest)]
        if command == "V":
            y = numbers[-1]
        elif command == "H":
            x = numbers[-1]
        elif command == "v":
            y += numbers[-1]
        elif command == "m":
            x, y = x + numbers[0], y + numbers[1]
        else:
            assert command in "MLCQ", command
            x, y = numbers[-2:]
        points.append((x, y))
    return points


def place(node: Any) -> tuple[float, float, float, float]:
    """Return a box's left, top, width and height."""
    x, y = re.findall(r"-?\d+", node.get("transform"))
    rect = child(node, "rect")
    return float(x), float(y), float(rect.get("width")), float(rect.get("height"))


def form(text: str, root: Any) -> Iterator[str]:
    """Well formed, named and described, without scripts or anything from outside."""
    left, top, width, height = map(float, root.get("viewBox").split())
    if (left, top) != (0, 0) or min(width, height) <= 0:
        yield f"viewBox is {root.get('viewBox')}"
    if root.get("role") != "img" or [tag(c) for c in root][:2] != ["title", "desc"]:
        yield "the root has no role, title or description"
    if not all((child(root, name).text or "").strip() for name in ("title", "desc")):
        yield "title or description is empty"
    for one in root.iter():
        if tag(one) in ("script", "foreignObject", "image", "use", "a"):
            yield f"there is a <{tag(one)}>"
        for key in one.attrib:
            if key.startswith("on") or key == "style" or key.endswith("href"):
                yield f"there is an attribute {key}"
    if re.search(r"url\((?!#)|@import|@font-face", text):
        yield "the style asks for something from outside"


def nodes(view: View, root: Any) -> Iterator[str]:
    """Every box once, in order, with its data, titled, its text inside."""
    found = of_class(root, "node")
    if len(found) != len(view.boxes):
        yield f"{len(found)} nodes for {len(view.boxes)} boxes"
    if len({node.get("data-id") for node in found}) != len(found):
        yield "an id stands twice"
    for node, box in zip(found, view.boxes, strict=False):
        for key in ("id", "op", "name", "shape", "dtype", "value"):
            if node.get(f"data-{key}") != (shown(getattr(box, key) or "") or None):
                yield f"{box.id}: data-{key} is {node.get(f'data-{key}')!r}"
        if node.get("role") != "listitem" or not child(node, "title").text:
            yield f"{box.id} is not a titled item of a list"
        said = " ".join(texts(node))
        for part in (box.title, *box.lines, *box.badges):
            if shown(part)[:30] not in said:
                yield f"{box.id} does not show {part!r}"


def edges(view: View, root: Any) -> Iterator[str]:
    """Every arrow once, between its boxes, from border to slot."""
    found = of_class(root, "edge")
    if len(found) != len(view.arrows):
        yield f"{len(found)} edges for {len(view.arrows)} arrows"
    boxes = {node.get("data-id"): place(node) for node in of_class(root, "node")}
    into: dict[str, list[int]] = {}
    for i, arrow in enumerate(view.arrows):
        into.setdefault(arrow.target, []).append(i)
    for arrows in into.values():
        arrows.sort(key=lambda i: view.arrows[i].slot)
    for i, (edge, arrow) in enumerate(zip(found, view.arrows, strict=False)):
        said = [edge.get(f"data-{key}") for key in ("src", "dst", "slot")]
        if not {said[0], said[1]} <= boxes.keys():
            yield f"arrow {i} joins {said}"
            continue
        if said != [shown(arrow.source), shown(arrow.target), str(arrow.slot)]:
            yield f"arrow {i} says {said}"
            continue
        points = path_points(child(edge, "path").get("d"))
        x, y, width, height = boxes[said[0]]
        if not (x < points[0][0] < x + width and points[0][1] == y + height):
            yield f"arrow {i} begins at {points[0]}"
        x, y, width, _ = boxes[said[1]]
        others = into[arrow.target]
        slot = x + width * (2 * others.index(i) + 1) // (2 * len(others))
        if points[-1] != (slot, y - TIP):
            yield f"arrow {i} ends at {points[-1]}, its slot is at {(slot, y)}"


def clusters(view: View, root: Any) -> Iterator[str]:
    ids = {cluster.get("data-id") for cluster in of_class(root, "cluster")}
    filled = {shown(box.cluster) for box in view.boxes if box.cluster is not None}
    parents = {shown(c.id): c.parent for c in view.clusters}
    for known in list(filled):
        while (parent := parents[known]) is not None:
            known = shown(parent)
            filled.add(known)
    if ids != filled:
        yield f"clusters {sorted(ids)} for {sorted(filled)}"


def faults(view: View, text: str) -> list[str]:
    """Everything that is wrong with a picture of a view."""
    try:
        root = parsed(text)
    except ElementTree.ParseError as error:
        return [f"this is no XML: {error}"]
    return [*form(text, root), *nodes(view, root), *edges(view, root), *clusters(view, root)]
