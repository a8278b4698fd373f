// The mean squared error of a line over slope and intercept, and gradient descent on it from a start that can be dragged.

const FAR = 1e120; // where a diverging path ends: its loss is still a number

// Least squares for y ≈ w·x + b: the best [w, b] and its loss, and the Hessian with its eigenvalues, the smaller first.
export function analyse(x, y) {
  const count = x.length, mean = (f) => x.reduce((sum, _, n) => sum + f(n), 0) / count;
  const mx = mean((n) => x[n]), my = mean((n) => y[n]), spread = mean((n) => (x[n] - mx) ** 2);
  const slope = mean((n) => (x[n] - mx) * (y[n] - my)) / spread, best = [slope, my - slope * mx];
  const hessian = [2 * (spread + mx * mx), 2 * mx, 2]; // by slope twice, by both, by intercept twice
  const middle = (hessian[0] + 2) / 2, largest = middle + Math.hypot((hessian[0] - 2) / 2, 2 * mx);
  return { best, least: squaredError(x, y, best), hessian, eigenvalues: [4 * spread / largest, largest] }; // their product is 4·spread
}

export function squaredError(x, y, [w, b]) {
  let sum = 0;
  for (let n = 0; n < x.length; n++) sum += (w * x[n] + b - y[n]) ** 2;
  return sum / x.length;
}

// Returns the places [w, b] that gradient descent visits, the start included; a diverging path ends where it is FAR off.
export function descend(x, y, start, rate, steps) {
  const places = [start];
  for (let step = 0; step < steps; step++) {
    const [w, b] = places.at(-1);
    let dw = 0, db = 0;
    for (let n = 0; n < x.length; n++) { const error = w * x[n] + b - y[n]; dw += error * x[n]; db += error; }
    const next = [w - rate * 2 * dw / x.length, b - rate * 2 * db / x.length];
    if (!(Math.hypot(...next) < FAR)) break;
    places.push(next);
  }
  return places;
}

// Returns the part of the (w, b) plane to draw: the origin, the best line and the start are inside, with room around.
function surroundings({ best }, y, start) {
  const size = Math.max(Math.abs(best[0]), Math.abs(best[1]), 0.2 * Math.max(...y.map(Math.abs)), 1e-6);
  const far = Math.max(1.45 * size, 1.15 * Math.abs(start[0] - best[0]), 1.15 * Math.abs(start[1] - best[1]));
  return [best[0] - far, best[0] + far, best[1] - far, best[1] + far];
}

