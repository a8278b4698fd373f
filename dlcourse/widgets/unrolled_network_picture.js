// How UnrolledNetwork is drawn: the same cell side by side, or folded into one with a loop.

const TALL = 226, CELL_TOP = 28, ROOM = 104; // of the picture, above the cells, for the squares of a state
const UNIT = 20, WIDEST = 104, THINNEST = 0.75; // pixels: an arrow for a norm of 1, and the limits that can be drawn
const CELL_COLOURS = { // Okabe and Ito's; `text` is dark enough to be read
  light: { rnn: "#cc79a7", gru: "#e69f00", lstm: "#009e73", text: { rnn: "#97396f", gru: "#855a00", lstm: "#006e50" } },
  dark: { rnn: "#e2a0c5", gru: "#f2c14b", lstm: "#2cc295", text: { rnn: "#e2a0c5", gru: "#f2c14b", lstm: "#2cc295" } },
};

// The width of an arrow: each factor of ten of the norm doubles it.
export const thickness = (log) => (log === -Infinity ? 0 : Math.min(UNIT * 2 ** log, WIDEST));

// A norm, given as its log10, in a few characters; `full` in a sentence.
export function brief(log, full = false) {
  if (log === -Infinity) return "0";
  if (Math.abs(log) > (full ? 290 : 10)) return `10${raised(Math.round(log))}`;
  const plain = log > -2 && log < 3 || full;
  return plain ? significant(10 ** log, 2) : significant(10 ** log, 1).replace(/\u00a0/g, "");
}

// How far step `now` has come: 0 to 1 for each wire, from state k to k + 1; forward first, then back from the last.
export const progress = (now, steps, k) => ({
  forward: Math.min(Math.max(now - k, 0), 1), back: Math.min(Math.max(now - steps - (steps - 1 - k), 0), 1),
});

// Draws rows × columns values as squares from (x, y): blue above 0, orange below, the stronger the farther from 0.
function drawSquares(context, values, columns, [x, y], [w, h], colours, at = (row, column) => row * columns + column) {
  const rows = values.length / columns, alpha = context.globalAlpha, gap = Math.min(1, h / 8, w / 5);
  context.fillStyle = colours.empty;
  context.beginPath();
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) context.rect(x + column * w + gap / 2, y + row * h + gap / 2, w - gap, h - gap);
  context.fill();
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
    const v = values[at(row, column)];
    context.globalAlpha = alpha * Math.min(Math.abs(v), 1) ** 0.6;
    context.fillStyle = v < 0 ? colours.warm : colours.accent;
    context.fillRect(x + column * w + gap / 2, y + row * h + gap / 2, w - gap, h - gap);
  }
  context.globalAlpha = alpha;
}

function drawLine(context, points, { colour, width = 1.5, dash = [], head = 0 }) {
  context.save();
  context.strokeStyle = context.fillStyle = colour; context.lineWidth = width; context.setLineDash(dash);
  context.beginPath();
  points.forEach(([x, y], n) => context[n ? "lineTo" : "moveTo"](x, y));
  context.stroke();
  if (head) {
    const [[a, b], [x, y]] = points.slice(-2), turn = Math.atan2(y - b, x - a);
    context.translate(x, y); context.rotate(turn);
    context.beginPath(); context.moveTo(0, 0); context.lineTo(-head, -0.6 * head); context.lineTo(-head, 0.6 * head); context.fill();
  }
  context.restore();
}

// An arrow from (x, y), `length` long, as thick as `log` says; `turn` is its way, 0 to the right.
function drawArrow(context, x, y, length, log, turn, colour) {
  const width = Math.max(thickness(log), THINNEST), head = Math.min(0.6 * length, 3 + 0.3 * width), neck = Math.max(length - head, 0);
  const wing = width / 2 + Math.min(5, 1.5 + 0.2 * width);
  context.save();
  context.translate(x, y); context.rotate(turn);
  context.fillStyle = context.strokeStyle = colour;
  if (thickness(log) < THINNEST) {
    context.setLineDash([1, 3]); context.lineWidth = 1; context.lineCap = "butt";
    context.beginPath(); context.moveTo(0, 0); context.lineTo(length, 0); context.stroke();
  } else {
    context.beginPath();
    for (const [along, aside] of [[0, width / 2], [neck, width / 2], [neck, wing], [length, 0], [neck, -wing], [neck, -width / 2], [0, -width / 2]])
      context.lineTo(along, aside);
    context.fill();
  }
  context.restore();
}

// A cell with the numbers of its state; `part` of them has come.
function drawCell(context, state, hidden, [x, middle], [w, h], colours, { part = 1, pad = 4, rim = colours.muted, thick = 1.25, dash = [] } = {}) {
  const columns = state.length / hidden, width = columns * w + 2 * pad, left = x - width / 2, top = middle - hidden * h / 2 - 4, outline = new Path2D();
  outline.roundRect(left, top, width, hidden * h + 8, Math.min(6, width / 3));
  context.fillStyle = colours.paper; context.fill(outline);
  const at = (row, column) => (columns - 1 - column) * hidden + row; // c left of h
  drawSquares(context, state.map((v) => v * part), columns, [left + pad, top + 4], [w, h], colours, at);
  context.save();
  context.setLineDash(dash); context.strokeStyle = rim; context.lineWidth = thick; context.stroke(outline);
  context.restore();
}

