// The pictures of Pronouncer: ribbons from the letters to the phonemes, as thick as the weights, and the same weights as a heat map.

const HEAD = 24, LETTER = 44, GAP = 130, SOUND = 54, THICKEST = 34;
const RIBBONS = HEAD + LETTER + GAP + SOUND + HEAD, MAP = 270, LABEL = 46, TOP = 24; // heights, and the map's margins
const WORTH_MARKING = 0.045; // smaller weights mark no tile
const NARROW = { letter: 18, sound: 26, cell: 13, line: 15 }; // below this the pictures scroll
const RAMP = { light: [[243, 246, 248], [110, 165, 205], [0, 66, 120]], dark: [[30, 35, 40], [40, 100, 145], [150, 218, 255]] };

const heat = (share, dark) => {
  const at = Math.min(Math.max(share, 0), 1) * 2, k = Math.min(Math.floor(at), 1), [low, high] = RAMP[dark ? "dark" : "light"].slice(k, k + 2);
  return `rgb(${low.map((v, c) => Math.round(v + (high[c] - v) * (at - k))).join(" ")})`;
};

// Where `count` tiles stand side by side in the middle of `width` pixels.
export function tiles(count, width) {
  const pitch = Math.min(80, width / Math.max(count, 1)), left = (width - pitch * count) / 2;
  return {
    pitch, count, tile: Math.min(62, 0.85 * pitch), middle: (k) => left + (k + 0.5) * pitch,
    at: (x) => { const k = Math.floor((x - left) / pitch); return k >= 0 && k < count ? k : null; },
  };
}

// One ribbon for each weight (T, S). A phoneme's ribbons lie side by side in the letters' order, a letter's in the phonemes', and all
// are as thick as their weights on one scale: the largest on which what leaves a letter is no wider than the letter.
export function ribbons(weights, letters, sounds) {
  const given = Array.from({ length: letters.count }, (_, k) => weights.reduce((sum, row) => sum + row[k], 0));
  const unit = Math.min(THICKEST, sounds.tile, letters.tile / Math.max(1, ...given));
  const free = given.map((sum, k) => letters.middle(k) - sum * unit / 2);
  return weights.flatMap((row, step) => {
    let to = sounds.middle(step) - unit / 2;
    return Array.from(row, (weight, letter) => {
      const band = { step, letter, weight, thick: weight * unit, from: free[letter], to };
      free[letter] += band.thick;
      to += band.thick;
      return band;
    });
  });
}

const ribbonsSize = (room, { letters, sounds }) => [Math.max(room, letters.length * NARROW.letter, sounds.length * NARROW.sound), RIBBONS];

const box = (context, x, y, width, height, radius = 7) => { context.beginPath(); context.roundRect(x, y, width, height, radius); };

// A word that holds a sound, its sounding letters in brackets, as in c[a]t: these are drawn strong.
function paintExample(context, text, middle, y, room, { colour, strong, font }, size = 11) {
  const parts = text.split(/[[\]]/).map((part, k) => [part, k % 2]), face = (bold) => `${bold ? 750 : 400} ${size}px ${font}`;
  const widths = parts.map(([part, bold]) => { context.font = face(bold); return context.measureText(part).width; });
  let x = middle - widths.reduce((a, b) => a + b, 0) / 2;
  if (2 * (middle - x) > room) return;
  context.textAlign = "left"; context.textBaseline = "middle";
  parts.forEach(([part, bold], k) => {
    context.font = face(bold); context.fillStyle = bold ? strong : colour;
    context.fillText(part, x, y);
    x += widths[k];
  });
}

