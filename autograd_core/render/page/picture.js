// The scene as SVG. Far away, or with very much in view, all boxes are one path for each colour;
// near, each box in view has elements of its own.

const SPACE =
  typeof document === "undefined" ? "" : document.getElementById("picture").namespaceURI;
const TIP = 8,
  LINE = 14,
  BAR = 8,
  BARS = 20;
const FAR = 0.22,
  MOST = 450; // scale below which, and boxes above which, nothing is written

function made(name, attributes = {}, ...children) {
  const one = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== null && value !== "") one.setAttribute(key, value);
  one.append(...children);
  return one;
}

function label(text, x, y, look) {
  const one = made("text", { x, y, class: look });
  one.textContent = text;
  return one;
}

// A path of vertical and horizontal lines, and of curves with vertical ends where it goes down.
function pathData(points, gap) {
  let [[x, y]] = points;
  let d = `M${x} ${y}`;
  points.slice(1).forEach(([to, end], i) => {
    const down = i === points.length - 2 ? end - gap : end;
    if (to === x || down === y) d += to === x ? `V${down}` : `H${to}`;
    else if (down > y) d += `C${x} ${(y + down) / 2} ${to} ${(y + down) / 2} ${to} ${down}`;
    else d += `L${to} ${down}`;
    [x, y] = [to, down];
  });
  return d;
}

// Bars from a middle line, for numbers from -99 to 99; NaN and infinities are as high as the strip.
function stripOf(strip, x, y) {
  const looks = { up: "", down: "", bad: "" };
  strip.forEach((share, i) => {
    const at = x + i * BAR;
    if (share === null || Math.abs(share) > 99) looks.bad += `M${at} ${y}h7v${BARS}h-7z`;
    else if (share)
      looks[share > 0 ? "up" : "down"] +=
        `M${at} ${y + BARS / 2}h7v${-Math.sign(share) * Math.max(1, Math.round((Math.abs(share) * BARS) / 198))}h-7z`;
  });
  const width = strip.length * BAR;
  const panel = made("path", {
    class: "panel",
    d: `M${x - 2} ${y - 1}h${width + 3}v${BARS + 2}h-${width + 3}z`,
  });
  const bars = Object.entries(looks)
    .filter(([, d]) => d)
    .map(([look, d]) => made("path", { class: look, d }));
  return made(
    "g",
    {},
    panel,
    ...bars,
    made("path", { class: "axis", d: `M${x} ${y + BARS / 2}h${width - 1}` }),
  );
}

class Picture {
  constructor(layer, graph, replay) {
    Object.assign(this, { layer, graph, replay });
    this.groups = ["frames", "ways", "boxes", "labels"].map((name) => made("g", { class: name }));
    layer.append(...this.groups);
  }

  // Take a new scene; `show` draws what of it is in view.
  take(scene) {
    this.scene = scene;
    scene.frames.sort((a, b) => a.depth - b.depth);
    this.forget();
  }

  // Take away what is drawn.
  forget() {
    this.groups.forEach((group) => group.replaceChildren());
    // Frame, arrow or box -> its elements.
    [this.framed, this.drawnWays, this.known] = [new Map(), new Map(), new Map()];
    this.far = false;
  }

  frame(box) {
    const section = this.graph.sections[-box.what];
    const title = label(section.title, box.titleAt + 22, 16, "left quiet");
    const mark = label("−", box.titleAt + 11, 16, "mark");
    const area = made("rect", { width: box.width, height: box.height, rx: 8 });
    const tab = made("rect", {
      class: "tab",
      x: box.titleAt,
      width: section.titleWidth,
      height: 22,
      rx: 8,
    });
    const one = made(
      "g",
      { class: "frame", transform: `translate(${box.x} ${box.y})`, "data-what": box.what },
      area,
      tab,
      mark,
      title,
    );
    one.append(hint(`${section.label || section.title}: press to close`));
    return one;
  }

  // Draw what lies in a rectangle of the scene, as large as `scale` says.
  show(view, scale) {
    const { boxes, ways, frames } = this.scene;
    const few = boxes.length <= MOST;
    const within = (box) =>
      box.x < view.right &&
      box.x + box.width > view.left &&
      box.y < view.bottom &&
      box.y + box.height > view.top;
    const seen = few ? boxes : boxes.filter(within);
    if (!few && (scale < FAR || seen.length > MOST)) {
      if (!this.far) this.showFar();
      return;
    }
    if (this.far) this.forget();
    const around = few ? frames : frames.filter(within);
    const same = (known, things) =>
      things.length === known.size && things.every((thing) => known.has(thing));
    if (same(this.known, seen) && same(this.framed, around)) return;
    const inView = (way) => reaches(way, view);
    keep(this.framed, around, (frame) => this.frame(frame), this.groups[0]);
    keep(this.drawnWays, few ? ways : ways.filter(inView), (way) => this.way(way), this.groups[1]);
    keep(this.known, seen, (box) => this.box(box), this.groups[2]);
    this.update();
  }

