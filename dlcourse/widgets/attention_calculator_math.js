// Attention for one query, every step kept: what dlcourse.layers.attention.scaled_dot_product computes, mask and all.

export const dot = (a, b) => a.reduce((sum, v, n) => sum + v * b[n], 0);

// A query (d) reads keys (S, d) and values (S, e) where `allowed` (S). Weights of masked keys are exactly 0, all if every key is masked.
export function attend(q, k, v, allowed, { scaled = true, temperature = 1 } = {}) {
  const divisor = (scaled ? Math.sqrt(q.length) : 1) * temperature;
  const scores = k.map((key) => dot(q, key)), logits = scores.map((score) => score / divisor);
  const seen = logits.filter((_, i) => allowed[i]), largest = Math.max(...seen); // −∞ where there is nothing to read
  const powers = logits.map((z, i) => (allowed[i] ? Math.exp(z - largest) : 0)), total = powers.reduce((a, b) => a + b, 0);
  const weights = powers.map((power) => (total ? power / total : 0));
  return { divisor, scores, logits, largest, powers, total, weights, output: mix(weights, v) };
}

const mix = (weights, v) => v[0].map((_, c) => weights.reduce((sum, w, i) => sum + w * v[i][c], 0));

// How many keys an even choice would have to be among to be as spread as these weights: exp of their entropy.
export const spreadOf = (weights) => Math.exp(-weights.reduce((sum, w) => sum + (w > 0 ? w * Math.log(w) : 0), 0));

// The outputs on the way from the best match (τ → 0) to the plain mean (τ → ∞) of what may be read.
export function temperaturePath(scores, v, allowed, count = 72) {
  const seen = scores.filter((_, i) => allowed[i]), best = Math.max(...seen), gap = best - Math.min(...seen);
  if (!seen.length) return [];
  const ends = [(score) => Number(score === best), () => 1].map((power) => {
    const powers = scores.map((score, i) => (allowed[i] ? power(score) : 0)), total = powers.reduce((a, b) => a + b, 0);
    return mix(powers.map((p) => p / total), v);
  });
  if (gap === 0) return [ends[1]];
  const between = Array.from({ length: count }, (_, n) => gap * 10 ** (-1.8 + 3.6 * (n / (count - 1))));
  return [ends[0], ...between.map((temperature) => attend([1], scores.map((s) => [s]), v, allowed, { scaled: false, temperature }).output), ends[1]];
}

// The outputs that a query of this length gets in each direction, once around.
export const orbit = (q, k, v, allowed, settings, count = 120) => Array.from({ length: count + 1 }, (_, n) => {
  const size = Math.hypot(...q), turn = Math.atan2(q[1], q[0]) + (2 * Math.PI * n) / count;
  return attend([size * Math.cos(turn), size * Math.sin(turn)], k, v, allowed, settings).output;
});

// The corners of the smallest convex shape around the places, anticlockwise.
export function hull(places) {
  const sorted = [...places].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (points) => {
    const chain = [];
    for (const p of points) {
      while (chain.length > 1) {
        const [a, b] = chain.slice(-2);
        if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break;
        chain.pop();
      }
      chain.push(p);
    }
    return chain.slice(0, -1);
  };
  return sorted.length < 3 ? sorted : [...half(sorted), ...half(sorted.reverse())];
}

// ---- the same steps as text ------------------------------------------------------------------------------------------

const sub = (n) => [...String(n)].map((c) => "₀₁₂₃₄₅₆₇₈₉"[c]).join("");
// At most five digits or so: a cell has no room for more.
const digits = (v, most) => Math.max(0, Math.min(most, 4 - Math.floor(Math.log10(Math.abs(v) || 1))));
const compact = (v) => significant(v, 2).replaceAll("\u00a0", "");
const fixed = (v) => (Math.abs(v) >= 1e5 ? compact(v) : (Math.abs(v) < 0.0005 ? 0 : v).toFixed(Math.min(digits(10 * v, 3), 3)).replace("-", "−"));
const brief = (v) => (v !== 0 && (Math.abs(v) >= 1e5 || Math.abs(v) < 0.001) ? compact(v) : number(v, digits(v, 3)));
const factor = (text) => (text.startsWith("−") ? `(${text})` : text);

// The lines that lead to the weight of key i and to number c of the output, as [word, text] pairs.
export function traceKey(i, { q, k, allowed, scaled, temperature }, result, words) {
  const { scores, logits, largest, powers, total, weights } = result, score = brief(scores[i]), shift = Number.isFinite(largest) && Math.abs(largest) > 20;
  const products = q.map((v, n) => `${factor(brief(v))} × ${factor(brief(k[i][n]))}`).join(" + ");
  const root = `√${q.length}`, divisor = scaled && temperature !== 1 ? `(${root} × ${brief(temperature)})` : scaled ? root : brief(temperature);
  const scale = scaled || temperature !== 1 ? `${score} / ${divisor} = ${brief(logits[i])}` : fill(words.untouched, { score });
  const power = (j) => (allowed[j] ? (shift ? powers[j] : Math.exp(logits[j])) : 0), whole = shift ? total : total * Math.exp(largest);
  const exp = shift ? fill(words.shifted, { formula: `exp(${brief(logits[i])} − ${factor(brief(largest))}) = ${brief(power(i))}`, largest: brief(largest) }) : `exp(${brief(logits[i])}) = ${brief(power(i))}`;
  const terms = powers.map((_, j) => j).filter((j) => allowed[j]).map((j) => brief(power(j))), sum = terms.length > 1 ? `(${terms.join(" + ")})` : terms[0];
  const ratio = allowed[i] ? `${brief(power(i))} / ${sum} = ${share(weights[i], words)}` : total ? fill(words.masked_weight, { formula: `0 / ${brief(whole)}` }) : words.blind_weight;
  return [["step_score", `${products} = ${score}`], ["step_scale", scale], ["step_power", allowed[i] ? exp : words.masked_power], ["step_weight", ratio]];
}

export function traceOutput(c, { v }, { weights, output }, words) {
  const products = weights.map((w, i) => `${share(w, words)} × ${factor(brief(v[i][c]))}`), terms = weights.map((w, i) => factor(fixed(w * v[i][c])));
  return [["step_sum", products.join(" + ")], ["step_add", `${terms.join(" + ")} = ${fixed(output[c])}`]];
}

// A weight to three digits; 0 and 1 only where it is that exactly.
const share = (w, words) => (w === 0 || w === 1 ? String(w) : w < 0.0005 ? words.small : w > 0.9995 ? words.large : w.toFixed(3));
