// A GPT that writes in the page: temperature, top-k and top-p, bars of what could come next, and what every head reads meanwhile.

const FULL = 2000, FILLED = 150, FIRST = 330, SPEEDS = [4, 12, 40, 120], BARS = 10, READ = 6, MEASURED = 24, MOST_BITS = 8, BUDGET = 12; // BUDGET: milliseconds a frame

async function render({ model, el }) {
  const words = model.get("words"), net = await referredTransformer(model), newline = net.numbers.get("\n") ?? 0;
  const root = make(el, "div", "dl-widget dl-tw", { role: "group", "aria-label": words.name });
  const change = (values) => { model.set(values); model.save_changes(); };
  const parts = buildWriter(root, words, net, (layer, head) => { change({ layer, head }); parts.status.textContent = `${parts.head.textContent}. ${parts.does.textContent}`; });
  const stop = new AbortController(), on = { signal: stop.signal }, still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let context = contextReader(net), tokens = [], given = 0, written = [], spans = [], sum = 0; // tokens: prompt and all that was written
  let playing = false, inView = false, speed = 12, until = FULL, owed = 0, before = 0, frame = 0, cursor = null, follow = true, ahead = false; // ahead: the bars show what comes next
  let lit = [0, 0], grey = 0, painted = { start: -1, count: 0 }, measured = { start: -1 }, reading = null, colour = "attention", settled = false;
  const setSpeed = choices(parts.speeds, words.speed, SPEEDS.map((n) => [n, String(n)]), (n) => { speed = n; });
  setSpeed(speed);
  const setColour = choices(parts.colours, words.colour, ["attention", "surprise"].map((name) => [name, words[`colour_${name}`]]), (name) => { colour = name; root.dataset.colour = name; });
  setColour(colour);
  root.dataset.colour = colour;
  const sampling = () => ({ temperature: model.get("temperature"), topK: model.get("top_k"), topP: model.get("top_p") });
  const chosen = () => [Math.min(Math.max(model.get("layer"), 0), net.num_layers - 1), Math.min(Math.max(model.get("head"), 0), net.num_heads - 1)];
  const chances = (logits, { temperature, topK, topP }) => probabilities(logits, temperature, topK, topP);

  // -- writing
  const add = (token, kind) => {
    const character = net.tokens[token];
    tokens.push(token);
    spans.push(make(parts.text, "span", `${kind}${character === "\n" ? " dl-tw-newline" : ""}`, {}, character));
    return spans.at(-1);
  };
  const write = () => { // one character more
    ahead = false;
    const { logits } = context(tokens).records.at(-1), settings = sampling();
    const token = draw(chances(logits, settings), uniform(model.get("seed"), written.length)), surprise = bits(logits, token);
    written.push({ token, settings, surprise });
    sum += surprise;
    add(token, "").style.setProperty("--dl-bits", `${(100 * Math.min(surprise / MOST_BITS, 1)).toFixed(0)}%`);
  };
  const unwrite = () => { // takes the last character back
    sum -= written.pop().surprise;
    tokens.pop();
    spans.pop().remove();
    lit = [lit[0], Math.min(lit[1], spans.length)];
    ahead = true;
  };
  const again = () => { // from the prompt
    const { tokens: typed, missing } = encode(net, model.get("prompt"));
    written = []; spans = []; tokens = []; sum = 0; cursor = null; follow = true; ahead = true; lit = [0, 0]; grey = 0; painted = { start: -1, count: 0 }; measured = { start: -1 };
    parts.text.replaceChildren();
    for (const token of typed.length ? typed : [newline]) add(token, "dl-tw-given");
    given = tokens.length;
    parts.note.textContent = typed.length ? leftOut(missing, words) : words.empty;
  };

  // -- showing
  const told = ({ token, settings, surprise }, logits) => fill(words.one, { character: spoken(net.tokens[token], words), percent: percent(chances(logits, settings)[token]), bits: inBits(surprise) });
  const describe = (place) => told(written[place], context(tokens, given + place).records.at(-1).logits);
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
  const show = () => {
    const place = cursor ?? written.length - 1, one = ahead && cursor === null ? undefined : written[place], { start, records } = context(tokens, one ? given + place : tokens.length);
    const record = records.at(-1), settings = one ? one.settings : sampling(), [layer, head] = chosen(), weights = headWeights(record, net, layer, head);
    parts.bars(chances(record.logits, settings), { marked: one?.token ?? null, plain: probabilities(record.logits) });
    parts.caption.textContent = one ? fill(words.bars_was, { character: glyph(net.tokens[one.token]) }) : words.bars_next;
    parts.one.textContent = one ? told(one, record.logits) : "";
    const count = fill(words.count, { count: written.length.toLocaleString("en") });
    parts.count.textContent = written.length ? `${count}, ${fill(words.bits, { bits: (sum / written.length).toFixed(2) })}` : count;
    tint(start, weights);
    showHeads(start, records, weights);
    reading?.classList.remove("dl-tw-reader");
    reading = spans[start + records.length - 1];
    reading.classList.add("dl-tw-reader");
    if (follow) parts.text.scrollTop = parts.text.scrollHeight;
    Object.assign(root.dataset, { written: written.length, state: playing ? "playing" : "paused", cursor: place, start, layer, head });
  };
  const showHeads = (start, records, weights) => { // the maps of all heads, the chosen one's habits and what it reads
    const [layer, head] = chosen(), pixels = inks(isDark(root)), from = painted.start === start && painted.count <= records.length ? painted.count : 0;
    for (const one of parts.maps.all) paintMap(one.canvas, net.max_length, records.length, (t) => headWeights(records[t], net, one.layer, one.head), pixels, from);
    painted = { start, count: records.length };
    if (measured.start !== start || Math.abs(measured.count - records.length) >= MEASURED || !playing) measure(start, records);
    parts.maps.mark(layer, head);
    const characters = tokens.slice(start, start + records.length).map((token) => net.tokens[token]), last = records.length - 1;
    parts.head.textContent = fill(words.head, { layer: layer + 1, head: head + 1 });
    parts.reads.textContent = fill(words.reads, { character: spoken(characters[last], words) });
    parts.read(mostRead(weights, READ), characters, last);
    parts.does.textContent = measured.found?.length ? habitInWords(measured.found[layer * net.num_heads + head], words) : "";
  };
  const measure = (start, records) => { // what each head does; at first the one with the strongest habit of looking far is chosen
    if (measured.start === start && measured.count === records.length) return;
    const meant = relations(tokens.slice(start, start + records.length), net);
    const found = records.length < 2 ? [] : parts.maps.all.map(({ layer, head }) => habitsOf(records.map((record) => headWeights(record, net, layer, head)), meant));
    measured = { start, count: records.length, found };
    parts.maps.name(found);
  };
  const choose = () => {
    const distant = ({ name }) => ["same", "after", "line"].includes(name), excess = ({ share, chance }) => share - chance;
    const far = measured.found.map(({ habits }) => Math.max(...habits.filter(distant).map(excess)));
    const { layer, head } = parts.maps.all[far.indexOf(Math.max(...far))];
    change({ layer, head });
  };
  const settings = () => {
    const { temperature, topK, topP } = sampling(), size = net.tokens.length;
    if (document.activeElement !== parts.prompt) parts.prompt.value = model.get("prompt");
    for (const [name, value, text] of [["temperature", temperature, temperature.toFixed(2)], ["topK", topK ?? size, topK === null ? words.all : String(topK)], ["topP", topP ?? 1, percent(topP ?? 1)]]) {
      parts[name].value = value;
      parts[`${name}Shown`].textContent = text;
      parts[name].setAttribute("aria-valuetext", text);
    }
    parts.seed.textContent = fill(words.seed_shown, { seed: model.get("seed") });
  };
  const mark = (place) => { // puts the cursor on a written character; null: at the end, where it follows the writing
    spans[given + cursor]?.classList.remove("dl-tw-here");
    cursor = place;
    follow = cursor === null;
    if (cursor !== null) spans[given + cursor].classList.add("dl-tw-here");
    show();
    if (cursor === null) return;
    const { offsetTop: y, offsetHeight: height } = spans[given + cursor], box = parts.text;
    if (y < box.scrollTop || y + height > box.scrollTop + box.clientHeight) box.scrollTop = y - box.clientHeight / 2;
    parts.status.textContent = describe(cursor);
  };

  // -- time
  const tick = (now) => {
    frame = 0;
    const start = performance.now(), count = written.length;
    owed = settled ? Math.min(owed + speed * Math.min(now - before, 100) / 1000, 20) : (still ? FIRST : FILLED) - written.length;
    before = now;
    while (owed >= 1 && written.length < until && performance.now() - start < BUDGET) { write(); owed -= 1; }
    if (!settled && owed < 1) {
      settled = true;
      show();
      if (model.get("layer") < 0 && measured.found?.length) choose();
    }
    if (written.length >= until) return pause();
    if (written.length > count) {
      show();
      root.dataset.frameMs = (performance.now() - start).toFixed(2);
    }
    run();
  };
  const run = () => { if (playing && inView && !frame && !stop.signal.aborted) frame = requestAnimationFrame(tick); };
  const tell = () => { // to those who cannot see, and to Python
    const full = written.length >= FULL ? fill(words.full, { count: FULL.toLocaleString("en") }) : "";
    if (full) parts.note.textContent = full;
    parts.status.textContent = [full || words[playing ? "state_playing" : "state_paused"], playing ? "" : parts.count.textContent].join(" ");
    change({ text: written.map(({ token }) => net.tokens[token]).join("") });
  };
  const pause = () => {
    cancelAnimationFrame(frame);
    frame = 0; playing = false; settled = true;
    parts.play.textContent = words.play;
    show();
    tell();
  };
  const play = (to = FULL) => {
    if (written.length >= FULL) return tell();
    if (cursor !== null) mark(null);
    playing = true; until = to; follow = true; owed = 0; before = performance.now();
    parts.play.textContent = words.pause;
    show();
    run();
  };

  // -- the controls
  const halt = () => { if (playing) pause(); };
  parts.play.addEventListener("click", () => { if (playing) pause(); else { play(); tell(); } }, on);
  parts.step.addEventListener("click", () => {
    halt();
    if (written.length >= FULL) return tell();
    mark(null);
    write();
    show();
    parts.status.textContent = describe(written.length - 1);
  }, on);
  parts.back.addEventListener("click", () => {
    halt();
    mark(null);
    if (written.length) unwrite();
    show();
    parts.status.textContent = parts.count.textContent;
  }, on);
  parts.reset.addEventListener("click", () => { again(); show(); if (!playing) tell(); else until = FULL; }, on);
  parts.other.addEventListener("click", () => change({ seed: (model.get("seed") + 1) % 2 ** 31 }), on);
  parts.prompt.addEventListener("input", () => change({ prompt: parts.prompt.value }), on);
  parts.temperature.addEventListener("input", () => change({ temperature: parts.temperature.valueAsNumber }), on);
  parts.topK.addEventListener("input", () => change({ top_k: parts.topK.valueAsNumber < net.tokens.length ? parts.topK.valueAsNumber : null }), on);
  parts.topP.addEventListener("input", () => change({ top_p: parts.topP.valueAsNumber < 1 ? parts.topP.valueAsNumber : null }), on);
  parts.text.addEventListener("scroll", () => { const { scrollTop, scrollHeight, clientHeight } = parts.text; follow = cursor === null && scrollTop + clientHeight > scrollHeight - 30; }, { passive: true, ...on });
  parts.text.addEventListener("click", ({ target }) => {
    const place = spans.indexOf(target) - given;
    if (place >= 0) { halt(); mark(place); }
  }, on);
  parts.text.addEventListener("keydown", (event) => {
    const last = written.length - 1, at = cursor ?? last, to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey || last < 0) return;
    event.preventDefault();
    halt();
    mark(to >= last ? null : Math.max(to, 0));
  }, on);

  // -- the world around
  const fresh = () => { settings(); context = contextReader(net); again(); show(); };
  const warm = () => { settings(); ahead = !playing; if (cursor !== null) mark(null); show(); };
  const look = () => { painted = { start: -1, count: 0 }; show(); };
  model.on("change:prompt change:seed", fresh);
  model.on("change:temperature change:top_k change:top_p", warm);
  model.on("change:layer change:head", look);
  onLook(root, look, stop.signal);
  const watcher = new IntersectionObserver(([{ isIntersecting }]) => { inView = isIntersecting; before = performance.now(); run(); });
  watcher.observe(root);
  fresh();
  play(FIRST);
  return () => {
    stop.abort(); cancelAnimationFrame(frame); watcher.disconnect();
    model.off("change:prompt change:seed", fresh);
    model.off("change:temperature change:top_k change:top_p", warm);
    model.off("change:layer change:head", look);
  };
}

export default { render };
