// A pad to draw a digit on, and what the network reads and sees there.

// ---- pictures -----------------------------------------------------------------------------------------------------

// A map of equal steps of lightness (Oklab) through the course's blue.
const BLUES = "060f21081a3608274a05345f0043720052840062950073a50683b32394bf3ca5ca56b5d371c4dc8ed3e5ace2edcbf0f5ebfcfe";
const LEVELS = (() => { // 256 colours as the 32-bit numbers that an ImageData holds
  const channel = (stop, k) => parseInt(BLUES.slice(6 * stop + 2 * k, 6 * stop + 2 * k + 2), 16);
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const at = level / 255 * 16, stop = Math.min(Math.floor(at), 15), part = at - stop;
    const [r, g, b] = [0, 1, 2].map((k) => Math.round(channel(stop, k) * (1 - part) + channel(stop + 1, k) * part));
    return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  });
})();

// Paints the first `shown` maps of a layer side by side, bright where a map is strong; one scale for the whole layer.
function paintMaps(canvas, { outputs, side, maps }, columns, shown) {
  const gap = side / 14, cell = side + gap, width = columns * cell - gap, height = Math.ceil(shown / columns) * cell - gap;
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const image = new ImageData(width, height), pixels = new Uint32Array(image.data.buffer);
  let largest = 0;
  for (let p = 0; p < maps.length; p++) if (maps[p] > largest) largest = maps[p];
  const scale = largest > 0 ? 255 / (0.7 * largest) : 0; // the few strongest places are white alike, so that the others show
  for (let o = 0; o < shown; o++) {
    const corner = Math.floor(o / columns) * cell * width + (o % columns) * cell;
    for (let r = 0; r < side; r++) for (let c = 0; c < side; c++)
      pixels[corner + r * width + c] = LEVELS[Math.min(maps[(r * side + c) * outputs + o] * scale, 255) | 0];
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function paintSeen(canvas, levels) {
  const image = new ImageData(SIDE, SIDE), pixels = new Uint32Array(image.data.buffer);
  for (let p = 0; p < pixels.length; p++) pixels[p] = (255 << 24 | levels[p] * 0x010101) >>> 0;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// ---- the widget ---------------------------------------------------------------------------------------------------

function build(root, words, numClasses) {
  root.className = "dl-widget dl-draw";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", words.title);
  make(root, "p", "dl-try").textContent = words.try;
  const main = make(root, "div", "dl-draw-main");
  const box = make(main, "div", "dl-draw-padbox");
  const keys = `dl-keys-${Math.random().toString(36).slice(2)}`;
  const parts = {
    pad: make(box, "canvas", "dl-draw-pad", { tabindex: "0", role: "application", "aria-label": words.pad, "aria-roledescription": words.pad_role, "aria-describedby": keys }),
    empty: make(box, "div", "dl-draw-empty", { "aria-hidden": "true" }),
  };
  parts.empty.textContent = words.empty;
  const view = make(main, "div", "dl-draw-view");
  parts.seen = make(view, "canvas", "dl-draw-seen", { role: "img", "aria-label": words.seen_label, width: SIDE, height: SIDE });
  make(view, "p", "dl-small").textContent = words.seen;
  parts.clear = make(view, "button", "dl-draw-clear", { type: "button" });
  const read = make(main, "div", "dl-draw-read");
  const answer = make(read, "div", "dl-draw-answer", { "aria-hidden": "true" });
  parts.verdict = make(answer, "span");
  parts.digit = make(answer, "strong");
  parts.certainty = make(answer, "span");
  const list = make(read, "div", "dl-draw-bars", { role: "list", "aria-label": words.bars });
  parts.bars = Array.from({ length: numClasses }, (_, k) => {
    const bar = make(list, "div", "dl-draw-bar", { role: "listitem" });
    make(bar, "span").textContent = k;
    const track = make(make(bar, "span", "dl-draw-track", { "aria-hidden": "true" }), "span");
    return { bar, track, number: make(bar, "span") };
  });
  parts.time = make(read, "p", "dl-small dl-draw-time");
  parts.actions = make(main, "div", "dl-draw-actions");
  const layers = make(root, "div", "dl-draw-layers");
  parts.layers = [1, 2].map(() => {
    const layer = make(layers, "div");
    return { caption: make(layer, "p", "dl-small"), maps: make(layer, "canvas", "dl-draw-maps", { role: "img" }) };
  });
  const foot = make(root, "div", "dl-notice");
  make(foot, "p").textContent = words.notice;
  make(foot, "p", "dl-small", { id: keys }).textContent = words.keys;
  parts.status = make(root, "p", "dl-hidden", { role: "status" });
  return parts;
}

function render({ model, el }) {
  const words = model.get("words"), root = make(el, "div"), parts = build(root, words, model.get("num_classes"));
  const compact = model.get("compact"), shown = ({ outputs }) => (compact ? Math.min(outputs, 16) : outputs);
  root.classList.toggle("dl-draw-compact", compact);
  const { pad } = parts, stop = new AbortController(), on = { signal: stop.signal };
  let net = null, strokes = [], isExample = false, drawing = false, frame = 0, slowest = 0, replay = 0, times = [];
  let cursor = null; // the keyboard's pen: { x, y, down }

  const load = () => {
    const names = ["channels", "hidden_size", "num_classes", "precision"];
    const loaded = unpack(model.get("weights"), Object.fromEntries(names.map((name) => [name, model.get(name)])));
    if (loaded === null) return; // the shape has come and the weights have not
    net = loaded;
    times = [];
    parts.layers.forEach(({ caption, maps }, k) => {
      const layer = k ? net.conv2 : net.conv1, values = { layer: k + 1, shown: shown(layer), count: layer.outputs, side: layer.side };
      caption.textContent = fill(shown(layer) < layer.outputs ? words.some_maps : words.all_maps, values);
      maps.setAttribute("aria-label", fill(words.maps_label, values));
    });
    update();
  };

  const paintPad = () => {
    const side = pad.clientWidth, ratio = window.devicePixelRatio || 1, pixels = Math.round(side * ratio);
    if (pad.width !== pixels) pad.width = pad.height = pixels;
    const context = pad.getContext("2d"), style = getComputedStyle(root);
    context.setTransform(pixels, 0, 0, pixels, 0, 0);
    context.clearRect(0, 0, 1, 1);
    context.strokeStyle = style.getPropertyValue("--dl-ink");
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = PEN / SIDE;
    context.beginPath();
    for (const stroke of strokes) {
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
    }
    context.stroke();
    if (cursor && document.activeElement === pad) {
      context.strokeStyle = style.getPropertyValue("--dl-accent");
      context.fillStyle = cursor.down ? context.strokeStyle : "transparent";
      context.lineWidth = 2 / side;
      context.beginPath();
      context.arc(cursor.x, cursor.y, PEN / SIDE / 2 + 2 / side, 0, 2 * Math.PI);
      context.stroke();
      context.fill();
    }
    parts.empty.hidden = strokes.length > 0 || cursor !== null;
    parts.empty.style.display = parts.empty.hidden ? "none" : "";
  };

  const percent = (p) => (p >= 0.9995 && p < 1 ? "> 99.9 %" : p > 0 && p < 0.0005 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`);

  const show = (probabilities) => {
    const order = probabilities ? probabilities.map((_, k) => k).sort((a, b) => probabilities[b] - probabilities[a]) : [];
    const [first, second] = order, p = probabilities ? probabilities[first] : 0;
    const level = !probabilities ? "empty" : p >= 0.9 ? "sure" : p >= 0.6 ? "likely" : "unsure";
    const values = { digit: first, percent: probabilities && percent(p), second, second_percent: probabilities && percent(probabilities[second]) };
    root.classList.toggle("dl-draw-unsure", level === "unsure");
    parts.verdict.textContent = words[`verdict_${level}`];
    parts.digit.textContent = level === "empty" ? "" : level === "unsure" ? fill(words.either, values) : first;
    parts.certainty.textContent = level === "empty" || level === "unsure" ? "" : values.percent;
    parts.bars.forEach(({ bar, track, number }, k) => {
      const value = probabilities ? probabilities[k] : 0;
      bar.classList.toggle("dl-draw-top", k === first);
      bar.dataset.p = value;
      track.style.transform = `scaleX(${value.toFixed(4)})`;
      number.textContent = probabilities ? percent(value) : "–";
    });
    root.dataset.digit = probabilities ? first : "";
    return fill(words[`status_${level}`], values);
  };

  let announcement = "";
  const update = () => { // everything that depends on the strokes
    frame = 0;
    const start = performance.now();
    paintPad();
    const levels = toMnist(strokes), pixels = Float32Array.from(levels, (level) => level / 255);
    paintSeen(parts.seen, levels);
    if (net) {
      const before = performance.now(), probabilities = forward(net, pixels), milliseconds = performance.now() - before;
      announcement = show(strokes.length ? probabilities : null);
      const columns = compact || root.clientWidth < 600 ? 8 : 16;
      [net.conv1, net.conv2].forEach((layer, k) => paintMaps(parts.layers[k].maps, layer, columns, shown(layer)));
      times = [...times.slice(-8), milliseconds];
      const median = [...times].sort((a, b) => a - b)[times.length >> 1];
      parts.time.textContent = fill(words.time, { milliseconds: median.toFixed(1), count: net.count.toLocaleString("en") });
    }
    const spent = performance.now() - start;
    if (drawing) { slowest = Math.max(slowest, spent); root.dataset.slowestMs = slowest.toFixed(2); }
    root.dataset.updateMs = spent.toFixed(2);
  };
  const soon = () => { if (!frame) frame = requestAnimationFrame(update); };

  const finish = () => { // a stroke has ended, or the pad is clear: tell those who cannot see it, and Python
    parts.status.textContent = announcement;
    model.set("pixels", strokes.length ? Array.from(toMnist(strokes)) : []);
    model.save_changes();
  };

  const clear = () => {
    cancelAnimationFrame(replay);
    replay = 0; strokes = []; isExample = false; drawing = false; slowest = 0;
    root.dataset.slowestMs = "0";
    update();
  };

  const play = (recorded, animate) => { // an example draws itself
    clear();
    isExample = true;
    if (!animate) { strokes = recorded.map((stroke) => [...stroke]); update(); return finish(); }
    const total = recorded.reduce((sum, stroke) => sum + stroke.length, 0), start = performance.now();
    root.dataset.state = "replaying";
    const step = (now) => {
      let left = Math.max(1, Math.min(total, Math.ceil((now - start) / 900 * total)));
      const done = left === total;
      strokes = [];
      for (const stroke of recorded) { if (left > 0) strokes.push(stroke.slice(0, left)); left -= stroke.length; }
      update();
      replay = done ? 0 : requestAnimationFrame(step);
      if (done) { delete root.dataset.state; finish(); }
    };
    replay = requestAnimationFrame(step);
  };

  // -- mouse, touch and pen
  const place = (event) => {
    const box = pad.getBoundingClientRect(), inside = (v) => Math.min(Math.max(v, 0), 1);
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  };
  pad.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    if (isExample) clear();
    pad.setPointerCapture(event.pointerId);
    cursor = null; drawing = true;
    strokes.push([place(event)]);
    soon();
  }, on);
  pad.addEventListener("pointermove", (event) => {
    if (!drawing || !event.isPrimary) return;
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const one of events.length ? events : [event]) strokes.at(-1).push(place(one));
    soon();
  }, on);
  for (const name of ["pointerup", "pointercancel"]) pad.addEventListener(name, (event) => {
    if (!drawing || !event.isPrimary) return;
    cancelAnimationFrame(frame);
    update();
    drawing = false;
    finish();
  }, on);

  // -- keyboard
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  pad.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = STEPS[event.key];
    if (direction) {
      cursor ??= { x: 0.5, y: 0.25, down: false };
      const step = (event.shiftKey ? 3 : 1) / 40;
      cursor.x = Math.min(Math.max(cursor.x + direction[0] * step, 0.05), 0.95);
      cursor.y = Math.min(Math.max(cursor.y + direction[1] * step, 0.05), 0.95);
      if (cursor.down) strokes.at(-1).push([cursor.x, cursor.y]);
    } else if (event.key === " ") {
      if (isExample) clear();
      cursor ??= { x: 0.5, y: 0.25, down: false };
      cursor.down = !cursor.down;
      if (cursor.down) { strokes.push([[cursor.x, cursor.y]]); parts.status.textContent = words.pen_down; }
    } else if (event.key === "Backspace" || event.key === "Delete") {
      if (cursor) cursor.down = false;
      clear();
      finish();
    } else return;
    event.preventDefault();
    update();
    if (event.key === " " && !cursor.down) finish();
  }, on);
  pad.addEventListener("focus", () => {
    if (pad.matches(":focus-visible")) cursor ??= { x: 0.5, y: 0.25, down: false };
    paintPad();
  }, on);
  pad.addEventListener("blur", () => {
    if (cursor?.down) finish();
    cursor = null;
    paintPad();
  }, on);

  // -- buttons
  parts.clear.textContent = words.clear;
  parts.clear.addEventListener("click", () => { clear(); finish(); }, on);
  const examples = model.get("examples"), still = matchMedia("(prefers-reduced-motion: reduce)");
  if (examples.length) make(parts.actions, "span", "dl-small").textContent = words.examples;
  for (const { label, strokes: recorded } of examples) {
    const chip = make(parts.actions, "button", "dl-draw-example", { type: "button", "aria-label": fill(words.example, { label }) });
    chip.textContent = label;
    chip.addEventListener("click", () => play(recorded, !still.matches), on);
  }

  // -- the world around
  const loadSoon = () => queueMicrotask(load);
  const traits = ["weights", "channels", "hidden_size", "precision"];
  for (const name of traits) model.on(`change:${name}`, loadSoon);
  onLook(root, soon, stop.signal);

  load();
  if (examples.length) play(examples[0].strokes, false);
  return () => {
    stop.abort();
    cancelAnimationFrame(frame); cancelAnimationFrame(replay);
    for (const name of traits) model.off(`change:${name}`, loadSoon);
  };
}

export default { render };