// `view` is { letters, sounds: [{ text, example, kind }], weights, shown, growth, focus: { kind, index }, glow, colours }; glow says how
// much light, from 0 to 1, each sound and each letter has: 1 where the cursor is, and a little while after.
function paintRibbons(canvas, view) {
  const { context, width } = prepare(canvas), { letters, sounds, weights, shown, growth, glow, colours } = view;
  const above = tiles(letters.length, width), below = tiles(sounds.length, width), from = HEAD + LETTER, to = from + GAP, middle = (from + to) / 2;
  const paint = { vowel: colours.warm, consonant: colours.accent, end: colours.muted }, faint = colours.dark ? 0.3 : 0.2;
  const bands = ribbons(weights, above, below).filter(({ step, thick }) => thick > 0.2 && step < shown + (growth ? 1 : 0));
  const lit = bands.map((band) => ({ ...band, light: Math.max(glow.sound[band.step], glow.letter[band.letter]) })).sort((a, b) => a.light - b.light);
  for (const { step, thick, from: x, to: end, light } of lit) {
    context.save();
    if (step >= shown) { context.beginPath(); context.rect(0, from, width, GAP * growth); context.clip(); }
    context.globalAlpha = faint + (0.85 - faint) * light;
    context.fillStyle = paint[sounds[step].kind];
    context.beginPath();
    context.moveTo(x, from);
    context.bezierCurveTo(x, middle, end, middle, end, to);
    context.lineTo(end + thick, to);
    context.bezierCurveTo(end + thick, middle, x + thick, middle, x + thick, from);
    context.fill();
    context.restore();
  }
  const weight = (step, letter) => weights[step][letter] * (step < shown ? 1 : step === shown ? growth : 0), brightest = glow.sound.indexOf(Math.max(...glow.sound));
  letters.forEach((text, k) => {
    const given = glow.sound.reduce((sum, light, step) => sum + light * weight(step, k), 0);
    paintTile(context, { text, x: above.middle(k), y: HEAD, height: LETTER, place: above, light: glow.letter[k], weight: given, size: 24, strong: 550, border: colours.line, tint: paint[sounds[brightest]?.kind] ?? colours.line, colours });
    paintShare(context, given, above, k, HEAD / 2, colours);
  });
  sounds.slice(0, shown).forEach(({ text, example, kind }, k) => {
    const taken = glow.letter.reduce((sum, light, letter) => sum + light * weight(k, letter), 0);
    paintTile(context, { text, example, x: below.middle(k), y: to, height: SOUND, place: below, light: glow.sound[k], weight: taken, size: 18, strong: 650, border: paint[kind], tint: paint[kind], full: paint[kind], colours });
    paintShare(context, taken, below, k, to + SOUND + HEAD / 2, colours);
  });
}

// A letter or a phoneme: filled where the cursor is, tinted by its weight in what the cursor is on.
function paintTile(context, { text, example = "", x, y, height, place, light, weight, size, strong, border, tint, full, colours }) {
  const { pitch, tile } = place, washed = 0.5 * Math.min(weight, 1) * (1 - light), ink = light > 0.5 ? colours.paper : colours.ink, roomy = pitch >= 40 && example;
  box(context, x - tile / 2, y, tile, height);
  for (const [colour, alpha] of [[colours.paper, 1], [tint, washed], [full ?? colours.ink, light]]) {
    context.globalAlpha = alpha; context.fillStyle = colour; context.fill();
  }
  context.globalAlpha = 1; context.lineWidth = weight > WORTH_MARKING || full ? 1.5 : 1;
  context.strokeStyle = weight > WORTH_MARKING ? tint : border; context.stroke();
  const fits = Math.min(size, 0.45 * pitch + 4, 1.3 * tile / text.length);
  write(context, text, x, y + (roomy ? 20 : height / 2), { colour: ink, font: colours.font }, { align: "center", size: fits, weight: strong });
  if (roomy) paintExample(context, example, x, y + 39, tile - 2, { colour: light > 0.5 ? colours.paper : colours.muted, strong: ink, font: colours.font });
}

function paintShare(context, weight, place, k, y, { ink, font }) {
  if (weight >= WORTH_MARKING && place.pitch >= 27) write(context, `${Math.round(100 * weight)}%`, place.middle(k), y, { colour: ink, font }, { align: "center", size: 12 });
}

