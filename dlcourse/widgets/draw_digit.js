// A pad to draw a digit on, and the network of dlcourse.models.cnn that reads it, computed in the page.

const SIDE = 28, BOX = 20, PEN = 2.6, FINE = 4, LARGEST_SCALE = 112; // as in mnist_form.py, which says why

// ---- the drawing in MNIST's form; the mirror of mnist_form.to_mnist ----------------------------------------------

export function toMnist(strokes) {
  const image = new Uint8Array(SIDE * SIDE);
  let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity;
  for (const stroke of strokes) for (const [x, y] of stroke) {
    left = Math.min(left, x); right = Math.max(right, x);
    top = Math.min(top, y); bottom = Math.max(bottom, y);
  }
  if (left > right) return image;
  const extent = Math.max(right - left, bottom - top);
  const scale = extent > 0 ? Math.min(LARGEST_SCALE, (BOX - PEN) / extent) : LARGEST_SCALE;
  const shiftX = BOX / 2 - scale * (left + right) / 2, shiftY = BOX / 2 - scale * (top + bottom) / 2;

  const ink = new Uint8Array((BOX * FINE) ** 2);
  for (const stroke of strokes) {
    const path = stroke.map(([x, y]) => [(scale * x + shiftX) * FINE, (scale * y + shiftY) * FINE]);
    for (let i = Math.min(1, path.length - 1); i < path.length; i++) inkSegment(ink, path[Math.max(i - 1, 0)], path[i]);
  }

  const grey = new Uint8Array(BOX * BOX);
  let total = 0, rows = 0, columns = 0;
  for (let r = 0; r < BOX; r++) for (let c = 0; c < BOX; c++) {
    let count = 0;
    for (let i = 0; i < FINE; i++) for (let j = 0; j < FINE; j++) count += ink[(r * FINE + i) * BOX * FINE + c * FINE + j];
    const level = Math.floor(count * 255 / FINE ** 2 + 0.5);
    grey[r * BOX + c] = level;
    total += level; rows += r * level; columns += c * level;
  }
  const row = placement(rows / total), column = placement(columns / total);
  for (let r = 0; r < BOX; r++) image.set(grey.subarray(r * BOX, (r + 1) * BOX), (r + row) * SIDE + column);
  return image;
}

function placement(centre) {
  return Math.min(Math.max(Math.floor(SIDE / 2 - centre + 0.5), 0), SIDE - BOX);
}

function inkSegment(ink, [x0, y0], [x1, y1]) {
  const size = BOX * FINE, radius = PEN / 2 * FINE, dx = x1 - x0, dy = y1 - y0, squaredLength = dx * dx + dy * dy;
  const firstRow = Math.max(Math.floor(Math.min(y0, y1) - radius), 0), endRow = Math.min(Math.ceil(Math.max(y0, y1) + radius), size);
  const firstColumn = Math.max(Math.floor(Math.min(x0, x1) - radius), 0), endColumn = Math.min(Math.ceil(Math.max(x0, x1) + radius), size);
  for (let r = firstRow; r < endRow; r++) for (let c = firstColumn; c < endColumn; c++) {
    const x = c + 0.5 - x0, y = r + 0.5 - y0;
    const along = squaredLength > 0 ? Math.min(Math.max((x * dx + y * dy) / squaredLength, 0), 1) : 0;
    const offX = x - along * dx, offY = y - along * dy;
    if (offX * offX + offY * offY <= radius * radius) ink[r * size + c] = 1;
  }
}

// ---- the network --------------------------------------------------------------------------------------------------

const HALF = (() => { // the value of each of the 65,536 float16 numbers
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? NaN : (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[bits] = bits >> 15 ? -size : size;
  }
  return table;
})();

