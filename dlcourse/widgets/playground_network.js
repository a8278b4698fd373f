// The arithmetic of the playground: a multilayer perceptron with one logit, its gradients, and three optimisers, as PyTorch has them.
// An array of a layer holds its units one after the other, each with one number per example: unit * room + example.

// Returns a network of `sizes` (inputs, hidden layers, 1) whose parameters, all zero, lie in one array in PyTorch's order.
export function makeNetwork(sizes, activation) {
  const counts = sizes.slice(1).map((outputs, l) => outputs * (sizes[l] + 1)), count = counts.reduce((a, b) => a + b);
  const values = new Float64Array(count), gradient = new Float64Array(count), layers = [];
  let next = 0;
  for (let l = 0; l + 1 < sizes.length; l++) {
    const inputs = sizes[l], outputs = sizes[l + 1], middle = next + inputs * outputs, end = middle + outputs;
    const views = (array) => [array.subarray(next, middle), array.subarray(middle, end)];
    const [weight, bias] = views(values), [weightGradient, biasGradient] = views(gradient);
    layers.push({ inputs, outputs, weight, bias, weightGradient, biasGradient });
    next = end;
  }
  return { sizes, activation, values, gradient, layers };
}

// Numbers from 0 to 1 that `seed` decides (mulberry32).
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Draws every weight and bias from −1/√inputs to 1/√inputs, as torch.nn.Linear does.
export function initialise(net, random) {
  for (const { inputs, weight, bias } of net.layers)
    for (const array of [weight, bias]) for (let k = 0; k < array.length; k++) array[k] = (2 * random() - 1) / Math.sqrt(inputs);
}

// Returns the arrays that `count` examples need on their way through a network of these sizes: a[0] is what comes in.
export function makeRoom(sizes, count) {
  const arrays = (list) => list.map((units) => new Float64Array(units * count));
  return { count, a: arrays(sizes), z: arrays(sizes.slice(1)), delta: arrays(sizes.slice(1)) };
}

function activate(name, z, a, end) {
  if (name === "tanh") for (let k = 0; k < end; k++) a[k] = Math.tanh(z[k]);
  else if (name === "sigmoid") for (let k = 0; k < end; k++) a[k] = 1 / (1 + Math.exp(-z[k]));
  else if (name === "relu") for (let k = 0; k < end; k++) a[k] = z[k] > 0 ? z[k] : 0;
  else for (let k = 0; k < end; k++) a[k] = z[k];
}

// The derivative of the activation where it takes the value a.
export function slope(name, a) {
  if (name === "tanh") return 1 - a * a;
  if (name === "sigmoid") return a * (1 - a);
  return name === "relu" ? Number(a > 0) : 1;
}

// z = W a + b and a = φ(z), layer by layer; the last z is the logit and stays as it is.
export function forward(net, room) {
  const { count } = room;
  for (let l = 0; l < net.layers.length; l++) {
    const { inputs, outputs, weight, bias } = net.layers[l], x = room.a[l], z = room.z[l];
    for (let j = 0; j < outputs; j++) {
      const row = j * count, end = row + count;
      for (let k = row; k < end; k++) z[k] = bias[j];
      for (let i = 0; i < inputs; i++) {
        const w = weight[j * inputs + i];
        for (let k = row, from = i * count; k < end; k++, from++) z[k] += w * x[from];
      }
    }
    activate(l + 1 < net.layers.length ? net.activation : "linear", z, room.a[l + 1], outputs * count);
  }
  return room.z.at(-1);
}

// Mean binary cross-entropy of the logits z.
export function loss(z, labels) {
  let sum = 0;
  for (let k = 0; k < labels.length; k++) sum += Math.max(z[k], 0) - z[k] * labels[k] + Math.log1p(Math.exp(-Math.abs(z[k])));
  return sum / labels.length;
}

// After forward: δ = (ŷ − y) / examples at the output, δ = (Wᵀ δ_next) ⊙ φ′(z) below, and the gradients δ aᵀ and Σ δ.
export function backward(net, room, labels) {
  const { count, delta } = room, top = delta.at(-1), logits = room.z.at(-1);
  for (let k = 0; k < count; k++) top[k] = (1 / (1 + Math.exp(-logits[k])) - labels[k]) / count;
  for (let l = net.layers.length - 1; l >= 0; l--) {
    const { inputs, outputs, weight, weightGradient, biasGradient } = net.layers[l], x = room.a[l], d = delta[l];
    for (let j = 0; j < outputs; j++) {
      let sum = 0;
      for (let k = j * count; k < (j + 1) * count; k++) sum += d[k];
      biasGradient[j] = sum;
      for (let i = 0; i < inputs; i++) {
        let product = 0;
        for (let k = j * count, from = i * count; k < (j + 1) * count; k++, from++) product += d[k] * x[from];
        weightGradient[j * inputs + i] = product;
      }
    }
    if (l === 0) return;
    const below = delta[l - 1];
    below.fill(0);
    for (let j = 0; j < outputs; j++) for (let i = 0; i < inputs; i++) {
      const w = weight[j * inputs + i];
      for (let k = i * count, from = j * count; k < (i + 1) * count; k++, from++) below[k] += w * d[from];
    }
    for (let k = 0; k < below.length; k++) below[k] *= slope(net.activation, x[k]);
  }
}

