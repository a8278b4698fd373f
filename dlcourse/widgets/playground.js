// A multilayer perceptron that trains in the page: its boundary, its units, its weights and its loss, live.

const LIMIT = 1.2, CELLS = 48; // the map shows [−1.2, 1.2]² as 48 × 48 cells
const EPOCHS_A_SECOND = 30, MOST_A_FRAME = 4, BUDGET = 12; // milliseconds of training in a frame
const HOPELESS = 25; // a mean loss above this: the right class gets a probability below e⁻²⁵
const LATELY = 30; // epochs whose mean loss must not lie clearly above ln 2, which guessing gives
const SOLVED = 0.001, LONG = 3000, HEAD_START = 40; // a loss; epochs at a stretch; epochs before the first look without motion
const STAGE = 250; // milliseconds from one layer to the next when a backward pass is shown
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈";
const STRUCTURE = ["hidden_sizes", "activation", "seed"], POINTS = ["dataset", "noise"], SETTINGS = ["optimiser", "rate", "batch_size", "l2"];

const short = (v) => (v !== 0 && Math.abs(v) < 0.001 ? v.toExponential(0).replaceAll("-", "−") : number(v, Math.abs(v) < 0.1 ? 3 : 2));
const signed = (v) => (v < 0 ? `(${short(v)})` : short(v));

// Returns the points of a data set with so much noise: { train, test }, each { inputs (x1 of all, x2 of all), labels }.
export function readPoints(view, which, noise) {
  const all = new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)), each = all.length / 8, count = each / 5;
  const [train, test] = [0, 1].map((split) => {
    const part = all.subarray((2 * which + split) * each, (2 * which + split + 1) * each);
    return { inputs: Float64Array.from({ length: 2 * count }, (_, k) => part[k] + noise * part[2 * count + k]), labels: part.slice(4 * count) };
  });
  return { train, test };
}