// Returns the network whose parameters `view` (a DataView) carries in PyTorch's order, or null if their number is wrong.
// Pixels hold their channels side by side (H, W, C), so that what is added up lies side by side in memory too.
export function unpack(view, { channels: [c1, c2], hidden_size: hidden, num_classes: classes, precision }) {
  const area = (SIDE / 4) ** 2, count = c1 * 10 + c2 * (c1 * 9 + 1) + hidden * (c2 * area + 1) + classes * (hidden + 1);
  const size = precision === "float32" ? 4 : 2;
  if (view.byteLength !== count * size) return null;
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const all = size === 4 ? new Float32Array(bytes) : Float32Array.from(new Uint16Array(bytes), (bits) => HALF[bits]);
  let next = 0;
  const take = (n) => all.subarray(next, (next += n));
  const active = (n) => ({ values: new Float64Array(n + 3), rows: new Int32Array(n + 3) }); // room for the inputs that are not zero
  const conv = (inputs, outputs, side) => {
    const raw = take(outputs * inputs * 9), bias = take(outputs), weight = new Float32Array(raw.length);
    for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) for (let k = 0; k < 9; k++)
      weight[(k * inputs + i) * outputs + o] = raw[(o * inputs + i) * 9 + k];
    const padded = new Float32Array((side + 2) ** 2 * inputs); // its frame of one pixel stays zero
    return { inputs, outputs, side, weight, bias, padded, maps: new Float32Array(side ** 2 * outputs), pooled: new Float32Array((side / 2) ** 2 * outputs), ...active(9 * inputs) };
  };
  const dense = (inputs, outputs, place) => {
    const raw = take(outputs * inputs), bias = take(outputs), weight = new Float32Array(raw.length);
    for (let o = 0; o < outputs; o++) for (let j = 0; j < inputs; j++) weight[place(j) * outputs + o] = raw[o * inputs + j];
    return { outputs, weight, bias, sums: new Float32Array(outputs), ...active(inputs) };
  };
  return {
    count,
    conv1: conv(1, c1, SIDE),
    conv2: conv(c1, c2, SIDE / 2),
    fc1: dense(c2 * area, hidden, (j) => (j % area) * c2 + Math.floor(j / area)), // (C, H, W) to (H, W, C)
    fc2: dense(hidden, classes, (j) => j),
  };
}

// Runs `pixels` (784 numbers, 0 to 1) through the network; the feature maps stay in net.conv1.maps and net.conv2.maps.
export function forward(net, pixels) {
  convolve(net.conv1, pixels);
  convolve(net.conv2, net.conv1.pooled);
  const hidden = multiply(net.fc1, net.conv2.pooled);
  for (let j = 0; j < hidden.length; j++) if (hidden[j] < 0) hidden[j] = 0;
  const logits = multiply(net.fc2, hidden), largest = Math.max(...logits);
  const exponentials = Array.from(logits, (v) => Math.exp(v - largest)), sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((v) => v / sum);
}

// 3×3 convolution with padding 1 and ReLU (into `maps`), 2×2 maximum (into `pooled`).
function convolve({ inputs, outputs, side, weight, bias, padded, maps, pooled, values, rows }, x) {
  const width = (side + 2) * inputs, span = side * inputs, three = 3 * inputs;
  for (let r = 0; r < side; r++) padded.set(x.subarray(r * span, (r + 1) * span), (r + 1) * width + inputs);
  for (let r = 0, to = 0; r < side; r++) for (let c = 0; c < side; c++, to += outputs) {
    let count = 0;
    for (let m = 0; m < 3; m++) for (let k = 0, from = (r + m) * width + c * inputs; k < three; k++) {
      const value = padded[from + k];
      if (value !== 0) { values[count] = value; rows[count++] = m * three + k; }
    }
    combine(maps, to, outputs, bias, weight, values, rows, count);
  }
  for (let p = 0; p < maps.length; p++) if (maps[p] < 0) maps[p] = 0;
  const half = side / 2, row = side * outputs;
  for (let r = 0, to = 0; r < half; r++) for (let c = 0; c < half; c++) {
    const a = 2 * r * row + 2 * c * outputs, b = a + row;
    for (let o = 0; o < outputs; o++, to++) pooled[to] = Math.max(maps[a + o], maps[a + outputs + o], maps[b + o], maps[b + outputs + o]);
  }
}

function multiply({ outputs, weight, bias, sums, values, rows }, x) {
  let count = 0;
  for (let j = 0; j < x.length; j++) if (x[j] !== 0) { values[count] = x[j]; rows[count++] = j; }
  combine(sums, 0, outputs, bias, weight, values, rows, count);
  return sums;
}

// Writes bias + Σ values[k] · (row rows[k] of weight) to `out`, from `to` on; four rows at a time save most of the memory traffic.
function combine(out, to, n, bias, weight, values, rows, count) {
  for (let o = 0; o < n; o++) out[to + o] = bias[o];
  for (; count % 4; count++) { values[count] = 0; rows[count] = 0; }
  for (let k = 0; k < count; k += 4) {
    const v0 = values[k], v1 = values[k + 1], v2 = values[k + 2], v3 = values[k + 3];
    const r0 = rows[k] * n, r1 = rows[k + 1] * n, r2 = rows[k + 2] * n, r3 = rows[k + 3] * n;
    for (let o = 0; o < n; o++) out[to + o] += v0 * weight[r0 + o] + v1 * weight[r1 + o] + v2 * weight[r2 + o] + v3 * weight[r3 + o];
  }
}

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
