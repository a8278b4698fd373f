// A text to type, shaded by what each word adds to the verdict of the sentence CNN that reads it.

const RUNS = 5, DEEPEST = 50, LONGEST = 18; // runs of words in a list; percent of colour under the strongest word; letters quoted

const withSign = (value) => (Math.abs(value) < 0.005 ? "0.00" : `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(2)}`);
const percentOf = (p) => (p > 0.9995 && p < 1 ? "> 99.9 %" : p < 0.0005 && p > 0 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`);

function render({ model, el }) {
  const words = model.get("words"), labels = model.get("labels"), limit = model.get("max_length");
  const stop = new AbortController(), on = { signal: stop.signal };
  const shape = Object.fromEntries(["embedding_dim", "num_filters", "kernel_sizes"].map((name) => [name, model.get(name)]));
  const net = unpack(model.get("embedding"), model.get("parameters"), shape);
  const numbers = new Map(model.get("tokens").map((token, k) => [token, k])), unknown = model.get("unknown"), total = net.towards.length;
  const root = make(el, "div", "dl-widget dl-ngram", { role: "group", "aria-label": words.name });
  let tokens = [], reading = null, frame = 0, later = 0, begun = false, spans = [], lists = [[], []];

  // -- the page
  make(root, "p", "dl-try", {}, words.try);
  const id = unique(), about = unique(), bar = make(root, "div", "dl-ngram-bar");
  make(bar, "label", "dl-small", { for: id }, words.text);
  const chips = make(bar, "div", "dl-ngram-chips", { role: "group", "aria-label": words.examples });
  const editor = make(root, "div", "dl-ngram-editor"), backdrop = make(editor, "div", "dl-ngram-backdrop", { "aria-hidden": "true" });
  const plain = { spellcheck: "false", autocomplete: "off", autocapitalize: "off" };
  const area = make(editor, "textarea", "", { id, placeholder: words.placeholder, "aria-describedby": about, ...plain });
  const caret = make(root, "p", "dl-small dl-ngram-caret"), counts = make(root, "p", "dl-small dl-ngram-counts");
  const verdict = make(root, "p", "dl-ngram-verdict"), gauge = make(root, "div", "dl-ngram-gauge", { role: "img" });
  make(gauge, "span", "", {}, labels[0]);
  const track = make(gauge, "span", "dl-ngram-track"), needle = make(track, "span");
  make(gauge, "span", "", {}, labels[1]);
  const sum = make(root, "p", "dl-small dl-ngram-sum"), columns = make(root, "div", "dl-ngram-columns");
  const rows = [1, 0].map((k) => {
    const column = make(columns, "div", `dl-ngram-${k}`);
    make(column, "p", "dl-small", {}, fill(words.towards, { label: labels[k] }));
    const none = make(column, "p", "dl-small dl-ngram-none", {}, fill(words.none, { label: labels[k] })), list = make(column, "ol", "dl-ngram-runs");
    return { k, none, runs: Array.from({ length: RUNS }, (_, place) => {
      const button = make(make(list, "li"), "button", "", { type: "button" }), name = make(button, "span", "dl-ngram-run");
      const stretch = make(make(button, "span", "dl-ngram-stretch", { "aria-hidden": "true" }), "span");
      const value = make(button, "span", "dl-ngram-value"), rest = make(button, "span", "dl-hidden");
      const window = () => lists[k][place];
      button.addEventListener("click", () => { if (window()) select(window()); }, on);
      for (const name of ["pointerenter", "focus"]) button.addEventListener(name, () => point(window()), on);
      for (const name of ["pointerleave", "blur"]) button.addEventListener(name, () => point(null), on);
      return { button, name, stretch, value, rest };
    }) };
  });
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  make(foot, "p", "dl-small", { id: about }, words.keys);
  const status = make(root, "p", "dl-hidden", { role: "status" });

  // -- what is shown
  const shade = () => { // the text once more, behind the one that is typed
    const deepest = Math.max(1, ...reading ? reading.shares.map(Math.abs) : []), text = area.value;
    let at = 0;
    const pieces = [];
    spans = tokens.map(({ start, end, id: token }, k) => {
      if (start > at) pieces.push(text.slice(at, start));
      const span = document.createElement("span"), share = reading?.shares[k] ?? 0;
      span.textContent = text.slice(start, end);
      if (k >= limit) span.className = "dl-ngram-unread";
      else {
        span.className = token === unknown ? "dl-ngram-unknown" : "";
        const tint = Math.abs(share) / deepest * DEEPEST;
        if (tint >= 1) span.style.background = `color-mix(in srgb, var(--dl-${share > 0 ? "warm" : "accent"}) ${tint.toFixed(0)}%, transparent)`;
      }
      at = end;
      pieces.push(span);
      return span;
    });
    backdrop.replaceChildren(...pieces, `${text.slice(at)}\n`);
    backdrop.scrollTop = area.scrollTop;
  };
  const quote = ({ start, length }) => tokens.slice(start, start + length).map(({ token }) => token).join(" ");
  const showRuns = () => {
    const strongest = (sign) => (reading?.windows ?? []).filter(({ value }) => value * sign >= 0.005).sort((a, b) => sign * (b.value - a.value));
    lists = [-1, 1].map((sign) => strongest(sign).slice(0, RUNS));
    const largest = Math.max(1, ...lists.flat().map(({ value }) => Math.abs(value)));
    for (const { k, none, runs } of rows) {
      none.style.visibility = lists[k].length || !reading ? "hidden" : "";
      runs.forEach(({ button, name, stretch, value, rest }, place) => {
        const window = lists[k][place];
        button.style.visibility = window ? "" : "hidden";
        if (!window) return;
        name.textContent = quote(window);
        stretch.style.transform = `scaleX(${(Math.abs(window.value) / largest).toFixed(3)})`;
        value.textContent = Math.abs(window.value).toFixed(2);
rest.textContent = ` ${fill(words.run, { label: labels[k], filters: window.filters, total })}`;
      });
    }
  };
  const showCaret = () => { // what the word at the cursor adds
    const at = area.selectionStart, here = document.activeElement === area;
    const k = here ? tokens.findIndex(({ start, end }) => start <= at && at <= end) : -1;
    if (k < 0) { caret.textContent = words.caret_away; return; }
    const whole = area.value.slice(tokens[k].start, tokens[k].end), word = whole.length > LONGEST ? `${whole.slice(0, LONGEST)}…` : whole, share = reading?.shares[k];
    if (k >= limit) { caret.textContent = fill(words.caret_cut, { word, limit }); return; }
    const push = { value: Math.abs(share).toFixed(2), label: labels[share > 0 ? 1 : 0], filters: reading.wins[k], total };
    const rest = fill(Math.abs(share) < 0.005 ? words.caret_none : words.caret, { word, ...push });
    caret.textContent = tokens[k].id === unknown ? fill(words.caret_unknown, { word, rest }) : rest;
  };
  const showVerdict = () => {
    const p = reading ? probability(reading.odds) : 0.5, side = p >= 0.5 ? 1 : 0, percent = percentOf(side ? p : 1 - p);
    verdict.textContent = reading ? fill(words.verdict, { label: labels[side], percent }) : words.verdict_empty;
    verdict.className = `dl-ngram-verdict${reading ? ` dl-ngram-${side}` : ""}`;
    gauge.setAttribute("aria-label", reading ? fill(words.gauge, { label: labels[side], percent }) : words.verdict_empty);
    needle.style.left = `${(100 * p).toFixed(2)}%`;
    needle.style.visibility = reading ? "" : "hidden";
    if (!reading) { sum.textContent = words.sum_empty; return verdict.textContent; }
    const part = (sign) => reading.windows.reduce((all, { value }) => all + Math.max(sign * value, 0), 0);
    const parts = { positive: withSign(part(1)), negative: withSign(-part(-1)), bias: withSign(reading.bias), odds: withSign(reading.odds) };
    sum.textContent = fill(words.sum, { one: labels[1], zero: labels[0], ...parts, percent: percentOf(p) });
    return verdict.textContent;
  };
  const showCounts = () => {
    const read = tokens.slice(0, limit), strange = read.filter(({ id: token }) => token === unknown).length;
    const name = !strange ? "counts" : strange === read.length ? "counts_all_unknown" : "counts_unknown", told = fill(words[name], { words: tokens.length, unknown: strange });
    counts.textContent = `${tokens.length > limit ? fill(words.counts_cut, { counts: told, limit }) : told}.`;
  };
  const update = () => {
    frame = 0;
    const start = performance.now();
    tokens = tokenise(area.value).map((each) => ({ ...each, id: numbers.get(each.token) ?? unknown }));
    reading = tokens.length ? read(net, tokens.slice(0, limit).map(({ id: token }) => token)) : null;
    shade();
    showRuns();
    showCounts();
    showCaret();
    const told = showVerdict();
    root.dataset.p = reading ? probability(reading.odds) : "";
    root.dataset.updateMs = (performance.now() - start).toFixed(2);
    clearTimeout(later);
    later = begun && setTimeout(() => { // a pause in the typing: tell those who cannot see it, and Python
      if (status.textContent !== told) status.textContent = told;
      if (model.get("text") !== area.value) { model.set("text", area.value); model.save_changes(); }
    }, 600);
  };
  const soon = () => { if (!frame) frame = requestAnimationFrame(update); };

  // -- what the reader does
  const point = (window) => spans.forEach((span, k) => span.classList.toggle("dl-ngram-here", Boolean(window) && k >= window.start && k < window.start + window.length));
  const select = ({ start, length }) => {
    area.focus({ preventScroll: true });
    area.setSelectionRange(tokens[start].start, tokens[start + length - 1].end);
    area.scrollTop = Math.max(spans[start].offsetTop - area.clientHeight / 3, 0);
    showCaret();
  };
  const put = (text) => { area.value = text; area.scrollTop = 0; update(); };
  area.addEventListener("input", soon, on);
  area.addEventListener("scroll", () => { backdrop.scrollTop = area.scrollTop; }, { passive: true, ...on });
  for (const name of ["focus", "blur"]) area.addEventListener(name, showCaret, on);
  document.addEventListener("selectionchange", () => { if (document.activeElement === area) showCaret(); }, on);
  for (const { name, text } of [...model.get("examples"), { name: words.clear, text: "" }])
    make(chips, "button", "", { type: "button" }, name).addEventListener("click", () => put(text), on);

  const follow = () => { if (model.get("text") !== area.value) put(model.get("text")); };
  model.on("change:text", follow);
  put(model.get("text"));
  begun = true;
  return () => {
    stop.abort(); cancelAnimationFrame(frame); clearTimeout(later);
    model.off("change:text", follow);
  };
}

export default { render };
