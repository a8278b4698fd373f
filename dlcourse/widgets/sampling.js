// Drawing from a language model in the page: dlcourse.generation.sample, its temperature, top-k and top-p, and text to numbers.

// Softmax of logits / temperature, at 0 all of it on the largest; of these the topK likeliest, and of these the fewest that make up
// topP, shared out again. null keeps all; of equal ones the first are kept.
export function probabilities(logits, temperature = 1, topK = null, topP = null) {
  let best = 0;
  logits.forEach((v, k) => { if (v > logits[best]) best = k; });
  if (temperature === 0) return Float64Array.from(logits, (_, k) => (k === best ? 1 : 0));
  const powers = Float64Array.from(logits, (v) => Math.exp((v - logits[best]) / temperature)), kept = likeliest(powers, topK, topP);
  const sum = kept.reduce((a, k) => a + powers[k], 0), chances = new Float64Array(logits.length);
  for (const k of kept) chances[k] = powers[k] / sum;
  return chances;
}

function likeliest(powers, topK, topP) {
  const all = Array.from(powers, (_, k) => k);
  if (topK === null && topP === null) return all;
  const order = all.sort((a, b) => powers[b] - powers[a] || a - b).slice(0, topK ?? all.length), wanted = (topP ?? 1) * order.reduce((a, k) => a + powers[k], 0);
  let before = 0; // what the likelier ones add up to
  return topP === null ? order : order.filter((k) => { const keep = before < wanted; before += powers[k]; return keep; });
}

// The surprise at a token: −log₂ of its probability at temperature 1.
export function bits(logits, token) {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  return (largest + Math.log(logits.reduce((sum, v) => sum + Math.exp(v - largest), 0)) - logits[token]) / Math.LN2;
}

// A number from 0 to below 1 that looks random, the same for the same seed and place (both rounds: the finaliser of MurmurHash3).
export function uniform(seed, place) {
  let x = seed | 0;
  for (const salt of [0x9e3779b9, place]) {
    x = (x + Math.imul(salt, 0x9e3779b1)) | 0;
    x = Math.imul(x ^ x >>> 16, 0x85ebca6b);
    x = Math.imul(x ^ x >>> 13, 0xc2b2ae35);
    x ^= x >>> 16;
  }
  return (x >>> 0) / 2 ** 32;
}

// Draws a number with the given probabilities; u is uniform between 0 and 1.
export function draw(chances, u) {
  let left = u, last = 0;
  for (let k = 0; k < chances.length; k++) {
    if (chances[k] === 0) continue;
    last = k;
    left -= chances[k];
    if (left < 0) break;
  }
  return last;
}

// Text to numbers; curly apostrophes are read as straight ones, and characters the network never saw are left out and named.
export function encode(net, text) {
  const tokens = [], missing = new Set();
  for (const found of text.replace(/\r\n?/g, "\n")) {
    const character = net.numbers.has(found) ? found : found.replace(/[‘’]/, "'");
    if (net.numbers.has(character)) tokens.push(net.numbers.get(character));
    else missing.add(found);
  }
  return { tokens, missing: [...missing] };
}
