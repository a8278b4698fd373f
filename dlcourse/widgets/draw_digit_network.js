// The network of dlcourse.models.cnn, computed in the page.

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
