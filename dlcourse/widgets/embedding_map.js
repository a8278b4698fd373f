// The map of the words: dots, labels that do not overlap, zoom, and a way from word to word with mouse, finger or arrow keys.

const WIDEST = 1, CLOSEST = 60, REACH = 18; // zoom; pixels from a dot at which it is meant
const GROUPS = {
  light: ["#009e73", "#b8558f", "#b07a00", "#2b8cc4", "#d55e00"],
  dark: ["#2fc498", "#e39ac6", "#f0b93a", "#7cc8f2", "#f08c4a"],
};
const SHAPES = [ // of a group's dots, around (0, 0), about as large as a disc of radius 1
  (path) => path.arc(0, 0, 1, 0, 7),
  (path) => path.rect(-0.9, -0.9, 1.8, 1.8),
  (path) => { path.moveTo(0, -1.25); path.lineTo(1.15, 0.85); path.lineTo(-1.15, 0.85); path.closePath(); },
  (path) => { path.moveTo(0, -1.35); path.lineTo(1.35, 0); path.lineTo(0, 1.35); path.lineTo(-1.35, 0); path.closePath(); },
  (path) => { for (const [x, y, w, h] of [[-1.3, -0.45, 2.6, 0.9], [-0.45, -1.3, 0.9, 2.6]]) path.rect(x, y, w, h); },
].map((draw) => { const path = new Path2D(); draw(path); return path; });

// Draws group `k`'s mark on a small canvas, for the legend.
function paintMark(canvas, k, dark) {
  const { context } = prepare(canvas), middle = canvas.clientWidth / 2;
  context.fillStyle = GROUPS[dark ? "dark" : "light"][k];
  context.translate(middle, middle); context.scale(middle / 1.6, middle / 1.6);
  context.fill(SHAPES[k]);
}

