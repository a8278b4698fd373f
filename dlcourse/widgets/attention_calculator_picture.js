// Two planes: the query and the keys as arrows from the origin, and the values with the output among them.

const OWN = { // a colour for each key and its value, apart for all kinds of sight; the letter beside it says the same
  light: ["#00795a", "#b5468b", "#8a6100", "#1f6fa6", "#6d4fc4", "#5f6b76"],
  dark: ["#2fc498", "#e79bc9", "#f0b93a", "#7cc8f2", "#b9a3ff", "#aab4be"],
};
const REACH = 22; // pixels from a tip at which it is meant

export const calculatorColours = (root) => { const colours = look(root); return { ...colours, own: OWN[colours.dark ? "dark" : "light"] }; };

// The part of the plane to show: as before where that still fits, so that nothing moves while a number changes.
export function surround(places, before, centred) {
  const [x0, x1, y0, y1] = [0, 1].flatMap((axis) => [Math.min(...places.map((p) => p[axis])), Math.max(...places.map((p) => p[axis]))]);
  const middle = centred ? [0, 0] : [(x0 + x1) / 2, (y0 + y1) / 2];
  const far = Math.max(centred ? 0.5 : 0.6, ...places.flatMap((p) => p.map((v, axis) => Math.abs(v - middle[axis]))));
  if (before) {
    const half = (before[1] - before[0]) / 2, [cx, cy] = [(before[0] + before[1]) / 2, (before[2] + before[3]) / 2];
    const reach = Math.max(...places.flatMap(([x, y]) => [Math.abs(x - cx), Math.abs(y - cy)]));
    if (reach < 0.92 * half && far > 0.3 * half) return before;
  }
  const half = (centred ? 1.35 : 1.5) * far;
  return [middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half];
}

function arrow(context, from, to, { colour, width = 2.5, dash = [] }) {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]), turn = Math.atan2(to[1] - from[1], to[0] - from[0]);
  const head = Math.min(5 + 2.6 * width, length), neck = [to[0] - 0.8 * head * Math.cos(turn), to[1] - 0.8 * head * Math.sin(turn)];
  context.strokeStyle = context.fillStyle = colour; context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath(); context.moveTo(...from); context.lineTo(...neck); context.stroke();
  context.setLineDash([]);
  context.beginPath(); context.moveTo(...to);
  for (const side of [-0.42, 0.42]) context.lineTo(to[0] - head * Math.cos(turn + side), to[1] - head * Math.sin(turn + side));
  context.fill();
}

// Finds places for names where they cover neither each other nor what stands around: first outwards, then turned away.
function placer(context, { width, height }, colours) {
  const taken = [];
  const covered = ([x0, x1, y0, y1]) => taken.reduce((sum, [a0, a1, b0, b1]) => sum + Math.max(0, Math.min(x1, a1) - Math.max(x0, a0)) * Math.max(0, Math.min(y1, b1) - Math.max(y0, b0)), 0);
  const avoid = ([x, y], radius) => taken.push([x - radius, x + radius, y - radius, y + radius]);
  const put = (text, [x, y], gap, [dx, dy], colour, weight = 650) => {
    context.font = `${weight} 14px ${colours.font}`;
    const half = context.measureText(text).width / 2 + 1, turn = Math.atan2(dy, dx);
    const turns = [0, 0.8, -0.8, 1.6, -1.6, 2.4, -2.4, 3.14], options = [...turns, ...turns].map((more, n) => {
      const [ux, uy] = [Math.cos(turn + more), Math.sin(turn + more)], far = gap + (n < turns.length ? 0 : 14);
      const cx = Math.min(Math.max(x + ux * (far + half), half + 4), width - half - 4), cy = Math.min(Math.max(y + uy * (far + 9), 11), height - 11);
      const box = [cx - half, cx + half, cy - 8, cy + 8];
      return { cx, cy, box, cost: covered(box) + 4 * n };
    });
    const { cx, cy, box } = options.reduce((best, one) => (one.cost < best.cost ? one : best));
    taken.push(box);
    write(context, text, cx, cy, { colour, font: colours.font }, { align: "center", size: 14, weight, halo: colours.paper });
  };
  return { avoid, put };
}

