// All heads as small multiples: one map for each head, a row of radio buttons for each layer; and the colours of attention.

// Colours of no attention, some, and half or more of it.
const INKS = {
  light: [[240, 243, 246], [110, 165, 205], [0, 66, 120]],
  dark: [[33, 39, 45], [40, 104, 152], [150, 218, 255]],
};

// How strong a weight looks: its square root, full from a half on, so that small shares are seen.
export const strength = (w) => Math.min(1, Math.sqrt(2 * w));

// The colours of strengths 0 to 255 as pixels.
function inks(dark) {
  const ramp = INKS[dark ? "dark" : "light"], pixels = new Uint32Array(256), bytes = new Uint8Array(pixels.buffer);
  for (let k = 0; k < 256; k++) {
    const at = k / 255 * 2, i = Math.min(Math.floor(at), 1);
    ramp[i].forEach((v, c) => { bytes[4 * k + c] = Math.round(v + (ramp[i + 1][c] - v) * (at - i)); });
    bytes[4 * k + 3] = 255;
  }
  return pixels;
}
const inkOf = (pixels, w) => { const [r, g, b] = new Uint8Array(pixels.buffer, 4 * Math.round(255 * strength(w)), 3); return `rgb(${r} ${g} ${b})`; };

// Paints rows `from` to `count` of a map into a canvas of size × size pixels, which the page stretches; rowOf(t) gives the weights of
// character t.
function paintMap(canvas, size, count, rowOf, pixels, from = 0) {
  if (canvas.width !== size || canvas.height !== size) { canvas.width = canvas.height = size; from = 0; }
  const context = canvas.getContext("2d");
  if (from === 0) context.clearRect(0, 0, size, size);
  canvas.classList.toggle("dl-crisp", size < 1.5 * canvas.clientWidth);
  for (let t = from; t < count; t++) {
    const row = context.createImageData(t + 1, 1), out = new Uint32Array(row.data.buffer), weights = rowOf(t);
    for (let s = 0; s <= t; s++) out[s] = pixels[Math.round(255 * strength(weights[s]))];
    context.putImageData(row, 0, t);
  }
}

// Puts the maps of all heads into `parent`; `choose(layer, head)` is called when one is chosen. Returns the canvases, a function that
// marks the chosen one, and one that writes below each what it does, given what habitsOf found (nothing: no text).
function headMaps(parent, { num_layers: layers, num_heads: heads }, words, choose) {
  const group = make(parent, "fieldset", "dl-heads"), name = unique(), all = [];
  make(group, "legend", "dl-small", {}, words.heads);
  const grid = make(group, "div", "dl-heads-grid");
  grid.style.setProperty("--dl-heads", heads);
  for (let layer = 0; layer < layers; layer++) {
    make(grid, "span", "dl-small dl-heads-layer", { "aria-hidden": "true" }, String(layer + 1));
    for (let head = 0; head < heads; head++) {
      const label = make(grid, "label", "dl-head"), input = make(label, "input", "", { type: "radio", name, "aria-label": fill(words.head, { layer: layer + 1, head: head + 1 }) });
      const canvas = make(label, "canvas", "", { "aria-hidden": "true", width: 1, height: 1 }), caption = make(label, "span", "", { "aria-hidden": "true" });
      input.addEventListener("change", () => choose(layer, head));
      all.push({ layer, head, input, canvas, caption });
    }
  }
  grid.addEventListener("keydown", (event) => { // up and down: to the same head of the next layer
    const way = { ArrowUp: -heads, ArrowDown: heads }[event.key], from = all.findIndex(({ input }) => input === event.target), next = all[from + way];
    if (way === undefined || from < 0) return;
    event.preventDefault();
    if (!next) return;
    next.input.checked = true;
    next.input.focus();
    choose(next.layer, next.head);
  });
  return {
    all,
    mark: (layer, head) => { all[layer * heads + head].input.checked = true; },
    name: (found) => all.forEach(({ layer, head, input, caption }, k) => {
      const text = found.length ? words[`short_${found[k].main?.name ?? "spread"}`] : "", name = fill(words.head, { layer: layer + 1, head: head + 1 });
      if (caption.textContent === text) return;
      caption.textContent = text;
      input.setAttribute("aria-label", text ? `${name}: ${text}` : name);
    }),
  };
}

// What one head does on the text, in words.
const habitInWords = ({ main, spread }, words) => [
  main ? fill(words[`does_${main.name}`], { share: percent(main.share), chance: percent(main.chance) }) : words.does_spread,
  fill(words.spread, { count: spread.toFixed(spread < 9.95 ? 1 : 0) }),
].join(" ");

// Rows for what one character reads most; returns a function that shows [place, weight] pairs of a text. Their number never changes.
function readRows(parent, words, count) {
  const box = make(parent, "div", "dl-read", { role: "group", "aria-label": words.read });
  const rows = Array.from({ length: count }, () => {
    const row = make(box, "p", "dl-read-row"), context = make(row, "span", "dl-read-context");
    const before = make(context, "span"), sign = make(context, "strong"), after = make(context, "span"), track = make(row, "span", "dl-read-track", { "aria-hidden": "true" });
    return { before, sign, after, bar: make(track, "span", "dl-read-bar"), percent: make(row, "span", "dl-read-percent") };
  });
  return (pairs, characters, cursor) => rows.forEach((row, k) => {
    const [place, weight] = pairs[k] ?? [null, 0], here = place !== null, cut = (from, to) => characters.slice(Math.max(from, 0), to).map((c) => (c === "\n" ? "↵" : c)).join("");
    row.before.textContent = here ? cut(place - 5, place) : "";
    row.sign.textContent = here ? glyph(characters[place]) : "";
    row.after.textContent = here ? cut(place + 1, Math.min(place + 4, cursor + 1)) : "";
    row.bar.style.transform = `scaleX(${weight.toFixed(4)})`;
    row.percent.textContent = here ? percent(weight) : "";
  });
}
