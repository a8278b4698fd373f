// The pictures of the playground: fields of values, points, the network with its edges, and the curves of the loss.

// Colours of −1, 0 and 1: pale where points lie on them ("field"), strong in the small maps; and of the two classes.
const LOOKS = {
  light: {
    field: [[243, 176, 124], [252, 251, 248], [122, 182, 222]], map: [[198, 84, 0], [250, 249, 246], [0, 104, 168]],
    classes: ["#c04f00", "#00649e"], ring: "#ffffff",
  },
  dark: {
    field: [[140, 68, 20], [24, 28, 32], [24, 92, 140]], map: [[240, 140, 74], [24, 28, 32], [86, 180, 233]],
    classes: ["#ffab73", "#7ccbf8"], ring: "#14181b",
  },
};
const COLOURS = 511;
for (const look of Object.values(LOOKS)) for (const name of ["field", "map"]) {
  const [low, middle, high] = look[name];
  look[`${name}Table`] = Uint32Array.from({ length: COLOURS }, (_, k) => {
    const v = 2 * k / (COLOURS - 1) - 1, end = v < 0 ? low : high;
    const [r, g, b] = middle.map((m, c) => Math.round(m + (end[c] - m) * Math.abs(v)));
    return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  });
}

// ---- fields -------------------------------------------------------------------------------------------------------

// Returns the centres of side × side cells over [−limit, limit]², row by row from the top: x1 of all, then x2 of all.
export function lattice(side, limit) {
  const inputs = new Float64Array(2 * side * side), at = (k) => limit * ((2 * k + 1) / side - 1);
  for (let row = 0; row < side; row++) for (let column = 0; column < side; column++) {
    inputs[row * side + column] = at(column);
    inputs[side * side + row * side + column] = -at(row);
  }
  return inputs;
}

const scratch = (side, rows = side) => Object.assign(document.createElement("canvas"), { width: side, height: rows });

// Writes values from `from` on, every `stride`-th along both axes, as colours; ±largest and beyond get the ends of the table.
function tint(pixels, to, values, from, side, stride, table, largest) {
  const scale = (COLOURS - 1) / 2 / largest, last = COLOURS - 1, middle = last / 2;
  for (let row = 0; row < side; row += stride) for (let column = 0; column < side; column += stride)
    pixels[to++] = table[Math.max(0, Math.min(last, (middle + scale * values[from + row * side + column] + 0.5) | 0))];
  return to;
}

// Draws a field smoothly over a canvas, and a line where `zero` (one value per cell) changes its sign.
function drawField(context, size, values, side, table, largest, zero, ink, ratio) {
  drawField.canvas ??= scratch(side);
  const image = new ImageData(side, side), small = drawField.canvas;
  tint(new Uint32Array(image.data.buffer), 0, values, 0, side, 1, table, largest);
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, size, size);
  context.beginPath();
  const cell = size / side;
  contour(zero, side, (x0, y0, x1, y1) => {
    context.moveTo((x0 + 0.5) * cell, (y0 + 0.5) * cell);
    context.lineTo((x1 + 0.5) * cell, (y1 + 0.5) * cell);
  });
  context.strokeStyle = ink;
  context.lineWidth = 1.5 * ratio;
  context.lineCap = "round";
  context.stroke();
}

// Calls `segment` for each piece of the line on which values (side × side) are 0, in steps of the lattice (marching squares).
export function contour(values, side, segment) {
  for (let row = 0; row + 1 < side; row++) for (let column = 0; column + 1 < side; column++) {
    const k = row * side + column, corners = [values[k], values[k + 1], values[k + side + 1], values[k + side]];
    const code = Number(corners[0] > 0) | Number(corners[1] > 0) << 1 | Number(corners[2] > 0) << 2 | Number(corners[3] > 0) << 3;
    if (code === 0 || code === 15) continue;
    const between = (a, b) => corners[a] / (corners[a] - corners[b]);
    const sides = [
      () => [column + between(0, 1), row], () => [column + 1, row + between(1, 2)],
      () => [column + between(3, 2), row + 1], () => [column, row + between(0, 3)],
    ];
    const crossed = [code ^ code >> 1, code >> 1 ^ code >> 2, code >> 2 ^ code >> 3, code >> 3 ^ code].flatMap((bit, s) => (bit & 1 ? [s] : []));
    for (let p = 0; p < crossed.length; p += 2) segment(...sides[crossed[p]](), ...sides[crossed[p + 1]]());
  }
}