function disc(context, [x, y], radius, { fill: inside, line, width = 1.5, dash = [] }) {
  context.beginPath(); context.arc(x, y, radius, 0, 2 * Math.PI);
  if (inside) { context.fillStyle = inside; context.fill(); }
  if (!line) return;
  context.strokeStyle = line; context.lineWidth = width; context.setLineDash(dash); context.stroke(); context.setLineDash([]);
}

function stroke(context, points, colour, width, { dash = [], alpha = 1 } = {}) {
  context.strokeStyle = colour; context.lineWidth = width; context.globalAlpha = alpha; context.setLineDash(dash);
  context.beginPath();
  points.forEach((p, n) => context[n ? "lineTo" : "moveTo"](...p));
  context.stroke();
  context.setLineDash([]); context.globalAlpha = 1;
}

// A light grid with numbers at its foot and on the left, and the two axes through the origin.
function grid(context, { left, top, width, height, bounds, px, py }, colours, flat = false) {
  const style = { colour: colours.muted, font: colours.font }, count = Math.max(3, Math.round(width / 62));
  for (const [x, text] of ticks(bounds[0], bounds[1], count)) {
    stroke(context, [[px(x), top], [px(x), top + height]], colours.line, 1, { alpha: 0.7 });
    if (px(x) > left + 26 && px(x) < left + width - 12) write(context, text, px(x), top + height - 4, style, { align: "center", base: "bottom", size: 11, halo: colours.paper });
  }
  if (flat) return stroke(context, [[left, py(0)], [left + width, py(0)]], colours.muted, 1.25);
  for (const [y, text] of ticks(bounds[2], bounds[3], Math.max(3, Math.round(height / 62)))) {
    stroke(context, [[left, py(y)], [left + width, py(y)]], colours.line, 1, { alpha: 0.7 });
    if (py(y) > top + 10 && py(y) < top + height - 22) write(context, text, left + 5, py(y), style, { size: 11, halo: colours.paper });
  }
  for (const line of [[[px(0), top], [px(0), top + height]], [[left, py(0)], [left + width, py(0)]]]) stroke(context, line, colours.muted, 1, { alpha: 0.8 });
}

// Opens a drawing on `canvas` that is cut off at rounded corners; returns what to draw with.
function open(canvas, bounds, flat) {
  const { context, width, height } = prepare(canvas), box = { left: 0, top: 0, width: Math.max(width, 10), height: Math.max(height, 10) };
  context.beginPath(); context.roundRect(0, 0, box.width, box.height, 6); context.clip();
  return { context, view: flat ? frame([bounds[0], bounds[1], -1, 1], box) : frame(bounds, box, true) };
}

