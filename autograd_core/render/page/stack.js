// Open sections put into one another: each has a layout with those in it as they are at first
// (plan.py); where one is opened or closed its row gets higher or lower, and what stands beside it
// moves away. Nothing else changes.

const SIDE = 14,
  TITLE = 24,
  CHIP = 26,
  HEAD = 26,
  SHEETS = 8,
  LEAST_SHARE = 0.35;

// The map of coordinates that makes each interval [from, to] at least `need` long. What only
// shorter ones cover shrinks with them, a little less where they shrink much; the rest moves.
function stretched(intervals) {
  if (intervals.every(([from, to, need]) => need === to - from)) return (x) => x;
  const points = [...new Set(intervals.flatMap(([from, to]) => [from, to]))].sort((a, b) => a - b);
  const at = new Map(points.map((point, i) => [point, i]));
  const share = points.map(() => []); // of each segment, how much of it those that cover it need
  const ending = points.map(() => []);
  for (const interval of intervals) {
    const [from, to, need] = interval;
    ending[at.get(to)].push(interval);
    for (let i = at.get(from); i < at.get(to); i++) share[i].push(Math.min(1, need / (to - from)));
  }
  const place = [points[0]];
  for (let i = 1; i < points.length; i++) {
    const kept = share[i - 1].length ? Math.max(LEAST_SHARE, ...share[i - 1]) : 1;
    place.push(place[i - 1] + Math.ceil((points[i] - points[i - 1]) * kept));
    for (const [from, , need] of ending[i])
      place[i] = Math.max(place[i], place[at.get(from)] + need);
  }
  const end = points.length - 1;
  return (x) => {
    if (x <= points[0]) return x;
    if (x >= points[end]) return place[end] + x - points[end];
    let low = 0,
      high = end;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle] <= x) low = middle;
      else high = middle;
    }
    return Math.round(
      place[low] + ((x - points[low]) * (place[high] - place[low])) / (points[high] - points[low]),
    );
  };
}

// The map that makes each row as high as it now must be: [top, bottom, need] from top to bottom.
function restacked(rows) {
  const from = [],
    to = [];
  let shift = 0;
  for (const [top, bottom, need] of rows) {
    from.push(top, bottom);
    to.push(top + shift);
    shift += need - (bottom - top);
    to.push(bottom + shift);
  }
  return (y) => {
    let i = from.findLastIndex((at) => at <= y);
    if (i < 0) return y;
    if (i + 1 === from.length || from[i] === y || i % 2) return y + to[i] - from[i];
    return Math.round(to[i] + ((y - from[i]) * (to[i + 1] - to[i])) / (from[i + 1] - from[i]));
  };
}

// One section with what is open in it: its size, and the maps of its layout to the room it needs.
function arranged(graph, number, open) {
  const section = graph.sections[number];
  const [[width, height, ...lefts], centres, gates, ways, bands] = graph.layouts[section.layout];
  const band = (x) => lefts.filter((left) => left <= x).length;
  const entered = new Set(ways.map(([, target]) => target));
  const across = [],
    inner = new Map();
  const rows = bands.map((flat) =>
    Array.from({ length: flat.length / 2 }, (_, r) => [flat[2 * r], flat[2 * r + 1], 0]),
  );
  const sizes = section.items.map((what, i) => {
    if (what < 0 && open.has(-what)) inner.set(i, framed(graph, arranged(graph, -what, open)));
    const size = inner.get(i) ?? closedSize(graph, section, i);
    const margin = section.chips.has(i) ? 0 : marginOf(graph, what, entered.has(i), inner.has(i));
    const [cx, cy] = [centres[2 * i], centres[2 * i + 1]];
    const row = rows[band(cx)].find(([top, bottom]) => top <= cy && cy <= bottom);
    row[2] = Math.max(row[2], size.height + margin);
    const base = firstSize(graph, section, i).width;
    across.push([cx - base / 2, cx, size.width / 2], [cx, cx + base / 2, size.width / 2]);
    return { ...size, base, cx, cy, row };
  });
  const x = stretched(across),
    ys = rows.map(restacked);
  const y = (px, py) => ys[band(px)](py);
  const lowest = Math.max(
    0,
    ...rows
      .flat()
      .filter(([top]) => top < height)
      .map(([, bottom]) => bottom),
  );
  const high =
    height -
    lowest +
    Math.max(
      0,
      ...rows.map((band, i) =>
        band.reduce((low, [top, bottom]) => (top < height ? Math.max(low, ys[i](bottom)) : low), 0),
      ),
    );
  const gate = (k, last) => x(gates[last ? section.enter.length + k : k]);
  return { section, inner, sizes, x, y, width: x(width), height: high, gate };
}

