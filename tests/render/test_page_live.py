"""The page in a real browser: pressed, typed at, stepped through; nothing leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import autograd_core as ag
from autograd_core.graph import Graph, trace_graph
from tests.render import examples
from tests.render.browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the program chromium")

GRADIENTS = (
    "page.graph.nodes.map((n) => { const g = page.replay.gradient(n.number);"
    " return g && g.item !== undefined ? g.item : null })"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    found.prefer(prefers_reduced_motion="reduce", prefers_color_scheme="light")
    yield found
    found.close()


@pytest.fixture(autouse=True)
def quiet(browser: Browser) -> Iterator[None]:
    """After each test, nothing was complained about, and nothing but the file was asked for."""
    yield
    assert browser.complaints == []
    assert all(address.startswith("file:") for address in browser.requests)
    assert len(browser.requests) <= 1


def values() -> Graph:
    x: Any = ag.Value(3.0, name="x")
    y = (x * x + x.sin()).tanh() * x
    y.backward()
    return trace_graph(y)


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Browser:
    """The browser with a small graph of Values."""
    return shown(browser, values(), tmp_path)


def shown(browser: Browser, graph: Graph, folder: Path, **choices: Any) -> Browser:
    path = folder / "graph.html"
    graph.to_html(path, **choices)
    browser.open(path)
    return browser


def texts(browser: Browser) -> str:
    return browser.run("document.getElementById('picture').textContent")


def panel(browser: Browser, name: str) -> str:
    return browser.run(f"document.getElementById('{name}').innerText")


def test_pressing_through_all_steps_ends_at_the_gradients_exactly(opened: Browser) -> None:
    graph = values()
    opened.click_on("#first")
    assert opened.run("page.replay.count") == 0
    assert set(opened.run(GRADIENTS)) == {None}
    for _ in range(opened.run("page.replay.steps.length")):
        opened.click_on("#next")
    assert opened.run(GRADIENTS) == [node.grad for node in graph.nodes]
    assert "Backward: %1 mul" in panel(opened, "now")
    assert "d(a * b)/da" in panel(opened, "now")


def test_the_slider_lights_the_step_and_its_arrows(opened: Browser) -> None:
    opened.run("(page.slider.value = 1, page.slider.dispatchEvent(new Event('input')))")
    assert opened.run("document.querySelectorAll('.node.lit').length") == 1
    assert opened.run("document.querySelectorAll('.way.lit').length") == 2  # x * x has two
    assert "value 9" in texts(opened)
    assert "value 0.1411" not in texts(opened)
    opened.run("(page.slider.value = 10, page.slider.dispatchEvent(new Event('input')))")
    assert opened.run("document.querySelectorAll('.node.receiver').length") >= 1
    assert "+=" in texts(opened)


def test_play_goes_on_by_itself_and_stops_when_asked(opened: Browser) -> None:
    opened.click_on("#play")
    moved = opened.run(
        "new Promise((done) => setTimeout(() => done([page.replay.count, page.playing"
        ".getAttribute('aria-pressed')]), 1200))"
    )
    assert moved[0] >= 1
    assert moved[1] == "true"
    opened.click_on("#play")
    assert opened.run("[page.timer, page.playing.textContent]") == [None, "Play"]


def test_keys_alone_reach_everything(browser: Browser, tmp_path: Path) -> None:
    shown(browser, examples.of_mlp(3), tmp_path, collapse=1.0)
    browser.run("page.picture.focus()")
    browser.press("ArrowDown")
    browser.press("ArrowDown")
    chosen = browser.run("page.chosen")
    assert chosen < 0
    browser.press("Enter")
    assert browser.run(f"page.open.has({-chosen})")
    browser.press("Escape")
    assert not browser.run(f"page.open.has({-chosen})")
    browser.press("/")
    for letter in "param":
        browser.press(letter)
    assert "6 found" in panel(browser, "results")
    browser.press("Enter")
    assert browser.run("page.graph.nodes[page.chosen].kind") == "leaf"
    assert browser.run("page.place(page.chosen) !== undefined")  # what is around was opened
    browser.press("Escape")
    assert browser.run("document.activeElement.id") == "picture"
    browser.press("Home")
    browser.press("n")
    browser.press("n")
    browser.press("p")
    assert browser.run("page.replay.count") == 1
    browser.press("End")
    assert browser.run("page.replay.count === page.replay.steps.length")
    browser.press("?")
    assert browser.run("document.getElementById('keys').open")
    browser.press("Escape")
    before = browser.run("page.camera.scale")
    browser.press("+")
    assert browser.run("page.camera.scale") > before


def test_arrows_walk_along_the_arrows_of_the_graph(opened: Browser) -> None:
    opened.run("page.choose(0)")
    opened.press("ArrowDown")
    assert opened.run("page.chosen") in (1, 2)
    opened.press("ArrowDown")
    assert opened.run("page.chosen") == 3
    opened.press("ArrowUp")
    opened.press("ArrowUp")
    assert opened.run("page.chosen") == 0


def test_a_press_opens_a_module_and_its_title_closes_it(browser: Browser, tmp_path: Path) -> None:
    shown(browser, examples.of_mlp(3), tmp_path, collapse=1.0)
    count = "document.querySelectorAll('.frame').length"
    boxes = "document.querySelectorAll('.node').length"
    before = browser.run(f"[{count}, {boxes}]")
    browser.click_on(".node.module > rect")
    assert browser.run(count) == before[0] + 1
    browser.click_on(".frame .tab")
    assert browser.run(f"[{count}, {boxes}]") == before


def test_the_picture_is_dragged_zoomed_and_fitted(opened: Browser) -> None:
    start = opened.run("[page.camera.x, page.camera.y, page.camera.scale]")
    for kind, x in (("mousePressed", 60), ("mouseMoved", 90), ("mouseMoved", 160),
                    ("mouseReleased", 160)):  # fmt: skip
        opened.ask("Input.dispatchMouseEvent", type=kind, x=x, y=400, button="left",
                   buttons=int(kind != "mouseReleased"))  # fmt: skip
    assert opened.run("page.camera.x") > start[0] + 50
    opened.ask("Input.dispatchMouseEvent", type="mouseWheel", x=300, y=300, deltaX=0, deltaY=-300)
    assert opened.run("page.camera.scale") > start[2]
    opened.click_on("#fit")
    assert opened.run("[page.camera.x, page.camera.y, page.camera.scale]") == start


def test_two_fingers_zoom_about_where_they_are(opened: Browser) -> None:
    before = opened.run("page.camera.scale")
    for kind, gap in (("touchStart", 40), ("touchMove", 60), ("touchMove", 90), ("touchEnd", 0)):
        points = [{"x": 400 - gap, "y": 400, "id": 1}, {"x": 400 + gap, "y": 400, "id": 2}]
        opened.ask("Input.dispatchTouchEvent", type=kind, touchPoints=points if gap else [])
    assert opened.run("page.camera.scale") == pytest.approx(before * 90 / 40, rel=0.1)


def test_the_theme_follows_the_system_until_it_is_chosen(opened: Browser) -> None:
    color = "getComputedStyle(document.body).backgroundColor"
    light = opened.run(color)
    opened.prefer(prefers_color_scheme="dark", prefers_reduced_motion="reduce")
    assert opened.run(color) != light
    opened.click_on("#theme")
    assert opened.run(color) == light
    opened.prefer(prefers_color_scheme="light", prefers_reduced_motion="reduce")


def test_focus_is_seen(opened: Browser) -> None:
    opened.press("Tab")
    ring = opened.run("(() => { const s = getComputedStyle(document.activeElement);"
                      " return [s.outlineStyle, s.outlineWidth, s.outlineColor] })()")  # fmt: skip
    assert ring == ["solid", "3px", "rgb(11, 87, 208)"]


def test_less_motion_moves_nothing(opened: Browser) -> None:
    opened.run("page.step(1)")
    style = "getComputedStyle(document.querySelector('.way.lit path')).animationName"
    assert opened.run(style) == "none"
    opened.prefer(prefers_reduced_motion="no-preference", prefers_color_scheme="light")
    assert opened.run(style) == "along"
    opened.prefer(prefers_reduced_motion="reduce", prefers_color_scheme="light")


def test_nothing_of_the_page_is_lost_on_a_narrow_screen(opened: Browser) -> None:
    opened.size(390, 844)
    sizes = opened.run("[document.documentElement.scrollWidth, document.documentElement"
                       ".scrollHeight, page.stage.clientHeight]")  # fmt: skip
    assert sizes[:2] == [390, 844]
    assert sizes[2] > 250
    opened.size(1280, 800)


def test_a_long_text_makes_no_page_wider_than_the_screen(browser: Browser, tmp_path: Path) -> None:
    graph = trace_graph(lambda x: x @ ag.ones(5, 2), ag.ones(3, 4), partial=True)
    shown(browser, graph, tmp_path, title="A long title " * 20)
    for width in (1280, 390):
        browser.size(width, 800)
        assert browser.run("document.documentElement.scrollWidth") == width
    browser.size(1280, 800)


def test_picture_and_table_are_seen_without_scripts(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "graph.html"
    values().to_html(path)
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(path)
        seen = browser.run("document.body.innerText")
        height = "document.querySelector('.still svg').getBoundingClientRect().height"
        assert browser.run(height) > 100
    finally:
        browser.ask("Emulation.setScriptExecutionDisabled", value=False)
    assert "All 6 nodes" in seen
    assert repr(values().nodes[0].grad) in seen


def test_picture_and_table_come_back_where_the_script_fails(
    browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "graph.html"
    text = values().to_html()
    path.write_text(text.replace('id="graph">{', 'id="graph">{,'), encoding="utf-8")
    browser.open(path)
    assert "All 6 nodes" in browser.run("document.body.innerText")
    assert any("SyntaxError" in complaint for complaint in browser.complaints)
    browser.messages.clear()


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>", "<img src=x onerror=1>"])
def test_a_hostile_name_is_only_text(browser: Browser, tmp_path: Path, name: str) -> None:
    x: Any = ag.Value(3.0, name=name)
    shown(browser, trace_graph(x * x), tmp_path, title=name)
    assert name[:20] in texts(browser)
    assert browser.run("document.images.length") == 0
    assert browser.run("document.title") == name


def test_a_deep_graph_is_opened_box_by_box(browser: Browser, tmp_path: Path) -> None:
    x: Any = ag.Value(0.5, name="x")
    for _ in range(3_000):
        x = x * 1.0001
    shown(browser, trace_graph(x, backward=True), tmp_path)
    assert browser.run("document.querySelectorAll('.node').length") <= 40
    browser.run("page.jump(1500)")
    assert "%1500 mul" in panel(browser, "chosen")
    browser.run("(page.open = new Set(page.graph.sections.map((s) => s.number)),"
                " page.arrange(), page.camera.fit())")  # fmt: skip
    count = "document.querySelectorAll('#picture *').length"
    assert browser.run("page.scene.boxes.length") > 3_000
    assert browser.run(count) < 1_500  # far away: one path for each colour
    browser.run("page.camera.zoom(0.5 / page.camera.scale)")
    assert browser.run("document.querySelectorAll('.node').length") > 10
    assert browser.run(count) < 1_500
