// What a stack of Transformer blocks costs for n tokens: the formulas of dlcourse.widgets.context_cost.costs, and their text.

// D = dim, L = num_layers, N = num_heads, B = batch, b = bytes_per_number. Operations and bytes, as in Python.
export function costs({ context: n, dim: D, num_layers: L, num_heads: N, batch: B, bytes_per_number: b, causal }) {
  const squares = causal ? (n * (n + 1) * (n + 2)) / 6 : (n * (n + 1) * (2 * n + 1)) / 6; // pairs of texts of 1, 2, …, n tokens
  return {
    projections: 8 * B * L * n * D ** 2,
    feed_forward: 16 * B * L * n * D ** 2,
    pairs: 4 * B * L * D * (causal ? (n * (n + 1)) / 2 : n ** 2),
    weights: B * N * n ** 2 * b,
    cache: 2 * B * L * n * D * b,
    parameters: L * (12 * D ** 2 + 13 * D) * b,
    with_cache: 24 * B * L * n * D ** 2 + 2 * B * L * n * (n + 1) * D,
    without_cache: 12 * B * L * n * (n + 1) * D ** 2 + 4 * B * L * D * squares,
  };
}

// The lengths at which pairs cost as much as all that is done for each token, and stored weights as much as the cache.
export const crossings = ({ dim: D, num_layers: L, num_heads: N, causal }) => ({ work: causal ? 12 * D - 1 : 6 * D, memory: (2 * L * D) / N });

export const divisors = (whole, most = 128) => Array.from({ length: Math.min(whole, most) }, (_, k) => k + 1).filter((k) => whole % k === 0);
export const nearest = (list, value) => list.reduce((best, v, k) => (Math.abs(Math.log(v / value)) < Math.abs(Math.log(list[best] / value)) ? k : best), 0);

const grouped = (v) => String(v).replace(/\B(?=(\d{3})+$)/g, ",");
const times = (v) => (v >= 99.5 ? grouped(Math.round(v)) : v >= 9.95 ? v.toFixed(1) : v >= 0.095 ? v.toFixed(2) : significant(v, 2));
const share = (part) => (part >= 0.9995 ? "> 99.9 %" : part < 0.001 ? "< 0.1 %" : `${(100 * part).toFixed(1)} %`);

function inBytes(bytes, units) {
  let size = bytes, k = 0;
  while (size >= 1024 && k < units.length - 1) { size /= 1024; k++; }
  return `${Number.isInteger(size) || size >= 999.5 ? grouped(Math.round(size)) : Number(size.toPrecision(3))} ${units[k]}`;
}

// The lines beside the chart: [row's name, kind of line, value, formula, the same with numbers].
export function rowsOf(view, settings, words) {
  const { context: n, dim: D, num_layers: L, num_heads: N, batch: B, bytes_per_number: b, causal } = settings, all = costs(settings), g = grouped;
  const size = (bytes) => inBytes(bytes, words.units), most = (v) => significant(v, 3);
  if (view === "work") return [
    ["projections", "tokens", most(all.projections), "8 B L n D²", `8 · ${g(B)} · ${L} · ${g(n)} · ${g(D)}²`],
    ["feed_forward", "tokens", most(all.feed_forward), "16 B L n D²", `16 · ${g(B)} · ${L} · ${g(n)} · ${g(D)}²`],
    ["pairs", "pairs", most(all.pairs), causal ? "2 B L D n (n + 1)" : "4 B L D n²", causal ? `2 · ${g(B)} · ${L} · ${g(D)} · ${g(n)} · ${g(n + 1)}` : `4 · ${g(B)} · ${L} · ${g(D)} · ${g(n)}²`],
  ];
  if (view === "memory") return [
    ["weights", "pairs", size(all.weights), "B N n² b", `${g(B)} · ${N} · ${g(n)}² · ${b}`],
    ["cache", "tokens", size(all.cache), "2 B L n D b", `2 · ${g(B)} · ${L} · ${g(n)} · ${g(D)} · ${b}`],
    ["parameters", "fixed", size(all.parameters), "L (12 D² + 13 D) b", `${L} · (12 · ${g(D)}² + 13 · ${g(D)}) · ${b}`],
  ];
  return [
    ["with", "tokens", most(all.with_cache), "24 B L n D² + 2 B L D n (n + 1)", `${most(24 * B * L * n * D ** 2)} + ${most(2 * B * L * D * n * (n + 1))}`],
    ["without", "pairs", most(all.without_cache), `12 B L D² n (n + 1) + ${causal ? "⅔ B L D n (n + 1)(n + 2)" : "⅔ B L D n (n + 1)(2n + 1)"}`,
      `${most(12 * B * L * D ** 2 * n * (n + 1))} + ${most(all.without_cache - 12 * B * L * D ** 2 * n * (n + 1))}`],
    ["ratio", "fixed", `× ${times(all.without_cache / all.with_cache)}`, fill(words.between, causal ? { low: "(n + 2) / 3", high: "(n + 1) / 2" } : { low: "(n + 1) / 2", high: "(2n + 1) / 3" }),
      fill(words.between, causal ? { low: times((n + 2) / 3), high: times((n + 1) / 2) } : { low: times((n + 1) / 2), high: times((2 * n + 1) / 3) })],
  ];
}

// The sentence under the chart, and the three figures above it.
export function sayCost(view, settings, words) {
  const { context, dim: D, num_layers: L, num_heads: N, causal } = settings, all = costs(settings), crossing = crossings(settings), g = grouped;
  const part = share(all.pairs / (all.pairs + all.projections + all.feed_forward)), ratio = times(all.without_cache / all.with_cache);
  if (view === "work") return fill(words.says_work, {
    context: g(context), share: part, pairs: g(causal ? (context * (context + 1)) / 2 : context ** 2), formula: causal ? `12 D − 1 = 12 · ${g(D)} − 1` : `6 D = 6 · ${g(D)}`, crossing: g(crossing.work),
  });
  if (view === "memory") return fill(words.says_memory, {
    context: g(context), times: times(all.weights / all.cache), formula: `2 L D / N = 2 · ${L} · ${g(D)} / ${N}`, crossing: Number.isInteger(crossing.memory) ? g(crossing.memory) : number(crossing.memory, 1),
  });
  return context === 1 ? words.says_one : fill(words.says_writing, { context: g(context), times: ratio });
}

export function figures(settings, words) {
  const all = costs(settings);
  return { work: share(all.pairs / (all.pairs + all.projections + all.feed_forward)), memory: inBytes(all.weights, words.units), writing: `× ${times(all.without_cache / all.with_cache)}` };
}
