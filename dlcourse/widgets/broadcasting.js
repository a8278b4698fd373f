// Two shapes to edit, how broadcasting aligns them, and a picture of what is computed.

const AXES = 4, LARGEST = 9999, STRETCH_MS = 700;
const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

// Returns a CSS colour as [red, green, blue].
function toRgb(colour) {
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

function render({ model, el }) {
  const words = model.get("words"), root = make(el, "div", "dl-widget dl-bc", { role: "group", "aria-label": words.title });
  const stop = new AbortController(), on = { signal: stop.signal }, still = matchMedia("(prefers-reduced-motion: reduce)");
  const shapes = () => ({ left: model.get("left"), right: model.get("right") });
  let rule = null, index = [], frame = 0, playing = 0, started = 0, part = 1, shown = "", boxes = {};

  const tuple = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const signed = (axis) => String(axis).replace("-", "−");
  const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const memory = (elements) => {
    const names = ["bytes", "kilobytes", "megabytes", "gigabytes", "terabytes"];
    let size = 4 * elements, k = 0;
    while (size >= 1024 && k < names.length - 1) { size /= 1024; k++; }
    return fill(words[names[k]], { value: size < 10 ? number(size, 2) : size < 100 ? number(size, 1) : grouped(Math.round(size)) });
  };
  const send = (values) => { model.set(values); model.save_changes(); soon(); };

  make(root, "p", "dl-try", {}, words.try);
  const presets = make(root, "div", "dl-bc-presets", { role: "group", "aria-label": words.presets });
  const buttons = model.get("presets").map((preset) => {
    const button = make(presets, "button", "", { type: "button" }, words[`preset_${preset.name}`] ?? preset.name);
    button.addEventListener("click", () => send({ left: preset.left, right: preset.right }), on);
    return { button, preset };
  });

  // -- the two shapes, aligned from the right
  const table = make(root, "div", "dl-bc-table");
  const line = (name, className = "") => {
    const group = make(table, "div", `dl-bc-row ${className}`, name ? { role: "group", "aria-label": fill(words.shape, { name }) } : {});
    return { group, head: make(group, "div", "dl-bc-head") };
  };
  const axes = Array.from({ length: AXES }, (_, k) => k - AXES);
  const heads = line("", "dl-bc-axes");
  const axisNames = axes.map((axis) => make(heads.group, "span", "dl-small", {}, fill(words.axis, { axis: signed(axis) })));
  const rows = Object.fromEntries(["left", "right"].map((which) => {
    const name = words[which], { group, head } = line(name, `dl-bc-${which}`);
    make(head, "strong", "", {}, name);
    const step = (text, label, change) => {
      const button = make(head, "button", "", { type: "button", "aria-label": fill(label, { name }) }, text);
      button.addEventListener("click", () => send({ [which]: change(shapes()[which]) }), on);
      return button;
    };
    const remove = step("−", words.remove, (shape) => shape.slice(1)), add = step("+", words.add, (shape) => [1, ...shape]);
    const cells = axes.map((axis) => {
      const cell = make(group, "div", "dl-bc-cell");
      const input = make(cell, "input", "", { type: "text", inputmode: "numeric", autocomplete: "off", "aria-label": fill(words.size, { name, axis: signed(axis) }) });
      const ghost = make(cell, "span", "dl-bc-missing", {}, "1");
      make(ghost, "span", "dl-hidden", {}, `: ${fill(words.missing, { name, axis: signed(axis) })}`);
      const set = (size) => send({ [which]: shapes()[which].with(axis, size) });
      input.addEventListener("input", () => {
        const text = input.value.trim(), good = /^\d{1,4}$/.test(text);
        input.toggleAttribute("aria-invalid", !good);
        if (good) set(Number(text));
      }, on);
      input.addEventListener("keydown", (event) => {
        const move = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        if (!move) return;
        event.preventDefault();
        const size = Math.min(Math.max(shapes()[which].at(axis) + move * (event.shiftKey ? 10 : 1), 0), LARGEST);
        input.value = String(size);
        input.removeAttribute("aria-invalid");
        set(size);
      }, on);
      input.addEventListener("focus", () => input.select(), on);
      input.addEventListener("blur", () => soon(), on); // what is no size gives way to the size in force
      return { cell, input, ghost };
    });
    return [which, { cells, remove, add }];
  }));
  const verdicts = line("", "dl-bc-verdicts");
  const verdictCells = axes.map(() => make(verdicts.group, "span", "dl-small"));
  const sums = line(words.sum, "dl-bc-result");
  make(sums.head, "strong", "", {}, words.sum);
  const sumCells = axes.map(() => make(sums.group, "span", "dl-bc-size"));
  const places = line("", "dl-bc-index");
  const placesName = make(places.head, "span", "dl-small", {}, words.index);
  const sliders = axes.map((axis) => {
    const box = make(places.group, "div"), text = make(box, "span", "dl-small");
    const input = make(box, "input", "", { type: "range", min: 0, step: 1, "aria-label": fill(words.index_label, { axis: signed(axis) }) });
    input.addEventListener("input", () => choose(index.with(axis, Number(input.value)), false), on);
    return { axis, box, text, input };
  });
  const message = make(root, "p", "dl-bc-message");

  // -- the pictures
  const keys = unique(), pictures = make(root, "div", "dl-bc-pictures");
  const panel = (which, role) => {
    const part = make(pictures, "div", `dl-bc-picture dl-bc-${which}`), caption = make(part, "p", "dl-bc-caption");
    const name = make(caption, "strong"), facts = make(caption, "span", "dl-small");
    return { canvas: make(part, "canvas", "", { role }), name, facts };
  };
  const sign = (text) => make(pictures, "span", "dl-bc-sign", { "aria-hidden": "true" }, text);
  const panels = { left: panel("left", "img") };
  sign("+");
  panels.right = panel("right", "img");
  sign("=");
  panels.sum = panel("sum", "application");
  const target = panels.sum.canvas;
  for (const [name, value] of Object.entries({ tabindex: 0, "aria-label": words.picture_result, "aria-describedby": keys, "aria-roledescription": words.picture_role }))
    target.setAttribute(name, value);
  const sentence = make(root, "p", "dl-bc-sentence"), cost = make(root, "p", "dl-bc-cost");
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  make(foot, "p", "dl-small", {}, words.contents);
  make(foot, "p", "dl-small", { id: keys }, words.keys);
  const status = make(root, "p", "dl-hidden", { role: "status" });

  let look, tints;
  const dress = () => {
    const style = getComputedStyle(root), colour = (name) => style.getPropertyValue(`--dl-${name}`).trim();
    look = { ink: colour("ink"), paper: colour("paper"), muted: colour("muted"), wrong: colour("warm"), family: style.fontFamily };
    tints = tintsOf(toRgb(look.paper), ["accent", "warm"].map((name) => toRgb(colour(name))), isDark(root));
  };

  const paint = () => {
    const { left, right, shape } = rule;
    const largest = [0, 1].map((k) => Math.max(sheet(left)[k], sheet(right)[k])), chosen = shape && count(shape) ? index : null;
    const a = (whole) => place(source(whole, left), left), b = (whole) => 10 * place(source(whole, right), right);
    const clashes = rule.columns.filter(({ size }) => size === null).map(({ axis }) => axis);
    const common = { largest, part, index: chosen, clashes }, digits = (v) => String(v);
    boxes = {
      left: paintTensor(panels.left.canvas, look, { ...common, shape: left, result: shape ?? left, tints: [tints[0]], parents: [left], value: (i) => digits(a(i)) }),
      right: paintTensor(panels.right.canvas, look, { ...common, shape: right, result: shape ?? right, tints: [tints[1]], parents: [right], value: (i) => digits(b(i)) }),
    };
    if (shape) boxes.sum = paintTensor(target, look, { ...common, shape, result: shape, tints, parents: [left, right], value: (i) => digits(a(i) + b(i)) });
    else paintNothing(target, look, words.no_result);
  };

  const describe = () => {
    const { left, right, shape } = rule;
    sentence.textContent = "";
    if (!shape || !count(shape)) return "";
    const from = { left: source(index, left), right: source(index, right) }, written = (name, at) => (at.length ? `${name}[${at.join(", ")}]` : name);
    const a = place(from.left, left), b = 10 * place(from.right, right);
    const terms = [["sum", index.length ? written(`(${words.sum})`, index) : words.sum], ["", " = "], ["left", written(words.left, from.left)], ["", " + "], ["right", written(words.right, from.right)],
      ["", " = "], ["left", grouped(a)], ["", " + "], ["right", grouped(b)], ["", " = "], ["sum", grouped(a + b)]];
    for (const [kind, text] of terms) make(sentence, "span", kind && `dl-bc-ink-${kind}`, {}, text);
    for (const { axis, text, input } of sliders.slice(AXES - index.length)) {
      input.max = shape.at(axis) - 1; input.value = index.at(axis);
      text.textContent = String(index.at(axis));
    }
    return sentence.textContent;
  };

  const explain = () => {
    const { left, right, shape, columns } = rule;
    if (!shape) {
      const clashes = columns.filter(({ size }) => size === null);
      return fill(words.fails, { axes: clashes.map(({ axis, left: a, right: b }) => fill(words.fails_axis, { axis: signed(axis), left: a, right: b })).join(" ") });
    }
    const squeezed = [left, right].map((s) => s.filter((size) => size !== 1));
    const trap = left.length !== right.length && squeezed.every((s) => s.length === 1) && squeezed[0][0] === squeezed[1][0] && count(shape) > squeezed[0][0];
    const extra = count(shape) === 0 ? words.empty : trap ? fill(words.trap, { size: squeezed[0][0], count: grouped(count(shape)) }) : "";
    return [fill(words.fits, { result: tuple(shape) }), extra].filter(Boolean).join(" ");
  };

  const write = () => { // everything but the pictures
    const { left, right, shape, columns } = rule, missing = AXES - columns.length;
    axes.forEach((axis, k) => {
      const column = columns[k - missing], clash = column && column.size === null;
      axisNames[k].classList.toggle("dl-bc-away", !column);
      for (const which of ["left", "right"]) {
        const { cell, input, ghost } = rows[which].cells[k], size = rule[which].at(axis), there = size !== undefined;
        input.hidden = !there;
        ghost.hidden = there || !column;
        cell.className = "dl-bc-cell";
        if (clash) cell.classList.add("dl-bc-clash");
        if (column && (size ?? 1) === 1 && !clash && column.size !== 1) cell.classList.add("dl-bc-stretched");
        if (there && document.activeElement !== input) { input.value = String(size); input.removeAttribute("aria-invalid"); }
      }
      const [a, b] = [column?.left ?? 1, column?.right ?? 1];
      verdictCells[k].textContent = !column ? "" : clash ? fill(words.unequal, { left: a, right: b })
        : a === b ? words.equal : fill(words.stretched, { name: a === 1 ? words.left : words.right, size: column.size });
      verdictCells[k].classList.toggle("dl-bc-wrong", Boolean(clash));
      sumCells[k].textContent = !column ? "" : clash ? "×" : String(column.size);
      sumCells[k].className = `dl-bc-size${!column ? " dl-bc-away" : clash ? " dl-bc-clash" : shape ? "" : " dl-bc-idle"}`;
    });
    for (const which of ["left", "right"]) {
      rows[which].remove.disabled = rule[which].length === 0;
      rows[which].add.disabled = rule[which].length === AXES;
    }
    for (const { button, preset } of buttons)
      button.setAttribute("aria-pressed", String(tuple(preset.left) === tuple(left) && tuple(preset.right) === tuple(right)));
    message.textContent = explain();
    message.classList.toggle("dl-bc-wrong", !shape);
    const facts = (elements) => fill(elements === 1 ? words.element : words.elements, { count: grouped(elements), memory: memory(elements) });
    for (const [which, value] of [["left", left], ["right", right], ["sum", shape]]) {
      panels[which].name.textContent = value ? `${words[which]} ${tuple(value)}` : words[which];
      panels[which].facts.textContent = value ? facts(count(value)) : words.no_result;
      if (which !== "sum") panels[which].canvas.setAttribute("aria-label", fill(words.picture, { name: words[which], shape: tuple(value) }));
    }
    const inputs = count(left) + count(right), times = shape ? count(shape) / inputs : 0;
    cost.textContent = fill(!shape ? words.memory_fails : times >= 2 ? words.memory_times : words.memory,
      { inputs: memory(inputs), result: shape && memory(count(shape)), times: times >= 100 ? grouped(Math.round(times)) : number(times, 1) });
    placesName.classList.toggle("dl-bc-away", !shape || !count(shape) || !shape.length);
    for (const { axis, box } of sliders) box.classList.toggle("dl-bc-away", !shape || !count(shape) || shape.length < -axis);
  };

  const update = () => {
    frame = 0;
    const start = performance.now(), { left, right } = shapes(), key = `${tuple(left)}${tuple(right)}`, changed = key !== shown;
    if (changed) {
      rule = { left, right, ...broadcast(left, right) }; // all that is shown, until the next update
      if (rule.shape) index = rule.shape.map((size) => Math.floor((size - 1) * 0.62)); // away from the corner, where every index is 0
    }
    dress();
    write();
    describe();
    if (changed) {
      if (shown) status.textContent = message.textContent;
      shown = key;
      if (started) play();
    }
    paint();
    root.dataset.updateMs = (performance.now() - start).toFixed(2);
  };
  const soon = () => { if (!frame) frame = requestAnimationFrame(update); };

  // -- the stretching, shown once after every change
  const play = () => {
    cancelAnimationFrame(playing);
    if (still.matches || !rule.shape) { part = 1; return; }
    const begin = performance.now();
    part = 0;
    const tick = (now) => {
      const t = Math.min(Math.max((now - begin) / STRETCH_MS, 0), 1);
      part = 1 - (1 - t) ** 3;
      paint();
      if (t < 1) playing = requestAnimationFrame(tick);
    };
    playing = requestAnimationFrame(tick);
  };
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    started = 1;
    seen.disconnect();
    play();
  }, { threshold: 0.6 });
  seen.observe(pictures);
  stop.signal.addEventListener("abort", () => seen.disconnect());

  // -- the chosen element
  const choose = (next, speak) => {
    const { shape } = rule;
    if (!shape || !count(shape)) return;
    index = next.map((i, k) => Math.min(Math.max(i, 0), shape[k] - 1));
    paint();
    const text = describe();
    if (speak) status.textContent = text;
  };
  for (const which of ["left", "right", "sum"]) for (const name of ["pointermove", "pointerdown"])
    panels[which].canvas.addEventListener(name, (event) => {
      if (!rule.shape) return;
      const frameBox = panels[which].canvas.getBoundingClientRect(), { x, y, width, height } = boxes[which], [m, n] = sheet(rule.shape);
      const at = [Math.floor((event.clientY - frameBox.top - y) / height * m), Math.floor((event.clientX - frameBox.left - x) / width * n)];
      choose([...index.slice(0, -2), ...at.slice(2 - Math.min(index.length, 2))], false);
    }, on);
  target.addEventListener("keydown", (event) => {
    const [axis, move] = { ArrowLeft: [-1, -1], ArrowRight: [-1, 1], ArrowUp: [-2, -1], ArrowDown: [-2, 1], PageUp: [-3, -1], PageDown: [-3, 1] }[event.key] ?? [];
    if (!axis || event.ctrlKey || event.metaKey || event.altKey || !rule.shape) return;
    event.preventDefault();
    if (index.length >= -axis) choose(index.with(axis, index.at(axis) + move * (event.shiftKey ? 10 : 1)), true);
  }, on);

  for (const name of ["left", "right"]) model.on(`change:${name}`, soon);
  onLook(root, soon, stop.signal);
  update();
  return () => {
    stop.abort(); cancelAnimationFrame(frame); cancelAnimationFrame(playing);
    for (const name of ["left", "right"]) model.off(`change:${name}`, soon);
  };
}

export default { render };
