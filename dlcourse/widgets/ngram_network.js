// The sentence CNN of dlcourse.models.sentence_cnn, the tokens it reads, and what each word adds to its verdict.

// ---- tokens; the mirror of dlcourse.data.text.words -----------------------------------------------------------------

const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000", WORD = "\\p{L}\\p{N}"; // as Python's \s and \w
const TOKEN = new RegExp(`<[a-z]+>|[${WORD}]+(?:'[${WORD}]+)*|[^${WORD}${SPACE}]`, "gu");

// The tokens of a text in lower case, each with where it begins and ends in the text.
export function tokenise(text) {
  const lower = text.toLowerCase(), grown = []; // İ becomes i and a dot, the one case that grows: where it stands in the lower text
  if (lower.length !== text.length) for (let at = text.indexOf("İ"); at >= 0; at = text.indexOf("İ", at + 1)) grown.push(at + grown.length);
  const back = (at) => at - grown.filter((place) => place + 1 < at).length;
  return Array.from(lower.matchAll(TOKEN), ({ 0: token, index }) => ({ token, start: back(index), end: back(index + token.length) }));
}

// ---- the network ----------------------------------------------------------------------------------------------------

const half = (bits) => {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return (bits >> 15 ? -1 : 1) * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
};
const bytesOf = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

// The network whose parameters `embedding` and `parameters` (DataViews) carry.
export function unpack(embedding, parameters, { embedding_dim: dim, num_filters: filters, kernel_sizes: sizes }) {
  const table = new Int8Array(bytesOf(embedding)), values = Float32Array.from(new Uint16Array(bytesOf(parameters)), half);
  let next = 0;
  const take = (n) => values.subarray(next, (next += n)), scales = take(table.length / dim);
  const kernels = sizes.map((size) => {
    const raw = take(filters * dim * size), bias = take(filters), weight = new Float32Array(raw.length);
    for (let f = 0; f < filters; f++) for (let d = 0; d < dim; d++) for (let m = 0; m < size; m++) // to (size, D, F): filters lie side by side
      weight[(m * dim + d) * filters + f] = raw[(f * dim + d) * size + m];
    return { size, weight, bias };
  });
  const all = filters * sizes.length, weight = take(2 * all), bias = take(2);
  const towards = Float64Array.from({ length: all }, (_, f) => weight[all + f] - weight[f]); // class 1 against class 0
  return { dim, filters, table, scales, kernels, towards, weight, bias, known: new Map() };
}

// What a word adds to each filter in each place of its window: for every kernel (size × F) numbers. Words are met again and
// again, and so is what is typed: kept, a change of one word costs one word.
function project(net, id) {
  let parts = net.known.get(id);
  if (parts) return parts;
  const { dim, filters, table, scales, kernels } = net;
  parts = kernels.map(({ size, weight }) => {
    const sums = new Float32Array(size * filters);
    for (let m = 0; m < size; m++) for (let d = 0; d < dim; d++) {
      const value = table[id * dim + d] * scales[id], from = (m * dim + d) * filters;
      for (let f = 0; f < filters; f++) sums[m * filters + f] += value * weight[from + f];
    }
    return sums;
  });
  if (net.known.size > 3000) net.known.clear();
  net.known.set(id, parts);
  return parts;
}

// Reads token numbers `ids` (at least 1). Returns the logits, the log-odds of class 1, its bias, what each word adds to it
// (`shares`), in how many winning windows it stands (`wins`), and the winning `windows`: { start, length, value, filters }.
export function read(net, ids) {
  const { filters, kernels, towards, weight, bias } = net, words = ids.map((id) => project(net, id)), all = towards.length;
  const shares = new Float64Array(ids.length), wins = new Int32Array(ids.length), found = new Map(), logits = [bias[0], bias[1]];
  const best = new Float64Array(filters), winner = new Int32Array(filters), scores = new Float64Array(filters);
  kernels.forEach(({ size, bias: start }, c) => {
    const last = Math.max(ids.length - size, 0), length = Math.min(size, ids.length); // a shorter text is filled up with zeros
    best.fill(-Infinity);
    for (let at = 0; at <= last; at++) {
      for (let f = 0; f < filters; f++) scores[f] = start[f];
      for (let m = 0; m < length; m++) {
        const part = words[at + m][c], from = m * filters;
        for (let f = 0; f < filters; f++) scores[f] += part[from + f];
      }
      for (let f = 0; f < filters; f++) if (scores[f] > best[f]) { best[f] = scores[f]; winner[f] = at; }
    }
    for (let f = 0; f < filters; f++) if (best[f] > 0) { // the ReLU
      const unit = c * filters + f, value = towards[unit] * best[f], key = `${winner[f]} ${length}`;
      logits[0] += weight[unit] * best[f]; logits[1] += weight[all + unit] * best[f];
      const window = found.get(key) ?? { start: winner[f], length, value: 0, filters: 0 };
      window.value += value; window.filters++;
      found.set(key, window);
      for (let m = 0; m < length; m++) { shares[winner[f] + m] += value / length; wins[winner[f] + m]++; }
    }
  });
  return { logits, odds: logits[1] - logits[0], bias: bias[1] - bias[0], shares, wins, windows: [...found.values()] };
}

export const probability = (odds) => 1 / (1 + Math.exp(-odds));
