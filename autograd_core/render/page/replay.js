// The run as a log of steps: each op forward, the gradient of the result, each op backward. Any
// step can be shown at once: the gradients up to it are added up again, in the engine's order.

function stepsOf(graph) {
  const ops = graph.nodes.filter(
    (node) => node.operands.length || node.kind === "op" || node.kind === "error",
  );
  const steps = ops.map((node) => ({ way: "forward", node: node.number }));
  if (!graph.backward) return steps;
  const senders = ops.filter((node) => node.operands.some((x) => x.sent)).reverse();
  steps.push({ way: "seed", node: graph.outputs[0] });
  return [...steps, ...senders.map((node) => ({ way: "backward", node: node.number }))];
}

function added(node, a, b) {
  return node.single ? Math.fround(a + b) : a + b;
}

// What each gradient begins with, and how many contributions are to come: a result begins with
// what backward was called with, a leaf with what was there before.
function beginnings(graph) {
  const arriving = graph.nodes.map(() => []);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    for (const { node, sent } of graph.nodes[i].operands)
      if (node !== null && sent) arriving[node].push(sent);
  }
  const start = graph.nodes.map((node, i) => {
    const grad = node.grad;
    if (!grad || !graph.backward) return null;
    if (grad.size > 1 || arriving[i].some((s) => s.size > 1))
      return arriving[i].length ? null : grad;
    const total = (first) => arriving[i].reduce((sum, s) => added(node, sum, s.item), first);
    const rest = grad.item - total(0);
    const first =
      [0, 1, rest].find((x) => Object.is(total(x), grad.item) || total(x) === grad.item) ?? rest;
    return first ? { size: 1, item: first, nans: 0, infs: 0 } : null;
  });
  return { start, expected: arriving.map((all) => all.length) };
}

class Replay {
  constructor(graph) {
    this.graph = graph;
    this.steps = stepsOf(graph);
    this.seed = this.steps.findIndex((step) => step.way === "seed");
    this.begin = beginnings(graph);
    this.turn = graph.nodes.map(() => [-1, -1]); // of each node: its steps forward and backward
    this.steps.forEach((step, i) => {
      if (step.way !== "seed") this.turn[step.node][Number(step.way === "backward")] = i;
    });
    this.go(this.steps.length);
  }

  // Take the first `count` steps.
  go(count) {
    const { graph, steps } = this;
    this.count = Math.max(0, Math.min(count, steps.length));
    this.now = steps[this.count - 1] ?? null;
    this.received = new Int32Array(graph.nodes.length);
    this.sums = new Float64Array(graph.nodes.length);
    this.changes = []; // what the present step adds to whom
    if (this.seed < 0 || this.count <= this.seed) return this;
    this.begin.start.forEach((first, i) => {
      if (first && first.size === 1) this.sums[i] = first.item;
    });
    for (let i = this.seed + 1; i < this.count; i++)
      this.send(graph.nodes[steps[i].node], i === this.count - 1);
    return this;
  }

  send(node, present) {
    node.operands.forEach(({ node: to, sent }, slot) => {
      if (to === null || !sent) return;
      const before = this.gradient(to);
      this.received[to] += 1;
      if (sent.size === 1) this.sums[to] = added(this.graph.nodes[to], this.sums[to], sent.item);
      if (present) this.changes.push({ to, slot, sent, before, after: this.gradient(to) });
    });
  }

  // The result of a node, once its step is taken.
  value(number) {
    const node = this.graph.nodes[number];
    return this.turn[number][0] < this.count ? node.value : null;
  }

  // The gradient of a node as far as it has arrived: a number, all of it, or {parts, of}.
  gradient(number) {
    const node = this.graph.nodes[number];
    if (this.seed < 0) return node.grad;
    if (this.count <= this.seed) return null;
    const [received, expected] = [this.received[number], this.begin.expected[number]];
    const first = this.begin.start[number];
    if (!received && !first) return null;
    if (!node.grad) return null;
    if (node.grad.size === 1) return { size: 1, item: this.sums[number], nans: 0, infs: 0 };
    return received === expected ? node.grad : { parts: received, of: expected };
  }

  // Whether backward has sent along the operands of a node.
  fired(number) {
    const turn = this.turn[number][1];
    return turn >= 0 && turn < this.count;
  }

  // What the present step says, in order.
  told() {
    if (this.still) return this.toldAll();
    if (!this.now) return { title: "Before the first step", lines: [] };
    const node = this.graph.nodes[this.now.node];
    if (this.now.way === "seed")
      return { title: "Backward begins", lines: this.graph.outputs.map((n) => this.toldSeed(n)) };
    return this.now.way === "forward" ? this.toldForward(node) : this.toldBackward(node);
  }

