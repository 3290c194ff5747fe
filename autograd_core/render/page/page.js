// The page: what its parts do to one another.

const PLAY = 900; // milliseconds between two steps

class Page {
  constructor(record) {
    const graph = (this.graph = decoded(record));
    const find = (id) => document.getElementById(id);
    Object.assign(this, {
      stage: find("stage"),
      picture: find("picture"),
      query: find("query"),
      slider: find("step"),
      said: find("said-step"),
    });
    this.panels = { step: find("now"), chosen: find("chosen"), results: find("results") };
    this.replay = new Replay(graph);
    this.replay.still = true;
    this.open = new Set(graph.sections.filter((s) => s.openWidth).map((s) => s.number));
    this.chosen = null;
    const layer = made("g");
    this.picture.append(layer);
    this.drawing = new Picture(layer, graph, this.replay);
    this.camera = new Camera(this.stage, layer, find("map"), (view, scale) =>
      this.drawing.show(view, scale),
    );
    this.slider.max = String(this.replay.steps.length);
    this.tell(find("notes"), [...record.notes, ...record.removed]);
    this.listen(find);
    this.arrange();
    this.camera.fit(0.5);
    this.step(this.replay.steps.length, true);
  }

  tell(place, texts) {
    place.replaceChildren(...texts.map((text) => element("li", {}, text)));
    place.hidden = !texts.length;
  }

  listen(find) {
    const press = {
      first: () => this.step(0),
      back: () => this.step(this.replay.count - 1),
      play: () => this.play(),
      next: () => this.step(this.replay.count + 1),
      last: () => this.step(this.replay.steps.length),
      fit: () => this.camera.fit(),
      closer: () => this.camera.zoom(1.3),
      further: () => this.camera.zoom(1 / 1.3),
      theme: () => this.theme(),
      table: () => this.table(),
      help: () => find("keys").showModal(),
    };
    for (const [id, act] of Object.entries(press)) find(id).addEventListener("click", act);
    this.playing = find("play");
    this.slider.addEventListener("input", () => this.step(Number(this.slider.value)));
    this.query.addEventListener("input", () => this.search());
    this.stage.addEventListener("click", (event) => this.click(event));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  // Lay out what is open, with one box staying where it is on the screen.
  arrange(fixed = null) {
    const before = fixed && this.place(fixed);
    this.scene = sceneOf(this.graph, this.open);
    this.drawing.open = this.open;
    this.drawing.take(this.scene);
    this.camera.draw(this.scene);
    const after = fixed && this.place(fixed);
    if (before && after) this.camera.hold(before, after);
    this.camera.apply();
    this.drawing.update();
  }

  place(what) {
    const { boxes, frames } = this.scene;
    return (
      boxes.find((box) => box.what === what && !box.chip) ?? frames.find((box) => box.what === what)
    );
  }

  step(count, still = false) {
    this.replay.go(count);
    this.replay.still = still;
    this.slider.value = String(this.replay.count);
    const { now, steps } = this.replay;
    const way = still
      ? "all"
      : now
        ? { forward: "forward", seed: "backward begins", backward: "backward" }[now.way]
        : "start";
    write(this.said, `${this.replay.count} of ${steps.length}, ${way}`);
    this.slider.setAttribute(
      "aria-valuetext",
      `${this.said.textContent}${now ? `, ${nameOf(this.graph, now.node)}` : ""}`,
    );
    showStep(this.panels.step, this.replay);
    showChosen(this.panels.chosen, this.graph, this.replay, this.chosen);
    this.drawing.update();
    if (now && !still)
      this.camera.reveal(this.place(boxOf(this.graph, this.open, now.node)) ?? this.scene);
    if (this.timer && this.replay.count === steps.length) this.play();
  }

  play() {
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    } else {
      if (this.replay.count === this.replay.steps.length) this.step(0);
      this.timer = setInterval(() => this.step(this.replay.count + 1), PLAY);
    }
    this.playing.setAttribute("aria-pressed", String(Boolean(this.timer)));
    write(this.playing, this.timer ? "Pause" : "Play");
  }

  // Choose a box and tell about it.
  choose(what, reveal = true) {
    this.chosen = this.drawing.chosen = what;
    showChosen(this.panels.chosen, this.graph, this.replay, what);
    this.drawing.update();
    const place = what === null ? null : this.place(what);
    if (place && reveal) this.camera.reveal(place);
    const name =
      what === null ? "" : what < 0 ? this.graph.sections[-what].label : nameOf(this.graph, what);
    document.getElementById("said").textContent = name;
  }

  click(event) {
    if (this.camera.dragged) return;
    const one = event.target.closest("[data-what]");
    this.picture.focus({ preventScroll: true });
    if (!one) return this.choose(null);
    const what = Number(one.getAttribute("data-what"));
    const frame = one.classList.contains("frame");
    if (frame && !["tab", "mark", "left quiet"].includes(event.target.getAttribute("class")))
      return this.choose(what, false);
    if (what < 0) return this.toggle(-what);
    return this.choose(what, false);
  }

