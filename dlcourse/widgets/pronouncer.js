// A word turned into phonemes in the page: ribbons and a heat map of the attention, the runners-up of each step, beam search.

const LONGEST = 34, PACE = 900, GROW = 0.6, FADE = 70; // PACE: milliseconds a phoneme, of which it grows for the part GROW

async function render({ model, el }) {
  const words = model.get("words"), net = unpackSpeller(model.get("weights"), model.get("shape"));
  const say = speech(net, words, dictionaryOf(model.get("known")), model.get("tells")), names = net.phonemes.map((_, token) => say.short(token));
  const root = make(el, "div", "dl-widget dl-pron", { role: "group", "aria-label": words.name }), parts = buildPronouncer(root, words, names, model.get("examples"));
  const stop = new AbortController(), on = { signal: stop.signal }, still = matchMedia("(prefers-reduced-motion: reduce)");
  let letters = [], word = "", found = [], chosen = 0; // what was read, what the search found
  let focus = { kind: "sound", index: 0 }, step = 0, shown = 0; // the cursor, the step in the bars, how many phonemes are to be seen
  let playing = false, inView = false, phase = 0, growing = false, before = 0, frame = 0, glow = { sound: [], letter: [] }, seen = "";
  const change = (values) => { model.set(values); model.save_changes(); }, current = () => found[chosen], tokens = () => (current() ? say.all(current()) : []);
  const setBeam = choices(parts.beam, words.beam, BEAMS.map((n) => [n, String(n)]), (n) => change({ beam: n }));

  // -- reading
  const read = () => {
    const typed = lettersOf(net, model.get("word"), LONGEST);
    ({ letters, word } = typed);
    found = letters.length ? readings(net, letters, { beam: model.get("beam") }) : [];
    parts.note.textContent = [letters.length ? "" : words.empty, leftOut(typed.missing.map((c) => spoken(c, words)), words), typed.long ? fill(words.too_long, { count: LONGEST }) : ""].filter(Boolean).join(" ");
    choose(0);
  };
  const choose = (k) => { // shows all of one reading, the cursor where it was least sure
    chosen = k;
    halt();
    const chances = (current()?.tokens ?? []).map((token, at) => current().steps[at].chances[token]);
    shown = tokens().length;
    glow = { sound: [], letter: [] };
    moveTo("sound", Math.max(chances.indexOf(Math.min(...chances)), 0));
    change({ reading: (current()?.tokens ?? []).map(say.name).join(" ") });
    soon();
  };

  // -- showing
  const growth = () => (growing && !still.matches ? Math.min(phase / GROW, 1) : 0);
  const shine = (passed) => { // lets the light go over to the cursor; whether it has still to move
    const active = growth() ? { kind: "sound", index: shown } : focus, part = still.matches ? 1 : 1 - Math.exp(-passed / FADE);
    let moves = false;
    for (const [kind, count] of [["sound", tokens().length], ["letter", letters.length]])
      glow[kind] = Array.from({ length: count }, (_, k) => {
        const aim = Number(active.kind === kind && active.index === k), left = aim - (glow[kind][k] ?? aim), near = Math.abs(left) < 0.01;
        if (!near) moves = true;
        return near ? aim : aim - left * (1 - part);
      });
    return moves;
  };
  const view = () => ({
    letters: letters.map((token) => net.tokens[token]), weights: current()?.steps.map(({ weights }) => weights) ?? [], shown, focus,
    sounds: tokens().map((token) => ({ text: say.name(token), example: token === net.end ? "" : net.hints[token][0], kind: say.kind(token) })),
    growth: growth(), glow, colours: look(root),
  });
  const describe = () => {
    const reading = current(), ready = step < shown, all = tokens(), beam = model.get("beam");
    parts.respelt.textContent = reading ? say.respelt(reading.tokens.slice(0, shown)) : "";
    parts.says.textContent = reading && shown === all.length ? [reading.ended ? "" : words.cut, say.verdict(reading, word), say.seen(word)].filter(Boolean).join(" ") : "";
    parts.title.textContent = !ready ? words.next : step ? fill(words.step_after, { step: step + 1, before: all.slice(Math.max(step - 5, 0), step).map(say.name).join(" ") }) : words.step_first;
    parts.taken.textContent = ready ? fill(words.taken, { phoneme: say.long(all[step]), percent: say.chance(reading, step) }) : "";
    parts.bars(ready ? reading.steps[step].chances : null, { marked: ready ? all[step] : null });
    parts.reads.textContent = !ready ? "" : focus.kind === "letter" ? say.feeds(reading, letters, focus.index) : say.reads(reading, letters, step);
    setBeam(beam);
    parts.about.textContent = fill(words[beam === 1 ? "beam_1" : "beam_more"], { beam });
    parts.found.forEach(({ one, input, text, bar, percent: number }, k) => {
      const p = found[k] ? Math.exp(found[k].score) : 0;
      one.classList.toggle("dl-pron-free", !found[k]);
      input.checked = found[k] !== undefined && k === chosen;
      text.textContent = found[k] ? found[k].tokens.map(say.name).join(" ") || words.nothing : "";
      bar.style.transform = `scaleX(${p.toFixed(4)})`;
      number.textContent = found[k] ? percent(p) : "";
    });
  };
  const follow = (scroll, [x, y]) => { // brings the cursor into view where the picture is larger than its place
    const { clientWidth: width, clientHeight: height, scrollLeft: left, scrollTop: top } = scroll;
    if (x !== null && (x < left + 30 || x > left + width - 30)) scroll.scrollLeft = x - width / 2;
    if (y !== null && (y < top + 30 || y > top + height - 30)) scroll.scrollTop = y - height / 2;
  };
  const update = () => {
    const start = performance.now(), all = view();
    for (const [canvas, size, paint, place] of [[parts.ribbons, ribbonsSize, paintRibbons, ribbonPlace], [parts.map, mapSize, paintMap, mapPlace]]) {
      const room = canvas.parentElement.clientWidth, [width, height] = size(room, all);
      Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
      paint(canvas, all, room);
      if (seen !== `${word} ${focus.kind} ${focus.index}`) follow(canvas.parentElement, place(room, all));
    }
    seen = `${word} ${focus.kind} ${focus.index}`;
    describe();
    Object.assign(root.dataset, { reading: tokens().map(say.name).join(" "), focus: `${focus.kind} ${focus.index}`, step, shown, state: playing ? "playing" : "paused", updateMs: (performance.now() - start).toFixed(2) });
  };
  const soon = () => {
    if (frame || stop.signal.aborted) return;
    before = Math.max(before, performance.now() - 17);
    frame = requestAnimationFrame(tick);
  };

  // -- time
  const tick = (now) => {
    frame = 0;
    const passed = Math.min(Math.max(now - before, 0), 100);
    before = now;
    if (playing && inView) {
      phase += passed / PACE;
      if (growing && phase >= GROW) { growing = false; advance(); }
      else if (phase >= 1) { phase -= 1; growing = true; }
    }
    const moves = shine(passed);
    update();
    if (moves || (playing && inView)) soon();
  };
  const halt = () => { playing = growing = false; parts.play.textContent = words.play; };
  const play = () => { playing = growing = true; phase = 0; parts.play.textContent = words.pause; };
  const restart = () => { if (shown === tokens().length) { shown = step = 0; focus = { kind: "sound", index: 0 }; } };
  const advance = () => { // one phoneme more
    shown += 1;
    moveTo("sound", shown - 1);
    if (shown === tokens().length) { halt(); tell(); }
  };
  const tell = () => { parts.status.textContent = current() ? fill(words.status_word, { word, reading: current().tokens.map(say.name).join(" "), verdict: say.verdict(current(), word), seen: say.seen(word) }) : parts.note.textContent; };

  // -- the cursor
  const moveTo = (kind, index) => {
    const last = (kind === "letter" ? letters.length : shown) - 1;
    focus = { kind, index: Math.max(Math.min(index, last), 0) };
    if (kind === "sound") step = focus.index;
  };
  const moved = () => {
    soon();
    if (shown) parts.status.textContent = focus.kind === "letter" ? say.feeds(current(), letters, focus.index) : fill(words.status, { phoneme: say.long(tokens()[step]), percent: say.chance(current(), step), reads: say.reads(current(), letters, step) });
  };
  const likeliest = () => { const { weights } = current().steps[step]; return weights.indexOf(Math.max(...weights)); };
  const go = (key, canvas) => { // whether the key means anything
    const { kind, index } = focus, by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[key], across = by !== undefined && !/Up|Down/.test(key);
    const axis = canvas === parts.map ? (across ? "letter" : "sound") : kind, other = kind === "letter" ? "sound" : "letter";
    if (key === "Home" || key === "End") moveTo(kind, key === "Home" ? 0 : Infinity);
    else if (by === undefined) return false;
    else if (axis === kind && (across || canvas === parts.map)) moveTo(kind, index + by);
    else if (canvas === parts.map || (by < 0) === (kind === "sound")) moveTo(other, other === "letter" ? likeliest() : step);
    return true;
  };
  for (const [canvas, at] of [[parts.ribbons, ribbonAt], [parts.map, mapAt]]) {
    const point = ({ clientX, clientY }) => {
      const { left, top } = canvas.getBoundingClientRect(), place = shown ? at(clientX - left, clientY - top, canvas, view()) : null;
      if (place && (place.kind !== focus.kind || place.index !== focus.index)) { moveTo(place.kind, place.index); soon(); }
    };
    canvas.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse" && !playing) point(event); }, on);
    canvas.addEventListener("click", (event) => { halt(); point(event); soon(); }, on);
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !shown || !go(event.key, canvas)) return;
      event.preventDefault();
      halt();
      moved();
    }, on);
  }

  // -- the controls
  parts.play.addEventListener("click", () => {
    if (!current()) return tell();
    if (playing) halt(); else { restart(); play(); }
    soon();
  }, on);
  parts.next.addEventListener("click", () => {
    if (!current()) return tell();
    halt();
    restart();
    advance();
    if (shown < tokens().length) moved(); else soon(); // at the end the word has been told
  }, on);
  parts.word.addEventListener("input", () => change({ word: parts.word.value }), on);
  parts.word.addEventListener("change", tell, on);
  for (const [example, node] of parts.examples) node.addEventListener("click", () => { change({ word: example }); tell(); }, on);
  parts.found.forEach(({ input }, k) => input.addEventListener("change", () => { choose(k); tell(); }, on));

  // -- the world around
  const retype = () => { if (document.activeElement !== parts.word) parts.word.value = model.get("word"); read(); };
  model.on("change:word change:beam", retype);
  const watcher = new IntersectionObserver(([{ isIntersecting }]) => { inView = isIntersecting; soon(); });
  watcher.observe(root);
  onLook(root, soon, stop.signal);
  retype();
  shine(0);
  update();
  return () => {
    stop.abort(); cancelAnimationFrame(frame); watcher.disconnect();
    model.off("change:word change:beam", retype);
  };
}

export default { render };
