// What TextGenerator and GateViewer share: characters that can be seen, and bars of the probability of the next one.

const glyph = (token) => ({ " ": "␣", "\n": "↵" })[token] ?? token;
const spoken = (token, words) => ({ " ": words.space, "\n": words.newline })[token] ?? token;
const percent = (p) => (p === 0 ? "0 %" : p < 0.001 ? "< 0.1 %" : p >= 0.9995 && p < 1 ? "> 99.9 %" : `${(100 * p).toFixed(p < 0.0995 ? 1 : 0)} %`);
const inBits = (v) => number(v, v < 9.95 ? 1 : 0);

// The numbers of the `count` most probable tokens, best first; `marked` takes the last place where it is not among them.
export function foremost(chances, count, marked = null) {
  const order = Array.from(chances, (_, k) => k).sort((a, b) => chances[b] - chances[a] || a - b).slice(0, count);
  if (marked !== null && !order.includes(marked)) order[count - 1] = marked;
  return order;
}

// Rows of bars; returns a function that shows probabilities (V,), the marked token with a pointer before it, and as a thin line
// `plain`, what they are at temperature 1, which also decides the order. The number of rows never changes.
function nextBars(parent, words, tokens, count) {
  const box = make(parent, "div", "dl-next", { role: "group", "aria-label": words.next });
  const rows = Array.from({ length: count + 1 }, (_, k) => {
    const row = make(box, "p", k < count ? "dl-next-row" : "dl-next-row dl-next-rest"), last = k === count;
    const sign = make(row, "span", "dl-next-sign", { "aria-hidden": "true" }, last ? "…" : ""), name = make(row, "span", "dl-hidden", {}, last ? words.rest : "");
    const track = make(row, "span", "dl-next-track", { "aria-hidden": "true" });
    return { row, sign, name, bar: make(track, "span", "dl-next-bar"), tick: make(track, "span", "dl-next-tick"), percent: make(row, "span", "dl-next-percent") };
  });
  return (chances, { marked = null, plain = chances } = {}) => {
    const order = chances ? foremost(plain, count, marked) : [], sum = (of) => order.reduce((left, k) => left - of[k], 1);
    rows.forEach((one, place) => {
      const token = order[place], here = place === count || token !== undefined, p = !chances || !here ? 0 : place === count ? Math.max(sum(chances), 0) : chances[token];
      const before = !chances || !here ? 0 : place === count ? Math.max(sum(plain), 0) : plain[token], isMarked = token !== undefined && token === marked;
      if (place < count) { one.sign.textContent = here ? glyph(tokens[token] ?? "") : ""; one.name.textContent = here ? spoken(tokens[token], words) : ""; }
      one.row.classList.toggle("dl-next-marked", isMarked);
      one.bar.style.transform = `scaleX(${p.toFixed(4)})`;
      one.tick.style.left = `${(100 * before).toFixed(2)}%`;
      one.tick.hidden = plain === chances || !chances;
      one.percent.textContent = chances && here ? percent(p) : "";
    });
  };
}

// What was left out of a typed text, in words; nothing where nothing was.
const leftOut = (missing, words) => (missing.length ? fill(words.left_out, { characters: missing.slice(0, 8).join(" ") + (missing.length > 8 ? " …" : "") }) : "");
