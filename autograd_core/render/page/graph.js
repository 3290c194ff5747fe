// The graph as the page knows it, from the rows of its record (content.py).

const KINDS = ["op", "leaf", "input", "constant", "error"];

function decoded(record) {
  const text = (i) => (i < 0 ? null : record.strings[i]);
  const graph = {
    ...record,
    nodes: record.nodes.map((row, number) => decodedNode(row, number, text)),
    sections: record.sections.map((row, number) => decodedSection(row, number, text)),
    rules: new Map(
      record.rules.map(([op, result, ...slots]) => [
        text(op),
        { result, slots: new Map(slots.map(([slot, ...rule]) => [slot, rule])) },
      ]),
    ),
  };
  graph.sections.forEach((section) =>
    section.items.forEach((what, i) => {
      if (what >= 0 && !section.chips.has(i)) graph.nodes[what].section = section.number;
    }),
  );
  return graph;
}

function decodedNode(row, number, text) {
  const [
    kind,
    op,
    title,
    name,
    type,
    module,
    line,
    value,
    grad,
    flat,
    width,
    height,
    commutative,
    order,
    single,
    view,
    chip,
    marks,
  ] = row;
  const operands = [];
  for (let i = 0; i < flat.length; i += 3) {
    const outside = flat[i] < 0;
    operands.push({
      node: outside ? null : flat[i],
      text: outside ? text(-1 - flat[i]) : "",
      slot: text(flat[i + 1]),
      sent: told(flat[i + 2]),
    });
  }
  return {
    number,
    kind: KINDS[kind],
    op: text(op),
    title: text(title),
    name: text(name),
    type: text(type),
    module: text(module),
    line: text(line),
    value: told(value),
    grad: told(grad),
    operands,
    width,
    height,
    named: !commutative && operands.length > 1,
    order,
    single,
    view,
    chip,
    marks: marks.map(text),
    section: 0,
  };
}

function decodedSection(row, number, text) {
  const [
    kind,
    title,
    lines,
    badges,
    label,
    parent,
    width,
    height,
    openWidth,
    openHeight,
    titleWidth,
    stack,
    layout,
    items,
    chips,
    enter,
    leave,
    ways,
    grad,
  ] = row;
  return {
    number,
    kind,
    title,
    lines,
    badges,
    label: text(label),
    parent,
    width,
    height,
    openWidth,
    openHeight,
    titleWidth,
    stack,
    layout,
    items,
    chips: new Set(chips),
    enter,
    leave,
    ways,
    grad: told(grad),
  };
}

// The section itself and those around it, the innermost first.
function upwards(graph, number) {
  const chain = [];
  for (let at = number; at >= 0; at = graph.sections[at].parent) chain.push(at);
  return chain;
}

// The box that a node is seen in: its own, or that of the outermost closed section around it, as a
// number below 0.
function boxOf(graph, open, number) {
  let box = number;
  for (const at of upwards(graph, graph.nodes[number].section)) if (at && !open.has(at)) box = -at;
  return box;
}

// The nodes that use each node, in order.
function usersOf(graph) {
  graph.users ??= graph.nodes.reduce(
    (users, node) => {
      for (const { node: source } of node.operands) {
        if (source !== null && users[source].at(-1) !== node.number)
          users[source].push(node.number);
      }
      return users;
    },
    graph.nodes.map(() => []),
  );
  return graph.users;
}
