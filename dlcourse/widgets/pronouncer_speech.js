// What Pronouncer says in words: names of phonemes, what a step read and a letter fed, what the dictionary knows.

const FIRST_SIGN = 0x3d, WORTH = 0.05, MOST_NAMED = 4; // FIRST_SIGN: as in pronouncer.py; weights below WORTH are not told

// The dictionary that the page carries, as pronouncer.py lists it: from a word to { readings, learnt }.
export function dictionaryOf(text) {
  return new Map(text.split("\n").filter(Boolean).map((line) => {
    const [word, ...readings] = line.split("\t"), learnt = word.startsWith("*");
    return [learnt ? word.slice(1) : word, { learnt, readings: readings.map((one) => Array.from(one, (sign) => sign.codePointAt(0) - FIRST_SIGN)) }];
  }));
}

// The letters of a typed text as the network reads them: in lower case and without accents, the first `most` of them.
export function lettersOf(net, text, most) {
  const { tokens, missing } = encode(net, text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, ""));
  const letters = tokens.slice(0, most);
  return { letters, missing, word: letters.map((token) => net.tokens[token]).join(""), long: tokens.length > most };
}

// Functions that turn what the network did into words; `dictionary` is dictionaryOf's, `tells` whether it knows what was learnt.
export function speech(net, words, dictionary, tells) {
  const example = (token) => net.hints[token][0].replace(/[[\]]/g, ""), name = (token) => (token === net.end ? words.end : net.phonemes[token]);
  const list = (entries) => entries.filter(([, p]) => p >= WORTH).sort((a, b) => b[1] - a[1]).slice(0, MOST_NAMED)
    .map(([one, p]) => fill(words.share, { one, percent: `${Math.round(100 * p)}\u00a0%` })).join(", ");
  const all = ({ tokens, ended }) => [...tokens, ...(ended ? [net.end] : [])]; // the end is a step like others
  const letter = (letters, place) => net.tokens[letters[place]];
  return {
    name, all,
    kind: (token) => (token === net.end ? "end" : /^[AEIOU]/.test(net.phonemes[token]) ? "vowel" : "consonant"), // of ARPAbet
    short: (token) => [name(token), example(token)].filter(Boolean).join("  "),
    long: (token) => (token === net.end ? words.end_of_word : example(token) ? fill(words.as_in, { phoneme: name(token), example: example(token) }) : name(token)),
    respelt: (tokens) => tokens.map((token) => net.hints[token][1]).join("·"),
    chance: (reading, step) => percent(reading.steps[step].chances[all(reading)[step]]),
    reads(reading, letters, step) {
      const found = list(Array.from(reading.steps[step].weights, (p, place) => [`“${letter(letters, place)}”`, p]));
      return found ? fill(words.reads, { letters: found }) : words.reads_all;
    },
    feeds(reading, letters, place) {
      const found = list(all(reading).map((token, step) => [name(token), reading.steps[step].weights[place]]));
      return fill(found ? words.feeds : words.feeds_none, { letter: letter(letters, place), phonemes: found });
    },
    verdict(reading, word) {
      const entry = dictionary.get(word);
      if (!dictionary.size) return "";
      if (!entry) return fill(words.unlisted, { count: dictionary.size.toLocaleString("en") });
      const errors = entry.readings.map((one) => edits(reading.tokens, one)), least = Math.min(...errors), nearest = entry.readings[errors.indexOf(least)];
      const readings = entry.readings.map((one) => one.map(name).join(" ")).join(` ${words.or} `), numbers = { readings, errors: least, total: nearest.length };
      return least ? fill(entry.readings.length > 1 ? words.other_many : words.other, numbers) : words.same;
    },
    seen: (word) => (tells && dictionary.has(word) ? words[dictionary.get(word).learnt ? "learnt" : "never"] : ""),
  };
}
