// A GPT, one token at a time with the keys and values of those before it: dlcourse.models.gpt, with the weights as
// transformer_weights.py packs them.

// The value of a float16 number given by its bits.
function float16(bits) {
  const exponent = (bits >> 10) & 31, size = exponent ? (1 + (bits & 1023) / 1024) * 2 ** (exponent - 15) : (bits & 1023) * 2 ** -24;
  return bits >> 15 ? -size : size;
}

// Returns the network whose weights `view` (a DataView) carries, or null if their number is wrong. `parts` names each tensor with
// its rows and columns: first come vectors (0 columns) and a scale for each row of the matrices, in float16, then the rows in int8.
export function unpackTransformer(view, shape, parts) {
  const sum = (of) => parts.reduce((total, [, rows, columns]) => total + of(rows, columns), 0);
  let float = 0, byte = 2 * sum((rows) => rows);
  if (view.byteLength !== byte + sum((rows, columns) => rows * columns)) return null;
  const tensors = {}, next = () => { float += 2; return float16(view.getUint16(float - 2, true)); };
  for (const [name, rows, columns] of parts) {
    const numbers = tensors[name] = new Float32Array(rows * (columns || 1));
    for (let k = 0, r = 0; r < rows; r++) {
      const scale = next();
      if (!columns) numbers[r] = scale;
      for (let c = 0; c < columns; c++, k++, byte++) numbers[k] = scale * view.getInt8(byte);
    }
  }
  const linear = (name) => ({ weight: tensors[`${name}.weight`] ?? null, bias: tensors[`${name}.bias`] ?? null });
  const layers = Array.from({ length: shape.num_layers }, (_, l) => Object.fromEntries(
    ["attention_norm", "query", "query_norm", "key", "key_norm", "value", "out", "feed_forward_norm", "hidden", "output"].map((name) => [name, linear(`${l}.${name}`)])));
  const output = linear("output");
  output.weight ??= tensors.embedding; // tied
  const { embedding, positions: table = null } = tensors, { rates } = shape;
  return { ...shape, width: shape.dim / shape.num_heads, embedding, table, turns: rates.length ? turns(rates, shape.max_length) : null, layers, last: linear("norm"), output };
}

// cos and sin of the angles by which rotary positions turn each pair of columns, (M, K/2) each; `rates` are the angles of one step.
function turns(rates, length) {
  const half = rates.length, of = (f) => Float64Array.from({ length: length * half }, (_, k) => f(Math.floor(k / half) * rates[k % half]));
  return { cos: of(Math.cos), sin: of(Math.sin) };
}

// weight · x + bias, in float64; four rows at a time, which share what they read of x.
function affine({ weight, bias }, x) {
  const width = x.length, rows = weight.length / width, out = new Float64Array(rows);
  let o = 0;
  for (let p = 0; o + 3 < rows; o += 4, p += 4 * width) {
    const q = p + width, r = q + width, s = r + width;
    let a = 0, b = 0, c = 0, d = 0;
    for (let j = 0; j < width; j++) {
      const v = x[j];
      a += weight[p + j] * v; b += weight[q + j] * v; c += weight[r + j] * v; d += weight[s + j] * v;
    }
    out[o] = a; out[o + 1] = b; out[o + 2] = c; out[o + 3] = d;
  }
  for (; o < rows; o++) for (let j = 0; j < width; j++) out[o] += weight[o * width + j] * x[j];
  if (bias) for (let k = 0; k < rows; k++) out[k] += bias[k];
  return out;
}

// Normalises x from `from` on, over `width` numbers: by root mean square, or by mean and variance.
function normalise(x, { norm, eps }, { weight = null, bias = null } = {}, from = 0, width = x.length) {
  let mean = 0, square = 0;
  if (norm === "layer") { for (let j = 0; j < width; j++) mean += x[from + j]; mean /= width; }
  for (let j = 0; j < width; j++) square += (x[from + j] - mean) ** 2;
  const scale = 1 / Math.sqrt(square / width + eps), out = new Float64Array(width);
  for (let j = 0; j < width; j++) out[j] = (x[from + j] - mean) * scale * (weight ? weight[j] : 1) + (bias ? bias[j] : 0);
  return out;
}

// The error function, to 1.5e-7 (Abramowitz and Stegun, 7.1.26).
function erf(v) {
  const t = 1 / (1 + 0.3275911 * Math.abs(v));
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-v * v);
  return Math.sign(v) * (1 - tail);
}

const ACTIVATIONS = {
  relu: (v) => Math.max(v, 0), squared_relu: (v) => Math.max(v, 0) ** 2, gelu: (v) => v * (1 + erf(v / Math.SQRT2)) / 2, silu: (v) => v / (1 + Math.exp(-v)),
};