// What lies under a point of the ribbons' picture: down to a third of the ribbons a letter, below that a phoneme.
function ribbonAt(x, y, { clientWidth: width }, { letters, sounds }) {
  const kind = y < HEAD + LETTER + GAP / 3 ? "letter" : "sound", index = tiles((kind === "letter" ? letters : sounds).length, width).at(x);
  return index === null ? null : { kind, index };
}

// Where the cursor's tile is in the ribbons' picture, or its row or column in the map: [x, y], null where it is everywhere.
function ribbonPlace(room, view) {
  const { letters, sounds, focus: { kind, index } } = view;
  return [tiles((kind === "letter" ? letters : sounds).length, ribbonsSize(room, view)[0]).middle(index), null];
}
function mapPlace(room, { letters, sounds, focus: { kind, index } }) {
  const { width, height } = cells(letters.length, sounds.length, room);
  return kind === "letter" ? [LABEL + (index + 0.5) * width, null] : [null, TOP + (index + 0.5) * height];
}

// ---- the heat map: letters across, phonemes down --------------------------------------------------------------------

export function cells(columns, rows, room) {
  const width = Math.max(NARROW.cell, Math.min(60, (room - LABEL - 2) / Math.max(columns, 1)));
  return { width, height: Math.max(NARROW.line, Math.min(52, (MAP - TOP - 2) / Math.max(rows, 1))) };
}
const mapSize = (room, { letters, sounds }) => {
  const { width, height } = cells(letters.length, sounds.length, room);
  return [Math.max(room, LABEL + letters.length * width + 2), Math.max(MAP, TOP + sounds.length * height + 2)];
};

function paintMap(canvas, view, room) {
  const { context } = prepare(canvas), { letters, sounds, weights, shown, focus, colours } = view, { width, height } = cells(letters.length, sounds.length, room);
  const named = (text, x, y, here, options) => write(context, text, x, y, { colour: here ? colours.ink : colours.muted, font: colours.font }, { size: 13, weight: here ? 700 : 400, ...options });
  letters.forEach((letter, k) => named(letter, LABEL + (k + 0.5) * width, TOP / 2, focus.kind === "letter" && focus.index === k, { align: "center", size: 15 }));
  sounds.slice(0, shown).forEach((sound, step) => {
    const y = TOP + step * height, here = focus.kind === "sound" && focus.index === step;
    named(sound.text, LABEL - 8, y + height / 2, here, { align: "right" });
    letters.forEach((_, k) => {
      const weight = weights[step][k], strong = here || (focus.kind === "letter" && focus.index === k);
      context.fillStyle = heat(weight, colours.dark);
      context.fillRect(LABEL + k * width, y, width - 1, height - 1);
      if (!strong || width < 27 || height < 15 || weight < 0.005) return;
      const light = colours.dark ? weight > 0.6 : weight < 0.45;
      write(context, String(Math.round(100 * weight)), LABEL + (k + 0.5) * width - 0.5, y + height / 2, { colour: light ? "#14181b" : "#ffffff", font: colours.font }, { align: "center", size: 12 });
    });
  });
  if (focus.index >= (focus.kind === "letter" ? letters.length : shown)) return;
  context.lineWidth = 2; context.strokeStyle = colours.ink;
  const frame = focus.kind === "letter" ? [LABEL + focus.index * width - 1, TOP - 1, width + 1, shown * height + 1] : [LABEL - 1, TOP + focus.index * height - 1, letters.length * width + 1, height + 1];
  context.strokeRect(...frame);
}

// What lies under a point of the map: a phoneme's row, or in the row of letters a letter.
function mapAt(x, y, canvas, { letters, sounds }) {
  const room = canvas.parentElement.clientWidth, { width, height } = cells(letters.length, sounds.length, room), letter = Math.floor((x - LABEL) / width), step = Math.floor((y - TOP) / height);
  if (y < TOP) return letter >= 0 && letter < letters.length ? { kind: "letter", index: letter } : null;
  return step < sounds.length ? { kind: "sound", index: step } : null;
}
