// A cost against the length of the context, both axes logarithmic: a power of n is a straight line, and its exponent the slope.

const SHORTEST = 4, LONGEST = 20; // log2 of the context
const CURVES = { // what each view draws: a colour and the number at n
  work: { tokens: (c) => c.projections + c.feed_forward, pairs: (c) => c.pairs },
  memory: { fixed: (c) => c.parameters, tokens: (c) => c.cache, pairs: (c) => c.weights },
  writing: { tokens: (c) => c.with_cache, pairs: (c) => c.without_cache },
};
const NAMES = {
  work: { tokens: "line_tokens", pairs: "line_pairs" },
  memory: { fixed: "line_parameters", tokens: "line_cache", pairs: "line_weights" },
  writing: { tokens: "line_with", pairs: "line_without" },
};

export function costChart(canvas, view, settings, words, colours) {
  const { context, width, height } = prepare(canvas), box = { left: 52, top: 24, width: Math.max(width - 62, 40), height: Math.max(height - 72, 40) };
  const ink = { tokens: colours.accent, pairs: colours.warm, fixed: colours.muted }, style = { colour: colours.muted, font: colours.font };
  const lengths = Array.from({ length: 65 }, (_, k) => SHORTEST + (k * (LONGEST - SHORTEST)) / 64), found = lengths.map((x) => costs({ ...settings, context: 2 ** x }));
  const curves = Object.entries(CURVES[view]).map(([kind, value]) => ({ kind, value, text: words[NAMES[view][kind]], logs: found.map((c) => Math.log10(value(c))) }));
  const all = curves.flatMap(({ logs }) => logs), low = Math.floor(Math.min(...all)), high = Math.ceil(Math.max(...all));
  const plane = frame([SHORTEST, LONGEST, low, high], box), { px, py } = plane, at = (x, log) => [px(x), py(log)];

  // the grid
  context.strokeStyle = colours.line; context.lineWidth = 1;
  const lines = levels(view, low, high, Math.max(2, Math.floor(box.height / 34)), words.units);
  context.beginPath();
  for (const [log, text] of lines) {
    context.moveTo(box.left, py(log)); context.lineTo(box.left + box.width, py(log));
    write(context, text, box.left - 7, py(log), style, { align: "right" });
  }
  const apart = box.width < 300 ? 4 : 3;
  for (let x = SHORTEST; x <= LONGEST; x++) {
    if ((x - 10) % apart) continue;
    context.moveTo(px(x), box.top); context.lineTo(px(x), box.top + box.height);
    write(context, grouped(2 ** x), Math.min(px(x), box.left + box.width - 12), box.top + box.height + 6, style, { align: "center", base: "top" });
  }
  context.stroke();
  write(context, words.axis_context, box.left + box.width / 2, box.top + box.height + 24, style, { align: "center", base: "top" });
  write(context, words[`axis_${view}`], box.left, 2, style, { base: "top" });

  // the lines, the place where two meet, and the length in hand
  context.save();
  context.beginPath(); context.rect(box.left, box.top, box.width, box.height); context.clip();
  for (const { kind, logs } of curves) {
    context.strokeStyle = ink[kind]; context.lineWidth = kind === "fixed" ? 1.75 : 3; context.setLineDash(kind === "fixed" ? [6, 5] : []);
    context.beginPath();
    logs.forEach((log, k) => context[k ? "lineTo" : "moveTo"](...at(lengths[k], log)));
    context.stroke();
  }
  context.setLineDash([]);
  const here = Math.log2(settings.context), crossing = Math.log2(crossings(settings)[view] ?? 0), now = costs(settings);
  const level = (curve) => Math.log10(curve.value(now)), order = [...curves].sort((a, b) => level(b) - level(a));
  const marked = crossing >= SHORTEST && crossing <= LONGEST ? Math.log10(curves.find(({ kind }) => kind === "tokens").value(costs({ ...settings, context: 2 ** crossing }))) : null;
  context.strokeStyle = colours.ink; context.lineWidth = 1.25; context.setLineDash([3, 4]);
  context.beginPath(); context.moveTo(px(here), box.top); context.lineTo(px(here), box.top + box.height); context.stroke();
  context.setLineDash([]);
  if (marked !== null) {
    context.strokeStyle = colours.ink; context.lineWidth = 2; context.fillStyle = colours.paper;
    context.beginPath(); context.arc(px(crossing), py(marked), 7, 0, 2 * Math.PI); context.fill(); context.stroke();
  }
  context.restore();

  for (const curve of curves) {
    const [x, y] = at(here, level(curve));
    context.fillStyle = ink[curve.kind]; context.strokeStyle = colours.paper; context.lineWidth = 2;
    context.beginPath(); context.arc(x, Math.min(Math.max(y, box.top), box.top + box.height), 6, 0, 2 * Math.PI); context.fill(); context.stroke();
  }
  const taken = [], mark = (text, x, y, left) => {
    write(context, text, x + (left ? -1 : 1) * 9, y, { colour: colours.ink, font: colours.font }, { align: left ? "right" : "left", weight: 650, size: 13, halo: colours.paper });
    for (const part of [0, 20, 40, 60]) taken.push([x + (left ? -1 : 1) * (9 + part), y]);
  };
  const right = px(here) > box.left + 0.7 * box.width;
  mark(`n = ${grouped(settings.context)}`, px(here), box.top + 9, right);
  if (marked !== null) mark(fill(words.level, { n: grouped(Math.round(2 ** crossing)) }), px(crossing), py(marked) + 16, px(crossing) > box.left + 0.6 * box.width);
  if (view === "writing") { // how far apart the two are
    const [top, bottom] = [level(order[0]), level(order[1])].map(py);
    if (bottom - top > 26) mark(`× ${times(now.without_cache / now.with_cache)}`, px(here), bottom - 0.35 * (bottom - top), right);
  }
  for (const curve of curves) taken.push(at(here, level(curve)));
  if (marked !== null) taken.push(at(crossing, marked));
  nameLines(context, curves, { plane, taken, upright: px(here) }, { ...colours, text: { fixed: colours.muted, ...colours.text } });
  return { ...plane, length: (event) => 2 ** Math.min(Math.max(plane.x(event.clientX - canvas.getBoundingClientRect().left), SHORTEST), LONGEST) };
}

