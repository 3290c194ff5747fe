// Search: words that must all hold. `relu`, `layer1`, `[64, 10]` and `64x10` look at names, ops,
// modules and shapes; `grad>1e3`, `value<=0`, `size>1000` at numbers; `nan`, `inf`, `param`,
// `result`, `changed` at what a node is.

const NUMBERS = {
  grad: (node) => node.grad && magnitude(node.grad),
  value: (node) => node.value && magnitude(node.value),
  size: (node) => node.value && node.value.size,
  min: (node) => node.value && (node.value.min ?? node.value.item ?? null),
  max: (node) => node.value && (node.value.max ?? node.value.item ?? null),
};
const COMPARE = new Map([
  [">", (a, b) => a > b],
  [">=", (a, b) => a >= b],
  ["<", (a, b) => a < b],
  ["<=", (a, b) => a <= b],
  ["=", (a, b) => a === b],
]);
const has = (s, what) =>
  Boolean(s) &&
  (s[what] > 0 ||
    (s.size === 1 && (what === "nans" ? Number.isNaN(s.item) : Math.abs(s.item) === Infinity)));
const STATES = new Map([
  ["nan", (node) => has(node.value, "nans") || has(node.grad, "nans")],
  ["inf", (node) => has(node.value, "infs") || has(node.grad, "infs")],
  ["param", (node) => node.kind === "leaf"],
  ["result", (node, graph) => graph.outputs.includes(node.number)],
  ["changed", (node) => node.marks.some((mark) => mark.startsWith("~ ") || mark.startsWith("+ "))],
]);

function wordsOf(query) {
  const joined = query.toLowerCase().replace(/\[[^\]]*\]?/g, (shape) => shape.replace(/\s+/g, ""));
  return joined.split(/\s+/).filter(Boolean);
}

function testOf(word) {
  const [, what, sign, number] = /^(\w+?)(>=|<=|>|<|=)([-+.\de]+|inf)$/.exec(word) ?? [];
  if (
    what &&
    Object.hasOwn(NUMBERS, what) &&
    !Number.isNaN(Number(number.replace("inf", "Infinity")))
  ) {
    const bound = Number(number.replace("inf", "Infinity"));
    return (node) => {
      const x = NUMBERS[what](node);
      return x !== null && COMPARE.get(sign)(x, bound);
    };
  }
  if (STATES.has(word)) return STATES.get(word);
  const shape = /^\d+(x\d+)+$/.test(word) ? `[${word.replaceAll("x", ",")}]` : word;
  return (node, graph) => textOf(node).includes(shape);
}

function textOf(node) {
  node.text ??= [node.title, node.op, node.name, node.module, node.type?.replaceAll(" ", "")]
    .filter(Boolean)
    .join("\n")
    .toLowerCase();
  return node.text;
}

// Numbers of nodes that fit, and below 0 those of sections whose title does.
function search(graph, query) {
  const words = wordsOf(query);
  if (!words.length) return [];
  const tests = words.map(testOf);
  const nodes = graph.nodes
    .filter((node) => tests.every((test) => test(node, graph)))
    .map((node) => node.number);
  const sections = graph.sections.filter(
    (s) =>
      s.number &&
      s.kind === "module" &&
      words.every((word) => `${s.title}\n${s.label}`.toLowerCase().includes(word)),
  );
  return [...sections.map((section) => -section.number), ...nodes];
}
