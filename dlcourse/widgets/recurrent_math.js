// A recurrent language model over characters, one step at a time: dlcourse.models.language_model, with the weights as
// language_weights.py packs them.

const GATES = { rnn: 1, gru: 3, lstm: 4 };

// The value of a float16 number given by its 16 bits.
function half(bits) {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? NaN : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits >> 15 ? -size : size;
}

// Returns the network whose weights `view` (a DataView) carries, or null if their number is wrong.
export function unpack(view, { cell, hidden_size: hidden, num_layers: depth, tokens }) {
  const rows = GATES[cell] * hidden, all = new Float32Array(view.byteLength / 2);
  for (let k = 0; k < all.length; k++) all[k] = half(view.getUint16(2 * k, true));
  let next = 0;
  const take = (count) => all.subarray(next, (next += count));
  const affine = (outputs) => ({ weight: take(outputs * hidden), bias: take(outputs) });
  const table = take(tokens.length * rows);
  const layers = Array.from({ length: depth }, (_, k) => ({ input: k ? affine(rows) : null, state: affine(rows) }));
  const output = affine(tokens.length);
  return next === all.length ? { cell, hidden, table, layers, output, tokens, numbers: new Map(tokens.map((token, k) => [token, k])) } : null;
}

// weight · x + bias, in float64; four sums at a time, which do not wait for each other.
function apply({ weight, bias }, x) {
  const width = x.length, out = new Float64Array(bias.length);
  for (let o = 0, from = 0; o < out.length; o++) {
    let a = 0, b = 0, c = 0, d = 0, j = 0;
    for (; j + 3 < width; j += 4, from += 4) {
      a += weight[from] * x[j]; b += weight[from + 1] * x[j + 1]; c += weight[from + 2] * x[j + 2]; d += weight[from + 3] * x[j + 3];
    }
    for (; j < width; j++, from++) a += weight[from] * x[j];
    out[o] = bias[o] + a + b + c + d;
  }
  return out;
}

const sigmoid = (v) => 1 / (1 + Math.exp(-v));

// One step of one layer: what the input and the state before give each gate -> all that the step computes, the state h (and c) in it.
const CELLS = {
  rnn: (x, s) => ({ h: s.map((v, j) => Math.tanh(x[j] + v)) }),
  gru(x, s, { h: before }) {
    const n = before.length, r = new Float64Array(n), z = new Float64Array(n), candidate = new Float64Array(n), h = new Float64Array(n);
    for (let j = 0; j < n; j++) {
      r[j] = sigmoid(x[j] + s[j]);
      z[j] = sigmoid(x[n + j] + s[n + j]);
      candidate[j] = Math.tanh(x[2 * n + j] + r[j] * s[2 * n + j]); // the reset gate acts after the product, as in PyTorch
      h[j] = (1 - z[j]) * candidate[j] + z[j] * before[j];
    }
    return { h, r, z, n: candidate };
  },
  lstm(x, s, { c: before }) {
    const n = before.length, [i, f, g, o, c, h] = Array.from({ length: 6 }, () => new Float64Array(n));
    for (let j = 0; j < n; j++) {
      i[j] = sigmoid(x[j] + s[j]);
      f[j] = sigmoid(x[n + j] + s[n + j]);
      g[j] = Math.tanh(x[2 * n + j] + s[2 * n + j]);
      o[j] = sigmoid(x[3 * n + j] + s[3 * n + j]);
      c[j] = f[j] * before[j] + i[j] * g[j];
      h[j] = o[j] * Math.tanh(c[j]);
    }
    return { h, c, i, f, g, o };
  },
};

// The memory before the first character: zeros.
export const blank = (net) => ({ layers: net.layers.map(() => ({ h: new Float64Array(net.hidden), c: new Float64Array(net.hidden) })) });

// Reads one character (its number); returns every layer's record and the logits of the next character.
export function step(net, token, { layers: before }) {
  const rows = GATES[net.cell] * net.hidden, layers = [];
  net.layers.forEach((layer, k) => {
    const x = k ? apply(layer.input, layers[k - 1].h) : net.table.subarray(token * rows, (token + 1) * rows);
    layers.push(CELLS[net.cell](x, apply(layer.state, before[k].h), before[k]));
  });
  return { token, layers, logits: apply(net.output, layers.at(-1).h) };
}

// Returns a function that reads tokens from the start and gives one record a token; what stayed the same is not read again.
export function reader(net) {
  let records = [];
  return (tokens) => {
    let same = 0;
    while (same < tokens.length && records[same]?.token === tokens[same]) same++;
    records = records.slice(0, same);
    for (const token of tokens.slice(same)) records.push(step(net, token, records.at(-1) ?? blank(net)));
    return records;
  };
}

// The network that the widget's `network` refers to: a model of its own, so that a page carries the weights once.
async function referred(model) {
  const shared = await model.widget_manager.get_model(model.get("network").replace("IPY_MODEL_", ""));
  const names = ["cell", "hidden_size", "num_layers", "tokens"];
  return unpack(shared.get("weights"), Object.fromEntries(names.map((name) => [name, shared.get(name)])));
}