// `places` (2 × V numbers) on `canvas`. `act.hover(k)` hears of the word under the mouse (−1: none), `act.reach(k)` of one reached
// with the keys, `act.choose(k)` of one that is taken. Returns { show, zoom, all, near, paint }; `show(scene)` takes what is lit:
// chosen: words drawn large; near: words in the accent; lines: [from, to, width]; arrows: [from, to, dashed]; target: { at, text };
// a place is a word's number or [x, y].
function wordMap(root, canvas, { places, tokens, order, groupOf }, act, signal) {
  const count = tokens.length, on = { signal }, still = matchMedia("(prefers-reduced-motion: reduce)"), widths = new Map();
  const reach = (axis) => {
    let low = Infinity, high = -Infinity;
    for (let k = axis; k < 2 * count; k += 2) { low = Math.min(low, places[k]); high = Math.max(high, places[k]); }
    return [low, high];
  };
  const [x0, x1] = reach(0), [y0, y1] = reach(1), extent = Math.max(x1 - x0, y1 - y0) || 1;
  const home = { x: (x0 + x1) / 2, y: (y0 + y1) / 2, zoom: 1 }, rank = new Int32Array(count);
  order.forEach((k, place) => { rank[k] = place; });
  let view = { ...home }, scene = { chosen: [], near: [], lines: [], arrows: [], target: null };
  let hovered = -1, keyed = -1, frame = 0, moving = 0;

  const size = () => [canvas.clientWidth, canvas.clientHeight];
  const scale = () => Math.min(...size()) * 0.92 / extent * view.zoom;
  const project = (place) => {
    const [x, y] = typeof place === "number" ? [places[2 * place], places[2 * place + 1]] : place, [width, height] = size(), s = scale();
    return [width / 2 + (x - view.x) * s, height / 2 - (y - view.y) * s];
  };
  const inside = ([x, y], margin = 0) => [[x, 0], [y, 1]].every(([at, axis]) => at >= margin && at <= size()[axis] - margin);

  // -- drawing
  const measure = (context, text) => {
    const key = `${context.font} ${text}`;
    if (!widths.has(key)) widths.set(key, context.measureText(text).width);
    return widths.get(key);
  };
  const arrow = (context, [ax, ay], [bx, by]) => {
    const turn = Math.atan2(by - ay, bx - ax), head = 9, [ex, ey] = [bx - 6 * Math.cos(turn), by - 6 * Math.sin(turn)];
    context.beginPath(); context.moveTo(ax, ay); context.lineTo(ex - head * 0.7 * Math.cos(turn), ey - head * 0.7 * Math.sin(turn)); context.stroke();
    context.setLineDash([]);
    context.beginPath(); context.moveTo(ex, ey);
    for (const side of [-0.42, 0.42]) context.lineTo(ex - head * Math.cos(turn + side), ey - head * Math.sin(turn + side));
    context.fill();
  };
  const paint = () => {
    cancelAnimationFrame(frame); // where it is called at once, one may still be due
    frame = 0;
    const start = performance.now(), { context } = prepare(canvas), [width, height] = size(), style = getComputedStyle(root), dark = isDark(root);
    const [ink, paper, muted, accent, warm] = ["ink", "paper", "muted", "accent", "warm"].map((name) => style.getPropertyValue(`--dl-${name}`).trim());
    const at = new Float32Array(2 * count), s = scale();
    for (let k = 0; k < count; k++) {
      at[2 * k] = width / 2 + (places[2 * k] - view.x) * s;
      at[2 * k + 1] = height / 2 - (places[2 * k + 1] - view.y) * s;
    }
    const spot = (place) => (typeof place === "number" ? [at[2 * place], at[2 * place + 1]] : project(place));
    context.lineJoin = context.lineCap = "round";

    context.fillStyle = muted; context.globalAlpha = 0.42;
    context.beginPath();
    for (let k = 0; k < count; k++) {
      const x = at[2 * k], y = at[2 * k + 1], radius = (2.3 - 1.1 * rank[k] / count) * Math.min(1 + Math.log2(view.zoom) / 6, 1.7);
      if (groupOf[k] >= 0 || x < -4 || y < -4 || x > width + 4 || y > height + 4) continue;
      context.moveTo(x + radius, y); context.arc(x, y, radius, 0, 7);
    }
    context.fill();
    context.globalAlpha = 1;
    for (let k = 0; k < count; k++) if (groupOf[k] >= 0) {
      context.save();
      context.translate(at[2 * k], at[2 * k + 1]); context.scale(4, 4);
      context.fillStyle = GROUPS[dark ? "dark" : "light"][groupOf[k]];
      context.fill(SHAPES[groupOf[k]]);
      context.restore();
    }

    context.strokeStyle = accent;
    for (const [from, to, strength] of scene.lines) {
      context.globalAlpha = 0.25 + 0.45 * strength; context.lineWidth = 0.8 + 1.6 * strength;
      context.beginPath(); context.moveTo(...spot(from)); context.lineTo(...spot(to)); context.stroke();
    }
    context.globalAlpha = 1; context.lineWidth = 2;
    for (const [from, to, dashed] of scene.arrows) {
      context.strokeStyle = context.fillStyle = dashed ? warm : ink;
      context.setLineDash(dashed ? [5, 5] : []);
      arrow(context, spot(from), spot(to));
    }
    context.setLineDash([]);
    const disc = (k, radius, fillStyle) => {
      context.fillStyle = fillStyle; context.strokeStyle = paper; context.lineWidth = 1.5;
      context.beginPath(); context.arc(...spot(k), radius, 0, 7); context.fill(); context.stroke();
    };
    for (const k of scene.near) disc(k, 4.5, accent);
    for (const k of scene.chosen) disc(k, 5.5, ink);
    if (scene.target) {
      const [x, y] = spot(scene.target.at);
      context.strokeStyle = warm; context.lineWidth = 2; context.fillStyle = paper;
      context.beginPath();
      for (const [dx, dy] of [[0, -6], [6, 0], [0, 6], [-6, 0]]) context.lineTo(x + dx, y + dy);
      context.closePath(); context.fill(); context.stroke();
    }
    const pointed = hovered >= 0 ? hovered : keyed;
    if (pointed >= 0) {
      context.strokeStyle = accent; context.lineWidth = 2;
      context.beginPath(); context.arc(...spot(pointed), 8, 0, 7); context.stroke();
    }

    // labels: what is lit, then the groups, then the most frequent words for which there is room
    const lit = new Set([...scene.chosen, ...scene.near, ...(pointed >= 0 ? [pointed] : [])]), plain = [], grouped = [];
    for (const k of order) {
      const x = at[2 * k], y = at[2 * k + 1];
      if (lit.has(k) || x < 0 || y < 0 || x > width || y > height) continue;
      (groupOf[k] >= 0 ? grouped : plain).push(k);
    }
    const fonts = { strong: `650 13px ${style.fontFamily}`, group: `500 12px ${style.fontFamily}`, plain: `400 11.5px ${style.fontFamily}` };
    const label = (text, place, kind, gap) => {
      context.font = fonts[kind];
      const [x, y] = spot(place);
      return { text, kind, x, y, gap, width: measure(context, text) + 4, height: kind === "strong" ? 17 : 15 };
    };
    const ordered = [...(pointed >= 0 ? [pointed] : []), ...scene.chosen, ...scene.near].filter((k, place, all) => all.indexOf(k) === place);
    const labels = ordered.map((k) => label(tokens[k], k, "strong", 8));
    if (scene.target) labels.splice(Math.min(ordered.length, 4), 0, { ...label(scene.target.text, scene.target.at, "group", 9), warm: true });
    const room = Math.round(width * height / 5200);
    labels.push(...grouped.map((k) => label(tokens[k], k, "group", 6)), ...plain.slice(0, 6 * room).map((k) => label(tokens[k], k, "plain", 4)));
    const taken = [...lit].map((k) => { const [x, y] = spot(k); return [x - 5, y - 5, x + 5, y + 5]; });
    const spots = placeLabels(labels, width, height, taken, room + ordered.length + grouped.length);
    context.textBaseline = "middle"; context.textAlign = "left"; context.strokeStyle = paper; context.lineWidth = 3.5;
    let drawn = 0;
    labels.map((one, place) => [one, spots[place]]).reverse().forEach(([one, corner]) => { // the most important last, on top
      if (!corner) return;
      context.font = fonts[one.kind];
      context.strokeText(one.text, corner[0] + 2, corner[1] + one.height / 2);
      context.fillStyle = one.kind === "plain" ? muted : ink;
      context.fillText(one.text, corner[0] + 2, corner[1] + one.height / 2);
      drawn++;
    });
    root.dataset.labels = drawn;
    root.dataset.paintMs = (performance.now() - start).toFixed(2);
  };
  const soon = () => { if (!frame) frame = requestAnimationFrame(paint); };

  // -- moving
  const clamp = ({ x, y, zoom }) => {
    const limited = Math.min(Math.max(zoom, WIDEST), CLOSEST), slack = extent / 2 * (1 - 1 / limited);
    const held = (v, middle) => Math.min(Math.max(v, middle - slack), middle + slack);
    return { x: held(x, home.x), y: held(y, home.y), zoom: limited };
  };
  const glide = (to) => {
    cancelAnimationFrame(moving);
    const from = { ...view }, goal = clamp(to), begin = performance.now();
    if (still.matches) { view = goal; return soon(); }
    const step = (now) => {
      const part = Math.min(Math.max((now - begin) / 260, 0), 1), eased = part * (2 - part);
      for (const name of ["x", "y"]) view[name] = from[name] + (goal[name] - from[name]) * eased;
      view.zoom = from.zoom * (goal.zoom / from.zoom) ** eased;
      paint();
      moving = part < 1 ? requestAnimationFrame(step) : 0;
    };
    moving = requestAnimationFrame(step);
  };
  const about = (zoom, [px, py]) => { // the view at another zoom in which the place under (px, py) stays there
    const [width, height] = size(), s = scale(), limited = Math.min(Math.max(zoom, WIDEST), CLOSEST), next = s * limited / view.zoom;
    const x = view.x + (px - width / 2) / s, y = view.y - (py - height / 2) / s;
    return clamp({ x: x - (px - width / 2) / next, y: y + (py - height / 2) / next, zoom: limited });
  };
  const zoom = (factor) => { // the word in force stays where it is
    const middle = scene.chosen.length ? project(scene.chosen[0]) : [-1, -1];
    glide(about(view.zoom * factor, inside(middle) ? middle : size().map((side) => side / 2)));
  };
  const all = () => glide(home);
  const near = () => { // what is lit, with room for its labels
    const lit = [...scene.chosen, ...scene.near].map((k) => [places[2 * k], places[2 * k + 1]]).concat(scene.target ? [scene.target.at] : []);
    if (!lit.length) return all();
    const [left, right, low, high] = [0, 0, 1, 1].map((axis, k) => Math[k % 2 ? "max" : "min"](...lit.map((place) => place[axis])));
    glide({ x: (left + right) / 2, y: (low + high) / 2, zoom: 0.75 * extent / Math.max(right - left, high - low, extent / 30) });
  };

  // -- mouse, touch and pen
  const under = ([px, py]) => {
    let best = -1, least = REACH ** 2;
    for (let k = 0; k < count; k++) {
      const [x, y] = project(k), away = (x - px) ** 2 + (y - py) ** 2;
      if (away < least) { least = away; best = k; }
    }
    return best;
  };
  const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const hover = (k) => { if (k !== hovered) { hovered = k; act.hover(k); soon(); } };
  const fingers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    if (fingers.size === 1) moved = 0;
  }, on);
  canvas.addEventListener("pointermove", (event) => {
    const now = place(event), before = fingers.get(event.pointerId);
    if (!before) { if (event.pointerType === "mouse") hover(under(now)); return; }
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (moved < 5) return;
    if (fingers.size === 2) { // two fingers: their distance zooms
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1], apart = (p) => Math.max(Math.hypot(p[0] - other[0], p[1] - other[1]), 8);
      view = about(view.zoom * apart(now) / apart(before), other);
    } else view = clamp({ x: view.x - (now[0] - before[0]) / scale(), y: view.y + (now[1] - before[1]) / scale(), zoom: view.zoom });
    fingers.set(event.pointerId, now);
    canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-y";
    hover(-1);
    soon();
  }, on);
  canvas.addEventListener("pointerup", (event) => {
    const k = moved < 5 && fingers.size === 1 ? under(place(event)) : -1;
    fingers.delete(event.pointerId);
    if (k >= 0) { keyed = k; act.choose(k); soon(); }
  }, on);
  for (const name of ["pointercancel", "lostpointercapture"]) canvas.addEventListener(name, (event) => fingers.delete(event.pointerId), on);
  canvas.addEventListener("pointerleave", () => hover(-1), on);
  canvas.addEventListener("wheel", (event) => { // a pinch on a touchpad; a plain wheel scrolls the page
    if (!event.ctrlKey) return;
    event.preventDefault();
    view = about(view.zoom * Math.exp(-event.deltaY / 100), place(event));
    soon();
  }, { passive: false, ...on });

  // -- keyboard
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      const points = tokens.map((_, k) => project(k)), from = keyed >= 0 ? keyed : scene.chosen[0] ?? order[0];
      keyed = neighbourTowards(points, from, way);
      hovered = -1;
      act.reach(keyed);
      if (!inside(project(keyed), 30)) glide({ x: places[2 * keyed], y: places[2 * keyed + 1], zoom: view.zoom });
    } else if (event.key === "Enter" && keyed >= 0) act.choose(keyed);
    else if (event.key === "+" || event.key === "=") zoom(1.6);
    else if (event.key === "-" || event.key === "−") zoom(1 / 1.6);
    else if (event.key === "0") all();
    else if (event.key === "1") near();
    else return;
    event.preventDefault();
    soon();
  }, on);
  canvas.addEventListener("blur", () => { keyed = -1; soon(); }, on);

  signal.addEventListener("abort", () => { cancelAnimationFrame(frame); cancelAnimationFrame(moving); });
  onLook(root, soon, signal);
  return { show: (next) => { scene = next; soon(); }, zoom, all, near, paint };
}