// scene: { queries, k, allowed, query (in hand), names, queryNames, scores, active (a key or null), held (a tip) }
export function paintKeys(canvas, bounds, { queries, k, allowed, query, names, queryNames, scores, active, held }, colours) {
  const { context, view } = open(canvas, bounds), at = ([x, y]) => [view.px(x), view.py(y)], origin = at([0, 0]);
  const q = queries[query], size = Math.hypot(...q), { width, height } = view;
  if (size > 0) { // darker where the score is higher
    const [ux, uy] = [q[0] / size, -q[1] / size], far = Math.hypot(width, height) / 2;
    const shade = context.createLinearGradient(origin[0] - ux * far, origin[1] - uy * far, origin[0] + ux * far, origin[1] + uy * far);
    for (const [stop, alpha] of [[0, 0], [0.5, 0.05], [1, colours.dark ? 0.36 : 0.3]]) shade.addColorStop(stop, `color-mix(in srgb, ${colours.accent} ${100 * alpha}%, transparent)`);
    context.fillStyle = shade; context.fillRect(0, 0, width, height);
  }
  grid(context, view, colours);
  if (size > 0) {
    const unit = q.map((v) => v / size), reach = 4 * (Math.abs(bounds[1]) + Math.abs(bounds[0])), foot = (key) => unit.map((u) => u * dot(key, unit));
    stroke(context, [at(unit.map((u) => -u * reach)), at(unit.map((u) => u * reach))], colours.accent, 1, { dash: [1, 5], alpha: 0.9 });
    k.forEach((key, i) => { // straight down to the line of the query: how far along it the key reaches
      if (!allowed[i]) return;
      stroke(context, [at(key), at(foot(key))], colours.own[i], i === active ? 2 : 1.25, { dash: [3, 4], alpha: i === active ? 1 : 0.6 });
      disc(context, at(foot(key)), i === active ? 4 : 2.5, { fill: colours.own[i] });
    });
    if (active !== null && allowed[active]) stroke(context, [origin, at(foot(k[active]))], colours.own[active], 6, { alpha: 0.45 });
  }
  const namer = placer(context, view, colours), away = ([x, y], other) => (x || y ? [x, -y] : other);
  queries.forEach((other, r) => {
    if (r !== query) arrow(context, origin, at(other), { colour: `color-mix(in srgb, ${colours.accent} 45%, ${colours.paper})`, width: 2 });
  });
  arrow(context, origin, at(q), { colour: colours.accent, width: 6 });
  disc(context, at(q), held === `q${query}` ? 11.5 : 9, { fill: colours.paper, line: colours.accent, width: 3 });
  k.forEach((key, i) => {
    const colour = allowed[i] ? colours.own[i] : colours.muted;
    arrow(context, origin, at(key), { colour, width: i === active ? 3.25 : 2.25, dash: allowed[i] ? [] : [4, 4] });
    disc(context, at(key), held === `k${i}` ? 8 : 5, { fill: colours.paper, line: colour, width: 2 });
  });
  for (const tip of [...queries, ...k]) namer.avoid(at(tip), 8);
  namer.avoid(origin, 6);
  namer.put(queryNames[query], at(q), 12, away(q, [1, 1]), colours.accent, 750);
  k.forEach((key, i) => namer.put(names[i], at(key), 8, away(key, [-1, 1]), allowed[i] ? colours.own[i] : colours.muted));
  queries.forEach((other, r) => { if (r !== query) namer.put(queryNames[r], at(other), 4, away(other, [1, 1]), colours.muted, 500); });
  if (active !== null && allowed[active]) {
    const text = `${queryNames[query]} · ${names[active]} = ${number(scores[active], 3)}`;
    write(context, text, width - 10, 15, { colour: colours.own[active], font: colours.font }, { align: "right", size: 13, weight: 650, halo: colours.paper });
  }
  return view;
}