// Draws points on the square [−limit, limit]²: class 1 round, class 0 diamonds; filled, or hollow for the test points.
function drawPoints(context, size, limit, { inputs, labels }, look, radius, hollow) {
  const all = labels.length, at = (v) => (v / limit + 1) / 2 * size;
  for (let k = 0; k < all; k++) {
    const x = at(inputs[k]), y = at(-inputs[all + k]);
    context.beginPath();
    if (labels[k]) context.arc(x, y, radius, 0, 2 * Math.PI);
    else {
      const r = radius * 1.25;
      context.moveTo(x, y - r); context.lineTo(x + r, y); context.lineTo(x, y + r); context.lineTo(x - r, y); context.closePath();
    }
    const colour = look.classes[labels[k]];
    context.lineWidth = radius * (hollow ? 0.45 : 0.35);
    context.strokeStyle = hollow ? colour : look.ring;
    context.fillStyle = hollow ? look.ring : colour;
    context.fill();
    context.stroke();
  }
}

// ---- the network --------------------------------------------------------------------------------------------------

const PITCH = 42, LARGEST = 8; // pixels from one unit of a layer to the next; the most units of a layer

// Returns the columns of a network: centres (x, y) of all units on a stage `width` wide, and the side of a unit.
function arrange(sizes, width) {
  const step = width / sizes.length, height = PITCH * LARGEST;
  const centre = (c, j, count) => ({ x: (c + 0.5) * step, y: height / 2 + (j - (count - 1) / 2) * PITCH });
  const columns = sizes.map((count, c) => Array.from({ length: count }, (_, j) => centre(c, j, count)));
  return { columns, step, height, side: Math.min(36, Math.round(0.6 * step)) };
}

const thickness = (w) => 0.5 + 6 * Math.abs(w) / (Math.abs(w) + 3);

// Edges: as thick as the weight is large, blue where it is positive, orange where negative. `chosen` is { layer, unit } or null.
function drawEdges(context, { columns, side }, layers, colours, chosen, faint) {
  layers.forEach(({ inputs, outputs, weight }, l) => {
    for (let j = 0; j < outputs; j++) for (let i = 0; i < inputs; i++) {
      const w = weight[j * inputs + i], from = columns[l][i], to = columns[l + 1][j];
      const near = !chosen || (chosen.layer === l + 1 && chosen.unit === j) || (chosen.layer === l && chosen.unit === i);
      const x0 = from.x + side / 2, x1 = to.x - side / 2, bend = (x1 - x0) / 2;
      context.beginPath();
      context.moveTo(x0, from.y);
      context.bezierCurveTo(x0 + bend, from.y, x1 - bend, to.y, x1, to.y);
      context.strokeStyle = w < 0 ? colours.negative : colours.positive;
      context.globalAlpha = (near ? Math.min(0.95, 0.3 + 0.3 * Math.abs(w)) : 0.12) * (faint ? 0.7 : 1);
      context.lineWidth = thickness(w);
      context.stroke();
    }
  });
  context.globalAlpha = 1;
}

