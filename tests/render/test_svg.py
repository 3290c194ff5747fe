"""Pictures: complete, readable in every theme, safe whatever the names, the same every time."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_core as ag
from autograd_core.render import cards, colors, fonts, sheet, svg
from autograd_core.render.view import Arrow, Box, Cluster, View
from tests.render import inspection, views
from tests.render.gallery import GALLERY

ROOT = Path(__file__).resolve().parents[2]
THEMES = ("light", "dark", "print", "auto")


@cache
def view_of(name: str) -> View:
    return GALLERY[name]()


@pytest.mark.parametrize("name", GALLERY)
def test_a_program_s_picture_has_no_fault(name: str) -> None:
    assert inspection.faults(view_of(name), svg.write(view_of(name))) == []


@pytest.mark.parametrize("name", views.SHAPES)
def test_a_chosen_shape_s_picture_has_no_fault(name: str) -> None:
    assert inspection.faults(views.SHAPES[name], svg.write(views.SHAPES[name])) == []


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), boxes=st.integers(0, 80))
def test_a_random_graph_s_picture_has_no_fault(seed: int, boxes: int) -> None:
    view = views.random_view(seed, boxes)
    assert inspection.faults(view, svg.write(view)) == []


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_draws_the_same_shapes(theme: str) -> None:
    text = svg.write(view_of("batch_norm"), theme=theme)
    assert inspection.faults(view_of("batch_norm"), text) == []
    assert f'class="ag-{theme}"' in text
    assert ("prefers-color-scheme:dark" in text) == (theme == "auto")


def test_nothing_is_fetched_and_nothing_runs() -> None:
    for name in GALLERY:
        text = svg.write(view_of(name)).replace(f'xmlns="{inspection.SPACE}"', "")
        assert "http" not in text
        assert "script" not in text
        assert "href" not in text


# Drawn wrongly on purpose: the checks above must see it.


def without_an_edge(text: str) -> str:
    return re.sub(r'<g class="edge".*?</g>', "", text, count=1)


def with_slots_exchanged(text: str) -> str:
    a, b = re.findall(r'<g class="edge".*?</g>', text)[:2]
    d = [re.search(r' d="[^"]*"', edge).group() for edge in (a, b)]
    return text.replace(a, a.replace(d[0], d[1])).replace(b, b.replace(d[1], d[0]))


def with_an_id_again(text: str) -> str:
    return text.replace('data-id="n1"', 'data-id="n0"', 1)


def without_a_title(text: str) -> str:
    return re.sub(r'(role="listitem"[^>]*>)<title>.*?</title>', r"\1<title></title>", text, count=1)


def with_a_box_moved(text: str) -> str:
    return re.sub(r"translate\((\d+) (\d+)\)(?=\"><title>op1)", r"translate(\1 2)", text)


def with_a_line_lost(text: str) -> str:
    return text.replace(">f32[4]</text>", "></text>", 1)


MUTATIONS = [
    without_an_edge,
    with_slots_exchanged,
    with_an_id_again,
    without_a_title,
    with_a_box_moved,
    with_a_line_lost,
]


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mistake_in_the_picture_is_seen(mutation: Callable[[str], str]) -> None:
    view = views.SQUARE
    text = svg.write(view)
    assert mutation(text) != text
    assert inspection.faults(view, text) == []
    assert inspection.faults(view, mutation(text)) != []


def test_a_name_that_is_not_escaped_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    view = named("<b>x</b>")
    monkeypatch.setattr(cards, "escaped", lambda text: text)
    assert inspection.faults(view, svg.write(view)) != []


HOSTILE = [
    "<lambda>", "<b>x</b>", "a->b", "{x|y}", '"', "'", "\\", "\\N", "\\l", "a\\", "&amp;", "]]>",
    "</script><script>", "<!--", "javascript:", "%0A", "a\nb", "a\tb", "\x00", "\x01", "\ufffe",
    "\ud800", "\u202eabc", "e\u0301\u0327", "\N{GRINNING FACE}", "x" * 10_000, "", " ", "digraph",
    "node", "cluster_0", "__proto__", "\x7f\x85\u2028", "日本語",
]  # fmt: skip


def named(name: str) -> View:
    boxes = (
        Box("n0", "leaf", name, name, (name,), None, name=name, shape=name, tooltip=name),
        Box("n1", "op", "mul", name, (), "c", badges=(name,), group=name),
    )
    arrows = (Arrow("n0", "n1", 0, name, name), Arrow("n0", "n1", 1))
    frames = (Cluster("c", name, badges=(name,)),)
    return View(boxes, arrows, frames, name, name, name)


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:20]))
def test_a_hostile_name_stays_a_name(name: str) -> None:
    view = named(name)
    text = svg.write(view)
    text.encode("utf-8")
    assert inspection.faults(view, text) == []
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ufffe]", text)
    plain = [one.tag for one in inspection.parsed(svg.write(named("x"))).iter()]
    tags = {one.tag for one in inspection.parsed(text).iter()}
    assert tags <= set(plain)


def test_ids_may_be_hostile_too() -> None:
    ids = ['"><script>', "&#0;"]
    boxes = tuple(Box(key, "op", "mul", "mul") for key in ids)
    view = View(boxes, (Arrow(ids[0], ids[1]),))
    assert inspection.faults(view, svg.write(view)) == []


def test_control_characters_are_shown_as_replacement_characters() -> None:
    text = svg.write(named("a\x01b\nc"))
    assert 'data-name="a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"' in text


def test_the_same_program_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "from tests.render.gallery import GALLERY\n"
        "from autograd_core.render.svg import write\n"
        "for name in ('lenet', 'scalar_network', 'residual'):\n"
        "    print(write(GALLERY[name]()))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PATH": "", "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len(runs[0]) > 50_000


@pytest.mark.parametrize("name", GALLERY)
def test_a_picture_is_small(name: str) -> None:
    view = view_of(name)
    strips = any(box.heat for box in view.boxes)
    each = 2_000 if strips else 900
    assert len(svg.write(view).encode()) <= each * len(view.boxes) + 15_000


def test_a_thousand_boxes_with_names_and_gradients_stay_small() -> None:
    view = views.residual_chain(125)
    boxes = tuple(
        replace(box, name=f"layers.{i}.weight", dtype="float32", grad_rms=1e-3, cluster=None)
        for i, box in enumerate(view.boxes)
    )
    arrows = tuple(replace(arrow, contribution=1.2e-5) for arrow in view.arrows)
    text = svg.write(replace(view, boxes=boxes, arrows=arrows))
    assert len(text.encode()) <= 900 * len(boxes) + 15_000


# Colours.


@pytest.mark.parametrize("theme", colors.THEMES.values(), ids=colors.THEMES.keys())
def test_text_and_lines_stand_out_from_what_is_behind_them(theme: colors.Theme) -> None:
    behind = [theme.page, *theme.fills().values()]
    groups = [colors.group_color(i, dark=theme is colors.DARK) for i in range(40)]
    for ground in [*behind, *groups]:
        for ink in (theme.text, theme.faint):
            assert colors.contrast(ink, ground) >= 4.5
    for ground in (theme.page, theme.alarm_fill):
        assert colors.contrast(theme.alarm_text, ground) >= 4.5
    for line in (theme.line, theme.frame, theme.alarm, theme.positive, theme.negative):
        assert colors.contrast(line, theme.page) >= 3.0


def test_text_can_be_read_on_every_step_of_the_scale() -> None:
    for step in range(colors.STEPS):
        color = colors.scale_color((step + 0.5) / colors.STEPS)
        assert colors.contrast(colors.ink_on(color), color) >= 4.5


def seen_by(color: str, kind: str) -> float:
    """Luminance as seen without one kind of cones; matrices of Vienot et al. (1999)."""
    r, g, b = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = ((c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in (r, g, b))
    if kind == "protan":
        r, g = 0.11238 * r + 0.88762 * g, 0.11238 * r + 0.88762 * g
    elif kind == "deutan":
        r, g = 0.29275 * r + 0.70725 * g, 0.29275 * r + 0.70725 * g
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("kind", ["all cones", "protan", "deutan"])
def test_the_scale_rises_in_lightness_for_every_eye(kind: str) -> None:
    steps = [colors.scale_color((i + 0.5) / colors.STEPS) for i in range(colors.STEPS)]
    assert len(set(steps)) == colors.STEPS
    assert all(seen_by(a, kind) < seen_by(b, kind) for a, b in pairwise(steps))


def test_the_scale_spans_twelve_decades() -> None:
    assert [colors.gradient_level(10.0**k) for k in (-12, -9, -3, 3, 9)] == [0, 0, 0.5, 1, 1]
    levels = {colors.step_of(colors.gradient_level(3 * 10.0**k)) for k in range(-9, 3)}
    assert len(levels) == 12


def test_every_class_of_colour_has_its_rule_in_every_theme() -> None:
    for theme in THEMES:
        text = svg.write(gradients(), theme=theme)
        used = {c for one in inspection.of_class(inspection.parsed(text), "node")
                for c in one.get("class").split()[2:]}  # fmt: skip
        rules = sheet.style_sheet(theme, used - {"result"})
        for look in used:
            assert f".{look}>rect" in rules


# Gradients.


def gradients() -> View:
    values = [None, 0.0, 1e-9, 1e-3, 1e3, float("nan"), float("inf")]
    states = ["none", "zero", "", "", "", "nonfinite", "nonfinite"]
    boxes = [Box(f"n{i}", "op", "f", f"f{i}", grad_rms=v) for i, v in enumerate(values)]
    arrows = [
        Arrow(f"n{i}", "sum", i, contribution=v, state=state)
        for i, (v, state) in enumerate(zip(values, states, strict=True))
    ]
    boxes.append(Box("sum", "op", "sum", "sum", grad_rms=1.0))
    return View(tuple(boxes), tuple(arrows), outputs=("sum",))


def test_each_size_of_a_gradient_has_its_look() -> None:
    looks = cards.looks_of(gradients())
    assert looks == ["none", "zero", "l0", "l12", "l23", "alarm", "alarm", "l18"]


def test_a_gradient_is_told_by_width_and_text_too() -> None:
    root = inspection.parsed(svg.write(gradients()))
    found = inspection.of_class(root, "edge")
    widths = [inspection.child(edge, "path").get("stroke-width") for edge in found]
    assert widths == [None, "1", "1", "3.5", "6", "6", "6"]
    written = [inspection.texts(edge) for edge in found]
    assert written == [[], ["0"], ["1e-9"], ["0.001"], ["1e3"], ["NaN"], ["Inf"]]
    looks = [inspection.child(edge, "path").get("class") for edge in found]
    assert looks == ["none", "zero", None, None, None, "nonfinite", "nonfinite"]
    nodes = [" ".join(inspection.texts(one)) for one in inspection.of_class(root, "node")]
    assert [text.partition("grad ")[2] for text in nodes[1:7]] == [
        "0", "1e-9", "0.001", "1e3", "NaN", "Inf",
    ]  # fmt: skip


def test_no_box_is_marked_before_backward_ran() -> None:
    view = View((Box("a", "leaf", "leaf", "W"), Box("b", "op", "f", "f")), (Arrow("a", "b"),))
    assert cards.looks_of(view) == ["leaf", "op"]
    assert "no gradient" not in svg.write(view)


def test_levels_and_groups_give_colours_where_gradients_do_not() -> None:
    boxes = (
        Box("a", "op", "f", "f", level=0.0, grad_rms=1.0),
        Box("b", "op", "f", "f", group="conv"),
        Box("c", "op", "f", "f", group="linear"),
        Box("d", "op", "f", "f", group="conv"),
        Box("e", "error", "matmul", "matmul"),
    )
    view = View(boxes, (), color_by="time", scale=(0.0, 0.5))
    assert cards.looks_of(view) == ["l0", "g0", "g1", "g0", "alarm"]
    legend = legend_of(view)
    assert "time, 0 to 0.5" in legend
    assert {"conv", "linear", "failed"} <= set(legend)


# Marks and the legend.


def legend_of(view: View) -> list[str]:
    root = inspection.parsed(svg.write(view))
    return [text for one in inspection.of_class(root, "legend") for text in inspection.texts(one)]


PLAIN = Box("n0", "op", "f", "f")
MARKS: dict[str, tuple[View, str]] = {
    "leaf": (View((replace(PLAIN, kind="leaf"),), ()), "leaf"),
    "chip": (View((replace(PLAIN, kind="alias"),), ()), "another use of a leaf"),
    "input": (View((replace(PLAIN, kind="input"),), ()), "input or constant"),
    "fold": (View((replace(PLAIN, kind="fold"),), ()), "module or fold"),
    "sheets": (View((replace(PLAIN, stack=True),), ()), "several in one"),
    "result": (View((PLAIN,), (), outputs=("n0",)), "result"),
    "backward": (View((replace(PLAIN, order=1),), ()), "computed by backward"),
    "strip": (View((replace(PLAIN, heat=(1.0, -1.0)),), ()), "values, up: positive"),
    "freed": (View((replace(PLAIN, freed=True),), ()), "saved, freed by backward"),
    "zero": (View((replace(PLAIN, grad_rms=0.0),), ()), "gradient exactly 0"),
    "nan": (View((replace(PLAIN, grad_rms=float("nan")),), ()), "gradient NaN or infinite"),
    "failed": (View((replace(PLAIN, kind="error"),), ()), "failed"),
}
ARROWS = {
    "no gradient flows": Arrow("n0", "n1", state="none"),
    "gradient exactly 0 flows": Arrow("n0", "n1", state="zero"),
    "NaN or infinite flows": Arrow("n0", "n1", state="nonfinite"),
    "view of the same memory": Arrow("n0", "n1", dotted=True),
    "width and number: gradient sent along": Arrow("n0", "n1", contribution=1.0),
}


@pytest.mark.parametrize("mark", MARKS)
def test_the_legend_has_an_entry_for_a_mark_that_occurs(mark: str) -> None:
    view, text = MARKS[mark]
    assert [entry for entry in legend_of(view) if entry == text]
    others = {entry for name, (_, entry) in MARKS.items() if name != mark}
    assert not others & set(legend_of(view))


@pytest.mark.parametrize("text", ARROWS)
def test_the_legend_explains_an_arrow_that_occurs(text: str) -> None:
    view = View((PLAIN, replace(PLAIN, id="n1")), (ARROWS[text],))
    assert legend_of(view) == [text]


def test_a_plain_picture_has_no_legend() -> None:
    assert legend_of(View((PLAIN,), ())) == []


def test_saved_bytes_are_shown_and_struck_through_when_freed() -> None:
    kept = svg.write(View((replace(PLAIN, saved_bytes=8192),), ()))
    assert re.search(r"<text x[^>]*>saved 8,192 B</text>", kept)
    freed = svg.write(View((replace(PLAIN, saved_bytes=8192, freed=True),), ()))
    assert re.search(r'<text class="freed"[^>]*>saved 8,192 B</text>', freed)


def test_a_strip_has_a_bar_for_each_value() -> None:
    root = inspection.parsed(
        svg.write(View((replace(PLAIN, heat=(1.0, -0.5, 0.0, float("nan"), 0.25)),), ()))
    )
    (node,) = inspection.of_class(root, "node")
    bars = {c.get("class"): c.get("d").count("M") for c in node if inspection.tag(c) == "path"}
    assert bars == {"panel": 1, "up": 2, "down": 1, "bad": 1, "axis": 1}


def test_slots_are_named_inside_the_box_and_counts_on_the_arrow() -> None:
    arrows = (Arrow("n0", "n1", 0, "a", count=3), Arrow("n0", "n1", 1, "b", label="grad"))
    text = svg.write(View((PLAIN, replace(PLAIN, id="n1")), arrows))
    assert re.findall(r'class="slot"[^>]*>(.)<', text) == ["a", "b"]
    assert ">×3</text>" in text
    assert ">grad</text>" in text


def test_an_arrow_without_a_state_takes_it_from_what_was_sent() -> None:
    sent = {0.0: "zero", float("inf"): "nonfinite", 0.5: ""}
    for contribution, state in sent.items():
        assert cards.arrow_state(Arrow("a", "b", contribution=contribution)) == state


def test_a_module_s_frame_tells_its_gradient_and_badges() -> None:
    frames = (Cluster("c", "layer", badges=("vanishing 1e-6",), grad_rms=4e-8),)
    text = svg.write(View((replace(PLAIN, cluster="c"),), (), frames))
    assert ">layer  grad 4e-8</text>" in text
    assert ">vanishing 1e-6</text>" in text


def test_parts_of_a_cluster_are_counted_in_their_titles() -> None:
    text = svg.write(views.SHAPES["called twice"])
    assert re.findall(r">(layer \(. of .\))</text>", text) == ["layer (1 of 2)", "layer (2 of 2)"]


# What is written and where.


def written(root: Any, dx: float = 0, dy: float = 0) -> list[tuple[float, float, float, str]]:
    """Return left, right, baseline and text of every line, in the picture's coordinates."""
    moved = re.findall(r"-?\d+", root.get("transform", ""))
    if moved:
        dx, dy = dx + float(moved[0]), dy + float(moved[1])
    found: list[tuple[float, float, float, str]] = []
    for one in root:
        if inspection.tag(one) == "text":
            classes, text = one.get("class", ""), one.text or ""
            size = 13 if "name" in classes else 16 if "head" in classes else 11
            width = fonts.text_width(text, size, bold=size > 11)
            x, y = dx + float(one.get("x")), dy + float(one.get("y"))
            left = x if "left" in classes else x - width / 2
            found.append((left, left + width, y, text))
        elif inspection.tag(one) == "g":
            found += written(one, dx, dy)
    return found