function render({ model, el }) {
  const words = model.get("words"), root = make(el, "div", "dl-widget dl-loss", { role: "group", "aria-label": words.title });
  const stop = new AbortController(), on = { signal: stop.signal }, keys = unique();
  let x, y, facts, area, places, losses, now = 0, repaint = 0, shades = null, shadesKey = "", surfaceView = null;

  make(root, "p", "dl-try", {}, words.try);
  const main = make(root, "div", "dl-loss-main");
  const panel = (caption, name, attributes) => {
    const part = make(main, "div");
    return { caption: make(part, "p", "dl-caption", {}, caption), canvas: make(part, "canvas", `dl-loss-${name}`, attributes) };
  };
  const surface = panel(words.surface, "surface", {
    tabindex: 0, role: "application", "aria-label": words.surface_label, "aria-roledescription": words.surface_role, "aria-describedby": keys,
  });
  const data = panel(words.data, "data", { role: "img", "aria-label": words.data_label });
  const controls = make(root, "div", "dl-loss-controls");
  const slider = (label, attributes, change) => {
    const part = make(controls, "label", "dl-loss-control"), line = make(part, "span", "dl-loss-name");
    make(line, "span", "", {}, label);
    const value = make(line, "span", "dl-number"), track = make(part, "span", "dl-loss-track");
    const input = make(track, "input", "dl-slider", { type: "range", "aria-label": label, ...attributes });
    input.addEventListener("input", () => change(Number(input.value)), on);
    return { input, value, track };
  };
  const rate = slider(words.rate, { min: 0 }, (value) => send({ rate: value }));
  const mark = make(rate.track, "span", "dl-loss-mark", { "aria-hidden": "true" });
  const count = slider(words.steps, { min: 1, max: 100, step: 1 }, (value) => { time.limit(value); time.go(value); send({ steps: value }); });
  make(controls, "button", "", { type: "button" }, words.reset).addEventListener("click", () => { send({ start: [0, 0] }); }, on);

  const verdict = make(root, "p", "dl-loss-verdict");
  const time = timeline(root, words, {
    root, speed: () => Math.max(5, model.get("steps") / 8), show: (step) => { now = step; soon(); }, settle: () => announce(),
  }, stop.signal);
  const chart = make(root, "canvas", "dl-loss-chart", { role: "img", "aria-label": words.chart_label });
  const list = make(root, "dl", "dl-loss-read");
  const readouts = Object.fromEntries(["loss", "slope", "intercept", "distance", "product"].map((name) => {
    const pair = make(list, "div");
    make(pair, "dt", "dl-small", {}, words[`read_${name}`]);
    return [name, make(pair, "dd", "dl-number")];
  }));
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  make(foot, "p", "dl-small", { id: keys }, words.keys);
  const tell = quietly(make(root, "p", "dl-hidden", { role: "status" }), stop.signal);

  const send = (values) => { model.set(values); model.save_changes(); descendAgain(); announce(); };

  // -- numbers
  const load = () => {
    x = model.get("x"); y = model.get("y");
    if (x.length !== y.length) return; // the one has come and the other has not
    facts = analyse(x, y);
    area = surroundings(facts, y, model.get("start"));
    shadesKey = "";
    const limit = 2 / facts.eigenvalues[1], step = 10 ** (Math.floor(Math.log10(limit)) - 2);
    const most = Math.ceil(1.3 * limit / step) * step;
    rate.input.max = most; rate.input.step = step;
    rate.track.style.setProperty("--dl-limit", limit / most);
    mark.textContent = fill(words.limit, { limit: significant(limit) });
    count.input.max = Math.max(100, model.get("steps"));
    time.limit(model.get("steps"));
    time.go(model.get("steps"));
    descendAgain();
  };
  const descendAgain = () => {
    const steps = model.get("steps"), eta = model.get("rate"), [flat, steep] = facts.eigenvalues, limit = 2 / steep;
    places = descend(x, y, model.get("start"), eta, steps);
    losses = places.map((place) => squaredError(x, y, place));
    time.limit(steps);
    rate.input.value = eta;
    rate.value.textContent = significant(eta);
    rate.input.setAttribute("aria-valuetext", fill(words.rate_value, { rate: significant(eta), times: significant(eta / limit), limit: significant(limit) }));
    rate.track.style.setProperty("--dl-part", Math.min(eta / Number(rate.input.max), 1));
    count.input.value = steps;
    count.value.textContent = steps;
    count.track.style.setProperty("--dl-part", (steps - 1) / (count.input.max - 1));
    const share = (part) => (part > 0 && part < 0.0005 ? `1 − ${significant(part, 2)}` : significant(1 - part)); // 1 would be a lie
    const factors = { steep: share(eta * steep), flat: share(eta * flat), factor: significant(Math.abs(1 - eta * steep)) };
    const over = eta * steep - 2, kind = eta === 0 ? "stays" : Math.abs(over) < 1e-9 ? "oscillates" : over > 0 ? "diverges" : over > -1 ? "overshoots" : "converges";
    root.dataset.kind = kind;
    verdict.dataset.text = fill(words[kind], factors);
    soon();
  };

  // -- pictures
  const paintSurface = (colours) => {
    const { context, ratio, width, height } = prepare(surface.canvas);
    const box = { left: 46, top: 4, width: Math.max(width - 50, 10), height: Math.max(height - 46, 10) };
    surfaceView = frame(area, box, true);
    const { best, hessian } = facts, size = [Math.round(box.width * ratio), Math.round(box.height * ratio)], key = [size, colours.dark, area].join();
    if (key !== shadesKey) {
      const bowl = (w, b) => { const dw = w - best[0], db = b - best[1]; return (hessian[0] * dw * dw + 2 * hessian[1] * dw * db + hessian[2] * db * db) / 2; };
      shades = contours(bowl, surfaceView.bounds, ...size, colours.dark);
      shadesKey = key;
    }
    context.drawImage(shades, box.left, box.top, box.width, box.height);
    border(context, surfaceView, colours);
    axes(context, surfaceView, colours, [words.slope, words.intercept]);
    context.save();
    context.beginPath(); context.rect(box.left, box.top, box.width, box.height); context.clip();
    const style = { colour: colours.warm, halo: colours.paper };
    if (now < places.length - 1) drawPath(context, surfaceView, places, places.length - 1, { ...style, halo: "transparent", width: 1.5, dot: 2, fade: 0.4 });
    const { at, out } = drawPath(context, surfaceView, places, now, { ...style, width: 1.75, dot: 2.8 });
    const [bx, by] = [surfaceView.px(best[0]), surfaceView.py(best[1])];
    write(context, words.least_squares, bx + 11, by, { colour: colours.ink, font: colours.font }, { halo: colours.paper });
    drawMinimum(context, surfaceView, best, colours);
    drawStart(context, surfaceView, model.get("start"), colours, surface.canvas.matches(":focus-visible"));
    if (out === null && now > 0) {
      context.fillStyle = colours.warm; context.strokeStyle = colours.paper; context.lineWidth = 2;
      context.beginPath(); context.arc(...at, 6, 0, 2 * Math.PI); context.fill(); context.stroke();
    }
    context.restore();
  };

  const paintData = (colours) => {
    const { context, width, height } = prepare(data.canvas), box = { left: 46, top: 4, width: Math.max(width - 50, 10), height: Math.max(height - 46, 10) };
    const [w, b] = current(), lows = [Math.min(...x), Math.min(...y, 0)], highs = [Math.max(...x), Math.max(...y, 0)];
    const margin = [0.06 * (highs[0] - lows[0]), 0.08 * (highs[1] - lows[1])];
    const view = frame([lows[0] - margin[0], highs[0] + margin[0], lows[1] - margin[1], highs[1] + margin[1]], box), { px, py, bounds } = view;
    axes(context, view, colours, [words.x, words.y]);
    context.strokeStyle = colours.muted; context.lineWidth = 1;
    context.beginPath();
    context.moveTo(box.left, box.top); context.lineTo(box.left, box.top + box.height); context.lineTo(box.left + box.width, box.top + box.height);
    context.stroke();
    context.save();
    context.beginPath(); context.rect(box.left, box.top, box.width, box.height); context.clip();
    const high = 4 * box.height, y0 = (p) => Math.min(Math.max(p, -high), high); // a canvas draws no line to a place 10³⁰ pixels away
    if (x.length <= 150) { // the errors, whose squares the loss is the mean of
      context.strokeStyle = colours.warm; context.globalAlpha = 0.45; context.lineWidth = 1;
      context.beginPath();
      for (let n = 0; n < x.length; n++) { context.moveTo(px(x[n]), py(y[n])); context.lineTo(px(x[n]), y0(py(w * x[n] + b))); }
      context.stroke();
      context.globalAlpha = 1;
    }
    context.fillStyle = colours.accent;
    context.globalAlpha = 0.8;
    for (let n = 0; n < x.length; n++) { context.beginPath(); context.arc(px(x[n]), py(y[n]), x.length > 150 ? 2 : 2.8, 0, 2 * Math.PI); context.fill(); }
    context.globalAlpha = 1;
    const draw = ([slope, intercept], colour, thick, dash) => {
      const part = clip([bounds[0], slope * bounds[0] + intercept], [bounds[1], slope * bounds[1] + intercept], view);
      if (!part) return false;
      context.strokeStyle = colour; context.lineWidth = thick; context.setLineDash(dash);
      context.beginPath(); context.moveTo(...part[0]); context.lineTo(...part[1]); context.stroke();
      context.setLineDash([]);
      return true;
    };
    draw(facts.best, colours.ink, 1.5, [2, 5]);
    if (!draw([w, b], colours.warm, 3, [])) {
      const place = [box.left + box.width / 2, box.top + box.height - 14];
      write(context, words.away, ...place, { colour: colours.ink, font: colours.font }, { align: "center", halo: colours.paper });
    }
    context.restore();
  };

  const paintChart = (colours) => {
    const { context, width, height } = prepare(chart), box = { left: 54, top: 8, width: width - 64, height: height - 50 };
    const range = decades([...losses, facts.least]);
    const level = facts.least > 0 ? box.top + box.height * (range[1] - Math.log10(facts.least)) / (range[1] - range[0]) : null;
    lossChart(context, box, {
      curves: [{ values: losses, colour: colours.warm }], steps: model.get("steps"), now, range, names: [words.step, words.loss], ahead: 0.4,
    }, colours);
    if (level === null || level > box.top + box.height) return;
    context.strokeStyle = colours.ink; context.lineWidth = 1.5; context.setLineDash([2, 5]);
    context.beginPath(); context.moveTo(box.left, level); context.lineTo(box.left + box.width, level); context.stroke();
    context.setLineDash([]);
    write(context, words.least_squares, box.left + 6, level - 4, { colour: colours.ink, font: colours.font }, { base: "bottom", halo: colours.paper });
  };

  const current = () => places[Math.min(Math.floor(now), places.length - 1)];
  const paint = () => {
    repaint = 0;
    const begin = performance.now(), colours = look(root), [w, b] = current(), step = Math.floor(now);
    paintSurface(colours);
    paintData(colours);
    paintChart(colours);
    data.caption.textContent = fill(words.data, { step });
    const out = departure(places, surfaceView.holds);
    verdict.textContent = `${verdict.dataset.text}${out === null ? "" : ` ${fill(words.left, { step: out })}`}`;
    readouts.loss.textContent = significant(losses[Math.min(step, losses.length - 1)], 4);
    readouts.slope.textContent = significant(w, 4);
    readouts.intercept.textContent = significant(b, 4);
    readouts.distance.textContent = significant(Math.hypot(w - facts.best[0], b - facts.best[1]));
    readouts.product.textContent = significant(model.get("rate") * facts.eigenvalues[1]);
    root.dataset.updateMs = (performance.now() - begin).toFixed(2);
  };
  const soon = () => { if (!repaint) repaint = requestAnimationFrame(paint); };
  const announce = () => {
    const [w, b] = current(), step = Math.floor(now);
    const text = fill(words.status, { step, loss: significant(losses[Math.min(step, losses.length - 1)]), slope: significant(w), intercept: significant(b) });
    tell(root.dataset.kind === "diverges" ? `${text} ${verdict.dataset.text}` : text);
  };

  // -- the start
  draggable(surface.canvas, {
    view: () => surfaceView, point: () => model.get("start"), settle: () => { model.save_changes(); announce(); },
    move: (start) => { model.set({ start }); descendAgain(); },
  }, stop.signal);
  for (const name of ["focus", "blur"]) surface.canvas.addEventListener(name, () => soon(), on);

  // -- the world around
  const loadSoon = () => queueMicrotask(load), again = () => { if (x.length === y.length) descendAgain(); };
  const data_traits = ["x", "y"], settings = ["rate", "steps", "start"];
  for (const name of data_traits) model.on(`change:${name}`, loadSoon);
  for (const name of settings) model.on(`change:${name}`, again);
  onLook(root, soon, stop.signal);
  load();
  return () => {
    stop.abort(); cancelAnimationFrame(repaint);
    for (const name of data_traits) model.off(`change:${name}`, loadSoon);
    for (const name of settings) model.off(`change:${name}`, again);
  };
}

export default { render };