  showFar() {
    this.forget();
    this.far = true;
    const outline = ({ x, y, width, height }) => `M${x} ${y}h${width}v${height}h${-width}z`;
    const looks = new Map();
    for (const box of this.scene.boxes) {
      const look = this.look(box);
      looks.set(look, (looks.get(look) ?? "") + outline(box));
    }
    const lines = this.scene.ways.map((way) => pathData(way.points, 0)).join("");
    const frames = this.scene.frames.map(outline).join("");
    this.groups[0].append(made("path", { d: frames, class: "line" }));
    this.groups[1].append(made("path", { d: lines, class: "line" }));
    this.groups[2].append(
      ...[...looks].map(([look, d]) => made("g", { class: `far ${look}` }, made("path", { d }))),
    );
  }

  way(way) {
    const tip = way.to && !way.to.open;
    const path = made("path", {
      d: pathData(way.points, tip ? TIP + LINE * Number(this.graph.backward) : 0),
    });
    const one = made("g", { class: "way" }, path);
    if (tip) {
      const [x, y] = way.points.at(-1);
      if (this.graph.backward)
        one.append(made("path", { d: `M${x} ${y - TIP - LINE}V${y - TIP}`, class: "gap" }));
      one.append(made("path", { class: "tip", d: `M${x} ${y}l-5 ${-TIP}h10z` }));
      one.number = label("", x, y - TIP - 3, "sent");
      one.append(one.number);
    }
    return one;
  }

  box(box) {
    const { graph } = this;
    const closed = box.what < 0;
    const of = closed ? graph.sections[-box.what] : graph.nodes[box.what];
    const kind = closed ? "module" : box.chip ? "alias" : of.kind;
    const radius = { alias: 12, leaf: 12, input: 2, constant: 2 }[kind] ?? 6;
    const one = made("g", { transform: `translate(${box.x} ${box.y})`, "data-what": box.what });
    one.kind = `node ${kind}${!closed && graph.outputs.includes(box.what) ? " result" : ""}`;
    if (closed && of.stack)
      one.append(
        made("path", {
          class: "sheet",
          d: `M4 ${box.height}v4h${box.width}v${-box.height}h-4M8 ${box.height + 4}v4h${box.width}v${-box.height}h-4`,
        }),
      );
    one.append(made("rect", { width: box.width, height: box.height, rx: radius }));
    let y = 6;
    const write = (text, look = "", height = LINE, rise = 10) => {
      const line = label(text, box.width / 2, y + rise, look);
      one.append(line);
      y += height;
      return line;
    };
    if (box.chip) write(of.title, "", LINE, 11);
    else if (closed) this.fillSection(one, of, write);
    else
      this.fillNode(
        one,
        of,
        box,
        write,
        () => y,
        (height) => {
          y += height;
        },
      );
    one.append(
      hint(
        closed
          ? `${of.label || of.title}: press to open`
          : [of.op, of.line, of.module].filter(Boolean).join("; "),
      ),
    );
    return one;
  }

  fillSection(one, section, write) {
    write(`+ ${clipped(section.title, 26)}`, "name", 17, 13);
    section.lines.forEach((line) => write(clipped(line, 36)));
    section.badges.forEach((badge) => write(clipped(badge, 36), "badge", 18, 13));
  }

  fillNode(one, node, box, write, y, skip) {
    if (node.named) {
      node.operands.forEach((x, i) =>
        one.append(
          label(
            clipped(x.slot, 12),
            (box.width * (2 * i + 1)) / (2 * node.operands.length),
            y() + 9,
            "slot",
          ),
        ),
      );
      skip(LINE);
    }
    write(clipped(node.title, 28), "name", 17, 13);
    if (node.type) write(clipped(node.type, 36));
    if (node.value) one.value = write("");
    if (node.value?.strip?.length) {
      one.strip = stripOf(
        node.value.strip,
        (box.width - node.value.strip.length * BAR) / 2,
        y() + 2,
      );
      one.append(one.strip);
      skip(BARS + 4);
    }
    if (node.grad) one.grad = write("", "grad");
    node.marks.forEach((mark) => write(clipped(mark, 36), "badge", 18, 13));
  }

  // The class of a box's colours: by its gradient so far, where backward is known.
  look(box) {
    const { graph, replay } = this;
    if (box.what < 0) {
      const { grad } = graph.sections[-box.what];
      return graph.backward && grad && replay.count === replay.steps.length
        ? gradientLook(magnitude(grad))
        : "closed";
    }
    const node = graph.nodes[box.what];
    if (node.kind === "error") return "alarm";
    const g = replay.gradient(box.what);
    if (g && g.parts === undefined) return gradientLook(magnitude(g));
    if (node.value && has(node.value, "nans") && replay.value(box.what)) return "alarm";
    const ended = graph.backward && replay.count === replay.steps.length;
    if (node.kind === "input" || node.kind === "constant") return "input";
    return ended ? "none" : node.kind === "leaf" ? "leaf" : "op";
  }