// Where everything stands when unfolded: centres of the states 0 to T, sides of a square, width of a cell.
function arrange(width, { steps, hidden, columns }) {
  const seed = Math.min(34, width / 14), pitch = (width - 6 - seed) / (steps + 1), pad = Math.min(4, 0.08 * pitch), tall = Math.min(13, ROOM / hidden);
  const square = Math.min(10, (0.5 * pitch - 2 * pad) / columns), cell = columns * square + 2 * pad;
  return { pitch, pad, square, tall, cell, height: hidden * tall + 8, middle: CELL_TOP + (ROOM + 8) / 2, x: (k) => 4 + (k + 0.5) * pitch };
}

// The inputs below their cells, with the number of every step.
function drawInputs(context, { steps, now, sequence }, { pitch, square, height, middle, x }, colours) {
  const side = Math.min(9, square), bottom = middle + height / 2, top = bottom + 17, every = Math.max(1, Math.ceil(26 / pitch));
  for (let t = 0; t <= steps; t++) {
    if (t % every === 0) write(context, String(t), x(t), TALL - 7, { colour: colours.muted, font: colours.font }, { align: "center", size: 11 });
    if (t === 0) continue;
    const reading = now > t - 1 && now <= t, style = reading ? { colour: colours.accent, width: 2 } : { colour: colours.line, width: 1.25 };
    if (pitch > 12) drawLine(context, [[x(t), top - 1], [x(t), bottom + 2]], { ...style, head: 4 });
    drawSquares(context, sequence.subarray((t - 1) * INPUTS, t * INPUTS), 1, [x(t) - side / 2, top], [side, side], colours);
  }
}

// The wires between the cells, the states that go along them, the gradient that comes back, and its norms.
function drawWires(context, width, { cell, steps, now, logs }, { pitch, wide, x, y, shrunk }, colours) {
  const flowing = now > steps, gap = pitch * shrunk - wide, head = Math.min(6, 0.5 * gap), stride = Math.ceil(37 / pitch);
  const text = { colour: colours.text[cell], font: colours.font }, number = (log, at, weight = 450) =>
    write(context, log === null ? "1" : brief(log), Math.max(at, 18), CELL_TOP - 12, text, { align: "center", size: 11, weight });
  for (let k = 0; k < steps && gap > 1; k++) {
    const { forward, back } = progress(now, steps, k), left = x(k) + wide / 2 + 0.5, right = x(k + 1) - wide / 2 - 0.5;
    drawLine(context, [[left, y], [right, y]], { colour: colours.line, dash: [2, 3] });
    if (forward > 0 && back < 1) drawLine(context, [[left, y], [left + gap * forward, y]], { colour: flowing ? colours.line : colours.accent, width: 2, head });
    if (back > 0) drawArrow(context, right, y, gap * back, logs[k], Math.PI, colours[cell]);
    if (back === 1 && (steps - k) % stride === 0) number(logs[k], (x(k) + x(k + 1)) / 2, k === Math.ceil(2 * steps - now) ? 750 : 450);
  }
  if (!flowing) return;
  const edge = x(steps) + wide / 2; // the gradient of the last state by itself: a norm of 1, the measure of all other arrows
  drawArrow(context, width - 2, y, width - 2 - edge, 0, Math.PI, colours[cell]);
  number(null, (width + edge) / 2);
}

function drawUnfolded(context, width, scene, colours, fold) {
  const { cell, hidden, steps, now, states } = scene, columns = states[0].length / hidden, open = arrange(width, { steps, hidden, columns });
  const { pitch, pad, square, tall, middle } = open, centre = arrangeFolded(width, { cell, hidden, columns });
  const x = (k) => open.x(k) + (centre.x - open.x(k)) * fold, y = middle + (centre.y - middle) * fold;
  context.globalAlpha = Math.max(0, 1 - 1.6 * fold);
  drawWires(context, width, scene, { pitch, wide: open.cell, x, y, shrunk: 1 - fold }, colours);
  drawInputs(context, scene, open, colours);
  context.globalAlpha = 1;
  for (let k = 0; k <= steps; k++) {
    const part = k ? progress(now, steps, k - 1).forward : 1, reached = now > steps && now - steps >= steps - k, active = now <= steps && Math.ceil(now) === k;
    const rim = reached ? colours.text[cell] : active ? colours.accent : part > 0 ? colours.muted : colours.line;
    const thick = active ? 2.25 : pitch < 24 ? 0.9 : reached ? 1.5 : 1.25;
    drawCell(context, states[k], hidden, [x(k), y], [square, tall], colours, { part, pad, rim, thick, dash: k ? [] : [2, 2] });
  }
}

