// What widgets that draw on a canvas share: numbers as text, a part of the plane on a part of a canvas, axes.

// ---- numbers as text ----------------------------------------------------------------------------------------------

const raised = (n) => [...String(n)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("");

// A number to `digits` significant digits, in powers of ten where it is very large or very small.
export function significant(value, digits = 3) {
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? "0" : "∞";
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent < -3 || exponent > 4) {
    const [mantissa, power] = value.toExponential(digits - 1).split("e");
    return `${mantissa.replace("-", "−")}\u00a0·\u00a010${raised(Number(power))}`;
  }
  return value.toFixed(Math.max(digits - 1 - exponent, 0)).replace("-", "−");
}

// Round numbers from `low` to `high`, about `count` of them, as [value, text].
export function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((m) => m * power >= rough) * power, digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step), last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => [(first + k) * step, number((first + k) * step, digits)]);
}

// The place `part` of the way between two.
const between = (from, to, part) => from.map((v, k) => v + (to[k] - v) * part);

// ---- a part of the plane on a part of a canvas --------------------------------------------------------------------

// With `equal` both axes get the same scale and the plane is shown as far as there is room: angles look as they are.
export function frame([x0, x1, y0, y1], box, equal = false) {
  const { left, top, width, height } = box, cx = (x0 + x1) / 2, cy = (y0 + y1) / 2;
  let sx = width / (x1 - x0), sy = height / (y1 - y0);
  if (equal) sx = sy = Math.min(sx, sy);
  const bounds = [cx - width / 2 / sx, cx + width / 2 / sx, cy - height / 2 / sy, cy + height / 2 / sy];
  return {
    ...box, bounds,
    px: (x) => left + (x - bounds[0]) * sx, py: (y) => top + (bounds[3] - y) * sy,
    x: (p) => bounds[0] + (p - left) / sx, y: (p) => bounds[3] - (p - top) / sy,
    holds: ([x, y]) => x >= bounds[0] && x <= bounds[1] && y >= bounds[2] && y <= bounds[3],
  };
}

// Makes the canvas as sharp as the screen and empties it; lengths are CSS pixels from here on.
export function prepare(canvas) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  const pixels = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.lineJoin = context.lineCap = "round";
  return { context, ratio, width, height };
}

// The page's colours and type, for what is drawn on a canvas.
export function look(root) {
  const style = getComputedStyle(root), names = ["ink", "paper", "line", "muted", "accent", "warm"];
  const colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--dl-${name}`).trim()]));
  return { ...colours, dark: isDark(root), font: style.fontFamily };
}

export function write(context, text, x, y, { colour, font }, { align = "left", base = "middle", size = 12, weight = 400, halo = "", turn = 0 } = {}) {
  context.save();
  context.translate(x, y); context.rotate(turn);
  context.font = `${weight} ${size}px ${font}`; context.textAlign = align; context.textBaseline = base;
  if (halo) { context.lineWidth = 3.5; context.strokeStyle = halo; context.strokeText(text, 0, 0); }
  context.fillStyle = colour; context.fillText(text, 0, 0);
  context.restore();
}

export function axes(context, view, colours, names, count = 6) {
  const { left, top, width, height, bounds, px, py } = view, style = { colour: colours.muted, font: colours.font };
  context.strokeStyle = colours.muted; context.lineWidth = 1;
  context.beginPath();
  for (const [x, text] of ticks(bounds[0], bounds[1], count)) {
    if (px(x) > left + width - 4 || px(x) < left + 4) continue;
    context.moveTo(px(x), top + height); context.lineTo(px(x), top + height + 4);
    write(context, text, px(x), top + height + 7, style, { align: "center", base: "top" });
  }
  for (const [y, text] of ticks(bounds[2], bounds[3], count)) {
    if (py(y) > top + height - 4 || py(y) < top + 4) continue;
    context.moveTo(left - 4, py(y)); context.lineTo(left, py(y));
    write(context, text, left - 7, py(y), style, { align: "right" });
  }
  context.stroke();
  write(context, names[0], left + width / 2, top + height + 23, style, { align: "center", base: "top" });
  write(context, names[1], left - 36, top + height / 2, style, { align: "center", base: "top", turn: -Math.PI / 2 });
}

export function border(context, { left, top, width, height }, colours) {
  context.lineWidth = 1; context.strokeStyle = colours.line;
  context.strokeRect(left, top, width, height);
}
