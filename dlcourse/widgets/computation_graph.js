// A graph of numbers, stepped forward through its values and backward through its gradients.

const NODE = { width: 72, height: 92 }, ROW = 106, GAP = { least: 50, most: 118 }, MARGIN = 3, NUDGE = 0.01, LIMIT = 1e6;
const SYMBOLS = { "*": "×", "-": "−", neg: "−", sigmoid: "σ" };

// Returns how an operation on named operands is written.
function written(op, operands) {
  const [a, b] = operands, sign = SYMBOLS[op] ?? op;
  if (op.startsWith("**")) return operation(op).written(/^[\p{L}\p{N}_.]+$/u.test(a) ? a : `(${a})`);
  if (op === "neg") return `−${a.startsWith("−") ? `(${a})` : a}`;
  return operands.length === 2 ? `${a} ${sign} ${b.startsWith("−") ? `(${b})` : b}` : `${sign}(${a})`;
}

function render({ model, el }) {
  const words = model.get("words"), root = make(el, "div", "dl-widget dl-cg", { role: "group", "aria-label": model.get("title") || words.name });
  const stop = new AbortController(), on = { signal: stop.signal }, still = matchMedia("(prefers-reduced-motion: reduce)");
  const nodes = model.get("nodes"), last = nodes.length - 1, plan = layout(nodes);
  const leaves = nodes.flatMap(({ parents }, k) => (parents.length ? [] : [k])), order = nodes.flatMap(({ parents }, k) => (parents.length ? [k] : []));
  let counter = 0, values = [], back = null, finite = true, step = 0, frame = 0, watched = leaves.find((k) => nodes[k].name) ?? leaves[0], spoken = "";
  const names = nodes.map(({ name, parents }, k) => name || (!parents.length ? "" : k === last ? words.output : fill(words.intermediate, { count: String(++counter).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]) })));

  const show = (v) => {
    if (Number.isNaN(v)) return words.no_value;
    if (!Number.isFinite(v)) return v > 0 ? "∞" : "−∞";
    const size = Math.abs(v);
    if (size === 0 || (size >= 0.001 && size < 1e5)) return number(v, size >= 100 ? 1 : size >= 10 ? 2 : size < 0.1 ? 4 : 3);
    const [digits, power] = v.toExponential(1).split("e");
    return `${number(Number(digits), 1)}·10${raised(Number(power))}`;
  };
  const bracket = (text) => (text.startsWith("−") ? `(${text})` : text);
  const called = (k) => names[k] || show(values[k]);

  // -- the page
  if (model.get("title")) make(root, "p", "dl-cg-title", {}, model.get("title"));
  make(root, "p", "dl-try", {}, words.try);
  const scroll = make(root, "div", "dl-cg-scroll", { tabindex: 0, role: "region", "aria-label": words.graph });
  const stage = make(scroll, "div", "dl-cg-stage");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  stage.append(svg);
  const draw = (tag, className) => {
    const shape = document.createElementNS("http://www.w3.org/2000/svg", tag);
    shape.setAttribute("class", className);
    svg.append(shape);
    return shape;
  };
  const edges = nodes.flatMap(({ parents }, node) => parents.map((parent, slot) => ({ node, parent, slot, line: draw("path", "dl-cg-edge"), head: draw("path", "dl-cg-arrow") })));
  for (const edge of edges) edge.label = draw("text", "dl-cg-local");
  const boxes = nodes.map(({ op, parents }, k) => {
    const leaf = !parents.length, box = make(stage, "div", `dl-cg-node ${leaf ? "dl-cg-leaf" : "dl-cg-operation"}`), head = make(box, "p", "dl-cg-head");
    if (!leaf) make(head, "strong", "", {}, op.startsWith("**") ? operation(op).written("□") : SYMBOLS[op] ?? op);
    make(head, leaf && names[k] ? "strong" : "span", leaf && !names[k] ? "dl-small" : "", {}, names[k] || words.constant);
    const value = leaf
      ? make(box, "input", "", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": fill(words.value_of, { name: names[k] || words.constant }) })
      : make(box, "p", "dl-cg-value");
    return { box, value, gradient: make(box, "p", "dl-cg-gradient") };
  });
  const bar = make(root, "div", "dl-cg-bar", { role: "group", "aria-label": words.steps });
  const press = (name, target) => {
    const button = make(bar, "button", name === "next" ? "dl-cg-next" : "", { type: "button" }, words[name]);
    button.addEventListener("click", () => {
      if (frame) { cancelAnimationFrame(frame); update(); } // what was typed just before counts
      if (button.getAttribute("aria-disabled") !== "true") go(target());
    }, on);
    return button;
  };
  const total = () => order.length + 1 + (finite ? edges.length : 0);
  const buttons = {
    reset: press("reset", () => 0),
    back: press("back", () => step - 1),
    next: press("next", () => step + 1),
    all_forward: press("all_forward", () => order.length),
    all_backward: press("all_backward", () => total()),
  };
  const progress = make(bar, "span", "dl-small dl-cg-progress");
  const says = make(root, "div", "dl-cg-says"), sentence = make(says, "p", "dl-cg-sentence"), detail = make(says, "p", "dl-cg-detail");
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  make(foot, "p", "dl-small", {}, words.keys);
  const status = make(root, "p", "dl-hidden", { role: "status" });

  // -- where everything stands
  const place = () => {
    const columns = Math.max(...plan.layers), room = scroll.clientWidth - 2 * MARGIN - NODE.width;
    const pitch = NODE.width + Math.min(Math.max(room / columns - NODE.width, GAP.least), GAP.most);
    const width = 2 * MARGIN + columns * pitch + NODE.width, height = 2 * MARGIN + Math.max(...plan.y, ...Object.values(plan.bends).flat()) * ROW + NODE.height;
    const left = Math.max(0, (scroll.clientWidth - width) / 2) + MARGIN, x = (layer) => left + layer * pitch, y = (row) => MARGIN + row * ROW + NODE.height / 2;
    stage.style.width = `${Math.max(width, scroll.clientWidth)}px`;
    stage.style.height = svg.style.height = `${height}px`;
    svg.style.width = stage.style.width;
    boxes.forEach(({ box }, k) => { box.style.transform = `translate(${x(plan.layers[k])}px, ${y(plan.y[k]) - NODE.height / 2}px)`; });
    for (const { node, parent, slot, line, head, label } of edges) {
      const { parents } = nodes[node], twice = parents.length === 2 && parents[0] === parents[1];
      const ends = parents.length === 2 && plan.y[parents[0]] > plan.y[parents[1]] ? [14, -14] : [-14, 14], aside = parents.length === 2 ? ends[slot] : 0;
      const points = [[x(plan.layers[parent]) + NODE.width, y(plan.y[parent]) + (twice ? 1.3 * aside : 0)]];
      plan.bends[`${node}:${slot}`].forEach((row, i) => {
        const at = x(plan.layers[parent] + 1 + i);
        points.push([at, y(row)], [at + NODE.width, y(row)]);
      });
      points.push([x(plan.layers[node]) - 1, y(plan.y[node]) + aside * (twice ? 1.3 : 1)]);
      let path = `M${points[0]}`;
      for (let i = 1; i < points.length; i++) {
        const [[a, b], [c, d]] = [points[i - 1], points[i]], bend = (c - a) * 0.45;
        path += b === d ? `L${c},${d}` : `C${a + bend},${b} ${c - bend},${d} ${c},${d}`;
      }
      line.setAttribute("d", path);
      const [[a, b], [c, d]] = points.slice(-2);
      label.setAttribute("x", (a + c) / 2 - 2); label.setAttribute("y", (b + d) / 2 + (Math.abs(d - b) > 24 ? 4 : twice && aside > 0 ? 14 : -7)); // on a steep edge, beside a flat one
      const tip = (atX, atY, way) => `M${atX - 8 * way},${atY - 4.5}L${atX},${atY}L${atX - 8 * way},${atY + 4.5}Z`;
      head.dataset.forward = tip(c, d, 1);
      head.dataset.backward = tip(...points[0], -1);
    }
  };

  // -- what is said
  const trouble = (k) => { // why a value is not finite, in words
    const { op, parents } = nodes[k], given = parents.map((p) => values[p]);
    if (Number.isFinite(values[k])) return "";
    if (given.some((v) => !Number.isFinite(v))) return words.inherited;
    if (op === "log") return given[0] === 0 ? words.log_zero : fill(words.log_domain, { value: show(given[0]) });
    if (op === "/" && given[1] === 0 || op.startsWith("**") && given[0] === 0) return words.division;
    return op.startsWith("**") && Number.isNaN(values[k]) ? fill(words.power_domain, { value: show(given[0]) }) : words.too_large;
  };
  const check = () => { // does the output change as its gradient promises
    const moved = forward(nodes, leaves.map((k) => values[k] + (k === watched ? NUDGE : 0)))[last], change = moved - values[last];
    const about = { name: called(watched), step: NUDGE, output: names[last], change: show(change), promise: show(back.gradients[watched] * NUDGE) };
    return fill(Number.isFinite(change) ? words.check : words.check_lost, about);
  };
  const say = () => {
    if (step === 0) return [fill(words.given, { name: names[order[0]] }), ""];
    if (step <= order.length) {
      const k = order[step - 1], { op, parents } = nodes[k];
      const symbolic = written(op, parents.map(called)), numeric = written(op, parents.map((p) => show(values[p])));
      return [fill(words.forward, { formula: [...new Set([names[k], symbolic, numeric, show(values[k])])].join(" = ") }), trouble(k)];
    }
    if (!finite) return [fill(words.no_start, { name: names[last], value: show(values[last]) }), ""];
    if (step === order.length + 1) return [fill(words.seed, { name: names[last] }), ""];
    const { node, slot, parent, before, upstream, local, after } = back.pushes[step - order.length - 2], { op, parents } = nodes[node];
    const formula = operation(op).formulas(parents.map(called), names[node])[slot];
    const push = fill(words.push, { parent: called(parent), before: show(before), upstream: bracket(show(upstream)), local: bracket(show(local)), after: show(after) });
    const twice = parents.length === 2 && parents[0] === parents[1];
    const lines = [fill(twice ? words.local_twice : words.local, { node: names[node], parent: called(parent), formula: [...new Set([formula, show(local)])].join(" = ") })];
    if (!Number.isFinite(after)) lines.push(words.lost);
    else if (step === total()) lines.push(check());
    return [push, lines.join(" ")];
  };

  // -- what is shown
  const update = () => {
    frame = 0;
    const start = performance.now();
    values = forward(nodes, model.get("values"));
    finite = Number.isFinite(values[last]);
    back = backward(nodes, values);
    step = Math.min(Math.max(model.get("step"), 0), total());
    const done = order.slice(0, step), pushed = finite ? back.pushes.slice(0, Math.max(step - order.length - 1, 0)) : [], seeded = finite && step > order.length;
    const current = step > 0 && step <= order.length ? order[step - 1] : null, push = pushed.at(-1), gradients = new Map(seeded ? [[last, 1]] : []);
    for (const { parent, after } of pushed) gradients.set(parent, after);
    boxes.forEach(({ box, value, gradient }, k) => {
      const leaf = !nodes[k].parents.length, known = leaf || done.includes(k), uses = edges.filter(({ parent }) => parent === k).length;
      if (!leaf) value.textContent = known ? show(values[k]) : "";
      else if (document.activeElement !== value) { value.value = number(values[k], 4); value.removeAttribute("aria-invalid"); }
      gradient.textContent = gradients.has(k) ? fill(words.gradient, { value: show(gradients.get(k)) }) : "";
      const complete = gradients.has(k) && pushed.filter(({ parent }) => parent === k).length === uses;
      const states = { waiting: !known, active: k === current || (push ? k === push.parent : seeded && k === last), giving: push?.node === k, complete, lost: known && !Number.isFinite(values[k]), backwards: seeded };
      for (const [name, is] of Object.entries(states)) box.classList.toggle(`dl-cg-${name}`, is);
    });
    for (const { node, slot, line, head, label } of edges) {
      const forwards = node === current, now = push?.node === node && push.slot === slot, used = pushed.some((p) => p.node === node && p.slot === slot);
      line.setAttribute("class", `dl-cg-edge${forwards ? " dl-cg-forward" : now ? " dl-cg-backward" : used ? " dl-cg-used" : done.includes(node) ? "" : " dl-cg-waiting"}`);
      head.setAttribute("d", now || used ? head.dataset.backward : head.dataset.forward);
      head.setAttribute("class", `dl-cg-arrow${forwards ? " dl-cg-forward" : now ? " dl-cg-backward" : used ? " dl-cg-used" : ""}`);
      label.textContent = seeded ? `× ${show(back.locals[node][slot])}` : "";
      label.setAttribute("class", `dl-cg-local${now ? " dl-cg-backward" : used ? " dl-cg-used" : ""}`);
    }
    const [first, second] = say();
    sentence.textContent = first;
    detail.textContent = second;
    spoken = [first, second].filter(Boolean).join(" ");
    says.classList.toggle("dl-cg-back", seeded);
    progress.textContent = fill(words.progress, { step, total: total() });
    const idle = { reset: step === 0, back: step === 0, next: step === total(), all_forward: step === order.length, all_backward: step === total() };
    for (const [name, is] of Object.entries(idle)) buttons[name].setAttribute("aria-disabled", String(is)); // keeps its focus, unlike disabled
    root.dataset.updateMs = (performance.now() - start).toFixed(2);
    return push ? [push.parent, push.node] : current !== null ? [current, ...nodes[current].parents.slice(-1)] : [step ? last : order[0]];
  };
  const fade = () => { // shows on which side there is more
    const more = scroll.scrollWidth - scroll.clientWidth;
    scroll.classList.toggle("dl-cg-more-left", scroll.scrollLeft > 4);
    scroll.classList.toggle("dl-cg-more-right", scroll.scrollLeft < more - 4);
  };
  scroll.addEventListener("scroll", fade, { passive: true, ...on });
  const soon = () => { if (!frame) frame = requestAnimationFrame(update); };
  const reveal = (ks) => { // brings what the step is about into the box
    const middles = ks.map((k) => boxes[k].box.offsetLeft + new DOMMatrix(getComputedStyle(boxes[k].box).transform).e + NODE.width / 2);
    const middle = middles.reduce((sum, at) => sum + at) / ks.length;
    scroll.scrollTo({ left: middle - scroll.clientWidth / 2, behavior: still.matches ? "auto" : "smooth" });
  };
  const go = (next) => {
    model.set({ step: Math.min(Math.max(next, 0), total()) });
    model.save_changes();
    cancelAnimationFrame(frame);
    reveal(update());
    status.textContent = spoken;
  };

  // -- the leaves
  leaves.forEach((k, at) => {
    const input = boxes[k].value;
    const set = (value) => { model.set({ values: model.get("values").with(at, value) }); model.save_changes(); soon(); };
    input.addEventListener("input", () => {
      const text = input.value.trim().replace("−", "-").replace(",", "."), value = Number(text), good = text !== "" && Math.abs(value) <= LIMIT;
      if (!good) input.setAttribute("aria-invalid", "true");
      else { input.removeAttribute("aria-invalid"); set(value); }
    }, on);
    input.addEventListener("keydown", (event) => {
      const move = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!move) return;
      event.preventDefault();
      const value = Number((model.get("values")[at] + move * (event.shiftKey ? 1 : 0.1)).toFixed(6));
      if (Math.abs(value) > LIMIT) return;
      input.value = number(value, 4);
      input.removeAttribute("aria-invalid");
      set(value);
    }, on);
    input.addEventListener("focus", () => { watched = k; input.select(); soon(); }, on);
    input.addEventListener("blur", () => soon(), on); // what is no number gives way to the value in force
  });

  const follow = ["values", "step"], sized = new ResizeObserver(() => { place(); fade(); });
  for (const name of follow) model.on(`change:${name}`, soon);
  sized.observe(scroll);
  place();
  update();
  return () => {
    stop.abort(); cancelAnimationFrame(frame); sized.disconnect();
    for (const name of follow) model.off(`change:${name}`, soon);
  };
}

export default { render };
