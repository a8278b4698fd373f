// The rule of broadcasting, and the pictures of the last two axes of two tensors and of their sum.

// Aligns two shapes from the right. Each column is one axis: both sizes (null where a shape has no such axis and 1 is meant) and the
// size of the result's (null where the sizes clash). `shape` is the result's, or null.
export function broadcast(left, right) {
  const rank = Math.max(left.length, right.length);
  const columns = Array.from({ length: rank }, (_, k) => {
    const axis = k - rank, a = left.at(axis) ?? null, b = right.at(axis) ?? null, [m, n] = [a ?? 1, b ?? 1];
    return { axis, left: a, right: b, size: m === n || n === 1 ? m : m === 1 ? n : null };
  });
  return { columns, shape: columns.every(({ size }) => size !== null) ? columns.map(({ size }) => size) : null };
}

// Returns the index of the element of a tensor of shape `shape` that the result's element `index` is computed from.
export const source = (index, shape) => shape.map((size, k) => (size === 1 ? 0 : index[index.length - shape.length + k]));

// Returns the place of the element `index` when all are counted row by row.
export const place = (index, shape) => shape.reduce((sum, size, k) => sum * size + index[k], 0);

export const count = (shape) => shape.reduce((product, size) => product * size, 1);

const PILE = 3, STEP = 6, THIN = 10, LARGEST_CELL = 40, DRAWN = 128; // sheets behind, their offset, least side, cell; cells computed along a side

// Returns the sides in CSS pixels that the last two axes get in a box, as a function of their sizes; the largest ones decide.
function measure(width, height, rows, columns) {
  const room = [height, width].map((side) => side - PILE * STEP - 6);
  const scale = Math.min(room[0] / Math.max(rows, 1), room[1] / Math.max(columns, 1), LARGEST_CELL);
  return (size, k) => Math.min(Math.max(size * scale, THIN), room[k]);
}

// Returns [number of rows, number of columns] of the last two axes.
export const sheet = (shape) => [shape.at(-2) ?? 1, shape.at(-1) ?? 1];

const mix = (from, to, part) => from.map((v, k) => Math.round(v + (to[k] - v) * part));
const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

// Fills rows × columns cells of a box; colours(i, j) gives one colour or two, which share the cell along its diagonal.
function fillCells(context, look, { x, y, width, height }, rows, columns, colours, label) {
  const w = width / columns, h = height / rows;
  if (Math.min(w, h) < 9) return fillPixels(context, { x, y, width, height }, rows, columns, colours);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) {
    const [first, second] = colours(i, j), left = x + j * w + 0.5, top = y + i * h + 0.5;
    context.fillStyle = css(first);
    context.fillRect(left, top, w - 1, h - 1);
    if (second) {
      context.fillStyle = css(second);
      context.beginPath();
      context.moveTo(left + w - 1, top); context.lineTo(left + w - 1, top + h - 1); context.lineTo(left, top + h - 1);
      context.fill();
    }
    const text = h < 15 ? "" : label(i, j);
    if (!text || context.measureText(text).width > w - 4) continue;
    context.fillStyle = look.ink;
    context.fillText(text, x + (j + 0.5) * w, y + (i + 0.5) * h + 0.5);
  }
}

// The same for cells too small to see one by one; beyond DRAWN along a side it computes only some.
function fillPixels(context, box, rows, columns, colours) {
  const [m, n] = [rows, columns].map((size) => Math.min(size, DRAWN));
  const image = new ImageData(n, m), canvas = Object.assign(document.createElement("canvas"), { width: n, height: m });
  for (let i = 0, p = 0; i < m; i++) for (let j = 0; j < n; j++) {
    const [first, second = first] = colours(Math.floor((i + 0.5) * rows / m), Math.floor((j + 0.5) * columns / n));
    for (let k = 0; k < 3; k++) image.data[p++] = (first[k] + second[k]) / 2;
    image.data[p++] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, box.x, box.y, box.width, box.height);
}

// Outlines a cell, however small, in ink with paper around it, or dashed; returns its middle and its sides.
function outline(context, look, box, rows, columns, [i, j], dashed = false) {
  const w = box.width / columns, h = box.height / rows, x = box.x + (j + 0.5) * w, y = box.y + (i + 0.5) * h;
  const [width, height] = [w, h].map((side) => Math.max(side, 6));
  for (const [colour, line] of dashed ? [[look.ink, 1.5]] : [[look.paper, 5], [look.ink, 2.25]]) {
    context.strokeStyle = colour; context.lineWidth = line;
    context.setLineDash(dashed ? [3, 2] : []);
    context.strokeRect(x - width / 2, y - height / 2, width, height);
  }
  context.setLineDash([]);
  return { x, y, width, height };
}