// Writes along each line its name, where it covers the least of what stands around.
function nameLines(context, curves, { plane, taken, upright }, colours) {
  const { left, top, width, height, py } = plane, last = curves[0].logs.length - 1, x = (k) => left + (k / last) * width;
  const levelAt = ({ logs }, at) => { const k = Math.min(Math.max(((at - left) / width) * last, 0), last - 1e-9), j = Math.floor(k); return py(logs[j] + (logs[j + 1] - logs[j]) * (k - j)); };
  for (const curve of curves) {
    context.font = `650 13px ${colours.font}`;
    const half = context.measureText(curve.text).width / 2, others = curves.filter((one) => one !== curve);
    const options = Array.from({ length: 28 }, (_, n) => [8 + 2 * (n >> 1) * 2, n % 2 ? 12 : -11]).filter(([k]) => k < last).map(([k, side]) => {
      const turn = Math.atan2(py(curve.logs[k + 1]) - py(curve.logs[k - 1]), x(k + 1) - x(k - 1)), [ux, uy] = [Math.cos(turn), Math.sin(turn)];
      const centre = [x(k) - side * uy, py(curve.logs[k]) + side * ux];
      const points = [-1, -0.5, 0, 0.5, 1].map((part) => [centre[0] + part * half * ux, centre[1] + part * half * uy]);
      const cost = points.reduce((sum, [a, b]) => {
        const lines = others.reduce((most, one) => Math.max(most, 13 - Math.abs(levelAt(one, a) - b) * ux), 0), dots = taken.reduce((most, [tx, ty]) => Math.max(most, 20 - Math.hypot(tx - a, ty - b)), 0);
        const outside = Math.max(0, left + 6 - a, a - left - width + 4, top + 10 - b, b - top - height + 10);
        return sum + lines + dots + 4 * outside + Math.max(0, 9 - Math.abs(a - upright));
      }, Math.abs(k - 0.7 * last) / last);
      return { cost, centre, points, turn };
    });
    const { centre, points, turn } = options.reduce((best, one) => (one.cost < best.cost ? one : best));
    taken.push(...points);
    write(context, curve.text, ...centre, { colour: colours.text[curve.kind], font: colours.font }, { align: "center", weight: 650, size: 13, turn, halo: colours.paper });
  }
}

// Where the grid has its lines, as [log10, text]: at powers of ten, for bytes at powers of 1,024.
function levels(view, low, high, most, units) {
  const step = view === "memory" ? Math.log10(1024) : 1, stride = Math.max(1, Math.ceil((high - low) / step / most)), found = [];
  for (let power = Math.ceil(low / step / stride) * stride; power * step <= high; power += stride)
    if (view !== "memory" || (power >= 0 && power < units.length)) found.push([power * step, view === "memory" ? `1 ${units[power]}` : `10${raised(power)}`]);
  return found;
}