// What a row keeps free above and below an item: as when it was laid out; an open section has
// nothing there, but where it is closed needs it above, and as much below as it stands in the middle.
function marginOf(graph, what, entered, open) {
  if (what < 0 && graph.sections[-what].openWidth) return open ? 0 : 2 * (entered ? HEAD : SHEETS);
  return (entered ? HEAD : 0) + (what < 0 ? SHEETS : 0);
}

function closedSize(graph, section, i) {
  const what = section.items[i];
  if (what < 0) return graph.sections[-what];
  const { width, height, chip } = graph.nodes[what];
  return section.chips.has(i) ? { width: chip, height: CHIP } : { width, height };
}

// The size that an item had when its section was laid out.
function firstSize(graph, section, i) {
  const inner = graph.sections[-section.items[i]];
  return inner && section.items[i] && inner.openWidth
    ? { width: inner.openWidth, height: inner.openHeight }
    : closedSize(graph, section, i);
}

// A section in its frame, whose title stands between the arrows that enter.
function framed(graph, child) {
  const { section } = child;
  const need = section.titleWidth;
  let at = 0;
  for (const x of section.enter.map((_, k) => child.gate(k, false) + SIDE).sort((a, b) => a - b)) {
    if (at + need + 6 <= x) break;
    at = x + 8;
  }
  const width = Math.max(child.width + 2 * SIDE, at + need + SIDE);
  return { child, titleAt: at, width: width + (width % 2), height: child.height + TITLE + SIDE };
}

// Everything that is seen, in one system of coordinates.
function sceneOf(graph, open) {
  const root = arranged(graph, 0, open);
  const scene = { width: root.width, height: root.height, boxes: [], frames: [], ways: [] };
  const waiting = [[root, 0, 0, 0]];
  while (waiting.length) {
    const [one, left, top, depth] = waiting.pop();
    const places = placed(graph, scene, one, left, top, depth);
    for (const [i, { child }] of one.inner) {
      waiting.push([child, places[i].x + SIDE, places[i].y + TITLE, depth + 1]);
    }
  }
  return scene;
}

function placed(graph, scene, one, left, top, depth) {
  const { section, inner } = one;
  const [, , , ways] = graph.layouts[section.layout];
  const places = section.items.map((what, i) => {
    const { width, height, base, cx, cy, row } = one.sizes[i];
    const middle = (row[0] + row[1]) / 2;
    const y = (one.y(cx, row[0]) + one.y(cx, row[1])) / 2 + cy - middle;
    const box = {
      what,
      chip: section.chips.has(i),
      section: section.number,
      index: i,
      depth,
      cx,
      base,
      open: inner.has(i),
      titleAt: inner.get(i)?.titleAt ?? 0,
      x: Math.round(left + one.x(cx) - width / 2),
      y: Math.round(top + y - height / 2),
      width,
      height,
    };
    (box.open ? scene.frames : scene.boxes).push(box);
    return box;
  });
  let at = 0;
  ways.forEach(([source, target, slot, steps], number) => {
    const value = section.ways[at++];
    const way = { section: section.number, number, source, target, slot, value };
    if (slot < 0) {
      [way.count, way.first] = [section.ways[at], section.ways[at + 1]];
      way.sent = told(section.ways[at + 2]);
      at += 3;
    }
    way.from = source < 0 ? null : places[source];
    way.to = target < 0 ? null : places[target];
    way.points = led(one, way, steps, left, top);
    scene.ways.push(way);
  });
  return places;
}

