// Text that a recurrent language model writes in the page: temperature, a seed, bars of what could come next, surprise as a tint.

const FIRST = 360;

// Puts everything into `root` and returns what changes later.
function buildGenerator(root, words, net) {
  const keys = unique(), parts = {};
  make(root, "p", "dl-try", {}, words.try);
  const top = make(root, "div", "dl-gen-top");
  parts.prompt = promptField(top, words);
  parts.temperature = sliderField(top, words.temperature, { min: 0, max: 2, step: 0.05 }, [words.cold, words.learnt, words.hot]);
  parts.note = make(top, "p", "dl-small dl-writing-note");
  const bar = make(root, "div", "dl-gen-bar");
  parts.play = button(bar, words.play, "dl-writing-play");
  for (const [name, text] of [["step", words.step], ["reset", words.reset], ["other", words.seed]]) parts[name] = button(bar, text);
  parts.speeds = make(bar, "div", "dl-gen-speed");
  return Object.assign(parts, textAndBars(root, words, net.tokens, keys, [["surprise", words.legend, "0", `${MOST_BITS}+`]]), foot(root, words, keys, { count: net.tokens.length }));
}

async function render({ model, el }) {
  const words = model.get("words"), net = await referred(model), stop = new AbortController(), read = reader(net);
  const root = make(el, "div", "dl-widget dl-writing dl-gen", { role: "group", "aria-label": words.name, "data-colour": "surprise" }), parts = buildGenerator(root, words, net);
  let record = null; // the state after all that was read and written
  const pen = writing({ model, root, parts, words, net, signal: stop.signal, text: {
    logits: () => record.logits,
    start: (tokens, typed) => {
      record = read(tokens).at(-1);
      make(parts.text, "span", "dl-writing-given", {}, typed.map((token) => net.tokens[token]).join(""));
    },
    took: (token) => { record = step(net, token, record); },
  } });
  pen.fresh();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (let k = 0; k < (still ? FIRST : FIRST / 2); k++) pen.write();
  pen.show();
  if (!still) pen.play(FIRST);
  return () => stop.abort();
}

export default { render };