// Draws a small map of what every unit makes of the plane. `field(layer, unit)` gives { values, from, largest }.
function drawMaps(context, { columns, side }, cells, field, table, line) {
  const stride = 2, small = cells / stride, total = columns.reduce((sum, column) => sum + column.length, 0);
  if (drawMaps.canvas?.height !== small * total) drawMaps.canvas = scratch(small, small * total);
  const image = new ImageData(small, small * total), pixels = new Uint32Array(image.data.buffer);
  let to = 0, top = 0;
  columns.forEach((column, layer) => column.forEach((_, unit) => {
    const { values, from, largest } = field(layer, unit);
    to = tint(pixels, to, values, from, cells, stride, table, largest);
  }));
  drawMaps.canvas.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  for (const { x, y } of columns.flat()) {
    context.save();
    context.beginPath();
    context.roundRect(x - side / 2, y - side / 2, side, side, 6);
    context.clip();
    context.drawImage(drawMaps.canvas, 0.5, top + 0.5, small - 1, small - 1, x - side / 2, y - side / 2, side, side);
    context.restore();
    context.strokeStyle = line;
    context.lineWidth = 1;
    context.stroke();
    top += small;
  }
}

// Draws a unit's two numbers (as texts; "": not known yet) in a box tinted by `share`, −1 to 1, of the second.
function drawNumbers(context, { x, y }, width, [upper, lower], share, colours) {
  const height = 38;
  context.beginPath();
  context.roundRect(x - width / 2, y - height / 2, width, height, 6);
  context.fillStyle = colours.paper;
  context.fill();
  if (share !== 0) {
    context.globalAlpha = 0.08 + 0.32 * Math.abs(share);
    context.fillStyle = share < 0 ? colours.negative : colours.positive;
    context.fill();
    context.globalAlpha = 1;
  }
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.stroke();
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `${width < 50 ? 10.5 : 11.5}px ${colours.font}`;
  context.fillStyle = colours.ink;
  context.fillText(upper, x, y + (lower === undefined ? 0 : -8));
  context.font = `600 ${width < 50 ? 10.5 : 12}px ${colours.font}`;
  if (lower) context.fillText(lower, x, y + 9);
}

// ---- the curves ---------------------------------------------------------------------------------------------------

const LOWEST = 0.001, HIGHEST = 10; // of the loss; the axis is logarithmic

// Draws the training loss (solid) and the test loss (dashed) against epochs; what lies above the picture leaves it at the top.
function drawCurves(context, width, height, history, colours, names) {
  const left = 36, right = width - 4, top = 6, bottom = height - 18, span = Math.max(100, history.at(-1)?.epochs ?? 0);
  const x = (epochs) => left + (right - left) * epochs / span;
  const y = (v) => bottom - (bottom - top) * Math.log(Math.min(Math.max(v, LOWEST), HIGHEST) / LOWEST) / Math.log(HIGHEST / LOWEST);
  context.font = `11px ${colours.font}`;
  context.textBaseline = "middle";
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.muted;
  context.textAlign = "right";
  for (const tick of [1, 0.1, 0.01, 0.001]) {
    context.beginPath();
    context.moveTo(left, y(tick)); context.lineTo(right, y(tick));
    context.stroke();
    context.fillText(String(tick), left - 5, y(tick));
  }
  context.textBaseline = "alphabetic";
  context.fillText(String(span), right, height - 4);
  context.textAlign = "left";
  context.fillText("0", left, height - 4);
  context.textAlign = "center";
  context.fillText(names.epochs, (left + right) / 2, height - 4);
  for (const [name, dash, colour, thick] of [["test", [4, 3], colours.muted, 1.5], ["train", [], colours.ink, 1.75]]) {
    context.beginPath();
    for (const one of history) context.lineTo(x(one.epochs), y(one[name]));
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.lineJoin = "round";
    context.stroke();
  }
  context.setLineDash([]);
  if (history.at(-1)?.train !== Infinity) return;
  const at = Math.min(x(history.at(-1)?.epochs ?? 0), right - 5);
  context.fillStyle = colours.negative; // an arrow: the loss left the picture here
  context.beginPath();
  context.moveTo(at, 0); context.lineTo(at + 6, 11); context.lineTo(at - 6, 11);
  context.fill();
}