// Brings a canvas to the size it has on the screen and empties it.
function openCanvas(canvas, look) {
  const ratio = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
  const [m, n] = [width, height].map((side) => Math.max(1, Math.round(side * ratio)));
  if (canvas.width !== m || canvas.height !== n) { canvas.width = m; canvas.height = n; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  Object.assign(context, { font: `11px ${look.family}`, textAlign: "center", textBaseline: "middle" });
  return context;
}

// Paints one tensor: `shape` its own, `result` the shape it is stretched to (its own where there is none), `part` how far the
// stretching has come (0 to 1), `index` the chosen element of the result or null, `clashes` the axes that do not fit. `tints` are functions of a share (0 to 1), one for
// an input and two for the result; `value(index)` is the number in a cell. Returns the box in CSS pixels that stands for `result`.
function paintTensor(canvas, look, { shape, result, largest, part, index, clashes, tints, parents, value }) {
  const context = openCanvas(canvas, look), { clientWidth: width, clientHeight: height } = canvas;
  const side = measure(width, height, ...largest), [rows, columns] = sheet(shape), [toRows, toColumns] = sheet(result);
  const own = [side(rows, 0), side(columns, 1)], full = [side(toRows, 0), side(toColumns, 1)];
  const now = own.map((v, k) => v + (full[k] - v) * part);
  const leading = (sizes) => count(sizes.slice(0, -2)), sheets = Math.min(Math.max(leading(result) - 1, 0), PILE), reused = leading(shape) === 1;
  const x = (width - full[1] - sheets * STEP) / 2, y = (height - full[0] + sheets * STEP) / 2;
  const box = { x, y, width: full[1], height: full[0] };
  context.lineWidth = 1;
  for (let k = sheets; k > 0; k--) { // the sheets behind; dashed where they are the front one again
    const shift = k * STEP * (reused ? part : 1), corner = [x + shift, y - shift];
    context.fillStyle = look.paper; context.fillRect(...corner, now[1], now[0]);
    context.globalAlpha = reused ? 0.35 : 1;
    context.fillStyle = css(tints.map((tint) => tint(0.35)).reduce((p, q) => mix(p, q, 0.5))); context.fillRect(...corner, now[1], now[0]);
    context.globalAlpha = 1;
    context.strokeStyle = look.muted; context.setLineDash(reused ? [3, 2] : []);
    context.strokeRect(...corner, now[1], now[0]);
  }
  context.setLineDash([]);
  context.fillStyle = look.paper; context.fillRect(x, y, now[1], now[0]);
  if (count(result) === 0) {
    context.strokeStyle = look.muted; context.setLineDash([3, 3]); context.strokeRect(x, y, full[1], full[0]); context.setLineDash([]);
    return box;
  }

  const at = (i, j) => [...(index ?? result.map(() => 0)).slice(0, -2), ...[i, j].slice(2 - Math.min(result.length, 2))];
  const shades = parents.map((parent, k) => { // an element's colour says where it lies among those of its sheet
    const [r, c] = sheet(parent), last = Math.max(r * c - 1, 1);
    return (i, j) => tints[k](((r === 1 ? 0 : i * c) + (c === 1 ? 0 : j)) / last);
  });
  const colours = (i, j) => shades.map((shade) => shade(i, j));
  const label = (i, j) => value(at(i, j));
  const fillPart = (sides, alpha) => {
    context.save();
    context.beginPath(); context.rect(x, y, sides[1], sides[0]); context.clip();
    context.globalAlpha = alpha;
    fillCells(context, look, box, toRows, toColumns, colours, label);
    context.restore();
  };
  const stretched = own.some((v, k) => v !== full[k]);
  if (stretched) {
    fillPart(now, 0.42);
    context.save();
    context.beginPath(); context.rect(x, y, own[1], own[0]); context.clip();
    context.clearRect(x, y, own[1], own[0]);
    context.restore();
  }
  fillPart(own, 1);
  context.lineWidth = 1; context.strokeStyle = look.muted;
  if (stretched) { context.setLineDash([3, 2]); context.strokeRect(x, y, now[1], now[0]); context.setLineDash([]); }
  context.strokeStyle = look.ink; context.lineWidth = 1.5; context.strokeRect(x, y, own[1], own[0]);

  context.strokeStyle = look.wrong; context.lineWidth = 5;
  for (const axis of clashes.filter((k) => k >= -2 && shape.length >= -k)) { // along the top or the left: the side that does not fit
    context.beginPath(); context.moveTo(x, y - 2);
    if (axis === -1) context.lineTo(x + own[1], y - 2); else context.lineTo(x, y + own[0]);
    context.stroke();
  }

  if (index) {
    const [i, j] = [0, 0, ...index].slice(-2), [p, q] = [rows === 1 ? 0 : i, columns === 1 ? 0 : j];
    const from = outline(context, look, { x, y, width: own[1], height: own[0] }, rows, columns, [p, q]);
    if ((i !== p || j !== q) && part === 1) { // the stretched cell that is this one, read again
      const to = outline(context, look, box, toRows, toColumns, [i, j], true), length = Math.hypot(to.x - from.x, to.y - from.y);
      const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length];
      const edge = ({ width: w, height: h }) => Math.min(w / 2 / Math.max(Math.abs(dx), 1e-9), h / 2 / Math.max(Math.abs(dy), 1e-9));
      const end = length - edge(to), start = Math.min(edge(from), end);
      context.strokeStyle = look.ink; context.lineWidth = 1.5;
      context.beginPath(); context.moveTo(from.x + start * dx, from.y + start * dy); context.lineTo(from.x + end * dx, from.y + end * dy); context.stroke();
    }
  }
  return box;
}

// Leaves the canvas empty but for a dashed frame and a word.
function paintNothing(canvas, look, text) {
  const context = openCanvas(canvas, look), { clientWidth: width, clientHeight: height } = canvas;
  const side = Math.min(width, height) - PILE * STEP - 6;
  context.strokeStyle = look.muted; context.lineWidth = 1.5; context.setLineDash([5, 4]);
  context.strokeRect((width - side) / 2, (height - side) / 2, side, side);
  context.setLineDash([]);
  context.font = `14px ${look.family}`; context.fillStyle = look.muted;
  context.fillText(text, width / 2, height / 2);
}

// Returns functions from a share (0 to 1) to a colour between paper and hue, one for each input.
function tintsOf(paper, hues, dark) {
  const [low, high] = dark ? [0.16, 0.56] : [0.1, 0.6];
  return hues.map((hue) => {
    const table = Array.from({ length: 65 }, (_, k) => mix(paper, hue, low + (high - low) * k / 64));
    return (part) => table[Math.round(part * 64)];
  });
}
