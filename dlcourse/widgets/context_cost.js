// Sizes of a Transformer to choose, one chart of what they cost against the context, and every formula with its numbers.

const POWERS = Array.from({ length: 33 }, (_, k) => (k % 2 ? 3 * 2 ** ((k + 5) / 2) : 2 ** (k / 2 + 4))); // 16, 24, 32, 48, … 2²⁰
const STEPS = {
  context: POWERS,
  dim: [32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1280, 1600, 2048, 2560, 3072, 4096, 5120, 6144, 8192, 12288, 16384],
  num_layers: [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 40, 48, 64, 80, 96, 128],
  num_heads: [],
  batch: [1, 2, 4, 8, 12, 16, 32, 64, 128, 256, 512, 1024],
};
const VIEWS = ["work", "memory", "writing"], SIZES = ["context", "dim", "num_layers", "num_heads"], ROWS = 3;

function render({ model, el }) {
  const words = model.get("words"), root = make(el, "div", "dl-widget dl-cost", { role: "group", "aria-label": words.name });
  const stop = new AbortController(), on = { signal: stop.signal }, names = [...SIZES, "batch", "bytes_per_number", "causal"];
  const settings = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  let repaint = 0, view = null, wish = model.get("num_heads");

  // -- the page
  make(root, "p", "dl-try", {}, words.try);
  const bar = make(root, "div", "dl-cost-presets", { role: "group", "aria-label": words.presets });
  const presets = model.get("presets").map((preset) => {
    const button = make(bar, "button", "", { type: "button" }, preset.name || words.own);
    button.addEventListener("click", () => { wish = preset.num_heads; send(Object.fromEntries(SIZES.map((name) => [name, preset[name]]))); }, on);
    return { button, preset };
  });
  const source = make(root, "p", "dl-small dl-cost-source");
  const panel = make(root, "div", "dl-cost-settings", { role: "group", "aria-label": words.settings });
  const sliders = Object.entries(STEPS).map(([name, steps]) => {
    const row = make(panel, "label", "dl-cost-slider"), head = make(row, "span", "dl-cost-name");
    make(head, "span", "dl-small", {}, words[name]);
    const value = make(head, "strong", "dl-number", { "aria-hidden": "true" });
    const input = make(row, "input", "dl-slider", { type: "range", min: 0, step: 1, "aria-label": words[name] });
    const list = () => (name === "num_heads" ? divisors(model.get("dim")) : steps);
    input.addEventListener("input", () => choose(name, list()[input.valueAsNumber] ?? list().at(-1)), on); // which may have become shorter in this frame
    return { name, value, input, list };
  });
  const setBytes = choices(panel, words.bytes, [1, 2, 4].map((b) => [b, String(b)]), (b) => send({ bytes_per_number: b }));
  const group = make(root, "fieldset", "dl-cost-views"), shared = unique();
  make(group, "legend", "dl-hidden", {}, words.views);
  const tiles = VIEWS.map((name) => {
    const tile = make(group, "label", "dl-cost-tile"), input = make(tile, "input", "", { type: "radio", name: shared });
    const box = make(tile, "span", "dl-cost-face");
    make(box, "span", "dl-cost-title", {}, words[`view_${name}`]);
    const value = make(box, "strong", "dl-number");
    make(box, "span", "dl-cost-title", {}, words[`detail_${name}`]);
    input.addEventListener("change", () => send({ view: name }), on);
    return { name, input, value };
  });
  const main = make(root, "div", "dl-cost-main"), chart = make(main, "canvas", "dl-cost-chart", { role: "img" });
  const side = make(main, "div", "dl-cost-side"), list = make(side, "dl", "dl-cost-rows");
  const rows = Array.from({ length: ROWS }, () => {
    const box = make(list, "div", "dl-cost-row"), title = make(box, "dt"), value = make(box, "dd", "dl-cost-value dl-number");
    return { box, title, value, formula: make(box, "dd", "dl-cost-formula"), digits: make(box, "dd", "dl-cost-digits dl-number dl-small") };
  });
  const setPairs = choices(side, words.pairs, [[false, words.pairs_all], [true, words.pairs_causal]], (causal) => send({ causal }));
  const pairs = side.lastChild;
  const says = make(root, "p", "dl-cost-says"), foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  make(foot, "p", "dl-small", {}, words.small_print);
  const tell = quietly(make(root, "p", "dl-hidden", { role: "status" }), stop.signal);

  // -- numbers
  const send = (values) => { model.set(values); model.save_changes(); soon(); tell(sayCost(model.get("view"), settings(), words)); };
  const choose = (name, value) => {
    if (name === "num_heads") wish = value;
    const fitting = divisors(name === "dim" ? value : model.get("dim")); // as many heads as were wished for, or as near as the width allows
    send({ [name]: value, ...(name === "dim" ? { num_heads: fitting[nearest(fitting, wish)] } : {}) });
  };

  // -- what is shown
  const paint = () => {
    repaint = 0;
    const begin = performance.now(), now = settings(), what = model.get("view"), colours = look(root), style = getComputedStyle(root);
    colours.text = { tokens: style.getPropertyValue("--dl-tokens").trim(), pairs: style.getPropertyValue("--dl-pairs").trim() };
    for (const { name, value, input, list: steps } of sliders) {
      const values = steps(), place = nearest(values, now[name]);
      input.max = values.length - 1; input.value = place;
      value.textContent = grouped(now[name]);
      input.setAttribute("aria-valuetext", grouped(now[name]));
      input.style.setProperty("--dl-part", place / Math.max(values.length - 1, 1));
    }
    setBytes(now.bytes_per_number);
    setPairs(now.causal);
    pairs.style.visibility = what === "memory" ? "hidden" : ""; // what is stored has a place for every pair
    const fits = ({ preset }) => SIZES.every((name) => preset[name] === now[name]);
    for (const one of presets) one.button.setAttribute("aria-pressed", String(fits(one)));
    const known = presets.find(fits)?.preset;
    source.textContent = known ? known.source || (known.name ? "" : words.source_own) : words.source_none;
    const found = figures(now, words);
    for (const { name, input, value } of tiles) { input.checked = name === what; value.textContent = found[name]; }
    view = costChart(chart, what, now, words, colours);
    chart.setAttribute("aria-label", fill(words.chart, { view: words[`axis_${what}`] }));
    rowsOf(what, now, words).forEach(([name, kind, value, formula, digits], k) => {
      const row = rows[k];
      row.box.dataset.kind = kind;
      row.title.textContent = words[`row_${name}`]; row.value.textContent = value;
      row.formula.textContent = formula.replace(/\([^)]*\)/g, (part) => part.replaceAll(" ", "\u00a0")); // a line ends between factors
      row.digits.textContent = name === "ratio" ? digits : `= ${digits}`;
    });
    says.textContent = sayCost(what, now, words);
    root.dataset.updateMs = (performance.now() - begin).toFixed(2);
  };
  const soon = () => { if (!repaint) repaint = requestAnimationFrame(paint); };

  // -- the length under the pointer
  let held = false;
  const follow = (event) => { const length = POWERS[nearest(POWERS, view.length(event))]; if (length !== model.get("context")) choose("context", length); };
  chart.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    held = true;
    chart.setPointerCapture(event.pointerId);
    follow(event);
  }, on);
  chart.addEventListener("pointermove", (event) => { if (held && event.isPrimary) follow(event); }, on);
  for (const name of ["pointerup", "pointercancel"]) chart.addEventListener(name, () => { held = false; }, on);

  // -- the world around
  const traits = [...names, "view"];
  for (const name of traits) model.on(`change:${name}`, soon);
  onLook(root, soon, stop.signal);
  soon();
  return () => {
    stop.abort(); cancelAnimationFrame(repaint);
    for (const name of traits) model.off(`change:${name}`, soon);
  };
}

export default { render };
