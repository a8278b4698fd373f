// The explorer of word vectors: a word and its neighbours, or an analogy, beside the map of all words.

const SHOWN = 8, CANDIDATES = 5;

// Rows of a word, a bar and a cosine that are buttons; returns a function that fills them with { k, cosine, given }.
function resultRows(parent, count, words, tokens, choose, signal) {
  const list = make(parent, "ol", "dl-emb-rows"), rows = Array.from({ length: count }, () => {
    const button = make(make(list, "li"), "button", "dl-emb-row", { type: "button" }), name = make(button, "span", "dl-emb-word");
    const track = make(make(button, "span", "dl-emb-track", { "aria-hidden": "true" }), "span", "dl-emb-fill"), value = make(button, "span", "dl-emb-value");
    const row = { button, name, track, value, k: -1 };
    button.addEventListener("click", () => { if (row.k >= 0) choose(row.k); }, { signal });
    return row;
  });
  const show = (found) => rows.forEach((row, place) => {
    const { k, cosine, given } = found[place] ?? { k: -1 };
    row.k = k;
    row.button.style.visibility = k < 0 ? "hidden" : "";
    if (k < 0) return;
    row.name.textContent = tokens[k];
    if (given) make(row.name, "small", "", {}, words.given);
    row.button.classList.toggle("dl-emb-given", Boolean(given));
    row.track.style.transform = `scaleX(${Math.max(cosine, 0).toFixed(3)})`;
    row.value.textContent = two(cosine);
  });
  return { list, show };
}
const two = (value) => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2).replace("-", "−");

