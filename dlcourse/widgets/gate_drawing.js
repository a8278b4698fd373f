// The picture of GateViewer: units by characters as a heat map, and one unit's gates, cell and hidden state as lines below it.

// What can be shown: how it is read from a record, whether it has a sign, and the letter that the formulas give it.
const QUANTITIES = {
  cell: { key: "c", signed: true, tint: Math.tanh }, hidden: { key: "h", signed: true }, forget: { key: "f" },
  input: { key: "i" }, candidate: { key: "g", signed: true }, output: { key: "o" },
};
const LINES = ["forget", "input", "candidate", "cell", "output", "hidden"]; // in the order of the computation
const ROWS = 16, HEAD = 26, ROW = 15, COLUMN = 13, GAP = 12, LINE = 38;
const HEIGHT = HEAD + ROWS * ROW + GAP + LINES.length * LINE + 2;
const MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';

// Colours of −1, 0 and 1 where there is a sign, of 0 and 1 where there is none.
const RAMPS = {
  light: { signed: [[196, 84, 0], [247, 247, 245], [0, 100, 165]], plain: [[240, 243, 246], [110, 165, 205], [0, 66, 120]] },
  dark: { signed: [[240, 140, 74], [30, 35, 40], [86, 180, 233]], plain: [[30, 35, 40], [40, 100, 145], [130, 210, 255]] },
};

function shade(ramp, share) { // share from 0 to 1
  const at = Math.min(Math.max(share, 0), 1) * 2, k = Math.min(Math.floor(at), 1);
  return `rgb(${ramp[k].map((v, c) => Math.round(v + (ramp[k + 1][c] - v) * (at - k))).join(" ")})`;
}
const rampOf = (quantity, dark) => RAMPS[dark ? "dark" : "light"][QUANTITIES[quantity].signed ? "signed" : "plain"];
const tint = (quantity, v) => { const { signed, tint: squash } = QUANTITIES[quantity]; return signed ? ((squash ? squash(v) : v) + 1) / 2 : v; };

// The units in the order in which they are shown: by |correlation| with one property, or (null) the best of each property in turn, where
// a unit belongs to the property that it follows best.
export function ranking(table, property = null) {
  const strength = (p) => (a, b) => Math.abs(table[p][b]) - Math.abs(table[p][a]) || a - b, all = table[0].map((_, unit) => unit);
  if (property !== null) return all.sort(strength(property));
  const groups = table.map((_, p) => all.filter((unit) => followed(table, unit) === p).sort(strength(p)));
  const rounds = Array.from({ length: Math.max(...groups.map((group) => group.length)) }, (_, k) => groups.flatMap((group, p) => (k < group.length ? [{ p, unit: group[k] }] : [])));
  return rounds.flatMap((round) => round.sort((a, b) => Math.abs(table[b.p][b.unit]) - Math.abs(table[a.p][a.unit]) || a.p - b.p).map(({ unit }) => unit));
}

// The property that a unit follows best, as its place among the properties.
export function followed(table, unit) {
  return table.reduce((best, row, k) => (Math.abs(row[unit]) > Math.abs(table[best][unit]) ? k : best), 0);
}

const short = (v) => `${v < -0.005 ? "−" : ""}${Math.abs(v).toFixed(Math.abs(v) < 9.995 ? 2 : 1)}`;
const gutter = (width) => (width >= 560 ? 190 : 86);

// Where a point of the picture lies: a column, a row of the heat map, or neither.
function placeAt(x, y, { width, offset, count }) {
  const column = Math.floor((x - gutter(width) + offset) / COLUMN), row = Math.floor((y - HEAD) / ROW);
  return { column: x > gutter(width) && column < count ? column : null, row: row >= 0 && row < ROWS ? row : null };
}

