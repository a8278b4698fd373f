// One layer read over one sequence, and how far a change of an early state is felt: the mirror of dlcourse/layers/recurrent.py.

export const INPUTS = 3, LONGEST = 60; // numbers in x_t; steps for which inputs are sent
export const GATES = { rnn: 1, gru: 3, lstm: 4 }; // blocks of H rows in a weight, in torch's order: h | r, z, n | i, f, g, o
const KEEPS = 1; // the block whose gate keeps the old state: z of the GRU, f of the LSTM

const sigmoid = (a) => 1 / (1 + Math.exp(-a));

// Numbers in one draw.
const drawSize = (hidden) => Object.values(GATES).reduce((sum, gates) => sum + gates * hidden * (INPUTS + hidden), INPUTS * LONGEST);

// Returns the weights of draw `draw` for every cell, and its inputs, from the bytes (float32) that Python sends.
export function unpack(view, hidden, draw) {
  const values = new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  let at = draw * drawSize(hidden);
  const take = (count) => Float64Array.from(values.subarray(at, (at += count)));
  const cells = {};
  for (const [cell, gates] of Object.entries(GATES)) cells[cell] = { input: take(gates * hidden * INPUTS), recurrent: take(gates * hidden * hidden) };
  return { cells, sequence: take(INPUTS * LONGEST) };
}

// Returns the weights as the sliders have them: the recurrent ones times `radius`, `bias` at the gate that keeps.
export function adjusted({ input, recurrent }, hidden, radius, bias) {
  return { input, recurrent: recurrent.map((w) => radius * w), hidden, bias };
}

// What enters the blocks of gates from x and from h, apart: the GRU multiplies its last block's share of h by r.
function enter({ input, recurrent, hidden, bias }, x, h) {
  const rows = recurrent.length / hidden, fromX = new Float64Array(rows), fromH = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    if (rows > hidden && Math.floor(row / hidden) === KEEPS) fromX[row] = bias;
    for (let k = 0; k < INPUTS; k++) fromX[row] += input[row * INPUTS + k] * x[k];
    for (let k = 0; k < hidden; k++) fromH[row] += recurrent[row * hidden + k] * h[k];
  }
  return [fromX, fromH];
}

// Each takes the weights, x and the state before, and returns the state after and its Jacobian, row by row: ∂ after / ∂ before.
const STEPS = {
  rnn: (weights, x, h) => {
    const { recurrent, hidden } = weights, [fromX, fromH] = enter(weights, x, h), after = fromX.map((a, i) => Math.tanh(a + fromH[i]));
    return [after, recurrent.map((w, p) => (1 - after[Math.floor(p / hidden)] ** 2) * w)];
  },
  gru: (weights, x, h) => {
    const { recurrent, hidden: H } = weights, [fromX, fromH] = enter(weights, x, h), after = new Float64Array(H), jacobian = new Float64Array(H * H);
    for (let i = 0; i < H; i++) {
      const r = sigmoid(fromX[i] + fromH[i]), z = sigmoid(fromX[H + i] + fromH[H + i]), carried = fromH[2 * H + i];
      const n = Math.tanh(fromX[2 * H + i] + r * carried), slope = (1 - z) * (1 - n * n);
      after[i] = (1 - z) * n + z * h[i];
      for (let j = 0; j < H; j++) {
        const at = i * H + j, [forR, forZ, forN] = [recurrent[at], recurrent[H * H + at], recurrent[2 * H * H + at]];
        jacobian[at] = (h[i] - n) * z * (1 - z) * forZ + slope * (r * forN + carried * r * (1 - r) * forR);
      }
      jacobian[i * H + i] += z;
    }
    return [after, jacobian];
  },
  lstm: (weights, x, state) => { // the state is h, then c
    const { recurrent, hidden: H } = weights, size = 2 * H, [fromX, fromH] = enter(weights, x, state.subarray(0, H));
    const after = new Float64Array(size), jacobian = new Float64Array(size * size);
    for (let k = 0; k < H; k++) {
      const [i, f, g, o] = [k, H + k, 2 * H + k, 3 * H + k].map((row, block) => (block === 2 ? Math.tanh : sigmoid)(fromX[row] + fromH[row]));
      const before = state[H + k], c = f * before + i * g, shown = Math.tanh(c), slope = o * (1 - shown * shown);
      const through = [g * i * (1 - i), before * f * (1 - f), i * (1 - g * g), shown * o * (1 - o)]; // ∂c by what enters i, f, g; ∂h by o's
      after[k] = o * shown; after[H + k] = c;
      for (let j = 0; j < H; j++) {
        const at = k * H + j, cell = through[0] * recurrent[at] + through[1] * recurrent[H * H + at] + through[2] * recurrent[2 * H * H + at];
        jacobian[k * size + j] = through[3] * recurrent[3 * H * H + at] + slope * cell;
        jacobian[(H + k) * size + j] = cell;
      }
      jacobian[k * size + H + k] = slope * f;
      jacobian[(H + k) * size + H + k] = f;
    }
    return [after, jacobian];
  },
};