function render({ model, el }) {
  const words = model.get("words"), root = make(el, "div", "dl-widget dl-play", { role: "group", "aria-label": words.title });
  const stop = new AbortController(), on = { signal: stop.signal }, still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const cells = lattice(CELLS, LIMIT);
  let run, points, rooms, scores, history, ended, playing = !still, visible = false, failure = {}, frame = 0, before = 0, due = 0, began = 0;
  let chosen, hovered = null, showTest = false, frozen = null; // chosen and hovered are { layer, unit }; frozen is one backward pass
  let colours, look, ratio, fields = [];
  const settings = () => ({ optimiser: model.get("optimiser"), rate: model.get("rate"), batchSize: model.get("batch_size"), decay: model.get("l2") });
  const sizes = () => run.net.sizes, output = () => ({ layer: sizes().length - 1, unit: 0 }), isOutput = ({ layer }) => layer === sizes().length - 1;
  const kind = ({ layer }) => (layer === 0 ? "input" : layer === sizes().length - 1 ? "output" : "hidden");
  const nameOf = (place) => fill(words[`unit_${kind(place)}`], { layer: place.layer, unit: place.unit + 1 });
  const symbol = (place) => (kind(place) === "output" ? "ŷ" : `${kind(place) === "input" ? "x" : "a"}${SUBSCRIPTS[place.unit + 1]}`);
  const shownUnit = () => hovered ?? chosen;

  // -- the run
  const restart = () => {
    const all = [2, ...model.get("hidden_sizes"), 1];
    run = makeRun({ sizes: all, activation: model.get("activation"), seed: model.get("seed"), points: points.train });
    rooms = { cells: makeRoom(all, CELLS * CELLS), one: makeRoom(all, 1) };
    rooms.cells.a[0].set(cells);
    history = []; ended = ""; began = 0; frozen = null; hovered = null; due = 0;
    chosen = output();
    takePoints();
    record();
    layOut();
  };
  const takePoints = () => {
    run.points = points.train;
    rooms.train = roomFor(sizes(), points.train);
    rooms.test = roomFor(sizes(), points.test);
    judge();
  };
  const judge = () => { scores = { train: evaluate(run.net, rooms.train, points.train.labels), test: evaluate(run.net, rooms.test, points.test.labels) }; };
  const record = () => {
    judge();
    if (!(scores.train.loss < HOPELESS)) return diverge();
    history.push({ epochs: run.epochs, train: scores.train.loss, test: scores.test.loss });
    if (history.length > 600) history = history.filter((_, k) => k % 2 === 0 || k === history.length - 1);
  };
  const load = () => { points = readPoints(model.get("points"), model.get("datasets").indexOf(model.get("dataset")), model.get("noise")); };

  const diverge = () => {
    judge();
    history.push({ epochs: run.epochs + 1, train: Infinity, test: Infinity });
    fail("diverged");
  };
  const fail = (reason, values = {}) => { // Train will start afresh
    run.diverged = true;
    failure = { rate: model.get("rate"), ...values };
    finish(reason);
  };
  const check = () => { // what training cannot get out of, or does not
    const dead = run.net.activation === "relu" ? rooms.train.a.findIndex((a, l) => l > 0 && l < sizes().length - 1 && a.every((v) => v === 0)) : -1;
    if (dead > 0) return fail("dead", { layer: dead });
    const recent = history.slice(-LATELY);
    if (recent.length < LATELY || recent[0].epochs <= began) return;
    if (recent.reduce((sum, { train }) => sum + train, 0) > 1.1 * Math.LN2 * LATELY) fail("overshoots", { count: LATELY });
  };
  const finish = (reason) => { ended = reason; playing = false; tell(); };
  const train = (milliseconds) => { // as many epochs as are due
    due = Math.min(due + milliseconds * EPOCHS_A_SECOND / 1000, MOST_A_FRAME);
    for (const start = performance.now(); due >= 1 && playing && performance.now() - start < BUDGET; due--) {
      if (!trainEpoch(run, settings())) return diverge();
      record();
      if (!run.diverged) check();
      if (run.diverged) return;
      if (scores.train.loss < SOLVED && history.at(-2)?.train >= SOLVED) finish("solved");
      else if (run.epochs - began >= LONG) finish("long");
    }
  };
  const loop = (now) => {
    frame = 0;
    const start = performance.now(), epochs = run.epochs;
    if (playing && !frozen) train(Math.min(now - before, 100));
    before = now;
    paint();
    if (run.epochs > epochs) root.dataset.frameMs = (performance.now() - start).toFixed(2); // of a frame that trains
    if ((playing && !frozen) || (frozen && !still && frozen.stage < frozen.last)) soon();
  };
  const soon = () => { if (!frame && visible && !document.hidden) frame = requestAnimationFrame(loop); };
  const play = (value) => {
    if (value && run.diverged) restart();
    playing = value;
    if (value) { ended = ""; began = run.epochs; frozen = null; before = performance.now(); }
    tell();
    soon();
  };
  const freshen = () => { // after a change of the network
    const going = playing || (ended !== "" && !still);
    restart();
    play(going);
  };
  const tell = () => {
    const state = frozen ? "backward" : ended || (playing ? "playing" : run.updates ? "paused" : "new"), { x, y } = frozen ?? {};
    const values = { seed: model.get("seed"), epochs: run.epochs, rate: model.get("rate"), limit: SOLVED };
    if (frozen) Object.assign(values, { colour: words[y ? "blue" : "orange"], x1: number(x[0]), x2: number(x[1]) },
      { value: short(frozen.prediction), loss: short(frozen.loss) });
    Object.assign(values, run.diverged && failure, state === "diverged" && { epochs: run.epochs + 1 });
    const text = fill(words[`state_${state}`], values);
    if (parts.status.textContent !== text) parts.status.textContent = text;
    parts.status.classList.toggle("dl-play-failed", run.diverged);
    parts.train.textContent = playing && !frozen ? words.pause : words.train;
    parts.train.setAttribute("aria-pressed", String(playing && !frozen));
    parts.backward.textContent = frozen ? words.backward_end : words.backward;
    parts.next.style.visibility = frozen ? "visible" : "hidden";
    root.dataset.state = state;
  };

  // -- one backward pass
  const errors = () => Array.from(points.train.labels, (y, k) => loss([rooms.train.z.at(-1)[k]], [y]));
  const freeze = (example) => {
    const { inputs, labels } = points.train, all = labels.length, { one } = rooms, y = labels[example];
    one.a[0].set([inputs[example], inputs[all + example]]);
    const z = forward(run.net, one), x = Array.from(one.a[0]), last = 2 * sizes().length;
    backward(run.net, one, [y]);
    frozen = { example, x, y, prediction: 1 / (1 + Math.exp(-z[0])), loss: loss(z, [y]), since: performance.now(), last, stage: still ? last : 0 };
    tell(); inspect(); soon();
  };
  const order = () => errors().map((e, k) => [e, k]).sort((a, b) => b[0] - a[0]).map(([, k]) => k); // the most wrong first

  const act = {
    toggle: () => { if (frozen) { frozen = null; play(true); inspect(); } else play(!playing); },
    step: () => {
      if (frozen) { frozen = null; inspect(); }
      if (run.diverged) restart();
      playing = false; ended = "";
      if (!trainStep(run, settings())) diverge();
      else if (run.position === 0) record();
      judge(); tell(); soon();
    },
    restart: () => { act.send({ seed: (model.get("seed") + 1) % 2 ** 32 }); },
    backward: () => { if (frozen) { frozen = null; tell(); inspect(); play(playing); } else { judge(); freeze(order()[0]); } },
    next: () => { const all = order(); freeze(all[(all.indexOf(frozen.example) + 1) % all.length]); },
    depth: (change) => {
      const hidden = model.get("hidden_sizes"), longer = hidden.length + change;
      if (longer >= 0 && longer <= 4) act.send({ hidden_sizes: change > 0 ? [...hidden, hidden.at(-1) ?? 4] : hidden.slice(0, -1) });
    },
    width: (layer, change) => {
      const hidden = model.get("hidden_sizes"), units = hidden[layer - 1] + change;
      if (units >= 1 && units <= LARGEST) act.send({ hidden_sizes: hidden.map((old, l) => (l === layer - 1 ? units : old)) });
    },
    dataset: (dataset) => act.send({ dataset, noise: model.get("noises")[dataset] }),
    test: (value) => { showTest = value; soon(); },
    send: (values) => { model.set(values); model.save_changes(); },
  };
  const parts = build(root, words, model, act, stop.signal);

  // -- the network's buttons
  let arrangement, buttons = [], narrow = 0;
  const layOut = () => {
    const all = sizes(), { columns } = arrange(all, 600), focus = buttons.flat().includes(document.activeElement);
    const kept = document.activeElement?.dataset?.width;
    parts.units.textContent = "";
    buttons = [];
    columns.forEach((column, layer) => {
      const left = `${100 * (layer + 0.5) / all.length}%`, type = kind({ layer }), at = (node) => { node.style.left = left; return node; };
      at(make(parts.units, "span", "dl-small dl-play-column", {}, fill(words[`column_${type}`], { layer })));
      const resize = (change, text, label, style) => {
        const attributes = { type: "button", "aria-label": fill(label, { layer }), "data-width": `${layer} ${change}` };
        const node = at(make(parts.units, "button", style, attributes, text));
        node.setAttribute("aria-disabled", String(all[layer] + change < 1 || all[layer] + change > LARGEST));
        node.addEventListener("click", () => act.width(layer, change));
      };
      if (type === "hidden") { resize(1, "+", words.more_units, "dl-play-more"); resize(-1, "−", words.fewer_units, "dl-play-fewer"); }
      buttons.push(column.map(({ y }, unit) => {
        const place = { layer, unit }, node = at(make(parts.units, "button", "dl-play-unit", { type: "button", "aria-label": nameOf(place) }));
        node.style.top = `${y}px`;
        node.style.width = `min(${100 / all.length}%, 64px)`;
        const hover = (now) => { hovered = now; if (frozen) inspect(); soon(); };
        node.addEventListener("pointerenter", (event) => { if (event.pointerType !== "touch") hover(place); });
        node.addEventListener("pointerleave", () => { if (hovered === place) hover(null); });
        for (const name of ["click", "focus"]) node.addEventListener(name, () => choose(place));
        return node;
      }));
    });
    if (kept) parts.units.querySelector(`[data-width="${kept}"]`)?.focus();
    else if (focus) buttons.at(-1)[0].focus();
    parts.depth.textContent = all.length - 2;
    parts.fewer.setAttribute("aria-disabled", String(all.length === 2));
    parts.more.setAttribute("aria-disabled", String(all.length === 6));
    choose(chosen);
  };
  const choose = (place) => {
    chosen = place;
    buttons.forEach((column, layer) => column.forEach((node, unit) => {
      const is = layer === place.layer && unit === place.unit;
      node.tabIndex = is ? 0 : -1;
      node.setAttribute("aria-pressed", String(is));
    }));
    inspect();
    soon();
  };
  parts.stage.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Escape") return buttons.at(-1)[0].focus();
    if (!move || !event.target.classList.contains("dl-play-unit") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const layer = Math.min(Math.max(chosen.layer + move[0], 0), buttons.length - 1), count = buttons[layer].length;
    const scaled = move[0] ? Math.round((chosen.unit + 0.5) / buttons[chosen.layer].length * count - 0.5) : chosen.unit + move[1];
    buttons[layer][Math.min(Math.max(scaled, 0), count - 1)].focus();
  }, on);

  // -- the chosen unit: its weights, or its δ written out
  let inspected = [];
  const inspect = () => {
    const place = frozen ? shownUnit() : chosen, name = nameOf(place), type = kind(place), box = parts.inspector, below = run.net.layers[place.layer - 1];
    box.textContent = "";
    inspected = [];
    if (frozen) {
      for (const line of derive(place, name, type)) make(box, "p", "", {}, line);
      make(box, "p", "dl-small", {}, words.backward_hint);
      return;
    }
    const intro = type === "hidden" ? words.weights : words[`weights_${type}`];
    make(box, "p", "", {}, fill(intro, { name, activation: words[`activation_${run.net.activation}`] }));
    if (!below) return;
    const row = make(box, "div", "dl-play-weights");
    for (let i = 0; i <= below.inputs; i++) {
      const source = { layer: place.layer - 1, unit: i }, isBias = i === below.inputs, array = isBias ? below.bias : below.weight;
      const at = isBias ? place.unit : place.unit * below.inputs + i, cell = make(row, "label", "");
      const input = make(cell, "input", "dl-cell", { type: "text", inputmode: "decimal", autocomplete: "off" });
      input.setAttribute("aria-label", isBias ? fill(words.bias_label, { name }) : fill(words.weight_label, { name, source: nameOf(source) }));
      make(cell, "span", "dl-small", { "aria-hidden": "true" }, isBias ? words.bias : `· ${symbol(source)}`);
      const set = (value) => { array[at] = value; judge(); soon(); };
      input.addEventListener("input", () => {
        const value = Number(input.value.trim().replace("−", "-").replace(",", "."));
        if (input.value.trim() === "" || !(Math.abs(value) <= 1000)) return input.setAttribute("aria-invalid", "true");
        input.removeAttribute("aria-invalid");
        set(value);
      });
      input.addEventListener("keydown", (event) => {
        const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        set(Math.min(Math.max(Number((array[at] + step * (event.shiftKey ? 1 : 0.1)).toFixed(4)), -1000), 1000));
        input.value = array[at].toFixed(2).replace("-", "−");
        input.removeAttribute("aria-invalid");
      });
      input.addEventListener("blur", () => { input.removeAttribute("aria-invalid"); soon(); });
      inspected.push({ input, array, at });
    }
    showWeights();
  };
  const showWeights = () => {
    for (const { input, array, at } of inspected) {
      const text = array[at].toFixed(2).replace("-", "−");
      if (input.value === text || document.activeElement === input) continue;
      input.value = text;
      input.style.setProperty("--dl-tint", `${Math.round(30 * Math.abs(array[at]) / (Math.abs(array[at]) + 1))}%`);
      input.classList.toggle("dl-negative", array[at] < 0);
    }
  };
  const derive = (place, name, type) => { // the lines that write out the δ of a unit
    const { one } = rooms, { layer, unit } = place;
    if (type === "input") return [fill(words.input_value, { name: symbol(place), value: short(frozen.x[unit]) })];
    const delta = one.delta[layer - 1], values = { delta: short(delta[unit]), value: short(frozen.prediction), label: frozen.y };
    const incoming = fill(words.gradients, { values: Array.from(one.a[layer - 1], (a) => short(a * delta[unit])).join(", ") });
    if (type === "output") return [`${name}: ${fill(words.delta_output, values)}`, incoming];
    const { weight, inputs, outputs } = run.net.layers[layer];
    const terms = Array.from({ length: outputs }, (_, k) => `${short(weight[k * inputs + unit])}·${signed(one.delta[layer][k])}`);
    values.sum = terms.join(" + ").replaceAll("+ −", "− ");
    values.slope = short(slope(run.net.activation, one.a[layer][unit]));
    return [`${name}: ${fill(words.delta_hidden, values)}`, incoming];
  };

  // -- pictures
  const fit = (canvas, width, height) => {
    const w = Math.max(1, Math.round(width * ratio)), h = Math.max(1, Math.round(height * ratio));
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, w, h);
    return context;
  };
  const size = {};
  const measure = () => { // what depends on the page's theme and on the widget's width
    const style = getComputedStyle(root), colour = (name) => style.getPropertyValue(`--dl-${name}`).trim();
    ratio = window.devicePixelRatio || 1;
    look = LOOKS[isDark(root) ? "dark" : "light"];
    colours = Object.fromEntries(["ink", "paper", "line", "muted", "accent"].map((name) => [name, colour(name)]));
    Object.assign(colours, { font: style.fontFamily, positive: `rgb(${look.map[2]})`, negative: `rgb(${look.map[0]})` });
    for (const name of ["network", "field", "curves"]) size[name] = [parts[name].clientWidth, parts[name].clientHeight];
    root.style.colorScheme = isDark(root) ? "dark" : "light";
    root.style.setProperty("--dl-low", `rgb(${look.field[0]})`);
    root.style.setProperty("--dl-middle", `rgb(${look.field[1]})`);
    root.style.setProperty("--dl-high", `rgb(${look.field[2]})`);
    root.style.setProperty("--dl-one", look.classes[1]);
    root.style.setProperty("--dl-zero", look.classes[0]);
    parts.thumbnails.forEach((canvas, which) => {
      const context = fit(canvas, 40, 40), noise = model.get("noises")[model.get("datasets")[which]];
      const { train } = readPoints(model.get("points"), which, noise);
      context.fillStyle = look.ring;
      context.fillRect(0, 0, canvas.width, canvas.height);
      const few = 100, all = train.labels.length;
      const inputs = Float64Array.from({ length: 2 * few }, (_, k) => train.inputs[k < few ? k : k - few + all]);
      const sample = { labels: train.labels.subarray(0, few), inputs };
      drawPoints(context, canvas.width, LIMIT, sample, look, 1.5 * ratio, false);
    });
    soon();
  };
  const field = (layer, unit) => { // what a unit makes of every cell: numbers in −largest … largest
    const count = CELLS * CELLS, from = unit * count;
    if (layer === 0) return { values: rooms.cells.a[0], from, largest: LIMIT };
    if (layer === sizes().length - 1) return { values: fields, from: 0, largest: 1 };
    const values = rooms.cells.a[layer];
    if (run.net.activation === "tanh" || run.net.activation === "sigmoid") return { values, from, largest: 1 };
    let largest = 1e-9;
    for (let k = from; k < from + count; k++) largest = Math.max(largest, Math.abs(values[k]));
    return { values, from, largest };
  };
  const paint = () => {
    const count = CELLS * CELLS, logits = forward(run.net, rooms.cells), place = shownUnit(), { layer, unit } = place;
    const type = kind(place);
    if (fields.length !== count) fields = new Float64Array(count);
    for (let k = 0; k < count; k++) fields[k] = Math.tanh(logits[k] / 2); // 2 ŷ − 1
    const context = fit(parts.network, ...size.network);
    arrangement = arrange(sizes(), size.network[0]);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const marked = isOutput(place) && !hovered ? null : place;
    drawEdges(context, arrangement, run.net.layers, colours, marked, frozen !== null);
    if (frozen) paintNumbers(context);
    else {
      drawMaps(context, arrangement, CELLS, field, look.mapTable, colours.muted);
      context.font = `600 13px ${colours.font}`;
      context.textAlign = "center"; context.textBaseline = "middle";
      context.lineWidth = 3; context.strokeStyle = colours.paper; context.fillStyle = colours.ink;
      for (const [l, u] of [[0, 0], [0, 1], [sizes().length - 1, 0]]) {
        const { x, y } = arrangement.columns[l][u], text = symbol({ layer: l, unit: u });
        context.strokeText(text, x, y); context.fillText(text, x, y);
      }
    }
    const { x, y } = arrangement.columns[layer][unit], width = (frozen ? boxWidth() : arrangement.side) + 6, height = frozen ? 44 : width;
    context.beginPath();
    context.roundRect(x - width / 2, y - height / 2, width, height, 8);
    context.lineWidth = 2.5; context.strokeStyle = colours.ink;
    context.stroke();

    const large = fit(parts.field, ...size.field), side = parts.field.width, { values, from, largest } = field(layer, unit);
    const zero = layer === 0 ? cells.subarray(from, from + count) : rooms.cells.z[layer - 1].subarray(from, from + count);
    drawField(large, side, values.subarray(from, from + count), CELLS, look.fieldTable, largest, zero, colours.ink, ratio);
    const radius = Math.max(2.6, size.field[0] / 76) * ratio;
    if (showTest) drawPoints(large, side, LIMIT, points.test, look, radius * 0.85, true);
    drawPoints(large, side, LIMIT, points.train, look, radius, false);
    if (frozen) {
      large.beginPath();
      large.arc(...frozen.x.map((v, k) => ((k ? -v : v) / LIMIT + 1) / 2 * side), 2.4 * radius, 0, 2 * Math.PI);
      large.lineWidth = 5 * ratio; large.strokeStyle = colours.paper; large.stroke();
      large.lineWidth = 2.5 * ratio; large.strokeStyle = colours.ink; large.stroke();
    }
    const name = nameOf(place);
    write(parts.caption, fill(words[`field_${type}`], { name }));
    write(parts.scale, fill(type === "output" ? words.scale_output : words.scale_hidden, { largest: number(largest, 1) }));
    if (parts.field.ariaLabel !== fill(words.field_label, { name })) parts.field.ariaLabel = fill(words.field_label, { name });

    const curves = fit(parts.curves, ...size.curves);
    curves.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawCurves(curves, ...size.curves, history, colours, words);
    [scores.train, scores.test].forEach((score, k) => {
      write(parts.scores[k].loss, score.loss < 0.0005 ? "< 0.001" : score.loss > 100 ? "> 100" : score.loss.toFixed(3));
      write(parts.scores[k].accuracy, `${(100 * score.accuracy).toFixed(1)} %`);
    });
    write(parts.epoch, run.epochs.toLocaleString("en"));
    write(parts.update, run.updates.toLocaleString("en"));
    showWeights();
    Object.assign(root.dataset, { epochs: run.epochs, updates: run.updates, train: scores.train.accuracy, test: scores.test.accuracy });
  };
  const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  const boxWidth = () => Math.min(arrangement.step - 6, 60);
  const paintNumbers = (context) => { // forward from left to right, then δ from right to left
    const { one } = rooms, end = sizes().length - 1, stage = still ? frozen.last : (performance.now() - frozen.since) / STAGE;
    frozen.stage = Math.min(stage, frozen.last);
    const largest = Math.max(...one.delta.map((d) => Math.max(...d.map(Math.abs))), 1e-12);
    arrangement.columns.forEach((column, layer) => column.forEach((at, unit) => {
      const value = layer === end ? frozen.prediction : one.a[layer][unit], upper = stage >= layer ? short(value) : "";
      if (layer === 0) return drawNumbers(context, at, boxWidth(), [upper], 0, colours);
      const delta = one.delta[layer - 1][unit], known = stage >= 2 * end + 1 - layer;
      return drawNumbers(context, at, boxWidth(), [upper, known ? short(delta) : ""], known ? delta / largest : 0, colours);
    }));
  };
  parts.field.addEventListener("pointerdown", (event) => { // the nearest training point is the example
    if (!frozen) return;
    const box = parts.field.getBoundingClientRect(), { inputs, labels } = points.train, all = labels.length;
    const x1 = LIMIT * (2 * (event.clientX - box.left) / box.width - 1), x2 = -LIMIT * (2 * (event.clientY - box.top) / box.height - 1);
    const distance = (k) => (inputs[k] - x1) ** 2 + (inputs[all + k] - x2) ** 2;
    freeze(Array.from(labels, (_, k) => k).reduce((best, k) => (distance(k) < distance(best) ? k : best)));
  }, on);

  // -- the world around: settings changed here or in Python
  const show = () => { for (const [name, set] of Object.entries(parts.sets)) set(model.get(name)); };
  let changed = new Set();
  const apply = () => {
    if (stop.signal.aborted) return;
    const names = changed;
    changed = new Set();
    show();
    const fresh = STRUCTURE.some((name) => names.has(name)) || names.has("dataset");
    if (POINTS.some((name) => names.has(name))) load();
    if (fresh) return freshen();
    if (names.has("noise")) { takePoints(); if (frozen) freeze(frozen.example); }
    if (names.has("optimiser")) run.memory = makeMemory(run.net);
    if (names.has("batch_size")) run.position = 0;
    tell();
    soon();
  };
  const listeners = [...STRUCTURE, ...POINTS, ...SETTINGS].map((name) => {
    const listener = () => { if (!changed.size) queueMicrotask(apply); changed.add(name); };
    model.on(`change:${name}`, listener);
    return [`change:${name}`, listener];
  });
  onLook(root, measure, stop.signal);
  const watch = new IntersectionObserver(([entry]) => {
    visible = entry.isIntersecting;
    before = performance.now();
    if (visible) soon(); else { cancelAnimationFrame(frame); frame = 0; }
  }, { threshold: 0.1 });
  watch.observe(root);
  document.addEventListener("visibilitychange", () => { before = performance.now(); soon(); }, on);

  load();
  restart();
  if (still) { for (let k = 0; k < HEAD_START && trainEpoch(run, settings()); k++) record(); }
  show();
  tell();
  measure();
  return () => {
    stop.abort(); watch.disconnect(); cancelAnimationFrame(frame);
    for (const [name, listener] of listeners) model.off(name, listener);
  };
}

export default { render };
