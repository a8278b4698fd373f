// A GPT that writes in the page: temperature, top-k and top-p, bars of what could come next, and what every head reads meanwhile.

const FILLED = 150, FIRST = 330, READ = 6, MEASURED = 24;

async function render({ model, el }) {
  const words = model.get("words"), net = await referredTransformer(model), stop = new AbortController(), on = { signal: stop.signal };
  const root = make(el, "div", "dl-widget dl-writing dl-tw", { role: "group", "aria-label": words.name, "data-colour": "attention" });
  const change = (values) => { model.set(values); model.save_changes(); };
  const parts = buildWriter(root, words, net, (layer, head) => { change({ layer, head }); parts.status.textContent = `${parts.head.textContent}. ${parts.does.textContent}`; });
  const context = contextReader(net), spans = parts.text.children; // one for each token
  let tokens = [], given = 0; // prompt and all that was written; how many are the prompt's
  let lit = [0, 0], grey = 0, painted = { start: -1, count: 0 }, measured = { start: -1 }, reading = null;
  choices(parts.colours, words.colour, ["attention", "surprise"].map((name) => [name, words[`colour_${name}`]]), (name) => { root.dataset.colour = name; })("attention");
  const chosen = () => [Math.min(Math.max(model.get("layer"), 0), net.num_layers - 1), Math.min(Math.max(model.get("head"), 0), net.num_heads - 1)];

  // -- writing
  const start = (read) => {
    tokens = [...read]; given = read.length;
    lit = [0, 0]; grey = 0; painted = { start: -1, count: 0 }; measured = { start: -1 };
    for (const token of read) make(parts.text, "span", `dl-writing-given${net.tokens[token] === "\n" ? " dl-writing-newline" : ""}`, {}, net.tokens[token]);
  };
  const unwrite = () => { // takes the last character back
    const { at } = pen;
    at.sum -= at.written.pop().surprise;
    at.spans.pop().remove();
    at.ahead = true;
    tokens.pop();
  };

  // -- showing
  const tint = (start, weights) => { // the characters of the context by what the head reads of each, those before it in grey
    const end = start + weights.length;
    for (let k = Math.min(lit[0], start); k < Math.max(lit[1], end); k++) {
      const span = spans[k], level = k >= start && k < end ? 4 * Math.round(25 * strength(weights[k - start])) : 0; // in steps, of which few change
      if (!span || span.level === level) continue;
      span.level = level;
      span.style.setProperty("--dl-read", `${level}%`);
    }
    for (let k = Math.min(grey, start); k < Math.max(grey, start); k++) spans[k]?.classList.toggle("dl-tw-past", k < start);
    lit = [start, end];
    grey = start;
  };
  const show = (place) => {
    const { start, records } = context(tokens, place === null ? tokens.length : given + place), [layer, head] = chosen(), weights = headWeights(records.at(-1), net, layer, head);
    tint(start, weights);
    showHeads(start, records, weights);
    reading?.classList.remove("dl-tw-reader");
    reading = spans[start + records.length - 1];
    reading.classList.add("dl-tw-reader");
    Object.assign(root.dataset, { start, layer, head });
  };
  const showHeads = (start, records, weights) => { // the maps of all heads, the chosen one's habits and what it reads
    const [layer, head] = chosen(), pixels = inks(isDark(root)), from = painted.start === start && painted.count <= records.length ? painted.count : 0;
    for (const one of parts.maps.all) paintMap(one.canvas, net.max_length, records.length, (t) => headWeights(records[t], net, one.layer, one.head), pixels, from);
    painted = { start, count: records.length };
    if (measured.start !== start || Math.abs(measured.count - records.length) >= MEASURED || !pen.at.playing) measure(start, records);
    parts.maps.mark(layer, head);
    const characters = tokens.slice(start, start + records.length).map((token) => net.tokens[token]), last = records.length - 1;
    parts.head.textContent = fill(words.head, { layer: layer + 1, head: head + 1 });
    parts.reads.textContent = fill(words.reads, { character: spoken(characters[last], words) });
    parts.read(mostRead(weights, READ), characters, last);
    parts.does.textContent = measured.found?.length ? habitInWords(measured.found[layer * net.num_heads + head], words) : "";
  };
  const measure = (start, records) => { // what each head does
    if (measured.start === start && measured.count === records.length) return;
    const meant = relations(tokens.slice(start, start + records.length), net);
    const found = records.length < 2 ? [] : parts.maps.all.map(({ layer, head }) => habitsOf(records.map((record) => headWeights(record, net, layer, head)), meant));
    measured = { start, count: records.length, found };
    parts.maps.name(found);
  };
  const choose = () => { // at first the head with the strongest habit of looking far
    if (model.get("layer") >= 0 || !measured.found?.length) return;
    const distant = ({ name }) => ["same", "after", "line"].includes(name), excess = ({ share, chance }) => share - chance;
    const far = measured.found.map(({ habits }) => Math.max(...habits.filter(distant).map(excess)));
    const { layer, head } = parts.maps.all[far.indexOf(Math.max(...far))];
    change({ layer, head });
  };
  const cuts = () => {
    const topK = model.get("top_k"), topP = model.get("top_p") ?? 1;
    parts.topK.show(topK ?? net.tokens.length, topK === null ? words.all : String(topK));
    parts.topP.show(topP, percent(topP));
  };

  // -- the controls
  const pen = writing({ model, root, parts, words, net, signal: stop.signal, text: {
    logits: () => context(tokens).records.at(-1).logits, took: (token) => tokens.push(token), start, show, filled: choose,
  } });
  parts.back.addEventListener("click", () => {
    pen.halt();
    if (pen.at.cursor !== null) pen.mark(null);
    if (pen.at.written.length) unwrite();
    pen.show();
    parts.status.textContent = parts.count.textContent;
  }, on);
  parts.topK.input.addEventListener("input", ({ target }) => change({ top_k: target.valueAsNumber < net.tokens.length ? target.valueAsNumber : null }), on);
  parts.topP.input.addEventListener("input", ({ target }) => change({ top_p: target.valueAsNumber < 1 ? target.valueAsNumber : null }), on);

  // -- the world around
  const cut = () => { cuts(); pen.warm(); }, repaint = () => { painted = { start: -1, count: 0 }; pen.show(); };
  model.on("change:top_k change:top_p", cut);
  model.on("change:layer change:head", pen.show);
  onLook(root, repaint, stop.signal);
  cuts();
  pen.fresh();
  pen.play(FIRST, matchMedia("(prefers-reduced-motion: reduce)").matches ? FIRST : FILLED);
  return () => {
    stop.abort();
    model.off("change:top_k change:top_p", cut);
    model.off("change:layer change:head", pen.show);
  };
}

export default { render };
