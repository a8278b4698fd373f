// The mirror of dlcourse.autodiff for single numbers, and where the nodes of a graph stand.

const same = { value: (a) => a, slopes: () => [1], formulas: () => ["1"] };

// Each operation: its value, its local derivatives (one for each operand, from the operands and the result) and how they are written.
const OPERATIONS = {
  "+": { value: (a, b) => a + b, slopes: () => [1, 1], formulas: () => ["1", "1"] },
  "-": { value: (a, b) => a - b, slopes: () => [1, -1], formulas: () => ["1", "−1"] },
  "*": { value: (a, b) => a * b, slopes: ([a, b]) => [b, a], formulas: ([a, b]) => [b, a] },
  "/": { value: (a, b) => a / b, slopes: ([, b], y) => [1 / b, -y / b], formulas: ([a, b]) => [`1 / ${b}`, `−${a} / ${b}²`] },
  neg: { value: (a) => -a, slopes: () => [-1], formulas: () => ["−1"] },
  exp: { value: Math.exp, slopes: (_, y) => [y], formulas: ([a]) => [`exp(${a})`] },
  log: { value: Math.log, slopes: ([a]) => [1 / a], formulas: ([a]) => [`1 / ${a}`] },
  sin: { value: Math.sin, slopes: ([a]) => [Math.cos(a)], formulas: ([a]) => [`cos(${a})`] },
  tanh: { value: Math.tanh, slopes: (_, y) => [1 - y * y], formulas: (_, y) => [`1 − ${y}²`] },
  sigmoid: { value: (a) => 0.5 + 0.5 * Math.tanh(0.5 * a), slopes: (_, y) => [y * (1 - y)], formulas: (_, y) => [`${y} · (1 − ${y})`] },
  relu: { value: (a) => Math.max(a, 0), slopes: ([a]) => [a > 0 ? 1 : 0], formulas: ([a]) => [`[${a} > 0]`] },
  sum: same, reshape: same, T: same, "[]": same,
};

const raised = (whole) => String(whole).replace(/[-\d]/g, (d) => (d === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]));

// Returns the operation of a node; the exponent of a power is part of its name.
export function operation(op) {
  if (!op.startsWith("**")) return OPERATIONS[op];
  const power = Number(op.slice(2)), written = (p) => (p === 1 ? "" : Number.isInteger(p) ? raised(p) : `^${String(p).replace("-", "−")}`);
  return {
    power,
    value: (a) => a ** power,
    slopes: ([a]) => [power ? power * a ** (power - 1) : 0],
    formulas: ([a]) => [power === 0 ? "0" : power === 1 ? "1" : `${String(power).replace("-", "−")} · ${a}${written(power - 1)}`],
    written: (a) => a + written(power),
  };
}

// Returns the values of all nodes (in the order of computation) from those of the leaves.
export function forward(nodes, leaves) {
  const values = [];
  let next = 0;
  for (const { op, parents } of nodes) values.push(parents.length ? operation(op).value(...parents.map((p) => values[p])) : leaves[next++]);
  return values;
}

// Returns the gradients of the last node with respect to all, the local derivatives, and the pushes along the edges in their order.
export function backward(nodes, values) {
  const gradients = nodes.map(() => 0), pushes = [], last = nodes.length - 1;
  gradients[last] = 1;
  const locals = nodes.map(({ op, parents }, k) => (parents.length ? operation(op).slopes(parents.map((p) => values[p]), values[k]) : []));
  for (let node = last; node >= 0; node--)
    nodes[node].parents.forEach((parent, slot) => {
      const before = gradients[parent], upstream = gradients[node], local = locals[node][slot], after = before + upstream * local;
      gradients[parent] = after;
      pushes.push({ node, slot, parent, before, upstream, local, after });
    });
  return { gradients, locals, pushes };
}

