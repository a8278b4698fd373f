// The same cell drawn side by side: states forward, then the gradient of the last one back.

const SLIDERS = { steps: 1, radius: 0.01, input_scale: 0.05, forget_bias: 0.1 }; // and the step of each
const LEVELS = [-1, Math.log10(0.5), Math.log10(2), 1]; // of log10 of a norm, from vanishing to exploding
const FLOAT32 = { least: Math.log10(1.4e-45), most: Math.log10(3.4e38) };

// The two words that say what a norm, given as its log10, means for training.
export function verdict(log) {
  if (log === -Infinity) return ["zero", "zero_detail"];
  if (log < FLOAT32.least || log > FLOAT32.most) return log < 0 ? ["underflow", "underflow_detail"] : ["overflow", "overflow_detail"];
  const level = ["vanishing", "shrinking", "staying", "growing", "exploding"][LEVELS.filter((limit) => log > limit).length];
  return [level, "felt"];
}

function render({ model, el }) {
  const words = model.get("words"), root = make(el, "div", "dl-widget dl-un", { role: "group", "aria-label": words.title });
  const stop = new AbortController(), on = { signal: stop.signal }, still = matchMedia("(prefers-reduced-motion: reduce)");
  const hidden = model.get("hidden_size"), ranges = model.get("ranges");
  const draws = Math.round(model.get("weights").byteLength / 4 / drawSize(hidden));
  let flows = {}, scene = null, now = 0, known = 0, repaint = 0, fold = Number(model.get("folded")), folding = 0;

  // -- the page
  make(root, "p", "dl-try", {}, words.try);
  const top = make(root, "div", "dl-un-top"), setCell = choices(top, words.cells, Object.keys(GATES).map((cell) => [cell, words[cell]]), (cell) => send({ cell }));
  const buttons = make(top, "div", "dl-un-buttons");
  const foldButton = make(buttons, "button", "", { type: "button" }), drawButton = make(buttons, "button", "dl-number", { type: "button" });
  const about = make(root, "div", "dl-un-about"), formula = make(about, "p"), jacobian = make(about, "p", "dl-small");
  const stage = make(root, "canvas", "dl-un-stage", { role: "img" });
  const time = timeline(root, words, {
    root, speed: () => Math.max(4, model.get("steps") / 3), show: (step) => { now = step; soon(); }, settle: () => announce(),
  }, stop.signal);
  const says = make(root, "div", "dl-un-says"), sentence = make(says, "p", "dl-un-sentence"), detail = make(says, "p");
  const main = make(root, "div", "dl-un-main"), left = make(main, "div");
  make(left, "p", "dl-caption", {}, words.chart);
  const chart = make(left, "canvas", "dl-un-chart", { role: "img", "aria-label": words.chart_label });
  const list = make(main, "div", "dl-un-sliders", { role: "group", "aria-label": words.sliders });
  const sliders = Object.entries(SLIDERS).map(([name, step]) => {
    const [min, max] = ranges[name], row = make(list, "label", "dl-un-slider"), head = make(row, "span", "dl-un-name", {}, words[name]);
    const value = make(head, "span", "dl-number", { "aria-hidden": "true" }), note = make(row, "span", "dl-small", {}, words[`${name}_note`]);
    const input = make(row, "input", "dl-slider", { type: "range", min, max, step, "aria-label": words[name] });
    input.addEventListener("input", () => send({ [name]: Number(input.value) }), on);
    return { name, min, max, input, value, note };
  });
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  for (const name of ["legend", "norm", "keys"]) make(foot, "p", "dl-small", {}, words[name]);
  const tell = quietly(make(root, "p", "dl-hidden", { role: "status" }), stop.signal);

  // -- numbers
  const send = (values) => { model.set(values); model.save_changes(); again(); announce(); };
  const again = () => {
    const begin = performance.now();
    const cell = model.get("cell"), steps = model.get("steps"), draw = model.get("draw"), scale = model.get("input_scale"), bias = model.get("forget_bias");
    const { cells, sequence: unscaled } = unpack(model.get("weights"), hidden, draw), sequence = unscaled.map((v) => scale * v);
    const weights = Object.fromEntries(Object.entries(cells).map(([name, one]) => [name, adjusted(one, hidden, model.get("radius"), bias)]));
    flows = Object.fromEntries(Object.keys(cells).map((name) => [name, flow(name, weights[name], sequence, steps)]));
    scene = { cell, hidden, steps, sequence, weights: weights[cell], words, ...flows[cell] };
    setCell(cell);
    formula.textContent = words[`formula_${cell}`];
    jacobian.textContent = words[`jacobian_${cell}`];
    drawButton.textContent = fill(words.draw, { draw: draw + 1, draws });
    for (const { name, min, max, input, value, note } of sliders) {
      const v = model.get(name), shown = number(v);
      input.value = v; value.textContent = shown;
      input.setAttribute("aria-valuetext", shown);
      input.style.setProperty("--dl-part", (v - min) / (max - min));
      note.textContent = fill(words[`${name}_note`], { bias: number(bias), share: number(1 / (1 + Math.exp(-bias))) });
    }
    if (steps !== known) { // as far as before, in its half of the way
      const at = now >= 2 * known ? 2 * steps : now <= known ? Math.min(now, steps) : steps + Math.min(now - known, steps);
      known = steps;
      time.limit(2 * steps);
      time.go(Math.floor(at));
    }
    root.dataset.computeMs = (performance.now() - begin).toFixed(2);
    soon();
  };

  // -- what is said
  const say = () => {
    const { cell, steps, logs } = scene, step = Math.floor(now), k = 2 * steps - step;
    if (step === 0) return [words.at_start, words.start_detail];
    if (step <= steps) return [words.reading, words.reading_detail].map((text) => fill(text, { step, steps, before: step - 1 }));
    const log = logs[k], name = (at) => words[`state_${cell}`] + [...String(at)].map((c) => "₀₁₂₃₄₅₆₇₈₉"[c]).join("");
    const values = { k, norm: brief(log, true), last: name(steps), this: name(k), factor: significant(10 ** (log / (steps - k)), 2) };
    return verdict(log).map((word) => fill(words[word], values));
  };
  const announce = () => requestAnimationFrame(() => { if (!stop.signal.aborted) tell(say().join(" ")); });

  // -- pictures
  const paintChart = (colours) => {
    const { context, width, height } = prepare(chart), box = { left: 54, top: 8, width: width - 54 - 60, height: height - 50 };
    const { steps, cell } = scene, curves = Object.entries(flows).map(([name, { logs }]) => ({
      name, values: logs.map((_, distance) => 10 ** logs[steps - distance]), colour: colours[name], label: "", width: name === cell ? 3.5 : 1.75,
    }));
    const range = decades([0.02, 5, ...curves.flatMap(({ values }) => values)]);
    const { py } = frame([0, steps, ...range], box), place = (log) => py(Math.min(Math.max(log, range[0]), range[1]));
    drawLine(context, [[box.left, py(0)], [box.left + box.width, py(0)]], { colour: colours.muted, width: 1.25 });
    lossChart(context, box, { curves, steps, now: Math.max(0, now - steps), range, names: [words.distance, words.norm_axis], ahead: 0.35 }, colours);
    const labels = curves.map(({ name }) => ({ name, y: place(flows[name].logs[0]), text: words[name] + (flows[name].logs[0] < range[0] ? " ↓" : "") }));
    for (const { y, text, name } of spread(labels, 15, box.top + 4, box.top + box.height - 2))
      write(context, text, box.left + box.width + 9, y, { colour: colours.text[name], font: colours.font }, { weight: name === cell ? 750 : 500, size: 13 });
  };
  const paint = () => {
    repaint = 0;
    const begin = performance.now(), colours = cellColours(root), { context, width } = prepare(stage);
    drawScene(context, width, { ...scene, now }, colours, fold * fold * (3 - 2 * fold));
    paintChart(colours);
    [sentence.textContent, detail.textContent] = say();
    stage.setAttribute("aria-label", fill(words[model.get("folded") ? "folded" : "open"], { cell: words[scene.cell], steps: scene.steps }));
    foldButton.textContent = words[model.get("folded") ? "unfold" : "fold"];
    says.style.setProperty("--dl-own", now > scene.steps ? colours[scene.cell] : colours.accent);
    root.dataset.updateMs = (performance.now() - begin).toFixed(2);
  };
  const soon = () => { if (!repaint) repaint = requestAnimationFrame(paint); };

  // -- folding, choosing
  const turn = () => { // moves towards what `folded` says
    cancelAnimationFrame(folding);
    const from = fold, to = Number(model.get("folded")), begin = performance.now();
    const move = (time) => {
      const part = still.matches ? 1 : Math.min(Math.max((time - begin) / 700, 0), 1);
      fold = from + (to - from) * part;
      folding = part < 1 ? requestAnimationFrame(move) : 0;
      soon();
    };
    move(begin);
  };
  foldButton.addEventListener("click", () => { model.set({ folded: !model.get("folded") }); model.save_changes(); turn(); }, on);
  drawButton.addEventListener("click", () => send({ draw: (model.get("draw") + 1) % draws }), on);

  stage.addEventListener("pointerdown", (event) => { // a state that is touched is the one shown
    if (!event.isPrimary || event.button || fold > 0) return;
    const { steps, states } = scene, { pitch, x } = arrange(stage.clientWidth, { steps, hidden, columns: states[0].length / hidden });
    const k = Math.min(Math.max(Math.round((event.clientX - stage.getBoundingClientRect().left - x(0)) / pitch), 0), steps);
    time.go(now > steps ? 2 * steps - k : k);
    announce();
  }, on);

  const settings = ["cell", "draw", ...Object.keys(SLIDERS)];
  for (const name of settings) model.on(`change:${name}`, again);
  model.on("change:folded", turn);
  onLook(root, soon, stop.signal);
  again();
  return () => {
    stop.abort(); cancelAnimationFrame(repaint); cancelAnimationFrame(folding);
    for (const name of settings) model.off(`change:${name}`, again);
    model.off("change:folded", turn);
  };
}

export default { render };
