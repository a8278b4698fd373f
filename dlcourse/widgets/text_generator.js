// Text that a language model writes in the page: temperature, a seed, bars of what could come next, surprise as a tint.

const FULL = 2000, FIRST = 360, SPEEDS = [4, 12, 40, 120], BARS = 10, MOST_BITS = 8, BUDGET = 12; // BUDGET: milliseconds a frame

// Puts everything into `root` and returns what changes later.
function buildGenerator(root, words, net) {
  const keys = unique(), parts = {}, button = (parent, text, kind = "") => make(parent, "button", kind, { type: "button" }, text);
  make(root, "p", "dl-try", {}, words.try);
  const top = make(root, "div", "dl-gen-top"), first = make(top, "div"), prompt = make(first, "label");
  make(prompt, "span", "dl-small", {}, words.prompt);
  parts.prompt = make(prompt, "textarea", "", { rows: 2, maxlength: 200, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  const second = make(top, "div", "dl-gen-temperature"), heat = make(second, "label"), head = make(heat, "span", "dl-small", {}, `${words.temperature} `);
  parts.degree = make(head, "strong");
  parts.temperature = make(heat, "input", "", { type: "range", min: 0, max: 2, step: 0.05 });
  const scale = make(second, "p", "dl-small dl-gen-scale", { "aria-hidden": "true" });
  for (const name of ["cold", "learnt", "hot"]) make(scale, "span", "", {}, words[name]);
  parts.note = make(top, "p", "dl-small dl-gen-note");

  const bar = make(root, "div", "dl-gen-bar");
  parts.play = button(bar, words.play, "dl-gen-play");
  parts.step = button(bar, words.step);
  parts.reset = button(bar, words.reset);
  parts.other = button(bar, words.seed);
  parts.speeds = make(bar, "div", "dl-gen-speed");

  const main = make(root, "div", "dl-gen-main"), left = make(main, "div", "dl-gen-left");
  parts.text = make(left, "div", "dl-gen-text", { tabindex: 0, role: "region", "aria-label": words.text, "aria-describedby": keys });
  const legend = make(left, "p", "dl-small dl-gen-legend");
  make(legend, "span", "", {}, words.legend);
  for (const [text, kind] of [["0", ""], ["", "dl-gen-ramp"], [`${MOST_BITS}+`, ""]]) make(legend, "span", kind, {}, text);
  parts.count = make(left, "p", "dl-gen-count");
  const right = make(main, "div", "dl-gen-right");
  parts.caption = make(right, "p", "dl-gen-caption");
  parts.bars = nextBars(right, words, net.tokens, BARS);
  parts.one = make(right, "p", "dl-gen-one");
  parts.tick = make(right, "p", "dl-small dl-gen-tick");

  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  parts.seed = make(foot, "p", "dl-small");
  for (const [name, values] of [["keys", {}], ["small_print", { count: net.tokens.length }]])
    make(foot, "p", "dl-small", name === "keys" ? { id: keys } : {}, fill(words[name], values));
  parts.status = make(root, "p", "dl-hidden", { role: "status" });
  return parts;
}

async function render({ model, el }) {
  const words = model.get("words"), net = await referred(model);
  const root = make(el, "div", "dl-widget dl-gen", { role: "group", "aria-label": words.name }), parts = buildGenerator(root, words, net);
  const stop = new AbortController(), on = { signal: stop.signal }, still = matchMedia("(prefers-reduced-motion: reduce)").matches, read = reader(net);
  let record = null, written = [], spans = [], sum = 0; // the state after all that was read and written; what was written
  let playing = false, inView = false, speed = 12, until = FULL, owed = 0, before = 0, frame = 0, cursor = null, follow = true, ahead = false; // ahead: the bars show what comes next
  const setSpeed = choices(parts.speeds, words.speed, SPEEDS.map((n) => [n, String(n)]), (n) => { speed = n; });
  setSpeed(speed);

  // -- writing
  const write = () => { // one character more
    ahead = false;
    const temperature = model.get("temperature"), chances = probabilities(record.logits, temperature);
    const token = draw(chances, uniform(model.get("seed"), written.length)), surprise = bits(record.logits, token);
    written.push({ token, logits: record.logits, temperature, surprise });
    sum += surprise;
    const character = net.tokens[token], span = make(parts.text, "span", character === "\n" ? "dl-gen-newline" : "", {}, character);
    span.style.setProperty("--dl-heat", `${(100 * Math.min(surprise / MOST_BITS, 1)).toFixed(0)}%`);
    spans.push(span);
    record = step(net, token, record);
  };
  const again = () => { // from the prompt
    const { tokens, missing } = encode(net, model.get("prompt"));
    record = read(tokens.length ? tokens : [net.numbers.get("\n") ?? 0]).at(-1);
    written = []; spans = []; sum = 0; cursor = null; follow = true;
    parts.text.replaceChildren();
    make(parts.text, "span", "dl-gen-given", {}, tokens.map((token) => net.tokens[token]).join(""));
    parts.note.textContent = tokens.length ? leftOut(missing, words) : words.empty;
  };

  // -- showing
  const percentOf = ({ token, logits, temperature }) => percent(probabilities(logits, temperature)[token]);
  const describe = (one) => fill(words.one, { character: spoken(net.tokens[one.token], words), percent: percentOf(one), bits: inBits(one.surprise) });
  const show = () => {
    const place = cursor ?? written.length - 1, one = ahead && cursor === null ? undefined : written[place], temperature = one ? one.temperature : model.get("temperature"), logits = (one ?? record).logits;
    parts.bars(probabilities(logits, temperature), { marked: one?.token ?? null, plain: probabilities(logits) });
    parts.caption.textContent = one ? fill(words.bars_was, { character: glyph(net.tokens[one.token]) }) : words.bars_next;
    parts.one.textContent = one ? describe(one) : "";
    parts.tick.textContent = words.tick;
    const count = fill(words.count, { count: written.length.toLocaleString("en") });
    parts.count.textContent = written.length ? `${count}, ${fill(words.bits, { bits: (sum / written.length).toFixed(2) })}` : count;
    if (follow) parts.text.scrollTop = parts.text.scrollHeight;
    Object.assign(root.dataset, { written: written.length, state: playing ? "playing" : "paused", cursor: place });
  };
  const settings = () => {
    const temperature = model.get("temperature");
    if (document.activeElement !== parts.prompt) parts.prompt.value = model.get("prompt");
    parts.temperature.value = temperature;
    parts.degree.textContent = temperature.toFixed(2);
    parts.temperature.setAttribute("aria-valuetext", temperature.toFixed(2));
    parts.seed.textContent = fill(words.seed_shown, { seed: model.get("seed") });
  };
  const mark = (place) => { // puts the cursor on a written character; null: at the end, where it follows the writing
    spans[cursor]?.classList.remove("dl-gen-here");
    cursor = place;
    spans[cursor]?.classList.add("dl-gen-here");
    follow = cursor === null;
    show();
    if (cursor === null) return;
    const { offsetTop: y, offsetHeight: height } = spans[cursor], box = parts.text;
    if (y < box.scrollTop || y + height > box.scrollTop + box.clientHeight) box.scrollTop = y - box.clientHeight / 2;
    parts.status.textContent = describe(written[cursor]);
  };

  // -- time
  const tick = (now) => {
    frame = 0;
    const start = performance.now();
    owed = Math.min(owed + speed * Math.min(now - before, 100) / 1000, 20);
    before = now;
    while (owed >= 1 && written.length < until && performance.now() - start < BUDGET) { write(); owed -= 1; }
    if (written.length >= until) return pause();
    show();
    root.dataset.frameMs = (performance.now() - start).toFixed(2);
    run();
  };
  const run = () => { if (playing && inView && !frame && !stop.signal.aborted) frame = requestAnimationFrame(tick); };
  const tell = () => { // to those who cannot see, and to Python
    const full = written.length >= FULL ? fill(words.full, { count: FULL.toLocaleString("en") }) : "";
    if (full) parts.note.textContent = full;
    parts.status.textContent = [full || words[playing ? "state_playing" : "state_paused"], playing ? "" : parts.count.textContent].join(" ");
    model.set({ text: written.map(({ token }) => net.tokens[token]).join("") });
    model.save_changes();
  };
  const pause = () => {
    cancelAnimationFrame(frame);
    frame = 0; playing = false;
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
  const change = (values) => { model.set(values); model.save_changes(); };
  parts.play.addEventListener("click", () => { if (playing) pause(); else { play(); tell(); } }, on);
  parts.step.addEventListener("click", () => {
    if (playing) pause();
    if (written.length >= FULL) return tell();
    mark(null);
    write();
    show();
    parts.status.textContent = describe(written.at(-1));
  }, on);
  parts.reset.addEventListener("click", () => { again(); show(); if (!playing) tell(); else until = FULL; }, on);
  parts.other.addEventListener("click", () => change({ seed: (model.get("seed") + 1) % 2 ** 31 }), on);
  parts.prompt.addEventListener("input", () => change({ prompt: parts.prompt.value }), on);
  parts.temperature.addEventListener("input", () => change({ temperature: parts.temperature.valueAsNumber }), on);
  parts.text.addEventListener("scroll", () => { const { scrollTop, scrollHeight, clientHeight } = parts.text; follow = cursor === null && scrollTop + clientHeight > scrollHeight - 30; }, { passive: true, ...on });
  parts.text.addEventListener("click", ({ target }) => {
    const place = spans.indexOf(target);
    if (place >= 0) { if (playing) pause(); mark(place); }
  }, on);
  parts.text.addEventListener("keydown", (event) => {
    const last = written.length - 1, at = cursor ?? last, to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey || last < 0) return;
    event.preventDefault();
    if (playing) pause();
    mark(to >= last ? null : Math.max(to, 0));
  }, on);

  // -- the world around
  const fresh = () => { settings(); again(); show(); };
  const warm = () => { settings(); ahead = !playing; if (cursor !== null) mark(null); show(); };
  model.on("change:prompt change:seed", fresh);
  model.on("change:temperature", warm);
  const watcher = new IntersectionObserver(([{ isIntersecting }]) => { inView = isIntersecting; before = performance.now(); run(); });
  watcher.observe(root);
  fresh();
  for (let k = 0; k < (still ? FIRST : FIRST / 2); k++) write();
  show();
  if (!still) play(FIRST);
  return () => {
    stop.abort(); cancelAnimationFrame(frame); watcher.disconnect();
    model.off("change:prompt change:seed", fresh);
    model.off("change:temperature", warm);
  };
}

export default { render };
