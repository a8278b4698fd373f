// An encoder-decoder with attention, one token at a time: dlcourse.models.seq2seq, with the weights as pronouncer_weights.py packs
// them, and beam search: dlcourse.decoding.

// Returns the network whose weights `view` (a DataView) carries, or null if their number is wrong.
export function unpackSpeller(view, shape) {
  const { cell, width, layers: depth, directions, attention, letters, phonemes } = shape, hidden = width * directions, gates = GATES[cell];
  let at = 0;
  const numbers = (count) => Float32Array.from({ length: count }, () => half(view.getUint16((at += 2) - 2, true)));
  const table = (rows, columns) => { // 8 bits a number, each row on a scale of its own
    const scales = numbers(rows), out = new Float32Array(rows * columns);
    for (let k = 0; k < out.length; k++) out[k] = view.getInt8(at++) * scales[Math.floor(k / columns)];
    return out;
  };
  const affine = (rows, columns) => ({ weight: table(rows, columns), bias: numbers(rows) });
  const linear = (rows, columns) => ({ weight: table(rows, columns), bias: new Float32Array(rows) });
  const encoder = Array.from({ length: depth }, (_, layer) => Array.from({ length: directions }, () => ({
    input: layer ? affine(gates * width, hidden) : table(letters.length, gates * width), state: affine(gates * width, width),
  })));
  const decoder = { input: table(phonemes.length, gates * hidden), state: affine(gates * hidden, hidden) };
  const reader = attention === "additive" ? { query: linear(hidden, hidden), key: linear(hidden, hidden), output: linear(1, hidden) } : {};
  const combine = affine(hidden, 2 * hidden), output = affine(phonemes.length, hidden);
  if (at !== view.byteLength) return null;
  return { ...shape, hidden, encoder, decoder, reader, combine, output, tokens: letters, numbers: new Map(letters.map((token, k) => [token, k])) };
}

const rowOf = (table, row, length) => table.subarray(row * length, (row + 1) * length);

// One layer in one direction over all inputs; returns the states in the order of the inputs, and the last that was computed.
function scan({ cell, width }, inputs, { input, state }, layer, backward) {
  const outputs = new Array(inputs.length), places = inputs.map((_, k) => (backward ? inputs.length - 1 - k : k));
  let last = { h: new Float64Array(width), c: new Float64Array(width) };
  for (const place of places) {
    const x = layer ? apply(input, inputs[place]) : rowOf(input, inputs[place], GATES[cell] * width);
    last = CELLS[cell](x, apply(state, last.h), last);
    outputs[place] = last.h;
  }
  return { outputs, last };
}

const join = (parts) => { // vectors side by side
  const out = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((from, part) => { out.set(part, from); return from + part.length; }, 0);
  return out;
};

// Reads all letters (their numbers): one vector for each, and the state from which the decoder starts.
export function readWord(net, tokens) {
  let memory = tokens, ends = [];
  net.encoder.forEach((directions, layer) => {
    const scans = directions.map((weights, backward) => scan(net, memory, weights, layer, backward));
    memory = tokens.map((_, place) => join(scans.map(({ outputs }) => outputs[place])));
    ends = scans.map(({ last }) => last);
  });
  const state = { h: join(ends.map(({ h }) => h)), c: ends[0].c ? join(ends.map(({ c }) => c)) : null };
  return { memory, keys: net.attention === "additive" ? memory.map((h) => apply(net.reader.key, h)) : memory, state };
}

// How well the query matches each key, before the softmax.
function scoresOf({ attention, reader, hidden }, query, keys) {
  const additive = attention === "additive", q = additive ? apply(reader.query, query) : query, scale = attention === "scaled_dot" ? Math.sqrt(hidden) : 1;
  return keys.map((key) => {
    let sum = 0;
    for (let k = 0; k < key.length; k++) sum += additive ? reader.output.weight[k] * Math.tanh(q[k] + key[k]) : q[k] * key[k];
    return sum / scale;
  });
}

// Reads one phoneme: the weights (S,) with which the letters are read, the probabilities (V,) of the next phoneme, and the state then.
export function nextPhoneme(net, { memory, keys }, token, before) {
  const state = CELLS[net.cell](rowOf(net.decoder.input, token, GATES[net.cell] * net.hidden), apply(net.decoder.state, before.h), before);
  const weights = probabilities(scoresOf(net, state.h, keys)), context = new Float64Array(net.hidden);
  memory.forEach((h, place) => { for (let k = 0; k < context.length; k++) context[k] += weights[place] * h[k]; });
  const mixed = apply(net.combine, join([state.h, context])).map(Math.tanh);
  return { state, weights, chances: probabilities(apply(net.output, mixed)) };
}

// What the `beam` best beginnings end in, best first: each { tokens, score, steps, ended }, its score the log-probability, the end included,
// with one step for each token and for the end. A reading that has ended keeps its place while it is among the best; what has not
// ended after `most` steps stands behind all that has.
export function readings(net, letters, { beam = 1, most = 2 * letters.length + 8 } = {}) {
  const { start, end, padding } = net, word = readWord(net, letters);
  let kept = [{ tokens: [], steps: [], score: 0, ended: false, state: word.state }];
  for (let length = 0; length < most && kept.some(({ ended }) => !ended); length++) {
    const grown = kept.flatMap((one) => {
      if (one.ended) return [one];
      const { state, ...step } = nextPhoneme(net, word, one.tokens.at(-1) ?? start, one.state), steps = [...one.steps, step];
      return Array.from(step.chances, (chance, token) => ({ tokens: one.tokens, token, steps, score: one.score + Math.log(chance), ended: token === end, state }))
        .filter(({ token, score }) => token !== start && token !== padding && score > -Infinity);
    });
    kept = grown.sort((a, b) => b.score - a.score).slice(0, beam)
      .map(({ token, ...one }) => (one.ended ? one : { ...one, tokens: [...one.tokens, token] }));
  }
  return kept.sort((a, b) => b.ended - a.ended);
}

// How many phonemes must be put in, left out or exchanged to make one reading the other (Levenshtein, 1966).
export function edits(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, k) => k);
  a.forEach((x, i) => {
    let corner = row[0];
    row[0] = i + 1;
    b.forEach((y, j) => { [corner, row[j + 1]] = [row[j + 1], Math.min(corner + (x === y ? 0 : 1), row[j] + 1, row[j + 1] + 1)]; });
  });
  return row.at(-1);
}
