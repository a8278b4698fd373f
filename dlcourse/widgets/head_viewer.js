// What the heads of a GPT read in a typed text: all heads as maps, one large, and lines from a character to those it reads.

const READ = 5;

// Puts everything into `root` and returns what changes later.
function buildHeads(root, words, net, limit, choose) {
  const keys = unique(), parts = {};
  make(root, "p", "dl-try", {}, words.try);
  const label = make(root, "label", "dl-hv-text");
  make(label, "span", "dl-small", {}, words.text);
  parts.text = make(label, "textarea", "", { rows: 3, maxlength: limit, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  parts.note = make(root, "p", "dl-hv-note");
  const top = make(root, "div", "dl-hv-top");
  parts.maps = headMaps(make(top, "div"), net, words, choose);
  const large = make(top, "div", "dl-hv-large");
  parts.title = make(large, "p", "dl-hv-title");
  const frame = make(large, "div", "dl-hv-map");
  parts.map = make(frame, "canvas", "dl-hv-inks", { "aria-hidden": "true", width: 1, height: 1 });
  parts.edges = make(frame, "canvas", "dl-hv-edges", { "aria-hidden": "true" });
  make(large, "p", "dl-small", {}, words.map);
  parts.does = make(root, "p", "dl-hv-does");

  parts.scroll = make(root, "div", "dl-hv-scroll");
  parts.lines = make(parts.scroll, "canvas", "dl-hv-lines", {
    tabindex: 0, role: "application", "aria-label": words.lines, "aria-roledescription": words.lines_role, "aria-describedby": keys,
  });
  const below = make(root, "div", "dl-hv-below"), reads = make(below, "div"), head = make(reads, "div", "dl-hv-pad");
  for (const [way, sign] of [["left", "◂"], ["right", "▸"]]) parts[way] = make(head, "button", "", { type: "button", "aria-label": words[way] }, sign);
  parts.reads = make(head, "p", "dl-hv-title");
  parts.read = readRows(reads, words, READ);
  parts.habits = habitRows(make(below, "div"), words);
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  make(foot, "p", "dl-small", { id: keys }, words.keys);
  make(foot, "p", "dl-small", {}, fill(words.small_print, { limit }));
  parts.status = make(root, "p", "dl-hidden", { role: "status" });
  return parts;
}

// Bars of how much of a head's attention each habit gets over the text, with a thin line for an even spread.
function habitRows(parent, words) {
  make(parent, "p", "dl-hv-title", {}, words.habits);
  const box = make(parent, "div", "dl-read", { role: "group", "aria-label": words.habits });
  const rows = NAMES.map((name) => {
    const row = make(box, "p", "dl-read-row");
    make(row, "span", "", {}, words[`habit_${name}`]);
    const track = make(row, "span", "dl-read-track", { "aria-hidden": "true" });
    return { row, bar: make(track, "span", "dl-read-bar"), tick: make(track, "span", "dl-read-tick"), percent: make(row, "span", "dl-read-percent") };
  });
  make(parent, "p", "dl-small", {}, words.habits_tick);
  return ({ habits, main } = { habits: [] }) => rows.forEach(({ row, bar, tick, percent: text }, k) => {
    const { share = 0, chance = 0, count = 0 } = habits[k] ?? {};
    bar.style.transform = `scaleX(${share.toFixed(4)})`;
    tick.style.left = `${(100 * chance).toFixed(2)}%`;
    tick.hidden = !count;
    row.classList.toggle("dl-read-main", main?.name === NAMES[k]);
    text.textContent = count ? percent(share) : "–";
  });
}

async function render({ model, el }) {
  const words = model.get("words"), net = await referredTransformer(model), limit = model.get("limit");
  const root = make(el, "div", "dl-widget dl-hv", { role: "group", "aria-label": words.name });
  const change = (values) => { model.set(values); model.save_changes(); };
  const parts = buildHeads(root, words, net, limit, (layer, head) => { change({ layer, head }); describe(); parts.status.textContent = `${parts.title.textContent}. ${parts.does.textContent}`; });
  const stop = new AbortController(), on = { signal: stop.signal }, read = transformerReader(net), { lines, scroll, maps } = parts;
  let tokens = [], records = [], characters = [], found = [], cursor = null, frame = 0, stale = true;
  const chosen = () => [Math.min(model.get("layer"), net.num_layers - 1), Math.min(model.get("head"), net.num_heads - 1)];
  const rowsOf = (layer, head) => records.map((record) => headWeights(record, net, layer, head));
  const places = () => layOut(characters, columnsFor(scroll.clientWidth));

  // -- the text
  const readText = () => {
    const { tokens: typed, missing } = encode(net, model.get("text").slice(0, limit));
    tokens = typed.slice(0, net.max_length);
    records = read(tokens);
    characters = tokens.map((token) => net.tokens[token]);
    const meant = relations(tokens, net);
    found = tokens.length > 1 ? maps.all.map(({ layer, head }) => habitsOf(rowsOf(layer, head), meant)) : [];
    cursor = tokens.length ? Math.min(cursor ?? tokens.length - 1, tokens.length - 1) : null;
    parts.note.textContent = tokens.length ? leftOut(missing, words) : words.empty;
    stale = true;
  };

  // -- what is shown
  const describe = () => {
    const [layer, head] = chosen(), one = found[layer * net.num_heads + head];
    parts.title.textContent = fill(words.head, { layer: layer + 1, head: head + 1 });
    parts.does.textContent = one ? habitInWords(one, words) : "";
    parts.habits(one);
    const weights = cursor === null ? [] : headWeights(records[cursor], net, layer, head);
    parts.reads.textContent = cursor === null ? "" : fill(words.reads, { character: spoken(characters[cursor], words) });
    parts.read(mostRead(weights, READ), characters, cursor);
    return weights;
  };
  const update = () => {
    frame = 0;
    const start = performance.now(), colours = look(root), pixels = inks(colours.dark), [layer, head] = chosen(), weights = describe(), size = Math.max(tokens.length, 1);
    maps.mark(layer, head);
    if (stale) {
      for (const one of maps.all) paintMap(one.canvas, size, tokens.length, (t) => headWeights(records[t], net, one.layer, one.head), pixels);
      maps.name(found);
    }
    stale = false;
    paintMap(parts.map, size, tokens.length, (t) => headWeights(records[t], net, layer, head), pixels);
    const at = places(), view = { characters, places: at, weights, cursor, pixels, colours };
    lines.style.height = `${Math.max(heightFor(at), scroll.clientHeight)}px`;
    paintLines(lines, view);
    paintEdges(parts.edges, view);
    Object.assign(root.dataset, { cursor: cursor ?? "", characters: tokens.length, layer, head, updateMs: (performance.now() - start).toFixed(2) });
  };
  const soon = () => { if (!frame && !stop.signal.aborted) frame = requestAnimationFrame(update); };
  const restyle = () => { stale = true; soon(); };

  // -- the chosen character
  const moveTo = (place, said = true) => {
    if (!tokens.length) return;
    cursor = Math.min(Math.max(place, 0), tokens.length - 1);
    const y = centre(places()[cursor])[1];
    if (y - LEADING < scroll.scrollTop) scroll.scrollTop = y - LEADING;
    else if (y + LEADING / 2 > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = y + LEADING / 2 - scroll.clientHeight;
    if (said) {
      const list = mostRead(describe(), 3).map(([s, w]) => `${spoken(characters[s], words)} ${percent(w)}`).join(", ");
      parts.status.textContent = `${parts.reads.textContent} ${list}`;
    }
    soon();
  };
  const vertical = (way) => { // the character in the next row nearest to the column of this one
    const at = places(), [row, column] = at[cursor], others = at.map(([r, c], t) => [r, Math.abs(c - column), t]).filter(([r]) => r === row + way);
    return others.length ? others.reduce((a, b) => (b[1] < a[1] ? b : a))[2] : cursor;
  };
  lines.addEventListener("keydown", (event) => {
    if (cursor === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const ways = { ArrowLeft: () => cursor - 1, ArrowRight: () => cursor + 1, ArrowUp: () => vertical(-1), ArrowDown: () => vertical(1), Home: () => 0, End: () => tokens.length - 1 };
    if (!ways[event.key]) return;
    event.preventDefault();
    moveTo(ways[event.key]());
  }, on);
  const under = ({ clientX, clientY }) => { const box = lines.getBoundingClientRect(); return characterAt(clientX - box.left, clientY - box.top, places()); };
  for (const name of ["pointermove", "click"])
    lines.addEventListener(name, (event) => {
      if (name === "pointermove" && event.pointerType !== "mouse") return;
      const place = under(event);
      if (place !== null && place !== cursor) { cursor = place; soon(); }
    }, on);
  for (const name of ["pointermove", "click"])
    parts.edges.addEventListener(name, (event) => {
      const box = parts.edges.getBoundingClientRect(), row = Math.floor((event.clientY - box.top - MARGIN) / (box.height - MARGIN) * tokens.length);
      if (row >= 0 && row < tokens.length && row !== cursor && (name === "click" || event.pointerType === "mouse")) moveTo(row, false);
    }, on);
  parts.left.addEventListener("click", () => moveTo(cursor - 1), on);
  parts.right.addEventListener("click", () => moveTo(cursor + 1), on);

  // -- the text that is typed
  const caret = () => moveTo(encode(net, parts.text.value.slice(0, parts.text.selectionStart)).tokens.length - 1, false);
  parts.text.addEventListener("input", () => { change({ text: parts.text.value }); caret(); }, on);
  for (const name of ["keyup", "click"]) parts.text.addEventListener(name, caret, on);

  // -- the world around
  const retype = () => {
    if (document.activeElement !== parts.text) parts.text.value = model.get("text");
    readText();
    soon();
  };
  model.on("change:text", retype);
  model.on("change:layer change:head", soon);
  onLook(root, restyle, stop.signal);
  retype();
  cursor = tokens.length ? Math.floor(0.8 * (tokens.length - 1)) : null;
  update();
  return () => {
    stop.abort(); cancelAnimationFrame(frame);
    model.off("change:text", retype);
    model.off("change:layer change:head", soon);
  };
}

export default { render };
