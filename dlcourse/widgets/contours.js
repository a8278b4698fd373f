// What LossSurface and OptimiserRace share: contours of a function of two numbers, with paths over them and a start to drag.

// One hue in equal steps of lightness (Oklch: lightness, chroma, hue), from far above the minimum to close to it.
const SHADES = {
  light: { high: [0.985, 0.006, 235], low: [0.76, 0.085, 245], line: [0.58, 0.06, 245], strength: 0.5 },
  dark: { high: [0.215, 0.012, 245], low: [0.48, 0.085, 245], line: [0.68, 0.06, 240], strength: 0.42 },
};

function oklch([lightness, chroma, hue]) {
  const a = chroma * Math.cos(hue * Math.PI / 180), b = chroma * Math.sin(hue * Math.PI / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((v) => 255 * Math.min(Math.max(v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055, 0), 1));
}

// Paints f, whose smallest value is 0, on a new canvas: at each line f is `ratio` times what it is at the next one inward.
export function contours(f, [x0, x1, y0, y1], width, height, dark, { bands = 13, ratio = 2 } = {}) {
  const { high, low, line, strength } = SHADES[dark ? "dark" : "light"], columns = width + 1;
  const fills = Array.from({ length: bands + 1 }, (_, k) => oklch(between(low, high, k / bands))), stroke = oklch(line);
  const depth = new Float32Array(columns * (height + 1));
  let largest = -Infinity;
  for (let r = 0, p = 0; r <= height; r++) for (let c = 0; c < columns; c++, p++) {
    depth[p] = Math.log(Math.max(f(x0 + (c + 0.5) / width * (x1 - x0), y1 - (r + 0.5) / height * (y1 - y0)), 1e-30)) / Math.log(ratio);
    if (depth[p] > largest) largest = depth[p];
  }
  const canvas = document.createElement("canvas");
  canvas.width = width; canvas.height = height;
  const image = new ImageData(width, height), thick = Math.max(1, width / 600) * 0.55;
  for (let r = 0, q = 0; r < height; r++) for (let c = 0; c < width; c++, q += 4) {
    const p = r * columns + c, level = depth[p] - largest + bands; // `bands` at the highest place, below 0 in the innermost
    const slope = Math.max(Math.hypot(depth[p + 1] - depth[p], depth[p + columns] - depth[p]), 1e-6); // levels per pixel
    const nearest = Math.round(level), off = (level - nearest) / slope;
    const band = Math.min(Math.max(nearest + Math.min(Math.max(off, -0.5), 0.5) + 0.5, 0), bands); // the edge of a band is a pixel wide
    const under = Math.floor(band), part = band - under, from = fills[under], to = fills[Math.min(under + 1, bands)];
    const room = Math.min(Math.max(1.6 - 3 * slope, 0), 1); // lines that would run into one another fade away
    const drawn = nearest < 0 || nearest >= bands ? 0 : Math.min(Math.max(thick + 0.5 - Math.abs(off), 0), 1) * room * strength;
    for (let k = 0; k < 3; k++) {
      const fill = from[k] + (to[k] - from[k]) * part;
      image.data[q + k] = fill + (stroke[k] - fill) * drawn;
    }
    image.data[q + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// ---- paths --------------------------------------------------------------------------------------------------------

// Returns the first step from which the path is outside the picture up to step `now`; null if it is inside then.
export function departure(points, holds, now = points.length - 1) {
  const last = Math.min(now, points.length - 1);
  let inside = last;
  while (inside >= 0 && !holds(points[inside])) inside--;
  return inside === last ? null : inside + 1;
}

// Returns the part of the line from a to b inside the frame, as two places on the canvas; null if there is none.
export function clip(a, b, { px, py, left, top, width, height }) {
  const start = [px(a[0]), py(a[1])], way = [px(b[0]) - start[0], py(b[1]) - start[1]];
  let from = 0, to = 1;
  for (const [k, low, high] of [[0, left, left + width], [1, top, top + height]]) {
    if (way[k] === 0) { if (start[k] < low || start[k] > high) return null; continue; }
    const [near, far] = [(low - start[k]) / way[k], (high - start[k]) / way[k]].sort((p, q) => p - q);
    from = Math.max(from, near); to = Math.min(to, far);
  }
  return from > to ? null : [from, to].map((t) => [start[0] + t * way[0], start[1] + t * way[1]]);
}

// Returns the points up to step `now`, which need not be whole: the last one lies between two steps.
const until = (points, now) => {
  const whole = Math.min(Math.floor(now), points.length - 1), shown = points.slice(0, whole + 1), part = now - whole;
  if (part > 0 && whole + 1 < points.length) shown.push(between(points[whole], points[whole + 1], part));
  return shown;
};

// Draws the path up to step `now`, with a dot per step; an arrow shows where it leaves the picture. Returns its end on the canvas.
export function drawPath(context, view, points, now, { colour, halo, width = 2, dot = 2, apart = 0, fade = 1 }) {
  const shown = until(points, now), out = departure(shown, view.holds), end = out ?? shown.length - 1;
  const parts = [];
  for (let n = 0; n < end; n++) { const part = clip(shown[n], shown[n + 1], view); if (part) parts.push(part); }
  const last = parts.at(-1);
  const draw = (stroke, thick) => {
    context.strokeStyle = stroke; context.lineWidth = thick;
    context.beginPath();
    parts.forEach(([a, b], n) => {
      if (!n || parts[n - 1][1].some((v, k) => v !== a[k])) context.moveTo(...a);
      context.lineTo(...b);
    });
    context.stroke();
  };
  context.save();
  context.globalAlpha = fade;
  draw(halo, width + 2.5);
  draw(colour, width);
  context.fillStyle = colour;
  context.beginPath();
  let drawn = [-apart, -apart]; // dots that would run into one another are left out where `apart` says so
  for (const point of shown.slice(1, Math.floor(now) + 1)) if (view.holds(point)) {
    const x = view.px(point[0]), y = view.py(point[1]);
    if (Math.hypot(x - drawn[0], y - drawn[1]) < apart) continue;
    drawn = [x, y];
    context.moveTo(x + dot, y); context.arc(x, y, dot, 0, 2 * Math.PI);
  }
  context.fill();
  if (out !== null && last) arrow(context, last[1], Math.atan2(last[1][1] - last[0][1], last[1][0] - last[0][0]), colour, halo);
  context.restore();
  return { at: out !== null && last ? last[1] : [view.px(shown[end][0]), view.py(shown[end][1])], out };
}

function arrow(context, [x, y], angle, colour, halo) {
  context.save();
  context.translate(x, y); context.rotate(angle);
  context.beginPath();
  context.moveTo(1, 0); context.lineTo(-13, -7.5); context.lineTo(-9.5, 0); context.lineTo(-13, 7.5); context.closePath();
  context.lineWidth = 3; context.strokeStyle = halo; context.stroke();
  context.fillStyle = colour; context.fill();
  context.restore();
}

export function drawStart(context, view, point, colours, focused) {
  const x = view.px(point[0]), y = view.py(point[1]), ring = (radius, width, colour) => {
    context.lineWidth = width; context.strokeStyle = colour;
    context.beginPath(); context.arc(x, y, radius, 0, 2 * Math.PI); context.stroke();
  };
  context.fillStyle = colours.paper;
  context.beginPath(); context.arc(x, y, 8, 0, 2 * Math.PI); context.fill();
  ring(8, 5, colours.paper); ring(8, 2.5, colours.ink);
  context.fillStyle = colours.ink;
  context.beginPath(); context.arc(x, y, 2.5, 0, 2 * Math.PI); context.fill();
  if (focused) ring(13, 2, colours.accent);
}

export function drawMinimum(context, view, point, colours) {
  if (!view.holds(point)) return;
  const x = view.px(point[0]), y = view.py(point[1]);
  for (const [width, colour] of [[5, colours.paper], [2, colours.ink]]) {
    context.lineWidth = width; context.strokeStyle = colour;
    context.beginPath();
    context.moveTo(x - 5, y - 5); context.lineTo(x + 5, y + 5); context.moveTo(x - 5, y + 5); context.lineTo(x + 5, y - 5);
    context.stroke();
  }
}

// Lets pointer and arrow keys move a point; a finger that lands elsewhere scrolls the page, and a tap brings the point there.
export function draggable(canvas, { view, point, move, settle }, signal) {
  const on = { signal };
  let held = false;
  const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const near = (event) => {
    const [x, y] = place(event), at = point();
    return Math.hypot(x - view().px(at[0]), y - view().py(at[1])) < 32;
  };
  const put = (x, y) => { const [x0, x1, y0, y1] = view().bounds; move([Math.min(Math.max(x, x0), x1), Math.min(Math.max(y, y0), y1)]); };
  const follow = (event) => { const [x, y] = place(event); put(view().x(x), view().y(y)); };
  canvas.addEventListener("touchstart", (event) => { if (near(event.touches[0])) event.preventDefault(); }, { signal, passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0 || (event.pointerType === "touch" && !near(event))) return;
    held = true;
    canvas.setPointerCapture(event.pointerId);
    canvas.style.cursor = "grabbing";
    follow(event);
  }, on);
  canvas.addEventListener("pointermove", (event) => {
    if (held && event.isPrimary) follow(event);
    else canvas.style.cursor = near(event) ? "grab" : "";
  }, on);
  const release = () => { if (held) { held = false; canvas.style.cursor = ""; settle(); } };
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, release, on);
  canvas.addEventListener("click", (event) => { if (event.pointerType === "touch") { follow(event); settle(); } }, on);
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const [x0, x1] = view().bounds, step = (x1 - x0) / (event.shiftKey ? 20 : 100), at = point();
    put(at[0] + way[0] * step, at[1] + way[1] * step);
    settle();
  }, on);
}