  toldAll() {
    const { graph } = this;
    const leaves = graph.backward
      ? graph.nodes.filter((node) => node.kind === "leaf" && node.grad)
      : [];
    const lines = graph.outputs.map((n) => ({
      what: nameOf(graph, n),
      text: graph.nodes[n].value ? statisticsText(graph.nodes[n].value) : "not recorded",
    }));
    const shown = leaves.slice(0, 12).map((node) => ({
      what: `${nameOf(graph, node.number)}.grad`,
      text: magnitudeText(node.grad),
    }));
    if (leaves.length > 12) shown.push({ what: "", text: `and ${leaves.length - 12} more` });
    return { title: `All ${this.steps.length} steps are taken`, lines: [...lines, ...shown] };
  }

  toldSeed(number) {
    const first = this.begin.start[number];
    return {
      what: `d${nameOf(this.graph, number)}/d${nameOf(this.graph, number)}`,
      text: first ? gradientText(first) : "nothing",
    };
  }

  toldForward(node) {
    const lines = node.operands.map((x) => ({ what: x.slot, text: operandText(this.graph, x) }));
    const rule = this.graph.rules.get(node.op);
    const result = node.value
      ? `= ${statisticsText(node.value)}`
      : node.kind === "error"
        ? (node.line ?? "failed")
        : "(not recorded)";
    return {
      title: `Forward: ${nameOf(this.graph, node.number)}`,
      lines: [
        ...lines,
        {
          what: rule ? rule.result : node.op,
          text: result,
          strip: node.value?.strip,
          strong: true,
        },
      ],
    };
  }

  toldBackward(node) {
    const g = this.gradient(node.number);
    const lines = [
      { what: "g, from above", text: g ? gradientText(g) : "not recorded", strip: g?.strip },
    ];
    for (const { to, slot, sent, before, after } of this.changes) {
      lines.push(...ruleLines(this.graph, node, slot, g));
      const name = nameOf(this.graph, to);
      lines.push({
        what: `sends to ${name}`,
        text: statisticsText(sent),
        strip: sent.strip,
        strong: true,
      });
      if (after)
        lines.push({
          what: `${name}.grad`,
          text: sumText(before, sent, after),
          strip: after.strip,
          sum: true,
        });
    }
    return { title: `Backward: ${nameOf(this.graph, node.number)}`, lines };
  }
}

function nameOf(graph, number) {
  const node = graph.nodes[number];
  return (
    node.name ||
    (node.operands.length || node.kind === "op" ? `%${number} ${node.op}` : `%${number}`)
  );
}

function operandText(graph, x) {
  if (x.node === null) return x.text;
  const value = graph.nodes[x.node].value;
  return nameOf(graph, x.node) + (value ? ` = ${statisticsText(value)}` : "");
}

function gradientText(g) {
  return g.parts === undefined ? statisticsText(g) : `${g.parts} of ${g.of} parts`;
}

// 0 += 3 gives 3; of arrays only how many parts there are.
function sumText(before, sent, after) {
  const start = before
    ? before.parts === undefined
      ? statisticsText(before)
      : `${before.parts} parts`
    : "0";
  if (after.parts !== undefined) return `+= part ${after.parts} of ${after.of}`;
  return sent.size === 1
    ? `${start} + ${numberText(sent.item, 6)} = ${statisticsText(after)}`
    : `complete: ${statisticsText(after)}`;
}

// The rule of one operand in symbols, then in numbers: what it multiplies g by is what it sent
// over g, which says more than the symbols where they name parameters.
function ruleLines(graph, node, slot, g) {
  const { slot: name, sent } = node.operands[slot];
  const rule = graph.rules.get(node.op);
  const known = rule?.slots.get(name);
  if (!known)
    return [
      { what: `rule of ${node.op} for ${name}`, text: "its own, without a formula in symbols" },
    ];
  const [slope, sends] = known;
  if (!slope) return [{ what: `rule of ${rule.result} for ${name}`, text: sends }];
  const factor = g && g.size === 1 && sent.size === 1 && g.item !== 0 ? sent.item / g.item : NaN;
  const number =
    Number.isFinite(factor) && !/^-?\d+$/.test(slope) ? ` = ${factorText(factor)}` : "";
  const left = /^\w+\(.*\)$/.test(rule.result) ? `d ${rule.result}` : `d(${rule.result})`;
  return [{ what: `${left}/d${name}`, text: `${slope}${number}` }];
}