// Turns the pairs (i, i + K/2) of one head's numbers by the angles of a position, in place.
function turn(x, from, width, { cos, sin }, place) {
  const half = width / 2;
  for (let i = 0, k = place * half; i < half; i++, k++) {
    const a = x[from + i], b = x[from + half + i];
    x[from + i] = a * cos[k] - b * sin[k];
    x[from + half + i] = a * sin[k] + b * cos[k];
  }
}

const QK_NORM = { norm: "rms", eps: 2 ** -23 };

// Queries or keys of all heads: normalised where the model does that, and turned to their position.
function placed(net, x, own, place) {
  for (let from = 0; from < x.length; from += net.width) {
    if (own.weight) x.set(normalise(x, QK_NORM, own, from, net.width), from);
    if (net.turns) turn(x, from, net.width, net.turns, place);
  }
  return x;
}

// What every head reads for one query: fills `weights` from `at` on, `count` places a head, and returns the mixed values (D,).
function mix({ num_heads: heads, width }, q, keys, values, count, weights, at) {
  const dim = q.length, out = new Float64Array(dim), scale = 1 / Math.sqrt(width), scores = new Float64Array(count);
  for (let head = 0; head < heads; head++, at += count) {
    const first = head * width;
    let largest = -Infinity, sum = 0;
    for (let s = 0; s < count; s++) {
      let a = 0;
      for (let j = first, k = s * dim + first; j < first + width; j++, k++) a += q[j] * keys[k];
      scores[s] = a * scale;
      if (scores[s] > largest) largest = scores[s];
    }
    for (let s = 0; s < count; s++) sum += scores[s] = Math.exp(scores[s] - largest);
    for (let s = 0; s < count; s++) {
      const w = weights[at + s] = scores[s] / sum;
      for (let j = first, k = s * dim + first; j < first + width; j++, k++) out[j] += w * values[k];
    }
  }
  return out;
}

// Room for the keys and values of a whole context.
export const emptyCache = (net) => net.layers.map(() => ({ keys: new Float64Array(net.max_length * net.dim), values: new Float64Array(net.max_length * net.dim) }));

// Reads one token that stands at `place`, after those in the cache, to which it adds its own keys and values. Returns the logits of
// the next token and what each head of each layer read, weights (L · N · (place + 1)).
export function readToken(net, cache, token, place) {
  const { dim, num_heads: heads, layers } = net, act = ACTIVATIONS[net.activation], count = place + 1;
  const weights = new Float32Array(layers.length * heads * count);
  const x = Float64Array.from({ length: dim }, (_, j) => net.embedding[token * dim + j] + (net.table ? net.table[place * dim + j] : 0));
  const part = (own, f) => { // one part of a block, with its residual connection
    const y = f(normalise(x, net, own));
    for (let j = 0; j < dim; j++) x[j] += y[j];
  };
  layers.forEach((layer, l) => {
    const { keys, values } = cache[l];
    part(layer.attention_norm, (y) => {
      const q = placed(net, affine(layer.query, y), layer.query_norm, place);
      keys.set(placed(net, affine(layer.key, y), layer.key_norm, place), place * dim);
      values.set(affine(layer.value, y), place * dim);
      return affine(layer.out, mix(net, q, keys, values, count, weights, l * heads * count));
    });
    part(layer.feed_forward_norm, (y) => affine(layer.output, affine(layer.hidden, y).map(act)));
  });
  return { token, weights, count, logits: affine(net.output, normalise(x, net, net.last)) };
}

// The weights of one head in a record: what its character read of each in the context, as a view.
export const headWeights = ({ weights, count }, { num_heads: heads }, layer, head) => weights.subarray((layer * heads + head) * count, (layer * heads + head + 1) * count);

// Returns a function that reads a text of at most M tokens from its start and gives one record a token; what stayed the same at the
// start is not read again.
export function transformerReader(net) {
  const cache = emptyCache(net);
  let records = [];
  return (tokens) => {
    let same = 0;
    while (same < tokens.length && records[same]?.token === tokens[same]) same++;
    records = records.slice(0, same);
    for (let place = same; place < tokens.length; place++) records.push(readToken(net, cache, tokens[place], place));
    return records;
  };
}

// The network that the widget's `network` refers to: a model of its own, so that a page carries the weights once.
async function referredTransformer(model) {
  const shared = await model.widget_manager.get_model(model.get("network").replace("IPY_MODEL_", "")), tokens = model.get("tokens");
  return { ...unpackTransformer(shared.get("weights"), shared.get("shape"), shared.get("parts")), tokens, numbers: new Map(tokens.map((token, k) => [token, k])) };
}
