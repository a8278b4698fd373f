// A text that outgrows a GPT's context: dlcourse.generation.sliding.

// Where the context of a text of `length` tokens begins: when it is full, all but its last half is forgotten (generation.sliding).
export function contextStart(length, { max_length: most }) {
  const stride = most - Math.floor(most / 2);
  return length <= most ? 0 : Math.ceil((length - most) / stride) * stride;
}

// Returns a function that gives the context of the first `length` tokens: where it begins, and a record for each token in it. While
// one context fills up, the next is read beside it, so that no character has to wait for a context to be read again.
export function contextReader(net) {
  let open = new Map(); // from where a context begins to its reader and the records so far
  const recordsFrom = (start, tokens, length) => {
    const kept = open.get(start) ?? { read: transformerReader(net), records: [] };
    open.set(start, kept);
    const here = tokens.slice(start, length), known = here.length <= kept.records.length && here.every((token, k) => kept.records[k].token === token);
    if (!known) kept.records = kept.read(here);
    return kept.records.slice(0, here.length);
  };
  return (tokens, length = tokens.length) => {
    const start = contextStart(length, net), next = contextStart(start + net.max_length + 1, net), records = recordsFrom(start, tokens, length);
    if (length > next && length === tokens.length) recordsFrom(next, tokens, length);
    const used = [start, next, contextStart(tokens.length, net)]; // the last so that one may look back and go on
    open = new Map([...open].filter(([from]) => used.includes(from)));
    return { start, records };
  };
}