function render({ model, el }) {
  const words = model.get("words"), tokens = model.get("tokens"), dim = model.get("dim"), counts = model.get("counts"), groups = model.get("groups");
  const floats = (view) => new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  const rows = unitRows(model.get("vectors"), dim), places = floats(model.get("places")), numberOf = lookup(tokens), total = tokens.length.toLocaleString("en");
  const order = tokens.map((_, k) => k).sort((a, b) => (counts.length ? counts[b] - counts[a] : a - b));
  const rank = new Map(order.map((k, place) => [k, place + 1]));
  const groupOf = new Int8Array(tokens.length).fill(-1);
  groups.forEach(({ members }, g) => members.forEach((k) => { groupOf[k] = g; }));
  const stop = new AbortController(), signal = stop.signal;
  const root = make(el, "div", "dl-widget dl-emb", { role: "group", "aria-label": model.get("title") || words.name });
  const row = (k) => rows.subarray(k * dim, (k + 1) * dim), find = (text) => offers(text, tokens, order).map((k) => [k, tokens[k]]);
  let values = null, slot = 2, silent = 0; // cosines with the word or the target in force; the slot that was used last

  // -- the page
  if (model.get("title")) make(root, "p", "dl-emb-title", {}, model.get("title"));
  make(root, "p", "dl-try", {}, words.try);
  const presets = model.get("analogies"), main = make(root, "div", "dl-emb-main"), panel = make(main, "div", "dl-emb-panel");
  const setMode = presets.length ? choices(panel, words.mode, ["neighbours", "analogy"].map((mode) => [mode, words[`mode_${mode}`]]), (mode) => send({ mode })) : () => {};
  const stack = make(panel, "div", "dl-emb-stack"), one = make(stack, "div", "dl-emb-side"), message = unique();
  const field = combobox(one, { label: words.word, list: words.offers, find, describedby: message, ...wordActs((k) => look(k)) }, signal);
  const about = make(one, "p", "dl-small dl-emb-about", { id: message });
  const heading = make(one, "p", "dl-small dl-emb-heading", {}, words.neighbours), neighbours = resultRows(one, SHOWN, words, tokens, (k) => look(k), signal);
  const other = make(stack, "div", "dl-emb-side"), grid = make(other, "div", "dl-emb-grid"), slots = presets.length ? [0, 1, 2].map((at) => {
    const each = combobox(grid, { label: words[`slot_${"abc"[at]}`], list: words.offers, find, ...wordActs((k) => give(at, k)) }, signal);
    each.input.addEventListener("focus", () => { slot = at; }, { signal });
    return each;
  }) : [];
  const answer = make(grid, "div", "dl-emb-answer");
  make(answer, "span", "dl-small", {}, words.slot_d);
  const result = make(answer, "span", "dl-emb-result");
  const switched = make(other, "label", "dl-emb-switch"), check = make(switched, "input", "", { type: "checkbox", role: "switch" });
  make(switched, "span", "", {}, words.leave_out);
  check.addEventListener("change", () => send({ leave_out: check.checked }), { signal });
  const asked = make(other, "p", "dl-small dl-emb-heading"), go = (k) => send({ mode: "neighbours", word: tokens[k] });
  const candidates = resultRows(other, CANDIDATES, words, tokens, go, signal);
  const verdict = make(other, "p", "dl-emb-verdict");
  const side = make(main, "div", "dl-emb-map"), stage = make(side, "div", "dl-emb-stage"), keys = unique();
  const canvas = make(stage, "canvas", "", { tabindex: "0", role: "application", "aria-label": words.map, "aria-roledescription": words.map_role, "aria-describedby": keys });
  const under = make(side, "div", "dl-emb-under"), hint = make(under, "p", "dl-small dl-emb-hint"), zooms = make(under, "div", "dl-emb-zooms");
  if (groups.length) {
    const legend = make(side, "ul", "dl-small dl-emb-legend");
    for (const { name } of groups) { const item = make(legend, "li"); make(item, "canvas", "", { "aria-hidden": "true" }); make(item, "span", "", {}, name); }
  }
  make(side, "p", "dl-small", {}, fill(words.map_caption, { dim, kept: `${(100 * model.get("kept")).toFixed(0)} %` }));
  const formula = make(root, "p", "dl-small dl-emb-formula");
  if (presets.length > 1) {
    const bar = make(root, "div", "dl-emb-presets", { role: "group", "aria-label": words.presets });
    make(bar, "span", "dl-small", { "aria-hidden": "true" }, words.presets);
    for (const [a, b, c] of presets) {
      const button = make(bar, "button", "", { type: "button" }, fill(words.preset, { a, b, c }));
      button.addEventListener("click", () => send({ analogy: [a, b, c], mode: "analogy" }), { signal });
    }
  }
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  make(foot, "p", "dl-small", { id: keys }, words.keys);
  const status = make(root, "p", "dl-hidden", { role: "status" });
  const say = (text) => { clearTimeout(silent); silent = setTimeout(() => { status.textContent = text; }, 400); }; // the last of a flurry

  const map = wordMap(root, canvas, { places, tokens, order, groupOf }, {
    hover: (k) => { hint.textContent = k < 0 ? words.hint : describe(k); },
    reach: (k) => { hint.textContent = describe(k); say(describe(k)); },
    choose: (k) => (model.get("mode") === "analogy" ? give(slot, k) : look(k)),
  }, signal);
  const closer = [["+", words.zoom_in, () => map.zoom(1.6)], ["−", words.zoom_out, () => map.zoom(1 / 1.6)]];
  for (const [text, label, action] of [...closer, [words.near, words.zoom_near, map.near], [words.all, words.zoom_all, map.all]])
    make(zooms, "button", "", { type: "button", "aria-label": label, title: label }, text).addEventListener("click", action, { signal });

  // -- what happens
  function send(change) {
    model.set(change);
    model.save_changes();
    update();
  }
  function wordActs(use) { // a word that is known counts while it is typed
    const typing = (text) => { const k = numberOf(text); if (k !== undefined) use(k, true); };
    return { typing, choose: (k) => use(k), commit: (text) => { const k = numberOf(text); use(k === undefined ? text : k); } };
  }
  function look(k) { send({ word: typeof k === "string" ? k.trim() : tokens[k] }); }
  function give(at, k) { slot = at; send({ analogy: model.get("analogy").with(at, typeof k === "string" ? k.trim() : tokens[k]) }); }
  const wrong = (text) => {
    if (!text) return words.nothing;
    const like = alike(text, tokens, order).map((k) => tokens[k]).join(", "), unknown = fill(words.unknown, { word: text, total });
    return like ? `${unknown} ${fill(words.alike, { offers: like })}` : unknown;
  };
  const told = (k) => fill(counts.length ? words.about_counted : words.about, { rank: rank.get(k).toLocaleString("en"), total, count: counts[k]?.toLocaleString("en") });
  const describe = (k) => {
    const chosen = model.get("mode") === "analogy" ? result.dataset.target : model.get("word"), alone = !values || tokens[k] === chosen;
    return `${fill(alone ? words.hover_self : words.hover, { word: tokens[k], chosen, cosine: alone ? "" : two(values[k]) })} ${told(k)}`;
  };

  const showNeighbours = () => {
    const text = model.get("word"), k = numberOf(text);
    field.input.toggleAttribute("data-unknown", k === undefined);
    if (k === undefined) field.input.setAttribute("aria-invalid", "true"); else field.input.removeAttribute("aria-invalid");
    if (document.activeElement !== field.input || k === undefined || numberOf(field.input.value) !== k) field.set(text);
    values = k === undefined ? null : cosines(rows, row(k));
    const found = values ? nearest(values, SHOWN, [k]).map((n) => ({ k: n, cosine: values[n] })) : [];
    about.textContent = k === undefined ? wrong(text) : told(k);
    about.classList.toggle("dl-emb-unknown", k === undefined);
    heading.textContent = k === undefined ? words.neighbours : fill(words.neighbours_of, { word: tokens[k] });
    const median = values ? Float32Array.from(values).sort()[values.length >> 1] : 0;
    neighbours.list.style.setProperty("--dl-emb-median", `${(100 * Math.max(median, 0)).toFixed(1)}%`);
    const first = found[0]?.cosine ?? 1, angle = (Math.acos(Math.min(first, 1)) * 180 / Math.PI).toFixed(0);
    formula.textContent = k === undefined ? "" : fill(words.median, { word: tokens[k], total, median: two(median), cosine: two(first), angle });
    neighbours.show(found);
    map.show({ chosen: k === undefined ? [] : [k], near: found.map((f) => f.k), lines: found.map((f) => [k, f.k, Math.max(f.cosine, 0)]), arrows: [], target: null });
    if (k === undefined) return about.textContent;
    const list = found.slice(0, 4).map((f) => fill(words.status_one, { word: tokens[f.k], cosine: two(f.cosine) })).join(", ");
    return fill(words.status_neighbours, { word: tokens[k], list });
  };

  const showAnalogy = () => {
    const texts = model.get("analogy"), given = texts.map(numberOf), unknown = texts.filter((_, at) => given[at] === undefined);
    slots.forEach((each, at) => {
      if (given[at] === undefined) each.input.setAttribute("aria-invalid", "true"); else each.input.removeAttribute("aria-invalid");
      if (document.activeElement !== each.input || given[at] === undefined || numberOf(each.input.value) !== given[at]) each.set(texts[at]);
    });
    check.checked = model.get("leave_out");
    if (unknown.length) {
      values = null;
      candidates.show([]);
      map.show({ chosen: given.filter((k) => k !== undefined), near: [], lines: [], arrows: [], target: null });
      result.textContent = "?"; asked.textContent = ""; formula.textContent = words.analogy_wanting;
      return verdict.textContent = wrong(unknown[0]);
    }
    const [a, b, c] = given.map((k) => tokens[k]), out = model.get("leave_out"), { target, length } = combine(rows, dim, given);
    values = cosines(rows, target);
    const found = nearest(values, CANDIDATES, out ? given : []), [best] = nearest(values, 1, given), [first] = found;
    const place = values.filter((value) => value > values[best]).length + 1;
    result.textContent = tokens[first];
    result.dataset.target = fill(words.target, { a, b, c });
    result.classList.toggle("dl-emb-given", given.includes(first));
    asked.textContent = fill(words.candidates, { a, b, c });
    candidates.show(found.map((k) => ({ k, cosine: values[k], given: given.includes(k) })));
    const name = out ? (place === 1 ? "left_out_first" : "left_out") : place === 1 ? "left_in_first" : "left_in";
    verdict.textContent = fill(words[name], { a, b, c, answer: tokens[best], given: tokens[first], rank: place });
    const [fromA, fromB, fromC] = shares(rows, dim, given, first);
    const cosinesWith = { from_a: two(fromA), from_b: two(fromB), from_c: two(fromC), minus_a: signed(fromA) };
    formula.textContent = fill(words.score, { answer: tokens[first], ...cosinesWith, length: two(length), cosine: two(values[first]) });
    const [pa, pb, pc] = given.map((k) => [places[2 * k], places[2 * k + 1]]), goal = [0, 1].map((axis) => pb[axis] - pa[axis] + pc[axis]);
    const near = found.filter((k) => !given.includes(k)).slice(0, 3), arrows = [[given[0], given[1], false], [given[2], goal, true]];
    map.show({ chosen: given, near, lines: [[goal, first, 0.6]], arrows, target: { at: goal, text: result.dataset.target } });
    return verdict.textContent;
  };
  const signed = (value) => (value <= -0.005 ? `(${two(value)})` : two(value));

  let last = "";
  function update() {
    const start = performance.now(), mode = presets.length ? model.get("mode") : "neighbours";
    setMode(mode);
    one.classList.toggle("dl-emb-away", mode !== "neighbours");
    other.classList.toggle("dl-emb-away", mode !== "analogy");
    hint.textContent = words.hint;
    const news = mode === "analogy" ? showAnalogy() : showNeighbours();
    if (news !== last && last) say(news);
    last = news;
    root.dataset.updateMs = (performance.now() - start).toFixed(2);
  }

  const marks = [...root.querySelectorAll(".dl-emb-legend canvas")], paintLegend = () => marks.forEach((mark, k) => paintMark(mark, k, isDark(root)));
  onLook(root, paintLegend, signal);
  const follow = ["word", "mode", "analogy", "leave_out"];
  for (const name of follow) model.on(`change:${name}`, update);
  update();
  map.paint();
  return () => {
    stop.abort(); clearTimeout(silent);
    for (const name of follow) model.off(`change:${name}`, update);
  };
}

export default { render };
