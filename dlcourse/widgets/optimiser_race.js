// Optimisers race from one start over a small landscape: the mirror of dlcourse/optim.py and dlcourse/surfaces.py.

const FAR = 1e100; // where a diverging path ends: its loss is still a number

// Height and slope at (x, y).
export const SURFACES = {
  bowl: { height: (x, y) => 0.5 * (x * x + 10 * y * y), slope: (x, y) => [x, 10 * y] },
  ravine: { height: (x, y) => 0.5 * (x * x + 100 * y * y), slope: (x, y) => [x, 100 * y] },
  tilted: {
    height: (x, y) => 0.25 * ((x + y) ** 2 + 100 * (x - y) ** 2),
    slope: (x, y) => [0.5 * (x + y) + 50 * (x - y), 0.5 * (x + y) - 50 * (x - y)],
  },
  saddle: { height: (x, y) => 0.5 * x * x + 0.25 * (y * y - 1) ** 2, slope: (x, y) => [x, y * (y * y - 1)] },
  plateau: {
    height: (x, y) => { const q = x * x + 3 * y * y; return q / (1 + q); },
    slope: (x, y) => { const q = x * x + 3 * y * y; return [2 * x / (1 + q) ** 2, 6 * y / (1 + q) ** 2]; },
  },
  rosenbrock: {
    height: (x, y) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    slope: (x, y) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
  },
  beale: {
    height: (x, y) => (1.5 - x + x * y) ** 2 + (2.25 - x + x * y ** 2) ** 2 + (2.625 - x + x * y ** 3) ** 2,
    slope: (x, y) => {
      const a = 1.5 - x + x * y, b = 2.25 - x + x * y ** 2, c = 2.625 - x + x * y ** 3;
      return [2 * a * (y - 1) + 2 * b * (y ** 2 - 1) + 2 * c * (y ** 3 - 1), 2 * a * x + 4 * b * x * y + 6 * c * x * y ** 2];
    },
  },
};

// Each takes its settings and returns how one coordinate θ moves when its gradient is g; it keeps what it needs from step to step.
export const OPTIMISERS = {
  SGD: ({ rate }) => (theta, g) => theta - rate * g,
  Momentum: ({ rate, momentum }) => {
    let v = 0;
    return (theta, g) => { v = momentum * v + g; return theta - rate * v; };
  },
  Nesterov: ({ rate, momentum }) => {
    let v = 0;
    return (theta, g) => { v = momentum * v + g; return theta - rate * (g + momentum * v); };
  },
  AdaGrad: ({ rate }) => {
    let s = 0;
    return (theta, g) => { s += g * g; return theta - rate * g / (Math.sqrt(s) + 1e-10); };
  },
  RMSprop: ({ rate, alpha }) => {
    let s = 0;
    return (theta, g) => { s = alpha * s + (1 - alpha) * g * g; return theta - rate * g / (Math.sqrt(s) + 1e-8); };
  },
  Adam: ({ rate, beta1 = 0.9 }) => {
    let m = 0, s = 0, t = 0;
    return (theta, g) => {
      t++;
      m = beta1 * m + (1 - beta1) * g;
      s = 0.999 * s + 0.001 * g * g;
      return theta - rate * (m / (1 - beta1 ** t)) / (Math.sqrt(s / (1 - 0.999 ** t)) + 1e-8);
    };
  },
  AdamW: ({ rate, weight_decay }) => {
    const adam = OPTIMISERS.Adam({ rate });
    return (theta, g) => adam(theta * (1 - rate * weight_decay), g);
  },
};

// Returns the places [x, y] that an optimiser visits, the start included; a diverging path ends where it is FAR off or too steep.
export function run(surface, optimiser, settings, start, steps) {
  const moves = [0, 1].map(() => OPTIMISERS[optimiser](settings)), { height, slope } = SURFACES[surface], places = [start];
  for (let step = 0; step < steps; step++) {
    const at = places.at(-1), g = slope(...at), next = moves.map((move, k) => move(at[k], g[k]));
    if (!(Math.hypot(...next) < FAR && height(...next) < FAR)) break;
    places.push(next);
  }
  return places;
}

