{
  // What is wrong with the scene when a share of the sections is open, for each share in `given`.
  const wrong = [];
  const all = graph.sections.map((s) => s.number).filter(Boolean);
  const inside = (a, b) =>
    a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;
  const apart = (a, b) =>
    a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
  const along = (box, [x, y], border) => x >= box.x && x <= box.x + box.width && y === border;
  for (const share of given) {
    const open = new Set(all.filter((n, i) => ((i * 2654435761) % 1000) / 1000 < share));
    const scene = sceneOf(graph, open);
    const whole = { x: 0, y: 0, width: scene.width, height: scene.height };
    const frames = new Map(scene.frames.map((f) => [-f.what, f]));
    const groups = new Map();
    for (const box of [...scene.boxes, ...scene.frames]) {
      const beside = groups.get(box.section) ?? [];
      if (!inside(box, frames.get(box.section) ?? whole))
        wrong.push(`${box.what} leaves its frame`);
      for (const other of beside)
        if (!apart(box, other)) wrong.push(`${box.what} on ${other.what}`);
      groups.set(box.section, [...beside, box]);
    }
    for (const { from, to, points, section, number } of scene.ways) {
      const [first, last] = [points[0], points.at(-1)];
      if (points.flat().some((x) => !Number.isFinite(x))) wrong.push("a point is no number");
      if (from && !along(from, first, from.y + from.height))
        wrong.push(`${section}.${number} begins off`);
      if (to && !along(to, last, to.y)) wrong.push(`${section}.${number} ends off`);
    }
  }
  return wrong;
}