@pytest.mark.parametrize("name", [*GALLERY])
def test_no_text_lies_on_another_or_leaves_the_page(name: str) -> None:
    root = inspection.parsed(svg.write(view_of(name)))
    lines = sorted(written(root), key=lambda line: line[2])
    width = float(root.get("width"))
    for i, (left, right, y, text) in enumerate(lines):
        assert left >= 0, text
        assert right <= width, text
        for other in lines[i + 1 :]:
            if other[2] - y >= 10:
                break
            assert other[0] >= right or other[1] <= left, (text, other[3])


@pytest.mark.parametrize("name", GALLERY)
def test_text_stays_in_its_box(name: str) -> None:
    root = inspection.parsed(svg.write(view_of(name)))
    for node in inspection.of_class(root, "node"):
        x, y, width, height = inspection.place(node)
        for left, right, line, text in written(node):
            assert x + 2 <= left, text
            assert right <= x + width - 2, text
            assert y < line < y + height, text


@pytest.mark.parametrize("name", GALLERY)
def test_text_is_never_smaller_than_eleven_pixels(name: str) -> None:
    sizes = re.findall(r"(\d+)px", svg.write(view_of(name)))
    assert min(map(int, sizes)) >= 11


@pytest.mark.parametrize("name", ["square_and_sine", "neuron", "softmax_cross_entropy", "mlp"])
def test_a_small_picture_fits_a_screen_at_full_size(name: str) -> None:
    root = inspection.parsed(svg.write(view_of(name)))
    assert float(root.get("width")) <= 1280
    assert float(root.get("height")) <= 1000  # with its title and legend, which may be scrolled to


def test_widths_of_text_know_wide_letters_and_marks_without_width() -> None:
    assert fonts.text_width("mm", 10) > fonts.text_width("ii", 10)
    assert fonts.text_width("e\u0301", 10) == fonts.text_width("e", 10)
    assert fonts.text_width("日本", 10) >= 19


# Refusals.


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"engine": "neato"}, "engine 'neato' is unknown; it is one of auto, builtin, dot"),
        ({"theme": "sepia"}, "theme 'sepia' is unknown; it is one of auto, light, dark, print"),
    ],
    ids=["engine", "theme"],
)
def test_an_unknown_option_is_refused(options: dict[str, str], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        svg.write(views.SQUARE, **options)


def test_a_picture_that_would_be_too_large_is_refused_with_advice() -> None:
    with pytest.raises(ag.GraphError, match=r"100,000 boxes .* collapse modules, fold repeated"):
        svg.write(views.chain(100_000))