// Returns the layer of each node: an operation one to the right of its operands, a leaf one to the left of its first use.
export function layersOf(nodes) {
  const layers = nodes.map(() => 0);
  nodes.forEach(({ parents }, k) => { for (const p of parents) layers[k] = Math.max(layers[k], layers[p] + 1); });
  nodes.forEach(({ parents }, k) => {
    if (!parents.length) layers[k] = Math.min(...nodes.flatMap((node, j) => (node.parents.includes(k) ? [layers[j]] : []))) - 1;
  });
  return layers;
}

// Places the nodes: `layer` from the left, `y` from the top in rows, and for each edge (keyed "node:slot") the heights at which it
// passes the layers between. Long edges are chains of small vertices; sweeps bring each vertex near its neighbours (Sugiyama, 1981).
export function layout(nodes) {
  const layers = layersOf(nodes), vertices = nodes.map((_, k) => ({ layer: layers[k], size: 1, left: [], right: [] })), chains = {};
  nodes.forEach(({ parents }, k) => parents.forEach((p, slot) => {
    const chain = [p];
    for (let layer = layers[p] + 1; layer < layers[k]; layer++) chain.push(vertices.push({ layer, size: 0.55, left: [], right: [] }) - 1);
    chain.push(k);
    for (let i = 1; i < chain.length; i++) { vertices[chain[i - 1]].right.push(chain[i]); vertices[chain[i]].left.push(chain[i - 1]); }
    chains[`${k}:${slot}`] = chain.slice(1, -1);
  }));
  const columns = Array.from({ length: Math.max(...layers) + 1 }, (_, layer) => vertices.flatMap((v, k) => (v.layer === layer ? [k] : [])));
  for (const column of columns) column.forEach((k, i) => { vertices[k].y = i - (column.length - 1) / 2; });
  const mean = (ks) => ks.reduce((sum, k) => sum + vertices[k].y, 0) / ks.length;
  const crossings = () => { // pairs of edges between the same layers that cross
    let total = 0;
    for (const column of columns) {
      const edges = column.flatMap((k) => vertices[k].right.map((j) => [vertices[k].y, vertices[j].y]));
      edges.forEach(([a, b], i) => { for (const [c, d] of edges.slice(i + 1)) if ((a - c) * (b - d) < 0) total++; });
    }
    return total;
  };
  let best = null;
  for (let sweep = 0; sweep < 24; sweep++) {
    const rightwards = sweep % 2 === 0, both = sweep >= 12;
    for (const column of rightwards ? columns : columns.toReversed()) {
      const wish = new Map(column.map((k) => {
        const { left, right, y } = vertices[k], near = both ? [...left, ...right] : rightwards ? left : right;
        return [k, near.length ? mean(near) : y];
      }));
      if (!both) column.sort((a, b) => wish.get(a) - wish.get(b));
      const apart = (i) => (vertices[column[i]].size + vertices[column[i - 1]].size) / 2;
      const down = [], up = [];
      column.forEach((k, i) => { down[i] = i ? Math.max(wish.get(k), down[i - 1] + apart(i)) : wish.get(k); });
      for (let i = column.length - 1; i >= 0; i--) up[i] = i < column.length - 1 ? Math.min(wish.get(column[i]), up[i + 1] - apart(i + 1)) : wish.get(column[i]);
      column.forEach((k, i) => { vertices[k].y = (down[i] + up[i]) / 2; });
    }
    const height = Math.max(...vertices.map((v) => v.y)) - Math.min(...vertices.map((v) => v.y)), cost = crossings() * 10 + height;
    if (!best || cost <= best.cost) best = { cost, ys: vertices.map((v) => v.y) };
  }
  const top = Math.min(...best.ys.slice(0, nodes.length)), y = best.ys.map((v) => v - top);
  return { layers, y: y.slice(0, nodes.length), bends: Object.fromEntries(Object.entries(chains).map(([edge, chain]) => [edge, chain.map((k) => y[k])])) };
}