const MOMENTUM = 0.9, BETAS = [0.9, 0.999], EPSILON = 1e-8;

// What an optimiser remembers between its steps.
export const makeMemory = (net) => ({ step: 0, first: new Float64Array(net.values.length), second: new Float64Array(net.values.length) });

// One step of torch.optim's SGD ("sgd"; "momentum" with 0.9) or Adam ("adam"); `decay` is their weight_decay, L2.
export function update({ values, gradient }, memory, { optimiser, rate, decay }) {
  const { first, second } = memory, [b1, b2] = BETAS, t = ++memory.step;
  const size = rate / (1 - b1 ** t), root = Math.sqrt(1 - b2 ** t);
  for (let k = 0; k < values.length; k++) {
    const g = gradient[k] + decay * values[k];
    if (optimiser === "adam") {
      first[k] = b1 * first[k] + (1 - b1) * g;
      second[k] = b2 * second[k] + (1 - b2) * g * g;
      values[k] -= size * first[k] / (Math.sqrt(second[k]) / root + EPSILON);
    } else if (optimiser === "momentum") {
      first[k] = MOMENTUM * first[k] + g;
      values[k] -= rate * first[k];
    } else values[k] -= rate * g;
  }
}

// ---- training -----------------------------------------------------------------------------------------------------

const ABSURD = 1000; // a batch's loss above this

// Returns room for all `points`, filled with them.
export function roomFor(sizes, points) {
  const count = points.labels.length, room = makeRoom(sizes, count);
  room.a[0].set(points.inputs);
  return room;
}

// Returns { loss, accuracy } of the network on the points that `room` holds.
export function evaluate(net, room, labels) {
  const z = forward(net, room);
  let right = 0;
  for (let k = 0; k < labels.length; k++) right += Number(z[k] > 0 === labels[k] > 0);
  return { loss: loss(z, labels), accuracy: right / labels.length };
}

// A run of training: a network of `sizes`, drawn with `seed`, on points { inputs (x1 of all, x2 of all), labels }.
export function makeRun({ sizes, activation, seed, points }) {
  const random = randomNumbers(seed), net = makeNetwork(sizes, activation);
  initialise(net, random);
  const order = Uint32Array.from(points.labels, (_, k) => k);
  return { net, points, random, order, position: 0, epochs: 0, updates: 0, memory: makeMemory(net), sound: net.values.slice(), diverged: false };
}

// One update with the next batch; an epoch's last batch takes what is left. Returns false, and undoes it, where training has diverged.
export function trainStep(run, settings) {
  const { net, points, order } = run, all = order.length, inputs = net.sizes[0];
  if (run.position === 0) for (let k = all - 1; k > 0; k--) { // a new order for every epoch
    const other = Math.floor(run.random() * (k + 1));
    [order[k], order[other]] = [order[other], order[k]];
  }
  const count = Math.min(settings.batchSize, all - run.position);
  run.rooms ??= new Map();
  if (!run.rooms.has(count)) run.rooms.set(count, { room: makeRoom(net.sizes, count), labels: new Float64Array(count) });
  const { room, labels } = run.rooms.get(count);
  for (let k = 0; k < count; k++) {
    const example = order[run.position + k];
    for (let i = 0; i < inputs; i++) room.a[0][i * count + k] = points.inputs[i * all + example];
    labels[k] = points.labels[example];
  }
  const z = forward(net, room);
  run.sound.set(net.values);
  backward(net, room, labels);
  update(net, run.memory, settings);
  if (!(loss(z, labels) < ABSURD) || !net.values.every(Number.isFinite)) {
    net.values.set(run.sound);
    run.diverged = true;
    return false;
  }
  run.updates += 1;
  run.position = (run.position + count) % all;
  run.epochs += Number(run.position === 0);
  return true;
}

// Updates until the epoch is full. Returns false where training has diverged.
export function trainEpoch(run, settings) {
  do if (!trainStep(run, settings)) return false;
  while (run.position);
  return true;
}
