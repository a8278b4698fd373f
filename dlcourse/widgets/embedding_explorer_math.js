// Neighbours, analogies and completion in a table of word vectors, and where on a map its labels go.

// Unit rows (V × D) of the int8 numbers that `view` (a DataView) carries; a row's scale drops out with its length.
export function unitRows(view, dim) {
  const raw = new Int8Array(view.buffer, view.byteOffset, view.byteLength), rows = new Float32Array(raw.length);
  for (let from = 0; from < raw.length; from += dim) {
    let square = 0;
    for (let d = from; d < from + dim; d++) square += raw[d] * raw[d];
    for (let d = from; d < from + dim; d++) rows[d] = raw[d] / Math.sqrt(square);
  }
  return rows;
}

const rowOf = (rows, dim, k) => rows.subarray(k * dim, (k + 1) * dim);

export function dot(a, b) {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d];
  return sum;
}

// The cosine of `target`, of length 1, with every row.
export function cosines(rows, target) {
  const dim = target.length, values = new Float32Array(rows.length / dim);
  for (let k = 0, at = 0; k < values.length; k++) {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += rows[at++] * target[d];
    values[k] = sum;
  }
  return values;
}

// The numbers of the `count` largest values, the largest first, without those in `without`; of equal ones the first.
export function nearest(values, count, without = []) {
  const found = [];
  for (let k = 0; k < values.length; k++) {
    if (found.length === count && values[k] <= values[found[count - 1]] || without.includes(k)) continue;
    let place = found.length;
    while (place > 0 && values[found[place - 1]] < values[k]) place--;
    found.splice(place, 0, k);
    if (found.length > count) found.pop();
  }
  return found;
}

// What a : b = c : ? asks for: b − a + c of the unit rows, at length 1, and its length before.
export function combine(rows, dim, [a, b, c]) {
  const [from, to, start] = [a, b, c].map((k) => rowOf(rows, dim, k));
  const sum = Float32Array.from(from, (v, d) => to[d] - v + start[d]), length = Math.sqrt(dot(sum, sum));
  return { target: length > 0 ? sum.map((v) => v / length) : sum, length };
}

// The cosines of word k with a, b and c: their sum, a's subtracted, over the length of b − a + c is k's score.
export const shares = (rows, dim, given, k) => given.map((g) => dot(rowOf(rows, dim, g), rowOf(rows, dim, k)));

// ---- completion ---------------------------------------------------------------------------------------------------

// Returns a function that gives the number of a word, however it is capitalised; undefined where there is none.
export function lookup(tokens) {
  const exact = new Map(tokens.map((token, k) => [token, k])), loose = new Map();
  tokens.forEach((token, k) => { if (!loose.has(token.toLowerCase())) loose.set(token.toLowerCase(), k); });
  return (text) => exact.get(text.trim()) ?? loose.get(text.trim().toLowerCase());
}

// The words to offer for what is typed: those that begin so, then those that contain it, then those spelled alike, the first of
// `order` (all numbers, the most frequent first) first.
export function offers(text, tokens, order, count = 7) {
  const typed = text.trim().toLowerCase(), begins = [], contains = [];
  for (const k of order) {
    const at = tokens[k].toLowerCase().indexOf(typed);
    if (at === 0) begins.push(k); else if (at > 0) contains.push(k);
    if (begins.length === count) break;
  }
  const found = [...begins, ...contains].slice(0, count);
  return found.length ? found : alike(typed, tokens, order, count);
}

// The words that at most two insertions, deletions or replacements of a letter away; fewer come first.
export function alike(text, tokens, order, count = 3) {
  const typed = [...text.trim().toLowerCase()], most = Math.min(2, Math.floor(typed.length / 2)), found = [];
  if (!most) return [];
  for (const k of order) {
    const distance = edits(typed, [...tokens[k].toLowerCase()], most);
    if (distance <= most) found.push([distance, k]);
  }
  return found.sort((a, b) => a[0] - b[0]).slice(0, count).map(([, k]) => k); // sorting is stable: frequent words stay first
}

function edits(a, b, most) {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

// ---- the map ------------------------------------------------------------------------------------------------------

// Places labels { x, y, width, height, gap }, the most important first, beside their points, `gap` away from the middle: each
// gets [left, top], or null where it would cover another, one of the `taken` boxes [left, top, right, bottom], or the edge.
export function placeLabels(labels, width, height, taken = [], most = Infinity) {
  const boxes = [...taken];
  let placed = 0;
  return labels.map(({ x, y, width: w, height: h, gap }) => {
    if (placed >= most) return null;
    const spots = [[x + gap, y - h / 2], [x - gap - w, y - h / 2], [x - w / 2, y - gap - h], [x - w / 2, y + gap],
      [x + gap * 0.6, y - gap * 0.6 - h], [x + gap * 0.6, y + gap * 0.6], [x - gap * 0.6 - w, y - gap * 0.6 - h], [x - gap * 0.6 - w, y + gap * 0.6]];
    for (const [left, top] of spots) {
      const right = left + w, bottom = top + h;
      if (left < 0 || top < 0 || right > width || bottom > height) continue;
      if (boxes.some(([l, t, r, b]) => left < r && right > l && top < b && bottom > t)) continue;
      boxes.push([left, top, right, bottom]);
      placed++;
      return [left, top];
    }
    return null;
  });
}

// The point to go to from point `from` in direction [dx, dy] (y downwards): near, and more along the direction than across it.
export function neighbourTowards(points, from, [dx, dy], among = points.keys()) {
  let best = from, least = Infinity;
  for (const k of among) {
    const x = points[k][0] - points[from][0], y = points[k][1] - points[from][1];
    const along = x * dx + y * dy, across = Math.abs(x * dy - y * dx), cost = along + 2 * across;
    if (k !== from && along > across && cost < least) { least = cost; best = k; }
  }
  return best;
}
