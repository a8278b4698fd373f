// The page of TransformerWriter: puts everything into `root` and returns what changes later.
function buildWriter(root, words, net, choose) {
  const keys = unique(), parts = {};
  make(root, "p", "dl-try", {}, words.try);
  parts.prompt = promptField(root, words);
  parts.note = make(root, "p", "dl-small dl-writing-note");
  const sliders = make(root, "div", "dl-tw-sliders");
  parts.temperature = sliderField(sliders, words.temperature, { min: 0, max: 2, step: 0.05 }, [words.cold, words.hot]);
  parts.topK = sliderField(sliders, words.topK, { min: 1, max: net.tokens.length, step: 1 }, [words.one_left, words.all]);
  parts.topP = sliderField(sliders, words.topP, { min: 0.05, max: 1, step: 0.05 }, [words.few, words.most]);
  const bar = make(root, "div", "dl-tw-bar");
  parts.play = button(bar, words.play, "dl-writing-play");
  for (const name of ["step", "back", "reset", "other"]) parts[name] = button(bar, words[name]);
  const look = make(root, "div", "dl-tw-look");
  parts.colours = make(look, "div");
  parts.speeds = make(look, "div");
  Object.assign(parts, textAndBars(root, words, net.tokens, keys, [["attention", words.legend_attention, "0", "50 %+"], ["surprise", words.legend_surprise, "0", `${MOST_BITS}+`]]));

  const heads = make(root, "div", "dl-tw-heads");
  parts.maps = headMaps(make(heads, "div"), net, words, choose);
  const says = make(heads, "div");
  parts.head = make(says, "p", "dl-writing-caption");
  parts.does = make(says, "p", "dl-tw-does");
  parts.reads = make(says, "p", "dl-writing-caption");
  parts.read = readRows(says, words, READ);
  return Object.assign(parts, foot(root, words, keys, { most: net.max_length, kept: Math.floor(net.max_length / 2), count: net.tokens.length }));
}