// Paints all that is in view; `view` is { records, characters, units, unit, quantity, cursor, offset, labels, colours, focused }.
function paintGates(canvas, view) {
  const { records, characters, units, unit, quantity, cursor, offset, labels, colours } = view;
  const width = canvas.clientWidth, ratio = window.devicePixelRatio || 1, left = gutter(width), context = canvas.getContext("2d");
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(HEIGHT * ratio)) canvas.height = Math.round(HEIGHT * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  const first = Math.max(0, Math.floor(offset / COLUMN)), last = Math.min(records.length, Math.ceil((offset + width - left) / COLUMN));
  const x = (column) => left + column * COLUMN - offset, valueOf = (name, column, of) => records[column].layers[0][QUANTITIES[name].key][of];
  const write = (text, at, y, { align = "left", weight = 400, size = 12, colour = colours.ink, font = colours.font } = {}) => {
    context.font = `${weight} ${size}px ${font}`;
    context.textAlign = align; context.textBaseline = "middle"; context.fillStyle = colour;
    context.fillText(text, at, y);
  };
  const ramp = rampOf(quantity, colours.dark);

  LINES.forEach((name, place) => paintLine(context, { ...view, edge: left }, { name, top: HEAD + ROWS * ROW + GAP + place * LINE, first, last, x, valueOf, write }));
  context.save();
  context.beginPath(); context.rect(left, 0, width - left, HEIGHT); context.clip();
  for (let t = first; t < last; t++) {
    const hidden = characters[t] === " " || characters[t] === "\n", here = t === cursor;
    if (here) { context.fillStyle = colours.accent; context.beginPath(); context.roundRect(x(t) - 1, 1, COLUMN + 1, HEAD - 4, 3); context.fill(); }
    write(glyph(characters[t]), x(t) + (COLUMN - 1) / 2, HEAD / 2 - 1, { align: "center", size: 14, font: MONO, weight: here ? 700 : 400, colour: here ? colours.onAccent : hidden ? colours.muted : colours.ink });
    units.forEach((one, row) => {
      context.fillStyle = shade(ramp, tint(quantity, valueOf(quantity, t, one)));
      context.fillRect(x(t), HEAD + row * ROW, COLUMN - 1, ROW - 1);
    });
  }
  if (cursor !== null && records.length) {
    context.strokeStyle = colours.ink; context.lineWidth = 1.5;
    context.strokeRect(x(cursor) - 1, HEAD - 1, COLUMN + 1, HEIGHT - HEAD);
  }
  context.restore();

  for (const [more, from, to] of [[offset > 1, left, left + 26], [x(records.length) > width + 1, width, width - 26]]) { // there is more on that side
    if (!more) continue;
    const fade = context.createLinearGradient(from, 0, to, 0);
    fade.addColorStop(0, colours.paper); fade.addColorStop(1, colours.clear);
    context.fillStyle = fade;
    context.fillRect(Math.min(from, to), 0, 26, HEIGHT);
  }
  const chosen = units.indexOf(unit);
  if (chosen >= 0) {
    context.strokeStyle = colours.accent; context.lineWidth = 2;
    context.strokeRect(1, HEAD + chosen * ROW - 1, width - 2, ROW + 1);
  }
  units.forEach((one, row) => {
    const y = HEAD + row * ROW + ROW / 2, { name, detail, r } = labels[row], strong = one === unit;
    write(name, 6, y, { weight: strong ? 700 : 400, size: 12 });
    if (left > 100) {
      write(detail, 46, y, { size: 12, weight: strong ? 700 : 400 });
      write(r, left - 8, y, { align: "right", size: 12, colour: strong ? colours.ink : colours.muted });
    } else write(r, left - 6, y, { align: "right", size: 11, colour: colours.muted });
  });
  LINES.forEach((name, place) => {
    const y = HEAD + ROWS * ROW + GAP + place * LINE + LINE / 2, { key } = QUANTITIES[name], wide = left > 100;
    write(wide ? view.names[name] : key, 6, y, { weight: name === quantity ? 700 : 400, size: 13 });
    if (cursor !== null && records.length) write(short(valueOf(name, cursor, unit)), left - 30, y, { align: "right", size: 13, weight: 650 });
  });
}

// One quantity of the chosen unit along the text, as steps filled from 0, with the ends of its scale in the gutter.
function paintLine(context, { records, unit, colours, edge }, { name, top, first, last, x, valueOf, write }) {
  const { signed } = QUANTITIES[name], sizes = name === "cell" ? records.map((_, t) => Math.abs(valueOf(name, t, unit))) : [], most = Math.max(1, ...sizes);
  const high = top + 5, low = top + LINE - 7, zero = signed ? (high + low) / 2 : low, y = (v) => zero - v / most * (zero - high);
  const ramp = rampOf(name, colours.dark), start = Math.max(x(first), edge);
  for (const [at, text] of signed ? [[high, number(most, 1)], [zero, ""], [low, number(-most, 1)]] : [[high, "1"], [low, "0"]]) {
    if (text) write(text, edge - 6, at, { align: "right", size: 10, colour: colours.muted });
    context.fillStyle = colours.line;
    context.fillRect(start, Math.round(at), x(last) - start, 1);
  }
  context.save();
  context.beginPath(); context.rect(edge, top, 1e5, LINE); context.clip();
  context.globalAlpha = 0.5;
  for (let t = first; t < last; t++) {
    const v = valueOf(name, t, unit), at = y(v);
    context.fillStyle = shade(ramp, signed ? (v < 0 ? 0.15 : 0.85) : 0.5);
    context.fillRect(x(t), Math.min(at, zero), COLUMN, Math.abs(at - zero));
  }
  context.globalAlpha = 1;
  context.beginPath();
  for (let t = first; t < last; t++) { const at = y(valueOf(name, t, unit)); context.lineTo(x(t), at); context.lineTo(x(t) + COLUMN, at); }
  context.strokeStyle = colours.ink; context.lineWidth = 1.5; context.lineJoin = "round";
  context.stroke();
  context.restore();
}
