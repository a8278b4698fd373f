// The pictures of Pronouncer: ribbons from the letters to the phonemes, as thick as the weights, and the same weights as a heat map.

const HEAD = 20, LETTER = 44, GAP = 132, SOUND = 54, THICKEST = 34;
const RIBBONS = HEAD + LETTER + GAP + SOUND + HEAD, MAP = 270, LABEL = 46, TOP = 24; // heights, and the map's margins
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

// `view` is { letters, sounds: [{ text, example, kind }], weights, shown, growth, focus: { kind, index }, colours }.
function paintRibbons(canvas, view) {
  const { context, width } = prepare(canvas), { letters, sounds, weights, shown, growth, focus, colours } = view;
  const above = tiles(letters.length, width), below = tiles(sounds.length, width), from = HEAD + LETTER, to = from + GAP;
  const paint = { vowel: colours.warm, consonant: colours.accent, end: colours.muted }, middle = (from + to) / 2;
  const active = growth ? { kind: "sound", index: shown } : focus; // a phoneme that is being read has the light
  const lit = (step, letter) => (active.kind === "letter" ? letter : step) === active.index;
  const bands = ribbons(weights, above, below).filter(({ step, thick }) => thick > 0.2 && step < shown + (growth ? 1 : 0));
  for (const light of [false, true])
    for (const { step, letter, thick, from: x, to: end } of bands) {
      if (lit(step, letter) !== light) continue;
      context.save();
      if (step >= shown) { context.beginPath(); context.rect(0, from, width, GAP * growth); context.clip(); }
      context.globalAlpha = light ? 0.85 : colours.dark ? 0.3 : 0.2;
      context.fillStyle = paint[sounds[step].kind];
      context.beginPath();
      context.moveTo(x, from);
      context.bezierCurveTo(x, middle, end, middle, end, to);
      context.lineTo(end + thick, to);
      context.bezierCurveTo(end + thick, middle, x + thick, middle, x + thick, from);
      context.fill();
      context.restore();
    }
  const weight = (step, letter) => (step < shown ? weights[step][letter] : step === shown && growth ? weights[step][letter] * growth : 0);
  const tint = paint[sounds[active.kind === "sound" ? active.index : 0]?.kind];
  letters.forEach((letter, k) => paintLetter(context, { letter, place: above, k, view, weight: active.kind === "sound" ? weight(active.index, k) : 0, tint }));
  sounds.slice(0, shown).forEach((sound, k) => paintSound(context, { sound, place: below, k, view, here: active.kind === "sound" && active.index === k, weight: active.kind === "letter" ? weight(k, active.index) : 0, tint: paint[sound.kind] }));
}

function paintLetter(context, { letter, place, k, view: { focus, colours }, weight, tint }) {
  const x = place.middle(k) - place.tile / 2, here = focus.kind === "letter" && focus.index === k;
  box(context, x, HEAD, place.tile, LETTER);
  context.fillStyle = here ? colours.ink : colours.paper; context.fill();
  if (weight) { context.globalAlpha = 0.5 * weight; context.fillStyle = tint; context.fill(); context.globalAlpha = 1; }
  context.lineWidth = weight > 0.05 ? 1.5 : 1; context.strokeStyle = weight > 0.05 ? tint : here ? colours.ink : colours.line; context.stroke();
  const size = Math.min(24, 0.8 * place.pitch + 2);
  write(context, letter, place.middle(k), HEAD + LETTER / 2 - 1, { colour: here ? colours.paper : colours.ink, font: colours.font }, { align: "center", size, weight: 550 });
  if (weight >= 0.045 && place.pitch >= 27) write(context, `${Math.round(100 * weight)}%`, place.middle(k), HEAD / 2 - 1, { colour: colours.ink, font: colours.font }, { align: "center", size: 12 });
}

function paintSound(context, { sound, place, k, view: { colours }, here, weight, tint }) {
  const x = place.middle(k) - place.tile / 2, y = HEAD + LETTER + GAP;
  box(context, x, y, place.tile, SOUND);
  context.fillStyle = here ? tint : colours.paper; context.fill();
  if (weight) { context.globalAlpha = 0.5 * weight; context.fillStyle = tint; context.fill(); context.globalAlpha = 1; }
  context.lineWidth = 1.5; context.strokeStyle = tint; context.stroke();
  const roomy = place.pitch >= 40 && sound.example, colour = here ? colours.paper : colours.ink, size = Math.min(18, 0.42 * place.pitch + 3, 1.3 * place.tile / sound.text.length);
  write(context, sound.text, place.middle(k), y + (roomy ? 20 : SOUND / 2), { colour, font: colours.font }, { align: "center", size, weight: 650 });
  if (roomy) paintExample(context, sound.example, place.middle(k), y + 39, place.tile - 2, { colour: here ? colours.paper : colours.muted, strong: colour, font: colours.font });
  if (weight >= 0.045 && place.pitch >= 27) write(context, `${Math.round(100 * weight)}%`, place.middle(k), y + SOUND + HEAD / 2 + 1, { colour: colours.ink, font: colours.font }, { align: "center", size: 12 });
}

// What lies under a point of the ribbons' picture: a letter in the upper half, a phoneme in the lower.
function ribbonAt(x, y, { clientWidth: width }, { letters, sounds }) {
  const kind = y < HEAD + LETTER + GAP / 3 ? "letter" : "sound", index = tiles((kind === "letter" ? letters : sounds).length, width).at(x);
  return index === null ? null : { kind, index };
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
