// Queries, keys, values and a mask to edit; scores, softmax and weighted sum beside them, and how each number comes about.

function render({ model, el }) {
  const words = model.get("words"), root = make(el, "div", "dl-widget dl-attn", { role: "group", "aria-label": model.get("title") || words.name });
  const stop = new AbortController(), on = { signal: stop.signal }, names = ["q", "k", "v", "mask", "temperature", "scaled"];
  const first = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const [T, S, d, e] = [first.q.length, first.k.length, first.q[0].length, first.v[0].length], many = (n) => Array.from({ length: n }, (_, i) => i);
  const labels = model.get("labels"), called = (i, word) => labels[i] ?? fill(words[word], { n: sub(i + 1) });
  const spoken = (i) => (labels[i] === undefined ? called(i, "key_of") : fill(words.quoted, { name: labels[i] }));
  const queryNames = many(T).map((t) => (T > 1 ? fill(words.query_of, { n: sub(t + 1) }) : words.query));
  let now, result, all, active = { kind: "key", at: 0 }, held = null, holding = false, views = {}, bounds = {}, frame = 0;

  // -- the page
  if (model.get("title")) make(root, "p", "dl-attn-title", {}, model.get("title"));
  make(root, "p", "dl-try", {}, d === 2 ? words.try : words.try_numbers);
  const controls = make(root, "div", "dl-attn-controls"), setScaled = choices(controls, words.scaling, [[true, words.scaled], [false, words.unscaled]], (scaled) => send({ scaled }));
  const heat = make(controls, "label", "dl-attn-heat"), heatName = make(heat, "span", "dl-attn-name");
  make(heatName, "span", "dl-small", {}, words.temperature);
  const heatValue = make(heatName, "strong", "dl-number", { "aria-hidden": "true" });
  const slider = make(heat, "input", "dl-slider", { type: "range", min: -26, max: 26, step: 1, "aria-label": words.temperature });
  slider.addEventListener("input", () => send({ temperature: Number((10 ** (Number(slider.value) / 20)).toPrecision(2)) }), on);
  make(controls, "button", "dl-attn-reset", { type: "button" }, words.reset).addEventListener("click", () => send({ ...first, query: 0 }), on);

  const pictures = make(root, "div", "dl-attn-pictures");
  const panel = (name, shown) => {
    if (!shown) return null;
    const part = make(pictures, "div");
    make(part, "p", "dl-caption", {}, words[`plane_${name}`]);
    return make(part, "canvas", `dl-attn-plane dl-attn-${name}`, { role: "img", "aria-label": words[`plane_${name}_label`] });
  };
  const planes = { keys: panel("keys", d === 2), values: panel("values", e < 3) };
  if (e === 2) {
    const legend = make(root, "p", "dl-small dl-attn-legend");
    if (d === 2) make(legend, "span", "dl-attn-turning", {}, words.turning);
    make(legend, "span", "dl-attn-cooling", {}, words.cooling);
  }
  pictures.classList.toggle("dl-attn-single", !planes.keys !== !planes.values);
  pictures.classList.toggle("dl-attn-flat", e === 1 && !planes.keys);
  const verdict = make(root, "p", "dl-attn-verdict");

  const table = make(root, "div", "dl-attn-table");
  table.style.setProperty("--d", d); table.style.setProperty("--e", e); table.classList.toggle("dl-attn-wide", d + e > 5);
  const line = (kind, label) => make(table, "div", `dl-attn-row dl-attn-${kind}`, label ? { role: "group", "aria-label": label } : {});
  const head = line("head"), heads = ["", "head_mask", "head_key", "head_score", "", "head_weight", "head_value"].map((word) => make(head, "span", "dl-small", {}, word && words[word]));
  const parse = (text) => {
    const value = Number(text.trim().replace("−", "-").replace(",", "."));
    return text.trim() === "" || !Number.isFinite(value) || Math.abs(value) > 1000 ? null : value;
  };
  // A number of trait `name`, row row(), column n.
  const cell = (parent, name, row, n, label) => {
    const input = make(parent, "input", "dl-cell", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": label });
    const get = () => model.get(name)[row()][n], put = (value) => send({ [name]: model.get(name).map((old, r) => (r === row() ? old.with(n, value) : old)) });
    input.addEventListener("input", () => {
      const value = parse(input.value);
      if (value === null) input.setAttribute("aria-invalid", "true");
      else { input.removeAttribute("aria-invalid"); put(value); }
    }, on);
    input.addEventListener("keydown", (event) => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const value = Number((get() + way * (event.shiftKey ? 1 : 0.1)).toFixed(4));
      if (Math.abs(value) > 1000) return;
      input.value = number(value, 3); input.removeAttribute("aria-invalid");
      put(value);
    }, on);
    input.addEventListener("focus", () => input.select(), on);
    input.addEventListener("blur", () => soon(), on); // what is no number gives way to the value in force
    return { input, get };
  };
  const block = (parent, kind, caption) => { if (caption) make(parent, "span", "dl-small dl-attn-cap", { "aria-hidden": "true" }, caption); return make(parent, "div", `dl-attn-cells dl-attn-${kind}`); };
  const t = () => Math.min(model.get("query"), T - 1), cells = [];

  const queryRow = line("query", words.query), queryName = make(queryRow, "strong", "dl-attn-label"), queryCells = block(queryRow, "key");
  const rule = make(queryRow, "span", "dl-attn-rule dl-small");
  for (const n of many(d)) cells.push(cell(queryCells, "q", t, n, fill(words.number_query, { name: words.query, n: n + 1 })));
  const rows = many(S).map((i) => {
    const name = called(i, "key_of"), row = line("pair", fill(words.row, { name }));
    const label = make(row, "strong", "dl-attn-label", { title: name }, name), toggle = make(row, "label", "dl-attn-mask");
    const check = make(toggle, "input", "", { type: "checkbox", "aria-label": fill(words.may_read, { name }) });
    check.addEventListener("change", () => send({ mask: model.get("mask").map((old, r) => (r === t() ? old.with(i, check.checked) : old)) }), on);
    const keyCells = block(row, "key"), [score, logit] = ["score", "logit"].map((kind) => {
      const part = make(row, "span", `dl-attn-${kind}`);
      return { caption: make(part, "span", "dl-attn-cap dl-small"), text: make(part, "span", "dl-number") };
    });
    const weight = make(row, "button", "dl-attn-weight", { type: "button" }), bar = make(weight, "span", "dl-attn-bar"), text = make(weight, "span", "dl-number");
    const valueCells = block(row, "value", words.value);
    for (const n of many(d)) cells.push(cell(keyCells, "k", () => i, n, fill(words.number_key, { name, n: n + 1 })));
    for (const n of many(e)) cells.push(cell(valueCells, "v", () => i, n, fill(words.number_value, { name, n: n + 1 })));
    for (const event of ["pointerenter", "focusin"]) row.addEventListener(event, () => trace({ kind: "key", at: i }), on);
    return { row, label, check, score, logit, weight, bar, text };
  });
  const outRow = line("out", words.output), outSum = make(outRow, "span", "dl-attn-sum dl-number"), outCells = block(outRow, "value", words.output);
  make(outRow, "strong", "dl-attn-label", {}, words.output);
  make(outRow, "span", "dl-attn-rule dl-small", {}, words.out_rule);
  const outs = many(e).map((c) => {
    const button = make(outCells, "button", "dl-attn-output dl-number", { type: "button" });
    for (const event of ["pointerenter", "focusin"]) button.addEventListener(event, () => trace({ kind: "output", at: c }), on);
    return button;
  });

  const stack = make(root, "div", `dl-attn-traces ${d * S > 9 ? "dl-attn-long" : ""}`); // all lie on each other, so that the tallest sets the height
  const card = (title, steps) => {
    const box = make(stack, "div", "dl-attn-trace", { id: unique() });
    make(box, "p", "dl-attn-name", {}, title);
    const list = make(box, "dl");
    return { box, lines: many(steps).map(() => { const pair = make(list, "div"); return { word: make(pair, "dt", "dl-small"), text: make(pair, "dd", "dl-number") }; }) };
  };
  const traces = {
    key: many(S).map((i) => card(fill(words.trace_key, { name: spoken(i) }), 4)),
    output: many(e).map((c) => card(fill(words.trace_output, { n: c + 1 }), 2)),
  };
  for (const [kind, nodes] of [["key", rows.map(({ weight }) => weight)], ["output", outs]]) nodes.forEach((node, n) => node.setAttribute("aria-describedby", traces[kind][n].box.id));

  let matrix = null, setQuery = () => {};
  if (T > 1) {
    const part = make(root, "fieldset", "dl-attn-all"), group = unique();
    make(part, "legend", "dl-caption", {}, words.all_weights);
    matrix = many(T).map((r) => {
      const row = make(part, "label", "dl-attn-all-row"), input = make(row, "input", "", { type: "radio", name: group, "aria-label": queryNames[r] });
      make(row, "strong", "", {}, queryNames[r]);
      input.addEventListener("change", () => send({ query: r }), on);
      return { input, cells: many(S).map(() => make(row, "span", "dl-number dl-attn-tile")) };
    });
    setQuery = (r) => { matrix[r].input.checked = true; };
  }
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, e === 2 ? words.notice : e === 1 ? words.notice_line : words.notice_numbers);
  make(foot, "p", "dl-small", {}, words.keys);
  const tell = quietly(make(root, "p", "dl-hidden", { role: "status" }), stop.signal);

  // -- numbers
  const send = (values) => { model.set(values); model.save_changes(); again(); announce(); };
  const again = () => {
    const [q, k, v, mask, temperature, scaled] = names.map((name) => model.get(name));
    all = q.map((one, r) => attend(one, k, v, mask[r], { scaled, temperature }));
    result = all[t()];
    now = { queries: q, q: q[t()], k, v, allowed: mask[t()], temperature, scaled };
    soon();
  };
  const sentence = () => {
    const { allowed } = now, { weights, scores } = result, seen = many(S).filter((i) => allowed[i]);
    if (!seen.length) return words.blind;
    const top = Math.max(...seen.map((i) => scores[i])), best = seen.filter((i) => top - scores[i] <= 1e-12 * Math.max(1, Math.abs(top)));
    const facts = { count: spreadOf(weights).toFixed(2), total: seen.length, weight: share(weights[best[0]], words) }, ahead = best.map(spoken);
    if (seen.length === 1) return fill(words.only, { name: spoken(seen[0]) });
    if (best.length > 1) return fill(words.tie, { ...facts, names: [ahead.slice(0, -1).join(", "), ahead.at(-1)].join(words.and) });
    return fill(words.best, { ...facts, name: ahead[0], percent: weights[best[0]] === 1 ? "100 %" : weights[best[0]] > 0.9995 ? "> 99.9 %" : `${(100 * weights[best[0]]).toFixed(1)} %` });
  };
  const announce = () => tell(fill(words.status, {
    weights: result.weights.map((w, i) => `${called(i, "key_of")} ${share(w, words)}`).join(", "), output: result.output.map(fixed).join(", "),
  }));
  const trace = (what) => { active = what; soon(); };

  // -- what is shown
  const paint = () => {
    frame = 0;
    const begin = performance.now(), colours = calculatorColours(root), { q, queries, k, v, allowed, scaled, temperature } = now, { weights, scores, logits, output, total } = result;
    const key = active.kind === "key" ? active.at : null, flat = v.map((row) => (e === 1 ? [row[0], 0] : row));
    if (planes.keys) {
      if (!holding) bounds.keys = surround([...queries, ...k], bounds.keys, true);
      views.keys = paintKeys(planes.keys, bounds.keys, { queries, k, allowed, query: t(), names: many(S).map((i) => called(i, "key_of")), queryNames, scores, active: key, held }, colours);
    }
    if (planes.values) {
      if (!holding) bounds.values = surround(e === 1 ? flat : [...v, ...(total ? [] : [[0, 0]])], bounds.values, false);
      const others = all.filter((_, r) => r !== t()).map((one) => one.output);
      const path = e === 2 ? temperaturePath(scores, v, allowed) : [], around = d === 2 && e === 2 && total ? orbit(q, k, v, allowed, { scaled, temperature }) : [];
      views.values = paintValues(planes.values, bounds.values, { v, allowed, weights, output, others, path, around, names: many(S).map((i) => called(i, "value_of")), active: key, held, words }, colours);
    }
    setScaled(scaled);
    const heatText = brief(temperature), place = Math.round(20 * Math.log10(temperature));
    slider.value = place; heatValue.textContent = heatText;
    slider.setAttribute("aria-valuetext", heatText); slider.style.setProperty("--dl-part", (place + 26) / 52);
    const most = Math.max(...cells.map(({ get }) => Math.abs(get())), 1e-9);
    for (const { input, get } of cells) {
      if (document.activeElement !== input) { input.value = number(get(), 3); input.removeAttribute("aria-invalid"); }
      input.style.setProperty("--dl-tint", `${Math.round(24 * Math.abs(get()) / most)}%`);
      input.classList.toggle("dl-negative", get() < 0);
    }
    queryName.textContent = queryNames[t()];
    const division = scaled || temperature !== 1 ? `/ ${[scaled && `√${d}`, temperature !== 1 && "τ"].filter(Boolean).join(" / ")}` : "";
    heads[4].textContent = division;
    rule.textContent = fill(words.rule, { logits: `${words.head_score} ${division}`.trim() });
    rows.forEach(({ row, label, check, score, logit, weight, bar, text }, i) => {
      row.style.setProperty("--dl-own", allowed[i] ? colours.own[i] : colours.muted);
      row.classList.toggle("dl-attn-masked", !allowed[i]);
      row.classList.toggle("dl-attn-active", key === i);
      check.checked = allowed[i];
      score.text.textContent = brief(scores[i]); logit.text.textContent = brief(logits[i]);
      score.caption.textContent = words.head_score; logit.caption.textContent = division;
      bar.style.width = `${100 * weights[i]}%`;
      text.textContent = share(weights[i], words);
      weight.setAttribute("aria-label", fill(words.weight_label, { name: called(i, "key_of"), weight: text.textContent }));
    });
    outSum.textContent = fill(words.sum, { total: total ? 1 : 0 });
    outs.forEach((button, c) => {
      button.textContent = fixed(output[c]);
      button.setAttribute("aria-label", fill(words.output_label, { value: fixed(output[c]), n: c + 1 }));
      button.classList.toggle("dl-attn-active", active.kind === "output" && active.at === c);
    });
    const given = { q, k, v, allowed, scaled, temperature };
    const put = ({ lines }, pairs) => lines.forEach(({ word, text }, n) => { word.textContent = words[pairs[n][0]]; text.textContent = pairs[n][1]; });
    traces.key.forEach((one, i) => put(one, traceKey(i, given, result, words)));
    traces.output.forEach((one, c) => put(one, traceOutput(c, given, result, words)));
    for (const [kind, list] of Object.entries(traces)) list.forEach(({ box }, n) => box.classList.toggle("dl-attn-shown", active.kind === kind && active.at === n));
    stack.style.setProperty("--dl-own", key === null ? colours.warm : allowed[key] ? colours.own[key] : colours.muted);
    matrix?.forEach((one, r) => one.cells.forEach((tile, i) => {
      tile.textContent = share(all[r].weights[i], words);
      tile.style.setProperty("--dl-tint", `${Math.round(70 * all[r].weights[i])}%`);
    }));
    setQuery(t());
    verdict.textContent = sentence();
    root.dataset.updateMs = (performance.now() - begin).toFixed(2);
  };
  const soon = () => { if (!frame) frame = requestAnimationFrame(paint); };

  // -- the tips under the pointer
  const tips = { keys: () => [...[t(), ...many(T)].map((r) => [`q${r}`, now.queries[r]]), ...now.k.map((at, i) => [`k${i}`, at])], values: () => now.v.map((at, i) => [`v${i}`, [at[0], at[1] ?? 0]]) };
  for (const [name, canvas] of Object.entries(planes)) if (canvas) holdable(canvas, {
    view: () => views[name], tips: tips[name], settle: () => { holding = false; soon(); announce(); },
    hover: (tip, taken) => {
      if (tip === held && taken === holding) return;
      held = tip; holding = taken;
      const n = tip && Number(tip.slice(1));
      if (tip?.[0] === "q") { if (taken && n !== t()) send({ query: n }); } else if (tip) active = { kind: "key", at: n };
      soon();
    },
    move: (tip, place) => { const trait = tip[0], n = Number(tip.slice(1)); model.set({ [trait]: model.get(trait).with(n, place.slice(0, trait === "v" ? e : d)) }); model.save_changes(); again(); },
  }, stop.signal);

  // -- the world around
  const settings = [...names, "query"];
  for (const name of settings) model.on(`change:${name}`, again);
  onLook(root, soon, stop.signal);
  again();
  return () => {
    stop.abort(); cancelAnimationFrame(frame);
    for (const name of settings) model.off(`change:${name}`, again);
  };
}

export default { render };