// The points of an arrow: its ends go with what they join, the rest as the room around it.
function led(one, way, steps, left, top) {
  const points = [];
  let px = 0,
    py = 0;
  for (let i = 0; i < steps.length; i += 2) {
    px += steps[i];
    py += steps[i + 1];
    points.push([left + one.x(px), top + one.y(px, py), px]);
  }
  const gate = way.value >= 0 ? way.value : -1 - way.number;
  const end = points.length - 1;
  const [x0, y0] = outlet(one, way, way.from, gate, points[0], left, top, true);
  const [x1, y1] = outlet(one, way, way.to, gate, points[end], left, top, false);
  points[0] = [x0, y0];
  points[1] = [x0, Math.max(points[1][1], y0)];
  if (end - 1 > 1) points[end - 1] = [x1, Math.min(points[end - 1][1], y1)];
  points[end] = [x1, y1];
  return points.map(([x, y]) => [Math.round(x), Math.round(y)]);
}

// Where an arrow begins or ends: at a box, at a gate of an open section, or at one of this section,
// whose frame is a little larger.
function outlet(one, way, box, gate, [, , px], left, top, leaving) {
  if (!box) {
    const k = -1 - (leaving ? way.source : way.target);
    return [left + one.gate(k, !leaving), leaving ? top - TITLE : top + one.height + SIDE];
  }
  const y = leaving ? box.y + box.height : box.y;
  const around = one.inner.get(box.index);
  if (!around) return [left + one.x(box.cx) + (px - box.cx) * Math.min(1, box.width / box.base), y];
  const { child } = around;
  const gates = leaving ? child.section.leave : child.section.enter;
  return [box.x + SIDE + child.gate(gates.indexOf(gate), leaving), y];
}

// The arrows of the scene that an edge of the graph goes along, from its source to its user.
function pathOf(graph, open, source, target, slot) {
  const above = new Set(upwards(graph, graph.nodes[source].section));
  const common = upwards(graph, graph.nodes[target].section).find((at) => above.has(at));
  const keys = [];
  let found = step(
    graph,
    common,
    source,
    target,
    slot,
    itemOf(graph, common, source),
    itemOf(graph, common, target),
  );
  if (!found) return keys;
  keys.push([common, found.number]);
  const gate = found.gate;
  for (const [node, leaving] of [
    [source, true],
    [target, false],
  ]) {
    let key = gate,
      at = common;
    for (;;) {
      const item = itemOf(graph, at, node);
      const what = graph.sections[at].items[item];
      if (what >= 0 || !open.has(-what)) break;
      at = -what;
      const section = graph.sections[at];
      const k = -1 - (leaving ? section.leave : section.enter).indexOf(key);
      const inside = itemOf(graph, at, node);
      const next = leaving
        ? step(graph, at, source, target, slot, inside, k)
        : step(graph, at, source, target, slot, k, inside);
      if (!next) break;
      keys.push([at, next.number]);
      key = next.gate;
    }
  }
  return keys;
}

// Which item of a section a node is, or is in.
function itemOf(graph, number, node) {
  const section = graph.sections[number];
  section.places ??= new Map(
    section.items.flatMap((what, i) => (section.chips.has(i) ? [] : [[what, i]])),
  );
  let what = node;
  for (const at of upwards(graph, graph.nodes[node].section)) {
    if (at === number) return section.places.get(what);
    what = -at;
  }
  return undefined;
}

// The arrow of one section that an edge goes along: its own, or the one that many share.
function step(graph, number, source, target, slot, from, to) {
  const section = graph.sections[number];
  section.index ??= indexed(graph, section);
  const own = to >= 0 && section.items[to] >= 0 ? slot : -1;
  const way =
    section.index.get(`${to} ${own} ${source}`) ?? section.index.get(`${from} ${to} ${own} *`);
  if (way === undefined) return null;
  const value = way.value;
  return { number: way.number, gate: value >= 0 ? value : -1 - way.number };
}

function indexed(graph, section) {
  const index = new Map();
  let at = 0;
  graph.layouts[section.layout][3].forEach(([source, target, slot], number) => {
    const value = section.ways[at];
    at += slot < 0 ? 4 : 1;
    index.set(value >= 0 ? `${target} ${slot} ${value}` : `${source} ${target} ${slot} *`, {
      number,
      value,
    });
  });
  return index;
}
