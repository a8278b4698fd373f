// What TextGenerator and TransformerWriter share: the page of a text that writes itself, its clock, its buttons, and a cursor to look
// back with. Each brings its own network, and shows beside the text what it likes.

const FULL = 2000, SPEEDS = [4, 12, 40, 120], BARS = 10, MOST_BITS = 8, BUDGET = 12; // BUDGET: milliseconds a frame

const button = (parent, text, kind = "") => make(parent, "button", kind, { type: "button" }, text);

function promptField(parent, words) {
  const label = make(parent, "label", "dl-writing-prompt");
  make(label, "span", "dl-small", {}, words.prompt);
  return make(label, "textarea", "", { rows: 2, maxlength: 200, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
}

// A slider with its value beside its name and words below its ends; returns it with a function that shows a value.
function sliderField(parent, name, { min, max, step }, ends) {
  const box = make(parent, "div", "dl-writing-slider"), label = make(box, "label"), head = make(label, "span", "dl-small", {}, `${name} `);
  const shown = make(head, "strong"), input = make(label, "input", "", { type: "range", min, max, step });
  const scale = make(box, "p", "dl-small dl-writing-scale", { "aria-hidden": "true" });
  for (const end of ends) make(scale, "span", "", {}, end);
  return { input, show: (value, text) => { input.value = value; shown.textContent = text; input.setAttribute("aria-valuetext", text); } };
}

// The text, with a row of colours for each legend [kind, name, least, most], and beside it the bars.
function textAndBars(root, words, tokens, keys, legends) {
  const main = make(root, "div", "dl-writing-main"), left = make(main, "div"), right = make(main, "div"), parts = {};
  parts.text = make(left, "div", "dl-writing-text", { tabindex: 0, role: "region", "aria-label": words.text, "aria-describedby": keys });
  const rows = make(left, "div", "dl-writing-legends");
  for (const [kind, name, least, most] of legends) {
    const row = make(rows, "p", `dl-small dl-writing-legend dl-writing-${kind}`);
    for (const [text, style] of [[name, ""], [least, ""], ["", "dl-writing-ramp"], [most, ""]]) make(row, "span", style, {}, text);
  }
  parts.count = make(left, "p", "dl-writing-count");
  parts.caption = make(right, "p", "dl-writing-caption");
  parts.bars = nextBars(right, words, tokens, BARS);
  parts.one = make(right, "p", "dl-writing-one");
  make(right, "p", "dl-small", {}, words.tick);
  return parts;
}

function foot(root, words, keys, values) {
  const box = make(root, "div", "dl-notice");
  make(box, "p", "", {}, words.notice);
  const seed = make(box, "p", "dl-small");
  make(box, "p", "dl-small", { id: keys }, words.keys);
  make(box, "p", "dl-small", {}, fill(words.small_print, values));
  return { seed, status: make(root, "p", "dl-hidden", { role: "status" }) };
}

// Lets `text` write on the page of `parts`, until `signal` is aborted. `text` has logits() of the next character, start(read, typed)
// from a prompt, typed or where that is empty a line break, took(token), and if it likes show(place), to which null means what comes
// next, and filled(), when it has written what it is to start with. It begins with fresh().
export function writing({ model, root, parts, words, net, text, signal }) {
  const on = { signal }, at = { written: [], spans: [], sum: 0, cursor: null, ahead: true, playing: false }; // ahead: the bars show what comes next
  let note = "", inView = false, speed = 12, until = FULL, rush = 0, owed = 0, before = 0, frame = 0, follow = true; // rush: how many at once
  const change = (values) => { model.set(values); model.save_changes(); };
  const sampling = () => ({ temperature: model.get("temperature"), topK: model.get("top_k") ?? null, topP: model.get("top_p") ?? null });
  const chances = (logits, { temperature, topK, topP }) => probabilities(logits, temperature, topK, topP);
  choices(parts.speeds, words.speed, SPEEDS.map((n) => [n, String(n)]), (n) => { speed = n; })(speed);

  // -- writing
  const write = () => { // one character more
    const logits = text.logits(), settings = sampling(), place = at.written.length;
    const token = draw(chances(logits, settings), uniform(model.get("seed"), place)), surprise = bits(logits, token), character = net.tokens[token];
    at.written.push({ token, logits, settings, surprise });
    at.spans.push(make(parts.text, "span", character === "\n" ? "dl-writing-newline" : "", {}, character));
    at.spans[place].style.setProperty("--dl-bits", `${(100 * Math.min(surprise / MOST_BITS, 1)).toFixed(0)}%`);
    at.sum += surprise;
    at.ahead = false;
    text.took(token);
  };
  const again = () => { // from the prompt
    const { tokens, missing } = encode(net, model.get("prompt"));
    Object.assign(at, { written: [], spans: [], sum: 0, cursor: null, ahead: true });
    follow = true;
    parts.text.replaceChildren();
    text.start(tokens.length ? tokens : [net.numbers.get("\n") ?? 0], tokens);
    note = tokens.length ? leftOut(missing, words) : words.empty;
  };

  // -- showing
  const full = () => at.written.length >= FULL && fill(words.full, { count: FULL.toLocaleString("en") });
  const describe = ({ token, logits, settings, surprise }) => fill(words.one, { character: spoken(net.tokens[token], words), percent: percent(chances(logits, settings)[token]), bits: inBits(surprise) });
  const show = () => {
    const count = at.written.length, place = at.cursor ?? count - 1, one = at.ahead && at.cursor === null ? undefined : at.written[place], logits = one ? one.logits : text.logits();
    parts.bars(chances(logits, one ? one.settings : sampling()), { marked: one?.token ?? null, plain: probabilities(logits) });
    parts.caption.textContent = one ? fill(words.bars_was, { character: glyph(net.tokens[one.token]) }) : words.bars_next;
    parts.one.textContent = one ? describe(one) : "";
    parts.count.textContent = [fill(words.count, { count: count.toLocaleString("en") }), ...(count ? [fill(words.bits, { bits: (at.sum / count).toFixed(2) })] : [])].join(", ");
    parts.note.textContent = full() || note;
    text.show?.(one ? place : null);
    if (follow) parts.text.scrollTop = parts.text.scrollHeight;
    if (!at.playing) change({ text: at.written.map(({ token }) => net.tokens[token]).join("") }); // for Python
    Object.assign(root.dataset, { written: count, state: at.playing ? "playing" : "paused", cursor: place });
  };
  const settings = () => {
    const temperature = model.get("temperature");
    if (document.activeElement !== parts.prompt) parts.prompt.value = model.get("prompt");
    parts.temperature.show(temperature, temperature.toFixed(2));
    parts.seed.textContent = fill(words.seed_shown, { seed: model.get("seed") });
  };
  const mark = (place) => { // puts the cursor on a written character; null: at the end, where it follows the writing
    at.spans[at.cursor]?.classList.remove("dl-writing-here");
    at.cursor = place;
    follow = place === null;
    at.spans[place]?.classList.add("dl-writing-here");
    show();
    if (place === null) return;
    const { offsetTop: y, offsetHeight: height } = at.spans[place], box = parts.text;
    if (y < box.scrollTop || y + height > box.scrollTop + box.clientHeight) box.scrollTop = y - box.clientHeight / 2;
  };
  const look = (place) => { // and says what it was
    halt();
    mark(place);
    parts.status.textContent = parts.one.textContent || parts.caption.textContent;
  };

  // -- time
  const tick = (now) => {
    frame = 0;
    const start = performance.now(), count = at.written.length;
    owed = rush ? rush - count : Math.min(owed + speed * Math.min(now - before, 100) / 1000, 20);
    before = now;
    while (owed >= 1 && at.written.length < until && performance.now() - start < BUDGET) { write(); owed -= 1; }
    if (rush && owed < 1) filled();
    if (at.written.length >= until) return pause();
    if (at.written.length > count) {
      show();
      root.dataset.frameMs = (performance.now() - start).toFixed(2);
    }
    run();
  };
  const run = () => { if (at.playing && inView && !frame && !signal.aborted) frame = requestAnimationFrame(tick); };
  const filled = () => { rush = 0; show(); text.filled?.(); };
  const tell = () => { // to those who cannot see
    parts.status.textContent = [full() || words[at.playing ? "state_playing" : "state_paused"], at.playing ? "" : parts.count.textContent].join(" ");
  };
  const pause = () => {
    cancelAnimationFrame(frame);
    frame = 0; at.playing = false;
    parts.play.textContent = words.play;
    if (rush) filled(); else show();
    tell();
  };
  const halt = () => { if (at.playing) pause(); };
  const play = (to = FULL, atOnce = 0) => {
    if (full()) return;
    if (at.cursor !== null) mark(null);
    at.playing = true; until = to; rush = atOnce; follow = true; owed = 0; before = performance.now();
    parts.play.textContent = words.pause;
    show();
    run();
  };

  // -- the controls
  parts.play.addEventListener("click", () => { if (at.playing) pause(); else { play(); tell(); } }, on);
  parts.step.addEventListener("click", () => {
    halt();
    if (full()) return tell();
    mark(null);
    write();
    show();
    parts.status.textContent = parts.one.textContent;
  }, on);
  parts.reset.addEventListener("click", () => { again(); show(); if (!at.playing) tell(); else until = FULL; }, on);
  parts.other.addEventListener("click", () => change({ seed: (model.get("seed") + 1) % 2 ** 31 }), on);
  parts.prompt.addEventListener("input", () => change({ prompt: parts.prompt.value }), on);
  parts.temperature.input.addEventListener("input", ({ target }) => change({ temperature: target.valueAsNumber }), on);
  parts.text.addEventListener("scroll", () => { const { scrollTop, scrollHeight, clientHeight } = parts.text; follow = at.cursor === null && scrollTop + clientHeight > scrollHeight - 30; }, { passive: true, ...on });
  parts.text.addEventListener("click", ({ target }) => { const place = at.spans.indexOf(target); if (place >= 0) look(place); }, on);
  parts.text.addEventListener("keydown", (event) => {
    const end = at.written.length - (at.ahead ? 0 : 1), from = at.cursor ?? end, to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: end }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey || !at.written.length) return;
    event.preventDefault();
    look(to >= end ? null : Math.max(to, 0));
  }, on);

  // -- the world around
  const fresh = () => { settings(); again(); show(); };
  const warm = () => { settings(); at.ahead = !at.playing; if (at.cursor === null) show(); else mark(null); };
  model.on("change:prompt change:seed", fresh);
  model.on("change:temperature", warm);
  const watcher = new IntersectionObserver((entries) => { inView = entries.at(-1).isIntersecting; before = performance.now(); run(); });
  watcher.observe(root);
  signal.addEventListener("abort", () => {
    cancelAnimationFrame(frame); watcher.disconnect();
    model.off("change:prompt change:seed", fresh);
    model.off("change:temperature", warm);
  });
  return { at, fresh, write, show, mark, halt, play, warm };
}