// scene: { v (S, 1 or 2 numbers), allowed, weights, output, others (outputs of the other queries), path and around (outputs as τ changes, as q turns), names, active, held, words }
export function paintValues(canvas, bounds, { v, allowed, weights, output, others, path, around, names, active, held, words }, colours) {
  const flat = v[0].length === 1, { context, view } = open(canvas, bounds, flat), { width, height } = view;
  const at = (p) => [view.px(p[0]), view.py(flat ? 0 : p[1])], text = { colour: colours.muted, font: colours.font };
  grid(context, view, colours, flat);
  const seen = v.filter((_, i) => allowed[i]);
  if (!flat && seen.length > 1) {
    const corners = hull(seen).map(at);
    context.beginPath(); corners.forEach((p, n) => context[n ? "lineTo" : "moveTo"](...p)); context.closePath();
    context.fillStyle = colours.accent; context.globalAlpha = colours.dark ? 0.2 : 0.13; context.fill();
    context.globalAlpha = 0.55; context.strokeStyle = colours.accent; context.lineWidth = 1.25; context.stroke(); context.globalAlpha = 1;
  } else if (flat && seen.length > 1) {
    const ends = [Math.min(...seen.flat()), Math.max(...seen.flat())].map((x) => at([x]));
    stroke(context, ends, colours.accent, 14, { alpha: colours.dark ? 0.3 : 0.2 });
  }
  const target = at(output), bow = (from) => { // in one dimension the threads would lie on each other: they bow
    context.beginPath(); context.moveTo(...from);
    context.quadraticCurveTo((from[0] + target[0]) / 2, view.py(0) - Math.min(0.55 * height, 24 + 0.5 * Math.abs(from[0] - target[0])), ...target);
    context.stroke();
  };
  v.forEach((value, i) => { // a thread to each value, as thick as its weight
    if (!(weights[i] > 0)) return;
    if (!flat) return stroke(context, [at(value), target], colours.own[i], 1 + 9 * weights[i], { alpha: i === active ? 0.85 : 0.5 });
    context.strokeStyle = colours.own[i]; context.lineWidth = 1 + 9 * weights[i]; context.globalAlpha = i === active ? 0.85 : 0.5;
    bow(at(value)); context.globalAlpha = 1;
  });
  const namer = placer(context, view, colours);
  if (!flat && around.length) stroke(context, around.map(at), colours.warm, 1.75, { alpha: 0.75 });
  if (!flat && path.length > 2) { // from the best match, which has a name, to the plain mean
    const points = path.map(at), end = points.at(-1);
    stroke(context, points, colours.ink, 1.5, { dash: [1, 4] });
    disc(context, end, 3.5, { fill: colours.ink });
    for (const p of points) namer.avoid(p, 2);
    namer.avoid(target, 12);
    namer.put(words.hottest, end, 5, [end[0] - points.at(-9)[0], end[1] - points.at(-9)[1]], colours.ink, 500);
  }
  const radii = weights.map((w) => 5 + 15 * Math.sqrt(w));
  v.forEach((value, i) => {
    const radius = radii[i], colour = allowed[i] ? colours.own[i] : colours.muted, place = at(value), shown = allowed[i] && (held === `v${i}` || i === active);
    disc(context, place, radius, { fill: allowed[i] ? colour : colours.paper, line: shown ? colours.ink : colours.paper, width: shown ? 2.5 : 1.5 });
    if (!allowed[i]) disc(context, place, radius, { line: colour, dash: [3, 3] });
    namer.avoid(place, radius);
  });
  const diamond = ([x, y], size, colour) => {
    context.beginPath(); context.moveTo(x, y - size); context.lineTo(x + size, y); context.lineTo(x, y + size); context.lineTo(x - size, y); context.closePath();
    context.fillStyle = colour; context.fill(); context.strokeStyle = colours.paper; context.lineWidth = 2; context.stroke();
  };
  for (const other of others) diamond(at(other), 6, `color-mix(in srgb, ${colours.warm} 55%, ${colours.paper})`);
  diamond(target, 9.5, colours.warm);
  namer.avoid(target, 10);
  if (!flat) for (const value of v) for (const part of [0.3, 0.5, 0.7]) namer.avoid(between(target, at(value), part), 3);
  const below = [0, 1], middle = at(v.reduce((sum, p) => sum.map((x, n) => x + p[n] / v.length), v[0].map(() => 0)));
  v.forEach((value, i) => { const place = at(value); namer.put(names[i], place, radii[i] + 4, flat ? below : [place[0] - middle[0] || 0.01, place[1] - middle[1]], allowed[i] ? colours.own[i] : colours.muted); });
  namer.put(words.output, target, 12, flat ? below : [0, -1], colours.warm, 750);
  return view;
}

// Lets the pointer take hold of tips on `canvas`: tips() are [name, [x, y]]; move(name, place) follows it, hover(name or null) hears.
export function holdable(canvas, { view, tips, move, hover, settle }, signal) {
  const on = { signal }, place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  let held = null;
  const near = (event) => {
    const [x, y] = place(event), apart = ([, [a, b]]) => Math.hypot(x - view().px(a), y - view().py(b));
    const best = tips().reduce((least, tip) => (!least || apart(tip) < apart(least) ? tip : least), null);
    return best && apart(best) < REACH ? best[0] : null;
  };
  canvas.addEventListener("touchstart", (event) => { if (near(event.touches[0])) event.preventDefault(); }, { signal, passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    held = near(event);
    if (!held) return;
    canvas.setPointerCapture(event.pointerId);
    canvas.style.cursor = "grabbing";
    hover(held, true);
  }, on);
  canvas.addEventListener("pointermove", (event) => {
    if (!event.isPrimary) return; // a second finger
    if (!held) { const tip = near(event); canvas.style.cursor = tip ? "grab" : ""; return hover(tip, false); }
    const [x, y] = place(event), { bounds } = view(), within = (v, low, high) => Math.min(Math.max(v, low), high);
    move(held, [within(view().x(x), bounds[0], bounds[1]), within(view().y(y), bounds[2], bounds[3])].map((v) => Math.round(v * 20) / 20));
  }, on);
  canvas.addEventListener("pointerleave", () => { if (!held) hover(null, false); }, on);
  const release = ({ isPrimary }) => { if (held && isPrimary) { held = null; canvas.style.cursor = ""; hover(null, false); settle(); } };
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, release, on);
}