  // Bring everything drawn to the replay's present step.
  update() {
    const { graph, replay } = this;
    if (this.far) return this.showFar();
    const lit = this.lit();
    for (const [box, one] of this.known) this.updateBox(box, one, lit);
    for (const [way, one] of this.drawnWays) this.updateWay(way, one, lit);
    this.updateSums(lit);
    return undefined;
  }

  updateBox(box, one, lit) {
    const { graph, replay } = this;
    const look = this.look(box);
    const waiting = box.what >= 0 && replay.turn[box.what][0] >= replay.count;
    set(
      one,
      "class",
      [
        one.kind,
        look,
        waiting && "waiting",
        lit.box === box.what && "lit",
        box.what === this.chosen && "chosen",
        lit.receivers.has(box.what) && "receiver",
      ]
        .filter(Boolean)
        .join(" "),
    );
    if (box.what < 0) return;
    const value = replay.value(box.what);
    if (one.value)
      write(one.value, value ? `${value.size === 1 ? "value " : ""}${magnitudeText(value)}` : "");
    if (one.strip) set(one.strip, "visibility", value ? "visible" : "hidden");
    if (one.grad) {
      const g = replay.gradient(box.what);
      write(
        one.grad,
        g === null
          ? ""
          : g.parts === undefined
            ? `grad ${magnitudeText(g)}`
            : `grad: ${g.parts} of ${g.of} parts`,
      );
    }
  }

  updateWay(way, one, lit) {
    const { graph, replay } = this;
    const single = way.slot >= 0 && way.to && way.to.what >= 0;
    const operand = single ? graph.nodes[way.to.what].operands[way.slot] : null;
    const sent = single ? operand.sent : way.sent;
    const user = single ? way.to.what : way.first;
    const fired = replay.fired(user) || (graph.backward && replay.count === replay.steps.length);
    const known = graph.backward && fired;
    const size = known && sent ? magnitude(sent) : null;
    const state = !known
      ? ""
      : !sent
        ? "none"
        : size === 0
          ? "zero"
          : Number.isFinite(size)
            ? ""
            : "nonfinite";
    const here = lit.ways.has(`${way.section} ${way.number}`);
    const view = single && way.slot === 0 && graph.nodes[way.to.what].view ? "view" : "";
    set(one, "class", ["way", state || view, here && `lit ${lit.way}`].filter(Boolean).join(" "));
    set(one.firstChild, "stroke-width", String(Math.round(arrowWidth(size) * 10) / 10));
    if (one.number)
      write(
        one.number,
        size === null
          ? ""
          : numberText(size, way.count > 1 ? 2 : 3) + (way.count > 1 ? ` ×${way.count}` : ""),
      );
  }

  // What the present step lights: a box, the arrows it goes along, and who receives something.
  lit() {
    const { graph, replay } = this;
    const { now } = replay;
    const found = { box: null, ways: new Set(), receivers: new Set(), way: now?.way ?? "" };
    if (!now || replay.still) return found;
    found.box = boxOf(graph, this.open, now.node);
    if (now.way === "seed") return found;
    graph.nodes[now.node].operands.forEach(({ node, sent }, slot) => {
      if (node === null || (now.way === "backward" && !sent)) return;
      for (const [section, number] of pathOf(graph, this.open, node, now.node, slot))
        found.ways.add(`${section} ${number}`);
      if (now.way === "backward") found.receivers.add(boxOf(graph, this.open, node));
    });
    return found;
  }

  // Write the running sum beside each receiver.
  updateSums(lit) {
    const notes = new Map();
    for (const change of lit.way === "backward" && !this.replay.still ? this.replay.changes : []) {
      if (change.sent.size !== 1) continue;
      const box = boxOf(this.graph, this.open, change.to);
      notes.set(box, [...(notes.get(box) ?? []), `+= ${numberText(change.sent.item)}`]);
    }
    const written = [...this.known]
      .filter(([box]) => !box.chip && notes.has(box.what))
      .map(([box]) => {
        return label(
          notes.get(box.what).join("  "),
          box.x + box.width + 7,
          box.y + box.height / 2 + 4,
          "sum left",
        );
      });
    this.groups[3].replaceChildren(...written);
  }
}

function reaches(way, view) {
  const xs = way.points.map(([x]) => x),
    ys = way.points.map(([, y]) => y);
  return (
    Math.min(...xs) < view.right &&
    Math.max(...xs) > view.left &&
    Math.min(...ys) < view.bottom &&
    Math.max(...ys) > view.top
  );
}

// Let `known` hold an element for each of some things and no others, in their order.
function keep(known, things, make, group) {
  const wanted = new Set(things);
  for (const [thing, one] of known)
    if (!wanted.has(thing)) {
      one.remove();
      known.delete(thing);
    }
  for (const thing of things) if (!known.has(thing)) known.set(thing, make(thing));
  group.append(...things.map((thing) => known.get(thing)));
}

function hint(text) {
  const one = made("title");
  one.textContent = text;
  return one;
}

function set(one, name, value) {
  if (one.getAttribute(name) !== value) one.setAttribute(name, value);
}

function write(one, text) {
  if (one.textContent !== text) one.textContent = text;
}

function clipped(text, letters) {
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}
