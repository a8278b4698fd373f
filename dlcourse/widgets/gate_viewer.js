// The gates of an LSTM on a typed text: a heat map of its units, one unit's lines, its arithmetic at the cursor, what comes next.

const LONGEST = 240, EXPECTED = 7;

// Puts everything into `root` and returns what changes later.
function buildViewer(root, words, tokens, properties, size) {
  const keys = unique(), parts = {}, names = Object.fromEntries(Object.keys(QUANTITIES).map((name) => [name, words[name]]));
  make(root, "p", "dl-try", {}, words.try);
  const label = make(root, "label", "dl-gate-text");
  make(label, "span", "dl-small", {}, words.text);
  parts.text = make(label, "textarea", "", { rows: 2, maxlength: LONGEST, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  parts.note = make(root, "p", "dl-gate-note");
  parts.controls = make(root, "div", "dl-gate-controls");
  const row = make(root, "div", "dl-gate-order"), sort = make(row, "label", "dl-gate-sort");
  make(sort, "span", "dl-small", {}, words.sort);
  parts.sort = make(sort, "select");
  for (const [value, text] of [["", words.sort_all], ...properties.map((p, k) => [k, words[`property_${p}`]])]) make(parts.sort, "option", "", { value }, text);
  const pager = make(row, "div", "dl-gate-pager");
  parts.previous = make(pager, "button", "", { type: "button", "aria-label": words.previous }, "‹");
  parts.range = make(pager, "span", "dl-small");
  parts.following = make(pager, "button", "", { type: "button", "aria-label": words.following }, "›");
  parts.legend = make(row, "p", "dl-small dl-gate-legend");

  parts.scroll = make(root, "div", "dl-gate-scroll");
  parts.stage = make(parts.scroll, "div", "dl-gate-stage");
  parts.canvas = make(parts.stage, "canvas", "dl-gate-canvas", {
    tabindex: 0, role: "application", "aria-label": words.picture, "aria-roledescription": words.picture_role, "aria-describedby": keys,
  });
  parts.canvas.style.height = `${HEIGHT}px`;
  const below = make(root, "div", "dl-gate-below"), says = make(below, "div", "dl-gate-says"), next = make(below, "div");
  const pad = make(says, "div", "dl-gate-pad", { role: "group", "aria-label": words.move });
  parts.pad = Object.fromEntries(Object.entries({ left: "◂", right: "▸", up: "▴", down: "▾" }).map(([way, sign]) => [way, make(pad, "button", "", { type: "button", "aria-label": words[way] }, sign)]));
  for (const name of ["title", "follows", "keeps", "cellStep", "hiddenStep"]) parts[name] = make(says, "p", `dl-gate-${name.toLowerCase()}`);
  parts.context = make(next, "p", "dl-gate-context");
  parts.bars = nextBars(next, words, tokens, EXPECTED);
  parts.typed = make(next, "p", "dl-small dl-gate-typed");
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  make(foot, "p", "dl-small", { id: keys }, fill(words.keys, { rows: ROWS }));
  parts.small = make(foot, "p", "dl-small");
  parts.explain = (all) => { parts.small.textContent = fill(words.small_print, { count: size.toLocaleString("en"), order: all ? words.order_all : words.order_one }); };
  parts.status = make(root, "p", "dl-hidden", { role: "status" });
  return { ...parts, names };
}

async function render({ model, el }) {
  const words = model.get("words"), net = await referred(model), table = model.get("strengths"), properties = model.get("properties");
  const root = make(el, "div", "dl-widget dl-gate", { role: "group", "aria-label": words.name });
  const parts = buildViewer(root, words, net.tokens, properties, model.get("sample_size"));
  const stop = new AbortController(), on = { signal: stop.signal }, read = reader(net), { canvas, scroll } = parts;
  let records = [], tokens = [], cursor = null, quantity = "cell", order = ranking(table), page = 0, frame = 0;
  const setQuantity = choices(parts.controls, words.quantity, Object.keys(QUANTITIES).map((name) => [name, words[name]]), (name) => { quantity = name; soon(); });
  setQuantity(quantity);
  const shown = () => order.slice(page * ROWS, (page + 1) * ROWS), unit = () => Math.min(model.get("unit"), net.hidden - 1);
  const character = (t) => spoken(net.tokens[tokens[t]], words);
  const property = (one) => { // what the unit follows: the property by which units are sorted, or its best
    const p = parts.sort.value === "" ? followed(table, one) : Number(parts.sort.value), r = table[p][one] / 100;
    return { property: words[`property_${properties[p]}`], way: words[r < 0 ? "falls" : "rises"], r: (r < 0 ? "−" : "+") + Math.abs(r).toFixed(2) };
  };

  // -- the text
  const readText = () => {
    const { tokens: found, missing } = encode(net, model.get("text").slice(0, LONGEST));
    tokens = found;
    records = read(tokens);
    cursor = records.length ? Math.min(cursor ?? records.length - 1, records.length - 1) : null;
    parts.note.textContent = records.length ? leftOut(missing, words) : words.empty;
  };
  const stretch = () => { parts.stage.style.width = `${gutter(scroll.clientWidth) + Math.max(records.length, 1) * COLUMN + 2}px`; };
  const reveal = () => { // brings the cursor's column into view
    if (cursor === null) return;
    const room = scroll.clientWidth - gutter(scroll.clientWidth), at = cursor * COLUMN, edge = 3 * COLUMN;
    if (at - edge < scroll.scrollLeft) scroll.scrollLeft = at - edge;
    else if (at + COLUMN + edge > scroll.scrollLeft + room) scroll.scrollLeft = at + COLUMN + edge - room;
  };

  // -- what is shown
  const look = () => {
    const style = getComputedStyle(root), of = (name) => style.getPropertyValue(name).trim(), paper = style.backgroundColor.match(/[\d.]+/g).slice(0, 3).join(" ");
    return { dark: isDark(root), ink: style.color, muted: of("--dl-muted"), line: of("--dl-line"), accent: of("--dl-accent"), paper: `rgb(${paper})`, clear: `rgb(${paper} / 0)`, onAccent: of("--dl-on-accent"), font: style.fontFamily };
  };
  const formula = () => { // the step of the chosen unit at the cursor, with its numbers
    const { i, f, g, o, c, h } = records[cursor].layers[0], k = unit(), before = cursor ? records[cursor - 1].layers[0].c[k] : 0;
    const two = (v) => (v < 0 && number(v, 2) !== "0" ? `(−${(-v).toFixed(2)})` : Math.abs(v).toFixed(2)), plain = (v) => two(v).replace(/[()]/g, "");
    const numbers = { f: two(f[k]), before: two(before), i: two(i[k]), g: two(g[k]), c: plain(c[k]), o: two(o[k]), squashed: two(Math.tanh(c[k])), h: plain(h[k]) };
    return { cell: fill(words.step_cell, numbers), hidden: fill(words.step_hidden, numbers), keeps: fill(words.keeps, { percent: percent(f[k]) }) };
  };
  const describe = () => {
    const one = unit(), empty = cursor === null;
    parts.title.textContent = empty ? fill(words.unit, { unit: one }) : fill(words.at, { unit: one, character: character(cursor) });
    parts.follows.textContent = fill(words.follows, property(one));
    const steps = empty ? { cell: "", hidden: "", keeps: "" } : formula();
    parts.cellStep.textContent = steps.cell;
    parts.hiddenStep.textContent = steps.hidden;
    parts.keeps.textContent = steps.keeps;
    const logits = empty ? null : records[cursor].logits, typed = empty || cursor === records.length - 1 ? null : tokens[cursor + 1];
    const chances = empty ? null : probabilities(logits);
    parts.context.textContent = empty ? words.next : fill(words.bars, { context: tokens.slice(Math.max(0, cursor - 11), cursor + 1).map((token) => glyph(net.tokens[token])).join("") });
    parts.bars(chances, { marked: typed });
    parts.typed.textContent = empty ? "" : typed === null ? words.typed_end
      : fill(words.typed_says, { character: spoken(net.tokens[typed], words), percent: percent(chances[typed]), bits: inBits(bits(logits, typed)) });
    parts.range.textContent = fill(words.units, { first: page * ROWS + 1, last: Math.min((page + 1) * ROWS, order.length), count: order.length });
    parts.previous.setAttribute("aria-disabled", String(page === 0));
    parts.following.setAttribute("aria-disabled", String((page + 1) * ROWS >= order.length));
  };
  const update = () => {
    frame = 0;
    const start = performance.now(), colours = look(), units = shown(), ramp = rampOf(quantity, colours.dark);
    stretch();
    canvas.style.width = `${scroll.clientWidth}px`;
    const labels = units.map((one) => { const { property: detail, r } = property(one); return { name: String(one), detail, r }; });
    paintGates(canvas, { records, characters: tokens.map((token) => net.tokens[token]), units, unit: unit(), quantity, cursor, offset: scroll.scrollLeft, labels, names: parts.names, colours });
    parts.legend.replaceChildren();
    for (const [text, kind] of [[quantity === "cell" ? "tanh c" : QUANTITIES[quantity].key, "dl-gate-letter"], [QUANTITIES[quantity].signed ? "−1" : "0", ""], ["", "dl-gate-ramp"], ["1", ""]]) make(parts.legend, "span", kind, {}, text);
    parts.legend.children[2].style.background = `linear-gradient(90deg, ${[0, 0.5, 1].map((v) => shade(ramp, v)).join(", ")})`;
    describe();
    Object.assign(root.dataset, { cursor: cursor ?? "", unit: unit(), page, columns: records.length, updateMs: (performance.now() - start).toFixed(2) });
  };
  const soon = () => { if (!frame) frame = requestAnimationFrame(update); };

  // -- the cursor
  const tell = () => {
    if (cursor === null) return;
    const value = number(records[cursor].layers[0][QUANTITIES[quantity].key][unit()], 2);
    parts.status.textContent = fill(words.status, { character: character(cursor), unit: unit(), quantity: words[quantity], value, step: formula().cell });
  };
  const choose = (one) => {
    model.set({ unit: one });
    model.save_changes();
    page = Math.floor(order.indexOf(one) / ROWS);
    soon();
  };
  const moveTo = (column) => { cursor = Math.min(Math.max(column, 0), records.length - 1); reveal(); soon(); };
  const turn = (pages) => { // the same row of another page
    const last = order.length - 1, at = order.indexOf(unit()) + pages * ROWS;
    if (at >= 0 || page > 0) choose(order[Math.min(Math.max(at, 0), last)]);
  };
  const go = (key) => { // whether the key means anything
    const at = order.indexOf(unit()), columns = { ArrowLeft: cursor - 1, ArrowRight: cursor + 1, Home: 0, End: records.length - 1 };
    const rows = { ArrowUp: -1, ArrowDown: 1 }, pages = { PageUp: -1, PageDown: 1 };
    if (key in columns) moveTo(columns[key]);
    else if (key in rows) choose(order[Math.min(Math.max(at + rows[key], 0), order.length - 1)]);
    else if (key in pages) turn(pages[key]);
    else return false;
    tell();
    return true;
  };
  canvas.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && cursor !== null && go(event.key)) event.preventDefault();
  }, on);
  for (const [way, key] of Object.entries({ left: "ArrowLeft", right: "ArrowRight", up: "ArrowUp", down: "ArrowDown" }))
    parts.pad[way].addEventListener("click", () => { if (cursor !== null) go(key); }, on);
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    return placeAt(event.clientX - box.left, event.clientY - box.top, { width: scroll.clientWidth, offset: scroll.scrollLeft, count: records.length });
  };
  canvas.addEventListener("pointermove", (event) => {
    const { column } = under(event);
    if (event.pointerType === "mouse" && column !== null && column !== cursor) { cursor = column; soon(); }
  }, on);
  canvas.addEventListener("click", (event) => {
    const { column, row } = under(event), one = row === null ? undefined : shown()[row];
    if (column !== null) cursor = column;
    if (one !== undefined) choose(one);
    soon();
  }, on);
  scroll.addEventListener("scroll", soon, { passive: true, ...on });

  // -- the controls
  parts.previous.addEventListener("click", () => turn(-1), on);
  parts.following.addEventListener("click", () => turn(1), on);
  parts.sort.addEventListener("change", () => {
    const chosen = parts.sort.value === "" ? null : Number(parts.sort.value);
    order = ranking(table, chosen);
    parts.explain(chosen === null);
    choose(order[0]);
  }, on);
  const caret = () => { // the character before the caret is the one under the cursor
    if (!records.length) return;
    const before = encode(net, parts.text.value.slice(0, parts.text.selectionStart)).tokens.length;
    moveTo(before - 1);
  };
  parts.text.addEventListener("input", () => { model.set({ text: parts.text.value }); model.save_changes(); caret(); }, on);
  for (const name of ["keyup", "click"]) parts.text.addEventListener(name, caret, on);

  // -- the world around
  const retype = () => {
    if (document.activeElement !== parts.text) parts.text.value = model.get("text");
    readText();
    stretch();
    soon();
  };
  const rechoose = () => { page = Math.floor(order.indexOf(unit()) / ROWS); soon(); };
  model.on("change:text", retype);
  model.on("change:unit", rechoose);
  onLook(root, soon, stop.signal);
  parts.explain(true);
  retype();
  const forgets = records.slice(1, 40).map(({ layers: [{ f }] }) => f[unit()]);
  if (forgets.length) cursor = 1 + forgets.indexOf(Math.min(...forgets)); // where the chosen unit forgets most
  rechoose();
  update();
  reveal();
  return () => {
    stop.abort(); cancelAnimationFrame(frame);
    model.off("change:text", retype);
    model.off("change:unit", rechoose);
  };
}

export default { render };