// The spectral norm of an n × n matrix M, its largest singular value: the root of the largest eigenvalue of M Mᵀ, which reflections
// (Householder, 1958) bring to three diagonals first.
export function spectralNorm(matrix, n) {
  const gram = Array.from({ length: n }, () => new Float64Array(n)), off = new Float64Array(n); // off[k]: beside the diagonal, k and k + 1
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) {
    let sum = 0;
    for (let k = 0, a = i * n, b = j * n; k < n; k++) sum += matrix[a + k] * matrix[b + k];
    gram[i][j] = gram[j][i] = sum;
  }
  for (let k = 0; k < n - 1; k++) {
    const v = new Float64Array(n), p = new Float64Array(n);
    let length = 0, square = 0, overlap = 0;
    for (let i = k + 1; i < n; i++) { v[i] = gram[i][k]; length += v[i] * v[i]; }
    off[k] = v[k + 1] > 0 ? -Math.sqrt(length) : Math.sqrt(length);
    v[k + 1] -= off[k];
    for (let i = k + 1; i < n; i++) square += v[i] * v[i];
    if (square === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const row = gram[i];
      for (let j = k + 1; j < n; j++) p[i] += row[j] * v[j];
      p[i] *= 2 / square;
      overlap += p[i] * v[i] / square;
    }
    for (let i = k + 1; i < n; i++) p[i] -= overlap * v[i];
    for (let i = k + 1; i < n; i++) {
      const row = gram[i], a = v[i], b = p[i];
      for (let j = k + 1; j < n; j++) row[j] -= a * p[j] + b * v[j];
    }
  }
  return Math.sqrt(largestEigenvalue(gram.map((row, k) => row[k]), off));
}

// The largest eigenvalue of a symmetric matrix of three diagonals, by bisection: above it, and nowhere below, all pivots are negative.
function largestEigenvalue(diagonal, off) {
  let low = Math.max(...diagonal), high = Math.max(...diagonal.map((d, k) => d + Math.abs(off[k]) + Math.abs(k ? off[k - 1] : 0)));
  for (let n = 0; n < 50 && high > low; n++) {
    const middle = (low + high) / 2;
    let pivot = -1, above = true;
    for (let k = 0; k < diagonal.length && above; k++) {
      pivot = diagonal[k] - middle - (k ? off[k - 1] ** 2 / pivot : 0);
      above = pivot < 0;
    }
    if (above) high = middle; else low = middle;
  }
  return high;
}

const times = (a, b, n) => {
  const product = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) {
    const factor = a[i * n + k];
    for (let j = 0, to = i * n, from = k * n; j < n; j++) product[to + j] += factor * b[from + j];
  }
  return product;
};

// Reads `steps` inputs, INPUTS numbers each, from a state of zeros. Returns the states s_0 to s_T and, for every k from 0 to T,
// log10 of the spectral norm of ∂s_T/∂s_k: a logarithm, so that no product is too small or too large to be held.
export function flow(cell, weights, sequence, steps) {
  const size = (cell === "lstm" ? 2 : 1) * weights.hidden, states = [new Float64Array(size)], jacobians = [];
  for (let t = 0; t < steps; t++) {
    const [after, jacobian] = STEPS[cell](weights, sequence.subarray(t * INPUTS, (t + 1) * INPUTS), states[t]);
    states.push(after); jacobians.push(jacobian);
  }
  let product = Float64Array.from({ length: size * size }, (_, p) => (p % (size + 1) ? 0 : 1)), scale = 0;
  const logs = new Array(steps + 1).fill(-Infinity);
  logs[steps] = 0;
  for (let k = steps - 1; k >= 0; k--) {
    product = times(product, jacobians[k], size);
    const largest = product.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    if (largest === 0) break; // and so it stays
    product = product.map((v) => v / largest);
    scale += Math.log10(largest);
    logs[k] = scale + Math.log10(spectralNorm(product, size));
  }
  return { states, logs };
}
