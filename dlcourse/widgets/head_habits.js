// What a head of attention tends to read: for each habit the characters that it means, and how much of its attention they get.

const NAMES = ["itself", "previous", "near", "same", "after", "word", "line"], NAMED = 0.1, SETTLED = 8;

// For each character of a text, by habit: the places that the habit means, at most the character itself. All but the first three
// lie at least two back, so that no habit is credited with looking one back.
export function relations(tokens, { numbers }) {
  const space = numbers.get(" "), newline = numbers.get("\n"), seen = new Map(), far = (t) => (s) => s >= 0 && s < t - 1;
  let word = -1, line = -1; // the space before the word, the line break before the line
  return tokens.map((token, t) => {
    const same = seen.get(token) ?? [];
    const places = {
      itself: [t], previous: [t - 1].filter((s) => s >= 0), near: [t - 4, t - 3, t - 2].filter((s) => s >= 0),
      same: same.filter(far(t)), after: same.map((s) => s + 1).filter(far(t)),
      word: token === space || token === newline ? [] : [word, word + 1].filter(far(t)), line: [line, line + 1].filter(far(t)),
    };
    seen.set(token, [...same, t]);
    if (token === space || token === newline) word = t;
    if (token === newline) line = t;
    return places;
  });
}

// The mean share of a head's attention that falls to each habit's places, over the characters that have such places, what an even
// spread would give them, and over how many characters its attention is spread: the mean of e to the entropy. `rows` holds the
// head's weights (t + 1,) for each character t. The first characters, which can read little, are left out.
export function habitsOf(rows, places) {
  const first = Math.min(SETTLED, rows.length - 1), found = NAMES.map((name) => {
    let share = 0, chance = 0, count = 0;
    for (let t = first; t < rows.length; t++) {
      const at = places[t][name];
      if (!at.length) continue;
      for (const s of at) share += rows[t][s];
      chance += at.length / (t + 1);
      count++;
    }
    return { name, share: count ? share / count : 0, chance: count ? chance / count : 0, count };
  });
  let spread = 0;
  for (let t = first; t < rows.length; t++) spread += Math.exp(-rows[t].reduce((sum, w) => sum + (w > 0 ? w * Math.log(w) : 0), 0));
  const best = found.reduce((a, b) => (b.share - b.chance > a.share - a.chance ? b : a));
  return { habits: found, spread: spread / Math.max(rows.length - first, 1), main: best.share - best.chance >= NAMED ? best : null };
}

// The places that one character reads most, at least a hundredth each, as [place, weight].
export function mostRead(weights, count) {
  return Array.from(weights, (w, s) => [s, w]).sort((a, b) => b[1] - a[1] || b[0] - a[0]).slice(0, count).filter(([, w]) => w >= 0.01);
}
