// What stands beside the picture: the present step, the chosen box, results of a search.

const LISTED = 200;

function element(name, attributes = {}, ...children) {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== null && value !== false) one.setAttribute(key, value === true ? "" : value);
  one.append(...children);
  return one;
}

// What something is called and what it is, with bars for the elements of a small array.
function pair(what, text, look, strip) {
  const told = element("dd", look ? { class: look } : {}, text);
  if (strip?.length) {
    const size = { width: strip.length * BAR + 4, height: BARS + 4, class: "bars" };
    told.append(made("svg", size, stripOf(strip, 2, 2)));
  }
  return [element("dt", {}, what), told];
}

function showStep(panel, replay) {
  const { title, lines } = replay.told();
  const list = element(
    "dl",
    {},
    ...lines.flatMap((line) =>
      pair(line.what, line.text, line.sum ? "sum" : line.strong ? "strong" : "", line.strip),
    ),
  );
  panel.replaceChildren(element("h2", {}, title), list);
}

function showChosen(panel, graph, replay, what) {
  if (what === null) {
    panel.replaceChildren(
      element("h2", {}, "Nothing chosen"),
      element("p", {}, "Press a box, or search."),
    );
    return;
  }
  if (what < 0) {
    const section = graph.sections[-what];
    const rows = [...pair("kind", section.kind), ...pair("in all", section.lines.join(", "))];
    panel.replaceChildren(
      element("h2", {}, section.label || section.title),
      element(
        "dl",
        {},
        ...rows,
        ...(section.badges.length ? pair("marks", section.badges.join(", ")) : []),
      ),
    );
    return;
  }
  const node = graph.nodes[what];
  const value = replay.value(what),
    grad = replay.gradient(what);
  const rows = [
    ["what", node.kind === "op" ? node.op : node.kind],
    ["type", node.type],
    ["module", node.module],
    [node.kind === "error" ? "error" : "line", node.line],
    ["value", value && statisticsText(value), value?.strip],
    ["gradient", grad && gradientText(grad), grad?.strip],
    ["marks", node.marks.join(", ")],
    ...node.operands.map((x) => [
      x.slot,
      operandText(graph, x) +
        (x.sent && replay.fired(what) ? `; was sent ${statisticsText(x.sent)}` : ""),
    ]),
    [
      "used by",
      usersOf(graph)
        [what].slice(0, 12)
        .map((user) => nameOf(graph, user))
        .join(", "),
    ],
  ];
  panel.replaceChildren(
    element("h2", {}, nameOf(graph, what)),
    element(
      "dl",
      {},
      ...rows
        .filter(([, text]) => text)
        .flatMap(([key, text, strip]) => pair(key, text, "", strip)),
    ),
  );
}

function showResults(panel, graph, found, jump) {
  const items = found.slice(0, LISTED).map((what) => {
    const text =
      what < 0
        ? graph.sections[-what].label
        : `${nameOf(graph, what)}  ${graph.nodes[what].type ?? ""}`;
    const button = element("button", { type: "button" }, text);
    button.addEventListener("click", () => jump(what));
    return element("li", {}, button);
  });
  const more = found.length > LISTED ? `, the first ${LISTED} are listed` : "";
  panel.replaceChildren(
    element("h2", {}, `${found.length} found${more}`),
    element("ul", {}, ...items),
  );
}