// Where everything stands when folded: x and y of the cell, the sides of the weights' squares, of the loop its right and its top.
function arrangeFolded(width, { cell, hidden, columns }) {
  const blocks = GATES[cell], unit = Math.min(5, width / 110, 40 / hidden), across = (count) => blocks * (count * unit + 4) - 4;
  const wide = columns * 14 + 8, high = hidden * Math.min(11, 88 / hidden) + 8, loop = Math.max(across(hidden) + 36, 110);
  const before = wide / 2 + across(INPUTS) + Math.min(60, width / 8), x = (width + before - loop - 30) / 2;
  return { unit, across, blocks, wide, high, x, y: 122, entry: x - before, right: x + loop, top: 22 };
}

// One cell with a loop: what enters, W, the cell, U on the way back into it.
function drawFolded(context, width, scene, colours, alpha) {
  const { cell, hidden, steps, now, states, logs, sequence, weights, words } = scene, columns = states[0].length / hidden;
  const { unit, across, blocks, wide, high, x, y, entry, right, top } = arrangeFolded(width, { cell, hidden, columns });
  const flowing = now > steps, k = flowing ? Math.max(0, Math.ceil(2 * steps - now)) : Math.ceil(now), t = Math.min(Math.max(k, 1), steps);
  const ink = { colour: colours.ink, font: colours.font }, bold = { align: "center", weight: 650, size: 13 };
  const block = (name, values, count, left, middle) => { // the weights of all gates, side by side, on a road
    context.fillStyle = colours.paper;
    context.fillRect(left - 4, middle - hidden * unit / 2 - 4, across(count) + 8, hidden * unit + 8);
    for (let g = 0; g < blocks; g++) {
      const corner = [left + g * (count * unit + 4), middle - hidden * unit / 2], part = values.subarray(g * hidden * count, (g + 1) * hidden * count);
      drawSquares(context, part, count, corner, [unit, unit], colours);
    }
    write(context, name, left + across(count) / 2, middle + hidden * unit / 2 + 13, ink, bold);
  };
  const start = x + wide / 2 + 1, road = [[right, y], [right, top], [x, top], [x, y - high / 2 - 1]];
  context.save();
  context.globalAlpha = alpha;
  if (flowing) {
    const width = Math.min(Math.max(thickness(logs[k]), THINNEST), 48), dash = thickness(logs[k]) < THINNEST ? [1, 3] : [];
    drawLine(context, road, { colour: colours[cell], width, dash });
    drawArrow(context, right, y, right - start, Math.min(logs[k], Math.log2(48 / UNIT)), Math.PI, colours[cell]);
    write(context, brief(logs[k]), right + 8 + width / 2, (top + y) / 2, { ...ink, colour: colours.text[cell] }, { ...bold, align: "left" });
  } else drawLine(context, [[start, y], ...road], { colour: now > 0 ? colours.accent : colours.muted, width: 2, head: 7 });
  drawLine(context, [[entry, y], [x - wide / 2 - 1, y]], { colour: flowing ? colours.line : colours.muted, width: 2, head: 7 });
  block(words.inside, weights.recurrent, hidden, x + (right - x - across(hidden)) / 2, top);
  block(words.outside, weights.input, INPUTS, entry + 12, y);
  drawSquares(context, sequence.subarray((t - 1) * INPUTS, t * INPUTS), 1, [entry - 14, y - 18], [12, 12], colours);
  write(context, words.input, entry - 8, y + 30, ink, bold);
  const part = flowing || now === k ? 1 : now - Math.floor(now), rim = flowing ? colours.text[cell] : colours.accent;
  drawCell(context, states[k], hidden, [x, y], [14, (high - 8) / hidden], colours, { part: k ? part : 1, rim, thick: 2 });
  write(context, fill(words.time, { k }), x, y + high / 2 + 13, ink, { align: "center", size: 12 });
  write(context, words.one, width / 2, TALL - 24, ink, bold);
  const count = blocks * hidden * (INPUTS + hidden + 2);
  write(context, fill(words.count, { count }), width / 2, TALL - 8, { ...ink, colour: colours.muted }, { align: "center", size: 12 });
  context.restore();
}

// Draws the scene on a stage `width` wide: { cell, hidden, steps, now, states, logs, sequence, weights, words }; `fold` from 0 to 1.
function drawScene(context, width, scene, colours, fold) {
  if (fold < 1) drawUnfolded(context, width, scene, colours, fold);
  if (fold > 0.6) drawFolded(context, width, scene, colours, (fold - 0.6) / 0.4);
}

// The page's colours with those of the cells.
function cellColours(root) {
  const colours = look(root);
  return { ...colours, ...CELL_COLOURS[colours.dark ? "dark" : "light"], empty: colours.dark ? "#2a3036" : "#eceff1" };
}
