// Curves against the step on a logarithmic axis.

// Returns the powers of ten around the positive numbers among `values`, none below 10^lowest.
export function decades(values, lowest = -12) {
  let low = Infinity, high = -Infinity;
  for (const v of values) if (v > 0 && Number.isFinite(v)) { low = Math.min(low, v); high = Math.max(high, v); }
  if (low > high) return [-1, 0];
  const top = Math.max(Math.ceil(Math.log10(high) - 1e-9), lowest + 1);
  return [Math.max(Math.min(Math.floor(Math.log10(low) + 1e-9), top - 1), lowest), top];
}

// Draws curves (values by step) up to step `now`, and the rest as faint as `ahead`; returns where a label can stand at the end of each.
export function lossChart(context, box, { curves, steps, now, range: [low, high], names, ahead = 0 }, colours) {
  const style = { colour: colours.muted, font: colours.font }, { left, top, width, height, px, py } = frame([0, steps, low, high], box);
  const level = (v) => py(Math.min(Math.max(Math.log10(Math.max(v, 1e-300)), low - 1), high + 1));
  const stride = Math.max(1, Math.ceil((high - low) / Math.max(2, Math.floor(height / 30))));
  context.lineWidth = 1; context.strokeStyle = colours.line;
  context.beginPath();
  for (let power = Math.ceil(low / stride) * stride; power <= high; power += stride) {
    context.moveTo(left, py(power)); context.lineTo(left + width, py(power));
    write(context, `10${raised(power)}`, left - 7, py(power), style, { align: "right" });
  }
  context.stroke();
  for (const [x, text] of ticks(0, steps, Math.min(6, Math.max(2, width / 70))))
    if (Number.isInteger(x)) write(context, text, px(x), top + height + 6, style, { align: "center", base: "top" });
  write(context, names[0], left + width / 2, top + height + 22, style, { align: "center", base: "top" });
  write(context, names[1], left - 44, top + height / 2, style, { align: "center", base: "top", turn: -Math.PI / 2 });
  context.save();
  context.beginPath(); context.rect(left, top - 3, width + 4, height + 6); context.clip();
  context.strokeStyle = colours.muted; context.setLineDash([3, 4]);
  context.beginPath(); context.moveTo(px(Math.min(now, steps)), top); context.lineTo(px(Math.min(now, steps)), top + height); context.stroke();
  context.setLineDash([]);
  const labels = curves.map(({ values, colour, label, width: thick = 2 }) => {
    const trace = (from, to) => {
      context.beginPath();
      for (let n = from; n <= to; n++) context[n > from ? "lineTo" : "moveTo"](px(n), level(values[n]));
    };
    const last = values.length - 1, whole = Math.min(Math.floor(now), last);
    context.strokeStyle = colour; context.lineWidth = thick;
    if (ahead && whole < last) { context.globalAlpha = ahead; trace(whole, last); context.stroke(); context.globalAlpha = 1; }
    trace(0, whole);
    let end = [px(whole), level(values[whole])];
    if (now > whole && whole < last) { end = between(end, [px(whole + 1), level(values[whole + 1])], now - whole); context.lineTo(...end); }
    context.stroke();
    context.fillStyle = colour;
    context.beginPath(); context.arc(end[0], Math.min(Math.max(end[1], top), top + height), 3.5, 0, 2 * Math.PI); context.fill();
    const beyond = end[1] < top ? " ↑" : end[1] > top + height ? " ↓" : "";
    return { colour, text: label + beyond, x: end[0], y: Math.min(Math.max(end[1], top), top + height) };
  });
  context.restore();
  return labels;
}

// Moves labels apart, down and then up again, so that none covers another; all stay between `top` and `bottom`.
export function spread(labels, gap, top, bottom) {
  const order = [...labels].sort((a, b) => a.y - b.y);
  order.forEach((label, k) => { label.y = Math.max(label.y, k ? order[k - 1].y + gap : top); });
  order.reverse().forEach((label, k) => { label.y = Math.min(label.y, k ? order[k - 1].y - gap : bottom); });
  return labels;
}
