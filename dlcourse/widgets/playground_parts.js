// What the playground consists of: its buttons, pictures, scores and settings, without what they do.

const SLIDERS = {
  rate: [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
  batch_size: [1, 5, 10, 20, 50, 100, 200],
  l2: [0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03],
  noise: Array.from({ length: 31 }, (_, k) => k / 100),
};

// A range input over a list of values; returns a function that shows the value in force, which may lie outside the list.
function slider(parent, label, values, choose, signal) {
  const box = make(parent, "label", "dl-play-slider"), head = make(box, "span", "dl-small", {}, `${label} `);
  const shown = make(head, "strong"), input = make(box, "input", "", { type: "range", min: 0, max: values.length - 1, step: 1 });
  input.addEventListener("input", () => choose(values[input.valueAsNumber]), { signal });
  return (value) => {
    const distance = (v) => Math.abs(Math.log((v + 1e-5) / (value + 1e-5)));
    input.value = values.reduce((best, v, k) => (distance(v) < distance(values[best]) ? k : best), 0);
    shown.textContent = String(value);
    input.setAttribute("aria-valuetext", value);
  };
}

// Puts everything into `root` and returns what changes later; `act` holds what the controls do.
function build(root, words, model, act, signal) {
  const parts = { root }, button = (parent, text, action, attributes = {}) => {
    const node = make(parent, "button", "", { type: "button", ...attributes }, text);
    node.addEventListener("click", action, { signal });
    return node;
  };
  make(root, "p", "dl-try", {}, words.try);
  const bar = make(root, "div", "dl-play-bar");
  parts.train = button(bar, words.train, act.toggle, { class: "dl-play-train" });
  parts.step = button(bar, words.step, act.step);
  parts.restart = button(bar, words.restart, act.restart);
  parts.backward = button(bar, words.backward, act.backward, { class: "dl-play-backward" });
  parts.next = button(bar, words.next_example, act.next);
  parts.status = make(root, "p", "dl-play-status", { role: "status" });

  const main = make(root, "div", "dl-play-main"), net = make(main, "div", "dl-play-net"), depth = make(net, "div", "dl-play-depth");
  make(depth, "span", "", {}, words.depth);
  parts.fewer = button(depth, "−", () => act.depth(-1), { "aria-label": words.fewer_layers });
  parts.depth = make(depth, "strong");
  parts.more = button(depth, "+", () => act.depth(1), { "aria-label": words.more_layers });
  parts.stage = make(net, "div", "dl-play-stage", { role: "group", "aria-label": words.network });
  parts.network = make(parts.stage, "canvas", "dl-play-network", { "aria-hidden": "true" });
  parts.units = make(parts.stage, "div", "dl-play-units");

  const side = make(main, "div", "dl-play-side");
  parts.caption = make(side, "p", "dl-play-caption");
  parts.field = make(side, "canvas", "dl-play-field", { role: "img", "aria-label": fill(words.field_label, { name: words.unit_output }) });
  parts.scale = make(side, "p", "dl-small dl-play-scale");
  const legend = make(side, "div", "dl-small dl-play-legend");
  make(legend, "span", "dl-play-one", {}, words.class_1);
  make(legend, "span", "dl-play-zero", {}, words.class_0);
  const toggle = make(legend, "label"), check = make(toggle, "input", "", { type: "checkbox" });
  toggle.append(words.show_test);
  check.addEventListener("change", () => act.test(check.checked), { signal });
  const counts = make(side, "p", "dl-play-counts");
  for (const name of ["epoch", "update"]) parts[name] = make(make(counts, "span", "", {}, `${words[name]} `), "strong");
  const table = make(side, "table", "dl-play-scores"), titles = make(make(table, "thead"), "tr"), body = make(table, "tbody");
  make(titles, "td");
  for (const name of ["loss", "accuracy"]) make(titles, "th", "", { scope: "col" }, words[name]);
  parts.scores = ["training", "test"].map((name) => {
    const row = make(body, "tr");
    make(row, "th", `dl-play-${name}`, { scope: "row" }, words[name]);
    return { loss: make(row, "td"), accuracy: make(row, "td") };
  });
  parts.curves = make(side, "canvas", "dl-play-curves", { role: "img", "aria-label": words.curves });

  parts.inspector = make(root, "div", "dl-play-inspector");
  const controls = make(root, "div", "dl-play-controls");
  const send = (name) => (value) => act.send({ [name]: value });
  const names = (prefix, values) => values.map((v) => [v, words[`${prefix}_${v}`] ?? v]);
  const sets = { dataset: choices(controls, words.data, names("data", model.get("datasets")), act.dataset) };
  parts.thumbnails = [...controls.querySelectorAll(".dl-choice span")].map((span) => {
    const canvas = document.createElement("canvas");
    canvas.className = "dl-play-thumbnail";
    span.prepend(canvas);
    return canvas;
  });
  sets.activation = choices(controls, words.activation, names("activation", ["linear", "sigmoid", "tanh", "relu"]), send("activation"));
  sets.optimiser = choices(controls, words.optimiser, names("optimiser", ["sgd", "momentum", "adam"]), send("optimiser"));
  const sliders = make(root, "div", "dl-play-sliders");
  for (const [name, values] of Object.entries(SLIDERS)) sets[name] = slider(sliders, words[name], values, send(name), signal);
  parts.sets = sets;
  const foot = make(root, "div", "dl-notice");
  for (const [style, name] of [["", "notice"], ["dl-small", "keys"], ["dl-small", "small_print"]]) make(foot, "p", style, {}, words[name]);
  return parts;
}