  // Open a closed section, close an open one.
  toggle(number) {
    if (this.open.has(number))
      for (const at of [...this.open]) {
        if (upwards(this.graph, at).includes(number)) this.open.delete(at);
      }
    else this.open.add(number);
    this.arrange(-number);
    this.choose(-number, false);
  }

  // Open everything around a node or a section, and choose it.
  jump(what) {
    const around = upwards(
      this.graph,
      what < 0 ? this.graph.sections[-what].parent : this.graph.nodes[what].section,
    );
    const closed = around.filter((at) => at && !this.open.has(at));
    closed.forEach((at) => this.open.add(at));
    if (closed.length) this.arrange();
    this.choose(what);
  }

  search() {
    const words = this.query.value.trim();
    this.panels.results.hidden = !words;
    if (words)
      showResults(this.panels.results, this.graph, search(this.graph, words), (what) =>
        this.jump(what),
      );
  }

  theme() {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    this.camera.draw(this.scene);
    this.camera.apply();
  }

  table() {
    const shown = document.documentElement.classList.toggle("tabled");
    document.getElementById("table").setAttribute("aria-pressed", String(shown));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]"))
      return;
    const typing = event.target === this.query;
    if (event.key === "Escape") return this.escape(typing);
    if (typing) {
      if (event.key === "Enter") this.panels.results.querySelector("button")?.click();
      return;
    }
    const held = event.target.closest("button, input, summary, a");
    if (
      held &&
      [" ", "Enter", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(
        event.key,
      )
    )
      return;
    const act = {
      "/": () => {
        this.query.focus();
        this.query.select();
      },
      "?": () => document.getElementById("keys").showModal(),
      " ": () => this.play(),
      n: () => this.step(this.replay.count + 1),
      p: () => this.step(this.replay.count - 1),
      Home: () => this.step(0),
      End: () => this.step(this.replay.steps.length),
      f: () => this.camera.fit(),
      "+": () => this.camera.zoom(1.3),
      "=": () => this.camera.zoom(1.3),
      "-": () => this.camera.zoom(1 / 1.3),
      t: () => this.theme(),
      Enter: () => {
        if (this.chosen < 0) this.toggle(-this.chosen);
      },
      ArrowUp: () => this.walk(-1, 0),
      ArrowDown: () => this.walk(1, 0),
      ArrowLeft: () => this.walk(0, -1),
      ArrowRight: () => this.walk(0, 1),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  escape(typing) {
    if (typing || this.query.value) {
      this.query.value = "";
      this.search();
      this.picture.focus();
      return;
    }
    if (this.chosen === null) return;
    const around =
      this.chosen < 0 && this.open.has(-this.chosen)
        ? -this.chosen
        : this.chosen < 0
          ? this.graph.sections[-this.chosen].parent
          : this.graph.nodes[this.chosen].section;
    if (around > 0) this.toggle(around);
    else this.choose(null);
  }

  // Go along an arrow: to what a box is made from, to what uses it, or to what stands beside it.
  walk(down, across) {
    const { boxes, ways } = this.scene;
    const here = boxes.find((box) => box.what === this.chosen && !box.chip);
    if (!here) return this.choose(boxes.find((box) => !box.chip)?.what ?? null);
    const near = down
      ? ends(ways, here, down)
      : boxes.filter(
          (box) =>
            !box.chip &&
            Math.abs(box.y + box.height / 2 - here.y - here.height / 2) < 60 &&
            (box.x - here.x) * across > 0,
        );
    const middle = (box) =>
      Math.hypot(box.x + box.width / 2 - here.x - here.width / 2, box.y - here.y);
    const next = near.filter((box) => box !== here).sort((a, b) => middle(a) - middle(b))[0];
    return next && this.choose(next.what);
  }
}

// The boxes at the other ends of a box's arrows, those through gates included.
function ends(ways, here, down) {
  const found = [],
    seen = new Set();
  const side = (way) => (down > 0 ? [way.from, way.to] : [way.to, way.from]);
  const waiting = ways.filter((way) => side(way)[0] === here);
  while (waiting.length) {
    const way = waiting.pop();
    if (seen.has(way)) continue;
    seen.add(way);
    const end = side(way)[1];
    if (end && !end.open) found.push(end);
    else {
      const [x, y] = down > 0 ? way.points.at(-1) : way.points[0];
      waiting.push(
        ...ways.filter((next) => {
          const [a, b] = down > 0 ? next.points[0] : next.points.at(-1);
          return Math.abs(a - x) < 2 && Math.abs(b - y) < TITLE + SIDE + 8;
        }),
      );
    }
  }
  return found;
}

// The record, which stands in the page as JSON, or packed by zlib where it is long.
async function recordIn(one) {
  if (one.type === "application/json") return JSON.parse(one.textContent);
  const packed = atob(one.textContent);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

let page = null;
recordIn(document.getElementById("graph")).then((record) => {
  page = new Page(record);
});
