// The large pictures of HeadViewer: the text with lines from one character to those that it reads, and the map of one head.

const CELL = 12, LEADING = 44, EDGE = 12, SHOWN = 0.02; // SHOWN: the least weight that gets a line
const MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';

// Where each character of a text stands, as [row, column], in rows of at most `columns`: broken at line breaks, then at spaces.
export function layOut(characters, columns) {
  const places = [];
  let row = 0, column = 0;
  characters.forEach((character, t) => {
    const end = characters.slice(t).findIndex((c) => c === " " || c === "\n"), word = end < 0 ? characters.length - t : end;
    const starts = t > 0 && characters[t - 1] === " ";
    if (column >= columns || (starts && column + word > columns && word <= columns)) { row++; column = 0; }
    places.push([row, column++]);
    if (character === "\n") { row++; column = 0; }
  });
  return places;
}

const columnsFor = (width) => Math.max(8, Math.floor((width - 2 * EDGE) / CELL));
const heightFor = (places) => ((places.at(-1)?.[0] ?? 0) + 1) * LEADING + 16;
const centre = ([row, column]) => [EDGE + (column + 0.5) * CELL, 30 + row * LEADING];

// The character nearest to a point of the picture, or null where there is none near.
function characterAt(x, y, places) {
  let best = null, least = 26 ** 2;
  places.forEach((place, t) => {
    const [cx, cy] = centre(place), distance = (cx - x) ** 2 + (cy - y) ** 2;
    if (distance < least) { best = t; least = distance; }
  });
  return best;
}

// Paints the text; `view` is { characters, places, weights, cursor, pixels, colours }.
function paintLines(canvas, { characters, places, weights, cursor, pixels, colours }) {
  const { context } = prepare(canvas);
  if (cursor === null) return;
  const [x1, y1] = centre(places[cursor]);
  weights.forEach((w, s) => {
    const [x, y] = centre(places[s]);
    context.fillStyle = inkOf(pixels, w);
    context.beginPath(); context.roundRect(x - CELL / 2 + 0.5, y - 10, CELL - 1, 20, 3); context.fill();
  });
  context.strokeStyle = colours.warm;
  Array.from(weights, (w, s) => [w, s]).filter(([w, s]) => w >= SHOWN && s !== cursor).sort((a, b) => a[0] - b[0]).forEach(([w, s]) => {
    const [x, y] = centre(places[s]), rise = 7 + 19 * Math.sqrt(Math.min(Math.abs(x1 - x) / 400, 1));
    context.globalAlpha = 0.25 + 0.75 * strength(w); context.lineWidth = 0.75 + 5 * w;
    context.beginPath(); context.moveTo(x1, y1 - 11);
    if (y === y1) context.bezierCurveTo(x1, y1 - 11 - rise, x, y - 11 - rise, x, y - 11);
    else context.bezierCurveTo(x1, y1 - 11 - LEADING * 0.7, x, y + 10 + LEADING * 0.7, x, y + 10);
    context.stroke();
  });
  context.globalAlpha = 1;
  characters.forEach((character, t) => {
    const [x, y] = centre(places[t]), hidden = character === " " || character === "\n", w = weights[t] ?? 0, past = t <= cursor;
    const onDark = past && strength(w) > 0.55; // the ink under it is strong: the paper's colour reads better
    const colour = !past ? colours.muted : onDark ? colours.paper : hidden ? colours.muted : colours.ink;
    write(context, character === " " ? (w >= SHOWN && past ? "␣" : "") : glyph(character), x, y + 1, { colour, font: MONO }, { align: "center", size: 15, weight: t === cursor ? 700 : 400 });
  });
  context.strokeStyle = colours.warm; context.lineWidth = 2;
  context.beginPath(); context.roundRect(x1 - CELL / 2, y1 - 11, CELL, 22, 3); context.stroke();
}

const MARGIN = 22; // of the map, for the characters at its edges

// Paints what lies over the map of one head: the row of the chosen character, and at the edges it and those that it reads most.
function paintEdges(canvas, { characters, weights, cursor, colours }) {
  const { context, width } = prepare(canvas), size = width - MARGIN, step = size / characters.length;
  if (cursor === null) return;
  const style = { colour: colours.ink, font: MONO }, y = MARGIN + cursor * step, taken = [];
  context.strokeStyle = colours.warm; context.lineWidth = 1.5;
  context.strokeRect(MARGIN, y - 0.5, (cursor + 1) * step, Math.max(step, 2) + 1);
  write(context, glyph(characters[cursor]), MARGIN - 5, y + step / 2, { ...style, colour: colours.warm }, { align: "right", size: 15, weight: 700 });
  for (const [s] of mostRead(weights, 8)) {
    const x = MARGIN + (s + 0.5) * step;
    if (taken.some((other) => Math.abs(other - x) < 12)) continue;
    taken.push(x);
    write(context, glyph(characters[s]), x, 10, style, { align: "center", size: 14 });
    context.strokeStyle = colours.muted; context.lineWidth = 1; context.globalAlpha = 0.7;
    context.beginPath(); context.moveTo(x, MARGIN - 3); context.lineTo(x, y); context.stroke();
    context.globalAlpha = 1;
  }
}