// Okabe and Ito's colours, the same in every race; lighter ones on dark paper.
const COLOURS = {
  light: { SGD: "#0072b2", Momentum: "#d55e00", Nesterov: "#cc79a7", AdaGrad: "#e69f00", RMSprop: "#56b4e9", Adam: "#009e73", AdamW: "#1c1f23" },
  dark: { SGD: "#3f97dd", Momentum: "#f08c4a", Nesterov: "#e2a0c5", AdaGrad: "#f2c14b", RMSprop: "#a6dcff", Adam: "#2cc295", AdamW: "#ffffff" },
};
const LEVELS = { rosenbrock: { bands: 16 }, beale: { bands: 18 }, plateau: { bands: 16, ratio: 1.15 }, saddle: { bands: 11 } };

function render({ model, el }) {
  const words = model.get("words"), root = make(el, "div", "dl-widget dl-race", { role: "group", "aria-label": words.title });
  const stop = new AbortController(), on = { signal: stop.signal }, keys = unique(), entries = model.get("entries");
  let runs = [], now = 0, repaint = 0, shades = null, shadesKey = "", mapView = null;

  make(root, "p", "dl-try", {}, words.try);
  const setSurface = choices(root, words.surfaces, model.get("surfaces").map(({ name }) => [name, words[`surface_${name}`]]), (surface) => send({ surface }));
  const note = make(root, "p", "dl-small dl-race-note");
  const main = make(root, "div", "dl-race-main"), left = make(main, "div");
  const map = make(left, "canvas", "dl-race-map", {
    tabindex: 0, role: "application", "aria-label": words.map_label, "aria-roledescription": words.map_role, "aria-describedby": keys,
  });
  const time = timeline(left, words, {
    root, speed: () => Math.max(8, model.get("steps") / 8), show: (step) => { now = step; soon(); }, settle: () => announce(),
  }, stop.signal);
  const chart = make(left, "canvas", "dl-race-chart", { role: "img", "aria-label": words.chart_label });

  // -- one row per optimiser
  const list = make(main, "div", "dl-race-list", { role: "group", "aria-label": words.runners });
  const rows = entries.map(({ name, setting, most }) => {
    const row = make(list, "div", "dl-race-row"), toggle = make(row, "label", "dl-race-switch");
    const box = make(toggle, "input", "", { type: "checkbox" });
    make(toggle, "span", "", {}, words[name]);
    box.addEventListener("change", () => {
      const names = entries.map((entry) => entry.name).filter((one) => (one === name ? box.checked : model.get("optimisers").includes(one)));
      send({ optimisers: names });
    }, on);
    const slider = (symbol, label, attributes, change) => {
      const part = make(row, "div", "dl-race-setting");
      make(part, "span", "dl-race-symbol", { "aria-hidden": "true" }, symbol);
      const input = make(part, "input", "dl-slider", { type: "range", "aria-label": fill(label, { name: words[name] }), ...attributes });
      const value = make(part, "span", "dl-number dl-race-value", { "aria-hidden": "true" });
      input.addEventListener("input", () => change(Number(input.value)), on);
      return (raw, shown, part_of_all) => {
        input.value = raw; value.textContent = shown;
        input.setAttribute("aria-valuetext", shown);
        input.style.setProperty("--dl-part", Math.min(Math.max(part_of_all, 0), 1));
      };
    };
    const rate = slider(words.rate, words.rate_label, { min: -4, max: 1, step: 0.02 }, (power) => {
      send({ rates: { ...model.get("rates"), [name]: Number((10 ** power).toPrecision(2)) } });
    });
    const other = setting && slider(words[`setting_${setting}`], words[`setting_${setting}_label`], { min: 0, max: most, step: 0.01 },
      (value) => send({ settings: { ...model.get("settings"), [name]: value } }));
    return { name, setting, most, row, box, rate, other };
  });
  make(list, "button", "dl-race-reset", { type: "button" }, words.reset).addEventListener("click", () => send(given()), on);

  const result = make(make(root, "div", "dl-race-result"), "div"), rank = make(result, "p"), goal = make(result, "p"), gone = make(result, "p");
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  const legend = make(foot, "p", "dl-small");
  make(foot, "p", "dl-small", { id: keys }, words.keys);
  const tell = quietly(make(root, "p", "dl-hidden", { role: "status" }), stop.signal);

  const send = (values) => { model.set(values); model.save_changes(); again(); announce(); };
  const surfaceNow = () => model.get("surfaces").find(({ name }) => name === model.get("surface"));
  const given = () => ({
    start: surfaceNow().start, rates: surfaceNow().rates,
    settings: Object.fromEntries(entries.filter(({ setting }) => setting).map(({ name, value }) => [name, value])),
  });

  // -- numbers
  const again = () => {
    const surface = model.get("surface"), steps = model.get("steps"), { height } = SURFACES[surface];
    runs = rows.filter(({ name }) => model.get("optimisers").includes(name)).map(({ name, setting }) => {
      const settings = { rate: model.get("rates")[name], ...(setting ? { [setting]: model.get("settings")[name] } : {}) };
      const places = run(surface, name, settings, model.get("start"), steps);
      return { name, places, losses: places.map((place) => height(...place)) };
    });
    time.limit(steps);
    setSurface(surface);
    for (const { name, setting, most, row, box, rate, other } of rows) {
      const eta = model.get("rates")[name], power = Math.log10(eta);
      box.checked = model.get("optimisers").includes(name);
      row.classList.toggle("dl-race-off", !box.checked);
      rate(power, String(Number(eta.toPrecision(3))), (power + 4) / 5);
      if (setting) { const value = model.get("settings")[name]; other(value, String(Number(value.toFixed(3))), value / most); }
    }
    soon();
  };

  // -- pictures
  const inkOf = (name, colours) => COLOURS[colours.dark ? "dark" : "light"][name];
  const paintMap = (colours) => {
    const { context, ratio, width, height } = prepare(map), box = { left: 46, top: 4, width: Math.max(width - 50, 10), height: Math.max(height - 46, 10) };
    const surface = surfaceNow(), size = [Math.round(box.width * ratio), Math.round(box.height * ratio)], key = [size, colours.dark, surface.name].join();
    mapView = frame(surface.bounds, box);
    if (key !== shadesKey) {
      shades = contours(SURFACES[surface.name].height, mapView.bounds, ...size, colours.dark, LEVELS[surface.name]);
      shadesKey = key;
    }
    const [x0, x1, y0, y1] = surface.bounds, times = (x1 - x0) / (y1 - y0) * box.height / box.width;
    note.textContent = [words[`note_${surface.name}`], times > 1.2 ? fill(words.stretched, { times: significant(times, 2) }) : ""].join(" ");
    legend.textContent = fill(words.lines, { times: number(LEVELS[surface.name]?.ratio ?? 2) });
    context.drawImage(shades, box.left, box.top, box.width, box.height);
    border(context, mapView, colours);
    axes(context, mapView, colours, [words.first, words.second]);
    context.save();
    context.beginPath(); context.rect(box.left, box.top, box.width, box.height); context.clip();
    const heads = runs.map(({ name, places }) => {
      const colour = inkOf(name, colours), style = { colour, halo: colours.paper, width: 2, dot: 2.6, apart: 6 };
      const { at: [x, y], out } = drawPath(context, mapView, places, now, style);
      return { name, colour, x, y, headX: x, headY: y, out };
    });
    for (const minimum of surface.minima) drawMinimum(context, mapView, minimum, colours);
    drawStart(context, mapView, model.get("start"), colours, map.matches(":focus-visible"));
    if (now > 0) for (const { x, y, colour, out } of heads) {
      if (out !== null) continue;
      context.fillStyle = colour; context.strokeStyle = colours.paper; context.lineWidth = 2;
      context.beginPath(); context.arc(x, y, 6, 0, 2 * Math.PI); context.fill(); context.stroke();
    }
    context.restore();
    if (now > 0) label(context, heads, box, colours);
  };

  const label = (context, heads, box, colours) => { // names beside the heads, moved down where another stands
    const placed = [], right = box.left + box.width;
    for (const head of [...heads].sort((a, b) => a.y - b.y)) {
      const onLeft = head.x > right - 96, x = head.x + (onLeft ? -13 : 13);
      const inside = (at) => Math.min(Math.max(at, box.top + 10), box.top + box.height - 10);
      let y = inside(head.y);
      const clash = (at) => placed.some((other) => Math.abs(other.x - x) < 96 && Math.abs(other.y - at) < 15);
      for (let n = 1; clash(y) && n < 20; n++) y = inside(inside(head.y) + (n % 2 ? 1 : -1) * Math.ceil(n / 2) * 8);
      placed.push({ x, y });
      if (Math.abs(y - head.y) > 10) {
        context.strokeStyle = head.colour; context.lineWidth = 1;
        context.beginPath(); context.moveTo(head.headX, head.headY); context.lineTo(x - (onLeft ? -2 : 2), y); context.stroke();
      }
      const text = head.out === null ? words[head.name] : fill(words.gone_label, { name: words[head.name], step: head.out });
      const style = { colour: textColour(head.colour, colours), font: colours.font };
      write(context, text, x, y, style, { align: onLeft ? "right" : "left", weight: 650, halo: colours.paper, size: 13 });
    }
  };
  const textColour = (colour, { dark }) => { // dark enough on light paper to be read
    if (dark) return colour;
    const parts = [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16));
    const light = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    const share = light > 95 ? 95 / light : 1;
    return `rgb(${parts.map((v) => Math.round(v * share)).join(" ")})`;
  };

  const paintChart = (colours) => {
    const { context, width, height } = prepare(chart), box = { left: 54, top: 8, width: width - 54 - 96, height: height - 50 };
    const begin = SURFACES[model.get("surface")].height(...model.get("start"));
    const range = decades([begin, ...runs.flatMap(({ losses }) => losses.filter((loss) => loss < 30 * begin))], -8);
    const labels = lossChart(context, box, {
      curves: runs.map(({ name, losses }) => ({ values: losses, colour: inkOf(name, colours), label: words[name] })),
      steps: model.get("steps"), now, range, names: [words.step, words.loss],
    }, colours);
    for (const { x, y, text, colour } of spread(labels, 15, box.top + 4, box.top + box.height - 2))
      write(context, text, x + 9, y, { colour: textColour(colour, colours), font: colours.font }, { weight: 650, halo: colours.paper, size: 13 });
  };

  const describe = () => { // the ranking in words
    const step = Math.floor(now), at = ({ losses }) => losses[Math.min(step, losses.length - 1)];
    const away = runs.map((one) => departure(one.places, mapView.holds, step)), begin = SURFACES[model.get("surface")].height(...model.get("start"));
    const inside = runs.filter((_, k) => away[k] === null).sort((a, b) => at(a) - at(b));
    const items = inside.map((one, k) => fill(words.rank_item, { place: k + 1, name: words[one.name], loss: significant(at(one), 2) }));
    rank.textContent = runs.length === 0 ? words.nobody : items.length ? fill(words.rank, { step, list: items.join(words.and) }) : "";
    const reached = inside.map((one) => {
      let first = Math.min(step, one.losses.length - 1) + 1;
      while (first > 0 && one.losses[first - 1] < 0.01 * begin) first--;
      return { one, first };
    }).filter(({ one, first }) => first <= Math.min(step, one.losses.length - 1)).sort((a, b) => a.first - b.first);
    const names = reached.map(({ one, first }) => fill(words.goal_item, { name: words[one.name], step: first }));
    goal.textContent = runs.length === 0 ? "" : names.length ? fill(words.goal, { list: names.join(words.and) }) : inside.length ? words.goal_none : "";
    const lost = runs.map((one, k) => away[k] !== null && fill(words.gone_item, { name: words[one.name], step: away[k] })).filter(Boolean);
    gone.textContent = lost.length ? fill(words.gone, { list: lost.join(words.and) }) : "";
  };

  const paint = () => {
    repaint = 0;
    const begin = performance.now(), colours = look(root);
    rows.forEach(({ name, row }) => row.style.setProperty("--dl-own", inkOf(name, colours)));
    paintMap(colours);
    paintChart(colours);
    describe();
    root.dataset.updateMs = (performance.now() - begin).toFixed(2);
  };
  const soon = () => { if (!repaint) repaint = requestAnimationFrame(paint); };
  const announce = () => requestAnimationFrame(() => { if (!stop.signal.aborted) tell([rank, gone].map((part) => part.textContent).join(" ")); });

  // -- the start
  draggable(map, {
    view: () => mapView, point: () => model.get("start"), settle: () => { model.save_changes(); announce(); },
    move: (start) => { model.set({ start }); again(); },
  }, stop.signal);
  for (const name of ["focus", "blur"]) map.addEventListener(name, () => soon(), on);

  // -- the world around
  const fresh = () => { model.set(given()); model.save_changes(); again(); };
  const settings = ["start", "optimisers", "rates", "settings", "steps"];
  model.on("change:surface", fresh);
  for (const name of settings) model.on(`change:${name}`, again);
  onLook(root, soon, stop.signal);
  time.limit(model.get("steps"));
  time.go(model.get("steps"));
  again();
  return () => {
    stop.abort(); cancelAnimationFrame(repaint);
    model.off("change:surface", fresh);
    for (const name of settings) model.off(`change:${name}`, again);
  };
}

export default { render };
